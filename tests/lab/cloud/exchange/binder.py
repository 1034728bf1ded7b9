# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Binding of parameters: every one known to the cloud, of the right JSON type, the required ones there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.lab.cloud import reference
from tests.lab.cloud.context import is_guid
from tests.lab.cloud.exchange import errors
from tests.lab.cloud.exchange.parameter_sets import SETS

HASH_TABLE_TYPE = "#Exchange.GenericHashTable"

# Parameters that the reference marks required, yet only within a parameter set of their own: given, they choose it.
OWN_SETS: dict[str, tuple[str, ...]] = {
    "Set-Mailbox": (
        "ExcludeFromAllHolds",
        "IsExchangeCloudManaged",
        "RecalculateInactiveMailbox",
        "RemoveComplianceTagHoldApplied",
        "RemoveDelayHoldApplied",
        "RemoveDelayReleaseHoldApplied",
        "RemoveDisabledArchive",
    ),
    "Set-OrganizationConfig": ("ShortenEventScopeDefault",),
}
# What may stand beside a parameter of an own set.
BESIDE_OWN_SET = ("Identity", "Confirm", "WhatIf")

# Types of users who are no recipients: for Get-User only.
USER_TYPES = ("User", "DisabledUser")
_ENUMS: dict[str, tuple[str, ...]] = {
    "ConvertibleMailboxSubType": ("Regular", "Room", "Equipment", "Shared"),
    "TransportModerationNotificationFlags": ("Never", "Internal", "Always"),
    "ExternalOofOptions": ("External", "InternalOnly"),
    "AllowedOOFType": ("External", "InternalLegacy", "ExternalLegacy", "None"),
    "FreeBusyAccessLevel": ("None", "AvailabilityOnly", "LimitedDetails"),
    "MailTipsAccessLevel": ("All", "Limited", "None"),
    "MailboxMoveCapability": ("None", "Inbound", "Outbound", "RemoteInbound", "RemoteOutbound"),
    "MigrationBatchStatus": (
        "Completed", "CompletedWithErrors", "Completing", "Corrupted", "Created", "Failed", "IncrementalSyncing",
        "Removing", "Starting", "Stopped", "Syncing", "Stopping", "Synced", "SyncedWithErrors", "Waiting",
    ),
    "MigrationType": (
        "IMAP", "ExchangeOutlookAnywhere", "ExchangeRemoteMove", "ExchangeLocalMove", "PublicFolder", "PSTImport",
    ),
    "MtaStsMode": ("Opportunistic", "None"),
    "RequestStatus": (
        "AutoSuspended", "Completed", "CompletedWithWarning", "CompletionInProgress", "Failed", "InProgress", "Queued",
        "RelinquishedWlmStall", "Retrying", "Suspended", "Synced",
    ),
    "RuleMode": ("Audit", "AuditAndNotify", "Enforce"),
    "RuleState": ("Enabled", "Disabled"),
    "SmtpDaneMode": ("Opportunistic", "Mandatory", "None"),
    "TenantConnectorSource": ("Default", "HybridWizard", "Migrated"),
    "TenantConnectorType": ("OnPremises", "Partner"),
    "TlsAuthLevel": ("EncryptionOnly", "CertificateValidation", "DomainValidation"),
    "RecipientTypeDetails[]": (
        "UserMailbox", "LinkedMailbox", "SharedMailbox", "RoomMailbox", "EquipmentMailbox", "DiscoveryMailbox",
        "SchedulingMailbox", "TeamMailbox", "GroupMailbox", "LegacyMailbox", "MailUser", "GuestMailUser",
        "MailContact", "MailUniversalDistributionGroup", "MailUniversalSecurityGroup", "DynamicDistributionGroup",
        "RoomList", "PublicFolder", *USER_TYPES,
    ),
    "RecipientType[]": (
        "UserMailbox", "MailUser", "MailContact", "MailUniversalDistributionGroup", "MailUniversalSecurityGroup",
        "DynamicDistributionGroup", "PublicFolder",
    ),
}  # fmt: skip
_LISTS = ("MultiValuedProperty", "ProxyAddressCollection")
_INTEGERS = ("Int16", "Int32", "UInt32")
_DURATION = re.compile(r"^(Unlimited|(\d+\.)?\d{1,2}:\d{2}:\d{2}(\.\d+)?|\d+)$", re.IGNORECASE)
# Application URIs ("outlook.com") are relative ones, which the type takes as well.
_URI = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*:[^\s]+|[^\s:]+)$")
_HOST = re.compile(r"^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$")
_SMTP = re.compile(r"^[^@\s:]+@[^@\s:]+\.[^@\s:]+$")


@dataclass(frozen=True)
class Edit:
    """A change of a list: values to add and to remove, instead of a whole new list."""

    add: tuple[str, ...]
    remove: tuple[str, ...]

    def applied(self, current: list[str]) -> list[str]:
        """``current`` with values removed, then added; none twice, whatever their case."""
        gone = {value.lower() for value in self.remove}
        kept = [value for value in current if value.lower() not in gone]
        present = {value.lower() for value in kept}
        return [*kept, *(value for value in dict.fromkeys(self.add) if value.lower() not in present)]


def bind(cmdlet: str, given: Any) -> dict[str, Any]:
    """The parameters under their proper names; refuses what Exchange Online refuses.

    A hash table becomes an :class:`Edit`, a list parameter a list, everything else stays as it came.
    """
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise errors.malformed("CmdletInput.Parameters must be an object.")
    known = reference.cloud_parameters(cmdlet)
    bound: dict[str, Any] = {}
    for name, value in given.items():
        if name.startswith("@") or name.lower().endswith("@odata.type"):
            continue
        if name.lower() not in known:
            raise errors.no_such_parameter(name)
        proper, kind = known[name.lower()]
        if proper in bound:
            raise errors.malformed(f"The parameter {proper} was given twice.")
        bound[proper] = _value(proper, kind, value)
    _check_sets(cmdlet, bound)
    return bound


def _check_sets(cmdlet: str, bound: dict[str, Any]) -> None:
    found = reference.cmdlet(cmdlet)
    if found is None:
        return
    if cmdlet in SETS:
        _choose_set(SETS[cmdlet], bound)
        return
    own = OWN_SETS.get(cmdlet, ())
    chosen = [name for name in own if name in bound]
    beside = [name for name in bound if name not in chosen and name not in BESIDE_OWN_SET]
    if len(chosen) > 1 or (chosen and beside):
        raise errors.parameter_sets()
    known = {name for name, _kind in reference.cloud_parameters(cmdlet).values()}
    required = [
        name
        for name, facts in found[1]["parameters"].items()
        if facts.get("required") and name in known and name not in own
    ]
    missing = [name for name in required if bound.get(name) in (None, "")]
    if missing:
        raise errors.missing_parameters(missing)


def _choose_set(sets: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...], bound: dict[str, Any]) -> None:
    fitting = [needed for needed, optional in sets if set(bound) <= {*needed, *optional}]
    if not fitting:
        raise errors.parameter_sets()
    missing = [[name for name in needed if bound.get(name) in (None, "", False)] for needed in fitting]
    least = min(missing, key=len)
    if least:
        raise errors.missing_parameters(least)


def _value(name: str, kind: str, value: Any) -> Any:
    if kind in ("SwitchParameter", "Boolean", "System.Boolean"):
        return _typed(name, kind, value, bool)
    if kind in _INTEGERS:
        if isinstance(value, bool):
            raise errors.bad_value(name, kind, value)
        return _typed(name, kind, value, int)
    if kind in _LISTS:
        return _list_or_edit(name, kind, value)
    if kind.endswith("[]"):
        values = _enum_list(kind, value) if kind in _ENUMS else _strings(name, kind, value)
        if values is None:
            raise errors.bad_value(name, kind, value)
        return values
    if kind == "Unlimited":
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise errors.bad_value(name, kind, value)
        return value
    if kind in ("SecureString", "PSCredential"):
        raise errors.lab_limit(f"secret values are not taken (parameter {name}).")
    if value is None:
        return None
    text: str = _typed(name, kind, value, str)
    _check_text(name, kind, text)
    for proper in _ENUMS.get(kind, ()):
        if proper.lower() == text.lower():
            return proper
    return text


def _check_text(name: str, kind: str, text: str) -> None:
    enum = _ENUMS.get(kind)
    wrong = (
        (enum is not None and text.lower() not in map(str.lower, enum))
        or (kind in ("DateTime", "System.DateTime") and parse_date(text) is None)
        or (kind.endswith("EnhancedTimeSpan") and not _DURATION.match(text))
        or (kind == "SmtpAddress" and text != "" and not _SMTP.match(text))
        or (kind in ("Guid", "System.Guid") and not is_guid(text))
        or (kind == "Uri" and text != "" and not _URI.match(text))
        or (kind == "Fqdn" and text != "" and not _HOST.match(text))
    )
    if wrong:
        raise errors.bad_value(name, kind, text)


def _typed(name: str, kind: str, value: Any, python: type) -> Any:
    if not isinstance(value, python):
        raise errors.bad_value(name, kind, value)
    return value


def _list_or_edit(name: str, kind: str, value: Any) -> list[str] | Edit:
    if isinstance(value, dict):
        if value.get("@odata.type") != HASH_TABLE_TYPE:
            raise errors.bad_value(name, kind, value)
        parts = {key.lower(): item for key, item in value.items() if not key.startswith("@")}
        if set(parts) - {"add", "remove"} or not parts:
            raise errors.bad_value(name, kind, value)
        add, remove = _strings(name, kind, parts.get("add")), _strings(name, kind, parts.get("remove"))
        return Edit(tuple(add), tuple(remove))
    return _strings(name, kind, value)


def _strings(name: str, kind: str, value: Any) -> list[str]:
    if value is None:
        return []
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in values):
        raise errors.bad_value(name, kind, value)
    return list(values)


def _enum_list(kind: str, value: Any) -> list[str] | None:
    """Enum members from a list or a comma-separated text; None when one is unknown."""
    texts = value.split(",") if isinstance(value, str) else value
    proper = {member.lower(): member for member in _ENUMS[kind]}
    if not isinstance(texts, list) or not all(isinstance(t, str) and t.strip().lower() in proper for t in texts):
        return None
    return [proper[text.strip().lower()] for text in texts]


def parse_date(text: str) -> datetime | None:
    """A date as cmdlets take it: ISO 8601 or month/day/year; UTC when no zone is given. None when it is none."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        for form in ("%m/%d/%Y", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p"):
            try:
                moment = datetime.strptime(text.strip(), form).replace(tzinfo=UTC)
                break
            except ValueError:
                continue
        else:
            return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
