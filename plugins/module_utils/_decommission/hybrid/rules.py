# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""How to tell what belongs to the hybrid set-up from what only looks like it: rules that are data, and their judge.

A rule is a group of signs that must all be there; an object belongs where one rule of its kind fits. What fits none is
left, with what was looked for. Guessing is not done: an object that fits a rule but also serves something else is left
too, and can be named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.known import (
    Known,
    Row,
    guids_in,
    identity_of,
    last_part,
    name_of,
    text,
    texts,
)


@dataclass(frozen=True)
class Sign:
    """One sign. ``test`` says how the property is looked at, ``value`` what for.

    matches: the whole text of some value fits the regular expression. begins: some value begins so. equals: without
    regard to case. true: is true. domains: all values are the tenant's routing domains or below them, and there is
    one. some_domain: at least one value is. host: the host of an address is or is below one of these names, separated
    by spaces. own: Exchange Online's record of this organization refers to the object by its kind, the value.
    """

    property: str
    test: str
    value: str = ""


@dataclass(frozen=True)
class Rule:
    """Signs that must all be there; ``words`` are for people."""

    words: str
    signs: tuple[Sign, ...]


@dataclass(frozen=True)
class Judgement:
    """Whether an object belongs, and why or why not."""

    belongs: bool
    why: str


def judge(row: Row, rules: tuple[Rule, ...], known: Known, kind: str) -> Judgement:
    """Whether an object belongs to this organization's hybrid set-up."""
    foreign = _of_another_organization(row, known, kind)
    if foreign:
        return Judgement(False, foreign)
    for rule in rules:
        if all(holds(row, sign, known) for sign in rule.signs):
            return Judgement(True, rule.words)
    wanted = "; or ".join(rule.words for rule in rules)
    return Judgement(False, f"it has not the marks of the wizard ({wanted})" if wanted else "it belongs to nothing")


def below(domain: str, parents: tuple[str, ...]) -> bool:
    """Whether a domain is one of these or below one."""
    name = domain.lower().rstrip(".")
    return any(name == parent or name.endswith(f".{parent}") for parent in parents)


def address_domain(space: str) -> str:
    """The domain of an address space such as SMTP:contoso.mail.onmicrosoft.com;1 or *.contoso.com."""
    bare = space.split(":", 1)[-1].split(";", 1)[0].strip()
    return bare.removeprefix("*.").rpartition("@")[2]


def _of_another_organization(row: Row, known: Known, kind: str) -> str:
    """Why an object is another on-premises organization's; nothing where it is not."""
    name = name_of(row)
    guids = guids_in(name)
    if guids & known.other_guids and not guids & known.organization_guids:
        return "its name has the id of another on-premises organization of this tenant"
    mine, theirs = known.own.get(kind, frozenset()), known.others.get(kind, frozenset())
    called = {last_part(name), last_part(identity_of(row))}
    if called & theirs and not called & mine:
        return "the record of another on-premises organization of this tenant refers to it"
    return ""


def holds(row: Row, sign: Sign, known: Known) -> bool:
    """Whether an object has a sign."""
    values = texts(row.get(sign.property))
    if sign.test == "matches":
        return any(re.fullmatch(sign.value, value, re.IGNORECASE) for value in values)
    if sign.test == "begins":
        return any(value.lower().startswith(sign.value.lower()) for value in values)
    if sign.test == "equals":
        return any(value.lower() == sign.value.lower() for value in values)
    if sign.test == "true":
        return text(row.get(sign.property)).lower() == "true"
    if sign.test in ("domains", "some_domain"):
        found = [below(address_domain(value), known.routing_domains) for value in values]
        return any(found) if sign.test == "some_domain" else bool(found) and all(found)
    if sign.test == "host":
        hosts = tuple(sign.value.split())
        return any(below(urlsplit(value).hostname or value, hosts) for value in values)
    if sign.test == "own":
        return bool({last_part(name_of(row)), last_part(identity_of(row))} & known.own.get(sign.value, frozenset()))
    raise ValueError(f"there is no test {sign.test}")
