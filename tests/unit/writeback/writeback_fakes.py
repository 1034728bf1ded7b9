# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tenant and a directory in memory. The directory keeps AD's rules for values, Samba's are looser."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

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

    def add(self, name: str, guid: bytes, **values: Sequence[str] | str | bytes) -> Entry:
        entry = Entry(f"CN={name},OU=People,{BASE}", {"objectGUID": (guid,)})
        for key, given in values.items():
            many = (given,) if isinstance(given, (str, bytes)) else tuple(given)
            name_in_ad = "mS-DS-ConsistencyGuid" if key == "consistency_guid" else key
            entry.values[name_in_ad] = tuple(item if isinstance(item, bytes) else item.encode() for item in many)
        self.objects[guid] = entry
        return entry

    def search(self, base: str, filter_text: str, attributes: Sequence[str], scope: str = "subtree") -> Iterator[Entry]:
        self.searches.append(filter_text)
        self.before_search(filter_text)
        terms = [
            (name, re.sub(rb"\\([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), value.encode()))
            for name, value in _TERM.findall(filter_text)
            if name not in {"objectCategory", "objectClass"}
        ]
        for entry in list(self.objects.values()):
            if not terms or any(_holds(entry, name, value) for name, value in terms):
                yield Entry(entry.dn, {name: entry.values[name] for name in attributes if name in entry.values})

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
                        raise errors.Conflict(f"no {value!r} in {change.attribute}", object=dn)
                    held.remove(same[0])
                else:
                    if same or (held and not attribute(change.attribute).multi):
                        raise errors.Conflict(f"{value!r} is in {change.attribute} already", object=dn)
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
class FakeMailboxes:
    mailboxes: list[Mailbox] = field(default_factory=list)
    directory_users: dict[str, DirectoryUser] = field(default_factory=dict)
    asked_for: list[tuple[str, ...] | None] = field(default_factory=list)
    left_out: tuple[Member, ...] = ()

    def read(self, selection: Any, properties: Sequence[str] = ()) -> Iterator[Mailbox]:
        yield from self.mailboxes

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


def run_in(path: Any, *, check_mode: bool = False, diff_mode: bool = True, report_limit: int = 20) -> Run:
    return Run(check_mode, diff_mode, report_limit, Progress(None), lambda name: ArtifactWriter(path, name))
