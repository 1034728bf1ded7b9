# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What may be sent to Exchange Server, checked before it is sent: the table beside this file, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._model import known_cmdlets
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
    return known_cmdlets.changes(CMDLETS, pipeline)


def check(pipeline: Sequence[Cmdlet]) -> None:
    """Refuse what is not in the table: another cmdlet, another parameter, a value of another type."""
    known_cmdlets.check(CMDLETS, "Exchange Server", _fits, pipeline)


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
