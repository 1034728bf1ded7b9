# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""A cmdlet as data: a name with typed parameters. No script text is assembled anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Credential:
    """A user and a password as the value of a parameter. It goes over PSRP only, encrypted by the session's key."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Cmdlet:
    """One call of a cmdlet; ``select`` limits the properties of the answer. A switch is given as ``True``."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    select: tuple[str, ...] = ()


def hash_table(add: Iterable[str] = (), remove: Iterable[str] = ()) -> dict[str, Any]:
    """The JSON form of an edit of a multi-valued parameter, ``@{Add=...; Remove=...}`` in a shell."""
    edit: dict[str, Any] = {"@odata.type": "#Exchange.GenericHashTable"}
    added, removed = list(add), list(remove)
    if added:
        edit["Add"] = added
    if removed:
        edit["Remove"] = removed
    return edit
