# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of registry keys."""

from __future__ import annotations

from typing import Any

from tests.lab.windows import paths
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.cmdlets.items import item, provider_notes
from tests.lab.windows.cmdlets.targets import each
from tests.lab.windows.errors import CmdletError
from tests.lab.windows.values import custom, text

Document = dict[str, Any]
_KINDS = ("String", "ExpandString", "Binary", "DWord", "MultiString", "QWord", "Unknown")


def _no_property(name: str, path: str) -> CmdletError:
    return CmdletError(
        f"Property {name} does not exist at path {path}.",
        "System.Management.Automation.PSArgumentException",
        "InvalidArgument",
        "System.Management.Automation.PSArgumentException",
        name,
    )


def get_item_property(call: Call) -> None:
    """Get-ItemProperty: a key's values, or a file's properties."""
    names = [str(one) for one in call.many("Name")]
    with call.state() as document:
        for target in each(call, document):
            if target.area != paths.REGISTRY:
                found = item(target)
                call.write(custom({one: found.all.get(one) for one in names}) if names else found)
                continue
            values: Document = target.document
            chosen = {}
            for name in names or ["*"]:
                hits = [one for one in values if paths.matches(one, name)]
                if not hits and not paths.has_wildcard(name):
                    call.error(_no_property(name, target.path))
                chosen.update({one: values[one][1] for one in hits})
            if chosen or (not names and values):
                notes = provider_notes(target.area, target.path)
                notes.pop("PSIsContainer")
                call.write(custom({**chosen, **notes}))


def _kind(call: Call, given: Any) -> str:
    wanted = str(call.get("PropertyType") or call.get("Type") or "").lower()
    known = next((one for one in _KINDS if one.lower() == wanted), None)
    if wanted and known is None:
        raise CmdletError(
            f'Cannot convert value "{wanted}" to type "Microsoft.Win32.RegistryValueKind".',
            "System.ArgumentException",
            "InvalidArgument",
            "System.ArgumentException",
            wanted,
            terminating=True,
        )
    if known is not None:
        return known
    return "MultiString" if isinstance(given, list) else "DWord" if isinstance(given, int) else "String"


def _value(kind: str, given: Any) -> Any:
    if kind in ("DWord", "QWord"):
        try:
            return int(given if isinstance(given, int) else str(given or 0))
        except ValueError:
            raise CmdletError(
                f'Cannot convert value "{text(given)}" to type "System.Int32". Error: "Input string was not in a '
                'correct format."',
                "System.Management.Automation.PSInvalidCastException",
                "InvalidArgument",
                "System.Management.Automation.PSInvalidCastException",
                terminating=True,
            ) from None
    if kind == "MultiString":
        return [text(one) for one in given] if isinstance(given, list) else [text(given)]
    return text(given)


def set_item_property(call: Call) -> None:
    """Set-ItemProperty."""
    _write_property(call, may_exist=True)


def new_item_property(call: Call) -> None:
    """New-ItemProperty."""
    _write_property(call, may_exist=bool(call.get("Force")))


def _write_property(call: Call, may_exist: bool) -> None:
    name = str(call.get("Name") or "")
    with call.state() as document:
        for target in list(each(call, document)):
            if target.area != paths.REGISTRY:
                call.error(
                    CmdletError(
                        "Files have no such properties here.",
                        "NotSupported",
                        "NotImplemented",
                        "System.Management.Automation.PSNotSupportedException",
                        name,
                    )
                )
                continue
            values = document[paths.REGISTRY][target.path]
            real = next((one for one in values if one.lower() == name.lower()), name)
            if real in values and not may_exist:
                call.error(
                    CmdletError(
                        "The property already exists.",
                        "System.IO.IOException",
                        "WriteError",
                        "System.IO.IOException",
                        target.path,
                    )
                )
                continue
            if call.what_if:
                continue
            given = call.get("Value")
            typed = call.get("PropertyType") or call.get("Type")
            kind = values[real][0] if real in values and not typed else _kind(call, given)
            values[real] = [kind, _value(kind, given)]
            if call.get("PassThru") or call.cmdlet.name == "New-ItemProperty":
                notes = provider_notes(target.area, target.path)
                call.write(custom({real: values[real][1], **notes}))


def remove_item_property(call: Call) -> None:
    """Remove-ItemProperty."""
    with call.state() as document:
        for target in list(each(call, document)):
            values = target.document if target.area == paths.REGISTRY else {}
            for name in call.many("Name"):
                hits = [one for one in values if paths.matches(one, str(name))]
                if not hits:
                    call.error(_no_property(str(name), target.path))
                for one in hits:
                    if not call.what_if:
                        document[paths.REGISTRY][target.path].pop(one, None)


CMDLETS: dict[str, Implementation] = {
    "Get-ItemProperty": get_item_property,
    "Set-ItemProperty": set_item_property,
    "New-ItemProperty": new_item_property,
    "Remove-ItemProperty": remove_item_property,
}
