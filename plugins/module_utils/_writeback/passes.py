# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""One pass over the two sides: what changed since the last run where that is known, or everything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Member
from ansible_collections.hybrid.exchange.plugins.module_utils._run import state
from ansible_collections.hybrid.exchange.plugins.module_utils._run.progress import Progress
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._run.state import State
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import incremental, reconcile
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.desired import Desired
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.incremental import Start
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile import Pair, Same
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile_read import BulkMailboxes
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Run

FULL, INCREMENTAL = "full", "incremental"
_CENTURY_H = 24.0 * 36500  # more than any interval that somebody means, and not too much for a timedelta


class Mailboxes(BulkMailboxes, incremental.Mailboxes, Protocol):
    """The mailboxes of the tenant."""

    def member_ids(self, group: str) -> Collection[str]:
        """The object ids of the users in a group of Entra and in the groups in it; NotFound where there is none."""


class Directory(reconcile.BulkDirectory, incremental.Directory, Protocol):
    """Active Directory."""


class FarEnds(Protocol):
    """The two sides."""

    @property
    def mailboxes(self) -> Mailboxes: ...
    @property
    def directory(self) -> Directory: ...


class Options(Protocol):
    """The options that decide what a pass finds."""

    @property
    def tenant(self) -> str: ...
    @property
    def type_values(self) -> str: ...
    @property
    def proxy_addresses(self) -> str: ...
    @property
    def source_anchor_attribute(self) -> str | None: ...


@dataclass(frozen=True)
class Pass:
    """What a pass reads: ``pairs`` to look at, and mailboxes that are the ``same`` on both sides.

    ``total`` counts the mailboxes that it is about, which includes those that did not change. ``start`` says since
    when, and why.
    """

    start: Start
    total: int
    same: Iterable[Same]
    pairs: Iterable[Pair]
    left_out: Sequence[Member] = ()

    @property
    def since(self) -> State | None:
        """What the last run left, where this one goes on from there."""
        return self.start.since

    def as_result(self) -> dict[str, Any]:
        """For the result of a task."""
        return {"pass": INCREMENTAL if self.since else FULL, "reason": self.start.reason}


@dataclass(frozen=True)
class Repeat:
    """The options state_file and full_pass_interval (in hours): whether, and how long, a run goes on from the last."""

    state_file: str | None = None
    full_pass_interval: float = 24.0

    def begin(
        self,
        module: str,
        options: Options,
        selection: Selection,
        desired: Desired,
        directory: Directory,
        **more: Any,
    ) -> Start:
        """Where a run of a module begins; InputError for an interval that is none.

        A run about something else, in the words of the options (``more`` are those that one module alone has), cannot
        go on from a state.
        """
        if self.full_pass_interval < 0:
            raise InputError(f"full_pass_interval must not be negative, it is {self.full_pass_interval:g}.")
        interval = timedelta(hours=min(self.full_pass_interval, _CENTURY_H))
        compared = incremental.compared_with(
            module=module,
            tenant_id=options.tenant.casefold(),
            directory_base_dn=directory.base_dn.casefold(),
            attributes=" ".join(sorted(desired.names)),
            type_values=options.type_values,
            proxy_addresses=options.proxy_addresses,
            rules=desired.fingerprint,
            source_anchor_attribute=options.source_anchor_attribute or "",
            selection=(selection.kind, selection.value),
            exclude=sorted(selection.exclude),
            **more,
        )
        return incremental.begin(self.state_file, interval, compared, selection, directory)

    def keep(
        self, done: Pass, mailboxes: Mailboxes, *, expected: int, elsewhere_now: int, pending: Mapping[str, str]
    ) -> list[str]:
        """Leave a state to the next run; returns a warning where that fails, which costs the next run a full pass."""
        if not self.state_file:
            return []
        found = incremental.finish(
            done.start, mailboxes, expected=expected, elsewhere_now=elsewhere_now, pending=pending
        )
        try:
            state.save(self.state_file, found)
        except OSError as error:
            what = f"state_file {self.state_file} cannot be written: {error.strerror}."
            return [f"{what} The next run will read everything."]
        return []


@dataclass(frozen=True)
class How:
    """What AD shall hold, and by which attributes its objects are joined with mailboxes."""

    desired: Desired
    anchor_names: Sequence[str]


@contextmanager
def read(selection: Selection, ends: FarEnds, how: How, start: Start, run: Run, step: str) -> Iterator[Pass]:
    """The changes since the last run, or everything. ``step`` is what is done with the pairs, for the progress."""
    since = start.since
    if since is not None:
        try:
            pairs = incremental.read_changes(
                since,
                ends.mailboxes,
                ends.directory,
                how.desired,
                anchor_names=how.anchor_names,
                exclude=selection.exclude,
                progress=run.progress,
            )
        except incremental.TooMuch as much:
            start = replace(start, since=None, reason=str(much))
        else:
            yield Pass(start, max(since.expected, len(pairs)), (), pairs)
            return
    with reconcile.reconcile(
        selection,
        ends,
        how.desired,
        anchor_names=how.anchor_names,
        progress=run.progress,
        work_dir=run.work_dir,
    ) as found:
        run.progress.start(step, found.different)
        yield Pass(start, found.total, found.same, _counted(found.pairs, run.progress), tuple(found.left_out))


def _counted(pairs: Iterable[Pair], progress: Progress) -> Iterator[Pair]:
    for pair in pairs:
        yield pair
        progress.advance()
