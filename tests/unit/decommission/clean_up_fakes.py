# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tenant and an organization with a hybrid set-up in memory: both sides' cmdlets, Graph, AD and a host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import readiness_file
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.wanted import Ends, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.order import CLEAN_UP, kinds
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.phases import PASSED
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology import topology
from ansible_collections.hybrid.exchange.plugins.module_utils._model import exchange_cmdlets
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import ArtifactWriter
from ansible_collections.hybrid.exchange.plugins.module_utils._run.progress import Progress

from tests.unit.decommission import cloud_reference

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GUID = "11111111-2222-3333-4444-555555555555"
CLOUD_GUID = "99999999-8888-7777-6666-555555555555"
ROUTING = "contoso.mail.onmicrosoft.com"
APP_ID = "00000002-0000-0ff1-ce00-000000000000"
MINE, THEIRS = "AA" * 20, "BB" * 20
FOREST, CONFIGURATION = "DC=contoso,DC=lab", "CN=Configuration,DC=contoso,DC=lab"
ORGANIZATION_GUID = bytes(range(16))


class FakeClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)


class FakeSide:
    """Exchange's cmdlets on objects by their nouns. ``lose`` are cmdlets whose answer is lost once."""

    host = "ex01.contoso.lab"
    side = ""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.objects: dict[str, list[dict[str, Any]]] = {}
        self.sent: list[Cmdlet] = []
        self.lose: dict[str, bool] = {}
        self.refuse: dict[str, errors.HybridError] = {}
        self.stale = 0
        self._removed: list[tuple[str, dict[str, Any], int]] = []
        self.dies_after: int | None = None

    @property
    def changes(self) -> list[str]:
        """What was sent that changes something."""
        return [f"{c.name} {c.parameters.get('Identity') or c.parameters.get('Name') or ''}".strip() for c in self.sent]

    def add(self, noun: str, **properties: Any) -> dict[str, Any]:
        row = {"Identity": properties.get("Name"), **properties}
        self.objects.setdefault(noun, []).append(row)
        return row

    def service_time(self) -> datetime | None:
        return self.clock.now()

    def close(self) -> None:
        pass

    def invoke(self, cmdlet: Cmdlet, timeout: float | None = None) -> Iterator[dict[str, Any]]:
        return iter(self.run(cmdlet))

    def run(self, cmdlet: Cmdlet, timeout: float | None = None) -> list[Any]:
        self.check(cmdlet)
        verb, _dash, noun = cmdlet.name.partition("-")
        if cmdlet.name in self.refuse:
            raise self.refuse[cmdlet.name]
        if verb == "Get":
            return self.get(noun, dict(cmdlet.parameters))
        if self.dies_after is not None:
            if self.dies_after == 0:
                raise KeyboardInterrupt
            self.dies_after -= 1
        self.sent.append(cmdlet)
        carried_out = self.lose.pop(cmdlet.name, None)
        if carried_out is not False:
            self.change(verb, noun, dict(cmdlet.parameters))
        if carried_out is not None:
            raise errors.Unavailable("The connection was lost.", uncertain=True)
        return []

    def check(self, cmdlet: Cmdlet) -> None:
        cloud_reference.check(cmdlet)

    def get(self, noun: str, parameters: dict[str, Any]) -> list[Any]:
        rows = [dict(row) for row in self.objects.get(noun, ())]
        late = [row for kind, row, _n in self._removed if kind == noun]
        self._removed = [(kind, row, n - 1) for kind, row, n in self._removed if n > 1 or kind != noun]
        return rows + late

    def find(self, noun: str, identity: Any) -> dict[str, Any]:
        for row in self.objects.get(noun, ()):
            if identity is None or str(identity).lower() in (
                str(row.get("Identity")).lower(),
                str(row["Name"]).lower(),
            ):
                return row
        raise errors.NotFound(f"The operation couldn't be performed because object '{identity}' couldn't be found.")

    def change(self, verb: str, noun: str, parameters: dict[str, Any]) -> None:
        identity = parameters.pop("Identity", None)
        parameters.pop("Confirm", None)
        if verb == "Remove":
            row = self.find(noun, identity)
            self.objects[noun].remove(row)
            if self.stale:
                self._removed.append((noun, row, self.stale))
        elif verb == "Set":
            self.find(noun, identity).update(parameters, WhenChangedUTC=self.clock.now().isoformat())
        elif verb == "New":
            self.add(noun, **{"Name": noun, "Enabled": True, **parameters})


class FakeServer(FakeSide):
    """Exchange Server."""

    def check(self, cmdlet: Cmdlet) -> None:
        exchange_cmdlets.check((cmdlet,))

    def get(self, noun: str, parameters: dict[str, Any]) -> list[Any]:
        if noun == "ExchangeCertificate":
            return [dict(row) for row in self.objects.get(noun, ()) if row["Server"] == parameters["Server"]]
        return super().get(noun, parameters)

    def change(self, verb: str, noun: str, parameters: dict[str, Any]) -> None:
        if noun == "FederatedDomain":
            identifier = self.find("FederatedOrganizationIdentifier", None)
            identifier["Domains"].remove(parameters["DomainName"])
            if parameters["DomainName"] == identifier["AccountNamespace"]:
                assert not identifier["Domains"], "the account namespace goes last"
                identifier["AccountNamespace"] = None
        elif noun == "FederationTrust":
            identifier = self.find("FederatedOrganizationIdentifier", None)
            if identifier["Domains"] or identifier["Enabled"]:
                raise errors.Conflict("The trust is in use.")
            super().change(verb, noun, parameters)
            identifier["DelegationTrustLink"] = None
        elif noun == "ExchangeCertificate":
            rows = self.objects[noun]
            rows[:] = [
                row
                for row in rows
                if (row["Thumbprint"], row["Server"]) != (parameters["Thumbprint"], parameters["Server"])
            ]
        else:
            super().change(verb, noun, parameters)


@dataclass
class FakeEntry:
    dn: str
    values: dict[str, tuple[bytes, ...]]


@dataclass
class FakeDirectory:
    """AD: an organization and its servers. It can only be read."""

    clock: FakeClock
    servers: list[str] = field(default_factory=lambda: ["EX01", "EX02"])
    organization: bool = True
    points: list[str] = field(default_factory=list)
    emt: bool = False
    places: set[str] = field(default_factory=set)
    host = "dc1.contoso.lab"
    base_dn = FOREST
    domain = "contoso.lab"
    schema_dn = f"CN=Schema,{CONFIGURATION}"
    configuration_dn = CONFIGURATION
    root_domain_dn = FOREST

    @property
    def current_time(self) -> datetime:
        return self.clock.now()

    def global_catalog(self) -> None:
        return None

    def search(
        self, base: str, filter_text: str, attributes: Sequence[str], scope: str = "subtree"
    ) -> Iterator[FakeEntry]:
        if "serviceConnectionPoint" in filter_text:
            for name in self.points:
                if f"(cn={name})" in filter_text:
                    yield FakeEntry(f"CN={name}", {})
            return
        if "Recipient Management EMT" in filter_text:
            if self.emt:
                yield FakeEntry("CN=Recipient Management EMT", {})
            return
        if self.organization:
            values = {"name": (b"Contoso",), "objectClass": (b"msExchOrganizationContainer",)}
            yield FakeEntry(f"CN=Contoso,{base}", {**values, "objectGUID": (ORGANIZATION_GUID,)})
        for name in self.servers:
            found = {"name": (name.encode(),), "objectClass": (b"top", b"msExchExchangeServer")}
            yield FakeEntry(f"CN={name},{base}", found)

    def read(self, dn: str, attributes: Sequence[str]) -> FakeEntry | None:
        return FakeEntry(dn, {}) if dn in self.places else None


@dataclass
class FakeGraph:
    """Exchange Online's service principal with two keys, and applications."""

    keys: list[dict[str, Any]] = field(default_factory=list)
    applications: dict[str, dict[str, Any]] = field(default_factory=dict)
    deleted: dict[str, dict[str, Any]] = field(default_factory=dict)
    patches: list[tuple[str, Any]] = field(default_factory=list)

    def get(self, path: str, query: Any = None, *, version: str = "v1.0", needs: str = "") -> dict[str, Any]:
        if path.startswith("/servicePrincipals/"):
            return {"id": "sp", "appId": APP_ID, "keyCredentials": [dict(key, key=None) for key in self.keys]}
        found = self.deleted.get(path.rpartition("/")[2])
        if found is None:
            raise errors.NotFound(path)
        return found

    def pages(self, path: str, query: Any = None, *, version: str = "v1.0", needs: str = "") -> Iterator[Any]:
        if path == "/servicePrincipals":
            assert query["$filter"] == f"appId eq '{APP_ID}'"
            yield {"id": "sp", "appId": APP_ID}
            return
        for app in self.applications.values():
            if query["$filter"] == f"displayName eq '{app['displayName']}'":
                yield dict(app)

    def patch(self, path: str, payload: Any, *, version: str = "v1.0", needs: str = "") -> None:
        self.patches.append((path, payload))
        by_id = {key["keyId"]: key for key in self.keys}
        self.keys = [by_id[key["keyId"]] for key in payload["keyCredentials"]]

    def post(self, path: str, payload: Any = None, **_more: Any) -> dict[str, Any]:
        found = self.deleted.pop(path.split("/")[-2])
        self.applications[found["id"]] = found
        return found

    def delete(self, path: str, *, version: str = "v1.0", needs: str = "") -> bool:
        found = self.applications.pop(path.rpartition("/")[2], None)
        if found:
            self.deleted[found["id"]] = found
        return found is not None


@dataclass
class Stage:
    """Both sides with a complete set-up and a look-alike of each kind."""

    directory_for_artifacts: Path
    clock: FakeClock = field(default_factory=FakeClock)
    graph: FakeGraph = field(default_factory=FakeGraph)
    warnings: list[str] = field(default_factory=list)
    with_server: bool = True

    def __post_init__(self) -> None:
        self.directory = FakeDirectory(self.clock)
        self.server = FakeServer(self.clock)
        self.online = FakeSide(self.clock)
        fill_server(self.server)
        fill_cloud(self.online)
        self.graph.keys = [
            {"keyId": "k1", "displayName": "mine", "customKeyIdentifier": MINE, "type": "AsymmetricX509Cert"},
            {"keyId": "k2", "displayName": "theirs", "customKeyIdentifier": THEIRS, "type": "AsymmetricX509Cert"},
        ]
        self.graph.applications["a1"] = {"id": "a1", "displayName": f"ExchangeServerApp-{GUID}"}
        self.graph.applications["a2"] = {"id": "a2", "displayName": "ExchangeServerApp-other"}

    @property
    def ends(self) -> Ends:
        return Ends(
            online=self.online,
            graph=self.graph,
            server=self.server if self.with_server else None,
            host=None,
            directory=self.directory,
            clock=self.clock,
            artifacts=lambda name: ArtifactWriter(self.directory_for_artifacts, name),
            progress=Progress(None),
            warn=self.warnings.append,
            artifact_dir=str(self.directory_for_artifacts),
        )

    def ready(self, phase: str = CLEAN_UP, **changed: Any) -> tuple[str, str]:
        """A readiness with a passed gate, and its hash."""
        made = readiness_file.Readiness(
            tenant_id="contoso.com",
            forest="contoso.lab",
            organization="Contoso",
            fingerprint=changed.pop("fingerprint", self.fingerprint),
            phase=phase,
            exit="source_of_authority",
            evaluated_at=NOW,
            required=("g",),
            servers=tuple(self.directory.servers),
            gates={"g": readiness_file.GateVerdict("g", PASSED, "", NOW, NOW + timedelta(days=10))},
        )
        saved = readiness_file.write(self.directory_for_artifacts / f"{phase}.json", made)
        return saved.path, saved.sha256

    @property
    def fingerprint(self) -> str:
        guid = "03020100-0504-0706-0809-0a0b0c0d0e0f" if self.directory.organization else None
        return topology.fingerprint("contoso.lab", CONFIGURATION, guid)

    def wanted(self, side: str = "on_premises", phase: str = CLEAN_UP, **changed: Any) -> Wanted:
        """What a task would state, with a fresh readiness."""
        path, sha256 = self.ready(phase)
        stated: dict[str, Any] = {
            "state": "absent",
            "side": side,
            "phase": phase,
            "kinds": kinds(phase, side),
            "soak_minutes": 0,
            "readiness": path,
            "readiness_sha256": sha256,
            "tenant_id": "contoso.com",
            "wait_timeout": 60,
        }
        return Wanted(**{**stated, **changed})


def fill_server(end: FakeServer) -> None:
    """The organization on premises."""
    end.add("OrganizationConfig", Name="Contoso", Guid=GUID)
    end.add("AuthConfig", Name="Auth", CurrentCertificateThumbprint=MINE, PreviousCertificateThumbprint="")
    end.add("ClientAccessService", Name="EX01", AutoDiscoverServiceInternalUri="https://ex01/autodiscover")
    end.add("ClientAccessService", Name="EX02", AutoDiscoverServiceInternalUri=None)
    end.add("HybridConfiguration", Name="Hybrid Configuration", Domains=["contoso.com"], Features=["FreeBusy"])
    end.add(
        "IntraOrganizationConnector",
        Name=f"HybridIOC - {GUID}",
        Enabled=True,
        DiscoveryEndpoint="https://autodiscover-s.outlook.com/x",
        TargetAddressDomains=[ROUTING],
    )
    end.add("IntraOrganizationConnector", Name="To Northwind", Enabled=True, TargetAddressDomains=["northwind.com"])
    end.add(
        "SendConnector",
        Name=f"Outbound to Office 365 - {GUID}",
        AddressSpaces=[f"smtp:{ROUTING};1"],
        TlsDomain="mail.protection.outlook.com",
        CloudServicesMailEnabled=True,
        SourceTransportServers=["EX01", "EX02"],
        Enabled=True,
        Port=25,
    )
    end.add(
        "SendConnector",
        Name="To Northwind",
        AddressSpaces=["smtp:northwind.com;1"],
        CloudServicesMailEnabled=False,
        Enabled=True,
    )
    for name in ("EX01", "EX02"):
        trusted = ["mail.protection.outlook.com:AcceptCloudServicesMail", "partner.com:AcceptOorgProtocol"]
        end.add(
            "ReceiveConnector",
            Name=f"Default Frontend {name}",
            Identity=rf"{name}\Default Frontend {name}",
            Server=name,
            TlsDomainCapabilities=trusted,
        )
        end.add("ReceiveConnector", Name="Relay", Identity=rf"{name}\Relay", Server=name, TlsDomainCapabilities=[])
        end.add("ExchangeCertificate", Name=name, Subject="CN=Federation", Thumbprint="CC" * 20, Server=name)
        end.add("ExchangeCertificate", Name=name, Subject=f"CN={name}", Thumbprint="DD" * 20, Server=name)
    end.add("RemoteDomain", Name="Default", DomainName="*", TargetDeliveryDomain=False)
    end.add("RemoteDomain", Name=f"Hybrid Domain - {ROUTING}", DomainName=ROUTING, TNEFEnabled=True)
    end.add(
        "OrganizationRelationship",
        Name=f"On-premises to O365 - {GUID}",
        DomainNames=[ROUTING],
        TargetApplicationUri="outlook.com",
        Enabled=True,
    )
    end.add(
        "FederatedOrganizationIdentifier",
        Name="Federation",
        Enabled=True,
        AccountNamespace="fydibohf25spdlt.contoso.com",
        Domains=["fydibohf25spdlt.contoso.com", "contoso.com"],
        DelegationTrustLink="Microsoft Federation Gateway",
    )
    end.add("FederationTrust", Name="Microsoft Federation Gateway")
    end.add("AuthServer", Name="ACS", Type="MicrosoftACS", Enabled=True)
    end.add("AuthServer", Name="EvoSts", Type="AzureAD", Enabled=True)
    end.add("AuthServer", Name="Own", Type="ADFS", AuthMetadataUrl="https://sts.contoso.com/x", Enabled=True)
    end.add("PartnerApplication", Name="Exchange Online", ApplicationIdentifier=APP_ID, Enabled=True)
    end.add("PartnerApplication", Name="Lync", ApplicationIdentifier="00000004-0000-0ff1-ce00-0", Enabled=True)
    end.add(
        "SettingOverride",
        Name="EnableExchangeHybrid3PAppFeature",
        ComponentName="Global",
        SectionName="ExchangeOnpremAsThirdPartyAppId",
        Parameters=["Enabled=true"],
        Reason="hybrid",
    )
    end.add("SettingOverride", Name="Other", ComponentName="OWA", SectionName="X", Parameters=["A=b"], Reason="r")


def fill_cloud(end: FakeSide) -> None:
    """The tenant."""
    end.add("AcceptedDomain", Name="contoso.com", DomainName="contoso.com")
    end.add("AcceptedDomain", Name=ROUTING, DomainName=ROUTING)
    end.add(
        "OnPremisesOrganization",
        Name=GUID,
        OrganizationGuid=GUID,
        HybridDomains=["contoso.com"],
        InboundConnector=f"Inbound from {GUID}",
        OutboundConnector=f"Outbound to {GUID}",
        OrganizationRelationship=f"O365 to On-premises - {GUID}",
    )
    end.add("InboundConnector", Name=f"Inbound from {GUID}", ConnectorType="OnPremises", SenderDomains=["smtp:*;1"])
    end.add("InboundConnector", Name="From the gateway", ConnectorType="Partner", SenderDomains=["smtp:*;1"])
    end.add(
        "OutboundConnector",
        Name=f"Outbound to {GUID}",
        ConnectorType="OnPremises",
        RecipientDomains=["*"],
        SmartHosts=["mail.contoso.com"],
    )
    end.add("OutboundConnector", Name="To a partner", ConnectorType="Partner", RecipientDomains=["partner.com"])
    end.add("OrganizationRelationship", Name=f"O365 to On-premises - {GUID}", DomainNames=["contoso.com"], Enabled=True)
    end.add("OrganizationRelationship", Name="With Northwind", DomainNames=["northwind.com"], Enabled=True)
    end.add(
        "IntraOrganizationConnector",
        Name=f"HybridIOC - {CLOUD_GUID}",
        Enabled=True,
        DiscoveryEndpoint="https://mail.contoso.com/x",
        TargetAddressDomains=["contoso.com"],
    )
    endpoint = "Hybrid Migration Endpoint - EWS (Default Web Site)"
    end.add("MigrationEndpoint", Name=endpoint, EndpointType="ExchangeRemoteMove", RemoteServer="mail.contoso.com")
    end.add("MigrationEndpoint", Name="Gmail", EndpointType="Gmail", RemoteServer="imap.gmail.com")
    end.add("MigrationBatch", Name="wave1", Status="Completed", SourceEndpoint=endpoint)
    end.add("MigrationBatch", Name="google", Status="Syncing", SourceEndpoint="Gmail")
    end.add("RemoteDomain", Name="Default", DomainName="*")
    end.add("RemoteDomain", Name="Hybrid Domain - contoso.com", DomainName="contoso.com")
    end.add("TransportRule", Name="Disclaimer", State="Enabled", RouteMessageOutboundConnector=None)
    end.add(
        "TransportRule",
        Name="Payroll over the servers",
        State="Disabled",
        RouteMessageOutboundConnector=f"Outbound to {GUID}",
        SubjectContainsWords=["payroll"],
    )
