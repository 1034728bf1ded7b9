# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured, what the figures have to be, and how they are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Target:
    """What a figure has to be: in words, and as a test of value and ratio."""

    words: str
    met: Callable[[float, float], bool]


TARGETS = {
    "reconcile-100k": Target("at most 6 x ldapsearch", lambda _value, ratio: ratio <= 6),
    "reconcile-script": Target("at least 4 times", lambda value, _ratio: value >= 4),
    "reconcile-100k-peak-mb": Target("under 400 MB", lambda value, _ratio: value < 400),
    "reconcile-600k-peak-mb": Target("under 1000 MB", lambda value, _ratio: value < 1000),
    "reconcile-scaling": Target("at most 1, and 5 % for noise", lambda value, _ratio: value <= 1.05),
    "incremental": Target("at most 1, and 20 % for noise", lambda value, _ratio: value <= 1.2),
    "apply": Target("at least 1.3 x ldapmodify", lambda _value, ratio: ratio >= 1.3),
    "apply-loopback": Target("none: bound by the server", lambda _value, _ratio: True),
    "flip": Target("at least 0.9, none early", lambda value, _ratio: value >= 0.9),
    "ansible-loop": Target("at least 500 times", lambda value, _ratio: value >= 500),
    "ansible-loop-apply": Target("at least 50 times", lambda value, _ratio: value >= 50),
    "second-run-writes": Target("none", lambda value, _ratio: value == 0),
}
"""Every figure by its name, in the order in which they are told."""


@dataclass(frozen=True)
class Figure:
    """One figure. ``against`` says what it is compared with, ``ratio`` is how it compares."""

    name: str
    value: float
    unit: str
    against: str
    ratio: float

    @property
    def met(self) -> bool:
        """Whether it is what it has to be."""
        return TARGETS[self.name].met(self.value, self.ratio)


def write(folder: Path, figures: Sequence[Figure], details: dict[str, Any]) -> None:
    """Write results.json and details.json."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("results", [asdict(_rounded(figure)) for figure in figures]), ("details", details)):
        (folder / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def table(figures: Sequence[Figure], *, judged: bool) -> str:
    """The figures with their targets, for people."""
    lines = [f"{'figure':<24}{'value':>12} {'unit':<12}{'ratio':>9}  {'target':<30}{'':<8}against"]
    for figure in figures:
        verdict = ("met" if figure.met else "MISSED") if judged else "-"
        lines.append(
            f"{figure.name:<24}{figure.value:>12.3f} {figure.unit:<12}{figure.ratio:>9.3f}  "
            f"{TARGETS[figure.name].words:<30}{verdict:<8}{figure.against}"
        )
    return "\n".join(lines)


def _rounded(figure: Figure) -> Figure:
    return Figure(figure.name, round(figure.value, 4), figure.unit, figure.against, round(figure.ratio, 4))
