# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The steps that install, register, mend and remove the agent on a server."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.hybrid.exchange.plugins.module_utils._agent import (
    installed,
    plan,
    product,
    registered,
    restart,
    setup,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.installed import Installed, Service
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.plan import Plan, Read
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.ports import Ends
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.register import Registrar, wait_for_hands
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.registered import Registered
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.wanted import Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    HybridError,
    InputError,
    ProtocolError,
    Timeout,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._run import command_line
from ansible_collections.hybrid.exchange.plugins.module_utils._run.command_line import Command
from ansible_collections.hybrid.exchange.plugins.module_utils._run.waiting import until


@dataclass
class Applied:
    """How far a run is. A step is done once it was read back."""

    done: list[str] = field(default_factory=list)
    reboot_required: bool = False


def apply(ends: Ends, wanted: Wanted, read: Read, made: Plan, applied: Applied) -> None:
    """Do the steps of the plan in their order, and wait until the agent is at work."""
    registrar = Registrar(ends, wanted, read.machine.name)
    for step in made.steps:
        ends.progress.start(f"{read.machine.name}: {step}")
        if step == plan.RESTART_HOST:
            restart.restart(ends.host, ends.clock, wanted.restart_timeout)
        elif step in plan.SETUP_STEPS:
            _set_up(ends, wanted, read, step, applied)
        elif step == plan.UNINSTALL:
            _uninstall(ends, wanted, read.installed, applied)
        elif step == plan.BY_HAND:
            wait_for_hands(ends, wanted, read.machine.name)
        elif step in (plan.AUTOMATIC, plan.START, plan.RESTART):
            service_step(ends, wanted, step, read.machine.name)
        else:
            registrar.step(step)
        applied.done.append(step)
    if wanted.state != "absent":
        _at_work(ends, wanted, read.machine.name, applied)


def verify(wanted: Wanted, after: Read) -> None:
    """Conflict where the state at the end is not the wanted one."""
    machine, here = after.machine.name, after.installed
    if wanted.state == "absent":
        if here.there:
            raise Conflict(f"{machine}: the agent was removed, but {_remains(here, wanted)} is still there.")
        return
    number = here.version_number
    if number is None or number < wanted.minimum_version:
        raise Conflict(f"{machine}: the agent was installed, but the server shows version {here.version}.")
    service = here.service
    if service is None or service.account_name.lower() != wanted.account.lower():
        shown = service.account if service else "none"
        raise Conflict(f"{machine}: the agent's service runs as {shown}, and not as {wanted.account}.")
    if here.domains is not None and wanted.domain not in here.domains:
        served = ", ".join(here.domains) or "no domain"
        raise Conflict(f"{machine}: the agent serves {served}, and not {wanted.domain}.")


def service_step(ends: Ends, wanted: Wanted, step: str, machine: str) -> None:
    """Make the service automatic, start it or restart it; an error counts only if it is not then as wanted."""
    host, name = ends.host, wanted.names.service
    before = installed.read_service(host, name, with_account=True)
    cmdlet = {
        plan.AUTOMATIC: Cmdlet("Set-Service", {"Name": name, "StartupType": "Automatic"}),
        plan.START: Cmdlet("Start-Service", {"Name": [name]}),
        plan.RESTART: Cmdlet("Restart-Service", {"Name": [name], "Force": True}),
    }[step]

    def reached() -> bool:
        service = installed.read_service(host, name, with_account=True)
        if service is None:
            return False
        if step == plan.AUTOMATIC:
            return service.automatic
        if step == plan.START or not service.running:
            return service.running
        return before is None or service.process != before.process

    try:
        host.run(cmdlet)
    except HybridError as error:
        if reached():
            return
        now = installed.read_service(host, name)
        if step == plan.AUTOMATIC or (now is not None and now.running):
            raise
        raise _not_started(wanted, machine, error) from None


def what_is_left(ends: Ends, wanted: Wanted, before: Read) -> list[str]:
    """Where a run that failed leaves the server, in words; nothing where all is as it was."""
    try:
        here = installed.read(ends.host, wanted.names)
    except HybridError:
        return [f"How {before.machine.name} is now could not be read. Run again: what was done is found."]
    was = before.installed
    if (here.version, here.service, here.domains) == (was.version, was.service, was.domains):
        return []
    if not here.there:
        return [f"The agent is no longer on {before.machine.name}."] if was.there else []
    service = f"its service is {here.service.status} as {here.service.account}" if here.service else "it has no service"
    domains = f", domains: {', '.join(here.domains) or 'none'}" if here.domains is not None else ""
    return [
        f"Left on {before.machine.name}: the agent {here.version}, {service}{domains}. Run again to go on from there, "
        "or remove it with state absent."
    ]


def _set_up(ends: Ends, wanted: Wanted, read: Read, step: str, applied: Applied) -> None:
    installer = wanted.installer
    if installer is None:
        raise InputError("The agent has to be installed: give installer.")
    with setup.staged(ends, wanted, installer) as program:
        ran = setup.run(ends, wanted, Command(program, wanted.setup_arguments), "The installer")
        here = installed.read(ends.host, wanted.names)
        number, had = here.version_number, read.installed.version_number
        if number is None or number < wanted.minimum_version or (step == plan.UPGRADE and number == had):
            code = f"exit code {ran.code}" if ran.code is not None else "its answer was lost"
            raise Conflict(
                f"The installer ended on {read.machine.name} ({code}), but the server shows "
                f"{f'the agent {here.version}' if here.there else 'no agent'}. Its log lies in {product.LOG_PLACE}.",
                host=read.machine.name,
                exit_code=ran.code,
            )
    _after_setup(ends, wanted, ran, applied)


def _uninstall(ends: Ends, wanted: Wanted, here: Installed, applied: Applied) -> None:
    program = here.program
    if program is None:
        names = " or ".join(wanted.names.program_names)
        raise Conflict(
            f"The agent is on {ends.host.host}, but the programs list there has no entry {names}, so it cannot be "
            "removed without guessing. Remove it on the server, or correct program_names."
        )
    command = command_line.parse(program.removal)
    by_msiexec = command.program.lower().rpartition("\\")[2] == "msiexec.exe"
    needed = product.MSIEXEC_ARGUMENTS if by_msiexec else product.UNINSTALLER_ARGUMENTS
    missing = [word for word in needed if word not in command.arguments]
    command = Command(command.program, (*command.arguments, *missing))
    ran = setup.run(ends, wanted, command, "The uninstaller")
    if ran.code is None and installed.read(ends.host, wanted.names).there:
        raise ProtocolError(
            f"The connection to {ends.host.host} was lost while the agent was removed, and it is still there. Run "
            "again."
        )
    _after_setup(ends, wanted, ran, applied)


def _after_setup(ends: Ends, wanted: Wanted, ran: setup.Ran, applied: Applied) -> None:
    if not ran.reboot_required:
        return
    if not wanted.reboot:
        applied.reboot_required = True
        return
    restart.restart(ends.host, ends.clock, wanted.restart_timeout)
    applied.done.append(plan.RESTART_HOST)


def _at_work(ends: Ends, wanted: Wanted, machine: str, applied: Applied) -> None:
    """Mend the service where a step left it otherwise, and wait until Graph shows the agent active."""
    service = _running(ends, wanted, machine, applied)
    if not service.automatic:
        service_step(ends, wanted, plan.AUTOMATIC, machine)
        applied.done.append(plan.AUTOMATIC)

    def done(known: Registered) -> bool:
        own = known.on(machine)
        return known.agents is None or (own is not None and own.active)

    def late(known: Registered) -> HybridError:
        own = known.on(machine)
        seen = own.status if own else "not registered"
        return Timeout(
            f"The agent's service runs on {machine}, but after {wanted.wait_timeout:g} seconds Graph still shows the "
            f"agent {seen}. Look into {wanted.names.trace_folder} there, or raise wait_timeout.",
            host=machine,
            last_state=seen,
        )

    ends.progress.start(f"{machine}: wait for Graph")
    known = until(ends.clock, wanted.wait_timeout, lambda: registered.read(ends.agents), done, late)
    if known.agents is None:
        ends.warn(f"{machine}: whether Graph shows the agent active cannot be told. {known.unknown}")


def _running(ends: Ends, wanted: Wanted, machine: str, applied: Applied) -> Service:
    name = wanted.names.service
    service = installed.read_service(ends.host, name)
    if service is not None and not service.running and service.status != "StartPending":
        service_step(ends, wanted, plan.START, machine)
        applied.done.append(plan.START)

    def late(seen: Service | None) -> HybridError:
        state = seen.status if seen else "not there"
        return _not_started(wanted, machine, Timeout(f"after {wanted.wait_timeout:g} seconds it is {state}"))

    def done(seen: Service | None) -> bool:
        return seen is not None and seen.running

    found = until(ends.clock, wanted.wait_timeout, lambda: installed.read_service(ends.host, name), done, late)
    if found is None:
        raise _not_started(wanted, machine, Timeout("it is not there"))
    return found


def _not_started(wanted: Wanted, machine: str, error: HybridError) -> HybridError:
    return Conflict(
        f"The service {wanted.names.service} does not run on {machine}: {error.message.rstrip('.')}. Look into the "
        f"event log System (Service Control Manager) and {wanted.names.trace_folder} there; a managed service account "
        "that the server may not use is the usual cause.",
        **error.facts,
    )


def _remains(here: Installed, wanted: Wanted) -> str:
    parts = [
        *((f"the program {here.program.name}",) if here.program else ()),
        *((wanted.names.program,) if here.file_version else ()),
        *((f"the service {here.service.name}",) if here.service else ()),
    ]
    return " and ".join(parts)
