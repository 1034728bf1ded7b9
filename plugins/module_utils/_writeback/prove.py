# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Use case: prove the round trip, that Active Directory holds what the cloud holds, or say where it does not.

It only reads. What cannot be compared is not proven.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, PartialFailure
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import CATALOGUE
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Member
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join
from ansible_collections.hybrid.exchange.plugins.module_utils._run.join import Entry
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import (
    first,
    left_out_warnings,
    without_mailbox_line,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import compare, plan, planning
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.ports import Directory, Mailboxes
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Report, Run
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.source import (
    Source,
    attributes_named,
    elsewhere,
    read_sources,
)

EQUAL = compare.EQUAL
DIFFERS = compare.DIFFERS
MISSING = "missing"
WITHOUT_MAILBOX = "without_mailbox"
UNREADABLE = compare.UNREADABLE
STATUSES = (EQUAL, DIFFERS, MISSING, planning.AMBIGUOUS, UNREADABLE, planning.ELSEWHERE, planning.CLOUD_ONLY)


@dataclass(frozen=True)
class Options:
    """The options of the module of the same names; ``attributes`` is None for the written-back ones."""

    selection: Selection
    attributes: Sequence[str] | None = None
    include_not_written_back: bool = False
    type_values: str = "remote"
    proxy_addresses: str = "merge"
    source_anchor_attribute: str | None = None
    fail_on_difference: bool = False


@dataclass
class Verdict:
    """One mailbox: how it compares, and where it does not."""

    source: Source
    status: str
    reason: str = ""
    dn: str = ""
    comparisons: list[compare.Comparison] = field(default_factory=list)

    def line(self) -> dict[str, Any]:
        """For the artifact; attributes that are equal on both sides are left out."""
        found: dict[str, Any] = {
            "object": self.source.name,
            "id": self.source.id,
            "status": self.status,
            "cloud_managed": self.source.cloud_managed,
        }
        if self.reason:
            found["reason"] = self.reason
        if self.dn:
            found["distinguished_name"] = self.dn
        unequal = [item for item in self.comparisons if item.status != EQUAL or item.directory_only]
        if unequal:
            found["attributes"] = {item.attribute.ldap_name: item.as_result() for item in unequal}
        at_risk = {item.attribute.ldap_name: sorted(item.at_risk) for item in self.comparisons if item.at_risk}
        if at_risk:
            found["directory_only_values"] = at_risk
        return found

    def differing(self) -> list[str]:
        """The names of the attributes that differ."""
        return [item.attribute.ldap_name for item in self.comparisons if item.status == DIFFERS]


def prove_round_trip(options: Options, mailboxes: Mailboxes, directory: Directory, run: Run) -> Report:
    """Read both sides in bulk and compare them; PartialFailure with ``fail_on_difference`` unless all is proven."""
    attributes, unproven = _attributes(options)
    sources = read_sources(mailboxes, options.selection, attributes, style=options.type_values, progress=run.progress)
    left_out = mailboxes.left_out
    verdicts = _verdicts(options, sources, directory, attributes, unproven, run)
    result = _result(verdicts, left_out, attributes, directory, run)
    if options.fail_on_difference and not result["proven"]:
        raise _not_proven(result)
    return Report(False, result, warnings=left_out_warnings(left_out))


def _attributes(options: Options) -> tuple[tuple[Attribute, ...], frozenset[str]]:
    """What to compare, and the names among it that nobody writes back."""
    asked = attributes_named(options.attributes)
    names = {item.ldap_name for item in asked}
    extra = tuple(
        item
        for item in CATALOGUE.values()
        if options.include_not_written_back
        and item.directory_writable
        and not item.written_back
        and item.cloud_editable in {"yes", "expected"}
        and item.ldap_name not in names
    )
    return asked + extra, frozenset(item.ldap_name for item in extra)


def _verdicts(
    options: Options,
    sources: Sequence[Source],
    directory: Directory,
    attributes: Sequence[Attribute],
    unproven: frozenset[str],
    run: Run,
) -> list[Verdict]:
    names = [item.ldap_name for item in attributes]
    by_anchor: dict[bytes, list[Source]] = {}
    for source in sources:
        if source.dir_synced and source.anchor is not None:
            by_anchor.setdefault(source.anchor, []).append(source)
    run.progress.start("read directory", len(by_anchor))
    found: dict[str, Verdict] = {}
    anchor_names = join.anchor_attributes(options.source_anchor_attribute)
    for anchor, entry in join.find(directory, by_anchor.keys(), names, anchor_names):
        run.progress.advance()
        for source in by_anchor[anchor]:
            earlier = found.get(source.id)
            if earlier is not None:
                reason = f"{earlier.dn} and {entry.dn} both have its source anchor"
                found[source.id] = Verdict(source, planning.AMBIGUOUS, reason, earlier.dn)
            elif len(by_anchor[anchor]) > 1:
                others = " and ".join(item.name for item in by_anchor[anchor])
                found[source.id] = Verdict(
                    source, planning.AMBIGUOUS, f"{others} have the same source anchor", entry.dn
                )
            else:
                found[source.id] = _compare(source, entry, attributes, unproven, options.proxy_addresses == "merge")
    base_dn, domain = directory.base_dn, directory.domain
    return [found.get(source.id) or _without_object(source, base_dn, domain) for source in sources]


def _compare(
    source: Source, entry: Entry, attributes: Sequence[Attribute], unproven: frozenset[str], merge: bool
) -> Verdict:
    try:
        held = plan.current_values(attributes, entry.values)
    except HybridError as error:
        return Verdict(source, UNREADABLE, error.message, entry.dn)
    comparisons = compare.compare_all(attributes, unproven, source.values, held, merge=merge)
    statuses = {item.status for item in comparisons if item.attribute.ldap_name not in unproven}
    if UNREADABLE in statuses:
        return Verdict(source, UNREADABLE, source.problem, entry.dn, comparisons)
    return Verdict(source, DIFFERS if DIFFERS in statuses else EQUAL, dn=entry.dn, comparisons=comparisons)


def _without_object(source: Source, base_dn: str, domain: str) -> Verdict:
    if not source.dir_synced:
        return Verdict(source, planning.CLOUD_ONLY, "the mailbox is not synchronized from Active Directory")
    if source.anchor is None:
        return Verdict(source, MISSING, "Entra knows no source anchor (onPremisesImmutableId) of its user")
    if elsewhere(source, base_dn, domain):
        return Verdict(source, planning.ELSEWHERE, f"{source.distinguished_name} is not below {base_dn}")
    return Verdict(source, MISSING, f"no object below {base_dn} has its source anchor")


def _result(
    verdicts: Sequence[Verdict],
    left_out: Sequence[Member],
    attributes: Sequence[Attribute],
    directory: Directory,
    run: Run,
) -> dict[str, Any]:
    with run.artifacts(f"roundtrip-{directory.domain}") as writer:
        for item in verdicts:
            writer.write(item.line())
        for member in left_out:
            writer.write({**without_mailbox_line(member), "status": WITHOUT_MAILBOX})
    statuses = Counter(item.status for item in verdicts)
    expected = len(verdicts) - statuses[planning.CLOUD_ONLY]
    # A selection without a synchronized mailbox says nothing about a round trip; an empty one was asked for.
    proven = statuses[EQUAL] == expected and (expected > 0 or not (verdicts or left_out))
    percent = 100.0 * statuses[EQUAL] / expected if expected else (100.0 if proven else 0.0)
    at_risk = [item for item in verdicts if any(found.at_risk for found in item.comparisons)]
    return {
        "proven": proven,
        # Never rounded up to 100: that number means proven.
        "percent": int(percent * 100) / 100,
        "counts": {
            "total": len(verdicts),
            **{status: statuses[status] for status in STATUSES},
            "not_cloud_managed": sum(item.source.dir_synced and not item.source.cloud_managed for item in verdicts),
            "at_risk": len(at_risk),
            WITHOUT_MAILBOX: len(left_out),
        },
        "attributes": _by_attribute(verdicts, attributes),
        "at_risk": len(at_risk),
        "differing": first((_differing(item) for item in verdicts if _unproven(item)), run.report_limit),
        "domain": directory.domain,
        "directory_host": directory.host,
        "artifact": writer.artifact,
    }


def _by_attribute(verdicts: Sequence[Verdict], attributes: Sequence[Attribute]) -> dict[str, dict[str, int]]:
    """Per attribute, how many mailboxes have which status, and how many have values that only AD has."""
    counted = {item.ldap_name: Counter[str]() for item in attributes}
    for verdict in verdicts:
        for item in verdict.comparisons:
            counted[item.attribute.ldap_name][item.status] += 1
            counted[item.attribute.ldap_name]["at_risk"] += bool(item.at_risk)
    return {name: {status: number for status, number in found.items() if number} for name, found in counted.items()}


def _unproven(item: Verdict) -> bool:
    return item.status not in {EQUAL, planning.CLOUD_ONLY}


def _differing(item: Verdict) -> dict[str, Any]:
    found = {"object": item.source.name, "id": item.source.id, "status": item.status}
    if item.reason:
        found["reason"] = item.reason
    return {**found, "attributes": item.differing()}


def _not_proven(result: dict[str, Any]) -> PartialFailure:
    counts = result["counts"]
    expected = counts["total"] - counts[planning.CLOUD_ONLY]
    names = {
        DIFFERS: "differ",
        MISSING: "have no object in Active Directory",
        planning.AMBIGUOUS: "have more than one",
        UNREADABLE: "cannot be compared",
        planning.ELSEWHERE: "are in another domain or outside directory_base_dn",
    }
    parts = [f"{counts[status]} {words}" for status, words in names.items() if counts[status]]
    what = ", ".join(parts) or "the selection holds no mailbox that is synchronized from Active Directory"
    return PartialFailure(
        f"The round trip is proven for {counts[EQUAL]} of {expected} mailboxes: {what}. The artifact "
        f"{result['artifact'].path} says where.",
        **result,
    )
