# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the checks that make a change fit to land: those that every change needs, the long ones, or those named.

Long are whole stories that are played over and over (a run killed at every point, servers that get the agent or lose
Exchange), the lab's own Exchange servers, and a small run of each benchmark. The steps with a lab are lanes, which run
side by side with each other and with the steps that need nothing of one another; a lane that is through helps with
those. Each step's output goes to build/checks/<step>.log; a failing step shows the end of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "build" / "checks"
TREE = ROOT / "build" / "tree" / "ansible_collections" / "hybrid" / "exchange"
BIN = ROOT / ".venv" / "bin"
NEWEST = ROOT / ".venv-2.21"
GRAPH = ROOT / ".venv-graph"


@dataclass(frozen=True)
class Step:
    """One command, where it runs, and the environment it needs beside the caller's."""

    name: str
    lane: str
    command: tuple[str, ...]
    directory: Path = ROOT
    environment: tuple[tuple[str, str], ...] = ()


def _path(*entries: Path) -> tuple[str, str]:
    return ("PATH", os.pathsep.join([*(str(entry) for entry in entries), os.environ["PATH"]]))


# Built by the first lab that needs them, and copied by the others.
FORESTS = ("HYBRID_LAB_FORESTS", str(ROOT / "build" / "lab-forests"))
COLLECTIONS = (("PYTHONPATH", str(ROOT / "build")), ("ANSIBLE_COLLECTIONS_PATH", str(ROOT / "build")))


def _lab(name: str, network: str) -> tuple[tuple[str, str], ...]:
    """The environment of a lab on a network of its own, so that one which somebody is using goes on undisturbed."""
    directory = ROOT / "build" / name
    return (
        *COLLECTIONS,
        ("HYBRID_LAB_DIR", str(directory)),
        ("HYBRID_LAB_NET", network),
        ("HYBRID_LAB_FILE", str(directory / "lab.json")),
        FORESTS,
        _path(BIN),
    )


LAB = _lab("lab-checks", "127.78")
LAB_FOR_FAULTS = _lab("lab-checks-faults", "127.79")
LAB_FOR_ITSELF = _lab("lab-checks-itself", "127.80")
LAB_FOR_KILLS = _lab("lab-checks-kills", "127.82")
LAB_FOR_SERVERS = _lab("lab-checks-servers", "127.83")
LAB_FOR_LAST = _lab("lab-checks-last", "127.84")
LANES = ("lab", "faults")
LONG_LANES = ("last", "kills", "servers", "apart")
# Whose verdict depends on ansible-core. The others judge the text, and do so once, with the newest ansible-core found.
SANITY_OF_EACH_CORE = ("compile", "import", "validate-modules")
BRIEF = ("HYPOTHESIS_PROFILE", "brief")
IN_TREE = (("ANSIBLE_COLLECTIONS_PATH", str(ROOT / "build" / "tree")), ("LC_ALL", "C.UTF-8"), _path(BIN))


def steps() -> list[Step]:
    """All steps, in the order in which they begin."""

    def without(files: Iterable[str]) -> list[str]:
        return [word for file in files for word in ("--ignore", file)]

    pytest = (str(BIN / "pytest"), "-q")
    lab = (str(BIN / "python"), "-m", "tests.lab")
    faults, survival = "tests/conformance/test_faults.py", "tests/conformance/test_writeback_survives.py"
    agent, decommission = "tests/conformance/test_agent.py", "tests/conformance/test_decommission.py"
    exchange = [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("tests/lab_tests/test_exchange_server_*.py"))]
    chosen = [
        Step("tree", "first", ("tests/tools/tree",)),
        Step("ruff", "free", (str(BIN / "ruff"), "check", ".")),
        Step("format", "free", (str(BIN / "ruff"), "format", "--check", ".")),
        Step("types", "free", (str(BIN / "python"), "tests/tools/types_check.py")),
        Step("units-2.19", "free", (*pytest, "tests/unit"), environment=COLLECTIONS),
        Step("attributes", "free", (str(BIN / "python"), "tests/tools/attributes_table.py", "--check")),
        Step("changelog", "free", (str(BIN / "antsibull-changelog"), "lint"), TREE),
        Step(
            "docs",
            "free",
            (
                str(BIN / "antsibull-docs"),
                "lint-collection-docs",
                "--plugin-docs",
                "--validate-collection-refs",
                "all",
                ".",
            ),
            TREE,
            IN_TREE,
        ),
        Step(
            "ansible-lint", "free", (str(BIN / "ansible-lint"), "--offline", "--profile", "production"), TREE, IN_TREE
        ),
        Step("build", "free", ("tests/tools/build",), environment=(_path(BIN),)),
        Step("sanity-2.19", "free", _sanity(ROOT / ".venv", SANITY_OF_EACH_CORE if NEWEST.is_dir() else ())),
        Step("lab", "free", (*pytest, "tests/lab_tests", *without(exchange)), environment=LAB_FOR_ITSELF),
        Step("playbooks", "free", (*pytest, "tests/playbooks"), environment=(*COLLECTIONS, _path(BIN))),
        Step("lab-up", "lab", (*lab, "up", "--fresh"), environment=LAB),
        Step(
            "conformance",
            "lab",
            (*pytest, "tests/conformance", *without([faults, survival, agent, decommission])),
            environment=LAB,
        ),
        Step("judges", "lab", (str(GRAPH / "bin" / "pytest"), "-q", "-W", "default", "tests/judges"), environment=LAB),
        Step("demo", "lab", (str(BIN / "python"), "tests/demo/demo.py"), environment=LAB),
        Step("molecule", "lab", ("tests/tools/molecule",), environment=LAB),
        Step("lab-down", "lab", (*lab, "down"), environment=LAB),
        Step("faults-up", "faults", (*lab, "up", "--fresh"), environment=LAB_FOR_FAULTS),
        Step("faults", "faults", (*pytest, faults), environment=LAB_FOR_FAULTS),
        Step("faults-down", "faults", (*lab, "down"), environment=LAB_FOR_FAULTS),
        Step("last-up", "last", (*lab, "up", "--fresh"), environment=LAB_FOR_LAST),
        Step("last-servers", "last", (str(BIN / "python"), "tests/demo/decommission.py"), environment=LAB_FOR_LAST),
        Step("last-down", "last", (*lab, "down"), environment=LAB_FOR_LAST),
        Step("kills-up", "kills", (*lab, "up", "--fresh"), environment=LAB_FOR_KILLS),
        Step("kills", "kills", (*pytest, survival), environment=LAB_FOR_KILLS),
        Step("kills-down", "kills", (*lab, "down"), environment=LAB_FOR_KILLS),
        Step("servers-up", "servers", (*lab, "up", "--fresh"), environment=LAB_FOR_SERVERS),
        Step("agent", "servers", (*pytest, agent), environment=LAB_FOR_SERVERS),
        Step("decommission", "servers", (*pytest, decommission), environment=LAB_FOR_SERVERS),
        Step("servers-down", "servers", (*lab, "down"), environment=LAB_FOR_SERVERS),
        Step("lab-exchange", "apart", (*pytest, *exchange), environment=LAB_FOR_ITSELF),
        Step(
            "bench", "apart", (str(BIN / "python"), "-m", "tests.benchmarks", "--size", "small"), environment=(FORESTS,)
        ),
    ]
    if NEWEST.is_dir():
        newest = (str(NEWEST / "bin" / "pytest"), "-q")
        after = 1 + [step.name for step in chosen].index("units-2.19")  # early, because they take the longest
        chosen[after:after] = [
            Step("units-2.21", "free", (*newest, "-m", "not once", "tests/unit"), environment=(*COLLECTIONS, BRIEF)),
            Step("sanity-2.21", "free", _sanity(NEWEST)),
        ]
    return chosen


def _sanity(environment: Path, tests: Sequence[str] = ()) -> tuple[str, ...]:
    """ansible-test sanity of what is shipped, which the tests are not; no tests named: all of them."""
    named = [argument for test in tests for argument in ("--test", test)]
    return ("tests/tools/sanity", str(environment), _python(environment), "--exclude", "tests/", *named)


def _python(environment: Path) -> str:
    """The version (major.minor) of the Python in a virtual environment."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run(
        [environment / "bin" / "python", "-c", program], check=True, capture_output=True, text=True
    ).stdout.strip()


def run(step: Step, failed: list[str]) -> None:
    """Runs one step and says in one line how it went; on failure the end of its output as well."""
    log = LOGS / f"{step.name}.log"
    began = time.monotonic()
    environment = {**os.environ, **dict(step.environment)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            step.command, cwd=step.directory, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        # Popen.wait would not tell what the step and its children cost.
        _pid, status, usage = os.wait4(process.pid, 0)
        code = process.returncode = os.waitstatus_to_exitcode(status)
    seconds, busy = time.monotonic() - began, usage.ru_utime + usage.ru_stime
    verdict = "ok    " if code == 0 else "FAILED"
    print(f"{verdict} {step.name:<14} {seconds:6.1f} s, processor {busy:6.1f} s", flush=True)
    if code != 0:
        failed.append(step.name)
        tail = log.read_text(errors="replace").splitlines()[-60:]
        print("\n".join(["", *(f"    {line}" for line in tail), f"    (all of it: {log})", ""]), flush=True)


def _then(lane: Iterable[Step], free: deque[Step]) -> Iterator[Step]:
    """The steps of a lane, and then whatever is left that belongs to none."""
    yield from lane
    with contextlib.suppress(IndexError):
        while True:
            yield free.popleft()


def run_lane(lane: Iterable[Step], failed: list[str]) -> None:
    """Runs steps one after the other. One that fails does not hide what the others would say."""
    for step in lane:
        run(step, failed)


def main() -> int:
    """Entry point: 0 when every chosen step passed."""
    every = steps()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="step", help=", ".join(step.name for step in every))
    parser.add_argument("--long", action="store_true", help="the long ones, which are left out otherwise")
    arguments = parser.parse_args()
    wanted = arguments.names
    unknown = set(wanted) - {step.name for step in every}
    if unknown:
        parser.error(f"no such step: {', '.join(sorted(unknown))}")
    chosen = [
        step for step in every if (step.name in wanted if wanted else (step.lane in LONG_LANES) == arguments.long)
    ]
    LOGS.mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    began = time.monotonic()
    run_lane([step for step in chosen if step.lane == "first"], failed)
    free = deque(step for step in chosen if step.lane == "free")
    lanes = [[step for step in chosen if step.lane == lane] for lane in (*LANES, *LONG_LANES)]
    workers = [threading.Thread(target=run_lane, args=(_then(lane, free), failed)) for lane in ([], *lanes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(f"{len(chosen) - len(failed)} of {len(chosen)} checks passed in {time.monotonic() - began:.0f} s.")
    if failed:
        print(f"Failed: {', '.join(failed)}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
