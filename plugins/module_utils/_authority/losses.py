# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What the next synchronization would overwrite without a trace once authority is back on premises: pure comparison.

These are properties that Connect Sync carries from AD to the cloud and that this collection can neither write to AD
nor compare with it: names of recipients against DNs, bits against texts. All that can be told is whether they were
changed in the cloud since the mailbox was moved, by the snapshot of that move. The service writes one value in several
ways, so the comparison looks through the order of lists, case, empty forms, and the ways to name a recipient.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, TypeAlias

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Syntax
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import CATALOGUE

# One AD attribute holds both flags; the catalogue's row names one property.
_MORE_PROPERTIES = {"msExchELCMailboxFlags": ("LitigationHoldEnabled",)}
_EDITABLE = frozenset({"yes", "expected", "unknown"})
_FLAGS = frozenset({"RetentionHoldEnabled", "LitigationHoldEnabled"})
_SPANS = frozenset({"AuditLogAgeLimit"})
# While a kind of logon is listed in DefaultAuditSet, the service itself keeps its audited actions at its own default,
# and adds to them over time: nobody edited them.
DEFAULTS_PROPERTY = "DefaultAuditSet"
_SERVICE_DEFAULTS = {"AuditAdmin": "admin", "AuditDelegate": "delegate", "AuditOwner": "owner"}

_SPAN = re.compile(r"(?:(\d+)\.)?(\d+):(\d\d):(\d\d)(?:\.\d+)?")
_FIRST_OF_DN = re.compile(r"\s*[A-Za-z][A-Za-z0-9-]*\s*=\s*((?:\\.|[^\\,])*)\s*,")
_CANONICAL = re.compile(r"[^/\s]+\.[^/\s]+/.*?((?:\\.|[^\\/])+)$")

Values: TypeAlias = tuple[str, ...]
State: TypeAlias = tuple[Values, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """One property of Exchange Online, the AD attribute that overwrites it, and how its values are compared."""

    name: str
    attribute: str
    kind: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One property that is not what it was when the mailbox was moved."""

    name: str
    attribute: str
    before: Values
    now: Values

    def as_text(self) -> str:
        """For a message."""
        return f"{self.name} ({self.attribute}) was {_shown(self.before)} and is {_shown(self.now)}"


def _compared() -> Iterator[Compared]:
    for row in CATALOGUE.values():
        if row.exchange_property is None or not row.synced or row.directory_writable:
            continue
        if row.cloud_editable not in _EDITABLE:
            continue
        for name in (row.exchange_property, *_MORE_PROPERTIES.get(row.ldap_name, ())):
            kind = "recipients" if row.syntax in {Syntax.DN, Syntax.OR_NAME} else "names"
            kind = "flag" if name in _FLAGS else "span" if name in _SPANS else kind
            yield Compared(name, row.ldap_name, kind)


COMPARED: tuple[Compared, ...] = tuple(_compared())
"""What is synchronized from AD, can be edited in the cloud, and cannot be written by this collection."""

PROPERTIES: tuple[str, ...] = (*(item.name for item in COMPARED), DEFAULTS_PROPERTY)
"""The Exchange properties that a comparison reads."""


def state(properties: Mapping[str, Any]) -> State:
    """The values of all compared properties in a form that is small, sorted, and fit for a message."""
    compared = (_values(item.kind, properties.get(item.name)) for item in COMPARED)
    return (*compared, _values("names", properties.get(DEFAULTS_PROPERTY)))


def differences(before: State, now: State, same: Mapping[str, str] = MappingProxyType({})) -> Iterator[Difference]:
    """The properties that mean something else now.

    ``same`` gives the identity of recipients by their folded names, as far as it was asked for.
    """
    for position, item in enumerate(COMPARED):
        old, new = before[position], now[position]
        if old == new or _left_to_the_service(item.name, before, now):
            continue
        if item.kind == "recipients":
            equal = not any(_unmatched(old, new, same))
        else:
            equal = _comparable(item.kind, old) == _comparable(item.kind, new)
        if not equal:
            yield Difference(item.name, item.attribute, old, new)


def unclear_recipients(before: State, now: State) -> Iterator[str]:
    """Names of recipients that differ and may still name the same ones, to be asked for."""
    for position, item in enumerate(COMPARED):
        if item.kind == "recipients":
            old, new = _unmatched(before[position], now[position], {})
            if old and new:
                yield from (*old, *new)


def given_up(names: Iterable[str]) -> frozenset[str]:
    """The properties that a user names, by their own name or by AD's; InputError for one that is not compared."""
    known: dict[str, set[str]] = {}
    for item in COMPARED:
        known.setdefault(item.name.casefold(), set()).add(item.name)
        known.setdefault(item.attribute.casefold(), set()).add(item.name)
    found: set[str] = set()
    for name in names:
        if name.casefold() not in known:
            spelled = [item.name for item in COMPARED] + [item.attribute for item in COMPARED]
            by_folded = {text.casefold(): text for text in spelled}
            near = [by_folded[text] for text in difflib.get_close_matches(name.casefold(), by_folded, 3, 0.7)]
            hint = f"Is {' or '.join(near)} meant?" if near else f"Compared are {', '.join(PROPERTIES[:-1])}."
            raise InputError(f"give_up names {name}, which is not compared, so it cannot be given up. {hint}")
        found |= known[name.casefold()]
    return frozenset(found)


def not_given_up(found: Iterable[Difference], accepted: Container[str]) -> list[Difference]:
    """The differences that nobody has accepted."""
    return [item for item in found if item.name not in accepted]


def _values(kind: str, raw: Any) -> Values:
    items = raw if isinstance(raw, (list, tuple)) else (raw,)
    texts: set[str] = set()
    for item in items:
        text = json.dumps(item, sort_keys=True) if isinstance(item, (dict, list)) else "" if item is None else str(item)
        parts = text.split(",") if kind == "names" and not isinstance(item, (dict, list)) else [text]
        texts.update(part.strip() for part in parts)
    if kind == "flag":
        return ("True",) if any(text.casefold() == "true" for text in texts) else ()
    return tuple(sorted(texts - {""}, key=lambda text: (text.casefold(), text)))


def _left_to_the_service(name: str, before: State, now: State) -> bool:
    logon = _SERVICE_DEFAULTS.get(name)
    return logon is not None and all(logon in {text.casefold() for text in side[-1]} for side in (before, now))


def _comparable(kind: str, values: Values) -> set[str]:
    return {_seconds(text) if kind == "span" else text.casefold() for text in values}


def _seconds(text: str) -> str:
    """A span of time in seconds: ``90.00:00:00``, or a plain number of days."""
    if match := _SPAN.fullmatch(text):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return str(timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds())
    return str(timedelta(days=int(text)).total_seconds()) if text.isdecimal() else text.casefold()


def _unmatched(old: Values, new: Values, same: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The recipients of each side that have no equal on the other."""
    lacking = _without_equal(old, new, same)
    return lacking, _without_equal(new, old, same)


def _without_equal(side: Values, other: Values, same: Mapping[str, str]) -> list[str]:
    forms = {_form(text) for text in other}
    ids = {same[text.casefold()] for text in other if text.casefold() in same}
    return [text for text in side if not _named_by(_form(text), forms) and same.get(text.casefold()) not in ids]


def _named_by(name: tuple[str, str], others: Iterable[tuple[str, str]]) -> bool:
    """Whether one of the others is this name: of one form as a whole, of two forms as far as they have in common."""
    return any(name == other or (name[0] != other[0] and _leaf(*name) == _leaf(*other)) for other in others)


def _form(text: str) -> tuple[str, str]:
    folded = re.sub(r"\s*([,=])\s*", r"\1", text).casefold()
    if _FIRST_OF_DN.match(folded):
        return "dn", folded
    if _CANONICAL.fullmatch(folded):
        return "canonical", folded
    return "plain", folded


def _leaf(form: str, name: str) -> str:
    """The object's own name in a DN or in a canonical name; any other name as it is."""
    pattern = {"dn": _FIRST_OF_DN, "canonical": _CANONICAL}.get(form)
    match = pattern.match(name) if pattern else None
    return re.sub(r"\\(.)", r"\1", match.group(1)) if match else name


def _shown(values: Values) -> str:
    shown = ", ".join(values[:3])
    more = f" and {len(values) - 3} more" if len(values) > 3 else ""
    return f"{shown}{more}" if values else "empty"
