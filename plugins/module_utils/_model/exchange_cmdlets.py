# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What may be sent to Exchange Server, checked before it is sent: the table beside this file, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet, Credential
from ansible_collections.hybrid.exchange.plugins.module_utils._model.exchange_cmdlet_table import CMDLETS

# What a value of each type is here. Anything else is a text, which Exchange converts: identities, sizes, times in ISO
# 8601, words of enumerations. A list is a text for each entry, or, as a hash table, what to add and to remove.
_TYPES: Mapping[str, tuple[type, ...]] = {
    "Boolean": (bool,),
    "SwitchParameter": (bool,),
    "Int32": (int,),
    "Int64": (int,),
    "UInt32": (int,),
    "Unlimited": (str, int),
    "MultiValuedProperty": (list, dict, str),
    "PSCredential": (Credential,),
    "Byte[]": (bytes,),
    "SecureString": (),
}


def changes(pipeline: Sequence[Cmdlet]) -> bool:
    """Whether a pipeline may change anything."""
    return any(CMDLETS[cmdlet.name].changes for cmdlet in pipeline)


def check(pipeline: Sequence[Cmdlet]) -> None:
    """Refuse what is not in the table: another cmdlet, another parameter, a value of another type."""
    if not pipeline:
        raise InputError("A pipeline without a cmdlet cannot be run.")
    for cmdlet in pipeline:
        known = CMDLETS.get(cmdlet.name)
        if known is None:
            raise InputError(f"{cmdlet.name} is not among the cmdlets that are sent to Exchange Server.")
        for name, value in cmdlet.parameters.items():
            if name not in known.parameters:
                raise InputError(f"{cmdlet.name} is not sent with the parameter {name}.")
            if not _fits(known.parameters[name], value):
                raise InputError(f"The parameter {name} of {cmdlet.name} must be of the type {known.parameters[name]}.")


def _fits(kind: str, value: Any) -> bool:
    """Whether a value is of a type; None, ``$null`` in a shell, takes away what a parameter sets."""
    expected = _TYPES.get(kind)
    if value is None:
        return kind not in ("SwitchParameter", "Boolean")
    if expected is None and kind.endswith("[]"):
        return isinstance(value, list) and all(_fits(kind.removesuffix("[]"), item) for item in value)
    if isinstance(value, bool):
        return expected == (bool,)
    return isinstance(value, expected if expected is not None else (str,))
