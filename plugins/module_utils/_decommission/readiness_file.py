# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What the gates came to, in a file: the modules that change something demand it, by its SHA-256.

The file is canonical JSON (keys sorted, no blanks, one line), so that the same verdicts have the same bytes, and its
SHA-256 is what ``sha256sum`` says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.phases import (
    MANAGEMENT_TOOLS,
    PASSED,
    UNINSTALL,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._run import private_file

KIND = "hybrid.exchange.readiness"
SCHEMA_VERSION = 1
# Two answers of one service within a run may come from machines whose clocks differ a little.
SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class Deviation:
    """A gate that the operator goes on without: why, who says so, and until when (None: as long as the verdict)."""

    gate: str
    reason: str
    by: str
    until: datetime | None = None


@dataclass(frozen=True)
class GateVerdict:
    """One gate, judged. ``expires_at`` is when its evidence is too old to go by."""

    gate: str
    verdict: str
    detail: str
    evaluated_at: datetime
    expires_at: datetime
    accepted: Deviation | None = None

    def blocks(self, now: datetime) -> str | None:
        """Why nobody may go on at that time, None where it may be gone on."""
        if now >= self.expires_at:
            return f"expired at {stamp(self.expires_at)}"
        if self.verdict == PASSED:
            return None
        if self.accepted is None:
            return f"{self.verdict.replace('_', ' ')}: {self.detail}"
        if self.accepted.until is not None and now >= self.accepted.until:
            return f"accepted only until {stamp(self.accepted.until)}, and {self.verdict.replace('_', ' ')}"
        return None


@dataclass(frozen=True)
class Readiness:
    """What a file of verdicts says. ``fingerprint`` names the Exchange organisation, or a forest that has none.

    ``required`` are the gates of the phase; ``servers`` the Exchange servers that there were.
    """

    tenant_id: str
    forest: str
    organization: str | None
    fingerprint: str
    phase: str
    exit: str
    evaluated_at: datetime
    required: tuple[str, ...]
    servers: tuple[str, ...]
    gates: Mapping[str, GateVerdict]

    @property
    def expires_at(self) -> datetime:
        """When the first of the gates expires."""
        return min((verdict.expires_at for verdict in self.gates.values()), default=self.evaluated_at)

    def blocking(self, now: datetime) -> list[tuple[str, str]]:
        """Each gate that stands in the way at that time, with the reason."""
        found = [(gate, "missing: it was not evaluated") for gate in self.required if gate not in self.gates]
        for gate, verdict in self.gates.items():
            reason = verdict.blocks(now)
            if reason is not None:
                found.append((gate, reason))
        return found


@dataclass(frozen=True)
class Saved:
    """A readiness written to its file."""

    path: str
    sha256: str

    def as_result(self) -> dict[str, Any]:
        """For a task's result."""
        return {"path": self.path, "sha256": self.sha256}


def stamp(moment: datetime) -> str:
    """A moment as RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write(path: str | Path, readiness: Readiness) -> Saved:
    """Write the verdicts for their owner only (0600), whole or not at all."""
    file = Path(path).absolute()
    data = encode(readiness)
    try:
        private_file.write(file, data)
    except OSError as error:
        raise InputError(f"The readiness {file} cannot be written: {error.strerror}.", file=str(file)) from error
    return Saved(str(file), hashlib.sha256(data).hexdigest())


def encode(readiness: Readiness) -> bytes:
    """The bytes of the file."""
    record = {
        "kind": KIND,
        "schema_version": SCHEMA_VERSION,
        "tenant_id": readiness.tenant_id,
        "forest": readiness.forest,
        "organization": readiness.organization,
        "fingerprint": readiness.fingerprint,
        "phase": readiness.phase,
        "exit": readiness.exit,
        "evaluated_at": stamp(readiness.evaluated_at),
        "expires_at": stamp(readiness.expires_at),
        "required": sorted(readiness.required),
        "servers": sorted(readiness.servers),
        "gates": {gate: _gate_record(verdict) for gate, verdict in readiness.gates.items()},
    }
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def read(path: str | Path, sha256: str) -> Readiness:
    """The verdicts in a file; Refused where it is not the one with that SHA-256, InputError where it is none."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(
            f"The readiness {path} cannot be read: {error.strerror}. Make it with decommission_readiness_info.",
            file=str(path),
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256.strip().lower():
        raise Refused(
            f"{path} is not the readiness that was approved: its SHA-256 is {found}, not {sha256}. Nothing was "
            "changed.",
            file=str(path),
            sha256=found,
        )
    try:
        return decode(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not a readiness: {error}.", file=str(path)) from error


def decode(data: bytes) -> Readiness:
    """The verdicts in the bytes of a file; ValueError, KeyError, TypeError or AttributeError where they are none."""
    record = json.loads(data)
    if record["kind"] != KIND or record["schema_version"] != SCHEMA_VERSION:
        raise ValueError("it is not of this version of the collection")
    return Readiness(
        tenant_id=str(record["tenant_id"]),
        forest=str(record["forest"]),
        organization=record["organization"],
        fingerprint=str(record["fingerprint"]),
        phase=str(record["phase"]),
        exit=str(record["exit"]),
        evaluated_at=moment(record["evaluated_at"]),
        required=tuple(record["required"]),
        servers=tuple(record["servers"]),
        gates={str(gate): _gate(str(gate), item) for gate, item in record["gates"].items()},
    )


def require(
    path: str | Path | None,
    sha256: str | None,
    *,
    phase: str,
    now: datetime,
    fingerprint: str,
    tenant_id: str | None = None,
    servers: Collection[str] | None = None,
) -> Readiness:
    """The verdicts, where all gates of the phase are passed or accepted, fresh, and of this organisation.

    Refused names everything that stands in the way. ``servers`` are those that there are now: one that was not there
    when the gates were evaluated was never looked at. ``now`` must come from the same clock as the verdicts (see
    clock.py).
    """
    if not path or not sha256:
        raise Refused(
            f"This needs the readiness of the phase {phase}: make it with decommission_readiness_info, and give its "
            "path and its SHA-256. Nothing was changed.",
            phase=phase,
        )
    found = read(path, sha256)
    _refuse(path, found, _of_another(found, phase, fingerprint, tenant_id, servers))
    reasons = [f"{gate} ({reason.rstrip('.')})" for gate, reason in found.blocking(now)]
    if found.evaluated_at > now + SKEW:
        reasons.insert(0, f"it was evaluated at {stamp(found.evaluated_at)}, which is still to come")
    _refuse(path, found, reasons)
    return found


def _of_another(
    found: Readiness, phase: str, fingerprint: str, tenant_id: str | None, servers: Collection[str] | None
) -> list[str]:
    reasons = []
    if found.phase != phase:
        reasons.append(f"it is of the phase {found.phase}, not {phase}")
    if found.exit == MANAGEMENT_TOOLS and phase == UNINSTALL:
        reasons.append("its exit is management_tools, with which the last server is never uninstalled")
    if found.fingerprint != fingerprint:
        reasons.append(f"it is of another Exchange organisation ({found.organization or 'none'} in {found.forest})")
    if tenant_id is not None and found.tenant_id.casefold() != tenant_id.casefold():
        reasons.append(f"it is of another tenant ({found.tenant_id})")
    seen = {name.casefold() for name in found.servers}
    new = sorted(name for name in servers or () if name.casefold() not in seen)
    if new:
        reasons.append(f"there are Exchange servers that were not there then: {', '.join(new)}")
    return reasons


def _refuse(path: str | Path, found: Readiness, reasons: Sequence[str]) -> None:
    if reasons:
        raise Refused(
            f"The readiness {path} does not allow this: {'; '.join(reasons)}. Nothing was changed. Mend what is named, "
            "and evaluate the gates again with decommission_readiness_info.",
            file=str(path),
            phase=found.phase,
            blocking=list(reasons),
        )


def _gate_record(verdict: GateVerdict) -> dict[str, Any]:
    accepted = verdict.accepted
    return {
        "verdict": verdict.verdict,
        "detail": verdict.detail,
        "evaluated_at": stamp(verdict.evaluated_at),
        "expires_at": stamp(verdict.expires_at),
        "accepted": None if accepted is None else deviation_record(accepted),
    }


def deviation_record(deviation: Deviation) -> dict[str, Any]:
    """A deviation as JSON, without its gate."""
    until = None if deviation.until is None else stamp(deviation.until)
    return {"reason": deviation.reason, "by": deviation.by, "until": until}


def _gate(gate: str, item: Mapping[str, Any]) -> GateVerdict:
    accepted = item["accepted"]
    return GateVerdict(
        gate=gate,
        verdict=str(item["verdict"]),
        detail=str(item["detail"]),
        evaluated_at=moment(item["evaluated_at"]),
        expires_at=moment(item["expires_at"]),
        accepted=None
        if accepted is None
        else Deviation(
            gate,
            str(accepted["reason"]),
            str(accepted["by"]),
            None if accepted["until"] is None else moment(accepted["until"]),
        ),
    )


def moment(text: str) -> datetime:
    """A moment from RFC 3339; ValueError for anything else, and where it has no time zone."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return found


def verdicts_by_gate(verdicts: Iterable[GateVerdict]) -> dict[str, GateVerdict]:
    """Verdicts under the ids of their gates."""
    return {verdict.gate: verdict for verdict in verdicts}
