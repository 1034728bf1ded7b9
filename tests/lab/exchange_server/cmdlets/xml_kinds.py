# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds that Exchange keeps as XML of their own: setting overrides and transport rules."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from tests.lab.exchange_server import calls, codec, errors
from tests.lab.exchange_server.calls import Work
from tests.lab.exchange_server.directory import Found, Refused
from tests.lab.exchange_server.kinds import kind
from tests.lab.forest.entries import child, raw
from tests.lab.forest.organization_hybrid import override_xml
from tests.lab.forest.recipients import VERSION_2013
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.errors import CmdletError
from tests.lab.windows.values import Obj

OVERRIDE = kind("SettingOverride", "msExchConfigSettings", lambda places: places.setting_overrides, "SettingOverride")
RULE = kind("TransportRule", "msExchTransportRule", lambda places: places.transport_rules, "TransportRule")
_RULE_TYPE = "Microsoft.Exchange.MessagingPolicies.Rules.Tasks.Rule"
_ON, _OFF = 'enabled="true"', 'enabled="false"'


def _override(work: Work, found: Found) -> Obj:
    element = ElementTree.fromstring(found.text(codec.XML) or "<S><Ps/></S>")
    own: dict[str, Any] = {
        **calls.common(work.organization, found),
        "ComponentName": element.get("CN"),
        "SectionName": element.get("SN"),
        "Parameters": [f"{one.get('N')}={one.get('V')}" for one in element.iter("P")],
        "Reason": element.get("R") or "",
        "MinVersion": element.get("MinV"),
        "MaxVersion": element.get("MaxV"),
        "Server": [one for one in (element.get("Server") or "").split(",") if one],
        "ModifiedBy": "",
    }
    return Obj((OVERRIDE.type_name, "System.Object"), own, found.name, key=found.dn)


def get_setting_override(call: Call) -> None:
    """Get-SettingOverride."""
    work = calls.work(call)
    wanted = calls.identities(call)
    for found in _chosen(work, OVERRIDE, wanted):
        call.write(_override(work, found))


def _chosen(work: Work, which: Any, wanted: list[str]) -> list[Found]:
    if not wanted:
        return calls.objects(work.organization, which)
    found = []
    for identity in wanted:
        hits = calls.find(work.organization, which, identity)
        if not hits:
            work.call.error(errors.not_found(identity, work.organization.controller))
        found += hits
    return found


def _xml(call: Call, before: dict[str, Any] | None = None) -> bytes:
    known = before or {}
    parameters = call.get("Parameters")
    text = override_xml(
        str(call.get("Component") or known.get("ComponentName")),
        str(call.get("Section") or known.get("SectionName")),
        [str(one) for one in (parameters if parameters is not None else known.get("Parameters", []))],
        str(call.get("Reason") or known.get("Reason") or ""),
    )
    for name, mark in (("MinVersion", "MinV"), ("MaxVersion", "MaxV")):
        value = call.get(name) or known.get(name)
        text = text.replace("><Ps>", f' {mark}="{value}"><Ps>') if value else text
    servers = [str(one) for one in call.many("Server")] or known.get("Server") or []
    return (text.replace("><Ps>", f' Server="{",".join(servers)}"><Ps>') if servers else text).encode()


def new_setting_override(call: Call) -> None:
    """New-SettingOverride."""
    work = calls.work(call)
    dn = child(work.organization.places.setting_overrides, str(call.get("Name")))
    if call.what_if:
        return
    try:
        values = {codec.XML: [_xml(call)], "msExchVersion": [raw(VERSION_2013)]}
        work.organization.directory.add(dn, OVERRIDE.cls, values)
    except Refused as error:
        taken = errors.exists(dn, work.organization.controller)
        raise (taken if error.exists else calls.directory_error(error)) from error
    made = work.organization.directory.get(dn)
    if made is not None:
        call.write(_override(work, made))


def set_setting_override(call: Call) -> None:
    """Set-SettingOverride."""
    work = calls.work(call)
    found = calls.find_one(work.organization, OVERRIDE, str(call.get("Identity")))
    if not call.what_if:
        before = _override(work, found).properties
        work.organization.directory.modify(found.dn, {codec.XML: [_xml(call, before)]})


def _remove(which: Any) -> Implementation:
    def run(call: Call) -> None:
        work = calls.work(call)
        for identity in calls.identities(call):
            try:
                found = calls.find_one(work.organization, which, identity)
            except CmdletError as error:
                call.error(error)
                continue
            if not call.what_if:
                work.organization.directory.delete(found.dn)
                work.done(call.cmdlet.name, found.name)

    return run


# -- transport rules -----------------------------------------------------------------------------------------------


def _rule(work: Work, found: Found) -> Obj:
    text = found.text("msExchTransportRuleXml") or ""
    own = {
        **calls.common(work.organization, found),
        "Priority": found.number("msExchTransportRulePriority"),
        "State": "Enabled" if _ON in text else "Disabled",
        "Mode": "Enforce",
        "Comments": "",
        "Conditions": [],
        "Actions": re.findall(r'<action name="(\w+)"', text),
        "Description": "",
        **codec.read_rest(found),
    }
    return Obj((_RULE_TYPE, "System.Object"), own, found.name, key=found.dn)


def get_transport_rule(call: Call) -> None:
    """Get-TransportRule."""
    work = calls.work(call)
    for found in _chosen(work, RULE, calls.identities(call)):
        shown = _rule(work, found)
        state = call.get("State")
        if state is None or str(state).lower() == str(shown.properties["State"]).lower():
            call.write(shown)


def new_transport_rule(call: Call) -> None:
    """New-TransportRule: conditions and actions are kept as they are given."""
    work = calls.work(call)
    name = str(call.get("Name"))
    dn = child(work.organization.places.transport_rules, name)
    rest = {one: value for one, value in call.bound.values.items() if one.lower() not in (*calls.CONTROL, "enabled")}
    on = call.get("Enabled") is None or bool(call.get("Enabled"))
    xml = f"<rule {_ON if on else _OFF}><version/></rule>"
    priority = int(call.get("Priority") or len(calls.objects(work.organization, RULE)))
    rest.pop("Priority", None)
    values = {
        "msExchVersion": [raw(VERSION_2013)],
        "msExchTransportRuleXml": [xml.encode()],
        "msExchTransportRulePriority": [raw(priority)],
    }
    held = codec.write_rest(rest)
    if held:
        values[codec.XML] = held
    if call.what_if:
        return
    try:
        work.organization.directory.add(dn, RULE.cls, values)
    except Refused as error:
        taken = errors.exists(dn, work.organization.controller)
        raise (taken if error.exists else calls.directory_error(error)) from error
    made = work.organization.directory.get(dn)
    if made is not None:
        call.write(_rule(work, made))


def _switch(before: str, after: str) -> Implementation:
    def run(call: Call) -> None:
        work = calls.work(call)
        for identity in calls.identities(call):
            found = calls.find_one(work.organization, RULE, identity)
            text = (found.text("msExchTransportRuleXml") or f"<rule {before}/>").replace(before, after)
            if not call.what_if:
                work.organization.directory.modify(found.dn, {"msExchTransportRuleXml": [text.encode()]})

    return run


CMDLETS: dict[str, Implementation] = {
    "Get-SettingOverride": get_setting_override,
    "New-SettingOverride": new_setting_override,
    "Set-SettingOverride": set_setting_override,
    "Remove-SettingOverride": _remove(OVERRIDE),
    "Get-TransportRule": get_transport_rule,
    "New-TransportRule": new_transport_rule,
    "Enable-TransportRule": _switch(_OFF, _ON),
    "Disable-TransportRule": _switch(_ON, _OFF),
    "Remove-TransportRule": _remove(RULE),
}
