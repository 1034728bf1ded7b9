# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line's answers as text: what a person needs first, in the first lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.lab import handover
from tests.lab.dns.places import RESOLVERS
from tests.lab.settings import CLOUD_ADDRESSES, TENANTS
from tests.lab.windows.places import EXCHANGE_HOSTS, HOSTS, PORT

Document = dict[str, Any]


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Left-aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines)


def up(answer: Document) -> str:
    """The one table after a start."""
    rows = [("what", "where", "how")]
    for name, pid in answer["processes"].items():
        if name.startswith("dc-"):
            tenant = next(item for item in TENANTS if f"dc-{item.name}" == name)
            forest = tenant.forest
            rows.append((f"forest {tenant.domain}", f"ldaps://{forest.dc_address}:636", f"pid {pid}"))
            if answer["processes"]["cloud"]:
                rows.append((f"  relay {tenant.name}", f"ldaps://{forest.relay_address}:636", "for clients"))
    if answer["processes"]["cloud"]:
        rows += [(name, handover.url(address), "") for name, address in CLOUD_ADDRESSES.items()]
        rows += [(f"{host.name}@{host.tenant}", f"https://{host.address}:{PORT}/wsman", "Windows") for host in HOSTS]
        for host in EXCHANGE_HOSTS:
            rows.append((f"{host.name}@{host.tenant}", f"https://{host.address}/powershell", "Exchange Server"))
        rows += [(f"dns {one.view}@{one.tenant}", f"{one.address}:{one.port}", "UDP and TCP") for one in RESOLVERS]
    stages = ", ".join(f"{name} {seconds} s" for name, seconds in answer["seconds"].items())
    return f"The lab is up ({stages}).\n{table(rows)}\nHand-over: {answer['run_dir']}/lab.json"


def down(answer: Document) -> str:
    """What was stopped."""
    if not answer["stopped"]:
        return f"Nothing of {answer['run_dir']} was running; no port is held."
    names = ", ".join(f"{item['name']} (pid {item['pid']})" for item in answer["stopped"])
    return f"Stopped: {names}. No port is held."


def status(answer: Document) -> str:
    """Processes, clock, tenants, jobs, and whatever is wrong."""
    lines = [f"The lab in {answer['run_dir']} is {'up' if answer['running'] else 'not up'}."]
    rows = [(name, f"pid {pid}" if pid else "not running") for name, pid in answer["processes"].items()]
    lines.append(table(rows))
    state = answer["state"]
    if state is None:
        return "\n".join(lines)
    if "error" in state:
        return "\n".join([*lines, f"the cloud does not answer: {state['error']}"])
    clock = state["clock"]
    lines.append(f"clock {clock['now']}, offset {clock['offset_seconds']} s, rate {clock['rate']}")
    for tenant in state["tenants"]:
        counts = tenant["counts"]
        lines.append(
            f"tenant {tenant['name']} {tenant['id']}: {counts['synchronizedMailboxes']} synchronised mailboxes,"
            f" {counts['cloudManagedMailboxes']} cloud-managed, {counts.get('user', 0)} users"
        )
        lines += [f"  job {job['id']}: {job['code']}" for job in tenant["jobs"]]
    lines += [f"fault armed: {fault_line(fault)}" for fault in state["faults"]]
    lines += [f"violation: {log_line(entry)}" for entry in state["violations"]]
    lines += [f"engine error: {json.dumps(error, ensure_ascii=False)}" for error in state["engine_errors"]]
    return "\n".join(lines)


def fault_line(fault: Document) -> str:
    """One fault."""
    shown = ("id", "kind", "target", "times", "parameters")
    rest = {
        name: value
        for name, value in {**fault, **(fault.get("parameters") or {})}.items()
        if name not in shown and value
    }
    times = "until cleared" if fault.get("times") == -1 else f"{fault.get('times')} times"
    line = f"{fault.get('id', '')} {fault.get('kind')} on {fault.get('target')}, {times}"
    return f"{line} {json.dumps(rest)}" if rest else line


def faults(answer: Any) -> str:
    """Faults, one a line."""
    if isinstance(answer, list):
        return "\n".join(fault_line(fault) for fault in answer) or "no fault is armed"
    return fault_line(answer) if "kind" in answer else plain(answer)


def log_line(entry: Document) -> str:
    """One request."""
    call = entry.get("cmdlet") or f"{entry.get('method') or ''} {entry.get('path') or ''}".strip()
    if entry.get("host") and entry.get("service"):
        call = f"{entry['host']}@{entry.get('tenant')}: {call}"
    parts = [
        f"{entry.get('seq', ''):>6}",
        str(entry.get("lab_time", "")),
        f"{entry.get('service') or entry.get('host') or '':<8}",
        "WRITE" if entry.get("write") else "     ",
        str(entry.get("status") or ""),
        call,
    ]
    if entry.get("parameters"):
        parts.append(json.dumps(entry["parameters"], ensure_ascii=False)[:160])
    if entry.get("fault"):
        parts.append(f"fault={entry['fault']}")
    if entry.get("violation"):
        parts.append(f"VIOLATION: {entry['violation']}")
    return "  ".join(part for part in parts if part)


def log(answer: Any) -> str:
    """The log, one request a line."""
    if isinstance(answer, dict):
        return plain(answer)
    return "\n".join(log_line(entry) for entry in answer) or "nothing is logged"


def plain(answer: Any) -> str:
    """Names and values."""
    if not isinstance(answer, dict):
        return json.dumps(answer, indent=2, ensure_ascii=False)
    width = max((len(name) for name in answer), default=0)
    return "\n".join(f"{name:<{width}}  {_value(value)}" for name, value in answer.items())


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
