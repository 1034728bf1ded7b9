# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service does not let happen to its named objects: values that do not go together, and wrong orders.

Rules of values are on the pages of the parameters. Orders are documented nowhere: each is behind a switch of the
scenario (``organization_links``, ``connector_in_rule``), or told as an assumption beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.lab.cloud.exchange import errors
from tests.lab.cloud.exchange.identity import SERVER
from tests.lab.cloud.exchange.kinds import BY_DOCUMENT, Kind, is_named, sender_domain
from tests.lab.cloud.exchange.recipients import Call
from tests.lab.store import Document

# Properties of OnPremisesOrganization that name another object: the kind of its documents.
LINKS = {
    "InboundConnector": "inboundConnector",
    "OutboundConnector": "outboundConnector",
    "OrganizationRelationship": "organizationRelationship",
}
_ORGANIZATION = "onPremisesOrganization"
_RULE = "transportRule"
_MOST_DOMAINS = 238
_ONLY_ON_PREMISES = ("AllAcceptedDomains", "RouteAllMessagesViaOnPremises", "SenderRewritingEnabled")


def checked(call: Call, kind: Kind, doc: Document, before: Document | None = None) -> Document:
    """``doc`` as it is kept, when the rules of its kind allow it; ``before``: what it was, None for a new one."""
    check = _CHECKS.get(kind.noun)
    return check(call, doc, before) if check else doc


def may_go(call: Call, kind: Kind, doc: Document) -> None:
    """Refuse to remove what something else still needs."""
    if kind.noun == "RemoteDomain" and doc.get("DomainName") == "*":
        raise errors.invalid_operation(f"The remote domain '{doc['Name']}' is the default one. It can't be removed.")
    if call.services.scenario["organization_links"] == "refused":
        for organization in _linking(call, kind, doc):
            raise errors.invalid_operation(
                f"The object '{doc['Name']}' can't be removed because the on-premises organization "
                f"'{organization['Name']}' refers to it."
            )
    if kind.noun == "OutboundConnector" and call.services.scenario["connector_in_rule"] == "refused":
        for rule in call.services.store.list(call.tenant_id, _RULE):
            if is_named(kind, doc, str(rule.get("RouteMessageOutboundConnector") or "")):
                raise errors.invalid_operation(
                    f"The connector '{doc['Name']}' can't be removed because the mail flow rule '{rule['Name']}' "
                    "routes messages to it."
                )


def gone(call: Call, kind: Kind, doc: Document) -> None:
    """Links to an object that was removed are empty afterwards."""
    for organization in _linking(call, kind, doc):
        emptied = {name: None for name, linked in LINKS.items() if linked == kind.kind}
        call.services.write(call.tenant_id, _ORGANIZATION, organization["id"], organization, organization | emptied)


def _linking(call: Call, kind: Kind, doc: Document) -> list[Document]:
    names = [name for name, linked in LINKS.items() if linked == kind.kind]
    return [
        one
        for one in (call.services.store.list(call.tenant_id, _ORGANIZATION) if names else ())
        if any(is_named(kind, doc, str(one.get(name) or "")) for name in names)
    ]


# -- values --------------------------------------------------------------------------------------------------------


def _inbound(call: Call, doc: Document, before: Document | None) -> Document:
    doc = {**doc, "SenderDomains": [sender_domain(one) for one in doc["SenderDomains"]]}
    on_premises = doc["ConnectorType"] == "OnPremises"
    if doc["TreatMessagesAsInternal"] and (doc["CloudServicesMailEnabled"] or not on_premises):
        raise errors.data_validation(
            "TreatMessagesAsInternal can't be true for a connector whose type isn't OnPremises, or that has "
            "CloudServicesMailEnabled."
        )
    if on_premises and not doc["TlsSenderCertificateName"] and not doc["SenderIPAddresses"]:
        raise errors.data_validation(
            "A connector of type OnPremises needs TlsSenderCertificateName or SenderIPAddresses, by which it knows "
            "your servers."
        )
    if doc["RestrictDomainsToIPAddresses"] and not doc["SenderIPAddresses"]:
        raise errors.data_validation("RestrictDomainsToIPAddresses needs SenderIPAddresses.")
    if doc["RestrictDomainsToCertificate"] and not doc["TlsSenderCertificateName"]:
        raise errors.data_validation("RestrictDomainsToCertificate needs TlsSenderCertificateName.")
    _accepted(call, "AssociatedAcceptedDomains", doc["AssociatedAcceptedDomains"])
    return doc


def _outbound(call: Call, doc: Document, before: Document | None) -> Document:
    if not doc["UseMXRecord"] and not doc["SmartHosts"]:
        raise errors.data_validation("A connector that doesn't use the MX record needs SmartHosts.")
    if doc["UseMXRecord"] and doc["SmartHosts"]:
        raise errors.data_validation("A connector with SmartHosts needs UseMXRecord to be false.")
    if doc["ConnectorType"] != "OnPremises":
        for name in _ONLY_ON_PREMISES:
            if doc[name]:
                raise errors.data_validation(f"{name} needs a connector of type OnPremises.")
    if doc["TlsSettings"] == "DomainValidation" and not doc["TlsDomain"]:
        raise errors.data_validation("TlsSettings DomainValidation needs TlsDomain.")
    return doc


def _relationship(call: Call, doc: Document, before: Document | None) -> Document:
    if len(doc["DomainNames"]) > _MOST_DOMAINS:
        raise errors.data_validation(f"An organization relationship takes {_MOST_DOMAINS} domains at most.")
    _no_doubles(call, "organizationRelationship", "DomainNames", doc)
    return doc


def _intra_organization(call: Call, doc: Document, before: Document | None) -> Document:
    if not str(doc["DiscoveryEndpoint"]).lower().startswith("https://"):
        raise errors.data_validation("DiscoveryEndpoint must be an https:// address.")
    _no_doubles(call, "intraOrganizationConnector", "TargetAddressDomains", doc)
    return doc


def _no_doubles(call: Call, kind: str, name: str, doc: Document) -> None:
    # Assumed for both kinds: the service could not tell which of two objects is meant for a domain.
    mine = {domain.lower() for domain in doc[name]}
    for other in call.services.store.list(call.tenant_id, kind):
        doubled = mine & {str(domain).lower() for domain in other.get(name) or ()}
        if other["id"] != doc["id"] and doubled:
            raise errors.invalid_operation(
                f"The domain '{min(doubled)}' is already in {name} of '{other['Name']}', and can be in one only."
            )


def _on_premises(call: Call, doc: Document, before: Document | None) -> Document:
    """Connectors and relationship must exist; they are kept by their names."""
    kept = dict(doc)
    for name, kind in LINKS.items():
        wanted = doc.get(name)
        if not wanted or (before is not None and wanted == before.get(name)):
            continue
        found = [
            one
            for one in call.services.store.list(call.tenant_id, kind)
            if is_named(BY_DOCUMENT[kind], one, str(wanted))
        ]
        if not found:
            raise errors.not_found(str(wanted), SERVER)
        kept[name] = found[0]["Name"]
    _accepted(call, "HybridDomains", doc["HybridDomains"])
    return kept


def _accepted(call: Call, name: str, domains: list[Any]) -> None:
    known = {str(one["DomainName"]).lower() for one in call.services.store.list(call.tenant_id, "acceptedDomain")}
    for domain in domains:
        if str(domain).lower().removeprefix("autod:") not in known:
            raise errors.data_validation(f"{name}: the domain '{domain}' isn't an accepted domain of the organization.")


def _remote_domain(call: Call, doc: Document, before: Document | None) -> Document:
    wanted = str(doc["DomainName"]).lower()
    for other in call.services.store.list(call.tenant_id, "remoteDomain"):
        if other["id"] != doc["id"] and str(other["DomainName"]).lower() == wanted:
            raise errors.invalid_operation(f"The remote domain '{other['Name']}' is already there for '{wanted}'.")
    return doc


_CHECKS: dict[str, Callable[[Call, Document, Document | None], Document]] = {
    "InboundConnector": _inbound,
    "IntraOrganizationConnector": _intra_organization,
    "OnPremisesOrganization": _on_premises,
    "OrganizationRelationship": _relationship,
    "OutboundConnector": _outbound,
    "RemoteDomain": _remote_domain,
}
