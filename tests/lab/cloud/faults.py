# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: which are armed, which one a request meets, and what was sent too early after a 429."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.lab.clock import Clock, iso
from tests.lab.forest.changes import checked_changes
from tests.lab.ldap_messages import OPERATIONS
from tests.lab.ldap_refusals import refusal
from tests.lab.relay_parts import AFTER_REQUEST, AT_REQUEST, POINTS
from tests.lab.store import Store

SERVICES = ("login", "graph", "exchange", "ldap")
# The services, and the writeback job's own LDAP, which does not go through the relay.
TARGETS = (*SERVICES, "job")
# PowerShell remoting to a Windows host; these act on a command unless ``match`` names another event.
WINDOWS = "windows"
WINDOWS_EVENTS = ("connect", "request", "command")
WINDOWS_POINTS = ("before_command", "after_command")
_ON_WINDOWS_COMMANDS = ("cut", "slow", "winrm_restart")
JOB_OPERATIONS = ("bind", "search", "modify", "delete")
JOB_WRITES = ("modify", "delete")

# Kind of fault: the targets it makes sense for.
KINDS: dict[str, tuple[str, ...]] = {
    "throttle": ("login", "graph", "exchange", WINDOWS),
    "throttle_in_batch": ("graph", "exchange"),
    "unavailable": (*TARGETS, WINDOWS),
    "error_although_applied": ("graph", "exchange"),
    "no_content": ("graph", "exchange"),
    "not_json": ("login", "graph", "exchange"),
    "expired_next_link": ("graph", "exchange"),
    "stale_reads": ("graph", "exchange"),
    "token_expired": ("graph", "exchange"),
    "slow": (*TARGETS, WINDOWS),
    "cut": (*SERVICES, WINDOWS),
    "dc_restart": ("ldap",),
    "refuse": ("ldap", "job"),
    "other_writer": ("ldap",),
    "unauthorized": (WINDOWS,),
    "winrm_restart": (WINDOWS,),
}
_IN_BATCH_PARTS = (
    "throttle_in_batch",
    "error_although_applied",
    "expired_next_link",
    "slow",
    "stale_reads",
    "unavailable",
)
_ONLY_FOR_WRITES = ("error_although_applied", "stale_reads")
# Faults on LDAP that answer a request, or act between it and the directory.
_ON_LDAP_REQUESTS = ("refuse", "other_writer")
_NUMBERS = ("seconds", "retry_after", "status", "after_bytes")
_EARLY_TOLERANCE_S = 0.05


@dataclass(frozen=True)
class Fault:
    """One armed fault; ``parameters`` depend on the kind.

    ``after``: how many requests that fit still go by first. ``times``: how often it then fires (-1: until removed).
    """

    id: int
    kind: str
    target: str
    times: int = 1
    after: int = 0
    tenant: str | None = None
    match: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)

    def number(self, name: str, default: float) -> float:
        """A numeric parameter of the fault."""
        return float(self.parameters.get(name, default))


def checked_fault(body: Any) -> dict[str, Any]:
    """A fault as the control API takes it, with defaults filled in; ValueError says what is wrong."""
    if not isinstance(body, dict):
        raise ValueError("A fault is a JSON object with at least kind and target.")
    kind, target, times, match = body.get("kind"), body.get("target"), body.get("times", 1), body.get("match") or {}
    after = body.get("after", 0)
    if kind not in KINDS:
        raise ValueError(f"There is no fault {kind!r}; there are {', '.join(KINDS)}.")
    if target not in KINDS[kind]:
        raise ValueError(f"The fault {kind} takes the target {' or '.join(KINDS[kind])}, not {target!r}.")
    if isinstance(times, bool) or not isinstance(times, int) or (times < 1 and times != -1):
        raise ValueError(f"times is how often the fault fires, at least 1, or -1 for always; not {times!r}.")
    if isinstance(after, bool) or not isinstance(after, int) or after < 0:
        raise ValueError(f"after is how many requests that fit go by first, at least 0; not {after!r}.")
    if not isinstance(match, dict):
        raise ValueError('match is an object, such as {"cmdlet": "Set-Mailbox"}.')
    if "path_regex" in match:
        try:
            re.compile(match["path_regex"])
        except (re.error, TypeError) as error:
            raise ValueError(f"path_regex is no regular expression: {error}.") from error
    for name in _NUMBERS:
        value = body.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0):
            raise ValueError(f"{name} is a number of at least 0, not {value!r}.")
    _check_probability(body)
    if target == "ldap":
        _check_ldap(kind, match, body)
    if target == "job":
        _check_job(kind, match, body)
    if target == WINDOWS:
        _check_windows(match, body)
    return {**body, "times": times, "after": after, "match": match}


def _check_ldap(kind: str, match: dict[str, Any], body: dict[str, Any]) -> None:
    operation, point = match.get("operation"), body.get("point")
    if operation is not None and operation not in OPERATIONS:
        raise ValueError(f"operation is one of {', '.join(OPERATIONS)}, not {operation!r}.")
    if point is not None and point not in POINTS:
        raise ValueError(f"point is one of {', '.join(POINTS)}, not {point!r}.")
    if kind == "refuse":
        refusal(body)
    if kind == "other_writer":
        checked_changes(body.get("changes"))


def _check_job(kind: str, match: dict[str, Any], body: dict[str, Any]) -> None:
    operation = match.get("operation")
    if operation is not None and operation not in JOB_OPERATIONS:
        raise ValueError(f"operation of the job is one of {', '.join(JOB_OPERATIONS)}, not {operation!r}.")
    if kind == "refuse":
        refusal(body)


def _check_windows(match: dict[str, Any], body: dict[str, Any]) -> None:
    event, point = match.get("event"), body.get("point")
    if event is not None and event not in WINDOWS_EVENTS:
        raise ValueError(f"event of a Windows host is one of {', '.join(WINDOWS_EVENTS)}, not {event!r}.")
    if point is not None and point not in WINDOWS_POINTS:
        raise ValueError(f"point on a Windows host is one of {', '.join(WINDOWS_POINTS)}, not {point!r}.")


def _check_probability(body: dict[str, Any]) -> None:
    value = body.get("probability")
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1):
        raise ValueError(f"probability is a number above 0, 1 at most, not {value!r}.")


class FaultTable:
    """The armed faults; thread-safe, kept in the store so that a restart does not disarm them."""

    def __init__(self, store: Store, clock: Clock, tenant_id: Callable[[str], str | None]) -> None:
        """Take up the faults kept in ``store``; ``tenant_id`` turns a name, domain or id of a tenant into its id."""
        self._store = store
        self._clock = clock
        self._tenant_id = tenant_id
        self._lock = threading.Lock()
        # The relay asks at every piece of every connection: it must cost nothing while no fault is armed.
        self._armed = store.faults()
        self._dice: dict[int, random.Random] = {}

    def add(self, body: Any) -> Fault:
        """Arm a fault; ValueError when it makes no sense."""
        doc = checked_fault(body)
        if doc.get("tenant") and self._tenant_id(doc["tenant"]) is None:
            raise ValueError(f"There is no tenant {doc['tenant']!r}.")
        with self._lock:
            fault_id = self._store.put_fault(doc)
            self._armed = self._store.faults()
        return _fault({**doc, "id": fault_id})

    @property
    def armed(self) -> bool:
        """Whether there is any fault."""
        return bool(self._armed)

    def all(self) -> list[Fault]:
        """The armed faults, oldest first."""
        return [_fault(doc) for doc in self._armed]

    def remove(self, fault_id: int | None = None) -> int:
        """Disarm one fault or all; returns how many."""
        with self._lock:
            removed = self._store.delete_faults(fault_id)
            self._armed = self._store.faults()
            return removed

    def take(self, target: str, tenant: str | None, **facts: Any) -> Fault | None:
        """The first armed fault that fits, with one firing used up; None mostly.

        ``facts`` are what is known of the request: method, path, cmdlet, write, paged, part (of a batch); for LDAP
        whatever the relay knows. A firing on LDAP is logged here, for no HTTP request carries it.
        """
        if not self._armed:
            return None
        with self._lock:
            for doc in list(self._armed):
                fault = _fault(doc)
                if not self._fits(fault, target, tenant, facts) or not self._drawn(fault):
                    continue
                if fault.after:
                    self._store.put_fault({**doc, "after": fault.after - 1}, fault.id)
                    self._armed = self._store.faults()
                    continue
                if fault.times == 1:
                    self._store.delete_faults(fault.id)
                elif fault.times > 1:
                    self._store.put_fault({**doc, "times": fault.times - 1}, fault.id)
                self._armed = self._store.faults()
                if target in ("ldap", "job"):
                    self._log_ldap(target, fault, tenant, facts)
                return fault
        return None

    def _fits(self, fault: Fault, target: str, tenant: str | None, facts: dict[str, Any]) -> bool:
        if fault.target != target:
            return False
        if fault.tenant and (tenant is None or self._tenant_id(fault.tenant) != self._tenant_id(tenant)):
            return False
        if target == "job":
            if not _fits_job(fault, facts):
                return False
        elif target == WINDOWS:
            if not _fits_windows(fault, facts):
                return False
        elif target != "ldap":
            if facts.get("part", False) != (fault.kind == "throttle_in_batch") and not (
                facts.get("part", False) and fault.kind in _IN_BATCH_PARTS
            ):
                return False
            if fault.kind in _ONLY_FOR_WRITES and not facts.get("write", False):
                return False
            if fault.kind == "expired_next_link" and not facts.get("paged", False):
                return False
        elif not _fits_ldap(fault, facts):
            return False
        return all(_matches(name, wanted, facts) for name, wanted in fault.match.items())

    def _drawn(self, fault: Fault) -> bool:
        """Whether chance lets the fault fire. With a ``seed`` the same requests draw the same in every run."""
        probability = fault.number("probability", 1.0)
        if probability >= 1.0:
            return True
        seed = str(fault.parameters["seed"]) if "seed" in fault.parameters else None
        return self._dice.setdefault(fault.id, random.Random(seed)).random() < probability

    def _log_ldap(self, service: str, fault: Fault, tenant: str | None, facts: dict[str, Any]) -> None:
        doc = {
            "lab_time": iso(self._clock.now()),
            "real_time": time.time(),
            "service": service,
            "tenant": self._tenant_id(tenant) if tenant else None,
            "write": False,
            "fault": fault.kind,
            "parameters": {name: str(value) for name, value in facts.items()},
        }
        self._store.log_request(doc, is_write=False)


def _fits_job(fault: Fault, facts: dict[str, Any]) -> bool:
    """Unless ``match`` says which operation: refusals meet the job's writes, an outage its sign-in."""
    if "operation" in fault.match:
        return True
    return facts.get("operation") == "bind" if fault.kind == "unavailable" else facts.get("operation") in JOB_WRITES


def _fits_windows(fault: Fault, facts: dict[str, Any]) -> bool:
    event = facts.get("event")
    if fault.kind == "unavailable":
        return event == "connect"
    if "event" in fault.match:
        return True
    return event == ("command" if fault.kind in _ON_WINDOWS_COMMANDS else "request")


def _fits_ldap(fault: Fault, facts: dict[str, Any]) -> bool:
    operation, point = facts.get("operation"), fault.parameters.get("point")
    if fault.kind == "other_writer":
        return operation == "modify"
    if fault.kind in _ON_LDAP_REQUESTS or point == AFTER_REQUEST:
        return operation is not None and operation not in ("unbind", "abandon")
    return point is None or facts.get("event") == AT_REQUEST


def _matches(name: str, wanted: Any, facts: dict[str, Any]) -> bool:
    if name == "path_regex":
        return re.search(str(wanted), str(facts.get("path", ""))) is not None
    return str(facts.get(name, "")).lower() == str(wanted).lower()


def _fault(doc: dict[str, Any]) -> Fault:
    known = {name: doc[name] for name in ("id", "kind", "target", "times", "after", "tenant", "match") if name in doc}
    return Fault(**known, parameters={name: value for name, value in doc.items() if name not in known})


class Waits:
    """Who was told to wait (429 or 503 with Retry-After), and until when: to notice a retry that came too early."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Start with nobody waiting; ``now`` gives real seconds."""
        self._now = now
        self._lock = threading.Lock()
        self._until: dict[tuple[str, ...], float] = {}

    def told(self, key: tuple[str, ...], seconds: float) -> None:
        """The sender of the request ``key`` was told to wait ``seconds``."""
        with self._lock:
            self._until[key] = self._now() + seconds

    def early_by(self, key: tuple[str, ...]) -> float:
        """How many seconds too early this request comes; 0 when it may come."""
        with self._lock:
            left = self._until.get(key, 0.0) - self._now()
            if left <= _EARLY_TOLERANCE_S:
                self._until.pop(key, None)
                return 0.0
            return left

    def clear(self) -> None:
        """Forget all waits."""
        with self._lock:
            self._until.clear()
