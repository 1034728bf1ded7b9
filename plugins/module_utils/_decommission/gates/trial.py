# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The shut-down on trial: all servers off for a while, and everything goes on without them.

Each look at it is a line in a file, which holds the SHA-256 of the line before: a line that is changed or taken out
afterwards shows.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.gate import (
    Found,
    Judged,
    cannot_tell,
    failed,
    passed,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.readiness_file import moment, stamp
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError

FOLDER = "evidence"
KIND = "hybrid.exchange.trial"


@dataclass(frozen=True)
class Observation:
    """One look. ``doors`` are the ports of each server and whether they took connections.

    ``job`` and ``round_trip`` say what was wrong with them, empty where all was well.
    """

    at: datetime
    fingerprint: str
    doors: Mapping[str, Mapping[str, bool]]
    job: str = ""
    round_trip: str = ""

    @property
    def up(self) -> list[str]:
        """The servers that took a connection."""
        return sorted(name for name, ports in self.doors.items() if any(ports.values()))

    @property
    def off(self) -> bool:
        """Whether every server was off."""
        return bool(self.doors) and not self.up

    @property
    def well(self) -> bool:
        """Whether every server was off, and the rest went on."""
        return self.off and not self.job and not self.round_trip

    def why(self) -> str:
        """Why it does not count, in words."""
        reasons = [f"{', '.join(self.up)} took connections"] if self.up else []
        return "; ".join([*reasons, *filter(None, (self.job, self.round_trip))])

    def line(self) -> dict[str, Any]:
        """For the file."""
        return {
            "kind": KIND,
            "at": stamp(self.at),
            "fingerprint": self.fingerprint,
            "doors": {name: dict(ports) for name, ports in self.doors.items()},
            "job": self.job,
            "round_trip": self.round_trip,
        }


@dataclass(frozen=True)
class Trial:
    """All looks of one organisation, the oldest first, and where they are kept; ``broken``: the file was altered."""

    path: str
    observations: tuple[Observation, ...] = ()
    broken: str = ""
    seen_open: frozenset[str] = field(default_factory=frozenset)


def path_of(artifact_dir: str | Path, tenant_id: str) -> Path:
    """Where the looks of a tenant are kept."""
    return Path(artifact_dir) / FOLDER / f"trial-{re.sub(r'[^A-Za-z0-9._-]', '_', tenant_id)}.jsonl"


def load(path: Path, fingerprint: str) -> Trial:
    """The looks at this organisation; no file means none."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Trial(str(path))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", file=str(path)) from error
    found: list[Observation] = []
    seen: set[str] = set()
    previous = ""
    for number, raw in enumerate(data.splitlines(), 1):
        try:
            record = json.loads(raw)
            if record["previous"] != previous:
                return Trial(str(path), broken=f"line {number} does not follow the one before it")
            item = _observation(record)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return Trial(str(path), broken=f"line {number} is no look at a trial: {error}")
        previous = hashlib.sha256(raw).hexdigest()
        if item.fingerprint == fingerprint:
            found.append(item)
            seen.update(item.up)
    return Trial(str(path), tuple(found), seen_open=frozenset(seen))


def append(path: Path, observation: Observation) -> None:
    """Add one look, on disk before this returns."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = path.read_bytes().splitlines() if path.exists() else []
        previous = hashlib.sha256(lines[-1]).hexdigest() if lines else ""
        record = {**observation.line(), "previous": previous}
        data = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.", file=str(path)) from error


def _observation(record: Mapping[str, Any]) -> Observation:
    if record["kind"] != KIND:
        raise ValueError("it is of another kind")
    return Observation(
        at=moment(record["at"]),
        fingerprint=str(record["fingerprint"]),
        doors={
            str(name): {str(port): bool(up) for port, up in ports.items()} for name, ports in record["doors"].items()
        },
        job=str(record["job"]),
        round_trip=str(record["round_trip"]),
    )


def longest(observations: Sequence[Observation], gap_hours: float) -> tuple[Observation, ...]:
    """The longest run of looks at which all was well, none further than ``gap_hours`` from the next (0: any)."""
    best: list[Observation] = []
    run: list[Observation] = []
    for item in observations:
        if not item.well:
            run = []
            continue
        if run and gap_hours and item.at - run[-1].at > timedelta(hours=gap_hours):
            run = []
        run.append(item)
        if not best or run[-1].at - run[0].at >= best[-1].at - best[0].at:
            best = list(run)
    return tuple(best)


def judge(found: Found) -> Judged:
    """Whether the trial lasted long enough, not too long ago, and whether a server that is up would have been seen."""
    trial: Trial = found["trial"]
    wanted = found.wanted
    rows = [_row(item) for item in trial.observations]
    if trial.broken:
        return failed(
            f"{trial.path} was altered: {trial.broken}. Begin the trial again with another artifact_dir.", rows
        )
    run = longest(trial.observations, wanted.trial_max_gap_hours)
    if not run:
        return failed("No look was taken while all servers were off and everything else went on.", rows)
    lasted = run[-1].at - run[0].at
    hours = lasted.total_seconds() / 3600
    if hours < wanted.trial_hours:
        return failed(f"The servers were seen off for {hours:.1f} hours, and {wanted.trial_hours:g} are wanted.", rows)
    age = (found.now - run[-1].at).total_seconds() / 86400
    if age > wanted.trial_max_age_days:
        return failed(f"The trial ended {age:.1f} days ago; it may be {wanted.trial_max_age_days:g} days old.", rows)
    doors = found["doors"]
    new = sorted(name for name in doors if any(name not in item.doors for item in run))
    if new:
        return failed(f"{', '.join(new)} was not looked at: it came after the trial, or under another name.", rows)
    open_now = {name for name, ports in doors.items() if any(ports.values())}
    unseen = sorted(name for name in doors if name not in open_now and name not in trial.seen_open)
    if unseen:
        return cannot_tell(
            f"{', '.join(unseen)} never took a connection from here, on or off, so that it took none then says "
            "nothing. Evaluate from a machine that reaches the servers, while they are on.",
            rows,
        )
    return passed(
        f"All servers were off from {stamp(run[0].at)} to {stamp(run[-1].at)} ({hours:.1f} hours, {len(run)} looks), "
        "and everything went on.",
        rows,
    )


def _row(item: Observation) -> dict[str, Any]:
    return {"object": stamp(item.at), "well": item.well, "up": item.up, "why": item.why()}
