# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line's part on Exchange servers: ``python -m tests.lab exchange``."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable
from typing import Any

from tests.lab.exchange_server.conditions import CONDITIONS
from tests.lab.job_commands import lab
from tests.lab.settings import TENANTS, Settings

Arguments = argparse.Namespace
Document = dict[str, Any]
Command = Callable[[str, str, Callable[[Settings, Arguments], Any]], argparse.ArgumentParser]
_WIDTH = 100


def add(command: Command) -> None:
    """Add the command exchange."""
    added = command("exchange", "show Exchange servers, put something in their way, switch them off and on", _exchange)
    added.formatter_class = argparse.RawDescriptionHelpFormatter
    added.epilog = "conditions (the first value is what is not in the way):\n" + "\n".join(
        textwrap.fill(
            f"{one.name}={'|'.join(one.values)}: {one.doc}"
            + (f" (at the beginning: {one.initial})" if one.initial != one.values[0] else ""),
            _WIDTH,
            initial_indent="  ",
            subsequent_indent="      ",
        )
        for one in CONDITIONS.values()
    )
    added.epilog += (
        "\n\nwhat Setup does is a condition of the machine: python -m tests.lab windows ex01@contoso --set setup=hangs"
    )
    added.add_argument("tenant", nargs="?", choices=[one.name for one in TENANTS], help="default: all")
    added.add_argument("--set", type=_pair, action="append", default=[], metavar="NAME=VALUE", help="a condition")
    added.add_argument(
        "--ready", action="store_true", help="mailboxes moved, relaying stopped, nothing left that others have to move"
    )
    added.add_argument("--power", choices=["off", "on"], help="switch servers off, or on again")
    added.add_argument("--restart", action="store_true", help="away for a few lab seconds")
    added.add_argument("--server", default="all", metavar="NAME", help="for --power and --restart: EX01; default: all")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if name not in CONDITIONS:
        raise argparse.ArgumentTypeError(f"there is no condition {name!r}; there are {', '.join(CONDITIONS)}")
    if not equals:
        raise argparse.ArgumentTypeError(f"{name} needs a value: {name}={'|'.join(CONDITIONS[name].values)}")
    return name, value


def _exchange(config: Settings, arguments: Arguments) -> Any:
    with lab(config) as client:
        if arguments.tenant is None:
            if arguments.set or arguments.ready or arguments.power or arguments.restart:
                raise LookupError("name the tenant: contoso or fabrikam")
            return [client.exchange(one.name) for one in TENANTS]
        tenant = arguments.tenant
        if arguments.ready:
            client.exchange_ready(tenant)
        if arguments.set:
            client.set_exchange(tenant, **dict(arguments.set))
        if arguments.power:
            client.steer_exchange(tenant, arguments.power, arguments.server)
        if arguments.restart:
            client.steer_exchange(tenant, "restart", arguments.server)
        return [client.exchange(tenant)]


def text(answer: list[Document]) -> str:
    """Organisations, one after the other."""
    return "\n\n".join("\n".join(_organization(one)) for one in answer)


def _organization(one: Document) -> list[str]:
    title = f"organization {one['organization']}" if one["organization"] else "no Exchange organization any more"
    lines = [f"{one['tenant']}: {title}"]
    for server in one["servers"]:
        lines += _server(server)
    lines += _present(one)
    changed = [f"{name}={value}" for name, value in one["conditions"].items() if value != CONDITIONS[name].initial]
    lines += _wrapped("conditions", changed)
    lines += _wrapped("moves", one["moves"]) + _wrapped("batches", one["batches"])
    removed = [f"{row['cmdlet']} {row['identity']}" for row in one["removed"]]
    lines += ["  removed so far:", *(f"    {row}" for row in removed)] if removed else ["  nothing was removed yet"]
    return lines


def _server(server: Document) -> list[str]:
    power = "switched off" if server["power"] == "off" else "restarting" if server["away"] else "on"
    what = f"Exchange {server['version']}" if server["installed"] else "Exchange is uninstalled"
    directory = "" if server["in_directory"] == server["installed"] else ", still in the directory"
    ports = f", listens at {', '.join(map(str, server['ports']))}" if server["ports"] else ""
    lines = [f"  {server['name']}  {server['address']}  {what}{directory}, {power}{ports}"]
    if server["hybrid_agent"]:
        lines.append(f"    hybrid agent, applications: {', '.join(server['hybrid_applications']) or 'none'}")
    if server["processes"]:
        lines.append(f"    runs: {', '.join(server['processes'])}")
    if server["setup_stages"]:
        lines.append(f"    Setup was interrupted behind: {server['setup_stages'][-1]}")
    if server["setup"] != "ok":
        lines.append(f"    Setup: {server['setup']}")
    lines += [f"    service left behind: {name}" for name in server["lingering"]]
    about: dict[str, list[str]] = {}
    for blocker in server["blockers"]:
        about.setdefault(blocker["what"], []).append(blocker["about"])
    lines += [f"    blocks Setup: {what} ({', '.join(names)})" for what, names in about.items()]
    if server["installed"] and not server["blockers"]:
        lines.append("    nothing blocks Setup")
    return lines


def _present(one: Document) -> list[str]:
    rows = [(kind, names) for kind, names in one["objects"].items() if names]
    width = max((len(kind) for kind, _names in rows), default=0)
    return ["  in the directory:" if rows else "  no hybrid object is left in the directory"] + [
        f"    {kind:<{width}}  {', '.join(names)}" for kind, names in rows
    ]


def _wrapped(title: str, words: list[str]) -> list[str]:
    return [f"  {title}: {', '.join(words)}"] if words else []
