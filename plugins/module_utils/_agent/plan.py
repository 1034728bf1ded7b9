# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What has to be done on a server to bring its agent into the wanted state: purely from what was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._agent import version
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.host_facts import Machine
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.installed import Installed
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.registered import Registered
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.source import Source
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.wanted import Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._run.moments import moment
from ansible_collections.hybrid.exchange.plugins.module_utils._run.moments import shown as in_words

RESTART_HOST = "restart_host"
INSTALL, UPGRADE, UNINSTALL = "install", "upgrade", "uninstall"
CONNECT, GMSA, PERMISSIONS, DOMAIN = "connect", "set_gmsa", "set_permissions", "add_domain"
BY_HAND = "register_by_hand"
AUTOMATIC, START, RESTART = "set_service_automatic", "start_service", "restart_service"
# Steps that change files of the host, and those that stop a running agent for a while or for good.
SETUP_STEPS = frozenset({INSTALL, UPGRADE})
STOPPING_STEPS = frozenset({RESTART_HOST, UPGRADE, UNINSTALL, RESTART})
# Steps that nothing has to be asserted for: they only mend the service.
PLAIN_STEPS = frozenset({AUTOMATIC, START, RESTART, UNINSTALL})


@dataclass(frozen=True)
class Read:
    """What was read before the plan. ``schema_changed`` is when the Exchange schema was last extended, if known."""

    machine: Machine
    installed: Installed
    registered: Registered
    source: Source | None = None
    schema_changed: datetime | None = None
    reboot_pending: bool = False


@dataclass(frozen=True)
class Plan:
    """The steps in their order, and both states for the diff."""

    steps: tuple[str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @property
    def needs_prerequisites(self) -> bool:
        """Whether anything is done that the prerequisites are about."""
        return bool(set(self.steps) - PLAIN_STEPS)


def make_plan(wanted: Wanted, read: Read) -> Plan:
    """The steps in their order; none where all is as wanted."""
    steps = _removal(read) if wanted.state == "absent" else _steps(wanted, read)
    return Plan(steps, shown(read), _after(wanted, read, steps))


def setup_step(wanted: Wanted, installed: Installed, source: Source | None) -> str | None:
    """Whether the installer has to run: install, upgrade, or None."""
    if not installed.there:
        return INSTALL
    have = installed.version_number
    if have is None:
        raise Refused(
            f"The version of the agent that is installed cannot be told (it says {installed.version!r}). Remove it "
            "with state absent, and install it again."
        )
    if have < wanted.minimum_version:
        return UPGRADE
    if wanted.state == "latest":
        offered = version.parse(source.version if source else None)
        if offered is None:
            raise InputError(
                "state latest needs to know the version of the installer: give installer, and installer.version where "
                "its file does not tell it or it is downloaded."
            )
        return UPGRADE if have < offered else None
    return None


def registration_steps(wanted: Wanted, read: Read, after_install: bool) -> tuple[str, ...]:
    """What is missing for the agent to be registered and to serve the domain."""
    installed = read.installed
    service = installed.service
    account = after_install or service is None or service.account_name.lower() != wanted.account.lower()
    own = read.registered.on(read.machine.name)
    known = read.registered.agents is None or own is not None
    domain = after_install or not known or (installed.domains is not None and wanted.domain not in installed.domains)
    if not account and not domain:
        return ()
    if wanted.registration == "by_hand":
        return (BY_HAND,)
    permissions = bool(wanted.permissions_wanted)
    return (
        CONNECT,
        *((GMSA,) if account else ()),
        *((PERMISSIONS,) if permissions else ()),
        *((DOMAIN,) if domain or account else ()),
    )


def restart_reason(wanted: Wanted, read: Read) -> str | None:
    """Why a running service has to be restarted; None where it has not."""
    own = read.registered.on(read.machine.name)
    service = read.installed.service
    if own is not None and not own.active and service is not None and service.running:
        return f"Graph shows the agent {own.status} although its service runs"
    began = read.installed.started
    if began is None:
        return None
    asked = moment(wanted.restart_after)
    if asked is not None and began < asked:
        return f"it began at {in_words(began)}, before restart_after"
    if wanted.restart_after_schema and read.schema_changed is not None and began < read.schema_changed:
        extended = in_words(read.schema_changed)
        return f"it began at {in_words(began)}, before the Exchange schema was extended at {extended}"
    return None


def guard_last(wanted: Wanted, read: Read, plan: Plan) -> None:
    """Refuse to take the last active agent down, or to do so without knowing."""
    if not set(plan.steps) & STOPPING_STEPS or wanted.last_agent_accepted:
        return
    machine = read.machine.name
    service = read.installed.service
    if read.registered.agents is None:
        if service is None or not service.running:
            return
        raise Refused(
            f"{machine}: whether another agent of {wanted.domain} is active cannot be told, so this one is not taken "
            f"down. {read.registered.unknown} Let the application read the agents, or set last_agent to accepted.",
            host=machine,
        )
    own = read.registered.on(machine)
    if own is None or not own.active or read.registered.active_beside(machine, wanted.domain):
        return
    raise Refused(
        f"{machine} has the only active agent of {wanted.domain}, so it is not taken down "
        f"({', '.join(step for step in plan.steps if step in STOPPING_STEPS)}). Install a second one first, or set "
        "last_agent to accepted: the writeback job stands still until an agent is active again.",
        host=machine,
        agents=[agent.machine for agent in read.registered.agents],
    )


def check(wanted: Wanted, plan: Plan) -> None:
    """Refuse a plan that lacks what its steps need, before anything is changed."""
    steps = set(plan.steps)
    if steps & SETUP_STEPS and wanted.installer is None:
        raise InputError(
            f"The agent has to be installed ({', '.join(sorted(steps & SETUP_STEPS))}): give installer. Microsoft "
            "offers the file in the Microsoft Entra admin center only (Cloud Sync, Agents)."
        )
    if GMSA in steps and wanted.creates_gmsa and wanted.domain_admin is None:
        raise InputError(
            "The agent shall make its managed service account (gmsa: created), which takes an administrator of the "
            "domain: give domain_admin_user and domain_admin_password, or give a gmsa that exists."
        )
    if steps & {DOMAIN, PERMISSIONS} and wanted.domain_admin is None:
        raise InputError(
            f"Adding the domain {wanted.domain} to the agent takes an administrator of the domain: give "
            "domain_admin_user and domain_admin_password, or set registration to by_hand."
        )


def _removal(read: Read) -> tuple[str, ...]:
    return (UNINSTALL,) if read.installed.there else ()


def _steps(wanted: Wanted, read: Read) -> tuple[str, ...]:
    installed = read.installed
    setup = setup_step(wanted, installed, read.source)
    registration = registration_steps(wanted, read, after_install=setup == INSTALL)
    service = installed.service
    running = service is not None and service.running
    automatic = service is not None and service.automatic
    restart = bool(registration) and BY_HAND not in registration
    steps = [
        *((RESTART_HOST,) if read.reboot_pending and wanted.reboot and (setup or registration) else ()),
        *((setup,) if setup else ()),
        *registration,
        *(() if automatic or setup == INSTALL else (AUTOMATIC,)),
    ]
    if restart or (running and setup is None and restart_reason(wanted, read)):
        steps.append(RESTART)
    elif not running and BY_HAND not in registration and setup is None:
        steps.append(START)
    return tuple(steps)


def shown(read: Read) -> dict[str, Any]:
    """The agent as the server and Graph show it."""
    installed, own = read.installed, read.registered.on(read.machine.name)
    service = installed.service
    return {
        "version": installed.version,
        "service": f"{service.status}, {service.start_type}" if service else None,
        "account": service.account if service else None,
        "domains": None if installed.domains is None else sorted(installed.domains),
        "registered": None if read.registered.agents is None else own.status if own else False,
    }


def _after(wanted: Wanted, read: Read, steps: tuple[str, ...]) -> dict[str, Any]:
    after = shown(read)
    if UNINSTALL in steps:
        return {**after, "version": None, "service": None, "account": None, "domains": None, "registered": "inactive"}
    if set(steps) & SETUP_STEPS:
        after["version"] = (read.source.version if read.source else None) or "that of the installer"
    if set(steps) & {GMSA, BY_HAND}:
        after["account"] = wanted.account
    if set(steps) & {DOMAIN, BY_HAND}:
        after["domains"] = sorted({*(read.installed.domains or ()), wanted.domain})
    if steps:
        after |= {"service": "Running, Automatic", "registered": "active"}
    if RESTART in steps and len(steps) == 1:
        after["restarted"] = restart_reason(wanted, read)
    return after
