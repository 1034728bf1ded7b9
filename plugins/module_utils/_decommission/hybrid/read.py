# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Reading the objects of the hybrid set-up: first what has to be known, then each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import agent, graph
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import known as known_of
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.kind import Kind
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.known import Known, Row, text, texts
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.memory import Memory
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.wanted import Ends, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.order import CLOUD, ON_PREMISES
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.ports import ExchangeServer
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Ambiguous,
    InputError,
    NotFound,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet

_CERTIFICATES = ("CurrentCertificateThumbprint", "PreviousCertificateThumbprint", "NextCertificateThumbprint")


# Kinds whose wizard-made names hold the id by which Exchange Online knows the organization.
_NAMED = ("SendConnector", "IntraOrganizationConnector", "OrganizationRelationship", "AuthServer")


def read_known(ends: Ends, wanted: Wanted, servers: Iterable[str], memory: Memory) -> Known:
    """What the rules judge by. servers: what AD shows of them; memory: what an earlier phase knew."""
    organizations = _online(ends, "Get-OnPremisesOrganization")
    guids = {wanted.organization_guid} if wanted.organization_guid else set(memory.guids)
    certificates: frozenset[str] = frozenset(wanted.auth_certificates) or memory.certificates
    if ends.server is not None and not (guids and certificates):
        try:
            if not guids:
                guids = _own_guids(ends.server, organizations)
            certificates = certificates or _auth_certificates(ends.server)
        except Unavailable:
            if wanted.side == ON_PREMISES:
                raise
            ends.server.close()  # it may be gone for good; what is known otherwise has to do
    mine = _mine(organizations, guids)
    others = [row for row in organizations if row not in mine]
    own = known_of.references(mine)
    relationships = [
        row
        for row in _online(ends, "Get-OrganizationRelationship")
        if known_of.last_part(known_of.name_of(row)) in own["organization_relationship"]
    ]
    addresses = [
        *(text(row.get("TargetSharingEpr")) for row in relationships),
        *(text(row.get("RemoteServer")) for row in _online(ends, "Get-MigrationEndpoint")),
    ]
    routing = wanted.routing_domains or known_of.routing_domains(_online(ends, "Get-AcceptedDomain"))
    return Known(
        routing_domains=routing,
        organization_guids=frozenset(guids) | _guids(mine),
        other_guids=_guids(others),
        own={**own, "on_premises_organization": frozenset(known_of.name_of(row).lower() for row in mine)},
        others=known_of.references(others),
        application_ids=known_of.application_ids(*addresses),
        auth_certificates=certificates or None,
        servers=tuple(servers),
    )


def _own_guids(end: ExchangeServer, organizations: list[dict[str, Any]]) -> set[str]:
    """The organization's id, and ids of Exchange Online's records that the wizard's names on premises hold."""
    config = next(iter(_rows(end, Cmdlet("Get-OrganizationConfig"))), {})
    names = (known_of.name_of(row) for noun in _NAMED for row in _rows(end, Cmdlet(f"Get-{noun}")))
    named = {guid for name in names for guid in known_of.guids_in(name)}
    return {*known_of.guids_in(text(config.get("Guid"))), *(named & _guids(organizations))}


def _auth_certificates(end: ExchangeServer) -> frozenset[str]:
    auth = next(iter(_rows(end, Cmdlet("Get-AuthConfig"))), {})
    return frozenset(found for name in _CERTIFICATES if (found := known_of.thumbprint(auth.get(name))) is not None)


def read_kind(ends: Ends, wanted: Wanted, kind: Kind, known: Known) -> list[dict[str, Any]]:
    """All objects of a kind, whether they belong to the hybrid set-up or not."""
    special = _SPECIAL.get((kind.side, kind.name))
    if special is not None:
        return special(ends, wanted, known)
    if kind.side == CLOUD:
        return _online(ends, kind.get, kind.get_parameters)
    return _rows(server(ends), Cmdlet(kind.get, kind.get_parameters))


def server(ends: Ends) -> ExchangeServer:
    """Exchange Server's management endpoint; InputError where none is given."""
    if ends.server is None:
        raise InputError("The side on_premises needs Exchange Server: give exchange_server_host and its account.")
    return ends.server


def _mine(organizations: list[dict[str, Any]], guids: set[str]) -> list[dict[str, Any]]:
    """Exchange Online's records of this organization, by its ids. Not even an only record is taken for granted: the
    tenant's hybrid organization may be another forest's."""
    if not guids and organizations:
        names = ", ".join(f"{known_of.name_of(row)} ({text(row.get('OrganizationGuid'))})" for row in organizations)
        raise Ambiguous(
            f"Exchange Online has records of on-premises organizations, {names}, and whether one is this organization "
            "cannot be told, as its servers are not asked and no earlier run on premises left a note. Give "
            "organization_guid, the id in brackets that is right."
        )
    return [row for row in organizations if known_of.guids_in(text(row.get("OrganizationGuid"))) & guids]


def _guids(organizations: Iterable[Row]) -> frozenset[str]:
    return frozenset(found for row in organizations for found in known_of.guids_in(text(row.get("OrganizationGuid"))))


def _online(ends: Ends, name: str, parameters: Mapping[str, Any] = MappingProxyType({})) -> list[dict[str, Any]]:
    try:
        return list(ends.online.invoke(Cmdlet(name, dict(parameters))))
    except NotFound:
        return []


def _rows(end: ExchangeServer, cmdlet: Cmdlet) -> list[dict[str, Any]]:
    try:
        return list(end.invoke(cmdlet))
    except NotFound:
        return []


def _federated_domains(ends: Ends, _wanted: Wanted, _known: Known) -> list[dict[str, Any]]:
    """The domains of the federated organization identifier; the account namespace comes last, as it must go last."""
    found: list[dict[str, Any]] = []
    for row in _rows(server(ends), Cmdlet("Get-FederatedOrganizationIdentifier", {"IncludeExtendedDomainInfo": False})):
        namespace = text(row.get("AccountNamespace")).lower()
        names = dict.fromkeys(name.lower() for name in (*texts(row.get("Domains")), namespace) if name)
        ordered = [name for name in names if name != namespace] + [name for name in names if name == namespace]
        found += [{"Name": name, "DomainName": name, "AccountNamespace": name == namespace} for name in ordered]
    return found


def _federation_certificates(ends: Ends, _wanted: Wanted, known: Known) -> list[dict[str, Any]]:
    """The certificates of each server; only their public parts are told."""
    found: list[dict[str, Any]] = []
    for name in known.servers:
        found += [
            {**row, "Server": name, "Name": rf"{name}\{text(row.get('Thumbprint'))}"}
            for row in _rows(server(ends), Cmdlet("Get-ExchangeCertificate", {"Server": name}))
        ]
    return found


_Reader = Callable[[Ends, Wanted, Known], list[dict[str, Any]]]
_SPECIAL: Mapping[tuple[str, str], _Reader] = MappingProxyType(
    {
        (ON_PREMISES, "federated_domain"): _federated_domains,
        (ON_PREMISES, "federation_certificate"): _federation_certificates,
        (ON_PREMISES, "hybrid_agent"): agent.read,
        (CLOUD, "service_principal_keys"): graph.read_keys,
        (CLOUD, "hybrid_application"): graph.read_applications,
    }
)
