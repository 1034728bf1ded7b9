# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Running a setup program on a host: copied where only administrators write, checked there, run, and removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ansible_collections.hybrid.exchange.plugins.module_utils._agent import (
    host_facts,
    product,
    restart,
    version,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._agent import source as sources
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.ports import Ends, Host
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.wanted import Installer, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    HybridError,
    InputError,
    Refused,
    Timeout,
    Unavailable,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._run import windows_host as registry
from ansible_collections.hybrid.exchange.plugins.module_utils._run.command_line import Command
from ansible_collections.hybrid.exchange.plugins.module_utils._run.settle import settle


@dataclass(frozen=True)
class Ran:
    """How a setup program ended; ``code`` is None where the connection was lost before it could be read."""

    code: int | None
    reboot_required: bool = False
    restarted: bool = False


@contextmanager
def staged(ends: Ends, wanted: Wanted, installer: Installer) -> Iterator[str]:
    """The installer in the staging folder, checked. What was put there is removed afterwards, whatever happens."""
    host = ends.host
    folder, target = wanted.staging_folder, rf"{wanted.staging_folder}\{installer.file_name}"
    if installer.source.lower() == target.lower():
        raise InputError(f"installer lies in the staging folder {folder}, which this module clears. Put it elsewhere.")
    made = not registry.exists(host, folder)
    if made:
        create = Cmdlet("New-Item", {"Path": [folder], "ItemType": "Directory"})
        settle(lambda: host.run(create), lambda: registry.exists(host, folder))
    try:
        settle(lambda: _bring(host, wanted, installer, target), lambda: registry.exists(host, target))
        _check(host, wanted, installer, target)
        yield target
    finally:
        _clear(ends, [target, *([folder] if made else [])])


def run(ends: Ends, wanted: Wanted, command: Command, what: str) -> Ran:
    """Run a setup program to its end and judge its exit code; what names it in messages."""
    host = ends.host
    stem = command.program.rpartition("\\")[2].removesuffix(".exe")
    running = registry.process_ids(host, stem)
    if running:
        raise Conflict(
            f"{what} is running on {host.host} already (process {', '.join(map(str, running))}). Let it end, and run "
            "again.",
            host=host.host,
        )
    booted = host_facts.machine(host).boot_time
    code = _start(ends, wanted, command, stem, what)
    if code == product.RESTART_BEGUN or code is None:
        # Where the answer was lost, the host may be on its way down; the state will tell what was done.
        if code is not None or _is_away(host, booted):
            ends.progress.start(f"{host.host} restarts")
            restart.wait_until_back(host, ends.clock, booted, wanted.restart_timeout)
            return Ran(code, restarted=True)
        return Ran(code)
    if code in (product.SUCCESS, product.RESTART_NEEDED):
        return Ran(code, reboot_required=code == product.RESTART_NEEDED)
    raise _failed(host, code, what)


def _start(ends: Ends, wanted: Wanted, command: Command, stem: str, what: str) -> int | None:
    host = ends.host
    start = Cmdlet(
        "Start-Process",
        {
            "FilePath": command.program,
            **({"ArgumentList": list(command.arguments)} if command.arguments else {}),
            "Wait": True,
            "PassThru": True,
        },
    )
    # Start-Process hands its process on before it waits. Taking the last of all holds it back until the end, when it
    # has an exit code.
    last = Cmdlet("Select-Object", {"Last": 1, "Property": ["Id", "ExitCode"]})
    try:
        rows = host.run(start, last, timeout=wanted.install_timeout)
    except Timeout as error:
        stopped = _stop(host, stem)
        raise Timeout(
            f"{what} did not end on {host.host} within {wanted.install_timeout:g} seconds and was stopped "
            f"({stopped}). Its log lies in {product.LOG_PLACE}; raise install_timeout if it only was slow.",
            **{**error.facts, "host": host.host},
        ) from None
    except Unavailable as error:
        if not error.facts.get("uncertain"):
            raise
        return None
    return next((registry.number(row.get("ExitCode")) for row in rows if isinstance(row, dict)), None)


def _failed(host: Host, code: int, what: str) -> HybridError:
    facts = {"host": host.host, "exit_code": code}
    if code == product.BUSY:
        return Conflict(f"{what} did not run on {host.host}: another installation is under way (1618).", **facts)
    if code == product.OTHER_VERSION:
        return Conflict(f"{what} did not run on {host.host}: another version of the agent is there (1638).", **facts)
    told = {
        product.FAILED: "Windows Installer met a fatal error and rolled back",
        product.CANCELLED: "it was cancelled",
    }.get(code, "this code is not known here")
    return Conflict(
        f"{what} failed on {host.host} with exit code {code}: {told}. Its log lies in {product.LOG_PLACE}.", **facts
    )


def _bring(host: Host, wanted: Wanted, installer: Installer, target: str) -> None:
    limit = wanted.download_timeout
    if installer.url is not None:
        fetch = {"Uri": installer.url, "OutFile": target, "UseBasicParsing": True, "TimeoutSec": max(1, int(limit))}
        host.run(Cmdlet("Invoke-WebRequest", fetch), timeout=limit)
        return
    copy = {"LiteralPath": [installer.source], "Destination": target, "Force": True}
    host.run(Cmdlet("Copy-Item", copy), timeout=limit)


def _check(host: Host, wanted: Wanted, installer: Installer, target: str) -> None:
    """Refuse to run what is not what it must be, just before it would be run."""
    name = sources.shown(installer)
    found = sources.inspect(host, target, target)
    if not found.readable:
        raise Refused(f"The installer from {name} cannot be read in the staging folder: {found.evidence}.")
    if installer.sha256 and found.sha256 != installer.sha256:
        raise Refused(
            f"The installer from {name} was not run: its SHA-256 is {found.sha256}, and installer.sha256 is "
            f"{installer.sha256}.",
            host=host.host,
        )
    if not found.is_signed_by(installer.signer):
        raise Refused(
            f"The installer from {name} was not run: {found.signature_in_words}; wanted is a valid signature by "
            f"{installer.signer}.",
            host=host.host,
        )
    number = version.parse(found.version)
    if number is not None and number < wanted.minimum_version:
        lowest = ".".join(map(str, wanted.minimum_version))
        raise Refused(f"The installer from {name} was not run: it is {found.version}, older than {lowest}.")
    if installer.version and number is not None and number != version.parse(installer.version):
        raise Refused(
            f"The installer from {name} was not run: it is {found.version}, and installer.version is "
            f"{installer.version}."
        )


def _clear(ends: Ends, paths: list[str]) -> None:
    """Remove what was staged; what cannot be removed is a warning, as the error before it counts more."""
    for path in paths:
        try:
            _remove(ends.host, path)
        except HybridError as error:
            ends.warn(
                f"{path} on {ends.host.host} was staged for the installation and could not be removed: {error.message}"
            )


def _remove(host: Host, path: str) -> None:
    """Remove a file or an empty folder. Where the answer was lost and it is still there, it was not carried out."""
    remove = Cmdlet("Remove-Item", {"LiteralPath": [path], "Force": True})
    if not registry.exists(host, path):
        return
    try:
        host.run(remove)
    except Unavailable as error:
        if not error.facts.get("uncertain"):
            raise
        if registry.exists(host, path):
            host.run(remove)


def _stop(host: Host, stem: str) -> str:
    """Stop the processes of the program, which this run started, by their ids."""
    try:
        ids = registry.process_ids(host, stem)
        if not ids:
            return "it was gone by then"
        host.run(Cmdlet("Stop-Process", {"Id": ids, "Force": True}))
        left = [number for number in registry.process_ids(host, stem) if number in ids]
    except HybridError as error:
        return f"its processes could not be stopped: {error.message}"
    if left:
        return f"process {', '.join(map(str, left))} is still there"
    return f"process {', '.join(map(str, ids))}"


def _is_away(host: Host, booted: str | None) -> bool:
    """Whether the host is down, or was since it was asked last."""
    try:
        return host_facts.machine(host).boot_time != booted
    except HybridError:
        host.close()
        return True
