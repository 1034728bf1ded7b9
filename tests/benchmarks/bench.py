# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the benchmarks is about: how large, and what all its measurements share."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks import modules, processes, slapd
from tests.benchmarks.certificates import Certificates
from tests.benchmarks.cloud import pages
from tests.benchmarks.cloud import process as clouds
from tests.benchmarks.people import BASE_DN
from tests.benchmarks.processes import Ran
from tests.benchmarks.settings import BUILD, PYTHON, ROOT, BenchError
from tests.benchmarks.slapd import Loaded


@dataclass(frozen=True)
class Size:
    """How large everything is. Rounds are repetitions, of which the median counts."""

    name: str
    reconcile: int
    large: int
    probe: int
    rounds: int
    large_rounds: int
    planted: int
    incremental_base: int
    incremental_changes: int
    incremental_rounds: int
    apply: int
    apply_rounds: int
    flip: int
    flip_limit: int
    cmdlet_s: float
    loop: int


_FULL = Size(
    name="full",
    reconcile=100_000,
    large=600_000,
    probe=1_000,
    rounds=5,
    large_rounds=3,
    planted=50,
    incremental_base=6_000,
    incremental_changes=100,
    incremental_rounds=5,
    apply=2_000,
    apply_rounds=3,
    flip=3_000,
    flip_limit=10,
    cmdlet_s=0.3,
    loop=40,
)
_SMALL = Size(
    name="small",
    reconcile=3_000,
    large=6_000,
    probe=1_000,
    rounds=1,
    large_rounds=1,
    planted=20,
    incremental_base=2_000,
    incremental_changes=40,
    incremental_rounds=1,
    apply=120,
    apply_rounds=1,
    flip=200,
    flip_limit=4,
    cmdlet_s=0.05,
    loop=3,
)
SIZES = {size.name: size for size in (_FULL, _SMALL)}


@dataclass
class Bench:
    """One run; ``details`` collects the samples behind the figures, ``say`` tells what is going on."""

    size: Size
    certificates: Certificates
    say: Callable[[str], None]
    details: dict[str, Any] = field(default_factory=dict)
    _collections: list[pages.Collection] = field(default_factory=list)

    def options(self) -> dict[str, Any]:
        """The options of a module that reads the whole of both sides."""
        return {**modules.tenant(self.certificates), **modules.openldap(self.certificates), "all_mailboxes": True}

    def load(self, count: int) -> Loaded:
        """The directory of ``count`` people, and the pages of the cloud that its readers will ask for."""
        self.say(f"make or find the data of {count} mailboxes")
        loaded = slapd.load(BUILD / f"slapd-{count}", count)
        pages.prepare([replace(one, count=count, parent="") for one in self._asked_for()], clouds.PAGES)
        return loaded

    def script(self) -> Ran:
        """Run the straightforward script."""
        file = BUILD / "script.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps({**self.options(), "base_dn": BASE_DN}), encoding="utf-8")
        script = ROOT / "tests" / "benchmarks" / "peers" / "script.py"
        return processes.run([PYTHON, "-P", script, file], what="The straightforward script")

    def keep(self, name: str, samples: Sequence[Ran]) -> float:
        """Keep the samples of a measurement; the median of their wall times."""
        self.details[name] = {
            "seconds": [round(ran.seconds, 3) for ran in samples],
            "cpu_seconds": [round(ran.cpu_seconds, 3) for ran in samples],
            "median": round(median(ran.seconds for ran in samples), 3),
        }
        return median(ran.seconds for ran in samples)

    def _asked_for(self) -> list[pages.Collection]:
        """What the collection and the script ask the cloud for, learned from a run of each on few people."""
        if not self._collections:
            count = self.size.probe
            loaded = slapd.load(BUILD / f"slapd-{count}", count)
            with slapd.serving(loaded, self.certificates), clouds.serving(count, self.certificates) as cloud:
                proven(modules.run("roundtrip_info", self.options()).result, count)
                self.script()
                self._collections = cloud.collections()
        return self._collections


def ratio(over: Sequence[Ran], under: Sequence[Ran]) -> float:
    """How many times longer the ones took than the others: the median of the turns, as each turn met one machine."""
    return median(one.seconds / other.seconds for one, other in zip(over, under, strict=True))


def proven(result: Any, count: int) -> None:
    """BenchError unless a round trip of so many mailboxes is proven whole."""
    counts = result["counts"]
    if not result["proven"] or counts["equal"] != count or counts["total"] != count:
        raise BenchError(f"{count} equal mailboxes were to be proven, but the module says {counts}.")


def fresh(path: Path) -> Path:
    """A path where nothing is, in a folder that is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    return path
