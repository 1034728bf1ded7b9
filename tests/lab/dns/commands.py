# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line's part on DNS."""

from __future__ import annotations

import argparse
from typing import Any

from tests.lab import job_commands, output
from tests.lab.dns.places import VIEWS
from tests.lab.dns.records import MODES, TYPES
from tests.lab.settings import TENANTS, Settings

Arguments = argparse.Namespace
Document = dict[str, Any]


def add(command: job_commands.Command) -> None:
    """Add the command dns."""
    dns = command("dns", "show or change what the resolvers of a tenant's forest answer", _dns)
    dns.add_argument("tenant", choices=[tenant.name for tenant in TENANTS])
    dns.add_argument(
        "--at-exchange-online", action="store_true", help="MX, SPF and autodiscover at Exchange Online, no SRV"
    )
    dns.add_argument("--keep-mx", action="store_true", help="with it: the MX records stay, as at a mail gateway")
    dns.add_argument("--restore", action="store_true", help="everything as it was at the beginning")
    _view(dns)
    deeds = dns.add_subparsers(dest="deed")
    deeds.add_parser("show")
    put = deeds.add_parser("set", help="these records take the place of all of the name and type")
    put.add_argument("name", help="@ (the domain), autodiscover, _autodiscover._tcp, or a whole name with a dot")
    put.add_argument("type", type=str.upper, choices=TYPES)
    put.add_argument("value", nargs="+", help="'10 mail.contoso.lab', '203.0.113.10', 'v=spf1 -all', ...")
    put.add_argument("--ttl", type=int, metavar="SECONDS")
    remove = deeds.add_parser("remove", help="remove records of a name")
    remove.add_argument("name")
    remove.add_argument("type", nargs="?", type=str.upper, choices=TYPES)
    remove.add_argument("value", nargs="?")
    broken = deeds.add_parser("break", help="let a view answer wrongly, or not at all; none: mend it")
    broken.add_argument("mode", choices=[*MODES, "none"])
    broken.add_argument("--name", help="only this name and what is below it (default: everything)")
    for parser in (put, remove, broken):
        _view(parser)
        parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer in JSON")


def _view(parser: argparse.ArgumentParser) -> None:
    given = argparse.SUPPRESS  # or a deed's default would hide what stands before the deed
    parser.add_argument("--view", choices=["both", *VIEWS], default=given, help="which resolver (default: both)")


def _dns(config: Settings, arguments: Arguments) -> Any:
    changes: Document = {}
    if arguments.restore:
        changes["as_at_the_beginning"] = True
    if arguments.at_exchange_online:
        changes |= {"at_exchange_online": True, "keep_mx": arguments.keep_mx}
    if arguments.deed == "set":
        ttl = {} if arguments.ttl is None else {"ttl": arguments.ttl}
        changes["set"] = [{"name": arguments.name, "type": arguments.type, "values": arguments.value, **ttl}]
    elif arguments.deed == "remove":
        wanted = {"name": arguments.name, "type": arguments.type, "value": arguments.value}
        changes["remove"] = [{name: value for name, value in wanted.items() if value is not None}]
    elif arguments.deed == "break":
        changes["break"] = arguments.mode
        if arguments.name is not None:
            changes["name"] = arguments.name
    with job_commands.lab(config) as lab:
        if not changes:
            return lab.dns(arguments.tenant)
        return lab.change_dns(arguments.tenant, getattr(arguments, "view", "both"), **changes)


def text(answer: Document) -> str:
    """Both views, a record a line, what is broken first."""
    return "\n\n".join(_zone(view, answer[view]) for view in reversed(VIEWS) if view in answer)


def _zone(view: str, zone: Document) -> str:
    title = f"{view} (resolver {zone['address']})"
    broken = [
        f"  BROKEN: {'everything' if name == '*' else name} answers {mode}" for name, mode in zone["broken"].items()
    ]
    rows = [("  " + one["name"], str(one["ttl"]), one["type"], one["value"]) for one in zone["records"]]
    return "\n".join([title, *broken, output.table(rows) if rows else "  no records"])
