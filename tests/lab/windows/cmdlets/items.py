# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files, folders and registry keys: looking, making, removing, copying."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.lab.clock import iso
from tests.lab.windows import paths, software, state
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.cmdlets.targets import Target, each, found, given_paths
from tests.lab.windows.errors import CmdletError, path_not_found
from tests.lab.windows.values import Enum, Obj, int64

Document = dict[str, Any]
_FILE = ("System.IO.FileInfo", "System.IO.FileSystemInfo", "System.MarshalByRefObject", "System.Object")
_FOLDER = ("System.IO.DirectoryInfo", "System.IO.FileSystemInfo", "System.MarshalByRefObject", "System.Object")
_KEY = ("Microsoft.Win32.RegistryKey", "System.MarshalByRefObject", "System.Object")


def when(text: str) -> datetime:
    """A moment of the state."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def provider_notes(area: str, path: str) -> dict[str, Any]:
    registry = area == paths.REGISTRY
    provider = "Microsoft.PowerShell.Core\\" + ("Registry" if registry else "FileSystem")
    whole = path if registry else paths.shown(path)
    parent = paths.parent_of(path)
    return {
        "PSPath": f"{provider}::{whole}",
        "PSParentPath": f"{provider}::{parent if registry else paths.shown(parent)}" if parent else "",
        "PSChildName": paths.name_of(path),
        "PSDrive": "HKLM" if registry else path[:1],
        "PSProvider": provider,
        "PSIsContainer": True,
    }


def item(target: Target, below: int = 0) -> Obj:
    """The object for a file, folder or key; ``below``: how many keys lie in it."""
    notes = provider_notes(target.area, target.path)
    if target.area == paths.REGISTRY:
        values = {"SubKeyCount": below, "ValueCount": len(target.document), "Name": target.path}
        return Obj(
            _KEY,
            {**values, "View": Enum("Microsoft.Win32.RegistryView", "Default", 0)},
            target.path,
            {"Property": list(target.document), **notes},
            target,
        )
    modified = when(target.document["modified"])
    name = paths.name_of(target.path)
    times = {f"{kind}Time{zone}": modified for kind in ("Creation", "LastAccess", "LastWrite") for zone in ("", "Utc")}
    common: dict[str, Any] = {
        "Name": name or target.path,
        "FullName": paths.shown(target.path),
        "Exists": True,
        "Extension": "." + name.rpartition(".")[2] if "." in name else "",
        **times,
    }
    if target.document.get("folder"):
        attributes = Enum("System.IO.FileAttributes", "Directory", 16)
        own = {**common, "Attributes": attributes, "Parent": paths.parent_of(target.path)}
        return Obj(_FOLDER, own, name, {**notes, "Mode": "d-----"}, target)
    data = state.bytes_of(target.document)
    attributes = Enum("System.IO.FileAttributes", "Archive", 32)
    folder = paths.parent_of(target.path)
    own = {
        **common,
        "Length": int64(len(data)),
        "DirectoryName": folder,
        "Directory": folder,
        "IsReadOnly": False,
        "Attributes": attributes,
    }
    added = {
        "Mode": "-a----",
        "VersionInfo": version_info(target.path, data),
        "BaseName": name.rpartition(".")[0] or name,
    }
    return Obj(_FILE, own, target.path, {**notes, "PSIsContainer": False, **added}, target)


def version_info(path: str, data: bytes) -> Obj:
    """A program's version resource; empty for other files."""
    said = software.about(data)
    version = said["version"] if said else None
    parts = [int(one) for one in version.split(".")] if version else [0, 0, 0, 0]
    names = ("MajorPart", "MinorPart", "BuildPart", "PrivatePart")
    properties: dict[str, Any] = {
        "FileName": path,
        "FileVersion": version,
        "ProductVersion": version,
        "CompanyName": "Microsoft Corporation" if said else None,
        "ProductName": "Microsoft Azure AD Connect Provisioning Agent" if said else None,
        **{f"File{name}": part for name, part in zip(names, parts, strict=True)},
        **{f"Product{name}": part for name, part in zip(names, parts, strict=True)},
    }
    return Obj(("System.Diagnostics.FileVersionInfo", "System.Object"), properties, f"File:             {path}")


def get_item(call: Call) -> None:
    """Get-Item."""
    with call.state() as document:
        for target in each(call, document):
            call.write(item(target, _keys_below(document, target)))


def _keys_below(document: Document, target: Target) -> int:
    return len(paths.children(document[paths.REGISTRY], target.path)) if target.area == paths.REGISTRY else 0


def get_child_item(call: Call) -> None:
    """Get-ChildItem."""
    with call.state() as document:
        for target in each(call, document):
            things = document.get(target.area, {})
            below = paths.children(things, target.path, bool(call.get("Recurse"))) if target.folder else [target.path]
            for path in below:
                if _wanted(call, path, things[path]):
                    child = Target(target.area, path, things[path])
                    call.write(paths.name_of(path) if call.get("Name") else item(child, _keys_below(document, child)))


def _wanted(call: Call, path: str, document: Document) -> bool:
    name, wanted = paths.name_of(path), call.get("Filter")
    if wanted and not paths.matches(name, str(wanted)):
        return False
    include, exclude = call.many("Include"), call.many("Exclude")
    if include and not any(paths.matches(name, str(one)) for one in include):
        return False
    if any(paths.matches(name, str(one)) for one in exclude):
        return False
    is_folder = bool(document.get("folder"))
    return not (call.get("File") and is_folder) and not (call.get("Directory") and not is_folder)


def test_path(call: Call) -> None:
    """Test-Path."""
    wanted = call.get("PathType", "Any")
    with call.state() as document:
        for path, wild in given_paths(call):
            try:
                hits = found(call, document, path, wild)
            except CmdletError as error:
                call.error(error)
                hits = []
            fitting = [one for one in hits if wanted == "Any" or one.folder == (wanted == "Container")]
            call.write(bool(fitting))


def get_content(call: Call) -> None:
    """Get-Content."""
    with call.state() as document:
        for target in each(call, document):
            if target.folder:
                call.error(
                    CmdletError(
                        f"Access to the path '{target.path}' is denied.",
                        "GetContentReaderUnauthorizedAccessError",
                        "PermissionDenied",
                        "System.UnauthorizedAccessException",
                        target.path,
                    )
                )
                continue
            text = state.bytes_of(target.document).decode("utf-8", "replace")
            lines = text.splitlines()
            first, last = call.get("TotalCount"), call.get("Tail")
            lines = lines[: int(first)] if first is not None else lines
            lines = lines[-int(last) :] if last else lines
            for line in [text] if call.get("Raw") else lines:
                call.write(line)


def new_item(call: Call) -> None:
    """New-Item: a folder, a file or a registry key."""
    kind = str(call.get("ItemType") or "").lower()
    for path in call.many("Path") or ["."]:
        whole = str(path) + (f"\\{call.get('Name')}" if call.get("Name") else "")
        area, real = paths.located(whole)
        if area == paths.SHARE:
            raise path_not_found(whole)
        if call.what_if:
            continue
        with call.state() as document:
            _make(call, document, area, real, kind)


def _make(call: Call, document: Document, area: str, path: str, kind: str) -> None:
    things, force = document[area], bool(call.get("Force"))
    exists = paths.key_of(things, path)
    is_folder = kind in ("directory", "d", "container")
    if exists is not None and not force:
        message = f"An item with the specified name {path} already exists."
        error = "ResourceExists,Microsoft.PowerShell.Commands.NewItemCommand"
        call.error(CmdletError(message, error, "ResourceExists", "System.IO.IOException", path, whole_id=True))
        return
    above = paths.parent_of(path)
    if paths.key_of(things, above) is None:
        if not force and not is_folder:
            call.error(path_not_found(path))
            return
        paths.with_parents(things, above, dict if area == paths.REGISTRY else state.folder)
    now = iso(call.estate.now())
    if area == paths.REGISTRY:
        things[exists or path] = {}
    elif is_folder:
        things.setdefault(exists or path, state.folder(now))
    else:
        things[exists or path] = state.file(str(call.get("Value") or "").encode(), now)
    call.write(item(Target(area, exists or path, things[exists or path])))


def remove_item(call: Call) -> None:
    """Remove-Item; without -Recurse a folder that holds something is refused, for nobody can answer the question."""
    with call.state() as document:
        for target in list(each(call, document)):
            if call.what_if or target.area == paths.SHARE:
                continue
            things = document[target.area]
            if paths.children(things, target.path) and not call.get("Recurse"):
                raise CmdletError(
                    "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.",
                    "InvalidOperation",
                    "InvalidOperation",
                    "System.Management.Automation.PSInvalidOperationException",
                    target.path,
                    terminating=True,
                )
            paths.remove_below(things, target.path)


def copy_item(call: Call) -> None:
    """Copy-Item: one file to a folder or a name."""
    if call.get("Credential") is not None:
        raise CmdletError(
            "The FileSystem provider supports credentials only on the New-PSDrive cmdlet. Perform the operation again "
            "without specifying credentials.",
            "NotSupported",
            "NotImplemented",
            "System.Management.Automation.PSNotSupportedException",
            terminating=True,
        )
    area, destination = paths.located(str(call.get("Destination") or ""))
    with call.state() as document:
        files = document[paths.FILES]
        for target in list(each(call, document)):
            if target.area == paths.REGISTRY or target.folder or area != paths.FILES:
                call.error(path_not_found(destination))
                continue
            real = paths.key_of(files, destination)
            into = real is not None and bool(files[real].get("folder"))
            path = rf"{real}\{paths.name_of(target.path)}" if into else destination
            if paths.key_of(files, paths.parent_of(path)) is None:
                call.error(
                    CmdletError(
                        f"Could not find a part of the path '{path}'.",
                        "CopyDirectoryInfoItemIOError",
                        "WriteError",
                        "System.IO.DirectoryNotFoundException",
                        target.path,
                    )
                )
                continue
            if call.what_if:
                continue
            files[paths.key_of(files, path) or path] = {**target.document}
            if call.get("PassThru"):
                call.write(item(Target(paths.FILES, path, target.document)))


def add_content(call: Call) -> None:
    """Add-Content: lines at the end of a file, which is made when it is missing."""
    _write_content(call, keep=True)


def set_content(call: Call) -> None:
    """Set-Content: lines in place of a file's content."""
    _write_content(call, keep=False)


def _write_content(call: Call, keep: bool) -> None:
    ending = "" if call.get("NoNewline") else "\r\n"
    added = "".join(f"{one}{ending}" for one in call.many("Value")).encode()
    with call.state() as document:
        files = document[paths.FILES]
        for path, _wild in given_paths(call):
            area, whole = paths.located(path)
            real = paths.key_of(files, whole) or whole
            if area != paths.FILES or paths.key_of(files, paths.parent_of(real)) is None:
                call.error(path_not_found(path))
                continue
            if call.what_if:
                continue
            before = state.bytes_of(files.get(real, {})) if keep else b""
            files[real] = state.file(before + added, iso(call.estate.now()))


def unblock_file(call: Call) -> None:
    """Unblock-File: takes away the mark of a download."""
    with call.state() as document:
        for target in list(each(call, document)):
            if not call.what_if and target.area == paths.FILES:
                document[paths.FILES][target.path].pop("downloaded", None)


CMDLETS: dict[str, Implementation] = {
    "Get-Item": get_item,
    "Get-ChildItem": get_child_item,
    "Test-Path": test_path,
    "Get-Content": get_content,
    "New-Item": new_item,
    "Remove-Item": remove_item,
    "Copy-Item": copy_item,
    "Unblock-File": unblock_file,
    "Add-Content": add_content,
    "Set-Content": set_content,
}
