# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Use case: write what cloud-managed mailboxes hold in the cloud into their objects in Active Directory.

Cloud Sync does this for 24 attributes. This is for what it does not carry, and for where no agent can run; what a
running job owns is left to the job, so that two writers never fight.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import Context
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.rule import Rule, of_directory
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join, journal, limits, lock, saved_plan
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import Raw, ValueChange
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import KindLimits, Limits
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import (
    collisions,
    desired,
    passes,
    plan,
    planning,
    recover,
    writeback_attributes,
    writeback_saved,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.apply import Writer
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.apply_judge import Reached
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.desired import Desired
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.passes import How, Repeat
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.ports import Directory as WrittenDirectory
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.ports import Mailboxes as ReadMailboxes
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.ports import Ownership
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Report, Run
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.writeback_again import (
    PlanAgain,
    Reader,
    moved_plan,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.writeback_report import Came, report


class Mailboxes(passes.Mailboxes, ReadMailboxes, Protocol):
    """The mailboxes of the tenant, many or few at a time."""


class Directory(WrittenDirectory, passes.Directory, Protocol):
    """Active Directory, to be read in bulk and written."""


@dataclass(frozen=True)
class FarEnds:
    """What the use case talks to."""

    mailboxes: Mailboxes
    ownership: Ownership
    directory: Directory


@dataclass(frozen=True)
class Options:
    """The options of the module of the same names.

    ``selection`` is None where ``apply_plan`` says which objects. ``attributes`` and ``rules`` are None where they are
    not given.
    """

    selection: Selection | None = None
    attributes: Sequence[str] | None = None
    rules: Sequence[Rule] | None = None
    on_owned: str = "fail"
    type_values: str = "remote"
    proxy_addresses: str = "merge"
    source_anchor_attribute: str | None = None
    limits: Limits = field(default_factory=lambda: Limits(5000, 100, limits.PERCENT_FLOOR))
    kind_limits: KindLimits = field(default_factory=lambda: KindLimits(max_removes=1000, max_clears=100))
    max_failures: int = 100
    journal_dir: str = "artifacts"
    wave: str = ""
    tenant: str = ""
    plan_file: str | None = None
    apply_plan: str | None = None
    apply_plan_sha256: str = ""
    repeat: Repeat = field(default_factory=Repeat)

    def about(self, wanted: Desired, domain: str) -> dict[str, Any]:
        """What decides about the values of a run: a saved plan is good for the same only."""
        return {
            "tenant": self.tenant.casefold(),
            "domain": domain.casefold(),
            "attributes": list(wanted.names),
            "rules": wanted.fingerprint,
            "proxy_addresses": self.proxy_addresses,
            "type_values": self.type_values,
            "source_anchor_attribute": self.source_anchor_attribute,
        }


@dataclass(frozen=True)
class Reading:
    """What was read and planned: a plan for each mailbox that is not the same on both sides, and how many mailboxes it
    is about. ``done`` is None where a saved plan is applied."""

    plans: list[planning.ObjectPlan]
    total: int
    done: passes.Pass | None = None


def write_back(options: Options, far_ends: FarEnds, run: Run) -> Report:
    """Select, read, plan, guard, journal, apply, read back, report.

    PartialFailure where an object could not be written, or could not even be planned; everything else is done first.
    In check mode, and with ``plan_file``, it ends after the plan, with the same verdict on what cannot be planned.
    """
    if options.max_failures < 0:
        raise InputError(f"max_failures must not be negative, it is {options.max_failures}.")
    directory = far_ends.directory
    asked = writeback_attributes.wanted(options.attributes, options.rules)
    attributes, owned = writeback_attributes.without_owned(
        asked, far_ends.ownership.owned_targets(directory.domain), options.on_owned, directory.domain
    )
    wanted = desired.by_rules(
        attributes,
        of_directory(options.rules or ()),
        options.type_values,
        far_ends.mailboxes.member_ids,
        Context(settings={"DomainFQDN": directory.domain}),
    )
    with prepared(options.journal_dir, directory, writes=not (run.check_mode or options.plan_file)) as (name, resumed):
        came = Came(
            wanted=wanted,
            rules=options.rules,
            owned=owned,
            domain=directory.domain,
            directory_host=directory.host,
            resumed=resumed,
            warnings=recover.warning(resumed, check_mode=run.check_mode or options.plan_file is not None),
        )
        _do(options, far_ends, run, came, name)
        if came.read is not None and not run.check_mode and not options.plan_file:
            came.warnings += options.repeat.keep(
                came.read,
                far_ends.mailboxes,
                expected=came.read.total,
                elsewhere_now=came.outcomes()[planning.ELSEWHERE],
                pending=came.unsettled(),
            )
        return report(came, run)


@contextlib.contextmanager
def prepared(
    journal_dir: str, directory: WrittenDirectory, *, writes: bool
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """What comes before a run: for one that writes, its name, the lock, and runs that were cut off being settled."""
    if not writes:
        yield "", recover.look(journal_dir, directory)
        return
    name = uuid.uuid4().hex
    with lock.hold(journal_dir, directory.domain, name):
        yield name, recover.settle(journal_dir, directory, name)


def _do(options: Options, far_ends: FarEnds, run: Run, came: Came, name: str) -> None:
    directory = far_ends.directory
    reader = Reader(
        far_ends.mailboxes,
        directory,
        came.wanted,
        options.proxy_addresses == "merge",
        join.anchor_attributes(options.source_anchor_attribute),
    )
    about = options.about(came.wanted, directory.domain)
    reading = _read(options, far_ends, reader, run, about)
    came.plans, warnings = collisions.check(reading.plans, directory)
    came.read = reading.done
    came.warnings += warnings
    todo = [item.object_change() for item in came.plans if item.outcome == planning.CHANGE]
    came.planned(todo)
    breach = limits.planned_breach(options.limits, options.kind_limits, todo, reading.total, "mailboxes")
    if options.plan_file:
        counts = {"total": reading.total, "planned": len(todo), **came.outcomes()}
        came.saved = writeback_saved.save(options.plan_file, about, came.plans, came.wanted.attributes, counts)
        if breach is not None:
            came.warnings.append(f"This plan will not be applied as the limits are now. {breach.message}")
        return
    if breach is not None:
        raise breach
    if not todo or run.check_mode:
        return
    header = journal.Header(
        operation=journal.WRITEBACK,
        domain=directory.domain,
        directory_host=directory.host,
        base_dn=directory.base_dn,
        forest=forest_of(directory),
        tenant=options.tenant,
        wave=options.wave,
        plan_sha256=options.apply_plan_sha256.lower(),
        options={key: about[key] for key in ("attributes", "rules", "proxy_addresses", "type_values")},
        run=name,
    )
    again = PlanAgain(reader)
    ordered = collisions.order(came.plans)
    came.journal = journal.Journal.create(options.journal_dir, header)
    writer = Writer(
        directory,
        came.journal,
        run.progress,
        moved_plan if options.apply_plan else again,
        options.max_failures,
        reached=_reached(came.wanted),
        needs=ordered.needs,
    )
    run.progress.start("write directory", len(todo))
    came.written = writer.done
    writer.write([item.object_change() for item in stage] for stage in ordered.stages)
    came.planned_again = again.plans
    came.finish()


def _read(options: Options, far_ends: FarEnds, reader: Reader, run: Run, about: dict[str, Any]) -> Reading:
    """Read both sides and plan. The one place that says how a run reads."""
    if options.apply_plan:
        saved = saved_plan.read(options.apply_plan, options.apply_plan_sha256)
        writeback_saved.fitting(saved, about)
        run.progress.start("read mailboxes and directory", len(saved.objects))
        total = max(int(saved.about["counts"]["total"]), len(saved.objects))
        return Reading(writeback_saved.plans_of(saved, reader), total)
    if options.selection is None:
        raise InputError("Select mailboxes, or give apply_plan.")
    directory = far_ends.directory
    start = options.repeat.begin("directory_writeback", options, options.selection, reader.desired, directory)
    how = How(reader.desired, reader.anchor_names)
    with passes.read(options.selection, far_ends, how, start, run, "plan") as found:
        base_dn, domain = directory.base_dn, directory.domain
        plans = [
            planning.plan_pair(pair, reader.desired, merge=reader.merge, base_dn=base_dn, domain=domain)
            for pair in found.pairs
        ]
        return Reading(plans, found.total, found)


def _reached(wanted: Desired) -> Reached:
    """Whether an attribute holds what was written, whatever notation the server gives it."""
    by_name = {attribute.ldap_name: attribute for attribute in wanted.attributes}

    def reached(change: ValueChange, held: Raw) -> bool:
        if change.reached(held):
            return True
        attribute = by_name[change.attribute]
        now, after = (
            plan.current_values([attribute], {attribute.ldap_name: values})[0] for values in (held, change.after)
        )
        return plan.equivalent(attribute, now, after)

    return reached


def forest_of(directory: WrittenDirectory) -> str:
    """The DNS name of the forest's root domain, or an empty text where the server does not say it."""
    root = next(iter(directory.search("", "(objectClass=*)", ("rootDomainNamingContext",), "base")), None)
    names = root.values.get("rootDomainNamingContext", (b"",)) if root is not None else (b"",)
    parts = [part.strip().partition("=") for part in names[0].decode("utf-8", "replace").split(",")]
    return ".".join(value for kind, _equals, value in parts if kind.upper() == "DC")
