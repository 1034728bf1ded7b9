# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's cloud process: HTTPS on four addresses, the engines' scheduler, and the LDAP relay.

Started as ``python -m tests.lab.cloud.server --run-dir DIR``; reads ``DIR/lab.json`` and ``DIR/tls``; keeps its state
in ``DIR/state.sqlite``; stops on SIGTERM. At the first start it fills the tenants and runs Connect Sync before it
listens, so that whoever gets an answer finds a ready lab.
"""

from __future__ import annotations

import argparse
import json
import logging
import socket
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ldap3
import uvicorn

from tests.lab.clock import Clock
from tests.lab.cloud.asgi import Application
from tests.lab.cloud.context import Engines, ForestControl, Services, find_tenant
from tests.lab.cloud.faults import FaultTable
from tests.lab.cloud.seed import seed
from tests.lab.cloud.stale import StaleReads
from tests.lab.cloud.tokens import TokenIssuer
from tests.lab.dns import serving as dns
from tests.lab.exchange_server.exchange import Exchange
from tests.lab.forest.access import DirectoryUnavailable
from tests.lab.scenario import Scenario
from tests.lab.store import Store
from tests.lab.windows.directory import Directory
from tests.lab.windows.estate import Estate
from tests.lab.windows.server import Listeners

SERVICES = ("control", "login", "graph", "exchange")
TICK_S = 0.5
_SEEDED = "seeded"
_log = logging.getLogger("tests.lab.cloud")


def main(arguments: list[str] | None = None) -> int:
    """Run the process until SIGTERM; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.cloud.server", description="The lab's cloud process.")
    parser.add_argument("--run-dir", type=Path, required=True, help="folder with lab.json and tls/")
    run_dir: Path = parser.parse_args(arguments).run_dir.absolute()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        lab = json.loads((run_dir / "lab.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"Cannot read {run_dir / 'lab.json'}: {error}", file=sys.stderr)
        return 1
    try:
        services, relays = _with_forests(run_dir, lab)
    except OSError as error:
        print(f"The cloud cannot start: {error}", file=sys.stderr)
        return 1
    listeners = resolvers = None
    try:
        first_start(services, lab)
        listeners = _windows_listeners(services, run_dir)
        resolvers = dns.start(services)
        serve(services, run_dir / "tls")
    except (OSError, DirectoryUnavailable) as error:
        print(f"The cloud cannot start: {error}", file=sys.stderr)
        return 1
    finally:
        if resolvers is not None:
            resolvers.stop()
        if listeners is not None:
            listeners.stop()
        relays.stop()
        services.store.close()
    return 0


def _with_forests(run_dir: Path, lab: dict[str, Any]) -> tuple[Services, Any]:
    """The services with the real engines and forests, and the running relays."""
    # Only here: the rest of this module serves tests that have neither forests nor engines.
    from tests.lab import network, settings, supervisor
    from tests.lab.cloud import job_faults
    from tests.lab.engines import EngineRefusal
    from tests.lab.engines import Engines as RealEngines
    from tests.lab.forest import access, edit, reset
    from tests.lab.ldap_refusals import CLOUD_SOA, Refusal
    from tests.lab.relay_parts import Acts
    from tests.lab.windows import permissions

    where = settings.settings(run_dir)
    store = Store(run_dir / "state.sqlite")
    clock, scenario = Clock(store), Scenario(store)

    def open_directory(tenant_id: str) -> ldap3.Connection:
        return access.open_directory(settings.tenant(tenant_id).name, "sync", run_dir)

    def highest_committed_usn(name: str) -> int:
        connection = access.open_directory(name, "sync", run_dir)
        try:
            connection.search("", "(objectClass=*)", ldap3.BASE, attributes=["highestCommittedUSN"])
            return int(connection.response[0]["raw_attributes"]["highestCommittedUSN"][0])
        finally:
            connection.unbind()

    engines = RealEngines(
        store,
        clock,
        scenario,
        open_directory,
        lambda tenant_id: access.base_dn(settings.tenant(tenant_id).name),
        # The services are made below, before any job runs.
        obstacle=permissions.obstacle(lambda: services.windows, job_faults.obstacle(lambda: services.faults)),
    )

    def soa_policy(tenant: settings.Tenant, dn: str) -> Refusal | None:
        how = CLOUD_SOA.get(scenario["object_soa"])
        return how if how is not None and edit.authority(tenant.name, dn, run_dir) else None

    relays: list[network.Relays] = []  # started below, with the faults of the services that look at them
    forests = ForestControl(
        reset=lambda name: reset.reset(name, run_dir),
        restart_dc=lambda name: supervisor.restart_dc(where, name),
        highest_committed_usn=highest_committed_usn,
        edit=lambda name, dn, changes: edit.edit(name, dn, changes, run_dir),
        add=lambda name, dn, classes, attributes: edit.add(name, dn, classes, attributes, run_dir),
        remove=lambda name, dns: edit.remove(name, dns, run_dir),
        traffic=lambda name: relays[0].counts()[name].document(),
    )
    services = build(run_dir, lab, store, clock, scenario, engines, EngineRefusal, forests)
    services.windows = windows_hosts(services, str(where.ca))
    services.windows.exchange = Exchange(
        store, services.windows.tenant_id, lambda name: access.open_directory(name, "administrator", run_dir)
    )
    acts = Acts(
        restart=network.logged(lambda name, seconds: supervisor.restart_dc(where, name, seconds)),
        other_writer=lambda tenant, dn, wanted: edit.edit(
            tenant.name, wanted.get("object") or dn, wanted["changes"], run_dir
        ),
        policy=soa_policy,
        policed=lambda: bool(scenario["object_soa"] in CLOUD_SOA),
    )
    relays.append(network.start_relays(where, services.faults, acts))
    return services, relays[0]


def windows_hosts(services: Services, ca: str) -> Estate:
    """The Windows hosts of the services' lab, not listening yet; they trust the authority in the file ``ca``."""

    def tenant_id(name: str) -> str:
        found = services.tenant(name)
        if found is None:
            raise LookupError(f"there is no tenant {name}")
        return str(found["id"])

    return Estate(
        services.store,
        services.clock,
        services.scenario,
        services.faults,
        tenant_id,
        ca,
        directory=Directory(services.store, services.forests.add, services.forests.edit),
    )


def _windows_listeners(services: Services, run_dir: Path) -> Listeners | None:
    if services.windows is None:
        return None
    return Listeners(services.windows, run_dir / "tls", run_dir, Path(services.windows.ca))


def build(
    run_dir: Path,
    lab: dict[str, Any],
    store: Store,
    clock: Clock,
    scenario: Scenario,
    engines: Engines,
    engine_refusal: type[Exception],
    forests: ForestControl,
) -> Services:
    """The services over the given engines and forests."""

    def tenant_id(name: str) -> str | None:
        found = find_tenant(store, name)
        return found["id"] if found else None

    return Services(
        store=store,
        clock=clock,
        scenario=scenario,
        engines=engines,
        engine_refusal=engine_refusal,
        forests=forests,
        faults=FaultTable(store, clock, tenant_id),
        stale=StaleReads(clock, scenario),
        issuer=TokenIssuer(store),
        urls={name: lab[name].rstrip("/") for name in SERVICES},
        snapshot=run_dir / "initial.sqlite",
    )


def first_start(services: Services, lab: dict[str, Any]) -> None:
    """Fill an empty store: seed, Connect Sync for every tenant, snapshot for /reset. Nothing when done before."""
    if services.store.meta(_SEEDED):
        return
    seed(services.store, services.clock, lab)
    for tenant in services.store.tenants():
        counts = services.engines.connect_sync(tenant["id"], initial=True)
        _log.info("Connect Sync filled tenant %s: %s", tenant["name"], counts)
    services.store.set_meta(_SEEDED, True)
    services.store.snapshot(services.snapshot)


def serve(services: Services, tls: Path) -> None:
    """Listen on the four addresses, and keep the scheduler going, until SIGTERM or SIGINT."""
    server, sockets = listen(services, tls)
    stop = threading.Event()
    scheduler = threading.Thread(target=_schedule, args=(services, stop), name="scheduler")
    scheduler.start()
    try:
        server.run(sockets=sockets)
    finally:
        stop.set()
        scheduler.join()


def listen(services: Services, tls: Path) -> tuple[uvicorn.Server, list[socket.socket]]:
    """The server, not running yet, and its listening sockets; OSError when an address is taken."""
    sockets: list[socket.socket] = []
    for name in SERVICES:
        url = urlsplit(services.urls[name])
        try:
            sockets.append(_listener(url.hostname or "", url.port or 443))
        except OSError:
            for opened in sockets:
                opened.close()
            raise
    config = uvicorn.Config(
        Application(services),
        ssl_certfile=str(tls / "cloud.pem"),
        ssl_keyfile=str(tls / "cloud.key"),
        log_config=None,
        log_level="warning",
        access_log=False,
        date_header=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config), sockets


def _listener(address: str, port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off only for sockets that state their protocol; with it, and the client's delayed
    # acknowledgement, every answer takes 40 ms more.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(256)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"cannot listen on {address}:{port}: {error.strerror}") from error
    return listener


def _schedule(services: Services, stop: threading.Event) -> None:
    while not stop.wait(TICK_S):
        with services.engine_lock:
            if services.windows is not None:
                services.windows.tick()
            services.engines.tick()


if __name__ == "__main__":
    sys.exit(main())
