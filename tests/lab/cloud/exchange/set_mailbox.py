# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set-Mailbox: the flag, the type, and every property that may be edited, with the rules of the service."""

from __future__ import annotations

import re
from typing import Any

from tests.lab.cloud.exchange import addresses, errors, properties
from tests.lab.cloud.exchange.binder import Edit
from tests.lab.cloud.exchange.identity import ALL_KINDS, MAILBOX, Recipient, find, find_one
from tests.lab.cloud.exchange.organization import changed_now, unchanged_warning
from tests.lab.cloud.exchange.recipients import Call, Result
from tests.lab.store import Document

_ALIAS = re.compile(r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$")


def set_mailbox(call: Call) -> Result:
    """Set-Mailbox. All or nothing: a refused value leaves the mailbox as it was."""
    with call.services.store.transaction():
        target = find_one(call.services, call.tenant_id, (MAILBOX,), call.bound["Identity"])
        before = target.row
        identity = str(before["Identity"])
        if properties.FLAG in call.bound:
            after = _flagged(before, call.bound[properties.FLAG])
        else:
            _check_authority(call, before)
            after = _edited(call, target)
        if after == before:
            return Result(warnings=[unchanged_warning(identity)])
        if not call.what_if:
            after = {**after, **changed_now(call), "_sequence": int(before.get("_sequence", 0)) + 1}
            call.services.write_mailbox(call.tenant_id, before, after)
    return Result()


def _flagged(before: Document, managed: bool) -> Document:
    if not before.get("IsDirSynced"):
        raise errors.invalid_operation(
            f"IsExchangeCloudManaged can't be set on mailbox '{before['Identity']}' because it isn't synchronized from "
            "an on-premises directory. Its Exchange attributes are already managed in the cloud."
        )
    after = {**before, properties.FLAG: managed}
    # Authority that came back to AD: the next run of Connect Sync compares everything, though AD did not change.
    if managed:
        after.pop("_handedBack", None)
    elif before.get(properties.FLAG):
        after["_handedBack"] = True
    return after


def _check_authority(call: Call, mailbox: Document) -> None:
    if not mailbox.get("IsDirSynced"):
        return
    identity = str(mailbox["Identity"])
    unmanaged = not mailbox.get(properties.FLAG) and call.services.scenario["unmanaged_edit"] == "refused"
    for name in call.bound:
        if name in properties.IDENTITY or (unmanaged and name in properties.SYNCED):
            raise errors.out_of_write_scope(identity, name)


def _edited(call: Call, target: Recipient) -> Document:
    after = dict(target.row)
    for name, value in call.bound.items():
        if name in ("EmailAddresses", "WindowsEmailAddress") or name in properties.NOT_PROPERTIES:
            continue
        if name == "Type":
            details, resource = properties.TYPES[value]
            after |= {
                "RecipientTypeDetails": details,
                "ResourceType": resource,
                "IsShared": details == "SharedMailbox",
                "IsResource": resource is not None,
            }
        elif name == "MicrosoftOnlineServicesID":
            after |= {name: value, "UserPrincipalName": value, "WindowsLiveID": value}
        else:
            after[name] = _kept(call, name, value, target.row.get(name))
    return _addressed(call, target, after)


def _addressed(call: Call, target: Recipient, after: Document) -> Document:
    current = list(target.row.get("EmailAddresses", []))
    values = current
    given = call.bound.get("EmailAddresses")
    if "EmailAddresses" in call.bound:
        values = addresses.edited(current, given) if isinstance(given, Edit) else addresses.whole(given or [])
    if "WindowsEmailAddress" in call.bound:
        if not call.bound["WindowsEmailAddress"]:
            raise errors.data_validation("WindowsEmailAddress can't be empty.")
        values = addresses.promoted(values, call.bound["WindowsEmailAddress"])
    if values == current:
        return after
    _check_new_addresses(call, target, current, values)
    primary = addresses.primary(values)
    return {**after, "EmailAddresses": values, "PrimarySmtpAddress": primary, "WindowsEmailAddress": primary}


def _check_new_addresses(call: Call, target: Recipient, current: list[str], values: list[str]) -> None:
    accepted = {doc["DomainName"].lower() for doc in call.services.store.list(call.tenant_id, "acceptedDomain")}
    known = set(map(addresses.key, current))
    for value in values:
        if addresses.key(value) in known:
            continue
        domain = addresses.domain(value)
        if domain is not None and domain not in accepted:
            raise errors.not_an_accepted_domain(value)
        owner = _owner(call, value, target)
        if owner is not None:
            raise errors.address_in_use(value, owner)


def _owner(call: Call, value: str, target: Recipient) -> str | None:
    text = value.partition(":")[2]
    for kind in ALL_KINDS:
        for doc in call.services.store.search(call.tenant_id, kind, text):
            object_id = str(doc.get("ExternalDirectoryObjectId") or doc.get("id"))
            taken = doc.get("EmailAddresses") or doc.get("proxyAddresses") or []
            if object_id != target.id and addresses.key(value) in map(addresses.key, taken):
                return str(doc.get("Identity") or doc.get("displayName"))
    return None


def _kept(call: Call, name: str, value: Any, current: Any) -> Any:
    """``value`` in the form in which the mailbox keeps it; refuses what breaks the property's rules."""
    if isinstance(value, Edit):
        value = value.applied(list(current or []))
    if name in properties.REFERENCES:
        return _resolved(call, name, value)
    if name in properties.SIZES:
        text = properties.size_text(value)
        if text is None:
            raise errors.bad_value(name, "Unlimited", value)
        return text
    if name.startswith("CustomAttribute"):
        text = value or ""
        if len(text) > properties.CUSTOM_ATTRIBUTE_LIMIT:
            raise errors.data_validation(
                f"The length of the property is too long. The maximum length is {properties.CUSTOM_ATTRIBUTE_LIMIT} "
                f"and the length of the value provided is {len(text)}. Property Name: {name}"
            )
        return text
    if name.startswith("ExtensionCustomAttribute") and len(value) > properties.EXTENSION_VALUES_LIMIT:
        raise errors.data_validation(
            f"{name} takes {properties.EXTENSION_VALUES_LIMIT} values at most, not {len(value)}."
        )
    if name == "Alias" and not _ALIAS.match(value or ""):
        raise errors.data_validation(
            f"The property value is invalid. The value can't contain these characters: {value}"
        )
    if name == "ForwardingSmtpAddress":
        return None if not value else addresses.normalized(value)[0].lower()
    return value


def _resolved(call: Call, name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_reference(call, name, item) for item in value]
    return _reference(call, name, value) if value else None


def _reference(call: Call, name: str, identity: str) -> str:
    found = find(call.services, call.tenant_id, ALL_KINDS, identity, fresh=True)
    if not found:
        raise errors.data_validation(f'Couldn\'t find the recipient "{identity}" given for {name}.')
    if len(found) > 1:
        raise errors.ambiguous(identity)
    return str(found[0].row["Identity"])
