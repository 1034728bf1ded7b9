# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-, New-, Set- and Remove- of the kinds that are nothing but objects of the directory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tests.lab.exchange_server import calls, codec, errors, kinds_hybrid, kinds_mail_flow
from tests.lab.exchange_server.calls import Work
from tests.lab.exchange_server.codec import Property
from tests.lab.exchange_server.directory import Found, Refused
from tests.lab.exchange_server.kinds import Kind
from tests.lab.forest.entries import child, raw
from tests.lab.forest.recipients import VERSION_2013
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.errors import CmdletError

_TITLES = {"HybridConfiguration": "Hybrid Configuration"}  # of the only object of a kind
Check = Callable[[Work, Found], None]
Values = dict[str, Iterable[bytes]]


def get(kind: Kind) -> Implementation:
    """Get-: all, or one."""

    def run(call: Call) -> None:
        work = calls.work(call)
        wanted = calls.identities(call)
        server = calls.server_name(work.organization, str(call.get("Server"))) if call.get("Server") else None
        for identity in wanted or [""]:
            hits = calls.find(work.organization, kind, identity) if identity else calls.objects(work.organization, kind)
            if server is not None:
                hits = [one for one in hits if f",CN={server},".lower() in one.dn.lower()]
            if identity and not hits:
                call.error(errors.not_found(identity, work.organization.controller))
            for found in hits:
                call.write(calls.shown(work.organization, kind, found))

    return run


def remove(kind: Kind, check: Check | None = None, tree: bool = False) -> Implementation:
    """Remove-: one, or those that came through the pipeline; ``check`` refuses."""

    def run(call: Call) -> None:
        work = calls.work(call)
        for identity in calls.identities(call):
            try:
                found = calls.find_one(work.organization, kind, identity)
                if check is not None:
                    check(work, found)
                if not call.what_if:
                    work.organization.directory.delete(found.dn, tree)
                    work.done(call.cmdlet.name, found.name)
            except CmdletError as error:
                call.error(error)

    return run


def new(
    kind: Kind, prepare: Callable[[Work, dict[str, Any]], str | None] | None = None, name: str = "Name"
) -> Implementation:
    """New-: ``prepare`` looks at the properties, adds to them, and may say where the object goes."""

    def run(call: Call) -> None:
        work = calls.work(call)
        if work.organization.found() is None:
            raise errors.refused("There is no Exchange organization in this forest.")
        given = wanted(call)
        base = prepare(work, given) if prepare is not None else None
        title = str(call.get(name) or _TITLES.get(kind.noun, kind.noun))
        dn = child(base or kind.base(work.organization.places), title)
        values: Values = {"msExchVersion": [raw(VERSION_2013)]}
        values |= {key: value for key, value in changes(work, kind, given, None).items() if value is not None}
        if call.what_if:
            return
        try:
            work.organization.directory.add(dn, kind.cls, values)
        except Refused as error:
            taken = errors.exists(dn, work.organization.controller)
            raise (taken if error.exists else calls.directory_error(error)) from error
        made = work.organization.directory.get(dn)
        if made is not None:
            call.write(calls.shown(work.organization, kind, made))

    return run


def set_(kind: Kind, check: Callable[[Work, Found, dict[str, Any]], None] | None = None) -> Implementation:
    """Set-: the parameters that were given, and the name."""

    def run(call: Call) -> None:
        work = calls.work(call)
        found_ones = calls.identities(call) or [None]  # type: ignore[list-item]  # None: the only object of its kind
        for identity in found_ones:
            try:
                _set(work, kind, identity, check)
            except CmdletError as error:
                call.error(error)

    return run


def _set(
    work: Work, kind: Kind, identity: str | None, check: Callable[[Work, Found, dict[str, Any]], None] | None
) -> None:
    call, organization = work.call, work.organization
    if identity is None:
        hits = calls.objects(organization, kind)
        if not hits:
            raise errors.not_found(kind.noun, organization.controller)
        found = hits[0]
    else:
        found = calls.find_one(organization, kind, identity)
    given = wanted(call)
    if check is not None:
        check(work, found, given)
    changed = changes(work, kind, given, found)
    if call.what_if:
        return
    try:
        organization.directory.modify(found.dn, changed)
        title = call.get("Name")
        if title and str(title) != found.name:
            organization.directory.rename(found.dn, str(title))
    except Refused as error:
        raise calls.directory_error(error) from error


def wanted(call: Call) -> dict[str, Any]:
    """What a call says about an object: its parameters, less those that say how it is done."""
    return {name: value for name, value in call.bound.values.items() if name.lower() not in calls.CONTROL}


def changes(work: Work, kind: Kind, given: dict[str, Any], found: Found | None) -> dict[str, list[bytes] | None]:
    """The attributes that properties become; ``found`` is the object as it is, None for a new one."""
    changed: dict[str, list[bytes] | None] = {}
    rest = codec.read_rest(found) if found is not None else {}
    before = dict(rest)
    for name, value in given.items():
        known = kind.property(name)
        if known is None or not known.attribute:
            title = known.name if known is not None else name
            rest[title] = codec.merged(value, rest.get(title, known.default if known is not None else None))
            continue
        current = _current(changed, known, found)
        if isinstance(value, dict):
            value = codec.merged(value, codec.decoded(found, known) if found is not None else [])
        try:
            changed[known.attribute] = codec.encoded(work.organization, known, value, current)
        except (KeyError, ValueError) as error:
            raise errors.failure(f"The value '{value}' isn't valid for {known.name}.", "ArgumentException") from error
    if rest != before:
        changed[codec.XML] = codec.write_rest(rest)
    return changed


def _current(changed: dict[str, list[bytes] | None], known: Property, found: Found | None) -> dict[str, list[bytes]]:
    kept = list(found.values(known.attribute)) if found is not None else []
    values = changed.get(known.attribute, kept)
    return {known.attribute.lower(): values} if values else {}


def _receive_base(work: Work, given: dict[str, Any]) -> str:
    server = calls.server_name(work.organization, str(work.call.get("Server") or work.call.host.computer))
    given.setdefault("Fqdn", f"{server.lower()}.{work.organization.forest.domain}")
    for name in ("Bindings", "RemoteIPRanges"):
        if not given.get(name):
            raise errors.failure(f"{name} must be specified for a receive connector.", "ArgumentException")
    return work.organization.places.receive_connectors(server)


def _send_prepared(work: Work, given: dict[str, Any]) -> None:
    given.setdefault("Enabled", True)
    given.setdefault("Port", 25)
    spaces = given.get("AddressSpaces") or []
    given["AddressSpaces"] = [_space(str(one)) for one in spaces]
    if not given.get("SourceTransportServers"):
        given["SourceTransportServers"] = [work.call.host.computer]


def _space(text: str) -> str:
    """An address space in full: type, domain and cost."""
    kind, _colon, rest = text.partition(":") if ":" in text else ("SMTP", ":", text)
    return f"{kind.upper()}:{rest}" + ("" if ";" in rest else ";1")


def _send_set(work: Work, found: Found, given: dict[str, Any]) -> None:
    if isinstance(given.get("AddressSpaces"), list):
        given["AddressSpaces"] = [_space(str(one)) for one in given["AddressSpaces"]]
    if given.get("SourceTransportServers") == []:
        raise errors.failure("A send connector needs a source transport server.", "ArgumentException")


def _enabled(work: Work, given: dict[str, Any]) -> None:
    given.setdefault("Enabled", True)


def _only_one(work: Work, given: dict[str, Any]) -> None:
    if calls.objects(work.organization, kinds_hybrid.HYBRID_CONFIGURATION):
        raise errors.refused("The HybridConfiguration object already exists in this organization.")
    _both_servers(given)


def _both_servers(given: dict[str, Any]) -> None:
    """TransportServers is the older name of the sending ones."""
    if "TransportServers" in given:
        given["SendingTransportServers"] = given.pop("TransportServers")


def _not_default(work: Work, found: Found) -> None:
    if found.name == "Default":
        raise errors.refused("The default remote domain can't be removed.", found.name)


def _no_policy_in_use(work: Work, found: Found) -> None:
    if found.name == "Default Sharing Policy":
        raise errors.refused("The default sharing policy can't be removed.", found.name)


_ALL = kinds_mail_flow, kinds_hybrid
CMDLETS: dict[str, Implementation] = {
    **{f"Get-{kind.noun}": get(kind) for module in _ALL for kind in vars(module).values() if isinstance(kind, Kind)},
    "New-SendConnector": new(kinds_mail_flow.SEND, _send_prepared),
    "Set-SendConnector": set_(kinds_mail_flow.SEND, _send_set),
    "Remove-SendConnector": remove(kinds_mail_flow.SEND),
    "New-ReceiveConnector": new(kinds_mail_flow.RECEIVE, _receive_base),
    "Set-ReceiveConnector": set_(kinds_mail_flow.RECEIVE),
    "Remove-ReceiveConnector": remove(kinds_mail_flow.RECEIVE),
    "New-RemoteDomain": new(kinds_mail_flow.REMOTE_DOMAIN),
    "Set-RemoteDomain": set_(kinds_mail_flow.REMOTE_DOMAIN),
    "Remove-RemoteDomain": remove(kinds_mail_flow.REMOTE_DOMAIN, _not_default),
    "Remove-OfflineAddressBook": remove(kinds_mail_flow.OFFLINE_ADDRESS_BOOK),
    "New-HybridConfiguration": new(kinds_hybrid.HYBRID_CONFIGURATION, _only_one),
    "Set-HybridConfiguration": set_(
        kinds_hybrid.HYBRID_CONFIGURATION, lambda _work, _found, given: _both_servers(given)
    ),
    "New-IntraOrganizationConnector": new(kinds_hybrid.INTRA_ORGANIZATION, _enabled),
    "Set-IntraOrganizationConnector": set_(kinds_hybrid.INTRA_ORGANIZATION),
    "Remove-IntraOrganizationConnector": remove(kinds_hybrid.INTRA_ORGANIZATION),
    "New-OrganizationRelationship": new(kinds_hybrid.RELATIONSHIP, _enabled),
    "Set-OrganizationRelationship": set_(kinds_hybrid.RELATIONSHIP),
    "Remove-OrganizationRelationship": remove(kinds_hybrid.RELATIONSHIP),
    "New-AuthServer": new(kinds_hybrid.AUTH_SERVER, _enabled),
    "Set-AuthServer": set_(kinds_hybrid.AUTH_SERVER),
    "Remove-AuthServer": remove(kinds_hybrid.AUTH_SERVER),
    "New-PartnerApplication": new(kinds_hybrid.PARTNER_APPLICATION, _enabled),
    "Set-PartnerApplication": set_(kinds_hybrid.PARTNER_APPLICATION),
    "Remove-PartnerApplication": remove(kinds_hybrid.PARTNER_APPLICATION),
    "Add-AvailabilityAddressSpace": new(kinds_hybrid.AVAILABILITY, name="ForestName"),
    "Remove-AvailabilityAddressSpace": remove(kinds_hybrid.AVAILABILITY),
    "New-SharingPolicy": new(kinds_hybrid.SHARING_POLICY, _enabled),
    "Remove-SharingPolicy": remove(kinds_hybrid.SHARING_POLICY, _no_policy_in_use),
}


def remove_hybrid_configuration(call: Call) -> None:
    """Remove-HybridConfiguration: the object only; everything the wizard made goes on working."""
    work = calls.work(call)
    hits = calls.objects(work.organization, kinds_hybrid.HYBRID_CONFIGURATION)
    if not hits:
        raise errors.not_found("Hybrid Configuration", work.organization.controller)
    if not call.what_if:
        work.organization.directory.delete(hits[0].dn)
        work.done(call.cmdlet.name, hits[0].name)


CMDLETS["Remove-HybridConfiguration"] = remove_hybrid_configuration
