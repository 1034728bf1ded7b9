# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An organization with two servers and the host of one of them, on which Setup can be run."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.order import UNINSTALL
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import product as setup_product
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.wanted import Ends, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._model import windows_cmdlets
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import ArtifactWriter
from ansible_collections.hybrid.exchange.plugins.module_utils._run.progress import Progress

from tests.unit.decommission.clean_up_fakes import FakeClock, FakeServer, Stage

SERVICES = ["MSExchangeTransport", "MSExchangeIS"]


class TickingClock(FakeClock):
    """Half a second passes whenever somebody looks."""

    def monotonic(self) -> float:
        self.seconds += 0.5
        return self.seconds


class FakeMailServer(FakeServer):
    """Exchange Server with databases, a group and mailboxes."""

    def get(self, noun: str, parameters: dict[str, Any]) -> list[Any]:
        rows = super().get(noun, parameters)
        if noun == "Mailbox":
            switches = {"Arbitration", "AuditLog", "AuxAuditLog", "Monitoring", "Archive", "PublicFolder"}
            wanted = next((name for name in switches if parameters.get(name)), "")
            if parameters.get("RecipientTypeDetails"):
                wanted = "Discovery"
            return [row for row in rows if row.get("Kind", "") == wanted]
        if noun in ("Queue", "ReceiveConnector"):
            return [row for row in rows if row["Identity"].partition("\\")[0] == parameters["Server"]]
        return rows

    def change(self, verb: str, noun: str, parameters: dict[str, Any]) -> None:
        if noun == "MailboxDatabaseCopy":
            database, _slash, server = parameters["Identity"].partition("\\")
            row = self.find("MailboxDatabase", database)
            if row["Server"] == server:
                raise errors.Conflict("The copy is active.")
            row["Servers"].remove(server)
        elif noun == "DatabaseAvailabilityGroupServer":
            if any(parameters["MailboxServer"] in row["Servers"] and len(row["Servers"]) > 1 for row in self.databases):
                raise errors.Conflict("It has a copy.")
            self.find("DatabaseAvailabilityGroup", parameters["Identity"])["Servers"].remove(
                parameters["MailboxServer"]
            )
        elif (verb, noun) == ("Disable", "Mailbox"):
            row = self.find("Mailbox", parameters["Identity"])
            assert row["Kind"] not in ("", "Archive", "PublicFolder"), "only system mailboxes are disabled"
            self.objects["Mailbox"].remove(row)
        elif (verb, noun) == ("Remove", "MailboxDatabase"):
            name = parameters["Identity"]
            assert not [row for row in self.objects["Mailbox"] if row["Database"] == name], "it holds mailboxes"
            super().change(verb, noun, parameters)
        else:
            super().change(verb, noun, parameters)

    @property
    def databases(self) -> list[dict[str, Any]]:
        return self.objects["MailboxDatabase"]


class FakeWindows:
    """The host of a server. Setup takes the server out of AD and off the host."""

    host = "ex.contoso.lab"
    generation = 1

    def __init__(self, stage: ServerStage) -> None:
        self.stage = stage
        self.name = "EX01"
        self.keys: dict[str, dict[str, Any]] = {setup_product.SETUP_KEY: {"MsiInstallPath": "C:\\Exchange\\"}}
        self.services = list(SERVICES)
        self.sites = ["Default Web Site", "Exchange Back End"]
        self.started: list[list[str]] = []
        self.credentials: list[Any] = []
        self.code = 0
        self.log: list[str] = []
        self.hangs = self.lose = self.dies = self.off = self.leaves_site = False
        self.lingers: list[str] = []
        self.processes: list[int] = []
        self.stopped: list[int] = []
        self.over = threading.Event()

    def close(self) -> None:
        pass

    def run(self, *pipeline: Cmdlet, timeout: float | None = None, partial: bool = False) -> list[Any]:
        windows_cmdlets.check(pipeline)
        if self.off:
            raise errors.Unavailable("The host is off.", uncertain=False)
        rows: list[Any] = []
        for cmdlet in pipeline:
            handler = getattr(self, "_" + cmdlet.name.replace("-", "_").lower())
            rows = handler(rows, **cmdlet.parameters)
        return rows

    def let_go(self, finish: bool) -> None:
        """End what hangs: Setup does its work after all, or it was stopped and left its mark."""
        self.hangs = False
        if finish:
            self._take_away()
        else:
            self.keys[setup_product.ROLE_KEYS[0]] = {"Action": "Uninstall"}
        self.processes = []
        self.over.set()

    def _take_away(self) -> None:
        self.keys.clear()
        self.services = list(self.lingers)
        self.sites = ["Default Web Site", *(["Exchange Back End"] if self.leaves_site else [])]
        self.stage.directory.servers = [name for name in self.stage.directory.servers if name != self.name]

    def _start_process(
        self,
        _rows: Any,
        FilePath: str,
        ArgumentList: Any,
        Wait: bool,
        PassThru: bool,
        Credential: Any = None,
    ) -> list[Any]:
        self.started.append([FilePath, *ArgumentList])
        self.credentials.append(Credential)
        if self.hangs:
            self.processes = [42]
            self.over.wait(10)
            raise errors.Unavailable("The session is gone.", uncertain=True)
        if self.dies:
            self.keys[setup_product.ROLE_KEYS[0]] = {"Action": "Uninstall"}
        elif self.code in (0, 3010):
            self._take_away()
        if self.lose:
            raise errors.Unavailable("The connection was lost.", uncertain=True)
        return [{"Id": 42, "ExitCode": self.code}]

    def _select_object(self, rows: Any, **_more: Any) -> list[Any]:
        return list(rows)

    def _get_ciminstance(self, _rows: Any, ClassName: str) -> list[Any]:
        return [{"Name": self.name, "DNSHostName": self.name.lower(), "Domain": "contoso.lab", "PartOfDomain": True}]

    def _get_itemproperty(self, _rows: Any, LiteralPath: list[str]) -> list[Any]:
        if LiteralPath[0] not in self.keys:
            raise errors.NotFound("Cannot find path.", error_id="PathNotFound")
        return [self.keys[LiteralPath[0]]]

    def _test_path(self, _rows: Any, LiteralPath: list[str]) -> list[Any]:
        return [LiteralPath[0] in self.keys or LiteralPath[0] == setup_product.LOG]

    def _get_content(self, _rows: Any, LiteralPath: list[str], Tail: int) -> list[Any]:
        return list(self.log) if self.started else []

    def _get_process(self, _rows: Any, Name: list[str]) -> list[Any]:
        return [{"Id": number} for number in self.processes] if Name == ["Setup"] else []

    def _stop_process(self, _rows: Any, Id: list[int], Force: bool) -> list[Any]:
        self.stopped += Id
        self.processes = []
        return []

    def _get_service(self, _rows: Any, Name: list[str]) -> list[Any]:
        return [{"Name": name, "Status": "Stopped" if name in self.lingers else "Running"} for name in self.services]

    def _get_website(self, _rows: Any) -> list[Any]:
        return [{"Name": name} for name in self.sites]


class ServerStage(Stage):
    """Two servers in a group: EX01 with a database that both have, EX02 with one of its own."""

    def __init__(self, directory_for_artifacts: Path) -> None:
        super().__init__(directory_for_artifacts, TickingClock())
        self.server = end = FakeMailServer(self.clock)
        self.host = FakeWindows(self)
        end.add("ExchangeServer", Name="EX01", ServerRole="Mailbox")
        end.add("ExchangeServer", Name="EX02", ServerRole="Mailbox")
        end.add("MailboxDatabase", Name="DB01", Server="EX01", Servers=["EX01", "EX02"])
        end.add("MailboxDatabase", Name="DB02", Server="EX02", Servers=["EX02"])
        end.add("DatabaseAvailabilityGroup", Name="DAG01", Servers=["EX01", "EX02"])
        for name, database, kind in (
            ("SystemMailbox{1}", "DB02", "Arbitration"),
            ("Migration.8f3e7716", "DB02", "Arbitration"),
            ("HealthMailbox1", "DB01", "Monitoring"),
            ("HealthMailbox2", "DB02", "Monitoring"),
        ):
            end.add("Mailbox", Name=name, Database=database, Kind=kind, Guid=name)
        end.add("SendConnector", Name="To Northwind", SourceTransportServers=["EX01"])
        end.add("ReceiveConnector", Name="Default", Identity=r"EX01\Default")

    def remove_first(self) -> None:
        """As after EX01 was uninstalled."""
        end = self.server
        self.directory.servers = ["EX02"]
        self.host.name = "EX02"
        end.objects["ExchangeServer"].pop(0)
        end.objects["MailboxDatabase"].pop(0)
        end.objects["Mailbox"] = [row for row in end.objects["Mailbox"] if row["Database"] == "DB02"]
        end.objects["DatabaseAvailabilityGroup"][0]["Servers"] = ["EX02"]
        end.objects["SendConnector"] = []

    @property
    def setup_ends(self) -> Ends:
        return Ends(
            host=self.host,
            watch=lambda: self.host,
            server=self.server,
            directory=self.directory,
            online=self.online,
            clock=self.clock,
            artifacts=lambda name: ArtifactWriter(self.directory_for_artifacts, name),
            progress=Progress(None),
            warn=self.warnings.append,
        )

    def stated(self, **changed: Any) -> Wanted:
        """What a task would state for EX01, with a fresh readiness."""
        path, sha256 = self.ready(UNINSTALL)
        server = changed.get("server", "EX01")
        stated: dict[str, Any] = {
            "server": server,
            "confirm": f"uninstall {server}",
            "readiness": path,
            "readiness_sha256": sha256,
            "tenant_id": "contoso.com",
            "artifact_dir": str(self.directory_for_artifacts),
            "poll_interval": 0.05,
            "wait_timeout": 5,
        }
        return Wanted(**{**stated, **changed})
