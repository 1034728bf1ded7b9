# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Use case: prove the round trip, that Active Directory holds what the cloud holds, or say where it does not.

It only reads. What cannot be compared is not proven. With a state file it goes on from the last run: what was proven
then and did not change since, on either side, still is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import PartialFailure
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import Context
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.rule import OWNERS, Rule, of_job, transforms
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join, state
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import (
    left_out_warnings,
    without_mailbox_line,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import desired, kept, passes, planning
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.passes import INCREMENTAL, FarEnds, How, Repeat
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.prove_verdict import (
    DIFFERS,
    EQUAL,
    MISSING,
    STATUSES,
    UNREADABLE,
    Judge,
    Tally,
    write_equal,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Report, Run
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.source import attributes_named

WITHOUT_MAILBOX = "without_mailbox"


@dataclass(frozen=True)
class Options:
    """The options of the module of the same names; ``attributes`` is None for the written-back ones, and ``rules``
    where none are given.

    ``tenant`` names the tenant in the state file.
    """

    selection: Selection
    attributes: Sequence[str] | None = None
    rules: Sequence[Rule] | None = None
    applications: Sequence[kept.Application] = ()
    include_not_written_back: bool = False
    type_values: str = "remote"
    proxy_addresses: str = "merge"
    source_anchor_attribute: str | None = None
    fail_on_difference: bool = False
    tenant: str = ""
    repeat: Repeat = field(default_factory=Repeat)


def prove_round_trip(options: Options, far_ends: FarEnds, run: Run) -> Report:
    """Read both sides in bulk and compare them; PartialFailure with ``fail_on_difference`` unless all is proven."""
    directory = far_ends.directory
    scope = _scope_of(options)
    wanted = desired.by_rules(
        scope.attributes,
        options.rules or (),
        options.type_values,
        far_ends.mailboxes.member_ids,
        Context(settings={"DomainFQDN": directory.domain}),
    )
    start = options.repeat.begin(
        "roundtrip_info",
        options,
        options.selection,
        wanted,
        directory,
        include_not_written_back=options.include_not_written_back,
    )
    how = How(wanted, join.anchor_attributes(options.source_anchor_attribute))
    merge = options.proxy_addresses == "merge"
    judge = Judge(wanted, scope.unproven, merge, directory.base_dn, directory.domain)
    tally = Tally(wanted.attributes, run.report_limit, options.applications)
    with passes.read(options.selection, far_ends, how, start, run, "compare") as reading:
        left_out = reading.left_out
        with run.artifacts(f"roundtrip-{directory.domain}") as writer:
            for pair in reading.pairs:
                verdict = judge.verdict(pair)
                tally.add(verdict)
                writer.write(verdict.line())
            write_equal(reading.same, writer, tally)
            for member in left_out:
                writer.write({**without_mailbox_line(member), "status": WITHOUT_MAILBOX})
    result = {
        **_proof(tally, reading.since, bool(left_out)),
        "counts": {
            "total": tally.total,
            **{status: tally.statuses[status] for status in STATUSES},
            "not_cloud_managed": tally.not_cloud_managed,
            "at_risk": tally.at_risk,
            WITHOUT_MAILBOX: len(left_out),
        },
        "attributes": tally.by_attribute(),
        "rules": _rules(options.rules or ()),
        **_kept(options, scope, tally),
        "at_risk": tally.at_risk,
        "differing": tally.differing,
        **reading.as_result(),
        "domain": directory.domain,
        "directory_host": directory.host,
        "artifact": writer.artifact,
    }
    warnings = left_out_warnings(left_out)
    if not run.check_mode:
        warnings += options.repeat.keep(
            reading,
            far_ends.mailboxes,
            expected=tally.expected,
            elsewhere_now=tally.statuses[planning.ELSEWHERE],
            pending=tally.pending,
        )
    if options.fail_on_difference and not result["proven"]:
        raise _not_proven(result, tally)
    return Report(False, result, warnings=warnings)


@dataclass(frozen=True)
class Compared:
    """What is compared: ``unproven`` names those among the attributes that nobody keeps in step, ``keepers`` say who
    keeps the others, and ``not_kept`` are all that nobody keeps, compared or not."""

    attributes: tuple[Attribute, ...]
    unproven: frozenset[str]
    keepers: Mapping[str, str]
    not_kept: tuple[Attribute, ...]


def _scope_of(options: Options) -> Compared:
    """What to compare: what is asked for, or what the job and the rules keep in step, and beside that what nobody
    does."""
    rules = options.rules or ()
    keepers = kept.keepers(options.rules)
    ruled = frozenset(rule.target for rule in rules if rule.source)
    names = options.attributes if options.attributes is not None or not rules else list(keepers)
    asked = attributes_named(names, ruled)
    wanted = {item.ldap_name for item in asked}
    read = {name for application in options.applications for name in application.attributes}
    left = kept.not_kept(keepers, read)
    looked_at = options.include_not_written_back or bool(options.applications)
    extra = tuple(item for item in left if looked_at and item.directory_writable and item.ldap_name not in wanted)
    return Compared(asked + extra, frozenset(item.ldap_name for item in extra), keepers, left)


def _rules(rules: Sequence[Rule]) -> dict[str, list[str]]:
    by_owner = {owner: [rule.target for rule in rules if rule.owner == owner] for owner in OWNERS}
    return {**by_owner, "transformed_by_job": [rule.target for rule in of_job(rules) if transforms(rule)]}


def _kept(options: Options, scope: Compared, tally: Tally) -> dict[str, Any]:
    """What nobody keeps in step, and what that means for each application, where that was asked for."""
    if not (options.include_not_written_back or options.applications):
        return {}
    differs = tally.differences()
    lost = [item.ldap_name for item in scope.not_kept]
    return {
        "not_kept": [{"attribute": name, "mailboxes_that_differ": differs.get(name)} for name in lost],
        "applications": [
            kept.shown(item, scope.keepers, lost, differs, tally.of_application(item.name))
            for item in options.applications
        ],
    }


def _proof(tally: Tally, since: state.State | None, left_out: bool) -> dict[str, Any]:
    """Whether all is proven, and how many percent are; since a full pass also by what was proven then."""
    if since is not None:
        elsewhere = max(since.elsewhere, tally.statuses[planning.ELSEWHERE])
        open_ones = tally.open + elsewhere
        expected = max(since.expected, open_ones)
        equal = expected - open_ones
        proven = not open_ones
    else:
        expected, equal = tally.expected, tally.statuses[EQUAL]
        # A selection without a synchronized mailbox says nothing about a round trip; an empty one was asked for.
        proven = equal == expected and (expected > 0 or not (tally.total or left_out))
    percent = 100.0 * equal / expected if expected else (100.0 if proven else 0.0)
    # Never rounded up to 100: that number means proven.
    return {"proven": proven, "percent": int(percent * 100) / 100}


def _not_proven(result: dict[str, Any], tally: Tally) -> PartialFailure:
    counts = result["counts"]
    names = {
        DIFFERS: "differ",
        MISSING: "have no object in Active Directory",
        planning.AMBIGUOUS: "have more than one",
        UNREADABLE: "cannot be compared",
        planning.ELSEWHERE: "are in another domain or outside directory_base_dn",
    }
    parts = [f"{counts[status]} {words}" for status, words in names.items() if counts[status]]
    if result["pass"] == INCREMENTAL:
        parts = parts or ["mailboxes of the last full pass are in another domain or outside directory_base_dn"]
    what = ", ".join(parts) or "the selection holds no mailbox that is synchronized from Active Directory"
    of_which = "of the mailboxes that changed or were open, " if result["pass"] == INCREMENTAL else ""
    return PartialFailure(
        f"The round trip is proven for {counts[EQUAL]} of {tally.expected} mailboxes: {of_which}{what}. The artifact "
        f"{result['artifact'].path} says where.",
        **result,
    )
