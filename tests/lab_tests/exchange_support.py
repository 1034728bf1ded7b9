# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the Exchange servers share: machines that listen over real forests, pypsrp, ``ldapsearch``."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pypsrp.powershell import RunspacePool
from pypsrp.wsman import WSMan

from tests.lab import handover, ldif
from tests.lab.cloud.server import windows_hosts
from tests.lab.exchange_server import machine
from tests.lab.exchange_server.exchange import Exchange
from tests.lab.forest import tls
from tests.lab.forest.access import open_directory
from tests.lab.forest.reset import reset
from tests.lab.settings import Settings
from tests.lab.windows import certificates, places
from tests.lab.windows.places import EXCHANGE_PORT, PORT, HostAddress, SignIn
from tests.lab.windows.server import Listeners
from tests.lab_tests.cloud_support import SERVICES, CloudLab
from tests.lab_tests.windows_support import _SESSION, Answer, pipeline, properties, run

__all__ = ["Answer", "pipeline", "properties", "run"]

ADMIN, VIEWER = "exchange_admin", "exchange_viewer"
LICENSE = "/IAcceptExchangeServerLicenseTerms_DiagnosticDataOFF"


def hosts() -> tuple[HostAddress, ...]:
    """The Exchange servers at addresses of this test session."""
    return tuple(replace(host, address=f"{_SESSION}.{101 + at}") for at, host in enumerate(places.EXCHANGE_HOSTS))


class ExchangeLab:
    """A lab's cloud with Exchange servers that listen, over running forests."""

    def __init__(self, folder: Path, certified: Settings, forests: Settings) -> None:
        """Everything in ``folder``; certificates of ``certified``, directories of ``forests``."""
        self.settings, self.forests = certified, forests
        self.cloud = CloudLab(folder, {name: f"https://127.77.0.{10 + at}:8443" for at, name in enumerate(SERVICES)})
        self.services = self.cloud.services
        self.estate = windows_hosts(self.services, str(certified.ca))
        self.estate.directory = None
        self.estate.hosts = hosts()
        self.estate.exchange = Exchange(
            self.services.store,
            self.estate.tenant_id,
            lambda name: open_directory(name, "administrator", forests.run_dir),
        )
        self.services.windows = self.estate
        self.services.scenario.set({"exchange_setup_s": 0})
        self.listeners = Listeners(self.estate, certified.tls_dir, folder, certified.ca)

    def close(self) -> None:
        """Stop listening."""
        self.listeners.stop()
        if self.estate.exchange is not None:
            self.estate.exchange.close()
        self.cloud.store.close()

    def host(self, name: str = "EX01", tenant: str = "contoso") -> HostAddress:
        """A server."""
        return next(one for one in self.estate.hosts if (one.tenant, one.computer) == (tenant, name))

    def account(self, host: HostAddress, role: str) -> SignIn:
        """An account that signs in to a server."""
        return places.exchange_account(host.forest, role)

    def wsman(self, name: str = "EX01", role: str = ADMIN, windows: bool = False, **options: Any) -> WSMan:
        """A client's connection to the management endpoint, or to the machine itself."""
        host = self.host(name, options.pop("tenant", "contoso"))
        account = self.account(host, role)
        trusted: Any = str(self.settings.ca)  # pypsrp declares a bool, and takes a path as well
        known = {"username": account.name, "password": account.password, "auth": "negotiate", "operation_timeout": 10}
        return WSMan(
            host.address,
            port=PORT if windows else EXCHANGE_PORT,
            path="wsman" if windows else "powershell",
            ssl=True,
            cert_validation=trusted,
            no_proxy=True,
            reconnection_retries=0,
            **{**known, **options},
        )

    @contextmanager
    def pool(self, name: str = "EX01", role: str = ADMIN, **options: Any) -> Iterator[RunspacePool]:
        """An open runspace pool of the management endpoint."""
        with (
            self.wsman(name, role, **options) as connection,
            RunspacePool(connection, configuration_name="Microsoft.Exchange") as pool,
        ):
            yield pool

    @contextmanager
    def machine(self, name: str = "EX01", role: str = ADMIN, **options: Any) -> Iterator[RunspacePool]:
        """An open runspace pool of the machine."""
        with self.wsman(name, role, windows=True, **options) as connection, RunspacePool(connection) as pool:
            yield pool

    def setup(self, name: str, *arguments: str, wait: bool = True) -> int | None:
        """Run Setup; its exit code."""
        given = list(arguments or ("/mode:Uninstall", LICENSE))
        with self.machine(name) as pool:
            answer = run(
                pool, "Start-Process", FilePath=machine.SETUP_PROGRAM, ArgumentList=given, Wait=wait, PassThru=True
            )
            assert not answer.errors, [str(one) for one in answer.errors]
            code: int | None = properties(answer.one)["ExitCode"]
            return code

    def setup_log(self, name: str) -> str:
        """What ExchangeSetup.log says."""
        with self.machine(name) as pool:
            return "\n".join(run(pool, "Get-Content", Path=machine.LOG).output)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A request to the control address."""
        reply = self.cloud.control(method, path, body)
        assert reply.status == 200, reply.content
        return reply.content

    def change(self, **conditions: str) -> Any:
        """Set conditions of contoso's organisation."""
        return self.control("PATCH", "/exchange/contoso", conditions)

    def blockers(self, name: str) -> set[str]:
        """What blocks Setup on a server, in a word or two."""
        servers = self.control("GET", "/exchange/contoso")["servers"]
        return {row["what"] for one in servers if one["name"] == name for row in one["blockers"]}

    def log(self) -> list[dict[str, Any]]:
        """The commands at the management endpoint in the request log."""
        return [one for one in self.cloud.store.requests() if one["service"] == "exchange_server"]

    def ldap(self, *attributes: str, tenant: str = "contoso") -> ldif.Objects:
        """Both partitions as ``ldapsearch`` reads them."""
        where = handover.lab_json(self.forests)["tenants"][tenant]["directory"]
        bases = [where["base_dn"], f"CN=Configuration,{where['base_dn']}"]
        return ldif.read(where, str(self.forests.ca), bases, attributes or ("*",))

    def schema(self, tenant: str = "contoso") -> ldif.Objects:
        """The schema's version as ``ldapsearch`` reads it."""
        where = handover.lab_json(self.forests)["tenants"][tenant]["directory"]
        base = f"CN=ms-Exch-Schema-Version-Pt,CN=Schema,CN=Configuration,{where['base_dn']}"
        return ldif.read(where, str(self.forests.ca), [base], ("rangeUpper",))

    def of_class(self, cls: str) -> dict[str, dict[str, list[bytes]]]:
        """Objects of a class by their name, as ``ldapsearch`` reads them."""
        found = {}
        for values in self.ldap().values():
            if values.get("objectClass") and cls.encode() in values["objectClass"]:
                found[values["name"][0].decode()] = values
        return found

    def listens(self, name: str, port: int) -> bool:
        """Whether a server takes connections at a port."""
        try:
            socket.create_connection((self.host(name).address, port), 5).close()
        except ConnectionRefusedError:
            return False
        return True


@pytest.fixture(scope="session")
def exchange_certified(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Certificates for the servers at the session's addresses."""
    settings = Settings(tmp_path_factory.mktemp("exchange"))
    authority = tls.authority(settings)
    for host in hosts():
        names = (host.fqdn, host.name)
        tls.server_certificate(settings, authority, places.host_certificate(host), names, (host.address,))
    certificates.client(settings, authority)
    return settings


@pytest.fixture
def exchange(tmp_path: Path, exchange_certified: Settings, forests: Settings) -> Iterator[ExchangeLab]:
    """A fresh lab with Exchange servers; the forest is at its seed, and is put back afterwards."""
    reset("contoso", forests.run_dir)
    made = ExchangeLab(tmp_path, exchange_certified, forests)
    yield made
    made.close()
    reset("contoso", forests.run_dir)
