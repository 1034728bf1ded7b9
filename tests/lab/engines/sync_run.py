# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applying one reading of a forest to a tenant: who is created, changed and deleted, and by whose authority."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.lab.engines import mailboxes, recipient_types
from tests.lab.engines.directory import Entry
from tests.lab.engines.forest_view import ForestView
from tests.lab.engines.groups import contact_document, group_document
from tests.lab.engines.ownership import Owners, name_key, provisioning_error, same_errors
from tests.lab.engines.users import user_document, without_mailbox
from tests.lab.scenario import Scenario
from tests.lab.store import Store

Document = dict[str, Any]

_ANCHOR = "ImmutableId"  # propertyCausingError of two objects with one source anchor
_TIMES = ("WhenChanged", "WhenChangedUTC", "onPremisesLastSyncDateTime", "_sequence")


class SyncRun:
    """Applying one reading of a forest to the documents of a tenant, inside one transaction."""

    def __init__(self, store: Store, scenario: Scenario, tenant: Document, view: ForestView, now: str) -> None:
        self.store = store
        self.tenant = tenant
        self.view = view
        self.now = now
        self.extension_flow = scenario.get("extension_custom_attributes_flow") == "yes"
        self.counts = {"added": 0, "updated": 0, "unchanged": 0, "deleted": 0, "errors": 0}
        self.users = self._all("user")
        self.groups = self._all("group")
        self.contacts = self._all("contact")
        self.mailboxes = self._all("mailbox")
        self.mail_users = self._all("mailUser")
        self.owners = self._owners()
        # Tenant-wide default on: new synchronized recipients appear as bare users, without a mail user or mailbox.
        self.bare = any(
            one.get("BlockExchangeProvisioningFromOnPremEnabled") for one in store.list(tenant["id"], "organization")
        )

    def _all(self, kind: str) -> dict[str, Document]:
        return {one["id"]: one for one in self._with_id(kind)}

    def _with_id(self, kind: str) -> list[Document]:
        documents = self.store.list(self.tenant["id"], kind)
        return [{**one, "id": one.get("id") or one["ExternalDirectoryObjectId"]} for one in documents]

    def _owners(self) -> Owners:
        owners = Owners()
        for collection, names in ((self.mailboxes, True), (self.mail_users, True), (self.contacts, False)):
            for identifier, one in collection.items():
                owners.claim_addresses(one.get("EmailAddresses") or (), identifier)
                if names:
                    owners.claim(name_key("name", one.get("Name") or ""), identifier)
        for collection in (self.users, self.groups):
            for identifier, one in collection.items():
                owners.claim_addresses(one.get("proxyAddresses") or (), identifier)
                if one.get("userPrincipalName"):
                    owners.claim(name_key("upn", one["userPrincipalName"]), identifier)
        return owners

    def apply(self) -> dict[str, int]:
        """Create, update and delete; returns counts."""
        self._delete_missing()
        order = sorted(self.view.entries, key=lambda identifier: (identifier not in self.users, identifier))
        self.owners.release_all(
            {one for one in order if not (self.mailboxes.get(one) or {}).get("IsExchangeCloudManaged")}
        )
        names = {identifier: self._name(identifier) for identifier in order}
        for identifier in order:
            if self.view.kinds[identifier] == "user":
                self._user(identifier, self.view.entries[identifier], names)
        for identifier in order:
            entry = self.view.entries[identifier]
            if self.view.kinds[identifier] == "group":
                document = group_document(entry, identifier, self.tenant, self.view.id_of)
                document["proxyAddresses"], _unused = self.owners.claim_addresses(
                    document["proxyAddresses"], identifier
                )
                self._keep("group", self.groups, document)
            elif self.view.kinds[identifier] == "contact":
                self._keep("contact", self.contacts, contact_document(entry, identifier, self.tenant))
        self._record_conflicts()
        return self.counts

    # -- one user ----------------------------------------------------------------------------------------------

    def _name(self, identifier: str) -> str:
        """Name in Exchange Online: AD's common name; where another recipient has it, with the id's first digits."""
        name = self.view.entries[identifier].text("cn") or identifier
        if self.view.kinds[identifier] != "user" or self.owners.claim(name_key("name", name), identifier):
            return name
        return f"{name} {identifier[:8]}"

    def _identity_of(self, names: dict[str, str], dn: str) -> str | None:
        identifier = self.view.id_of(dn)
        if identifier is None:
            return None
        if identifier in names:
            return names[identifier]
        for collection in (self.mailboxes, self.mail_users, self.contacts):
            if identifier in collection:
                return collection[identifier].get("Identity")
        return (self.groups.get(identifier) or {}).get("displayName")

    def _user(self, identifier: str, entry: Entry, names: dict[str, str]) -> None:
        existing = self.users.get(identifier)
        if existing and existing.get("isCloudManaged"):
            return  # full object authority is in the cloud: Connect does not touch the object any more
        document = user_document(entry, identifier, self.tenant)
        errors: list[Document] = []
        document["userPrincipalName"] = self._unique_sign_in_name(document["userPrincipalName"], identifier, errors)
        mailbox = self.mailboxes.get(identifier)
        managed = bool(mailbox and mailbox.get("IsExchangeCloudManaged"))
        if not managed:
            entry = self._own_addresses(entry, identifier, errors)
        kind = self._recipient_kind(identifier, entry)
        if kind is None:
            document.update(without_mailbox(entry, self.tenant))
        else:
            self._recipient(kind, entry, document, names, managed)
        old = (existing or {}).get("onPremisesProvisioningErrors") or []
        conflicts = [error for error in old if error["propertyCausingError"] == _ANCHOR]  # see _record_conflicts
        document["onPremisesProvisioningErrors"] = [*same_errors(old, errors), *conflicts]
        self.counts["errors"] += len(errors)
        self._keep("user", self.users, document)

    def _unique_sign_in_name(self, name: str, identifier: str, errors: list[Document]) -> str:
        if self.owners.claim(name_key("upn", name), identifier):
            return name
        errors.append(provisioning_error("UserPrincipalName", name, self.now))
        return f"{name.partition('@')[0]}{identifier[:4]}@{self.tenant['initial_domain']}"

    def _own_addresses(self, entry: Entry, identifier: str, errors: list[Document]) -> Entry:
        kept, refused = self.owners.claim_addresses(entry.texts("proxyAddresses"), identifier)
        if not refused:
            return entry
        errors.extend(provisioning_error("ProxyAddresses", value, self.now) for value in refused)
        raw = [value.encode() for value in kept]
        return replace(entry, values={**entry.values, "proxyaddresses": raw})

    def _recipient_kind(self, identifier: str, entry: Entry) -> str | None:
        if identifier in self.mailboxes:
            return "mailbox"  # a mailbox in the cloud stays one, whatever AD says of its type later
        kind = recipient_types.recipient_kind(
            entry.number("msExchRecipientTypeDetails"),
            entry.number("msExchRemoteRecipientType"),
            bool(entry.all("proxyAddresses")),
        )
        return None if self.bare and identifier not in self.mail_users else kind

    def _recipient(self, kind: str, entry: Entry, user: Document, names: dict[str, str], managed: bool) -> None:
        identifier = user["id"]
        collection = self.mailboxes if kind == "mailbox" else self.mail_users
        document = dict(collection.get(identifier) or mailboxes.shell(kind, identifier, self.tenant, self.now))
        document["id"] = identifier
        document.update(mailboxes.identity_properties(entry, user, names[identifier], self.tenant))
        if not managed:
            document.update(
                mailboxes.exchange_properties(
                    entry, kind, user, self.tenant, lambda dn: self._identity_of(names, dn), self.extension_flow
                )
            )
            # An address that the service makes of the alias may be taken; the recipient then goes without it.
            document["EmailAddresses"], _unused = self.owners.claim_addresses(document["EmailAddresses"], identifier)
            if kind == "mailbox":
                document.update(mailboxes.type_properties(document))
                document["_directoryTypes"] = mailboxes.directory_types(entry)
                document["_syncedExchange"] = mailboxes.fingerprint(document)
                document.pop("_handedBack", None)
        if kind == "mailbox" and self.mail_users.pop(identifier, None) is not None:
            self.store.delete(self.tenant["id"], "mailUser", identifier)
        self._keep(kind, collection, document)

    # -- documents ---------------------------------------------------------------------------------------------

    def _keep(self, kind: str, collection: dict[str, Document], document: Document) -> None:
        """Write a document if anything but its times would change."""
        old = collection.get(document["id"])
        if old and old.get("isCloudManaged") and kind in ("group", "contact"):
            return
        recipient = kind in ("mailbox", "mailUser")
        new = dict(document) if recipient else {**(old or {}), **document}
        if old is not None and _comparable(old) == _comparable(new):
            self._count("unchanged", kind)
            return
        if recipient:
            new.update(WhenChanged=self.now, WhenChangedUTC=self.now, _sequence=int(new.get("_sequence") or 0) + 1)
        else:
            new["onPremisesLastSyncDateTime"] = self.now
        collection[document["id"]] = new
        # A recipient's document is what Exchange shows; its key is ExternalDirectoryObjectId.
        written = {name: value for name, value in new.items() if not (recipient and name == "id")}
        self.store.put(self.tenant["id"], kind, document["id"], written)
        self._count("added" if old is None else "updated", kind)

    def _count(self, what: str, kind: str) -> None:
        """Counts are of objects of the directory: a mailbox is counted with its user."""
        if kind not in ("mailbox", "mailUser"):
            self.counts[what] += 1
        elif what != "unchanged":
            self.counts["recipients_" + what] = self.counts.get("recipients_" + what, 0) + 1

    def _delete_missing(self) -> None:
        tenant_id = self.tenant["id"]
        for kind, collection in (("user", self.users), ("group", self.groups), ("contact", self.contacts)):
            for identifier, one in list(collection.items()):
                if identifier in self.view.kinds or not one.get("onPremisesSyncEnabled") or one.get("isCloudManaged"):
                    continue
                self.store.delete(tenant_id, kind, identifier)
                del collection[identifier]
                self.counts["deleted"] += 1
                self.owners.release(identifier)
                if kind == "user":
                    for recipient, others in (("mailbox", self.mailboxes), ("mailUser", self.mail_users)):
                        if others.pop(identifier, None) is not None:
                            self.store.delete(tenant_id, recipient, identifier)

    def _record_conflicts(self) -> None:
        """A second object with an anchor is not exported; the object that has the anchor shows the conflict."""
        by_anchor: dict[str, list[str]] = {}
        for conflict in self.view.conflicts:
            by_anchor.setdefault(conflict.anchor, []).append(conflict.dn)
        self.counts["errors"] += len(self.view.conflicts)
        for user in list(self.users.values()):
            old = user.get("onPremisesProvisioningErrors") or []
            others = [error for error in old if error["propertyCausingError"] != _ANCHOR]
            wanted = [
                provisioning_error(_ANCHOR, f"{user['onPremisesImmutableId']} {dn}", self.now)
                for dn in by_anchor.get(user.get("onPremisesImmutableId") or "", ())
            ]
            new = [*others, *same_errors(old, wanted)]
            if new != old:
                user = {**user, "onPremisesProvisioningErrors": new}
                self.users[user["id"]] = user
                self.store.put(self.tenant["id"], "user", user["id"], user)


def _comparable(document: Document) -> Document:
    return {name: value for name, value in document.items() if name not in _TIMES}
