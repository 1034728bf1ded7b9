# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line's part on writeback jobs: making and changing them, their agents and mailboxes, what stops them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from tests.lab.settings import TENANTS, Settings

Arguments = argparse.Namespace
Command = Callable[[str, str, Callable[[Settings, Arguments], Any]], argparse.ArgumentParser]


def lab(config: Settings) -> Any:
    """A client of the running lab, for a ``with`` block."""
    from tests.lab.client import Lab  # only here: `up --only forests` and `down` need no cloud

    return Lab.from_run_dir(config.run_dir)


def add(command: Command) -> None:
    """Add the commands agent, job, mailbox and deletes."""
    names = [tenant.name for tenant in TENANTS]
    agent = command("agent", "show a tenant's provisioning agents, or set their status", _agent)
    agent.add_argument("tenant", choices=names)
    agent.add_argument("status", nargs="?", choices=["active", "inactive", "none"], help="none: not registered")

    mailbox = command("mailbox", "make synchronized mailboxes cloud-managed, or not", _mailbox)
    mailbox.add_argument("tenant", choices=names)
    mailbox.add_argument("state", choices=["managed", "unmanaged"])
    mailbox.add_argument("names", nargs="*", help="userPrincipalNames or aliases")
    mailbox.add_argument("--first", type=int, metavar="N", help="the first N by name that are not so yet")
    mailbox.add_argument("--all", action="store_true", help="every synchronized mailbox")

    deletes = command("deletes", "let a job want to delete too many objects, and run it", _deletes)
    deletes.add_argument("tenant", choices=names)
    deletes.add_argument("--count", type=int, default=3, metavar="N", help="so many leave its scope (default: 3)")

    job = command("job", "show, make, change, start, pause, restart or remove a tenant's writeback job", _job)
    job.add_argument("tenant", choices=names)
    deeds = job.add_subparsers(dest="deed")
    deeds.add_parser("show").add_argument("--schema", action="store_true", help="with its whole schema")
    make = deeds.add_parser("make", help="as the portal makes it, past Graph")
    make.add_argument("--preview", action="store_true", help="as in the preview: mail is not mapped")
    make.add_argument("--start", action="store_true", help="start it, too")
    change = deeds.add_parser("change", help="change its schema or settings, past Graph")
    change.add_argument("--without-mail", action="store_true", help="remove the mapping of mail")
    for parser in (make, change):
        _add_changes(parser)
    deeds.add_parser("start")
    deeds.add_parser("pause")
    restart = deeds.add_parser("restart")
    restart.add_argument("--reset", default="", metavar="SCOPES", help="escrows,quarantine_state (default: everything)")
    deeds.add_parser("remove", help="with its service principal, application and secrets")


def _add_changes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--custom", action="store_true", help="add five custom mappings")
    parser.add_argument("--duplicate", action="append", metavar="TARGET", help="map a target attribute twice")
    parser.add_argument("--ou", action="append", metavar="DN", help="limit it to organizational units")
    parser.add_argument("--group", action="append", metavar="NAME", help="limit it to members of groups")
    parser.add_argument(
        "--filter", action="append", metavar="CLAUSES", help="'department EQUALS Sales AND city IS NOT NULL'"
    )
    parser.add_argument("--flow-types", metavar="TYPES", help="Update,Delete")
    parser.add_argument("--delete-threshold", type=int, metavar="N", help="so many deletes stop it; 0: none do")


def _changes(arguments: Arguments) -> dict[str, Any]:
    """What was asked for, by the names of the control API."""
    given = {
        "custom": arguments.custom or None,
        "duplicates": arguments.duplicate,
        "organizational_units": arguments.ou,
        "groups": arguments.group,
        "filters": arguments.filter,
        "flow_types": arguments.flow_types,
        "delete_threshold": arguments.delete_threshold,
    }
    return {name: value for name, value in given.items() if value is not None}


def _agent(config: Settings, arguments: Arguments) -> Any:
    with lab(config) as client:
        return client.agents(arguments.tenant, arguments.status)


def _mailbox(config: Settings, arguments: Arguments) -> Any:
    which: dict[str, Any] = {"names": arguments.names, "first": arguments.first, "all": arguments.all}
    given = {name: value for name, value in which.items() if value}
    with lab(config) as client:
        return client.set_managed(arguments.tenant, arguments.state == "managed", **given)


def _deletes(config: Settings, arguments: Arguments) -> Any:
    with lab(config) as client:
        return client.bring_about_deletes(arguments.tenant, arguments.count)


def _job(config: Settings, arguments: Arguments) -> Any:
    tenant, deed = arguments.tenant, arguments.deed
    with lab(config) as client:
        if deed == "make":
            return client.make_job(tenant, arguments.preview, arguments.start, **_changes(arguments))
        if deed == "change":
            mail = {"mail": False} if arguments.without_mail else {}
            return client.change_job(tenant, **mail, **_changes(arguments))
        if deed == "remove":
            return client.remove_job(tenant)
        if deed in ("start", "pause", "restart"):
            return client.steer_job(tenant, deed, getattr(arguments, "reset", ""))
        return client.job(tenant, schema=getattr(arguments, "schema", False))
