# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers, and what each of them has one of."""

from __future__ import annotations

from typing import Any

from tests.lab.exchange_server import calls, codec, errors
from tests.lab.exchange_server.calls import Work
from tests.lab.exchange_server.directory import Found
from tests.lab.exchange_server.exchange import fqdn
from tests.lab.exchange_server.kinds_mail_flow import DEFAULT_SIZE
from tests.lab.forest.entries import split_dn
from tests.lab.forest.organization_parts import SITE
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.errors import CmdletError
from tests.lab.windows.values import Obj

EDGE = 64  # msExchCurrentServerRoles
_ROLES = {54: "Mailbox", EDGE: "Edge"}
_CONFIGURATION = "Microsoft.Exchange.Data.Directory.SystemConfiguration"
_MANAGEMENT = "Microsoft.Exchange.Data.Directory.Management"
_COMPONENTS = (
    "ServerWideOffline",
    "HubTransport",
    "FrontendTransport",
    "Monitoring",
    "RecoveryActionsEnabled",
    "EwsProxy",
    "OwaProxy",
    "AutoDiscoverProxy",
    "HttpProxyAvailabilityGroup",
)
_TRANSPORT: dict[str, Any] = {
    "AntispamAgentsEnabled": False,
    "ConnectivityLogEnabled": True,
    "ExternalDNSServers": [],
    "InternalDNSServers": [],
    "MessageExpirationTimeout": "2.00:00:00",
    "MessageTrackingLogEnabled": True,
    "MessageTrackingLogMaxAge": "30.00:00:00",
    "MessageTrackingLogMaxDirectorySize": "1000 MB (1,048,576,000 bytes)",
    "MessageTrackingLogPath": r"C:\Program Files\Microsoft\Exchange Server\V15\TransportRoles\Logs\MessageTracking",
    "MessageTrackingLogSubjectLoggingEnabled": True,
    "PickupDirectoryPath": r"C:\Program Files\Microsoft\Exchange Server\V15\TransportRoles\Pickup",
    "ReceiveProtocolLogMaxAge": "30.00:00:00",
    "ReceiveProtocolLogPath": r"C:\Program Files\Microsoft\Exchange Server\V15\TransportRoles\Logs\Hub\ProtocolLog"
    r"\SmtpReceive",
    "SendProtocolLogMaxAge": "30.00:00:00",
}


def _each(call: Call, with_edge: bool = False) -> list[tuple[Work, Found]]:
    """The servers that a call is about."""
    work = calls.work(call)
    wanted = calls.identities(call)
    if not wanted:
        servers = work.organization.servers()
        return [(work, one) for one in servers if with_edge or one.number("msExchCurrentServerRoles") != EDGE]
    found = []
    for identity in wanted:
        server = work.organization.server(identity)
        if server is None:
            call.error(errors.not_found(identity, work.organization.controller))
        else:
            found.append((work, server))
    return found


def write(call: Call, work: Work, found: Found, type_name: str, values: dict[str, Any]) -> None:
    """Put out an object of the directory with properties of its kind."""
    properties = {**calls.common(work.organization, found), **values}
    types = (type_name, "Microsoft.Exchange.Data.Directory.ADConfigurationObject", "System.Object")
    call.write(Obj(types, properties, str(properties["Identity"]), key=found.dn))


def get_exchange_server(call: Call) -> None:
    """Get-ExchangeServer."""
    domain = call.get("Domain")
    for work, found in _each(call, with_edge=True):
        if domain and str(domain).lower() != work.organization.forest.domain:
            continue
        role = found.number("msExchCurrentServerRoles")
        site = found.text("msExchServerSite")
        number = found.number("versionNumber")
        write(
            call,
            work,
            found,
            f"{_MANAGEMENT}.ExchangeServer",
            {
                "AdminDisplayVersion": found.text("serialNumber") or "",
                "DataPath": r"C:\Program Files\Microsoft\Exchange Server\V15\Mailbox",
                "Domain": work.organization.forest.domain,
                "Edition": "Standard",
                "ExchangeLegacyDN": found.text("legacyExchangeDN") or "",
                "Fqdn": fqdn(found),
                "IsClientAccessServer": role != EDGE,
                "IsEdgeServer": role == EDGE,
                "IsE15OrLater": True,
                "IsExchangeTrialEdition": False,
                "IsHubTransportServer": role != EDGE,
                "IsMailboxServer": role != EDGE,
                "NetworkAddress": found.texts("networkAddress"),
                "OrganizationalUnit": f"{work.organization.forest.domain}/{found.name}",
                "ServerRole": _ROLES.get(role, str(role)),
                "Site": f"{work.organization.forest.domain}/Configuration/Sites/{SITE}" if site else None,
                "VersionNumber": number,
            },
        )


def _discovery(work: Work, found: Found) -> Found | None:
    below = split_dn(work.organization.places.discovery(found.name))[1]
    hits = work.organization.directory.search(below, "(objectClass=serviceConnectionPoint)")
    return hits[0] if hits else None


def get_client_access_service(call: Call) -> None:
    """Get-ClientAccessService: the service connection point of Autodiscover among its properties."""
    for work, found in _each(call):
        point = _discovery(work, found)
        keywords = point.texts("keywords") if point else []
        write(
            call,
            work,
            found,
            f"{_MANAGEMENT}.ClientAccessServer",
            {
                "Fqdn": fqdn(found),
                "AutoDiscoverServiceCN": found.name,
                "AutoDiscoverServiceClassName": "ms-Exchange-AutoDiscover-Service",
                "AutoDiscoverServiceInternalUri": point.text("serviceBindingInformation") if point else None,
                "AutoDiscoverServiceGuid": "77378f46-2c66-4aa9-a6a6-3e7a48b19596",
                "AutoDiscoverSiteScope": [one.partition("=")[2] for one in keywords if one.startswith("Site=")],
                "AlternateServiceAccountConfiguration": None,
                "IsOutOfService": False,
                "OutlookAnywhereEnabled": True,
            },
        )


def set_client_access_service(call: Call) -> None:
    """Set-ClientAccessService: the address that domain members look up, and the sites it is for."""
    for work, found in _each(call):
        point = _discovery(work, found)
        if point is None:
            call.error(errors.not_found(found.name, work.organization.controller))
            continue
        changed: dict[str, list[bytes] | None] = {}
        if "AutoDiscoverServiceInternalUri" in call.bound.values:
            address = call.get("AutoDiscoverServiceInternalUri")
            changed["serviceBindingInformation"] = [str(address).encode()] if address else None
        if "AutoDiscoverSiteScope" in call.bound.values:
            current = [one.partition("=")[2] for one in point.texts("keywords") if one.startswith("Site=")]
            sites = codec.merged(call.get("AutoDiscoverSiteScope"), current)
            kept = [one for one in point.texts("keywords") if not one.startswith("Site=")]
            changed["keywords"] = [one.encode() for one in (*kept, *(f"Site={site}" for site in sites))]
        if not call.what_if:
            work.organization.directory.modify(point.dn, changed)


def get_transport_service(call: Call) -> None:
    """Get-TransportService."""
    for work, found in _each(call):
        values = {**_TRANSPORT, **codec.read_rest(found)}
        write(call, work, found, f"{_MANAGEMENT}.TransportServer", values)


def set_transport_service(call: Call) -> None:
    """Set-TransportService."""
    for work, found in _each(call):
        given = {name: one for name, one in call.bound.values.items() if name.lower() not in calls.CONTROL}
        rest = codec.read_rest(found)
        rest |= {name: codec.merged(one, rest.get(name, _TRANSPORT.get(name))) for name, one in given.items()}
        if not call.what_if:
            work.organization.directory.modify(found.dn, {codec.XML: codec.write_rest(rest)})


def get_frontend_transport_service(call: Call) -> None:
    """Get-FrontendTransportService."""
    for work, found in _each(call):
        name = f"{found.name}\\Frontend"
        values = {
            "Identity": name,
            "Id": name,
            "ReceiveProtocolLogMaxAge": "30.00:00:00",
            "MaxReceiveSize": DEFAULT_SIZE,
        }
        write(call, work, found, f"{_CONFIGURATION}.FrontendTransportServer", values)


def get_server_component_state(call: Call) -> None:
    """Get-ServerComponentState: kept with the machine."""
    for work, found in _each(call):
        with call.estate.change(calls.host_of(work, found.name)) as document:
            states = dict(document["exchange"]["components"])
        for component in _COMPONENTS:
            if call.get("Component") and str(call.get("Component")).lower() != component.lower():
                continue
            shown = {"ServerFqdn": fqdn(found), "Component": component, "State": states.get(component, "Active")}
            types = ("Microsoft.Exchange.Data.Storage.ServerComponentStateInfo", "System.Object")
            call.write(Obj(types, {**shown, "Identity": found.name, "IsValid": True}, component))


def set_server_component_state(call: Call) -> None:
    """Set-ServerComponentState."""
    wanted = str(call.get("Component"))
    component = next((one for one in _COMPONENTS if one.lower() == wanted.lower()), None)
    if component is None:
        raise errors.failure(f"The component '{wanted}' isn't known.", "ArgumentException")
    for work, found in _each(call):
        if not call.what_if:
            with call.estate.change(calls.host_of(work, found.name)) as document:
                document["exchange"]["components"][component] = str(call.get("State")).capitalize()


def _by_role(call: Call, work: Work, identity: str) -> Found:
    found = work.organization.server(identity)
    if found is None or found.number("msExchCurrentServerRoles") != EDGE:
        raise errors.not_found(identity, work.organization.controller)
    return found


def get_edge_subscription(call: Call) -> None:
    """Get-EdgeSubscription."""
    work = calls.work(call)
    wanted = calls.identities(call)
    edges = [one for one in work.organization.servers() if one.number("msExchCurrentServerRoles") == EDGE]
    for found in [_by_role(call, work, one) for one in wanted] if wanted else edges:
        values = {"Site": SITE, "Domain": work.organization.forest.domain}
        write(call, work, found, "Microsoft.Exchange.Management.SystemConfigurationTasks.EdgeSubscription", values)


def remove_edge_subscription(call: Call) -> None:
    """Remove-EdgeSubscription: the Edge server's object goes."""
    work = calls.work(call)
    for identity in calls.identities(call):
        try:
            found = _by_role(call, work, identity)
        except CmdletError as error:
            call.error(error)
            continue
        if not call.what_if:
            work.organization.directory.delete(found.dn, tree=True)
            work.done(call.cmdlet.name, found.name)


def nothing(call: Call) -> None:
    """There are no such objects in the lab."""
    for identity in calls.identities(call):
        call.error(errors.not_found(identity, calls.work(call).organization.controller))


CMDLETS: dict[str, Implementation] = {
    "Get-ExchangeServer": get_exchange_server,
    "Get-ClientAccessService": get_client_access_service,
    "Set-ClientAccessService": set_client_access_service,
    "Get-TransportService": get_transport_service,
    "Set-TransportService": set_transport_service,
    "Get-FrontendTransportService": get_frontend_transport_service,
    "Get-ServerComponentState": get_server_component_state,
    "Set-ServerComponentState": set_server_component_state,
    "Get-EdgeSubscription": get_edge_subscription,
    "Remove-EdgeSubscription": remove_edge_subscription,
    "Get-AddressList": nothing,
    "Get-AvailabilityConfig": nothing,
    "Get-DeliveryAgentConnector": nothing,
    "Get-DynamicDistributionGroup": nothing,
    "Get-EmailAddressPolicy": nothing,
    "Get-ForeignConnector": nothing,
    "Get-MailPublicFolder": nothing,
}
