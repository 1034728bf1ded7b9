# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Go on from the last run: read what changed since, on either side, instead of everything.

Exchange Online says which mailboxes changed (WhenChangedUTC), AD which objects did (uSNChanged, which counts on one
domain controller only). What was not settled last time is read again every time. A change that neither side marks
is not seen this way, which is what the full pass at an interval is for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import DirectoryUser, Mailbox
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join, state
from ansible_collections.hybrid.exchange.plugins.module_utils._run.progress import Progress
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._run.state import State, Unusable
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.desired import Desired
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.reconcile_join import Pair
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.source import Source, elsewhere, source_of

OVERLAP = timedelta(minutes=15)
"""Mailboxes are looked at again from this long before the last run: clocks differ, and Exchange's index lags."""

CHANGES_AT_MOST = 5000
"""Changed mailboxes, or objects, up to which asking for each costs less than reading everything in pages."""

AMBIGUOUS = "ambiguous_anchor"
"""How a mailbox is pending that has two objects in AD, or shares its anchor with another mailbox."""

SHORT = 64  # characters of what was compared that stay readable in a state


class Replica(Protocol):
    """The database of one domain controller, and how far its changes are counted."""

    @property
    def invocation_id(self) -> bytes: ...
    @property
    def highest_usn(self) -> int: ...
    @property
    def host(self) -> str: ...


class Mailboxes(Protocol):
    """The mailboxes of a tenant, for reading those that changed."""

    def changed_since(
        self, moment: datetime, properties: Sequence[str], exclude: frozenset[str]
    ) -> Iterator[Mapping[str, Any]]:
        """The mailboxes that were changed after a moment, as Exchange's own rows."""

    def by_ids(
        self, ids: Iterable[str], properties: Sequence[str], exclude: frozenset[str]
    ) -> Iterator[Mapping[str, Any]]:
        """The mailboxes with these object ids; those that are gone are left out."""

    def anchors(self, ids: Sequence[str] | None = None) -> Iterator[DirectoryUser]:
        """The users that have a source anchor, of these object ids."""

    def by_anchors(self, anchors: Iterable[bytes]) -> Iterator[DirectoryUser]:
        """The users with these source anchors."""

    def service_time(self) -> datetime | None:
        """Exchange Online's own clock when it last answered."""


class Directory(join.Searchable, Protocol):
    """Active Directory, for reading what changed."""

    @property
    def domain(self) -> str: ...

    def replica(self) -> Replica:
        """The server in use."""

    def read(self, dn: str, attributes: Sequence[str]) -> join.Entry | None:
        """One object by its name, or None where it does not exist."""


@dataclass(frozen=True)
class Start:
    """How a run begins: from where the last one ended, or, for ``reason``, from the beginning.

    ``compared`` says what it is about.
    """

    since: State | None
    reason: str
    compared: Mapping[str, str]
    replica: Replica | None = None
    now: datetime = datetime.min


def begin(
    path: str | None,
    interval: timedelta,
    compared: Mapping[str, str],
    selection: Selection,
    directory: Directory,
    now: datetime | None = None,
) -> Start:
    """Whether a run can go on from the state in a file. Asks the directory where it stands, before anything is read."""
    now = now or datetime.now(UTC)
    if path is None:
        return Start(None, "no state_file is given", compared, None, now)
    replica = directory.replica()
    try:
        last = state.load(path)
        _same_run(last, compared, selection)
        _same_replica(last, replica)
        _in_time(last, interval, now)
    except Unusable as reason:
        return Start(None, str(reason), compared, replica, now)
    return Start(last, f"the last full pass was at {last.full_pass:%Y-%m-%d %H:%M} UTC", compared, replica, now)


def _same_run(last: State, compared: Mapping[str, str], selection: Selection) -> None:
    if selection.kind != "all":
        raise Unusable("only all_mailboxes can be read incrementally, another selection is read as a whole")
    other = sorted(name for name in {*last.compared, *compared} if last.compared.get(name) != compared.get(name))
    if other:
        raise Unusable(f"this run has another value of {' and of '.join(other)} than the last one")
    if last.pending is None:
        raise Unusable("so many mailboxes were not settled last time that reading everything costs less")
    if last.expected == 0:
        raise Unusable("the last full pass found nothing to compare")


def _same_replica(last: State, replica: Replica) -> None:
    if last.invocation_id != replica.invocation_id.hex():
        raise Unusable(
            f"the last run read {last.host}, this one reads {replica.host} or a restored copy, and changes are counted "
            "by each domain controller for itself"
        )
    if replica.highest_usn < last.highest_usn:
        raise Unusable(f"{replica.host} was set back to an earlier state")


def _in_time(last: State, interval: timedelta, now: datetime) -> None:
    age = now - last.full_pass
    if age >= interval:
        raise Unusable(f"the last full pass was {age.total_seconds() / 3600:.1f} hours ago")
    if age < -OVERLAP:
        raise Unusable("the last full pass is in the future by this machine's clock")


def compared_with(**parts: Any) -> dict[str, str]:
    """What a run is about, for its state: long parts as a digest."""
    texts = {name: part if isinstance(part, str) else repr(part) for name, part in parts.items()}
    return {name: text if len(text) <= SHORT else _digest(text) for name, text in texts.items()}


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def finish(
    start: Start,
    mailboxes: Mailboxes,
    *,
    expected: int,
    elsewhere_now: int,
    pending: Mapping[str, str],
) -> State:
    """The state that a run leaves. The marks are from before it read anything, so that no change falls between runs."""
    last = start.since
    if start.replica is None:
        raise InputError("A run without a state_file leaves no state.")
    seen = mailboxes.service_time()
    skew = seen - datetime.now(UTC) if seen is not None else timedelta(0)
    return State(
        compared=dict(start.compared),
        host=start.replica.host,
        invocation_id=start.replica.invocation_id.hex(),
        highest_usn=start.replica.highest_usn,
        changed_before=(start.now + skew - OVERLAP).replace(microsecond=0),
        full_pass=last.full_pass if last else start.now,
        expected=last.expected if last else expected,
        elsewhere=max(last.elsewhere, elsewhere_now) if last else elsewhere_now,
        pending=dict(pending),
    )


class TooMuch(Exception):
    """More changed than is worth asking for one by one; the text says what."""


def read_changes(
    last: State,
    mailboxes: Mailboxes,
    directory: Directory,
    desired: Desired,
    *,
    anchor_names: Sequence[str],
    exclude: frozenset[str],
    progress: Progress,
) -> list[Pair]:
    """The mailboxes whose two sides may have moved apart or together since, whole. TooMuch where they are too many."""
    properties, names = desired.properties, desired.names
    progress.start("read changed mailboxes")
    found: dict[str, Mailbox] = {}
    for row in mailboxes.changed_since(last.changed_before, properties, exclude):
        mailbox = Mailbox.from_exchange(row)
        found[mailbox.id] = mailbox
        progress.advance()
        _not_too_many(found, "mailboxes")
    progress.start("read changed objects")
    objects: dict[bytes, list[join.Entry]] = {}
    for anchor, entry in join.find_changed(directory, last.highest_usn + 1, names, anchor_names):
        objects.setdefault(anchor, []).append(entry)
        progress.advance()
        _not_too_many(objects, "objects in Active Directory")
    users = {user.id: user for user in mailboxes.by_anchors(objects)}
    again = [key for key in {*users, *(last.pending or ())} if key not in found]
    progress.start("read the other side", len(again))
    for row in mailboxes.by_ids(sorted(again), properties, exclude):
        mailbox = Mailbox.from_exchange(row)
        found[mailbox.id] = mailbox
        progress.advance()
    unknown = [key for key, mailbox in found.items() if mailbox.dir_synced and key not in users]
    users |= {user.id: user for user in (mailboxes.anchors(unknown) if unknown else ())}
    sources = [source_of(item, users.get(item.id), desired) for item in found.values()]
    _add_unchanged(objects, sources, last, directory, names, anchor_names)
    by_anchor: dict[bytes, list[str]] = {}
    for source in sources:
        if source.dir_synced and source.anchor is not None:
            by_anchor.setdefault(source.anchor, []).append(source.name)
    return [_pair(source, objects, by_anchor) for source in sources]


def _pair(
    source: Source, objects: Mapping[bytes, Sequence[join.Entry]], by_anchor: Mapping[bytes, Sequence[str]]
) -> Pair:
    if not source.dir_synced or source.anchor is None:
        return Pair(source, ())
    sharers = by_anchor[source.anchor]
    return Pair(source, tuple(objects.get(source.anchor, ())), tuple(sharers) if len(sharers) > 1 else ())


def _not_too_many(found: Mapping[Any, Any], what: str) -> None:
    if len(found) > CHANGES_AT_MOST:
        raise TooMuch(f"more than {CHANGES_AT_MOST} {what} changed, so that reading everything costs less")


def _add_unchanged(
    objects: dict[bytes, list[join.Entry]],
    sources: Sequence[Source],
    last: State,
    directory: Directory,
    names: Sequence[str],
    anchor_names: Sequence[str],
) -> None:
    """Find the objects of changed mailboxes that did not change themselves, by what AD has an index of."""
    wanted = {source.anchor: source for source in sources if source.dir_synced and source.anchor is not None}
    pending = last.pending or {}

    def add(found: Iterable[tuple[bytes, join.Entry]]) -> None:
        for anchor, entry in found:
            known = objects.setdefault(anchor, [])
            if _guid(entry) not in map(_guid, known):
                known.append(entry)

    if join.OBJECT_GUID in anchor_names:
        # Also beside a changed object that has the anchor otherwise: then there are two.
        unsure = {anchor for anchor in wanted if anchor not in map(_guid, objects.get(anchor, ()))}
        add(list(join.find_by_guid(directory, unsure, names, anchor_names)))
    read = list(dict.fromkeys((*anchor_names, join.OBJECT_GUID, *names)))
    here = {
        anchor: source
        for anchor, source in wanted.items()
        if not elsewhere(source, directory.base_dn, directory.domain)
    }
    for anchor, source in here.items():
        if anchor not in objects and source.distinguished_name:
            entry = directory.read(source.distinguished_name, read)
            if entry is not None and join.anchor_of(entry, anchor_names) == anchor:
                objects[anchor] = [entry]
    # What is left costs a search without an index. An object that appears or gets its anchor counts as changed, so
    # who was missing the last time need not be searched for again; who had two objects must be.
    left = {
        anchor
        for anchor, source in here.items()
        if pending.get(source.id) == AMBIGUOUS or (anchor not in objects and source.id not in pending)
    }
    if left:
        add(list(join.find(directory, left, names, anchor_names)))


def _guid(entry: join.Entry) -> bytes:
    return entry.values[join.OBJECT_GUID][0]
