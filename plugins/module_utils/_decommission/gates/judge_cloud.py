# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""How the readings from the cloud are judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.gate import (
    Found,
    Judged,
    Row,
    cannot_tell,
    failed,
    none_of,
    passed,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.read_cloud import (
    STATE_PROPERTY,
    GraphRights,
    Mailboxes,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import listing

_BATCH_DONE = frozenset({"Completed", "Removing"})
_MOVE_DONE = frozenset({"Completed", "CompletedWithWarning"})
# The id of the application permission Application.ReadWrite.All (Microsoft Graph permissions reference).
CHANGE_APPLICATIONS = "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9"
# The counts of a round trip that say that it is not proven.
_NOT_EQUAL = ("differs", "missing", "ambiguous_anchor", "unreadable", "elsewhere")


def mailboxes_cloud_managed(found: Found) -> Judged:
    """Every synchronized mailbox is cloud-managed."""
    known: Mailboxes = found["mailboxes"]
    if known.unmanaged:
        names = listing((str(row["object"]) for row in known.unmanaged), 3)
        return failed(f"{len(known.unmanaged)} of {known.synced} are not: {names}.", known.unmanaged)
    if not known.synced:
        return cannot_tell(f"None of the tenant's {known.total} mailboxes is synchronized, so this proves nothing.")
    return passed(f"All {known.synced} synchronized mailboxes of {known.total} are.")


def tenant_default(found: Found) -> Judged:
    """New users are cloud-managed by default."""
    value = found["organization"].get(STATE_PROPERTY)
    row: Row = {"object": STATE_PROPERTY, "value": value}
    if not isinstance(value, bool):
        return cannot_tell(f"Exchange Online does not tell {STATE_PROPERTY}.", [row])
    return passed(f"{STATE_PROPERTY} is true.", [row]) if value else failed(f"{STATE_PROPERTY} is false.", [row])


def groups(found: Found) -> Judged:
    """No mail-enabled group is mastered in Active Directory."""
    return none_of(found["groups"], "No mail-enabled group is.", "{count} mail-enabled groups still are.")


def contacts(found: Found) -> Judged:
    """No mail contact is mastered in Active Directory."""
    return none_of(found["contacts"], "No mail contact is.", "{count} mail contacts still are.")


def mail_users(found: Found) -> Judged:
    """No synchronized user has an address and no mailbox in the cloud."""
    rows: Sequence[Row] = found["mail_users"]
    there = sum(bool(row["on_premises"]) for row in rows)
    return none_of(
        rows, "There is none.", f"There are {{count}}, and {there} of them have a mailbox on premises by their GUID."
    )


def moves(reading: str) -> Any:
    """A judge of migration batches and move requests: none is under way."""

    def judge(found: Found) -> Judged:
        known: Mapping[str, Sequence[Row]] = found[reading]
        rows = [
            *_unfinished("migration batch", known["batches"], _BATCH_DONE),
            *_unfinished("move request", known["moves"], _MOVE_DONE),
        ]
        done = sum(map(len, known.values())) - len(rows)
        return none_of(rows, f"None is under way; {done} are done.", "{count} are not done.")

    return judge


def routing(found: Found) -> Judged:
    """Exchange Online sends nothing over the servers on premises that is not for them."""
    rows = [
        {"object": row.get("Name"), "smart_hosts": row.get("SmartHosts"), "domains": row.get("RecipientDomains")}
        for row in found["outbound_connectors"]
        if _true(row.get("RouteAllMessagesViaOnPremises")) and _true(row.get("Enabled", True))
    ]
    return none_of(
        rows,
        "No connector routes all mail over the servers on premises.",
        "{count} connector(s) route all mail of the cloud over the servers on premises (centralized mail transport).",
    )


def job(found: Found) -> Judged:
    """The writeback job runs and is not in quarantine."""
    known = found["job"]
    jobs: Sequence[Mapping[str, Any]] = [item for item in known.get("jobs") or () if item.get("exists")]
    rows: list[Row] = [
        {
            "object": item.get("display_name") or item.get("domain"),
            "domain": item.get("domain"),
            "status": item.get("status"),
            "running": item.get("running"),
            "late": item.get("late"),
            "last_execution": (item.get("last_execution") or {}).get("state"),
            "problems": list(item.get("problems") or ()),
        }
        for item in jobs
    ]
    if len(jobs) != 1:
        return failed(f"{len(jobs)} writeback jobs write to {found.wanted.domain}; there must be one.", rows)
    wrong = job_problem(known)
    if wrong:
        return failed(wrong, rows)
    return passed(f"The writeback job of {found.wanted.domain} runs, and its cycles come.", rows)


def job_problem(known: Mapping[str, Any]) -> str:
    """What is wrong with a job, in words; empty where it does its work. Single mailboxes are for the round trip."""
    jobs = [item for item in known.get("jobs") or () if item.get("exists")]
    if len(jobs) != 1:
        return f"there are {len(jobs)} writeback jobs instead of one"
    item = jobs[0]
    if item.get("quarantine"):
        return f"the writeback job is in quarantine: {(item['quarantine'] or {}).get('explanation')}"
    if not item.get("running"):
        return f"the writeback job does not run (status {item.get('status')}, schedule {item.get('schedule_state')})"
    if item.get("late"):
        return (
            f"the cycles of the writeback job do not come; the last ended {item.get('seconds_since_last_cycle')} s ago"
        )
    if (item.get("last_execution") or {}).get("state") == "Failed":
        return f"the last cycle of the writeback job failed: {(item['last_execution'] or {}).get('error')}"
    return ""


def round_trip(found: Found) -> Judged:
    """What a sample of mailboxes has in the cloud is in Active Directory."""
    known = found["round_trip"]
    counts = known.get("counts") or {}
    rows = [
        {"object": item.get("object") or item.get("name"), **{key: item[key] for key in item if key != "name"}}
        for item in known.get("differing") or ()
        if isinstance(item, Mapping)
    ]
    if known.get("proven") is None:
        return cannot_tell("There is no cloud-managed mailbox to try it with.")
    wrong = round_trip_problem(known)
    if wrong:
        return failed(wrong, rows)
    return passed(f"{counts.get('equal')} of {counts.get('total')} mailboxes were compared and are equal.", rows)


def round_trip_problem(known: Mapping[str, Any]) -> str:
    """What is wrong with a round trip, in words; empty where it is proven."""
    if known.get("proven"):
        return ""
    counts = known.get("counts") or {}
    wrong = ", ".join(f"{name}: {counts[name]}" for name in _NOT_EQUAL if counts.get(name))
    return f"the round trip is not proven for {counts.get('total', 0)} mailboxes ({wrong or 'none was compared'})"


def graph_rights(found: Found) -> Judged:
    """The application may read and change what the clean-up in the cloud changes."""
    rights: GraphRights = found["graph_rights"]
    evidence: Row = {"object": rights.principal, "key_credentials": rights.key_credentials}
    if CHANGE_APPLICATIONS not in rights.roles:
        return failed("Application.ReadWrite.All is not granted to the application.", [evidence])
    return passed(
        "The application reads the credentials of Exchange Online's service principal, and Application.ReadWrite.All "
        "is granted to it.",
        [evidence],
    )


def _unfinished(kind: str, rows: Sequence[Row], done: frozenset[str]) -> list[Row]:
    return [
        {
            "object": str(row.get("DisplayName") or row.get("Identity") or row.get("Name") or ""),
            "kind": kind,
            "status": str(row.get("Status") or "unknown"),
        }
        for row in rows
        if str(row.get("Status") or "") not in done
    ]


def _true(value: Any) -> bool:
    return value is True or str(value).casefold() == "true"
