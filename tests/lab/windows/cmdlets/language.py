# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Select-Object, Get-Command and modules."""

from __future__ import annotations

from typing import Any

from tests.lab.windows import binder, paths, places, software, state
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.errors import CmdletError
from tests.lab.windows.values import Enum, Obj, Version, custom

AGENT_MODULE = "Microsoft.CloudSync.PowerShell"
HYBRID_MODULE = "HybridManagement"
WEB_MODULES = ("WebAdministration", "IISAdministration")  # there where IIS is
OPTIONAL = ("ActiveDirectory", "KDS")  # modules that a host can lack


def select_object(call: Call) -> None:
    """Select-Object."""
    rows: list[Any] = call.many("InputObject")
    rows = rows[int(call.get("Skip", 0)) :]
    indices = call.many("Index")
    if indices:
        rows = [rows[int(one)] for one in indices if 0 <= int(one) < len(rows)]
    first, last, skipped = call.get("First"), call.get("Last"), call.get("SkipLast")
    if first is not None or last is not None:
        head = rows[: int(first)] if first is not None else []
        tail = rows[-int(last) :] if last else []
        rows = head + [one for one in tail if not any(one is other for other in head)]
    if skipped:
        rows = rows[: -int(skipped)]
    seen: list[str] = []
    for row in rows:
        for made in _selected(call, row):
            if call.get("Unique"):
                mark = repr(made)
                if mark in seen:
                    continue
                seen.append(mark)
            call.write(made)


def _selected(call: Call, row: Any) -> list[Any]:
    expand, wanted, without = call.get("ExpandProperty"), call.many("Property"), call.many("ExcludeProperty")
    known = row.all if isinstance(row, Obj) else {"Length": len(row)} if isinstance(row, str) else {}
    if expand:
        hits = [one for one in known if paths.matches(one, str(expand))]
        if not hits:
            call.error(
                CmdletError(
                    f'Property "{expand}" cannot be found.',
                    "ExpandPropertyNotFound",
                    "InvalidArgument",
                    "System.Management.Automation.PSArgumentException",
                    row,
                )
            )
            return []
        value = known[hits[0]]
        return list(value) if isinstance(value, list) else [value] if value is not None else []
    if not wanted:
        return [row]
    chosen: dict[str, Any] = {}
    for name in map(str, wanted):
        hits = [one for one in known if paths.matches(one, name)]
        chosen.update({one: known[one] for one in hits})
        if not hits and not paths.has_wildcard(name):
            chosen[name] = None
    for name in map(str, without):
        chosen = {one: value for one, value in chosen.items() if not paths.matches(one, name)}
    made = custom(chosen)
    if isinstance(row, Obj):
        made.types = (f"Selected.{row.types[0]}", *made.types)
    return [made]


def available(call: Call, cmdlet: binder.Cmdlet, document: dict[str, Any]) -> bool:
    """Whether a cmdlet exists in this runspace on this host."""
    if cmdlet.module == AGENT_MODULE:
        listed = cmdlet.name == "Get-AADCloudSyncADDomains"
        hidden = listed and call.estate.scenario["domains_cmdlet"] == "absent"
        return AGENT_MODULE in call.session.modules and not hidden
    if cmdlet.module == HYBRID_MODULE:
        return HYBRID_MODULE in call.session.modules
    if cmdlet.module in WEB_MODULES and "sites" not in document:
        return False
    return cmdlet.module not in document["without"]


def import_module(call: Call) -> None:
    """Import-Module: the agent's by the path of its DLL, others by name."""
    for wanted in map(str, call.many("Name") + call.many("FullyQualifiedName")):
        with call.state() as document:
            name = _module_name(wanted, document)
        if name is None:
            call.error(
                CmdletError(
                    f"The specified module '{wanted}' was not loaded because no valid module file was found in any "
                    "module directory.",
                    "Modules_ModuleNotFound",
                    "ResourceUnavailable",
                    "System.IO.FileNotFoundException",
                    wanted,
                )
            )
            continue
        call.session.modules.add(name)
        if call.get("PassThru"):
            call.write(_module(call, name))


def _module_name(wanted: str, document: dict[str, Any]) -> str | None:
    if wanted.lower().endswith(".psm1"):
        here = paths.key_of(document["files"], paths.located(wanted)[1]) is not None
        return HYBRID_MODULE if here and paths.name_of(wanted).lower() == "hybridmanagement.psm1" else None
    if "\\" in wanted or wanted.lower().endswith(".dll"):
        real = paths.key_of(document["files"], paths.located(wanted)[1])
        said = software.about(state.bytes_of(document["files"][real])) if real is not None else None
        return AGENT_MODULE if said and said["product"] == "module" else None
    known = {one.module for one in binder.cmdlets().values()} - _absent(document)
    found = next((one for one in known if one.lower() == wanted.lower()), None)
    return None if found in document["without"] else found


def _absent(document: dict[str, Any]) -> set[str]:
    """Modules that cannot be loaded by their name alone."""
    return {AGENT_MODULE, HYBRID_MODULE, *(() if "sites" in document else WEB_MODULES)}


def _module(call: Call, name: str) -> Obj:
    agent = name == AGENT_MODULE
    with call.state() as document:
        installed = document["installation"]
    version = installed["version"] if agent and installed else "3.1.0.0"
    own = {
        "Name": name,
        "Path": places.AGENT_MODULE
        if agent
        else rf"C:\Windows\system32\WindowsPowerShell\v1.0\Modules\{name}\{name}.psd1",
        "Version": Version(version),
        "ModuleType": Enum("System.Management.Automation.ModuleType", *(("Binary", 1) if agent else ("Manifest", 2))),
        "ModuleBase": places.AGENT_FOLDER if agent else r"C:\Windows\system32\WindowsPowerShell\v1.0\Modules",
        "ExportedCommands": {one.name: one.name for one in binder.cmdlets().values() if one.module == name},
    }
    return Obj(("System.Management.Automation.PSModuleInfo", "System.Object"), own, name)


def get_module(call: Call) -> None:
    """Get-Module: loaded ones, or with -ListAvailable those that could be."""
    with call.state() as document:
        listed = {one.module for one in binder.cmdlets().values()} - {*_absent(document), *document["without"]}
    base = {one for one in listed if one.startswith("Microsoft.PowerShell")}
    names = listed if call.get("ListAvailable") else base | call.session.modules
    wanted = [str(one) for one in call.many("Name")]
    for name in sorted(names):
        if not wanted or any(paths.matches(name, one) for one in wanted):
            call.write(_module(call, name))


def get_command(call: Call) -> None:
    """Get-Command by name, module, verb or noun."""
    wanted, modules = [str(one) for one in call.many("Name")], [str(one).lower() for one in call.many("Module")]
    verbs, nouns = [str(one) for one in call.many("Verb")], [str(one) for one in call.many("Noun")]
    with call.state() as document:
        here = [one for one in binder.cmdlets().values() if available(call, one, document)]
    for name in wanted:
        if not paths.has_wildcard(name) and not any(one.name.lower() == name.lower() for one in here):
            call.error(
                CmdletError(
                    f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable "
                    "program. Check the spelling of the name, or if a path was included, verify that the path is "
                    "correct and try again.",
                    "CommandNotFoundException",
                    "ObjectNotFound",
                    "System.Management.Automation.CommandNotFoundException",
                    name,
                )
            )
    for one in here:
        verb, _hyphen, noun = one.name.partition("-")
        tests = ((wanted, one.name), (verbs, verb), (nouns, noun))
        if modules and one.module.lower() not in modules:
            continue
        if all(not patterns or any(paths.matches(text, pattern) for pattern in patterns) for patterns, text in tests):
            kind = Enum("System.Management.Automation.CommandTypes", "Cmdlet", 8)
            own = {
                "Name": one.name,
                "CommandType": kind,
                "ModuleName": one.module,
                "Source": one.module,
                "Verb": verb,
                "Noun": noun,
                "Version": Version("3.1.0.0"),
            }
            types = ("System.Management.Automation.CmdletInfo", "System.Management.Automation.CommandInfo")
            call.write(Obj((*types, "System.Object"), own, one.name))


CMDLETS: dict[str, Implementation] = {
    "Select-Object": select_object,
    "Import-Module": import_module,
    "Get-Module": get_module,
    "Get-Command": get_command,
}
