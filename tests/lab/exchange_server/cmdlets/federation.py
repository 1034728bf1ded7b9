# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Federation: the organisation's identifier and domains, the trust, and the OAuth settings."""

from __future__ import annotations

from typing import Any

from tests.lab.exchange_server import calls, errors, kinds_hybrid
from tests.lab.exchange_server.calls import Work
from tests.lab.exchange_server.cmdlets import generic
from tests.lab.exchange_server.cmdlets.certificates import by_thumbprint
from tests.lab.exchange_server.databases import leaf
from tests.lab.exchange_server.directory import Found
from tests.lab.forest.entries import raw
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.values import Obj

_CONFIGURATION = "Microsoft.Exchange.Data.Directory.SystemConfiguration"


def _identifier(work: Work) -> Found:
    hits = work.organization.below(work.organization.places.federation, "msExchFedOrgId")
    if not hits:
        raise errors.not_found("Federation", work.organization.controller)
    return hits[0]


def get_federated_organization_identifier(call: Call) -> None:
    """Get-FederatedOrganizationIdentifier."""
    work = calls.work(call)
    found = _identifier(work)
    values = {
        "AccountNamespace": found.text("msExchFedAccountNamespace"),
        "Domains": found.texts("msExchFedDomainNames"),
        "DefaultDomain": None,
        "Enabled": found.text("msExchFedIsEnabled") == "TRUE",
        "OrganizationContact": None,
        "DelegationTrustLink": leaf(found.text("msExchFedDelegationTrust")) or None,
    }
    properties = {**calls.common(work.organization, found), **values}
    call.write(
        Obj((f"{_CONFIGURATION}.FederatedOrganizationIdWithDomainStatus", "System.Object"), properties, found.name)
    )


def set_federated_organization_identifier(call: Call) -> None:
    """Set-FederatedOrganizationIdentifier: on or off, trust and account namespace."""
    work = calls.work(call)
    found = _identifier(work)
    changed: dict[str, list[bytes] | None] = {}
    if call.get("Enabled") is not None:
        changed["msExchFedIsEnabled"] = [raw(bool(call.get("Enabled")))]
    if call.get("DelegationFederationTrust"):
        trust = kinds_hybrid.trust_dn(work.organization, str(call.get("DelegationFederationTrust")))
        changed["msExchFedDelegationTrust"] = [trust.encode()]
    if call.get("AccountNamespace"):
        namespace = f"FYDIBOHF25SPDLT.{call.get('AccountNamespace')}"
        changed["msExchFedAccountNamespace"] = [namespace.encode()]
        changed["msExchFedDomainNames"] = [namespace.encode()]
    if not call.what_if:
        work.organization.directory.modify(found.dn, changed)


def _reach_gateway(work: Work) -> None:
    with work.exchange.state(work.tenant) as state:
        reachable = state["gateway"] == "reachable"
    if not reachable:
        raise errors.failure(
            "An unexpected result was received from Windows Live. Detailed information: the Microsoft Federation "
            "Gateway couldn't be reached.",
            "LiveDomainServicesException",
            "InvalidResult",
        )


def add_federated_domain(call: Call) -> None:
    """Add-FederatedDomain."""
    work = calls.work(call)
    found = _identifier(work)
    _reach_gateway(work)
    domain = str(call.get("DomainName"))
    domains = found.texts("msExchFedDomainNames")
    if domain.lower() in (one.lower() for one in domains):
        raise errors.refused(f"The domain '{domain}' is already federated.", domain)
    if not call.what_if:
        values = [one.encode() for one in (*domains, domain)]
        work.organization.directory.modify(found.dn, {"msExchFedDomainNames": values})


def remove_federated_domain(call: Call) -> None:
    """Remove-FederatedDomain: the account namespace last; -Force where the gateway cannot be reached."""
    work = calls.work(call)
    found = _identifier(work)
    domain, domains = str(call.get("DomainName")), found.texts("msExchFedDomainNames")
    namespace = found.text("msExchFedAccountNamespace") or ""
    wanted = domain.lower()
    hits = [one for one in domains if wanted in (one.lower(), one.lower().removeprefix("fydibohf25spdlt."))]
    exact = [one for one in hits if one.lower() == wanted] or hits
    if not exact:
        raise errors.failure(f"The domain '{domain}' isn't federated.", "DomainNotFederatedException", target=domain)
    if exact[0].lower() == namespace.lower() and len(domains) > 1:
        raise errors.refused(
            f"The domain '{exact[0]}' is the account namespace of the federated organization. Remove the other "
            f"federated domains first: {', '.join(one for one in domains if one != exact[0])}.",
            domain,
        )
    if not call.get("Force"):
        _reach_gateway(work)
    if call.what_if:
        return
    left = [one.encode() for one in domains if one != exact[0]]
    changed: dict[str, list[bytes] | None] = {"msExchFedDomainNames": left or None}
    if not left:
        changed |= {"msExchFedAccountNamespace": None, "msExchFedDelegationTrust": None}
        changed["msExchFedIsEnabled"] = [raw(False)]
    work.organization.directory.modify(found.dn, changed)
    work.done(call.cmdlet.name, domain)


def _not_in_use(work: Work, found: Found) -> None:
    for identifier in work.organization.below(work.organization.places.federation, "msExchFedOrgId"):
        linked = (identifier.text("msExchFedDelegationTrust") or "").lower() == found.dn.lower()
        if linked and identifier.texts("msExchFedDomainNames"):
            raise errors.refused(
                f"The federation trust '{found.name}' can't be removed because it's used by the federated organization "
                f"identifier for the domains {', '.join(identifier.texts('msExchFedDomainNames'))}. Remove them with "
                "Remove-FederatedDomain first.",
                found.name,
            )


def _trusted(work: Work, given: dict[str, Any]) -> None:
    thumbprint = str(given.pop("Thumbprint", ""))
    if by_thumbprint(work, thumbprint) is None:
        raise errors.failure(
            f"The certificate with thumbprint {thumbprint} wasn't found.", "FederationCertificateInvalidException"
        )
    given.pop("MetadataUrl", None)
    given |= {"OrgPrivCertificate": thumbprint.upper(), "TokenIssuerUri": "urn:federation:MicrosoftOnline"}


def _renewed(work: Work, found: Found, given: dict[str, Any]) -> None:
    if "Thumbprint" in given:
        _trusted(work, given)
    given.pop("MetadataUrl", None)


def get_auth_config(call: Call) -> None:
    """Get-AuthConfig."""
    work = calls.work(call)
    found = work.organization.directory.get(work.organization.places.authentication)
    if found is None:
        raise errors.not_found("Auth Configuration", work.organization.controller)
    values = {
        "CurrentCertificateThumbprint": found.text("msExchAuthCertificateThumbprint"),
        "PreviousCertificateThumbprint": None,
        "NextCertificateThumbprint": None,
        "NextCertificateEffectiveDate": None,
        "Realm": found.text("msExchAuthRealm") or "",
        "ServiceName": "00000002-0000-0ff1-ce00-000000000000",
    }
    properties = {**calls.common(work.organization, found), **values}
    call.write(Obj((f"{_CONFIGURATION}.AuthConfig", "System.Object"), properties, found.name))


def set_auth_config(call: Call) -> None:
    """Set-AuthConfig: the certificate, or the realm."""
    work = calls.work(call)
    changed: dict[str, list[bytes] | None] = {}
    thumbprint = call.get("CertificateThumbprint") or call.get("NewCertificateThumbprint")
    if thumbprint:
        if by_thumbprint(work, str(thumbprint)) is None:
            raise errors.failure(f"The certificate with thumbprint {thumbprint} wasn't found.", "ArgumentException")
        changed["msExchAuthCertificateThumbprint"] = [str(thumbprint).upper().encode()]
    if "Realm" in call.bound.values:
        changed["msExchAuthRealm"] = [str(call.get("Realm")).encode()] if call.get("Realm") else None
    if not call.what_if:
        work.organization.directory.modify(work.organization.places.authentication, changed)


CMDLETS: dict[str, Implementation] = {
    "Get-FederatedOrganizationIdentifier": get_federated_organization_identifier,
    "Set-FederatedOrganizationIdentifier": set_federated_organization_identifier,
    "Add-FederatedDomain": add_federated_domain,
    "Remove-FederatedDomain": remove_federated_domain,
    "New-FederationTrust": generic.new(kinds_hybrid.FEDERATION_TRUST, _trusted),
    "Set-FederationTrust": generic.set_(kinds_hybrid.FEDERATION_TRUST, _renewed),
    "Remove-FederationTrust": generic.remove(kinds_hybrid.FEDERATION_TRUST, _not_in_use),
    "Get-AuthConfig": get_auth_config,
    "Set-AuthConfig": set_auth_config,
}
