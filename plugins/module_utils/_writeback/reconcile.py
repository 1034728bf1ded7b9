# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Both sides of a selection, read once and at the same time, and joined by source anchor.

What is equal by digest comes back as a light row. Everything else comes back whole, one mailbox after the other, to
be judged exactly; so it does not matter to the memory how many mailboxes differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Member
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join
from ansible_collections.hybrid.exchange.plugins.module_utils._run.progress import Progress
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import parallel, reconcile_read
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.desired import Desired
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.digest import Digests
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile_join import (
    Joined,
    Pair,
    Same,
    SameRows,
    anchors_of,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile_read import MailboxSide
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile_store import Records

__all__ = ["Pair", "Reconciliation", "Same", "SameRows", "reconcile"]


class BulkDirectory(join.Searchable, Protocol):
    """Active Directory, for reading many."""

    @property
    def host(self) -> str: ...

    def clone(self) -> join.Searchable:
        """Another one of the same server, not connected, for use in another process."""


class FarEnds(Protocol):
    """The two sides. They may be made when first asked for: while a child reads AD, the cloud's libraries load."""

    @property
    def mailboxes(self) -> reconcile_read.BulkMailboxes: ...
    @property
    def directory(self) -> BulkDirectory: ...


@dataclass
class Reconciliation:
    """The two sides after reading. Leave its context when done with it: it holds files.

    ``total`` counts the selected mailboxes, ``left_out`` are selected users without one. ``same`` are those of which
    nothing is left to do; it can be gone through again and again. ``pairs`` are all others, once.
    """

    total: int
    same: SameRows
    pairs: Iterator[Pair]
    left_out: Sequence[Member] = ()
    resources: ExitStack = field(default_factory=ExitStack, repr=False)

    @property
    def different(self) -> int:
        """How many pairs there are."""
        return self.total - len(self.same)

    def __enter__(self) -> Reconciliation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.resources.close()


def reconcile(
    selection: Selection,
    far_ends: FarEnds,
    desired: Desired,
    *,
    anchor_names: Sequence[str],
    progress: Progress,
    work_dir: str | Path | None = None,
    processes: bool = True,
) -> Reconciliation:
    """Read the selected mailboxes and their objects in AD, and join them.

    ``work_dir`` is where the whole values wait for the mailboxes
    that differ. ``processes`` allows to read the sides in processes of their own, where the system can do it; the
    result is the same either way. Raises what the far ends raise; nothing is left behind then.
    """
    with ExitStack() as resources:
        reading = _Reading(selection, far_ends, desired.digester(), anchor_names, work_dir, resources)
        joined = reading.read(progress, processes and parallel.possible())
        return Reconciliation(
            total=joined.total,
            same=joined.same,
            pairs=joined.pairs(desired),
            left_out=tuple(far_ends.mailboxes.left_out),
            resources=resources.pop_all(),
        )


class _Reading:
    """One reading of both sides, each into records of its own."""

    def __init__(
        self,
        selection: Selection,
        far_ends: FarEnds,
        digester: Digests,
        anchor_names: Sequence[str],
        work_dir: str | Path | None,
        resources: ExitStack,
    ) -> None:
        self._selection = selection
        self._far_ends = far_ends
        self._digester = digester
        self._anchor_names = anchor_names
        self._work_dir = work_dir
        self._resources = resources

    def read(self, progress: Progress, processes: bool) -> Joined:
        """Read what there is to read, as much of it at a time as can be."""
        with ExitStack() as running:
            # Where everything is selected, all of the other side is read, whatever the mailboxes turn out to be.
            at_once = processes and self._selection.kind == "all"
            objects = self._start(running, self._objects_child) if at_once else None
            if at_once:
                self._far_ends.mailboxes.sign_in()
            users = self._start(running, self._users_child) if at_once else None
            mailboxes, mailbox_records = self._read_mailboxes(progress, [item for item in (objects, users) if item])
            few = mailboxes.synced <= join.SEARCH_AT_MOST
            if processes and not few and objects is None:
                objects = self._start(running, self._objects_child)
            progress.start("read users", mailboxes.synced)
            user_side, user_records = users.result() if users else self._read_users(mailboxes)
            progress.start("read directory", mailboxes.synced)
            if objects is not None and not (few and not objects.done()):
                object_side, object_records = objects.result()
            else:
                object_side, object_records = self._read_objects(mailboxes, user_side, few)
        mailbox_records.index(mailboxes.sizes)
        user_records.index(user_side.sizes)
        object_records.index(object_side.sizes)
        return Joined(self._digester, mailboxes, mailbox_records, user_side, user_records, object_side, object_records)

    def _records(self) -> Records:
        records = Records(self._work_dir)
        self._resources.callback(records.close)
        return records

    def _start(self, running: ExitStack, make: Callable[[], _Started]) -> _Started:
        started = make()
        running.callback(started.stop)
        return started

    def _objects_child(self) -> _Started:
        self._far_ends.directory.host  # noqa: B018 - connects, so that the copy goes to the same server
        copy, records = self._far_ends.directory.clone(), self._records()
        arguments = (copy, None, self._digester, self._anchor_names, records)
        return _Started("reads Active Directory", lambda: reconcile_read.read_directory(*arguments), records)

    def _users_child(self) -> _Started:
        mailboxes, records = self._far_ends.mailboxes, self._records()
        before = mailboxes.usage()

        def work() -> tuple[reconcile_read.UserSide, Any]:
            return reconcile_read.read_users(mailboxes.anchors(None), records), mailboxes.usage()

        def received(answer: tuple[reconcile_read.UserSide, Any]) -> reconcile_read.UserSide:
            mailboxes.add_usage(before, answer[1])
            return answer[0]

        return _Started("reads the users of Entra", work, records, received)

    def _read_mailboxes(self, progress: Progress, children: Sequence[_Started]) -> tuple[MailboxSide, Records]:
        records = self._records()
        progress.start("read mailboxes")

        def block_done(number: int) -> None:
            progress.advance(number)
            for child in children:
                child.done()

        rows = self._far_ends.mailboxes.rows(self._selection, self._digester.properties)
        return reconcile_read.read_mailboxes(rows, self._digester, records, block_done), records

    def _read_users(self, mailboxes: MailboxSide) -> tuple[reconcile_read.UserSide, Records]:
        records = self._records()
        ids = None if self._selection.kind == "all" else list(mailboxes.synced_ids())
        # An empty list of ids asks for nobody, whereas None would ask for everybody.
        users = self._far_ends.mailboxes.anchors(ids) if ids is None or ids else iter(())
        return reconcile_read.read_users(users, records), records

    def _read_objects(
        self, mailboxes: MailboxSide, users: reconcile_read.UserSide, few: bool
    ) -> tuple[reconcile_read.DirectorySide, Records]:
        records = self._records()
        anchors = anchors_of(mailboxes, users) if few else None
        side = reconcile_read.read_directory(
            self._far_ends.directory, anchors, self._digester, self._anchor_names, records
        )
        return side, records


class _Started:
    """A side that a child reads, and the records that it writes."""

    def __init__(
        self, what: str, work: Callable[[], Any], records: Records, received: Callable[[Any], Any] = lambda side: side
    ) -> None:
        self._child = parallel.Child(what, work)
        self._records = records
        self._received = received

    def done(self) -> bool:
        """Whether it is read; raises what went wrong."""
        return self._child.done()

    def stop(self) -> None:
        """End it."""
        self._child.stop()

    def result(self) -> tuple[Any, Records]:
        """The side, once it is read; raises what went wrong."""
        return self._received(self._child.result()), self._records
