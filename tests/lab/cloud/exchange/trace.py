# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-MessageTraceV2: what passed through Exchange Online, by the lab's clock.

Nothing of it is kept: the same hour has the same messages in every run. From the world comes a message every three
hours, from the on-premises servers, relayed for printers and an application, one every two, until that was stopped
(``relayStoppedAt`` of the on-premises organisation). Limits are those of the cmdlet's page: 90 days back, 10 days a
query, 5000 rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.lab.cloud.exchange import errors
from tests.lab.cloud.exchange.binder import parse_date
from tests.lab.cloud.exchange.recipients import Call, Result
from tests.lab.exchange_server.exchange import ID, KIND
from tests.lab.hybrid_facts import public_address
from tests.lab.settings import fixed_guid
from tests.lab.store import Document

PARAMETERS = (
    "EndDate", "FromIP", "MessageId", "MessageTraceId", "RecipientAddress", "ResultSize", "SenderAddress", "StartDate",
    "StartingRecipientAddress", "Status", "Subject", "SubjectFilterType", "ToIP",
)  # fmt: skip
_DEFAULT, _LONGEST, _KEPT = timedelta(hours=48), timedelta(days=10), timedelta(days=90)
_DEFAULT_ROWS, _MOST_ROWS = 1000, 5000
_WORLD_ADDRESS = "198.51.100.20"
_HOUR = timedelta(hours=1)


def get_trace(call: Call) -> Result:
    """Messages between two moments, newest first."""
    now = call.services.clock.now()
    end = _moment(call, "EndDate") or now
    start = _moment(call, "StartDate") or end - _DEFAULT
    if start > end:
        raise errors.data_validation("StartDate must be before EndDate.")
    if end - start > _LONGEST:
        raise errors.data_validation("A query covers 10 days of data at most.")
    if start < now - _KEPT - _HOUR:
        raise errors.data_validation("StartDate can be 90 days in the past at most.")
    limit = int(call.bound.get("ResultSize") or _DEFAULT_ROWS)
    if not 1 <= limit <= _MOST_ROWS:
        raise errors.data_validation(f"ResultSize is a number from 1 to {_MOST_ROWS}, not {limit}.")
    rows = [row for row in _messages(call, start, min(end, now)) if _fits(call, row)]
    rows.sort(key=lambda row: (row["Received"], row["RecipientAddress"]), reverse=True)
    after = str(call.bound.get("StartingRecipientAddress") or "").lower()
    if after and "EndDate" in call.bound:
        last = _text(end)
        rows = [row for row in rows if row["Received"] < last or row["RecipientAddress"].lower() < after]
    return Result(rows[:limit])


def _moment(call: Call, name: str) -> datetime | None:
    value = call.bound.get(name)
    return parse_date(value) if value else None


def _messages(call: Call, start: datetime, end: datetime) -> Iterator[Document]:
    hour = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    stopped = (call.services.store.get(call.tenant_id, KIND, ID) or {}).get("relayStoppedAt")
    domain, initial = call.tenant["domain"], call.tenant["initial_domain"]
    while hour <= end:
        number = int(hour.timestamp() // 3600)
        if number % 3 == 0:
            yield _row(call, hour + 7 * timedelta(minutes=1), "news@northwind.example", f"info@{initial}",
                       "Weekly offers", _WORLD_ADDRESS)  # fmt: skip
        if number % 2 == 0 and (stopped is None or hour.timestamp() < float(stopped)):
            sender, subject = ("printer2", "Scan from floor 2") if number % 4 else ("erp", "Invoice batch")
            yield _row(call, hour + 11 * timedelta(minutes=1), f"{sender}@{domain}", f"press@{initial}", subject,
                       public_address(call.tenant["name"]))  # fmt: skip
        hour += _HOUR


def _row(call: Call, moment: datetime, sender: str, recipient: str, subject: str, source: str) -> Document:
    received = _text(moment)
    return {
        "MessageId": f"<{fixed_guid('message', call.tenant_id, received, sender)}@{sender.partition('@')[2]}>",
        "Received": received,
        "SenderAddress": sender,
        "RecipientAddress": recipient,
        "Subject": subject,
        "Status": "Delivered",
        "ToIP": None,
        "FromIP": source,
        "Size": 18_432,
        "MessageTraceId": fixed_guid("trace", call.tenant_id, received, sender),
    }


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _fits(call: Call, row: Document) -> bool:
    start, end = _moment(call, "StartDate"), _moment(call, "EndDate")
    if (start and row["Received"] < _text(start)) or (end and row["Received"] > _text(end)):
        return False
    for name in ("FromIP", "MessageTraceId", "ToIP"):
        if call.bound.get(name) and str(row[name]).lower() != str(call.bound[name]).lower():
            return False
    for name in ("MessageId", "RecipientAddress", "SenderAddress", "Status"):
        if call.bound.get(name) and not _among(str(row[name]), call.bound[name]):
            return False
    return _subject_fits(call, str(row["Subject"]))


def _among(value: str, wanted: list[Any]) -> bool:
    value = value.lower()
    # A sender or recipient may be a whole domain: *@contoso.com.
    return any(value == one or (one.startswith("*@") and value.endswith(one[1:])) for one in map(_lower, wanted))


def _lower(value: Any) -> str:
    return str(value).lower()


def _subject_fits(call: Call, subject: str) -> bool:
    wanted = str(call.bound.get("Subject") or "").lower()
    how = str(call.bound.get("SubjectFilterType") or "Contains").lower()
    found = subject.lower()
    return {"startswith": found.startswith(wanted), "endswith": found.endswith(wanted)}.get(how, wanted in found)
