# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Putting a hybrid set-up back from its export: what the cmdlets allow, in reverse order, and why not the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import graph, parameters
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.apply import invoke
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.export import Export, Exported
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.kind import Kind
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.kinds import kind
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.known import (
    Row,
    identity_of,
    last_part,
    name_of,
    text,
    texts,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.plan import (
    is_enabled,
    trust_in_cloud,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.wanted import Ends, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.order import STEPS, Step
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Ambiguous,
    Conflict,
    HybridError,
    InputError,
    NotFound,
    PermissionDenied,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet

Current = Mapping[str, Sequence[Row]]
# What one object may fail with while the others are put back; anything else ends the run.
_OF_ONE_OBJECT = (Ambiguous, Conflict, InputError, NotFound, PermissionDenied)


@dataclass(frozen=True)
class Put:
    """One object to put back. ``cmdlets`` in their order; none where Graph does it. ``after``: what it will be."""

    step: Step
    exported: Exported
    cmdlets: tuple[Cmdlet, ...]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]


@dataclass(frozen=True)
class Lost:
    """An object that is not put back, and why."""

    kind: str
    identity: str
    why: str


@dataclass(frozen=True)
class Restoring:
    """A plan for putting back. ``there`` counts objects that are as they were."""

    puts: tuple[Put, ...]
    lost: tuple[Lost, ...]
    there: int


@dataclass
class PutBack:
    """What came of it."""

    done: list[Put] = field(default_factory=list)
    failed: list[tuple[Put, HybridError]] = field(default_factory=list)


def plan(export: Export, wanted: Wanted, current: Current) -> Restoring:
    """What is missing of an export, in reverse order of its steps."""
    puts: list[Put] = []
    lost: list[Lost] = []
    there = 0
    # An object that was turned off and then removed is in the export twice, with the same properties.
    seen: set[tuple[str, str]] = set()
    for item in reversed(export.objects):
        step = STEPS[item.step]
        if step.kind not in wanted.kinds or (step.kind, item.identity) in seen:
            continue
        seen.add((step.kind, item.identity))
        made = _put(step, kind(step.side, step.kind), item, _find(item, current.get(step.kind, ())), current)
        if isinstance(made, Lost):
            lost.append(made)
        elif made is None:
            there += 1
        else:
            puts.append(made)
    return Restoring(tuple(puts), tuple(lost), there)


def apply(ends: Ends, puts: Sequence[Put], back: PutBack) -> None:
    """Put back what can be; an object that is refused does not keep the others."""
    for put in puts:
        ends.progress.start(f"put back {put.step.what}: {put.exported.identity}")
        try:
            if put.step.kind == "hybrid_application":
                _restore_application(ends, put)
            elif put.step.kind == "service_principal_keys":
                graph.add_key(ends, put.exported.properties)
            for cmdlet in put.cmdlets:
                invoke(ends, put.step.side, cmdlet)
        except _OF_ONE_OBJECT as error:
            back.failed.append((put, error))
            continue
        back.done.append(put)


def _restore_application(ends: Ends, put: Put) -> None:
    if not graph.restore_application(ends, text(put.exported.properties.get("id"))):
        raise Conflict(kind(put.step.side, put.step.kind).lost)


def _put(step: Step, what: Kind, item: Exported, now: Row | None, current: Current) -> Put | Lost | None:
    if step.verb == "change" and what.name != "service_principal_keys":
        return _changed(step, item, now)
    if step.kind == "service_principal_keys":
        return _key(step, what, item, now)
    if step.kind == "hybrid_application":
        return Put(step, item, (), None, {"exists": True}) if now is None else None
    if step.kind == "federated_organization":
        if not current.get("federation_trust"):
            return Lost(step.kind, item.identity, kind(step.side, "federation_trust").lost)
        return _enabled(step, what, item, now)
    if not what.make:
        if now is not None:
            return _enabled(step, what, item, now) if step.verb == "disable" else None
        return Lost(step.kind, item.identity, what.lost or "No cmdlet makes it again.")
    return _missing(step, what, item) if now is None else _different(step, what, item, now)


def _missing(step: Step, what: Kind, item: Exported) -> Put:
    made = parameters.given(what, what.make, item.properties)
    cmdlets = [Cmdlet(what.make, made)]
    if what.alter:
        more = parameters.given(what, what.alter, item.properties)
        rest = {name: value for name, value in more.items() if name not in made}
        if rest:
            cmdlets.append(Cmdlet(what.alter, {"Identity": text(item.properties.get("Name")) or item.identity, **rest}))
            made = {**made, **rest}
    return Put(step, item, tuple(cmdlets), None, made)


def _different(step: Step, what: Kind, item: Exported, now: Row) -> Put | None:
    if not what.alter:
        return None
    wanted = parameters.given(what, what.alter, item.properties)
    have = parameters.given(what, what.alter, now)
    differs = {name: value for name, value in wanted.items() if not parameters.same(value, have.get(name))}
    if not differs:
        return None
    before = {name: have.get(name) for name in differs}
    cmdlet = Cmdlet(what.alter, {"Identity": identity_of(now), **differs})
    return Put(step, item, (cmdlet,), before, differs)


def _enabled(step: Step, what: Kind, item: Exported, now: Row | None) -> Put | None:
    if now is None or is_enabled(now) or not is_enabled(item.properties):
        return None
    named = {} if step.kind == "federated_organization" else {"Identity": identity_of(now)}
    return Put(step, item, (Cmdlet(what.alter, {**named, "Enabled": True}),), {"Enabled": False}, {"Enabled": True})


def _changed(step: Step, item: Exported, now: Row | None) -> Put | Lost | None:
    if now is None:
        return Lost(step.kind, item.identity, "Its server or connector is gone.")
    name = "AutoDiscoverServiceInternalUri" if step.kind == "service_connection_point" else "TlsDomainCapabilities"
    if step.kind == "service_connection_point":
        had: Any = text(item.properties.get(name))
        have: Any = text(now.get(name))
        want = had or None
    else:
        have = list(texts(now.get(name)))
        had = [value for value in texts(item.properties.get(name)) if trust_in_cloud(value)]
        want = [*have, *(value for value in had if value not in have)]
    if not had or parameters.same(want, have):
        return None
    cmdlet = Cmdlet(step.cmdlets[0], {"Identity": identity_of(now), name: want})
    return Put(step, item, (cmdlet,), {name: have or None}, {name: want})


def _key(step: Step, what: Kind, item: Exported, now: Row | None) -> Put | Lost | None:
    if now is not None:
        return None
    if not item.properties.get("key"):
        return Lost(step.kind, item.identity, what.lost)
    return Put(step, item, (), None, {"exists": True})


def _find(item: Exported, rows: Sequence[Row]) -> Row | None:
    """The object of that name as it is now; of a kind with only one object, that one."""
    if STEPS[item.step].kind in ("hybrid_configuration", "federated_organization"):
        return next(iter(rows), None)
    called = {item.identity.casefold(), text(item.properties.get("Name")).casefold()} - {""}
    for row in rows:
        if {identity_of(row).casefold(), name_of(row).casefold()} & called:
            return row
    if "\\" in item.identity:
        return None  # a name that its server is part of
    return next((row for row in rows if last_part(identity_of(row)) == last_part(item.identity)), None)


def still_missing(again: Restoring, back: PutBack) -> list[str]:
    """What was put back without an error and is not there as it was, by what was read again."""
    done = {(put.step.kind, put.exported.identity) for put in back.done}
    return [
        f"{put.exported.identity} ({', '.join(sorted(put.after))})"
        for put in again.puts
        if (put.step.kind, put.exported.identity) in done
    ]
