# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What is asked of the gates: phase, way out, settings, and the gates that the operator goes on without."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.phases import (
    EXITS,
    MANAGEMENT_TOOLS,
    PHASES,
    SOURCE_OF_AUTHORITY,
    UNINSTALL,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.readiness_file import (
    Deviation,
    moment,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, Refused

PORTS = (443, 5986, 25)
"""What a server that is up answers on: its management endpoint, remoting to Windows, and mail."""


@dataclass(frozen=True)
class Expected:
    """What the records of a domain point at once its mail and Autodiscover are in the cloud (see _model/clouds.py)."""

    mx_suffixes: tuple[str, ...] = ()
    autodiscover_hosts: tuple[str, ...] = ()
    spf_includes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """``hosts`` says where a server is reached, by its name in small letters, where that is not its full name.

    ``trial_*`` are about the shut-down on trial: how long it must last, how old it may be, and how far apart two looks
    may be (0: any), all in hours but ``trial_max_age_days``.
    """

    tenant_id: str
    phase: str
    exit: str = SOURCE_OF_AUTHORITY
    domain: str = ""
    client_id: str = ""
    relay_quiet_days: int = 14
    relay_ignored: tuple[str, ...] = ()
    relay_record_limit: int = 100_000
    sample_size: int = 20
    on_premises_addresses: tuple[str, ...] = ()
    expected: Expected = field(default_factory=Expected)
    operator: str = ""
    trial_hours: float = 24
    trial_max_age_days: float = 30
    trial_max_gap_hours: float = 0
    hosts: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = PORTS
    deviations: Mapping[str, Deviation] = field(default_factory=dict)
    artifact_dir: str = "artifacts"
    report_limit: int = 20

    def host_of(self, name: str, fqdn: str | None) -> str:
        """Where a server is reached."""
        return self.hosts.get(name.casefold()) or fqdn or name


def check(phase: str, exit_: str) -> None:
    """Refuse a phase or a way out that does not exist, and the two that do not go together."""
    if phase not in PHASES:
        raise InputError(f"phase must be one of {', '.join(PHASES)}, not {phase!r}.")
    if exit_ not in EXITS:
        raise InputError(f"exit must be one of {', '.join(EXITS)}, not {exit_!r}.")
    if exit_ == MANAGEMENT_TOOLS and phase == UNINSTALL:
        raise Refused(
            "With the exit management_tools the last Exchange Server is shut down and never uninstalled: Active "
            "Directory stays the authority for the attributes, and Setup would take away what keeps them editable. "
            "There is no phase uninstall on this way.",
            phase=phase,
            exit=exit_,
        )


def deviations(given: Sequence[Mapping[str, Any]], acceptable: Collection[str]) -> dict[str, Deviation]:
    """What the operator goes on without, by gate; InputError for a gate that may not be, or does not exist."""
    found: dict[str, Deviation] = {}
    for item in given:
        gate = str(item.get("gate") or "")
        if gate not in acceptable:
            raise InputError(
                f"accepted_deviations: {gate} cannot be accepted. What can: {', '.join(sorted(acceptable))}.",
                gate=gate,
            )
        reason, by = str(item.get("reason") or "").strip(), str(item.get("by") or "").strip()
        if not reason or not by:
            raise InputError(f"accepted_deviations: {gate} needs a reason, and by whom it was accepted.", gate=gate)
        if gate in found:
            raise InputError(f"accepted_deviations: {gate} is there twice.", gate=gate)
        found[gate] = Deviation(gate, reason, by, _until(gate, item.get("until")))
    return found


def _until(gate: str, given: Any) -> datetime | None:
    """The moment until which a deviation is accepted; a date alone means its end in UTC."""
    text = str(given or "").strip()
    if not text:
        return None
    try:
        if len(text) == 10:
            return datetime.fromisoformat(text).replace(hour=23, minute=59, second=59, tzinfo=UTC)
        return moment(text)
    except ValueError as error:
        raise InputError(
            f"accepted_deviations: until of {gate} is {text!r}; write it as 2026-12-31 or 2026-12-31T18:00:00Z.",
            gate=gate,
        ) from error
