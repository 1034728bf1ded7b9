# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line's part on the hybrid set-up in the cloud."""

from __future__ import annotations

import argparse
from typing import Any

from tests.lab import job_commands, output
from tests.lab.cloud.hybrid_conditions import CONDITIONS
from tests.lab.settings import TENANTS, Settings

Arguments = argparse.Namespace
Document = dict[str, Any]


def add(command: job_commands.Command) -> None:
    """Add the command hybrid."""
    hybrid = command("hybrid", "show the hybrid set-up in the cloud, and set what stands in the way", _hybrid)
    hybrid.formatter_class = argparse.RawDescriptionHelpFormatter
    hybrid.epilog = _conditions()
    hybrid.add_argument("tenant", choices=[tenant.name for tenant in TENANTS])
    hybrid.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="batch=Syncing; see below")
    hybrid.add_argument("--renew", action="store_true", help="everything of it as it was at the beginning")


def _conditions() -> str:
    rows = [(name, doc, ", ".join(values)) for name, (values, doc) in CONDITIONS.items()]
    return "what can be set:\n" + "\n".join(f"  {name}: {doc}\n      {values}" for name, doc, values in rows)


def _hybrid(config: Settings, arguments: Arguments) -> Any:
    changes = dict(one.partition("=")[::2] for one in arguments.set)
    with job_commands.lab(config) as lab:
        if arguments.renew:
            lab.renew_hybrid(arguments.tenant)
        return lab.hybrid(arguments.tenant, **changes)


def text(answer: Document) -> str:
    """The wizard's objects, then those that only look like them, then keys and what is set."""
    lines: list[str] = []
    for whose, title in (("hybrid", "of the hybrid set-up"), ("other", "that look alike, and are none of it")):
        rows = [("  " + one["kind"], one["name"], one["state"]) for one in answer["objects"] if one["whose"] == whose]
        lines += [f"Objects {title}:", output.table(rows) if rows else "  none"]
    if answer["gone"]:
        lines += ["Gone since the beginning:", *(f"  {one}" for one in answer["gone"])]
    lines.append("Keys of the first-party principal:")
    lines += [f"  {one['thumbprint']}  {one['subject']}" for one in answer["keys"]] or ["  none"]
    lines.append(f"Dedicated hybrid application: {answer['dedicatedApplication'] or 'none'}")
    lines.append("Set: " + ", ".join(f"{name}={value}" for name, value in answer["conditions"].items()))
    return "\n".join(lines)
