# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the Windows hosts share: a lab's cloud without forests, its hosts listening, and pypsrp."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pypsrp.complex_objects import GenericComplexObject, ObjectMeta, PSCredential
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from tests.lab.cloud.server import windows_hosts
from tests.lab.forest import tls
from tests.lab.settings import Settings
from tests.lab.windows import certificates, places
from tests.lab.windows.estate import Estate
from tests.lab.windows.places import PORT, HostAddress
from tests.lab.windows.server import Listeners
from tests.lab_tests.cloud_support import SERVICES, CloudLab

# Addresses of a test session's own, besides those of a lab that may be up.
_SESSION = f"127.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}"


@dataclass
class Answer:
    """What came of a pipeline."""

    output: list[Any]
    errors: list[Any]
    warnings: list[str]
    state: int

    @property
    def one(self) -> Any:
        """The only object that was put out; fails the test where there is none or more."""
        assert len(self.output) == 1, (self.output, [str(one) for one in self.errors])
        return self.output[0]


def properties(value: Any) -> dict[str, Any]:
    """All properties of an object."""
    assert isinstance(value, GenericComplexObject), value
    return {**value.adapted_properties, **value.extended_properties}


class WindowsLab:
    """A lab's cloud without forests, with its Windows hosts listening."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        """Everything in ``folder``; certificates from ``settings``."""
        self.settings = settings
        self.cloud = CloudLab(folder, {name: f"https://127.77.0.{10 + at}:8443" for at, name in enumerate(SERVICES)})
        self.services = self.cloud.services
        self.estate: Estate = windows_hosts(self.services, str(settings.ca))
        self.estate.hosts = hosts()
        self.services.windows = self.estate
        self.services.scenario.set({"installer_s": 0})
        self.listeners = Listeners(self.estate, settings.tls_dir, folder, settings.ca)

    def close(self) -> None:
        """Stop listening."""
        self.listeners.stop()
        self.cloud.store.close()

    def host(self, name: str = "sync2", tenant: str = "contoso") -> HostAddress:
        """A host; sync1 has the agent that a tenant begins with, the others have none."""
        return next(one for one in self.estate.hosts if (one.tenant, one.name) == (tenant, name))

    def set(self, name: str = "sync2", **changes: str) -> None:
        """Set conditions of a host."""
        reply = self.cloud.control("PATCH", f"/windows/contoso/{name}", changes)
        assert reply.status == 200, reply.content

    def wsman(self, name: str = "sync2", **options: Any) -> WSMan:
        """A client's connection, signed in as who deploys the agent."""
        host = self.host(name)
        account = places.setup_account(host.forest)
        known = {"username": account.name, "password": account.password, "auth": "negotiate", "operation_timeout": 10}
        trusted: Any = str(self.settings.ca)  # pypsrp declares a bool, and takes a path as well
        return WSMan(
            host.address,
            port=PORT,
            ssl=True,
            cert_validation=trusted,
            no_proxy=True,
            reconnection_retries=0,
            **{**known, **options},
        )

    @contextmanager
    def pool(self, name: str = "sync2", **options: Any) -> Iterator[RunspacePool]:
        """An open runspace pool."""
        with self.wsman(name, **options) as connection, RunspacePool(connection) as pool:
            yield pool

    def run(self, cmdlet: str, name: str = "sync2", **parameters: Any) -> Answer:
        """One cmdlet in a session of its own."""
        with self.pool(name) as pool:
            return run(pool, cmdlet, **parameters)

    def log(self) -> list[dict[str, Any]]:
        """The commands in the request log."""
        return [one for one in self.cloud.store.requests() if one["service"] == "windows"]


def hosts() -> tuple[HostAddress, ...]:
    """The lab's hosts at addresses of this test session."""
    return tuple(replace(host, address=f"{_SESSION}.{1 + at}") for at, host in enumerate(places.HOSTS))


def plain(value: Any) -> Any:
    """An enumeration as its name, anything else as it is."""
    return value.to_string if isinstance(value, GenericComplexObject) and not value.extended_properties else value


def credential(pool: RunspacePool, user: str, password: str) -> PSCredential:
    """A credential that travels encrypted by the pool's session key."""
    pool.exchange_keys()
    secret = pool.serialize(password, ObjectMeta("SS"))
    # The library makes these classes at run time, without types.
    return PSCredential(username=user, password=secret)  # type: ignore[no-untyped-call]


def pipeline(pool: RunspacePool, *commands: tuple[str, dict[str, Any]]) -> Answer:
    """Commands joined by bars."""
    shell = PowerShell(pool)
    for cmdlet, parameters in commands:
        shell.add_cmdlet(cmdlet)
        for name, value in parameters.items():
            shell.add_parameter(name, value)
    output = shell.invoke()
    return Answer(
        output=output,
        errors=list(shell.streams.error),
        warnings=[str(one.message) for one in shell.streams.warning],
        state=shell.state,
    )


def run(pool: RunspacePool, cmdlet: str, **parameters: Any) -> Answer:
    """One cmdlet."""
    return pipeline(pool, (cmdlet, parameters))


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Certificates for the hosts at the session's addresses."""
    settings = Settings(tmp_path_factory.mktemp("windows"))
    authority = tls.authority(settings)
    for host in hosts():
        names = (host.fqdn, host.name)
        tls.server_certificate(settings, authority, places.host_certificate(host), names, (host.address,))
    certificates.client(settings, authority)
    return settings


@pytest.fixture
def windows(tmp_path: Path, certified: Settings) -> Iterator[WindowsLab]:
    """A fresh lab with Windows hosts."""
    made = WindowsLab(tmp_path, certified)
    yield made
    made.close()
