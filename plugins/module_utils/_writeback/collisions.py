# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Collisions between objects: addresses that would belong to two of them, and the order in which addresses move.

AD does not keep addresses unique, Exchange Online does: the second holder is a leftover that mail would go to. So an
address goes to an object only where nobody in the forest keeps it, and its holder gives it up first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Unavailable
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.source_anchor import filter_escape
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import plan, planning
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.planning import ObjectPlan
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.ports import Directory

ADDRESSES = "proxyAddresses"
Holders = Mapping[str, Sequence[tuple[bytes, str]]]


@dataclass(frozen=True)
class Ordered:
    """Plans in the order of their writing: every stage needs the ones before it to be done.

    ``needs`` says, by objectGUID, which objects must have given addresses up. Where addresses go round in a circle, an
    object of it comes twice: first it only gives up, then it gets.
    """

    stages: list[list[ObjectPlan]] = field(default_factory=list)
    needs: Mapping[bytes, frozenset[bytes]] = field(default_factory=dict)


def check(plans: Sequence[ObjectPlan], directory: Directory) -> tuple[list[ObjectPlan], list[str]]:
    """The plans, those refused that would make a second holder of an address; and warnings.

    An address that its holder gives up in the same run is free, unless that holder's plan is refused in turn.
    """
    found = _without_twins(plans)
    holders, warnings = _holders(directory, {value for item in found for value in _gained(item)})
    while True:
        released = {(item.guid, value) for item in found for value in _released(item)}
        gained = Counter(value for item in found for value in _gained(item))
        refused = 0
        for number, item in enumerate(found):
            reason = _taken(item, holders, released, gained)
            if reason:
                found[number] = replace(item, outcome=planning.ADDRESS_TAKEN, reason=reason, changes=(), raw=())
                refused += 1
        if not refused:
            return found, warnings


def _without_twins(plans: Sequence[ObjectPlan]) -> list[ObjectPlan]:
    """The plans, those refused that are about the same object: two mailboxes have one anchor."""
    by_guid = Counter(item.guid for item in plans if item.guid)
    return [
        replace(
            item,
            outcome=planning.AMBIGUOUS,
            reason=f"{by_guid[item.guid]} of the selected mailboxes have the source anchor of {item.dn}",
            changes=(),
            raw=(),
        )
        if by_guid[item.guid] > 1
        else item
        for item in plans
    ]


def _taken(
    item: ObjectPlan, holders: Holders, released: Collection[tuple[bytes, str]], gained: Mapping[str, int]
) -> str | None:
    """Why an address that a plan adds belongs to another object, or None."""
    for value in _gained(item):
        for guid, dn in holders.get(value, ()):
            if guid != item.guid and (guid, value) not in released:
                return f"{value} belongs to {dn} already; take it away there first"
        if gained[value] > 1:
            return f"{value} belongs to {gained[value]} of the selected mailboxes"
    return None


def _holders(directory: Directory, wanted: Collection[str]) -> tuple[Holders, list[str]]:
    """Who in the forest holds which of these addresses (in small letters), as objectGUID and name; and warnings."""
    if not wanted:
        return {}, []
    catalog = directory.global_catalog()
    if catalog is None:
        warning = (
            f"The global catalog is turned off, so only {directory.domain} was searched for other holders of the "
            "addresses that this run adds, and not the other domains of the forest."
        )
        return _search(directory, wanted), [warning]
    try:
        return _search(catalog, wanted), []
    except Unavailable as error:
        raise Unavailable(
            f"The global catalog is needed to see whether other objects of the forest hold the addresses that this run "
            f"adds. {error.message} Open its port, or set directory_global_catalog_port to 0 in a forest of one "
            "domain. Nothing was changed.",
            **error.facts,
        ) from error
    finally:
        catalog.close()


def _search(where: join.Searchable, wanted: Collection[str]) -> Holders:
    holders: dict[str, list[tuple[bytes, str]]] = {}
    for batch in join.batches(sorted(wanted), join.BATCH):
        terms = "".join(f"({ADDRESSES}={filter_escape(value.encode())})" for value in batch)
        for entry in where.search(where.base_dn, f"(|{terms})", (join.OBJECT_GUID, ADDRESSES)):
            holder = (entry.values[join.OBJECT_GUID][0], entry.dn)
            for raw in entry.values.get(ADDRESSES, ()):
                holders.setdefault(raw.decode("utf-8", "replace").casefold(), []).append(holder)
    return holders


def order(plans: Iterable[ObjectPlan]) -> Ordered:
    """The plans that change something, so that no address is added before its holder in this run gave it up."""
    todo = {item.guid: item for item in plans if item.outcome == planning.CHANGE}
    released_by: dict[str, set[bytes]] = {}
    for item in todo.values():
        for value in _released(item):
            released_by.setdefault(value, set()).add(item.guid)
    needs: dict[bytes, frozenset[bytes]] = {}
    for guid, item in todo.items():
        others = {other for value in _gained(item) for other in released_by.get(value, ()) if other != guid}
        if others:
            needs[guid] = frozenset(others)
    needed = {other for others in needs.values() for other in others}
    open_needs = {guid: set(others) for guid, others in needs.items()}
    stages: list[list[ObjectPlan]] = []
    while todo:
        ready = [item for guid, item in todo.items() if not open_needs.get(guid)]
        if ready:
            stages.append(ready)
            for item in ready:
                del todo[item.guid]
            done = {item.guid for item in ready}
        else:
            # All that is left waits for each other: one of them gives up first, and gets what it gets at the end.
            guid = next(guid for guid in todo if guid in needed)
            first, rest = _in_two(todo[guid])
            stages.append([first])
            todo[guid] = rest
            done = {guid}
        needed -= done
        for left in open_needs.values():
            left -= done
    return Ordered(stages, needs)


def _in_two(item: ObjectPlan) -> tuple[ObjectPlan, ObjectPlan]:
    """A plan as one that only gives addresses up, and one for all the rest after it."""
    number = next(index for index, change in enumerate(item.changes) if change.attribute.cast == "addresses")
    change, held = item.changes[number], item.raw[number]
    gone = {value for value in change.remove if value.casefold() in set(_released(item))}
    between: Values = tuple(value for value in change.before if value not in gone)
    raw_between = tuple(raw for value, raw in zip(change.before, held, strict=True) if value not in gone)
    first = replace(change, after=between, remove=tuple(gone), add=())
    rest = replace(change, before=between, remove=tuple(value for value in change.remove if value not in gone))
    return (
        replace(item, changes=(first,), raw=(held,)),
        replace(
            item,
            changes=(*item.changes[:number], rest, *item.changes[number + 1 :]),
            raw=(*item.raw[:number], raw_between, *item.raw[number + 1 :]),
        ),
    )


def _gained(item: ObjectPlan) -> list[str]:
    """The addresses that an object gets and did not have in any rank."""
    return [
        value.casefold()
        for change in _address_changes(item)
        for value in change.add
        if value.casefold() not in {held.casefold() for held in change.before}
    ]


def _released(item: ObjectPlan) -> list[str]:
    """The addresses that an object had and does not keep in any rank."""
    return [
        value.casefold()
        for change in _address_changes(item)
        for value in change.remove
        if value.casefold() not in {kept.casefold() for kept in change.after}
    ]


def _address_changes(item: ObjectPlan) -> Iterator[plan.AttributeChange]:
    return (change for change in item.changes if change.attribute.cast == "addresses")
