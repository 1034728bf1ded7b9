# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The evidence of one run as files: what was judged, the objects of each gate, the organisation, the deviations."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.evaluate import Verdict
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.readiness_file import (
    Readiness,
    deviation_record,
    encode,
    stamp,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology import report as topology_report
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.topology import Topology
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError

FOLDER = "evidence"
GATES, TOPOLOGY, DEVIATIONS, READINESS = "gates.json", "topology.jsonl", "deviations.json", "readiness.json"
OBJECTS = "objects"


@dataclass(frozen=True)
class File:
    """A file of a bundle, by its path within it."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Run:
    """What a run came to, and who did it: all that a bundle tells."""

    readiness: Readiness
    verdicts: Sequence[Verdict]
    topology: Topology | None
    performed_by: str
    ready: bool
    collection_version: str


def folder(artifact_dir: str | Path, tenant_id: str, at: datetime) -> Path:
    """Make the folder of a run, for its owner only; a number is added where it exists."""
    name = f"{at.astimezone(UTC).strftime('%Y%m%dT%H%M%SZ')}-{re.sub(r'[^A-Za-z0-9._-]', '_', tenant_id)}"
    parent = (Path(artifact_dir) / FOLDER).absolute()
    number = 0
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            made = parent / (name if not number else f"{name}-{number}")
            try:
                made.mkdir(mode=0o700)
            except FileExistsError:
                number += 1
                continue
            return made
    except OSError as error:
        raise InputError(
            f"The evidence cannot be written into {parent}: {error.strerror}. Give another artifact_dir.",
            artifact_dir=str(artifact_dir),
        ) from error


def write_all(base: Path, run: Run) -> list[File]:
    """Write the machine-readable part of a bundle."""
    files = [
        write(base, READINESS, encode(run.readiness)),
        write(base, GATES, _json({"ready": run.ready, "gates": [_gate(item) for item in run.verdicts]})),
        write(base, DEVIATIONS, _json({"deviations": [_deviation(item) for item in run.verdicts if item.accepted]})),
    ]
    if run.topology is not None:
        files.append(write_lines(base, TOPOLOGY, topology_report.lines(run.topology)))
    files += [
        write_lines(base, objects_file(item), ({"gate": item.gate.id, **row} for row in item.objects))
        for item in run.verdicts
        if item.objects
    ]
    return files


def objects_file(verdict: Verdict) -> str:
    """Where the objects of a gate are, within the bundle."""
    return f"{OBJECTS}/{verdict.gate.id}.jsonl"


def write(base: Path, name: str, data: bytes) -> File:
    """Write one file, for its owner only, on disk before this returns."""
    return _written(base, name, [data])


def write_lines(base: Path, name: str, rows: Iterable[Mapping[str, Any]]) -> File:
    """Write JSON Lines."""
    return _written(base, name, (_line(row) for row in rows))


def _written(base: Path, name: str, parts: Iterable[bytes]) -> File:
    target = base / name
    digest, size = hashlib.sha256(), 0
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            for part in parts:
                out.write(part)
                digest.update(part)
                size += len(part)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror}.", file=str(target)) from error
    return File(name, digest.hexdigest(), size)


def _gate(verdict: Verdict) -> dict[str, Any]:
    """A gate for gates.json: all about it, with its objects in a file of their own."""
    shown = verdict.as_result(0)
    shown.pop("objects")
    return {
        **shown,
        "phases": list(verdict.gate.phases),
        "fix": verdict.fix,
        "objects_file": objects_file(verdict) if verdict.objects else None,
    }


def _deviation(verdict: Verdict) -> dict[str, Any]:
    accepted = verdict.accepted
    record = deviation_record(accepted) if accepted is not None else {}
    return {"gate": verdict.gate.id, "verdict": verdict.verdict, "condition": verdict.gate.acceptable, **record}


def about(run: Run) -> dict[str, Any]:
    """What a bundle is about, for its manifest and its checklist."""
    readiness = run.readiness
    return {
        "tenant_id": readiness.tenant_id,
        "forest": readiness.forest,
        "organization": readiness.organization,
        "fingerprint": readiness.fingerprint,
        "servers": list(readiness.servers),
        "phase": readiness.phase,
        "exit": readiness.exit,
        "evaluated_at": stamp(readiness.evaluated_at),
        "expires_at": stamp(readiness.expires_at),
        "performed_by": run.performed_by,
        "ready": run.ready,
        "collection_version": run.collection_version,
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True, default=str).encode() + b"\n"


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=str).encode() + b"\n"
