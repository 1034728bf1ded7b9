# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""How a run of this use case reports, and what it came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import ArtifactWriter
from ansible_collections.hybrid.exchange.plugins.module_utils._run.progress import Progress


@dataclass(frozen=True)
class Run:
    """How a run reports, and whether it may write. ``work_dir`` is where it may keep what it needs while it runs."""

    check_mode: bool
    diff_mode: bool
    report_limit: int
    progress: Progress
    artifacts: Callable[[str], ArtifactWriter]
    warn: Callable[[str], None] = lambda message: None
    work_dir: str | None = None

    @classmethod
    def of(cls, context: Any) -> Run:
        """The run that a module's context describes."""
        return cls(
            context.check_mode,
            context.diff_mode,
            context.report_limit,
            context.progress,
            context.artifacts,
            context.warn,
            context.params.get("artifact_dir"),
        )


@dataclass(frozen=True)
class Report:
    """What a run came to; ``result`` becomes the task's result."""

    changed: bool
    result: dict[str, Any]
    diff: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
