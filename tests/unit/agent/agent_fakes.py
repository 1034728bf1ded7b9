# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Windows server, Graph and a forest in memory: just what the agent's use cases ask for."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._agent import product
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.ports import Ends
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.wanted import Installer, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._model import windows_cmdlets
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet, Credential
from ansible_collections.hybrid.exchange.plugins.module_utils._run import windows_host
from ansible_collections.hybrid.exchange.plugins.module_utils._run.progress import Progress

DOMAIN = "contoso.lab"
SETUP = r"C:\Install\AADConnectProvisioningAgentSetup.exe"
HASH = "ab" * 32
BUNDLE = product.PROGRAM_NAMES[0]
CACHED = r'"C:\ProgramData\Package Cache\{1}\AADConnectProvisioningAgentSetup.exe" /uninstall /quiet'
ADMINISTRATOR = Credential("admin@contoso.onmicrosoft.com", "cloud-secret")
DOMAIN_ADMIN = Credential("CONTOSO\\Administrator", "forest-secret")
INSTALLER = Installer(path=SETUP, sha256=HASH)


def wanted(**given: Any) -> Wanted:
    """What a task would state for contoso, with all accounts."""
    stated: dict[str, Any] = {
        "state": "present",
        "domain": DOMAIN,
        "installer": INSTALLER,
        "administrator": ADMINISTRATOR,
        "domain_admin": DOMAIN_ADMIN,
        "outbound": product.OUTBOUND["worldwide"],
        "wait_timeout": 60,
    }
    return Wanted(**{**stated, **given})


class FakeClock:
    """Time that passes only when somebody sleeps, and that tells others of it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[Callable[[], None]] = []

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        for tell in list(self.slept):
            tell()

    def now(self) -> datetime:
        return datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)


@dataclass
class FakeEntry:
    dn: str
    values: dict[str, tuple[bytes, ...]]


@dataclass
class FakeForest:
    """A forest with everything; what is taken out of it is missing."""

    exchange: bool = True
    attribute: bool = True
    changed: bytes = b"20260101000000.0Z"
    accounts: tuple[str, ...] = ("svc-sync$",)
    root_keys: tuple[datetime, ...] = (datetime(2026, 1, 1, tzinfo=UTC),)
    base_dn = "DC=contoso,DC=lab"
    schema_dn = "CN=Schema,CN=Configuration,DC=contoso,DC=lab"
    configuration_dn = "CN=Configuration,DC=contoso,DC=lab"

    def search(self, base: str, filter_text: str, attributes: Any, scope: str = "subtree") -> Iterator[FakeEntry]:
        if "lDAPDisplayName=" in filter_text and self.attribute:
            yield FakeEntry("CN=x", {})
        if "msKds-ProvRootKey" in filter_text:
            assert "msKds-RootKeyData" not in attributes
            for key in self.root_keys:
                ticks = int((key - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000
                yield FakeEntry("CN=key", {"msKds-UseStartTime": (str(ticks).encode(),)})
        for account in self.accounts:
            if f"sAMAccountName={account})" in filter_text:
                yield FakeEntry("CN=account", {})

    def read(self, dn: str, attributes: Any) -> FakeEntry | None:
        if not self.exchange:
            raise errors.NotFound(f"There is no {dn}.")
        return FakeEntry(dn, {"rangeUpper": (b"17003",), "whenChanged": (self.changed,)})


@dataclass
class FakeGraph:
    """The agents of a tenant. Those in ``servers`` are shown as their host is."""

    servers: list[FakeHost] = field(default_factory=list)
    others: list[dict[str, Any]] = field(default_factory=list)
    forbidden: bool = False
    grouped: bool = True

    def agents(self) -> list[dict[str, Any]]:
        if self.forbidden:
            raise errors.PermissionDenied("Graph does not let this application read agents.")
        own = [
            {"id": host.host, "machineName": host.full_name, "status": "active" if host.at_work else "inactive"}
            for host in self.servers
            if host.record
        ]
        return [*own, *self.others]

    def agent_groups(self) -> list[dict[str, Any]]:
        return [{"id": "g", "displayName": "Default", "agents": self.agents()}] if self.grouped else []


class FakeHost:
    """A Windows server on which everything is as it must be; tests change what shall be otherwise."""

    def __init__(self, clock: FakeClock, name: str = "sync1") -> None:
        self.clock = clock
        self.host = name
        self.full_name = f"{name}.{DOMAIN}"
        self.generation = 1
        self.sent: list[list[Cmdlet]] = []
        self.warnings: tuple[str, ...] = ()
        self.streams: dict[str, tuple[str, ...]] = {}
        self.lose: set[str] = set()
        self.fail: dict[str, errors.HybridError] = {}
        self.exit_code = 0
        self.hangs = False
        self.effect = True
        self.offered = "1.1.2102.0"
        self.signature = ("Valid", product.SIGNER)
        self.service_starts = True
        self.restarts = 0
        self.down = 0
        self.imported = self.signed_in = False
        self.record = False
        self.domains: list[str] = []
        self.permissions: list[str] = []
        self.controllers: list[str] = []
        self.environment: tuple[str, ...] = ()
        self.processes: dict[int, str] = {}
        self.closed_ports: set[str] = set()
        self.kds: list[str] = []
        self.usable: bool | None = None
        self.version: str | None = None
        self.account = r"NT SERVICE\AADConnectProvisioningAgent"
        self.running = False
        self.start_type = "Automatic"
        self.process = 4
        self.began = self.clock.now()
        self.files = {SETUP: HASH, r"C:\Windows": ""}
        self.system: dict[str, Any] = {
            "Caption": "Microsoft Windows Server 2022 Standard",
            "BuildNumber": "20348",
            "ProductType": 3,
            "LastBootUpTime": "boot 0",
        }
        self.computer: dict[str, Any] = {
            "Name": name.upper(),
            "DNSHostName": name,
            "Domain": DOMAIN,
            "PartOfDomain": True,
            "TotalPhysicalMemory": 4294496256,
        }
        self.registry: dict[str, dict[str, Any]] = {
            product.CURRENT_VERSION: {"InstallationType": "Server"},
            product.NET_FULL: {"Release": 528449},
            **{key: dict.fromkeys(product.NET_STRONG_VALUES, 1) for key in product.NET_STRONG},
        }
        self.policies = {"MachinePolicy": "Undefined", "Process": "Bypass", "LocalMachine": "RemoteSigned"}
        self.vault = "Manual"

    @property
    def at_work(self) -> bool:
        return self.running and self.record

    @property
    def names(self) -> list[str]:
        """The cmdlets that were sent, those that change something only."""
        return [cmdlet.name for line in self.sent for cmdlet in line if windows_cmdlets.CMDLETS[cmdlet.name].changes]

    def install(self, version: str = "1.1.1370.0", registered: bool = True) -> None:
        """Have the agent at work, as after a complete run."""
        self.version, self.running, self.account = version, True, "CONTOSO\\provAgentgMSA$"
        self.began = self.clock.now()
        if registered:
            self.record, self.domains = True, [DOMAIN]

    def close(self) -> None:
        self.generation += 1
        self.imported = self.signed_in = False

    def run(self, *pipeline: Cmdlet, timeout: float | None = None, partial: bool = False) -> list[Any]:
        windows_cmdlets.check(pipeline)
        if self.down:
            self.down -= 1
            self.close()
            raise errors.Unavailable("The host is down.", uncertain=False)
        self.sent.append(list(pipeline))
        rows: list[Any] = []
        for cmdlet in pipeline:
            handler = getattr(self, "_" + cmdlet.name.replace("-", "_").lower())
            if cmdlet.name in self.fail:
                raise self.fail[cmdlet.name]
            rows = handler(rows, **cmdlet.parameters)
            if cmdlet.name in self.lose:
                self.lose.discard(cmdlet.name)
                self.close()
                raise errors.Unavailable("The connection was lost.", uncertain=True)
        return rows

    def restart(self) -> None:
        self.restarts += 1
        self.down = 3
        self.system["LastBootUpTime"] = f"boot {self.restarts}"
        self.registry.pop(windows_host.PENDING_KEYS[0], None)

    def _get_ciminstance(self, _rows: Any, ClassName: str, Filter: str = "") -> list[Any]:
        if ClassName == "Win32_Service":
            process = self.process if self.running else 0
            return (
                [{"StartName": self.account, "ProcessId": process}]
                if self.version and product.SERVICE in Filter
                else []
            )
        return [dict(self.system if ClassName == "Win32_OperatingSystem" else self.computer)]

    def _get_itemproperty(self, _rows: Any, LiteralPath: Any = (), Path: Any = ()) -> list[Any]:
        if Path:
            bundle = {"DisplayName": BUNDLE, "DisplayVersion": self.version, "QuietUninstallString": CACHED}
            return [{"DisplayName": "Else"}, {}, *([bundle] if self.version else [])]
        if LiteralPath[0] not in self.registry:
            raise errors.NotFound("Cannot find path.", error_id="PathNotFound")
        return [self.registry[LiteralPath[0]]]

    def _test_path(self, _rows: Any, LiteralPath: list[str]) -> list[Any]:
        path = LiteralPath[0]
        if path == product.TRACE_FOLDER:
            return [bool(self.version)]
        return [path in self.registry or path in self.files]

    def _get_executionpolicy(self, _rows: Any, List: bool) -> list[Any]:
        return [{"Scope": scope, "ExecutionPolicy": policy} for scope, policy in self.policies.items()]

    def _get_service(self, _rows: Any, Name: list[str]) -> list[Any]:
        if Name == [product.VAULT_SERVICE]:
            return [{"Name": Name[0], "Status": "Running", "StartType": self.vault}]
        if not self.version:
            raise errors.NotFound(f"Cannot find any service with service name {Name[0]}.")
        status = "Running" if self.running or Name != [product.SERVICE] else "Stopped"
        return [{"Name": Name[0], "Status": status, "StartType": self.start_type}]

    def _get_process(self, _rows: Any, Name: Any = (), Id: Any = ()) -> list[Any]:
        if Id == [self.process] and self.version and self.running:
            return [{"Id": self.process, "StartTime": self.began.isoformat()}]
        found = [{"Id": number} for number, name in self.processes.items() if name == Name[0]]
        if not found:
            raise errors.NotFound("Cannot find a process.")
        return found

    def _get_item(self, _rows: Any, LiteralPath: list[str]) -> list[Any]:
        path = LiteralPath[0]
        if path.endswith(product.PROGRAM):
            if self.version:
                return [{"VersionInfo": {"ProductVersion": self.version}}]
        elif path in self.files:
            return [{"VersionInfo": {"ProductVersion": self.offered}}]
        raise errors.NotFound("Cannot find path.", error_id="PathNotFound")

    def _select_object(self, rows: Any, Property: Any = (), ExpandProperty: str = "", Last: int = 0) -> list[Any]:
        if ExpandProperty:
            return [row[ExpandProperty] for row in rows]
        return [{name: row.get(name) for name in Property} for row in rows[-Last:]]

    def _get_filehash(self, _rows: Any, LiteralPath: list[str], Algorithm: str) -> list[Any]:
        return [{"Hash": self.files[LiteralPath[0]].upper()}]

    def _get_authenticodesignature(self, _rows: Any, LiteralPath: list[str]) -> list[Any]:
        status, subject = self.signature
        signer = {"Subject": subject, "Thumbprint": "AB" * 20} if subject else None
        return [{"Status": status, "SignerCertificate": signer}]

    def _test_netconnection(self, _rows: Any, ComputerName: str, Port: int) -> list[Any]:
        return [{"TcpTestSucceeded": f"{ComputerName}:{Port}" not in self.closed_ports}]

    def _get_kdsrootkey(self, _rows: Any) -> list[Any]:
        return [{"KeyId": "1", "EffectiveTime": text, "KeyValue": "secret"} for text in self.kds]

    def _test_adserviceaccount(self, _rows: Any, Identity: str) -> list[Any]:
        if self.usable is None:
            raise errors.NotFound("The term is not recognized.", error_id="CommandNotFoundException")
        return [self.usable]

    def _new_item(self, _rows: Any, Path: list[str], ItemType: str) -> list[Any]:
        self.files[Path[0]] = ""
        return []

    def _copy_item(self, _rows: Any, LiteralPath: list[str], Destination: str, Force: bool) -> list[Any]:
        self.files[Destination] = self.files[LiteralPath[0]]
        return []

    def _invoke_webrequest(self, _rows: Any, Uri: str, OutFile: str, **_more: Any) -> list[Any]:
        self.files[OutFile] = HASH
        return []

    def _remove_item(self, _rows: Any, LiteralPath: list[str], Force: bool) -> list[Any]:
        inside = fnmatch.filter(self.files, LiteralPath[0].replace("[", "?") + "\\*")
        assert not inside, "a folder is removed only when it is empty"
        del self.files[LiteralPath[0]]
        return []

    def _start_process(
        self, _rows: Any, FilePath: str, Wait: bool, PassThru: bool, ArgumentList: Any = ()
    ) -> list[Any]:
        assert Wait and PassThru
        if self.hangs:
            self.processes[77] = FilePath.rpartition("\\")[2].removesuffix(".exe")
            raise errors.Timeout("It took too long.", uncertain=True)
        removing = "/uninstall" in ArgumentList
        if self.effect and self.exit_code in (0, 3010, 1641):
            if removing:
                self.version, self.running, self.account = None, False, ""
            else:
                assert FilePath in self.files
                self.version, self.running = self.offered, True
                self.environment = tuple(ArgumentList)
                self.began = self.clock.now()
        if self.exit_code == 1641:
            self.restart()
        return [{"Id": 77, "ExitCode": self.exit_code}]

    def _stop_process(self, _rows: Any, Id: list[int], Force: bool) -> list[Any]:
        for number in Id:
            del self.processes[number]
        return []

    def _import_module(self, _rows: Any, Name: list[str]) -> list[Any]:
        assert Name[0].endswith(product.MODULE)
        assert self.version
        self.imported = True
        return []

    def _get_aadcloudsyncaddomains(self, _rows: Any) -> list[Any]:
        assert self.imported
        return [{"DomainName": name} for name in self.domains]

    def _connect_aadcloudsyncazuread(self, _rows: Any, Credential: Credential) -> list[Any]:
        assert self.imported
        assert Credential == ADMINISTRATOR
        self.signed_in = True
        return []

    def _add_aadcloudsyncgmsa(self, _rows: Any, Credential: Any = None, CustomGMSAName: str = "") -> list[Any]:
        assert self.signed_in
        self.account = f"CONTOSO\\{CustomGMSAName or product.GMSA}"
        return []

    def _set_aadcloudsyncpermissions(
        self, _rows: Any, PermissionType: str, TargetDomain: str, TargetDomainCredential: Any
    ) -> list[Any]:
        assert self.signed_in
        assert (TargetDomain, TargetDomainCredential) == (DOMAIN, DOMAIN_ADMIN)
        self.permissions.append(PermissionType)
        return []

    def _add_aadcloudsyncaddomain(
        self, _rows: Any, DomainName: str, Credential: Any, PreferredDomainControllers: Any = ()
    ) -> list[Any]:
        assert self.signed_in
        assert Credential == DOMAIN_ADMIN
        self.domains.append(DomainName)
        self.controllers = list(PreferredDomainControllers)
        self.record = True
        return []

    def _restart_service(self, _rows: Any, Name: list[str], Force: bool) -> list[Any]:
        return self._start_service(_rows, Name)

    def _start_service(self, _rows: Any, Name: list[str]) -> list[Any]:
        assert Name == [product.SERVICE]
        self.running = self.service_starts
        self.process += 1
        self.clock.seconds += 1
        self.began = self.clock.now()
        if not self.service_starts:
            raise errors.Conflict("Service cannot be started.")
        return []

    def _set_service(self, _rows: Any, Name: str, StartupType: str) -> list[Any]:
        self.start_type = StartupType
        return []

    def _restart_computer(self, _rows: Any, Force: bool) -> list[Any]:
        self.restart()
        return []


@dataclass
class Stage:
    """One server and what is around it."""

    clock: FakeClock
    host: FakeHost
    graph: FakeGraph
    forest: FakeForest
    warnings: list[str] = field(default_factory=list)

    @property
    def ends(self) -> Ends:
        return Ends(self.host, self.graph, self.forest, self.clock, Progress(None), self.warnings.append)


def stage() -> Stage:
    """A server without an agent."""
    clock = FakeClock()
    host = FakeHost(clock)
    return Stage(clock, host, FakeGraph([host]), FakeForest())
