# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the lab's cloud share: a small lab in memory, engines that only record, and requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.lab.clock import Clock
from tests.lab.cloud import app_roles
from tests.lab.cloud.context import ForestControl, Services
from tests.lab.cloud.seed import cloud_only, fixed_guid
from tests.lab.cloud.server import build, first_start
from tests.lab.cloud.traffic import Outcome, process
from tests.lab.cloud.wire import Reply, Request
from tests.lab.forest.changes import checked_changes
from tests.lab.scenario import Scenario
from tests.lab.store import Document, Store

SERVICES = ("control", "login", "graph", "exchange")
CONTOSO, FABRIKAM = "11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"
RULE_SCHEMA: Document = {
    "version": "1",
    "directories": [
        {"id": "d1", "name": "Azure Active Directory", "readOnly": False, "version": "1", "discoverabilities": "None",
         "objects": [{"name": "User", "attributes": [{"name": "mail", "type": "String", "mutability": "ReadWrite"}]}]},
    ],
    "synchronizationRules": [
        {"id": "r1", "name": "USER_TO_USER", "priority": 1, "editable": True,
         "sourceDirectoryName": "Azure Active Directory", "targetDirectoryName": "Active Directory",
         "objectMappings": [
             {"name": "User", "enabled": True, "flowTypes": "Update", "sourceObjectName": "User",
              "targetObjectName": "User",
              "attributeMappings": [
                  {"targetAttributeName": "mail", "flowType": "Always", "flowBehavior": "FlowWhenChanged",
                   "matchingPriority": 0, "exportMissingReferences": False,
                   "source": {"type": "Attribute", "name": "Mail", "expression": "[Mail]", "parameters": []}}]}]},
    ],
}  # fmt: skip


class Refusal(Exception):
    """The fake engines' refusal."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class FakeEngines:
    """Engines that make three synchronized mailboxes per tenant, and record every call."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.calls: list[tuple[Any, ...]] = []

    def connect_sync(self, tenant_id: str, initial: bool = False) -> Document:
        self.calls.append(("connect_sync", tenant_id, initial))
        [tenant] = [one for one in self.store.tenants() if one["id"] == tenant_id]
        for alias in ("ada", "bob", "eve"):
            user, mailbox = cloud_only(tenant, alias, alias.title(), "UserMailbox", "2026-08-01T00:00:00Z")
            user |= {"onPremisesSyncEnabled": True, "onPremisesImmutableId": "AAAA", "_private": 1}
            addresses = [f"SMTP:{alias}@{tenant['domain']}", f"smtp:{alias}@{tenant['initial_domain']}"]
            mailbox |= {
                "IsDirSynced": True,
                "UserPrincipalName": f"{alias}@{tenant['domain']}",
                "EmailAddresses": addresses,
                "PrimarySmtpAddress": addresses[0][5:],
                "WindowsEmailAddress": addresses[0][5:],
            }
            self.store.put(tenant_id, "user", user["id"], user)
            self.store.put(tenant_id, "mailbox", user["id"], mailbox)
        return {"created": 3}

    def tick(self) -> None:
        self.calls.append(("tick",))

    def job_created(self, tenant_id: str, job: Document) -> Document:
        status = {"code": "NotRun", "countSuccessiveCompleteFailures": 0}
        return {**job, "schedule": {"state": "Disabled", "interval": "PT20M"}, "status": status, "_schema": RULE_SCHEMA}

    def default_schema(self, tenant_id: str, template_id: str) -> Document:
        return RULE_SCHEMA

    def standard_schema(self, tenant_id: str, template_id: str) -> Document:
        return RULE_SCHEMA

    def start(self, tenant_id: str, job_id: str) -> None:
        self.calls.append(("start", tenant_id, job_id))

    def pause(self, tenant_id: str, job_id: str) -> None:
        raise Refusal(409, "Conflict", "The job can't be paused now.")

    def restart(self, tenant_id: str, job_id: str, reset_scope: str) -> None:
        self.calls.append(("restart", tenant_id, job_id, reset_scope))

    def run_cycle(self, tenant_id: str, job_id: str) -> Document:
        self.calls.append(("run_cycle", tenant_id, job_id))
        return {"state": "Succeeded"}

    def provision_on_demand(self, tenant_id: str, job_id: str, parameters: list[Document]) -> Document:
        self.calls.append(("provision_on_demand", tenant_id, job_id, parameters))
        return {"key": "State", "value": "{}"}


# The first state of a lab by its addresses: filling it anew for every test would take most of a test's time.
_KEPT: dict[tuple[str, ...], bytes] = {}


class CloudLab:
    """A lab's cloud without sockets: send requests to its services."""

    def __init__(self, folder: Path, addresses: dict[str, str]) -> None:
        self.folder = folder
        self.config: dict[str, Any] = {**addresses, "tenants": _tenants(folder)}
        kept = _KEPT.get(tuple(addresses.values()))
        if kept is not None:
            for name in ("state.sqlite", "initial.sqlite"):
                (folder / name).write_bytes(kept)
        self.store = Store(folder / "state.sqlite")
        self.store.set_meta("signing_key", private_pem(_key("signing")).decode())
        clock, scenario = Clock(self.store), Scenario(self.store)
        self.engines = FakeEngines(self.store)
        self.directory_calls: list[tuple[str, ...]] = []
        forests = ForestControl(
            reset=lambda name: self.directory_calls.append(("reset", name)),
            restart_dc=lambda name: self.directory_calls.append(("restart", name)),
            highest_committed_usn=lambda name: 4711,
            edit=self._edit,
            add=lambda name, dn, classes, attributes: self.directory_calls.append(("add", name, dn)),
            remove=lambda name, dns: self.directory_calls.append(("remove", name, *dns)),
            traffic=lambda name: {"operations": {"modify": 3}},
        )
        self.services: Services = build(
            folder, self.config, self.store, clock, scenario, self.engines, Refusal, forests
        )
        first_start(self.services, self.config)
        if kept is None:
            _KEPT[tuple(addresses.values())] = (folder / "initial.sqlite").read_bytes()

    def _edit(self, name: str, target: str, changes: Any) -> str:
        checked_changes(changes)
        self.directory_calls.append(("edit", name, target))
        return f"CN={target}"

    def outcome(self, service: str, method: str, path: str, body: Any = None, **headers: str) -> Outcome:
        """Send one request; header names with underscores for hyphens."""
        path, _unused, query = path.partition("?")
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        if body is not None:
            named.setdefault("content-type", "application/json")
        return process(self.services, Request(service, method, path, query, named, raw, self.services.urls[service]))

    def send(self, service: str, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Send one request; returns the reply."""
        return self.outcome(service, method, path, body, **headers).reply

    def token(self, service: str, application: str = "application", tenant: str = "contoso") -> str:
        """An access token from the login service."""
        settings = self.config["tenants"][tenant]
        scope = f"{self.services.urls[service]}/.default"
        reply = self.login(
            tenant, client_id=settings[application]["client_id"],
            client_secret=settings[application]["client_secret"], scope=scope,
        )  # fmt: skip
        assert reply.status == 200, reply.content
        return str(reply.content["access_token"])

    def login(self, tenant: str, **form: str) -> Reply:
        """Ask for a token with client credentials; any field can be changed."""
        settings = self.config["tenants"].get(tenant, {"tenant_id": tenant})
        fields = {"grant_type": "client_credentials", **form}
        body = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
        return self.send("login", "POST", f"/{settings['tenant_id']}/oauth2/v2.0/token", body)

    def exo(
        self, cmdlet: str, *, query: str = "", tenant: str = "contoso", headers: Any = None, **parameters: Any
    ) -> Reply:
        """Run a cmdlet as the tenant's full application."""
        body = {"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}}
        return self.exo_raw(body, query=query, tenant=tenant, headers=headers)

    def exo_raw(self, body: Any, *, query: str = "", tenant: str = "contoso", headers: Any = None) -> Reply:
        """Post a body to InvokeCommand."""
        tenant_id = self.config["tenants"][tenant]["tenant_id"]
        path = f"/adminapi/beta/{tenant_id}/InvokeCommand{query}"
        own = {"authorization": f"Bearer {self.token('exchange', tenant=tenant)}", **(headers or {})}
        return self.send("exchange", "POST", path, body, **own)

    def batch(self, *cmdlets: tuple[str, dict[str, Any]], go_on: bool = True) -> Reply:
        """Run cmdlets in one batch."""
        tenant_id = self.config["tenants"]["contoso"]["tenant_id"]
        parts = [
            {"id": str(number), "method": "POST", "url": f"/adminapi/beta/{tenant_id}/InvokeCommand", "headers": {},
             "body": {"CmdletInput": {"CmdletName": name, "Parameters": parameters}}}
            for number, (name, parameters) in enumerate(cmdlets)
        ]  # fmt: skip
        prefer = "odata.maxpagesize = 1000;odata.continue-on-error" if go_on else ""
        token = self.token("exchange")
        path = f"/adminapi/beta/{tenant_id}/$batch"
        return self.send("exchange", "POST", path, {"requests": parts}, authorization=f"Bearer {token}", prefer=prefer)

    def graph(
        self, method: str, path: str, body: Any = None, application: str = "application", **headers: str
    ) -> Reply:
        """Ask Graph as an application."""
        token = self.token("graph", application)
        return self.send("graph", method, path, body, authorization=f"Bearer {token}", **headers)

    def principal(self, application: str = "application", tenant: str = "contoso") -> Document:
        """The service principal of one of the lab's applications, as the store keeps it."""
        settings = self.config["tenants"][tenant]
        rows = self.store.list(settings["tenant_id"], "servicePrincipal")
        [found] = [one for one in rows if one["appId"] == settings[application]["client_id"]]
        return found

    def permit(self, *permissions: str) -> None:
        """Grant Graph permissions to contoso's full application, in addition to those that it has."""
        for permission in permissions:
            app_roles.grant(self.store, CONTOSO, self.principal(), "graph", permission)

    def permit_only(self, *permissions: str) -> None:
        """Leave contoso's full application these Graph permissions alone."""
        for one in app_roles.assignments(self.store, CONTOSO, self.principal()["id"]):
            if one["resourceId"] == app_roles.resource_id(CONTOSO, "graph"):
                self.store.delete(CONTOSO, app_roles.ASSIGNMENT, one["id"])
        self.permit(*permissions)

    def control(self, method: str, path: str, body: Any = None) -> Reply:
        """Ask the control address."""
        return self.send("control", method, path, body)

    def mailbox_id(self, alias: str, tenant: str = "contoso") -> str:
        """The id of a mailbox that the fake engines or the seed made."""
        return fixed_guid("user", self.config["tenants"][tenant]["tenant_id"], alias)

    def mailbox(self, alias: str) -> Document:
        """A mailbox of contoso, as the store keeps it."""
        doc = self.store.get(CONTOSO, "mailbox", self.mailbox_id(alias))
        assert doc is not None
        return doc

    def manage(self, *aliases: str) -> None:
        """Set the flag of mailboxes."""
        for alias in aliases:
            assert self.exo("Set-Mailbox", Identity=self.mailbox_id(alias), IsExchangeCloudManaged=True).status == 200


def _tenants(folder: Path) -> dict[str, Any]:
    tenants: dict[str, Any] = {}
    for name, tenant_id in (("contoso", CONTOSO), ("fabrikam", FABRIKAM)):
        tenants[name] = {
            "tenant_id": tenant_id,
            "domain": f"{name}.lab",
            "initial_domain": f"{name}.onmicrosoft.com",
            **{
                key: {
                    "client_id": fixed_guid("client", name, key),
                    "client_secret": f"secret~{name}~{key}",
                }
                for key in ("application", "limited_application", "expired_application")
            },
        }
    tenants["contoso"]["application"]["certificate"] = str(application_certificate(folder))
    return tenants


def application_certificate(folder: Path, name: str = "app") -> Path:
    """A PEM file with a certificate and its key, the same for the same name."""
    path = folder / f"{name}.pem"
    path.write_bytes(_certificate_pem(name))
    return path


@cache
def _certificate_pem(name: str) -> bytes:
    key = _key(name)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = _builder(subject, subject, key).sign(key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM) + private_pem(key)


@cache
def _key(name: str) -> rsa.RSAPrivateKey:
    # Made once a session: a fresh key for every test would take most of its time.
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def tls_files(folder: Path, address: str) -> Path:
    """A folder with ca.pem, and cloud.pem and cloud.key for ``address``, signed by it."""
    made = folder / "tls"
    made.mkdir()
    ca_key, key = _key("ca"), _key("cloud")
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cloud")])
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    key_id = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    ca = (
        _builder(ca_name, ca_name, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(key_id, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
    certificate = (
        _builder(name, ca_name, key)
        .add_extension(names, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    (made / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (made / "cloud.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (made / "cloud.key").write_bytes(private_pem(key))
    return made


def private_pem(key: rsa.RSAPrivateKey) -> bytes:
    """A key as PEM, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _builder(subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[CloudLab]:
    """A fresh lab without sockets."""
    made = CloudLab(tmp_path, {name: f"https://127.77.0.{10 + at}:8443" for at, name in enumerate(SERVICES)})
    yield made
    made.store.close()


def error_text(reply: Reply) -> str:
    """The text of an error of Exchange Online, out of its three parts joined by bars."""
    return str(reply.content["error"]["details"][0]["message"]).split("|")[2]


def exception(reply: Reply) -> str:
    """The exception type of an error of Exchange Online."""
    return str(reply.content["error"]["details"][0]["message"]).split("|")[1].rpartition(".")[2]
