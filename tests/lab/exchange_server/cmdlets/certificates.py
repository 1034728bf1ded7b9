# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of the servers. They are kept with the machines: the lab's have thumbprints, and no keys."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

from tests.lab.clock import iso
from tests.lab.exchange_server import calls, errors
from tests.lab.exchange_server.calls import Work
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.cmdlets.items import when
from tests.lab.windows.errors import CmdletError
from tests.lab.windows.places import HostAddress
from tests.lab.windows.values import Obj

Document = dict[str, Any]
_TYPES = (
    "Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate",
    "System.Security.Cryptography.X509Certificates.X509Certificate2",
    "System.Object",
)
_MARK = b"stand-in of the rehearsal lab: a certificate without a key\n"


def _host(work: Work) -> HostAddress:
    server = work.call.get("Server")
    if server is None:
        return work.call.host
    host: HostAddress = calls.host_of(work, calls.server_name(work.organization, str(server)))
    return host


def _thumbprints(call: Call) -> list[str]:
    given = calls.identities(call, "Thumbprint") + [one.rpartition("\\")[2] for one in calls.identities(call)]
    return [one.replace(" ", "").upper() for one in given]


def _object(work: Work, host: HostAddress, one: Document) -> Obj:
    expired = when(one["not_after"]) < work.call.estate.now()
    own = {
        "Identity": f"{host.fqdn}\\{one['thumbprint']}",
        "Thumbprint": one["thumbprint"],
        "Subject": one["subject"],
        "Issuer": one["issuer"],
        "FriendlyName": one.get("friendly", one["subject"].partition("=")[2]),
        "Services": one["services"],
        "ServicesStringForm": one["services"],
        "CertificateDomains": one["domains"],
        "NotBefore": when(one["not_before"]),
        "NotAfter": when(one["not_after"]),
        "Status": "DateInvalid" if expired else "Valid",
        "IsSelfSigned": one["self_signed"],
        "HasPrivateKey": True,
        "PrivateKeyExportable": one["exportable"],
        "RootCAType": "None" if one["self_signed"] else "Enterprise",
        "SerialNumber": hashlib.sha256(one["thumbprint"].encode()).hexdigest()[:32].upper(),
        "PublicKeySize": 2048,
        "Server": host.computer,
    }
    return Obj(_TYPES, own, f"[Subject]\n  {one['subject']}", key=one["thumbprint"])


def by_thumbprint(work: Work, thumbprint: str) -> Document | None:
    """A certificate of the session's server."""
    with work.call.estate.change(work.call.host) as document:
        for one in document["exchange"]["certificates"]:
            if one["thumbprint"] == thumbprint.replace(" ", "").upper():
                return dict(one)
    return None


def get_exchange_certificate(call: Call) -> None:
    """Get-ExchangeCertificate."""
    work = calls.work(call)
    host, wanted = _host(work), _thumbprints(call)
    names = [str(one).lower() for one in call.many("DomainName")]
    with call.estate.change(host) as document:
        kept = [dict(one) for one in document["exchange"]["certificates"]]
    known = {one["thumbprint"] for one in kept}
    for missing in (one for one in wanted if one not in known):
        call.error(_unknown(missing))
    for one in kept:
        if wanted and one["thumbprint"] not in wanted:
            continue
        if names and not {domain.lower() for domain in one["domains"]} & set(names):
            continue
        call.write(_object(work, host, one))


def _unknown(thumbprint: str) -> CmdletError:
    text = f"The certificate with thumbprint {thumbprint} was not found."
    return errors.failure(text, "ArgumentException", "InvalidArgument", thumbprint)


def _users(work: Work, one: Document) -> str | None:
    """What still needs a certificate."""
    organization, thumbprint = work.organization, one["thumbprint"]
    for trust in organization.below(organization.places.federation_trusts, "msExchFedTrust"):
        if (trust.text("msExchFedOrgPrivCertificate") or "").upper() == thumbprint:
            return f"the federation trust '{trust.name}'"
    settings = organization.directory.get(organization.places.authentication)
    if settings is not None and (settings.text("msExchAuthCertificateThumbprint") or "").upper() == thumbprint:
        return "the organization's Auth Configuration"
    name = f"<I>{one['issuer']}<S>{one['subject']}"
    for connector in organization.below(organization.places.connections, "msExchRoutingSMTPConnector"):
        if connector.text("msExchSmtpTLSCertificate") == name:
            return f"the send connector '{connector.name}'"
    return None


def remove_exchange_certificate(call: Call) -> None:
    """Remove-ExchangeCertificate: not while a trust, the OAuth settings or a connector use it."""
    work = calls.work(call)
    host, wanted = _host(work), _thumbprints(call)
    if not wanted:
        raise errors.failure("A thumbprint must be specified.", "ArgumentException", "InvalidArgument")
    for thumbprint in wanted:
        with call.estate.change(host) as document:
            kept = document["exchange"]["certificates"]
            one = next((each for each in kept if each["thumbprint"] == thumbprint), None)
            if one is None:
                call.error(_unknown(thumbprint))
                continue
            user = _users(work, one)
            if user is not None:
                call.error(
                    errors.refused(
                        f"The certificate with thumbprint {thumbprint} ({one['subject']}) can't be removed because "
                        f"it's used by {user}.",
                        thumbprint,
                    )
                )
                continue
            if not call.what_if:
                document["exchange"]["certificates"] = [each for each in kept if each is not one]
        if not call.what_if:
            work.done(call.cmdlet.name, f"{host.computer} {thumbprint}")


def export_exchange_certificate(call: Call) -> None:
    """Export-ExchangeCertificate: bytes, or with -FileName a file on the server."""
    work = calls.work(call)
    host, wanted = _host(work), _thumbprints(call)
    if call.get("FileName"):
        raise errors.not_here(call.cmdlet.name, "with -FileName")
    with call.estate.change(host) as document:
        kept = {one["thumbprint"]: dict(one) for one in document["exchange"]["certificates"]}
    for thumbprint in wanted:
        one = kept.get(thumbprint)
        if one is None:
            call.error(_unknown(thumbprint))
        elif not one["exportable"]:
            call.error(errors.refused("The certificate's private key isn't exportable.", thumbprint))
        else:
            data = _MARK + json.dumps(one).encode()
            types = ("Microsoft.Exchange.Management.SystemConfigurationTasks.BinaryFileDataObject", "System.Object")
            call.write(Obj(types, {"FileData": data, "Identity": None, "IsValid": True}))


def import_exchange_certificate(call: Call) -> None:
    """Import-ExchangeCertificate -FileData: what Export-ExchangeCertificate gave."""
    work = calls.work(call)
    host, given = _host(work), call.get("FileData")
    data = bytes(given[0]) if isinstance(given, list) and given and isinstance(given[0], bytes) else bytes(given or b"")
    if not data.startswith(_MARK):
        raise errors.failure("The file isn't a valid certificate.", "ArgumentException", "InvalidArgument")
    one = json.loads(data[len(_MARK) :])
    one["exportable"] = bool(call.get("PrivateKeyExportable", False))
    with call.estate.change(host) as document:
        kept = document["exchange"]["certificates"]
        if any(each["thumbprint"] == one["thumbprint"] for each in kept):
            raise errors.refused(
                f"A certificate with the thumbprint {one['thumbprint']} already exists.", one["thumbprint"]
            )
        if not call.what_if:
            kept.append(one)
    call.write(_object(work, host, one))


def new_exchange_certificate(call: Call) -> None:
    """New-ExchangeCertificate: self-signed."""
    work = calls.work(call)
    if call.get("GenerateRequest"):
        raise errors.not_here(call.cmdlet.name, "with -GenerateRequest")
    host, now = _host(work), call.estate.now()
    subject = str(call.get("SubjectName") or f"CN={host.computer}")
    with call.estate.change(host) as document:
        kept = document["exchange"]["certificates"]
        seed = f"{host.fqdn}/{subject}/{len(kept)}/{now.timestamp()}"
        one = {
            "subject": subject,
            "issuer": subject,
            "thumbprint": hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest().upper(),
            "services": str(call.get("Services") or "None"),
            "self_signed": True,
            "friendly": str(call.get("FriendlyName") or subject.partition("=")[2]),
            "domains": [str(name) for name in call.many("DomainName")],
            "not_before": iso(now),
            "not_after": iso(now + timedelta(days=5 * 365)),
            "exportable": bool(call.get("PrivateKeyExportable", False)),
        }
        if not call.what_if:
            kept.append(one)
    call.write(_object(work, host, one))


def enable_exchange_certificate(call: Call) -> None:
    """Enable-ExchangeCertificate: for services."""
    work = calls.work(call)
    host = _host(work)
    for thumbprint in _thumbprints(call):
        with call.estate.change(host) as document:
            one = next(
                (each for each in document["exchange"]["certificates"] if each["thumbprint"] == thumbprint), None
            )
            if one is None:
                call.error(_unknown(thumbprint))
            elif not call.what_if:
                one["services"] = str(call.get("Services"))


CMDLETS: dict[str, Implementation] = {
    "Get-ExchangeCertificate": get_exchange_certificate,
    "Remove-ExchangeCertificate": remove_exchange_certificate,
    "Export-ExchangeCertificate": export_exchange_certificate,
    "Import-ExchangeCertificate": import_exchange_certificate,
    "New-ExchangeCertificate": new_exchange_certificate,
    "Enable-ExchangeCertificate": enable_exchange_certificate,
}
