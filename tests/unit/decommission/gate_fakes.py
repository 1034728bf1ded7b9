# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Far ends in memory for the gates: an organisation in AD, answers of cmdlets by their names, name servers, ports."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.ends import Ends
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.facts import Facts
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.judge_cloud import CHANGE_APPLICATIONS
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.read_cloud import EXCHANGE_APPLICATION
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.readings import READINGS
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.wanted import Expected, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, NotFound
from ansible_collections.hybrid.exchange.plugins.module_utils._model import exchange_cmdlets
from ansible_collections.hybrid.exchange.plugins.module_utils._model.clouds import CLOUDS
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet

from tests.unit.decommission import cloud_reference

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ROOT = "DC=contoso,DC=lab"
CONFIGURATION = f"CN=Configuration,{ROOT}"
SCHEMA = f"CN=Schema,{CONFIGURATION}"
ORGANIZATION = f"CN=Contoso,CN=Microsoft Exchange,CN=Services,{CONFIGURATION}"
GROUP = f"CN=Exchange Administrative Group (FYDIBOHF23SPDLT),CN=Administrative Groups,{ORGANIZATION}"
SERVERS = f"CN=Servers,{GROUP}"
GUID = uuid.UUID("11111111-2222-3333-4444-555555555555")
ANCESTORS = {"top"}


class Entry(NamedTuple):
    dn: str
    values: dict[str, tuple[bytes, ...]]


def entry(dn: str, *classes: str, **values: Any) -> Entry:
    """An object; values are texts, numbers, bytes, or lists of these."""
    held: dict[str, tuple[bytes, ...]] = {"objectClass": tuple(name.encode() for name in ("top", *classes))}
    name = dn.partition(",")[0].partition("=")[2]
    for attribute, value in {"name": name, **values}.items():
        items = value if isinstance(value, list) else [value]
        held[attribute] = tuple(item if isinstance(item, bytes) else str(item).encode() for item in items)
    return Entry(dn, held)


def contoso() -> list[Entry]:
    """A forest with two servers and a hybrid set-up."""
    dag = f"CN=DAG01,CN=Database Availability Groups,{GROUP}"
    server = {"objectVersion": 1, "msExchCurrentServerRoles": 54, "msExchMDBAvailabilityGroupLink": dag}
    found = [
        entry(ORGANIZATION, "container", "msExchOrganizationContainer", objectGUID=GUID.bytes_le, objectVersion=16763),
        entry(dag, "msExchMDBAvailabilityGroup"),
    ]
    for name in ("EX01", "EX02"):
        own = f"CN={name},{SERVERS}"
        found += [
            entry(
                own,
                "server",
                "msExchExchangeServer",
                serialNumber="Version 15.2 (Build 31544.4)",
                networkAddress=[f"netbios:{name}", f"ncacn_ip_tcp:{name.lower()}.contoso.lab"],
                whenCreated="20210304101112.0Z",
                **server,
            ),
            entry(
                f"CN=Default {name},CN=SMTP Receive Connectors,CN=Protocols,{own}",
                "msExchSmtpReceiveConnector",
                msExchSmtpReceiveEnabled="TRUE",
            ),
            entry(
                f"CN={name},CN=Autodiscover,CN=Protocols,{own}",
                "serviceConnectionPoint",
                keywords=["77378F46-2C66-4aa9-A6A6-3E7A48B19596"],
                serviceBindingInformation="https://autodiscover.contoso.lab/Autodiscover/Autodiscover.xml",
            ),
        ]
    base = f"CN=DB01,CN=Databases,{GROUP}"
    found += [
        entry(base, "msExchPrivateMDB", msExchOwningServer=f"CN=EX01,{SERVERS}"),
        entry(f"CN=EX01,{base}", "msExchMDBCopy"),
        entry(f"CN=EX02,{base}", "msExchMDBCopy"),
        entry(
            f"CN=contoso.lab,CN=Accepted Domains,CN=Transport Settings,{ORGANIZATION}",
            "msExchAcceptedDomain",
            msExchAcceptedDomainName="contoso.lab",
            msExchAcceptedDomainFlags=4,
        ),
        entry(
            f"CN=Hybrid Configuration,CN=Hybrid Configuration,{ORGANIZATION}",
            "msExchCoexistenceRelationship",
            msExchCoexistenceOnPremisesSmartHost="mail.contoso.lab",
        ),
        entry(
            f"CN=Outbound to Office 365 - {GUID},CN=Connections,{GROUP}",
            "msExchRoutingSMTPConnector",
            routingList="SMTP:contoso.mail.onmicrosoft.com;1",
            msExchSmtpSendEnabled="TRUE",
        ),
        entry(f"CN=CONTOSO,CN=Partitions,{CONFIGURATION}", "crossRef", systemFlags=3, dnsRoot="contoso.lab"),
        entry(f"CN=ms-Exch-Schema-Version-Pt,{SCHEMA}", "attributeSchema", rangeUpper=17003),
        entry(f"CN=Microsoft Exchange System Objects,{ROOT}", "msExchSystemObjectsContainer", objectVersion=13243),
        entry(f"CN=Organization Management,OU=Microsoft Exchange Security Groups,{ROOT}", "group"),
        entry(
            f"CN=SystemMailbox{{1f05a927}},CN=Users,{ROOT}",
            *("person", "user"),
            homeMDB=base,
            msExchRecipientTypeDetails=8388608,
        ),
        entry(f"CN=svc-admin,CN=Users,{ROOT}", "user", sAMAccountName="svc-admin", primaryGroupID=513),
    ]
    return found


@dataclass
class FakeDirectory:
    """A domain controller. ``chain`` answers the search for the groups of the operator."""

    entries: list[Entry] = field(default_factory=contoso)
    chain: list[Entry] = field(default_factory=list)
    catalog: Any = None
    host: str = "dc1.contoso.lab:636"
    base_dn: str = ROOT
    domain: str = "contoso.lab"
    schema_dn: str = SCHEMA
    configuration_dn: str = CONFIGURATION
    root_domain_dn: str = ROOT
    asked: list[tuple[str, str]] = field(default_factory=list)

    def global_catalog(self) -> Any:
        return self.catalog

    def search(self, base: str, wanted: str, names: Sequence[str], scope: str = "subtree") -> Iterator[Entry]:
        self.asked.append((base, wanted))
        if "1.2.840.113556.1.4.1941" in wanted:
            yield from self.chain
            return
        if not any(item.dn == base or item.dn.endswith(f",{base}") for item in self.entries):
            raise NotFound(f"There is no {base}.")
        for item in self.entries:
            inside = item.dn == base or (scope == "subtree" and item.dn.endswith(f",{base}"))
            if inside and matches(item, wanted):
                yield Entry(item.dn, {name: item.values[name] for name in names if name in item.values})

    def read(self, dn: str, names: Sequence[str]) -> Entry | None:
        return next((item for item in self.entries if item.dn == dn), None)

    def without(self, *classes: str) -> FakeDirectory:
        gone = {name.encode() for name in classes}
        self.entries = [item for item in self.entries if not gone & set(item.values["objectClass"])]
        return self


def matches(item: Entry, wanted: str) -> bool:
    """A search filter of and, or, equality and presence."""
    found, rest = _match(item, wanted)
    assert not rest, rest
    return found


def _match(item: Entry, wanted: str) -> tuple[bool, str]:
    if wanted[1] in "&|":
        results, rest = [], wanted[2:]
        while rest.startswith("("):
            one, rest = _match(item, rest)
            results.append(one)
        return (all if wanted[1] == "&" else any)(results), rest[1:]
    match = re.match(r"\(([\w-]+)=([^()]*)\)", wanted)
    assert match, wanted
    held = [value.decode("utf-8", "replace").lower() for value in item.values.get(match[1], ())]
    return (bool(held) if match[2] == "*" else match[2].lower() in held), wanted[match.end() :]


Answer = Any  # rows, an error, or a function of the cmdlet's parameters that gives one of these


@dataclass
class FakeShell:
    """Answers cmdlets by their names; one that is not told answers nothing. It refuses what changes anything."""

    answers: dict[str, Answer] = field(default_factory=dict)
    sent: list[Cmdlet] = field(default_factory=list)
    host: str = "ex01.contoso.lab"
    on_premises: bool = True
    time: datetime | None = NOW

    def invoke(self, cmdlet: Cmdlet, timeout: float | None = None) -> Iterator[dict[str, Any]]:
        if self.on_premises:
            exchange_cmdlets.check([cmdlet])
        else:
            cloud_reference.check(cmdlet)
        assert cmdlet.name.startswith("Get-"), cmdlet
        self.sent.append(cmdlet)
        answer = self.answers.get(cmdlet.name, [])
        if callable(answer):
            answer = answer(dict(cmdlet.parameters))
        if isinstance(answer, HybridError):
            raise answer
        for row in answer:
            yield {name: row.get(name) for name in cmdlet.select} if cmdlet.select else dict(row)

    def service_time(self) -> datetime | None:
        return self.time


@dataclass
class FakeResolver:
    records: dict[tuple[str, str], Any] = field(default_factory=dict)
    name: str = "external (192.0.2.53)"

    def ask(self, name: str, kind: str) -> Sequence[str]:
        found = self.records.get((name, kind), ())
        if isinstance(found, HybridError):
            raise found
        return tuple(found)


def good_records(domain: str = "contoso.lab") -> dict[tuple[str, str], Any]:
    return {
        (domain, "MX"): ["10 contoso-lab.mail.protection.outlook.com"],
        (domain, "TXT"): ["v=spf1 include:spf.protection.outlook.com -all", "MS=ms123"],
        (f"autodiscover.{domain}", "CNAME"): ["autodiscover.outlook.com"],
        ("ex01.contoso.lab", "A"): ["203.0.113.10"],
        ("ex02.contoso.lab", "A"): ["203.0.113.11"],
    }


class FakeClock:
    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing waits here")

    def now(self) -> datetime:
        return NOW


class FakeMailboxes:
    def __init__(self, boxes: Sequence[Any]) -> None:
        self.boxes = boxes

    def read(self, selection: Any, properties: Sequence[str]) -> Iterator[Any]:
        yield from self.boxes


def box(name: str, synced: bool = True, managed: bool = True) -> Any:
    return SimpleNamespace(
        id=name,
        user_principal_name=name,
        dir_synced=synced,
        cloud_managed=managed,
        recipient_type_details="UserMailbox",
    )


GOOD_JOB = {
    "jobs": [
        {"exists": True, "domain": "contoso.lab", "running": True, "status": "Active", "late": False, "problems": []}
    ],
    "counts": {"jobs": 1},
}
PROVEN = {"proven": True, "counts": {"total": 2, "equal": 2}, "differing": []}


@dataclass
class World:
    """Everything, well by default: a server with nothing on it, a tenant with everything moved."""

    directory: FakeDirectory = field(default_factory=FakeDirectory)
    server: FakeShell = field(default_factory=FakeShell)
    online: FakeShell = field(default_factory=lambda: FakeShell(on_premises=False, host="outlook"))
    internal: FakeResolver = field(default_factory=lambda: FakeResolver(good_records(), "internal (10.0.0.53)"))
    external: FakeResolver = field(default_factory=lambda: FakeResolver(good_records()))
    boxes: list[Any] = field(default_factory=lambda: [box("anna@contoso.lab"), box("bert@contoso.lab")])
    principals: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {EXCHANGE_APPLICATION: {"id": "sp", "keyCredentials": []}, "app": {"id": "own"}}
    )
    granted: list[str] = field(default_factory=lambda: [CHANGE_APPLICATIONS])
    doors: dict[str, bool] = field(default_factory=dict)
    windows: Any = None
    job: Any = field(default_factory=lambda: dict(GOOD_JOB))
    round_trip: Any = field(default_factory=lambda: dict(PROVEN))
    broken: dict[str, HybridError] = field(default_factory=dict)
    progress: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        names = [{"Name": "EX01"}, {"Name": "EX02"}]
        self.online.answers = {
            "Get-OrganizationConfig": [{"Name": "contoso", "BlockExchangeProvisioningFromOnPremEnabled": True}],
            "Get-AcceptedDomain": [
                {"DomainName": "contoso.lab", "DomainType": "Authoritative"},
                {"DomainName": "contoso.onmicrosoft.com", "DomainType": "Authoritative"},
            ],
        }
        self.server.answers = {
            "Get-ExchangeServer": names,
            "Get-OrganizationConfig": [{"Name": "Contoso", "PublicFoldersEnabled": "Local"}],
            "Get-TransportService": [{"MessageTrackingLogEnabled": True, "MessageTrackingLogMaxAge": "30.00:00:00"}],
            "Get-MessageTrackingLog": lambda given: [{"EventId": "SEND"}] if "EventId" not in given else [],
            "Get-RoleGroupMember": [{"Name": "svc-admin", "DistinguishedName": f"CN=svc-admin,CN=Users,{ROOT}"}],
        }
        self.directory.chain = [
            entry(
                f"CN=Enterprise Admins,CN=Users,{ROOT}",
                "group",
                objectSid=b"\x01\x05" + bytes(22) + (519).to_bytes(4, "little"),
            )
        ]

    def _pages(self, path: str, query: Mapping[str, str] | None = None, *, needs: str = "") -> Iterator[dict[str, Any]]:
        assert needs
        if path == "/servicePrincipals/own/appRoleAssignments":
            return iter({"appRoleId": role} for role in self.granted)
        assert path == "/servicePrincipals"
        wanted = (query or {})["$filter"].removeprefix("appId eq '").removesuffix("'")
        return iter([self.principals[wanted]] if wanted in self.principals else [])

    def ends(self) -> Ends:
        def made(name: str, value: Any) -> Callable[[], Any]:
            def make() -> Any:
                if name in self.broken:
                    raise self.broken[name]
                return value

            return make

        def called(name: str) -> Any:
            value = getattr(self, name)
            if isinstance(value, HybridError):
                raise value
            return value

        return Ends(
            exchange_online=made("online", self.online),
            graph=made("graph", SimpleNamespace(pages=self._pages)),
            mailboxes=made("online", FakeMailboxes(self.boxes)),
            exchange_server=made("server", self.server),
            directory=made("directory", self.directory),
            dns_internal=made("internal", self.internal),
            dns_external=made("external", self.external),
            windows=made("windows", self.windows),
            door=lambda host, port: self.doors.get(host, True),
            job=lambda: called("job"),
            round_trip=lambda names: called("round_trip"),
            selected=False,
            clock=FakeClock(),
            progress=SimpleNamespace(
                start=lambda phase, total=None: self.progress.append(phase), advance=lambda n=1: None
            ),
        )

    def facts(self, **options: Any) -> Facts:
        return Facts(READINGS, self.ends(), wanted(**options), lambda: NOW)


def wanted(artifact_dir: str | Path = "/nowhere", **options: Any) -> Wanted:
    row = CLOUDS["worldwide"]
    given: Mapping[str, Any] = {
        "tenant_id": "contoso.com",
        "client_id": "app",
        "phase": "uninstall",
        "domain": "contoso.lab",
        "operator": "CONTOSO\\svc-admin",
        "expected": Expected(row.mx_suffixes, row.autodiscover_hosts, row.spf_includes),
        "artifact_dir": str(artifact_dir),
        **options,
    }
    return Wanted(**given)


@dataclass
class FakePrinter:
    """Finds and runs programs."""

    program: str | None = None
    answer: Callable[[Sequence[str]], tuple[int, str, str]] | None = None

    def find(self, names: Sequence[str]) -> str | None:
        return self.program

    def run(self, command: Sequence[str]) -> tuple[int, str, str]:
        assert self.answer is not None
        return self.answer(command)


EMPTY_PRINTER = FakePrinter()
