# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What a kind of object of a hybrid set-up is described by, and the names that several kinds go by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.rules import Rule, Sign

# Exchange Online's application id, the same in all tenants.
EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"
# Where Exchange Online sends from, by its certificate; one for each cloud.
PROTECTION_DOMAINS = (
    "mail.protection.outlook.com",
    "mail.protection.office365.us",
    "mail.protection.partner.outlook.cn",
)
FEDERATION_SUBJECT = "CN=Federation"
# Migration batches that do not run any more. All others are under way, or wait to be completed.
ENDED_BATCHES = frozenset({"completed", "completedwitherrors", "stopped", "failed", "corrupted", "created", "removing"})
SIGN_IN_HOSTS = (
    "accounts.accesscontrol.windows.net login.windows.net login.microsoftonline.com sts.windows.net "
    "login.microsoftonline.us login.partner.microsoftonline.cn"
)
# Parameters that nobody sets again: reserved for Microsoft by their pages, or made by the service itself.
RESERVED = frozenset(
    {"RequireOorg", "IsCoexistenceConnector", "IsCoexistenceDomain", "LinkForModifiedConnector", "Usage", "Identity"}
)


@dataclass(frozen=True)
class Kind:
    """A kind of object on one side.

    ``get`` is empty where objects are not read by one cmdlet. ``similar``: what counts as a look-alike that a report
    names; nothing means all others of the kind. ``make`` and ``alter`` are the cmdlets that put an object back, and
    ``properties`` tells where a parameter has another name than the property. ``lost`` says what no cmdlet puts back.
    """

    name: str
    side: str
    title: str
    get: str = ""
    get_parameters: Mapping[str, Any] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    similar: tuple[Sign, ...] = ()
    make: str = ""
    alter: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    lost: str = ""


def named(pattern: str, words: str, *more: Sign) -> Rule:
    """A rule for a name, as a regular expression."""
    return Rule(words, (Sign("Name", "matches", pattern), *more))


# The remote domain for everybody is nobody's.
NOT_DEFAULT = (Sign("DomainName", "matches", r"[^*].*"),)
TRUSTS_EXCHANGE_ONLINE = tuple(Sign("TlsDomainCapabilities", "begins", f"{name}:") for name in PROTECTION_DOMAINS)
