# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.benchmarks: measure the collection beside what its users would take instead, in one run."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys
import time
from collections.abc import Callable, Generator
from types import FrameType
from typing import NoReturn

from tests.benchmarks import certificates, figures, machine
from tests.benchmarks.bench import SIZES, Bench
from tests.benchmarks.figures import TARGETS, Figure
from tests.benchmarks.measures import apply, flip, incremental, reconcile
from tests.benchmarks.settings import BUILD, BenchError

MEASURES: dict[Callable[[Bench], Generator[Figure, None, None]], tuple[str, ...]] = {
    reconcile.measure: (
        "reconcile-100k",
        "reconcile-script",
        "reconcile-100k-peak-mb",
        "reconcile-600k-peak-mb",
        "reconcile-scaling",
        "ansible-loop",
    ),
    incremental.measure: ("incremental",),
    apply.measure: ("apply", "apply-loopback", "ansible-loop-apply", "second-run-writes"),
    flip.measure: ("flip",),
}


def main() -> int:
    """Entry point: 0 where every figure was measured, and, at full size, is what it has to be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=sorted(SIZES), default="full", help="small: to keep the benchmarks working")
    parser.add_argument("--only", default="", metavar="NAME,...", help=f"of {', '.join(TARGETS)}")
    options = parser.parse_args()
    wanted = set(filter(None, options.only.split(","))) or set(TARGETS)
    if unknown := wanted - set(TARGETS):
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, _end)
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {what}", flush=True)

    BUILD.mkdir(parents=True, exist_ok=True)
    bench = Bench(SIZES[options.size], certificates.certificates(BUILD / "certificates"), say)
    bench.details["machine"] = machine.facts()
    bench.details["size"] = bench.size.name
    found: dict[str, Figure] = {}
    failed: list[str] = []
    for measure, names in MEASURES.items():
        needed = wanted & set(names)
        if needed:
            try:
                # Closing a measure that is not needed to its end also ends its servers.
                with contextlib.closing(measure(bench)) as measured:
                    for figure in measured:
                        found[figure.name] = figure
                        if needed <= found.keys():
                            break
            except BenchError as error:
                failed.append(str(error))
                say(f"FAILED: {error}")
    for name in ("artifacts", "journals"):
        shutil.rmtree(BUILD / name, ignore_errors=True)
    return _tell(bench, [found[name] for name in TARGETS if name in found and name in wanted], wanted, failed)


def _tell(bench: Bench, told: list[Figure], wanted: set[str], failed: list[str]) -> int:
    judged = bench.size.name == "full"
    folder = BUILD if judged and wanted == set(TARGETS) else BUILD / ("parts" if judged else bench.size.name)
    figures.write(folder, told, bench.details)
    print(f"\n{figures.table(told, judged=judged)}\n\nWritten to {folder / 'results.json'} and details.json.")
    missing = wanted - {figure.name for figure in told}
    if missing:
        print(f"Not measured: {', '.join(sorted(missing))}.")
    for reason in failed:
        print(f"Failed: {reason}")
    missed = [figure.name for figure in told if judged and not figure.met]
    if missed:
        print(f"Missed: {', '.join(missed)}.")
    return 1 if missing or failed or missed else 0


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    """End as on an interrupt, so that the servers are ended as well."""
    sys.exit(143)


if __name__ == "__main__":
    sys.exit(main())
