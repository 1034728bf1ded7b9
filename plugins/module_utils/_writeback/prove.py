# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Use case: prove the round trip, that Active Directory holds what the cloud holds, or say where it does not.

It only reads. What cannot be compared is not proven. With a state file it goes on from the last run: what was proven
then and did not change since, on either side, still is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, PartialFailure
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import CATALOGUE
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Member
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join, state
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import (
    left_out_warnings,
    without_mailbox_line,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import incremental, planning, reconcile
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.incremental import FULL, INCREMENTAL, Start
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
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile import Pair, Same
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile_read import BulkMailboxes
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Report, Run
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.source import attributes_named

WITHOUT_MAILBOX = "without_mailbox"


class Mailboxes(BulkMailboxes, incremental.Mailboxes, Protocol):
    """The mailboxes of the tenant."""


class Directory(reconcile.BulkDirectory, incremental.Directory, Protocol):
    """Active Directory."""


class FarEnds(Protocol):
    """What the use case reads."""

    @property
    def mailboxes(self) -> Mailboxes: ...
    @property
    def directory(self) -> Directory: ...


@dataclass(frozen=True)
class Options:
    """The options of the module of the same names; ``attributes`` is None for the written-back ones.

    ``tenant`` names the tenant in the state file. ``full_pass_interval`` is in hours.
    """

    selection: Selection
    attributes: Sequence[str] | None = None
    include_not_written_back: bool = False
    type_values: str = "remote"
    proxy_addresses: str = "merge"
    source_anchor_attribute: str | None = None
    fail_on_difference: bool = False
    tenant: str = ""
    state_file: str | None = None
    full_pass_interval: float = 24.0


@dataclass
class _Reading:
    """What a pass read: equal mailboxes and pairs to judge. ``kind`` is full or incremental, for ``reason``."""

    kind: str
    reason: str
    same: Iterable[Same]
    pairs: Iterable[Pair]
    left_out: Sequence[Member]


def prove_round_trip(options: Options, far_ends: FarEnds, run: Run) -> Report:
    """Read both sides in bulk and compare them; PartialFailure with ``fail_on_difference`` unless all is proven."""
    directory = far_ends.directory
    attributes, unproven = _attributes(options)
    if options.full_pass_interval < 0:
        raise InputError(f"full_pass_interval must not be negative, it is {options.full_pass_interval:g}.")
    compared = _compared(options, attributes, directory) if options.state_file else {}
    interval = timedelta(hours=min(options.full_pass_interval, 24.0 * 36500))
    start = incremental.begin(options.state_file, interval, compared, options.selection, directory)
    judge = Judge(attributes, unproven, options.proxy_addresses == "merge", directory.base_dn, directory.domain)
    tally = Tally(attributes, run.report_limit)
    with _read(options, attributes, far_ends, start, run) as reading:
        left_out = reading.left_out
        with run.artifacts(f"roundtrip-{directory.domain}") as writer:
            for pair in reading.pairs:
                verdict = judge.verdict(pair)
                tally.add(verdict)
                writer.write(verdict.line())
            write_equal(reading.same, writer, tally)
            for member in left_out:
                writer.write({**without_mailbox_line(member), "status": WITHOUT_MAILBOX})
    since = start.since if reading.kind == INCREMENTAL else None
    result = {
        **_proof(tally, since, bool(left_out)),
        "counts": {
            "total": tally.total,
            **{status: tally.statuses[status] for status in STATUSES},
            "not_cloud_managed": tally.not_cloud_managed,
            "at_risk": tally.at_risk,
            WITHOUT_MAILBOX: len(left_out),
        },
        "attributes": tally.by_attribute(),
        "at_risk": tally.at_risk,
        "differing": tally.differing,
        "pass": reading.kind,
        "reason": reading.reason,
        "domain": directory.domain,
        "directory_host": directory.host,
        "artifact": writer.artifact,
    }
    warnings = left_out_warnings(left_out)
    if options.state_file and not run.check_mode:
        begun = start if since else Start(None, reading.reason, start.replica, start.now)
        warnings += _keep(options.state_file, begun, far_ends.mailboxes, compared, tally)
    if options.fail_on_difference and not result["proven"]:
        raise _not_proven(result, tally)
    return Report(False, result, warnings=warnings)


@contextmanager
def _read(
    options: Options, attributes: Sequence[Attribute], ends: FarEnds, start: Start, run: Run
) -> Iterator[_Reading]:
    """The changes since the last run, or everything."""
    anchor_names = join.anchor_attributes(options.source_anchor_attribute)
    reason = start.reason
    if start.since is not None:
        try:
            pairs = incremental.read_changes(
                start.since,
                ends.mailboxes,
                ends.directory,
                attributes,
                style=options.type_values,
                anchor_names=anchor_names,
                exclude=options.selection.exclude,
                progress=run.progress,
            )
        except incremental.TooMuch as much:
            reason = str(much)
        else:
            yield _Reading(INCREMENTAL, reason, (), pairs, ())
            return
    with reconcile.reconcile(
        options.selection,
        ends,
        attributes,
        style=options.type_values,
        anchor_names=anchor_names,
        progress=run.progress,
        work_dir=run.work_dir,
    ) as found:
        run.progress.start("compare", found.different)
        yield _Reading(FULL, reason, found.same, _counted(found.pairs, run), found.left_out)


def _counted(pairs: Iterable[Pair], run: Run) -> Iterator[Pair]:
    for pair in pairs:
        yield pair
        run.progress.advance()


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


def _compared(options: Options, attributes: Sequence[Attribute], directory: Directory) -> dict[str, str]:
    """What the run is about, in the words of the options."""
    return incremental.compared_with(
        tenant_id=options.tenant.casefold(),
        directory_base_dn=directory.base_dn.casefold(),
        attributes=" ".join(sorted(item.ldap_name for item in attributes)),
        include_not_written_back=options.include_not_written_back,
        type_values=options.type_values,
        proxy_addresses=options.proxy_addresses,
        source_anchor_attribute=options.source_anchor_attribute or "",
        selection=(options.selection.kind, options.selection.value),
        exclude=sorted(options.selection.exclude),
    )


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


def _keep(path: str, start: Start, mailboxes: Mailboxes, compared: dict[str, str], tally: Tally) -> list[str]:
    """Leave a state to the next run. One that cannot be kept costs the next run a full pass, and this one nothing."""
    found = incremental.finish(
        start,
        mailboxes,
        compared,
        expected=tally.expected,
        elsewhere_now=tally.statuses[planning.ELSEWHERE],
        pending=tally.pending,
    )
    try:
        state.save(path, found)
    except OSError as error:
        return [f"state_file {path} cannot be written: {error.strerror}. The next run will read everything."]
    return []


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
