# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNSSEC of accepted domains: the MX name that the service gives a domain, and whether DNS has it.

The name of a domain with DNSSEC cannot be made up (``<domain>.<letter>-v1.mx.microsoft``): it is told here only. What
is in DNS is read from the lab's external view. Properties are those of the example on the cmdlet's page; how its inner
objects travel over REST is not published: the switch ``dnssec_objects`` gives them whole, or as their types' names, as
PowerShell prints them.
"""

from __future__ import annotations

from typing import Any

from tests.lab.cloud.exchange import errors
from tests.lab.cloud.exchange.identity import SERVER
from tests.lab.cloud.exchange.recipients import Call, Result
from tests.lab.dns.places import EXTERNAL
from tests.lab.dns.records import of_name, story
from tests.lab.store import Document

_TYPES = "Microsoft.Exchange.Management.ProvisioningTasks"
_INNER = {
    "ExpectedMxRecord": f"{_TYPES}.ExpectedMxRecordInfo",
    "DnsValidation": f"{_TYPES}.DnsValidationResult",
    "MxValidation": f"{_TYPES}.MxValidationResult",
    "MtaStsValidation": f"{_TYPES}.MtaStsValidationResult",
}
_LETTERS = "abcdefghijklmnopqrstuvw"


def dnssec_mx(domain: str) -> str:
    """The MX name that the service gives a domain when DNSSEC is switched on."""
    letter = _LETTERS[sum(map(ord, domain)) % len(_LETTERS)]
    return f"{domain.replace('.', '-')}.{letter}-v1.mx.microsoft"


def _domain(call: Call) -> Document:
    wanted = str(call.bound["DomainName"]).lower()
    for doc in call.services.store.list(call.tenant_id, "acceptedDomain"):
        if str(doc["DomainName"]).lower() == wanted:
            return doc
    raise errors.not_found(str(call.bound["DomainName"]), SERVER)


def get_status(call: Call) -> Result:
    """Get-DnssecStatusForVerifiedDomain."""
    domain = _domain(call)
    name, enabled = str(domain["DomainName"]), bool(domain.get("_dnssec"))
    expected = f"@ 60 IN MX 10 {domain['_dnssec']}" if enabled else None
    none: dict[str, Any] = {"Errors": [], "Warnings": []}
    row: Document = {
        "DnssecFeatureStatus": "Enabled" if enabled else "Disabled",
        "ExpectedMxRecord": {"Record": expected} if expected else None,
        **none,
        "DnsValidation": None if _skips(call, "Dns") else {"DnssecSupport": "Valid" if enabled else "None", **none},
        "MxValidation": None if _skips(call, "Mx") else _mx(call, name, expected),
        "MtaStsValidation": None
        if _skips(call, "MtaSts")
        else {"Status": "Valid", "MtaStsAvailable": False, "MtaStsMode": "Unavailable", **none},
    }
    if call.services.scenario["dnssec_objects"] == "names":
        row |= {name: kind for name, kind in _INNER.items() if row[name] is not None}
    return Result([row])


def _skips(call: Call, part: str) -> bool:
    return bool(call.bound.get(f"Skip{part}Validation"))


def _mx(call: Call, name: str, expected: str | None) -> Document:
    found = of_name(story(call.services.store, call.tenant), EXTERNAL, name, "MX")
    actual = [f"@ {record['ttl']} IN MX {record['value']}" for record in found]
    wrong = [] if expected is None or expected in actual else [f"The MX record '{expected}' was not found."]
    return {
        "Status": "Invalid" if wrong else "Valid",
        "ActualMxRecords": actual,
        "Errors": wrong,
        "Warnings": [],
    }


def enable(call: Call) -> Result:
    """Enable-DnssecForVerifiedDomain: what to put into DNS."""
    with call.services.store.transaction():
        before = _domain(call)
        name = dnssec_mx(str(before["DomainName"]))
        if not call.what_if and before.get("_dnssec") != name:
            call.services.write(call.tenant_id, "acceptedDomain", before["id"], before, {**before, "_dnssec": name})
    return Result([{"Result": "Success", "DnssecMxValue": name, "ErrorData": None}])
