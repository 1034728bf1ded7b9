# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tenant and a directory in memory. The directory keeps AD's rules for values, Samba's are looser."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import attribute
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import DirectoryUser, Mailbox, Member
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import ArtifactWriter
from ansible_collections.hybrid.exchange.plugins.module_utils._run.progress import Progress
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Run

BASE = "DC=contoso,DC=lab"
_TERM = re.compile(r"\(([A-Za-z0-9-]+)=((?:\\[0-9a-f]{2}|[^()\\])*)\)")


@dataclass
class Entry:
    dn: str
    values: dict[str, tuple[bytes, ...]]


class Replica(NamedTuple):
    invocation_id: bytes
    highest_usn: int
    host: str


@dataclass
class FakeDirectory:
    """Objects by objectGUID. ``before_modify`` runs before each modify and may raise or change the object."""

    host: str = "dc1.contoso.lab:636"
    base_dn: str = BASE
    domain: str = "contoso.lab"
    objects: dict[bytes, Entry] = field(default_factory=dict)
    modifications: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    searches: list[str] = field(default_factory=list)
    before_modify: Callable[[Entry], None] = lambda entry: None
    after_modify: Callable[[Entry], None] = lambda entry: None
    before_search: Callable[[str], None] = lambda text: None
    reads: list[str] = field(default_factory=list)
    invocation_id: bytes = b"I" * 16
    highest_usn: int = 1000
    abroad: list[Entry] | None = field(default_factory=list)  # of other domains; None turns the global catalog off

    def add(self, name: str, guid: bytes, **values: Sequence[str] | str | bytes) -> Entry:
        entry = Entry(f"CN={name},OU=People,{BASE}", {"objectGUID": (guid,)})
        for key, given in values.items():
            many = (given,) if isinstance(given, (str, bytes)) else tuple(given)
            name_in_ad = "mS-DS-ConsistencyGuid" if key == "consistency_guid" else key
            entry.values[name_in_ad] = tuple(item if isinstance(item, bytes) else item.encode() for item in many)
        self.objects[guid] = entry
        return entry

    def close(self) -> None:
        """Nothing is open."""

    def search(self, base: str, filter_text: str, attributes: Sequence[str], scope: str = "subtree") -> Iterator[Entry]:
        self.searches.append(filter_text)
        self.before_search(filter_text)
        terms = [
            (name, _value(value))
            for name, value in _TERM.findall(filter_text)
            if name not in {"objectCategory", "objectClass"}
        ]
        first_usn = int(found[1]) if (found := re.search(r"\(uSNChanged>=(\d+)\)", filter_text)) else 0
        for entry in list(self.objects.values()):
            if int(entry.values.get("uSNChanged", (b"0",))[0]) < first_usn:
                continue
            if not terms or any(_holds(entry, name, value) for name, value in terms):
                yield Entry(entry.dn, {name: entry.values[name] for name in attributes if name in entry.values})

    def clone(self) -> FakeDirectory:
        return self

    def read(self, dn: str, attributes: Sequence[str]) -> Entry | None:
        self.reads.append(dn)
        for entry in self.objects.values():
            if entry.dn == dn:
                return Entry(dn, {name: entry.values[name] for name in attributes if name in entry.values})
        return None

    def replica(self) -> Replica:
        return Replica(self.invocation_id, self.highest_usn, self.host)

    def global_catalog(self) -> Catalog | None:
        return None if self.abroad is None else Catalog(self)

    def modify_many(self, requests: Iterable[tuple[Any, str, Sequence[Any]]]) -> Iterator[tuple[Any, Any]]:
        """Requests are taken one ahead of their answers; a server that stays away raises."""
        for key, dn, changes in requests:
            try:
                self.modify(dn, changes)
            except errors.Unavailable as error:
                if error.facts.get("applied") != "unknown":
                    raise
                yield key, error
            except errors.HybridError as error:
                yield key, error
            else:
                yield key, None

    def modify(self, dn: str, changes: Sequence[Any]) -> None:
        entry = next((entry for entry in self.objects.values() if entry.dn == dn), None)
        if entry is None:
            raise errors.NotFound(f"there is no {dn}", object=dn)
        self.before_modify(entry)
        after = {name: list(values) for name, values in entry.values.items()}
        for change in changes:
            held = after.setdefault(change.attribute, [])
            for value in change.values:
                same = [item for item in held if _same(change.attribute, item, value)]
                if change.op == "delete":
                    if not same:
                        raise errors.Conflict(f"no {value!r} in {change.attribute}", object=dn, ldap_result=16)
                    held.remove(same[0])
                else:
                    if same or (held and not attribute(change.attribute).multi):
                        told = f"{value!r} is in {change.attribute} already"
                        raise errors.Conflict(told, object=dn, ldap_result=20)
                    held.append(value)
        entry.values = {name: tuple(values) for name, values in after.items() if values}
        self.modifications.append((dn, tuple(changes)))
        self.after_modify(entry)

    def text(self, guid: bytes, name: str) -> tuple[str, ...]:
        return tuple(sorted(value.decode() for value in self.objects[guid].values.get(name, ())))


def _same(name: str, one: bytes, other: bytes) -> bool:
    """AD compares text without regard to case."""
    return one == other if name.endswith("Guid") or name == "objectGUID" else one.lower() == other.lower()


def _holds(entry: Entry, name: str, value: bytes) -> bool:
    return any(_same(name, item, value) for item in entry.values.get(name, ()))


@dataclass
class Catalog:
    """The global catalog: the objects of the domain and those of others."""

    directory: FakeDirectory
    base_dn: str = ""

    def close(self) -> None:
        """Nothing is open."""

    def search(self, base: str, filter_text: str, attributes: Sequence[str]) -> Iterator[Entry]:
        yield from self.directory.search(base, filter_text, attributes)
        terms = [(name, _value(text)) for name, text in _TERM.findall(filter_text)]
        for entry in self.directory.abroad or ():
            if any(_holds(entry, name, value) for name, value in terms):
                yield entry


def _value(text: str) -> bytes:
    return re.sub(rb"\\([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), text.encode())


def row_of(mailbox: Mailbox) -> dict[str, Any]:
    """The mailbox as Exchange Online answers it."""
    return {
        **mailbox.properties,
        "ExternalDirectoryObjectId": mailbox.id,
        "UserPrincipalName": mailbox.user_principal_name,
        "DisplayName": mailbox.display_name,
        "RecipientTypeDetails": mailbox.recipient_type_details,
        "IsDirSynced": mailbox.dir_synced,
        "IsExchangeCloudManaged": mailbox.cloud_managed,
    }


@dataclass
class FakeMailboxes:
    mailboxes: list[Mailbox] = field(default_factory=list)
    directory_users: dict[str, DirectoryUser] = field(default_factory=dict)
    asked_for: list[tuple[str, ...] | None] = field(default_factory=list)
    left_out: tuple[Member, ...] = ()
    asked_since: list[datetime] = field(default_factory=list)
    asked_by_id: list[tuple[str, ...]] = field(default_factory=list)
    time: datetime | None = None
    requests: int = 0
    groups: dict[str, set[str]] = field(default_factory=dict)
    asked_groups: list[str] = field(default_factory=list)

    def read(self, selection: Any, properties: Sequence[str] = ()) -> Iterator[Mailbox]:
        if selection.kind != "identities":
            yield from self.mailboxes
            return
        known = {mailbox.id: mailbox for mailbox in self.mailboxes}
        if gone := [name for name in selection.value if name not in known]:
            raise errors.InputError(f"there is no mailbox {gone[0]}")
        yield from (known[name] for name in selection.value)

    def rows(self, selection: Any, properties: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
        yield from map(row_of, self.read(selection, properties))

    def changed_since(
        self, moment: datetime, properties: Sequence[str], exclude: frozenset[str] = frozenset()
    ) -> Iterator[dict[str, Any]]:
        self.asked_since.append(moment)
        for mailbox in self.mailboxes:
            changed = datetime.fromisoformat(mailbox.when_changed) if mailbox.when_changed else None
            if changed is not None and changed > moment and mailbox.user_principal_name not in exclude:
                yield row_of(mailbox)

    def by_ids(
        self, ids: Iterable[str], properties: Sequence[str], exclude: frozenset[str] = frozenset()
    ) -> Iterator[dict[str, Any]]:
        wanted = set(ids)
        self.asked_by_id.append(tuple(sorted(wanted)))
        yield from (row_of(mailbox) for mailbox in self.mailboxes if mailbox.id in wanted)

    def anchors(self, ids: Sequence[str] | None = None) -> Iterator[DirectoryUser]:
        found = self.users(ids).values()
        yield from (user for user in found if user.source_anchor and (ids is None or user.id in ids))

    def by_anchors(self, anchors: Iterable[bytes]) -> Iterator[DirectoryUser]:
        wanted = set(anchors)
        yield from (user for user in self.directory_users.values() if user.source_anchor in wanted)

    def service_time(self) -> datetime | None:
        return self.time

    def sign_in(self) -> None:
        """Nobody asks."""

    def usage(self) -> dict[str, Any]:
        return {"requests": self.requests}

    def add_usage(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        self.requests += after["requests"] - before["requests"]

    def member_ids(self, group: str) -> frozenset[str]:
        if group not in self.groups:
            raise errors.NotFound(f"there is no group {group}")
        self.asked_groups.append(group)
        return frozenset(self.groups[group])

    def users(self, ids: Sequence[str] | None = None) -> dict[str, DirectoryUser]:
        self.asked_for.append(None if ids is None else tuple(ids))
        return dict(self.directory_users)


@dataclass
class Ownership:
    targets: frozenset[str] = frozenset()
    domains: list[str] = field(default_factory=list)

    def owned_targets(self, domain: str) -> frozenset[str]:
        self.domains.append(domain)
        return self.targets


@dataclass
class World:
    """One tenant and its forest."""

    mailboxes: FakeMailboxes = field(default_factory=FakeMailboxes)
    directory: FakeDirectory = field(default_factory=FakeDirectory)
    ownership: Ownership = field(default_factory=Ownership)

    def user(
        self,
        name: str,
        cloud: dict[str, Any] | None = None,
        directory: dict[str, Any] | None = None,
        *,
        synced: bool = True,
        managed: bool = True,
        anchor: bytes | None = None,
        kind: str = "UserMailbox",
        domain: str = "contoso.lab",
        in_directory: bool = True,
    ) -> bytes:
        """A mailbox with its object; returns the object's GUID, which is the anchor too."""
        guid = uuid.uuid5(uuid.NAMESPACE_DNS, name).bytes
        object_id = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        primary = f"{name}@contoso.lab"
        properties: dict[str, Any] = {f"CustomAttribute{number}": "" for number in range(1, 16)}
        properties |= {f"ExtensionCustomAttribute{number}": [] for number in range(1, 6)}
        properties |= {"EmailAddresses": [f"SMTP:{primary}"], "WindowsEmailAddress": primary}
        properties |= {"HiddenFromAddressListsEnabled": False, "RecipientTypeDetails": kind}
        properties |= cloud or {}
        self.mailboxes.mailboxes.append(
            Mailbox(
                id=object_id,
                user_principal_name=primary,
                display_name=name,
                primary_smtp_address=primary,
                recipient_type="UserMailbox",
                recipient_type_details=kind,
                dir_synced=synced,
                cloud_managed=managed,
                when_changed="",
                properties=properties,
            )
        )
        self.mailboxes.directory_users[object_id] = DirectoryUser(
            id=object_id,
            source_anchor=(anchor or guid) if synced else None,
            distinguished_name=f"CN={name},OU=People,{BASE}" if synced else "",
            domain=domain if synced else "",
            sync_enabled=synced,
        )
        if in_directory and synced:
            same = {
                "proxyAddresses": [f"SMTP:{primary}"],
                "mail": primary,
                "msExchRecipientTypeDetails": "2147483648",
                "msExchRecipientDisplayType": "-2147483642",
            }
            self.directory.add(name, guid, **(same | (directory or {})))
        return guid

    def change_mailbox(self, name: str, **properties: Any) -> None:
        for number, mailbox in enumerate(self.mailboxes.mailboxes):
            if mailbox.display_name == name:
                self.mailboxes.mailboxes[number] = replace(
                    mailbox,
                    properties={**mailbox.properties, **properties},
                    when_changed=datetime.now(UTC).isoformat(),
                )

    def change_object(self, guid: bytes, **values: tuple[bytes, ...]) -> None:
        self.directory.highest_usn += 1
        self.directory.objects[guid].values |= values | {"uSNChanged": (b"%d" % self.directory.highest_usn,)}


def run_in(path: Any, *, check_mode: bool = False, diff_mode: bool = True, report_limit: int = 20) -> Run:
    return Run(check_mode, diff_mode, report_limit, Progress(None), lambda name: ArtifactWriter(path, name))
