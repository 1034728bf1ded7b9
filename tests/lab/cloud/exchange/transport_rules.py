# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail flow rules: in order of their priority, enabled or disabled."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from tests.lab.cloud.exchange import errors
from tests.lab.cloud.exchange.identity import public
from tests.lab.cloud.exchange.kinds import KINDS
from tests.lab.cloud.exchange.named import found_one, limited, new, one, properties, remove, rows
from tests.lab.cloud.exchange.organization import changed_now, unchanged_warning
from tests.lab.cloud.exchange.recipients import Call, Result
from tests.lab.store import Document

RULE = KINDS["TransportRule"]
_FILTER = re.compile(r"^\s*Description\s+-like\s+(['\"])(?P<pattern>.*)\1\s*$", re.IGNORECASE)
# Parameters that are about the rule itself, not about messages.
_OF_THE_RULE = ("Name", "Comments", "Mode", "Priority", "Enabled", "ActivationDate", "ExpiryDate", "RuleErrorAction",
                "RuleSubType", "SenderAddressLocation", "DlpPolicy", "UseLegacyRegex")  # fmt: skip
_ACTIONS = (
    "AddManagerAsRecipientType", "AddToRecipients", "ApplyClassification", "ApplyHtmlDisclaimerText", "ApplyOME",
    "ApplyRightsProtectionTemplate", "BlindCopyTo", "CopyTo", "DeleteMessage", "Disconnect", "GenerateIncidentReport",
    "GenerateNotification", "LogEventText", "ModerateMessageByManager", "ModerateMessageByUser", "NotifySender",
    "PrependSubject", "Quarantine", "RedirectMessageTo", "RejectMessageReasonText", "RemoveHeader",
    "RouteMessageOutboundConnector", "RouteMessageOutboundRequireTls", "SetAuditSeverity", "SetHeaderName",
    "SetHeaderValue", "SetSCL", "SmtpRejectMessageRejectText", "StopRuleProcessing",
)  # fmt: skip


def described(given: dict[str, Any]) -> str:
    """A rule's conditions and actions in words, as far as they are found in Description."""
    about = {name: value for name, value in given.items() if name not in _OF_THE_RULE}
    conditions = [_phrase(name, value) for name, value in about.items() if name not in _ACTIONS]
    actions = [_phrase(name, value) for name, value in about.items() if name in _ACTIONS]
    told = "If the message:\r\n\t" + "\r\n\tand ".join(conditions) + "\r\n" if conditions else ""
    return told + "Take the following actions:\r\n\t" + "\r\n\tand ".join(actions) + "\r\n"


def _phrase(name: str, value: Any) -> str:
    shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{name} '{shown}'"


def get_rules(call: Call) -> Result:
    """Get-TransportRule by priority."""
    found = sorted(rows(call, RULE), key=lambda doc: int(doc["Priority"]))
    if call.bound.get("State"):
        found = [doc for doc in found if doc["State"] == call.bound["State"]]
    if call.bound.get("Filter"):
        matched = _FILTER.match(call.bound["Filter"])
        if matched is None:
            raise errors.invalid_filter("The filter of Get-TransportRule has the form \"Description -like 'Text*'\".")
        pattern = matched["pattern"].lower()
        found = [doc for doc in found if fnmatchcase(str(doc["Description"]).lower(), pattern)]
    shown = [public(doc) for doc in found]
    if call.bound.get("ExcludeConditionActionDetails"):
        kept = ("Identity", "Name", "Guid", "DistinguishedName", "State", "Mode", "Priority", "Comments", "WhenChanged")
        shown = [{name: value if name in kept else None for name, value in row.items()} for row in shown]
    return limited(call, shown)


def new_rule(call: Call) -> Result:
    """New-TransportRule: last, unless -Priority says where."""
    given = properties(call)
    enabled = given.pop("Enabled", True)
    with call.services.store.transaction():
        if given.get("RouteMessageOutboundConnector"):
            connector = found_one(call, KINDS["OutboundConnector"], given["RouteMessageOutboundConnector"])
            given["RouteMessageOutboundConnector"] = connector["Name"]
        last = call.services.store.count(call.tenant_id, RULE.kind)
        place = int(given.get("Priority", last))
        if not 0 <= place <= last:
            raise errors.data_validation(f"The priority {place} is out of range; it can be 0 to {last}.")
        state = "Enabled" if enabled else "Disabled"
        made = new(call, RULE, {**given, "Priority": place, "State": state, "Description": described(given)})
        if not call.what_if:
            _renumber(call, made.rows[0]["Guid"], place)
        return made


def _renumber(call: Call, first: str = "", place: int = 0) -> None:
    """Priorities without gaps; the rule ``first`` goes before the one that has its place already."""
    docs = call.services.store.list(call.tenant_id, RULE.kind)
    order = sorted(docs, key=lambda doc: (int(doc["Priority"]), doc["id"] != first))
    for number, doc in enumerate(order):
        if doc["Priority"] != number:
            call.services.write(call.tenant_id, RULE.kind, doc["id"], doc, {**doc, "Priority": number})


def set_state(call: Call) -> Result:
    """Enable-TransportRule and Disable-TransportRule."""
    wanted: Document = {"State": "Enabled" if call.cmdlet.startswith("Enable-") else "Disabled"}
    if call.bound.get("Mode"):
        wanted["Mode"] = call.bound["Mode"]
    with call.services.store.transaction():
        before = one(call, RULE)
        if {**before, **wanted} == before:
            return Result(warnings=[unchanged_warning(str(before["Identity"]))])
        if not call.what_if:
            after = {**before, **wanted, **changed_now(call)}
            call.services.write(call.tenant_id, RULE.kind, before["id"], before, after)
    return Result()


def remove_rule(call: Call) -> Result:
    """Remove-TransportRule; those behind it move up."""
    with call.services.store.transaction():
        removed = remove(call, RULE, one(call, RULE))
        if not call.what_if:
            _renumber(call)
        return removed


CMDLETS: dict[str, tuple[Callable[[Call], Result], tuple[str, ...] | None]] = {
    "Get-TransportRule": (get_rules, ("Identity", "ResultSize", "State", "Filter", "ExcludeConditionActionDetails")),
    "New-TransportRule": (new_rule, None),
    "Enable-TransportRule": (set_state, None),
    "Disable-TransportRule": (set_state, None),
    "Remove-TransportRule": (remove_rule, None),
}
