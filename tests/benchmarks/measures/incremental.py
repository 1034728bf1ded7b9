# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The incremental cycle: as many changes in a small tenant and in the largest one must cost the same."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks import ldif, modules, people, slapd
from tests.benchmarks.bench import Bench, fresh, proven
from tests.benchmarks.cloud import process as clouds
from tests.benchmarks.figures import Figure
from tests.benchmarks.people import Person
from tests.benchmarks.processes import Ran
from tests.benchmarks.settings import BUILD, BenchError

_MODULE = "roundtrip_info"


@dataclass(frozen=True)
class Changes:
    """Mailboxes that were changed in the cloud, and those of them that the directory did not get."""

    people: tuple[Person, ...]
    left: tuple[Person, ...]

    @property
    def arrived(self) -> tuple[Person, ...]:
        """Those that the directory got as well."""
        return tuple(person for person in self.people if person not in self.left)


def measure(bench: Bench) -> Generator[Figure, None, None]:
    """The figure of the incremental cycle."""
    small, large = bench.size.incremental_base, bench.size.large
    small_s = bench.keep(f"incremental among {small}", _cycles(bench, small))
    large_s = bench.keep(f"incremental among {large}", _cycles(bench, large))
    number = bench.size.incremental_changes
    against = f"{number} changes among {large} {large_s:.3f} s over {number} among {small} {small_s:.3f} s"
    yield Figure("incremental", large_s / small_s, "times", against, large_s / small_s)


def _cycles(bench: Bench, count: int) -> list[Ran]:
    """The runs of the incremental cycle in a tenant of ``count``, after a full pass and some changes."""
    loaded = bench.load(count)
    changes = _changes(count, bench.size.incremental_changes)
    state = fresh(BUILD / "state" / f"{count}.json")
    options = {**bench.options(), "state_file": str(state), "report_limit": count}
    with clouds.serving(count, bench.certificates) as cloud:
        with slapd.serving(loaded, bench.certificates):
            bench.say(f"a full pass over {count} mailboxes, to begin with")
            full = modules.run(_MODULE, options)
            proven(full.result, count)
            _expect_pass(full.result, "full")
        usn = ldif.first_usn(count)
        when = datetime.now(UTC).isoformat(timespec="seconds")
        cloud.change([person.number for person in changes.people], variant=1, when=when)
        with slapd.serving(loaded, bench.certificates):
            slapd.modify(_to_directory(changes, usn), bench.certificates)
        try:
            with slapd.serving(loaded, bench.certificates, highest_usn=usn + len(changes.people)):
                return _runs(bench, state, options, changes)
        finally:
            with slapd.serving(loaded, bench.certificates):
                slapd.modify(_back(changes), bench.certificates)


def _runs(bench: Bench, state: Path, options: dict[str, Any], changes: Changes) -> list[Ran]:
    """Runs that all begin from the state that the full pass left; the first one warms up."""
    kept = state.with_suffix(".kept")
    shutil.copy2(state, kept)
    ran = []
    rounds = bench.size.incremental_rounds
    for number in range(rounds + 1):
        bench.say(f"incremental cycle, round {number} of {rounds}")
        shutil.copy2(kept, state)
        cycle = modules.run(_MODULE, options)
        _expect_pass(cycle.result, "incremental")
        found = sorted(item["object"] for item in cycle.result["differing"])
        if found != sorted(person.user_principal_name for person in changes.left):
            raise BenchError(
                f"{len(changes.left)} of {len(changes.people)} changes had not arrived in the directory, but the "
                f"incremental cycle found {len(found)}: {found[:5]}"
            )
        ran.append(cycle.ran)
    return ran[1:]


def _expect_pass(result: Any, wanted: str) -> None:
    if result.get("pass") != wanted:
        raise BenchError(f"A {wanted} pass was expected, but it was {result.get('pass')}: {result.get('reason')}")


def _changes(count: int, number: int) -> Changes:
    step = count // number
    chosen = tuple(people.person(index) for index in range(step // 3, step * number, step))
    return Changes(chosen, chosen[:: max(1, number // 5)])


def _to_directory(changes: Changes, usn: int) -> bytes:
    return b"".join(
        ldif.difference(
            person,
            people.person(person.number, 1),
            extra=[("uSNChanged", str(usn + position)), ("whenChanged", "20261101120000.0Z")],
        )
        for position, person in enumerate(changes.arrived, 1)
    )


def _back(changes: Changes) -> bytes:
    return b"".join(
        ldif.difference(
            people.person(person.number, 1), person, extra=[("uSNChanged", str(ldif.first_usn(person.number)))]
        )
        for person in changes.arrived
    )
