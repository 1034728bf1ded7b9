# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line's part on Windows hosts: ``python -m tests.lab windows``."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable
from typing import Any

from tests.lab.job_commands import lab
from tests.lab.settings import TENANTS, Settings
from tests.lab.windows.conditions import CONDITIONS

Arguments = argparse.Namespace
Document = dict[str, Any]
Command = Callable[[str, str, Callable[[Settings, Arguments], Any]], argparse.ArgumentParser]


def add(command: Command) -> None:
    """Add the command windows."""
    added = command("windows", "show Windows hosts, set what is wrong with them, restart or renew them", _windows)
    added.formatter_class = argparse.RawDescriptionHelpFormatter
    added.epilog = "conditions (the first value is the healthy one):\n" + "\n".join(
        textwrap.fill(
            f"{one.name}={'|'.join(one.values)}: {one.doc}", 100, initial_indent="  ", subsequent_indent="      "
        )
        for one in CONDITIONS.values()
    )
    added.add_argument("host", nargs="?", type=_name, metavar="HOST@TENANT", help="such as sync1@contoso; default: all")
    added.add_argument("--set", type=_pair, action="append", default=[], metavar="NAME=VALUE", help="a condition")
    added.add_argument("--restart", action="store_true", help="it is away for a few lab seconds")
    added.add_argument(
        "--schema-extended", action="store_true", help="the forest's schema was just extended: agents need a restart"
    )
    added.add_argument("--renew", action="store_true", help="as it was at the beginning")


def _name(text: str) -> tuple[str, str]:
    host, _at, tenant = text.partition("@")
    names = [one.name for one in TENANTS]
    if tenant not in names:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form host@tenant; tenants are {', '.join(names)}")
    return tenant, host


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if name not in CONDITIONS:
        raise argparse.ArgumentTypeError(f"there is no condition {name!r}; there are {', '.join(CONDITIONS)}")
    if not equals:
        values = CONDITIONS[name].values
        raise argparse.ArgumentTypeError(f"{name} needs a value: {name}={'|'.join(values)}")
    return name, value


def _windows(config: Settings, arguments: Arguments) -> Any:
    with lab(config) as client:
        if arguments.host is None:
            if arguments.set or arguments.restart or arguments.renew or arguments.schema_extended:
                raise LookupError("name the host: host@tenant")
            return [one for tenant in TENANTS for one in client.windows(tenant.name)]
        tenant, host = arguments.host
        if arguments.renew:
            client.steer_windows(tenant, host, "renew")
        if arguments.set:
            client.set_windows(tenant, host, **dict(arguments.set))
        if arguments.schema_extended:
            client.schema_extended(tenant)
        if arguments.restart:
            client.steer_windows(tenant, host, "restart")
        client.windows(tenant, host)  # says which hosts there are when there is no such
        shown = client.windows(tenant, exchange=True)
        return [one for one in shown if one["name"] == host.partition(".")[0].lower()]


def text(answer: list[Document]) -> str:
    """Hosts, a few lines each."""
    lines = []
    for one in answer:
        away = ", restarting" if one["away"] else ""
        lines.append(f"{one['name']}@{one['tenant']}  {one['address']}  {one['system']}{away}")
        if one["version"] is None:
            lines.append("    no agent is installed")
        else:
            domains = ", ".join(one["domains"]) or "no domain"
            lines.append(
                f"    agent {one['version']}, service {one['service'] or 'missing'} as {one['account']}, {domains},"
                f" in Graph: {one['graph'] or 'not registered'}"
            )
        if one["processes"]:
            lines.append(f"    runs: {', '.join(one['processes'])}")
        if one["conditions"]:
            lines.append("    " + ", ".join(f"{name}={value}" for name, value in one["conditions"].items()))
    return "\n".join(lines)
