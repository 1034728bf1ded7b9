# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Setup.exe /mode:Uninstall: it analyses, works in stages, and writes ExchangeSetup.log while it does.

After each stage a watermark is in the registry. Whoever kills Setup, or finds it hanging, runs it again, and it goes on
behind the last stage that was done.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.lab.exchange_server import machine, prerequisites, removal
from tests.lab.exchange_server.directory import Refused
from tests.lab.exchange_server.prerequisites import Case
from tests.lab.forest.access import DirectoryUnavailable
from tests.lab.settings import fixed_guid
from tests.lab.windows import paths, places, state
from tests.lab.windows.places import HostAddress

if TYPE_CHECKING:
    from tests.lab.windows.estate import Estate

Document = dict[str, Any]
KIND, PRODUCT = "exchange_setup", machine.SETUP_PRODUCT
FAILED, REBOOT_NEEDED, DIED = 1, 3010, -1
OK, FAILS, HANGS, DIES, REBOOTS = "ok", "fails", "hangs", "dies", "reboot"
LINGERS, LEAVES_SCP, LEAVES_SITE = "lingers", "leaves_scp", "leaves_site"
BEHAVIOURS = (OK, FAILS, HANGS, DIES, REBOOTS, LINGERS, LEAVES_SCP, LEAVES_SITE)
_ONCE = (FAILS, HANGS, DIES)  # what happens to one run only
_BREAK = 3  # the stage at which Setup fails, hangs or dies when it is told to
_LICENSE = "iacceptexchangeserverlicenseterms"
_MODE = re.compile(r"^/m(?:ode)?:(\w+)$")
_RULE = "**********************************************"


@dataclass(frozen=True)
class Stage:
    """One stage: what the log calls it, its lines, and what it does."""

    title: str
    lines: tuple[str, ...]
    deed: Callable[[Estate, HostAddress, Document], None]


def _nothing(_estate: Estate, _host: HostAddress, _document: Document) -> None:
    return


def _stop_services(_estate: Estate, _host: HostAddress, document: Document) -> None:
    for name in machine.SERVICES:
        if name in document["services"]:
            document["services"][name]["Status"] = "Stopped"


def _remove_sites(estate: Estate, _host: HostAddress, document: Document) -> None:
    stays = estate.scenario["setup_leaves_web_site"] == "yes"
    kept = (*((machine.DEFAULT_SITE,) if stays else ()), *((machine.BACK_END,) if _told(document, LEAVES_SITE) else ()))
    machine.remove_sites(document, kept)


def _remove_services(_estate: Estate, _host: HostAddress, document: Document) -> None:
    machine.remove_services(document, (machine.TRANSPORT_SERVICE,) if _told(document, LINGERS) else ())


def _remove_from_directory(estate: Estate, host: HostAddress, document: Document) -> None:
    if estate.exchange is not None:
        organization = estate.exchange.organization(host.tenant)
        last = prerequisites.Case(organization, host.computer, document, {}, "").last
        removal.remove_server(organization, host.computer, keep_discovery=_told(document, LEAVES_SCP))
        document["exchange"]["last"] = last


def _remove_organization(estate: Estate, host: HostAddress, document: Document) -> None:
    if estate.exchange is not None and document["exchange"].get("last"):
        leaves = str(estate.scenario["setup_leaves"])
        removal.remove_organization(estate.exchange.organization(host.tenant), leaves)


def _remove_programs(_estate: Estate, _host: HostAddress, document: Document) -> None:
    machine.remove_programs(document)


STAGES = (
    Stage("Prerequisite Analysis", ("Setup will run the task 'test-setuphealth'",), _nothing),
    Stage("Stopping Services", ("Setup is stopping the services of Exchange Server.",), _stop_services),
    Stage(
        "Mailbox role: Client Access Front End service",
        ("Removing web sites and virtual directories.",),
        _remove_sites,
    ),
    Stage("Mailbox role: Transport service", ("Removing the transport services.",), _nothing),
    Stage("Mailbox role: Mailbox service", ("Removing the services of the Mailbox role.",), _remove_services),
    Stage(
        "Removing the server from Active Directory",
        ("Setup will run the task 'uninstall-MsiPackage'", "Removing the server object and everything below it."),
        _remove_from_directory,
    ),
    Stage("Organization", ("Looking whether other servers are left in the organization.",), _remove_organization),
    Stage("Removing Exchange files", ("Removing language files and programs.",), _remove_programs),
)


def _told(document: Document, what: str) -> bool:
    return str(document["behaviour"].get("setup", OK)) == what


def plan(words: list[str]) -> Document:
    """What a run of Setup is asked to do, by its arguments."""
    mode, licensed = "", False
    for word in words:
        lower = word.lower()
        matched = _MODE.match(lower)
        mode = matched[1] if matched else mode
        licensed = (
            licensed
            or lower.lstrip("/").removesuffix("_diagnosticdataon").removesuffix("_diagnosticdataoff") == _LICENSE
        )
    return {"kind": KIND, "mode": mode, "licensed": licensed, "arguments": words}


def begin(document: Document, deed: Document, estate: Estate) -> float | None:
    """Begin a run; returns how many real seconds it takes, None for one that never ends by itself."""
    told = str(document["behaviour"].get("setup", OK))
    done = document["exchange"]["stages"] if document.get("exchange") else []
    step = float(estate.scenario["exchange_setup_s"]) / len(STAGES)
    deed |= {"began": time.time(), "step": step, "next": 0, "resumes": len(done), "failed": 0, "told": told}
    if told in _ONCE:
        document["behaviour"]["setup"] = document["conditions"]["setup"] = OK
    _log(
        document,
        estate,
        _RULE,
        "Starting Microsoft Exchange Server Setup",
        _RULE,
        f"Arguments: {' '.join(deed['arguments'])}",
    )
    if told == HANGS:
        return None
    if told == DIES:
        return step * _BREAK
    return step * len(STAGES)


def progress(document: Document, process: Document, estate: Estate, host: HostAddress) -> None:
    """Let the stages happen whose time has come."""
    deed = process["deed"]
    elapsed = time.time() - float(deed["began"])
    due = len(STAGES) if deed["step"] == 0 else int(elapsed / deed["step"])
    last = _BREAK if deed["told"] in _ONCE else len(STAGES)
    while deed["next"] < min(due, last) and not deed["failed"]:
        _stage(document, process, estate, host)
    if deed["told"] == FAILS and deed["next"] >= _BREAK and not deed["failed"]:
        _fail(document, process, estate, ["The following error was generated when a task of Setup was run: timed out."])


def finish(document: Document, process: Document, estate: Estate, host: HostAddress) -> int:
    """The rest of the stages; returns the exit code."""
    deed = process["deed"]
    if deed["told"] == DIES:
        return DIED
    while deed["next"] < len(STAGES) and not deed["failed"]:
        _stage(document, process, estate, host)
    if deed["failed"]:
        return int(deed["failed"])
    document["exchange"]["stages"] = []
    _log(document, estate, "The Exchange Server setup operation completed successfully.", "End of Setup", _RULE)
    if deed["told"] == REBOOTS:
        paths.with_parents(document["registry"], places.REBOOT_PENDING, dict)
        return REBOOT_NEEDED
    return 0


def _stage(document: Document, process: Document, estate: Estate, host: HostAddress) -> None:
    deed = process["deed"]
    number = int(deed["next"])
    deed["next"] = number + 1
    if number == 0 and not _analysed(document, process, estate, host):
        return
    if number < int(deed["resumes"]):
        return  # done by a run before
    stage = STAGES[number]
    _log(document, estate, f"Configuring {stage.title}", *stage.lines)
    try:
        stage.deed(estate, host, document)
    except (DirectoryUnavailable, Refused) as error:
        _fail(document, process, estate, [f"Setup encountered a problem while working in Active Directory: {error}"])
        return
    document["exchange"]["stages"] = [one.title for one in STAGES[: number + 1]]
    _mark(document, number)
    _log(document, estate, f"{stage.title} COMPLETED")


def _mark(document: Document, number: int) -> None:
    """The backup of the progress, which a later run reads."""
    registry = document["registry"]
    if paths.key_of(registry, machine.MAILBOX_ROLE_KEY) is not None:
        registry[machine.MAILBOX_ROLE_KEY] |= {
            "Action": state.string("Uninstall"),
            "Watermark": state.string(fixed_guid("setup stage", STAGES[number].title)),
        }


def _analysed(document: Document, process: Document, estate: Estate, host: HostAddress) -> bool:
    deed, reasons = process["deed"], []
    if not deed["licensed"]:
        reasons.append(
            "You must accept the license terms: run Setup with the parameter /IAcceptExchangeServerLicenseTerms_"
            "DiagnosticDataOFF or /IAcceptExchangeServerLicenseTerms_DiagnosticDataON."
        )
    elif deed["mode"] != "uninstall":
        reasons.append(f"The rehearsal lab's Setup knows the mode Uninstall, not {deed['mode'] or 'none'}.")
    elif not machine.is_exchange(document):
        reasons.append("Exchange Server isn't installed on this computer.")
    elif deed["resumes"]:
        _log(document, estate, "Setup previously failed or was interrupted; it goes on at the watermark.")
    elif estate.exchange is not None:
        with estate.exchange.state(host.tenant) as organization_state:
            kept = dict(organization_state)
        signed_on = estate.scenario["setup_second_hop"] == "allowed" or bool(deed["delegates"])
        case = Case(
            estate.exchange.organization(host.tenant), host.computer, document, kept, deed["account"], signed_on
        )
        try:
            reasons = [one.text for one in prerequisites.blockers(case)]
        except (DirectoryUnavailable, Refused) as error:
            reasons = [f"Setup encountered a problem while validating the state of Active Directory: {error}"]
    if reasons:
        _fail(document, process, estate, reasons)
    return not reasons


def _fail(document: Document, process: Document, estate: Estate, reasons: list[str]) -> None:
    process["deed"]["failed"] = FAILED
    process["due"] = time.time()
    _log(
        document,
        estate,
        *(f"[ERROR] {one}" for one in reasons),
        "The Exchange Server setup operation didn't complete. More details can be found in ExchangeSetup.log located "
        "in the <SystemDrive>:\\ExchangeSetupLogs folder.",
        "End of Setup",
    )


def _log(document: Document, estate: Estate, *lines: str) -> None:
    """Lines at the end of ExchangeSetup.log, in lab time."""
    files, now = document["files"], estate.now()
    stamp = f"{now:%m/%d/%Y %H:%M:%S}.{now.microsecond // 100:04}"
    added = "".join(f"[{stamp}] [0] {one}\r\n" for one in lines).encode()
    paths.with_parents(files, machine.LOG_FOLDER, state.folder)
    before = state.bytes_of(files.get(machine.LOG, {}))
    files[machine.LOG] = state.file(before + added, f"{now:%Y-%m-%dT%H:%M:%SZ}")
