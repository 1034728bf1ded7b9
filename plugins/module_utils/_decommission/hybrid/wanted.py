# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What the options of a task state about the hybrid set-up of one side, and the far ends that it works with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import order as orders
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.known import thumbprint
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.ports import (
    Artifacts,
    Clock,
    Directory,
    ExchangeOnline,
    ExchangeServer,
    Graph,
    Host,
    Progress,
    Warn,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Credential

# What the hybrid agent is called on its server. [doc] the module's place; [inf] the name in the programs list.
AGENT_MODULE = r"C:\Program Files\Microsoft Hybrid Service\HybridManagement.psm1"
AGENT_PROGRAMS = ("Microsoft Hybrid Service", "Microsoft Hybrid Agent")


@dataclass(frozen=True)
class Named:
    """An object that the operator names: it goes, whatever the rules say of it."""

    kind: str
    identity: str


@dataclass(frozen=True)
class Wanted:
    """All that a task states. Times are in the unit of their name."""

    state: str
    side: str
    phase: str
    kinds: tuple[str, ...]
    step_ids: tuple[str, ...] = ()
    order: str = orders.DEFAULT
    also: tuple[Named, ...] = ()
    keep: Mapping[str, str] = field(default_factory=dict)
    soak_minutes: float = 60
    mail_quiet_hours: float = 24
    readiness: str | None = None
    readiness_sha256: str | None = None
    exports: tuple[tuple[str, str], ...] = ()
    tenant_id: str = ""
    organization_guid: str | None = None
    routing_domains: tuple[str, ...] = ()
    auth_certificates: tuple[str, ...] = ()
    agent_credential: Credential | None = None
    agent_module: str = AGENT_MODULE
    agent_programs: tuple[str, ...] = AGENT_PROGRAMS
    wait_timeout: float = 300
    uninstall_timeout: float = 900

    @property
    def steps(self) -> tuple[orders.Step, ...]:
        """All steps of the side and the phase, in the stated order, whether their kinds are chosen or not."""
        return orders.steps(self.order, self.phase, self.side)

    def chooses(self, step: orders.Step) -> bool:
        """Whether a step is among the chosen ones, or its kind where no steps are chosen."""
        return step.id in self.step_ids if self.step_ids else step.kind in self.kinds

    def names(self, kind: str, *identities: str) -> bool:
        """Whether one of these is named for that kind."""
        wanted = {item.identity.casefold() for item in self.also if item.kind == kind}
        return any(identity.casefold() in wanted for identity in identities if identity)


class TimedDirectory(Directory, Protocol):
    """Active Directory with its own clock, by which it says when an object was changed."""

    @property
    def current_time(self) -> datetime: ...


@dataclass(frozen=True)
class Ends:
    """What the use case works with. What the options do not name is None."""

    online: ExchangeOnline
    graph: Graph
    server: ExchangeServer | None
    host: Host | None
    directory: TimedDirectory | None
    clock: Clock
    artifacts: Artifacts
    progress: Progress
    warn: Warn
    report_limit: int = 20
    artifact_dir: str = "artifacts"


def from_params(params: Mapping[str, Any]) -> Wanted:
    """What a task's options state; InputError names the option that is wrong."""
    side = str(params["side"])
    phase = params.get("phase") or (orders.CLEAN_UP if side == orders.ON_PREMISES else orders.CLOUD_CLEAN_UP)
    known = orders.kinds(phase, side)
    if not known:
        raise InputError(f"There is nothing to do on the side {side} in the phase {phase}.")
    kinds = tuple(params.get("kinds") or known)
    unknown = [kind for kind in kinds if kind not in known]
    if unknown:
        raise InputError(
            f"kinds: {', '.join(unknown)} is not among the kinds of the side {side} in the phase {phase}: "
            f"{', '.join(known)}."
        )
    state = str(params["state"])
    exports = _exports(params)
    if state == "present" and not exports:
        raise InputError("state is present: give export with export_sha256, or exports: the files of the removal.")
    chosen = tuple(params.get("steps") or ())
    unknown = [step for step in chosen if step not in {row.id for row in orders.steps(orders.DEFAULT, phase, side)}]
    if unknown:
        raise InputError(f"steps: {', '.join(unknown)} is not a step of the side {side} in the phase {phase}.")
    user, password = params.get("hybrid_agent_user"), params.get("hybrid_agent_password")
    return Wanted(
        state=state,
        side=side,
        phase=str(phase),
        kinds=kinds,
        step_ids=chosen,
        order=str(params.get("order") or orders.DEFAULT),
        also=_named(params.get("also") or (), side),
        keep=_kept(params.get("keep") or (), side),
        soak_minutes=_not_negative(params, "soak_minutes", 60),
        mail_quiet_hours=_not_negative(params, "mail_quiet_hours", 24),
        readiness=params.get("readiness"),
        readiness_sha256=params.get("readiness_sha256"),
        exports=exports,
        tenant_id=str(params.get("tenant_id") or ""),
        organization_guid=str(params["organization_guid"]).lower() if params.get("organization_guid") else None,
        routing_domains=tuple(str(name).lower() for name in params.get("routing_domains") or ()),
        auth_certificates=_thumbprints(params.get("auth_certificates") or ()),
        agent_credential=Credential(str(user), str(password)) if user and password else None,
        agent_module=str(params.get("hybrid_agent_module") or AGENT_MODULE),
        agent_programs=tuple(params.get("hybrid_agent_programs") or AGENT_PROGRAMS),
        wait_timeout=_not_negative(params, "wait_timeout", 300),
        uninstall_timeout=_not_negative(params, "uninstall_timeout", 900),
    )


def _exports(params: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Paths and hashes of exports, however they are given."""
    one = [{"path": params["export"], "sha256": params["export_sha256"]}] if params.get("export") else []
    return tuple((str(item["path"]), str(item["sha256"])) for item in (*one, *(params.get("exports") or ())))


def _named(given: Sequence[Mapping[str, Any]], side: str) -> tuple[Named, ...]:
    """What is named for this side; entries about the other side are good for another task."""
    found = []
    for item in given:
        kind, identity = str(item["kind"]), str(item["identity"]).strip()
        _check_kind("also", kind)
        if not identity or "*" in identity:
            raise InputError(f"also: {identity!r} must be the whole name of one object.")
        if kind in orders.kinds(None, side):
            found.append(Named(kind, identity))
    return tuple(found)


def _kept(given: Sequence[Mapping[str, Any]], side: str) -> dict[str, str]:
    found = {}
    for item in given:
        kind, reason = str(item["kind"]), str(item["reason"]).strip()
        _check_kind("keep", kind)
        if not reason:
            raise InputError(f"keep: {kind} has no reason.")
        if kind in orders.kinds(None, side):
            found[kind] = reason
    return found


def _check_kind(option: str, kind: str) -> None:
    known = sorted({*orders.kinds(None, orders.ON_PREMISES), *orders.kinds(None, orders.CLOUD)})
    if kind not in known:
        raise InputError(f"{option}: there is no kind {kind!r}; there are {', '.join(known)}.")


def _thumbprints(given: Sequence[str]) -> tuple[str, ...]:
    found = []
    for text in given:
        value = thumbprint(text)
        if value is None:
            raise InputError(f"auth_certificates: {text!r} is not a thumbprint of 40 hexadecimal digits.")
        found.append(value)
    return tuple(found)


def _not_negative(params: Mapping[str, Any], name: str, default: float) -> float:
    value = params.get(name)
    number = default if value is None else float(value)
    if number < 0:
        raise InputError(f"{name} must not be negative, it is {value}.")
    return number
