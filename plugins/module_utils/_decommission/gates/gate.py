# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""A gate: one thing that must be true before a phase begins, and how it is judged by what was read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.wanted import Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.phases import (
    CANNOT_TELL,
    EXITS,
    FAILED,
    PASSED,
)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """What a gate is judged by: the values of its readings by their names, and what was asked for.

    ``unread`` has the reasons of those among its further readings that could not be read. ``now`` is the service's
    clock.
    """

    values: Mapping[str, Any]
    wanted: Wanted
    now: datetime
    unread: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


@dataclass(frozen=True)
class Judged:
    """A verdict, what it rests on in a sentence, and the objects as evidence, plain data each."""

    verdict: str
    detail: str
    objects: tuple[Row, ...] = ()


Judge = Callable[[Found], Judged]


@dataclass(frozen=True)
class Gate:
    """One row of the table.

    ``needs`` are readings without which nothing can be told, ``helps`` further ones. ``hours`` is how long a verdict
    is good for. ``source`` names the page that a reader can look the matter up in. ``acceptable`` says on which
    condition the operator may go on without the gate; None: on none.
    """

    id: str
    title: str
    asserts: str
    phases: tuple[str, ...]
    needs: tuple[str, ...]
    judge: Judge
    fix: str
    hours: int
    source: str
    acceptable: str | None = None
    helps: tuple[str, ...] = ()
    exits: tuple[str, ...] = EXITS


def passed(detail: str, objects: Sequence[Row] = ()) -> Judged:
    """It is so."""
    return Judged(PASSED, detail, tuple(objects))


def failed(detail: str, objects: Sequence[Row] = ()) -> Judged:
    """It is not so."""
    return Judged(FAILED, detail, tuple(objects))


def cannot_tell(detail: str, objects: Sequence[Row] = ()) -> Judged:
    """Nobody can say, for this reason."""
    return Judged(CANNOT_TELL, detail, tuple(objects))


def none_of(objects: Sequence[Row], none: str, some: str) -> Judged:
    """Passed where there are none; ``some`` has the number in the place of {count}."""
    return failed(some.format(count=len(objects)), objects) if objects else passed(none)
