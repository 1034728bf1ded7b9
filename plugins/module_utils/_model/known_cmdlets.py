# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Tables of cmdlets that may be sent to an end: whatever is not in its end's table is refused before it is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet


@dataclass(frozen=True)
class Known:
    """A cmdlet that may be sent. ``changes`` tells whether it may change anything outside of its own runspace."""

    changes: bool
    parameters: Mapping[str, str]


def changes(table: Mapping[str, Known], pipeline: Sequence[Cmdlet]) -> bool:
    """Whether a pipeline may change anything."""
    return any(table[cmdlet.name].changes for cmdlet in pipeline)


def check(table: Mapping[str, Known], end: str, fits: Callable[[str, Any], bool], pipeline: Sequence[Cmdlet]) -> None:
    """InputError for what is not in the table: another cmdlet, another parameter, a value of another type.

    end: whom the table is for, in words. fits: whether a value is of a type that the table names.
    """
    if not pipeline:
        raise InputError("A pipeline without a cmdlet cannot be run.")
    for cmdlet in pipeline:
        known = table.get(cmdlet.name)
        if known is None:
            raise InputError(f"{cmdlet.name} is not among the cmdlets that are sent to {end}.")
        for name, value in cmdlet.parameters.items():
            if name not in known.parameters:
                raise InputError(f"{cmdlet.name} is not sent with the parameter {name}.")
            if not fits(known.parameters[name], value):
                raise InputError(f"The parameter {name} of {cmdlet.name} must be of the type {known.parameters[name]}.")
