# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What has to be done to the hybrid set-up of one side: purely from what was read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import order
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.belongs import Judged
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.kind import PROTECTION_DOMAINS
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.known import (
    Row,
    identity_of,
    name_of,
    text,
    texts,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.wanted import Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.order import Step
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._run.moments import moment

Found = Mapping[str, Sequence[Judged]]
IOC = "intra_organization_connector"


@dataclass(frozen=True)
class Action:
    """One object that a step has to deal with.

    ``cmdlet`` is None where the step is not a cmdlet of Exchange. ``before`` and ``after`` are what the step changes,
    for the diff; ``after`` None means that the object is gone. ``waits_until`` is when it may be done at the earliest,
    ``waits`` why.
    """

    step: Step
    identity: str
    row: Row
    why: str
    cmdlet: Cmdlet | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    waits_until: datetime | None = None
    waits: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What tells an action from all others."""
        return self.step.id, self.identity.casefold()


@dataclass(frozen=True)
class Left:
    """An object that looks alike and stays, and why."""

    kind: str
    identity: str
    why: str


@dataclass(frozen=True)
class Plan:
    """What has to be done, in its order.

    ``actions`` are those of the chosen kinds, ``outside`` open ones of kinds that were not chosen. From the first one
    that has to wait on, all wait.
    """

    actions: tuple[Action, ...]
    outside: tuple[Action, ...] = ()
    left: tuple[Left, ...] = ()

    @property
    def ready(self) -> tuple[Action, ...]:
        """What can be done now."""
        found = []
        for action in self.actions:
            if action.waits:
                break
            found.append(action)
        return tuple(found)

    @property
    def waiting(self) -> tuple[Action, ...]:
        """What has to wait, and what comes after that."""
        return self.actions[len(self.ready) :]


def make_plan(wanted: Wanted, found: Found, now: datetime) -> Plan:
    """The plan for the chosen kinds. found: the judged objects of each kind of the side and phase."""
    actions: list[Action] = []
    outside: list[Action] = []
    for step in wanted.steps:
        for item in found.get(step.kind, ()):
            if item.belongs:
                action = action_for(step, item, wanted, now)
                if action is not None:
                    (actions if wanted.chooses(step) else outside).append(action)
    left = [
        Left(kind, name_of(item.row), item.why)
        for kind, items in found.items()
        for item in items
        if item.similar and not item.belongs
    ]
    return Plan(tuple(actions), tuple(outside), tuple(left))


def action_for(step: Step, item: Judged, wanted: Wanted, now: datetime) -> Action | None:
    """What a step has to do to an object that belongs to the hybrid set-up; None where it is done."""
    row = item.row
    identity = identity_of(row)
    special = _SPECIAL.get(step.kind)
    if special is not None:
        return special(step, item)
    if step.verb == "disable":
        if not is_enabled(row):
            return None
        arguments = {"Enabled": False} if step.kind == "federated_organization" else _named(identity, Enabled=False)
        return Action(
            step, identity, row, item.why, Cmdlet(step.cmdlets[0], arguments), {"Enabled": True}, {"Enabled": False}
        )
    arguments = {} if step.kind == "hybrid_configuration" else _named(identity)
    until, waits = _soak(step, row, wanted, now) if step.kind == IOC else (None, "")
    before = {"exists": True, **({"Enabled": is_enabled(row)} if "Enabled" in row else {})}
    return Action(step, identity, row, item.why, Cmdlet(step.cmdlets[0], arguments), before, None, until, waits)


def is_enabled(row: Row) -> bool:
    """Whether an object is on; one that does not say so counts as on."""
    return text(row.get("Enabled")).lower() != "false"


def changed_at(row: Row) -> datetime | None:
    """When an object was last changed; None where that is not told."""
    return moment(text(row.get("WhenChangedUTC"))) or moment(text(row.get("WhenChanged")))


def trust_in_cloud(value: str) -> bool:
    """Whether a value of TlsDomainCapabilities is about Exchange Online."""
    return value.split(":", 1)[0].strip().lower() in PROTECTION_DOMAINS


def open_steps(actions: Iterable[Action]) -> tuple[str, ...]:
    """The steps that these actions are of."""
    return tuple(dict.fromkeys(action.step.id for action in actions))


def _named(identity: str, **more: Any) -> dict[str, Any]:
    return {"Identity": identity, **more}


def _soak(step: Step, row: Row, wanted: Wanted, now: datetime) -> tuple[datetime | None, str]:
    """How long a connector that is off, or is to be turned off, has to stay before it is removed."""
    soak = timedelta(minutes=wanted.soak_minutes)
    if not soak:
        return None, ""
    rule = f"it stays off for {wanted.soak_minutes:g} minutes (soak_minutes) before it is removed"
    if is_enabled(row):
        return None, f"it is still on; {rule}"
    since = changed_at(row)
    if since is None:
        return None, f"{rule}, and since when it is off cannot be told; set soak_minutes to 0 if it was long enough"
    until = since + soak
    return (until, f"{rule}: until {until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}") if until > now else (None, "")


def _connection_point(step: Step, item: Judged) -> Action | None:
    uri = text(item.row.get("AutoDiscoverServiceInternalUri"))
    if not uri:
        return None
    identity = identity_of(item.row)
    arguments = _named(identity, AutoDiscoverServiceInternalUri=None)
    return Action(
        step,
        identity,
        item.row,
        "every server",
        Cmdlet(step.cmdlets[0], arguments),
        {"AutoDiscoverServiceInternalUri": uri},
        {"AutoDiscoverServiceInternalUri": None},
    )


def _receive_connector(step: Step, item: Judged) -> Action | None:
    have = texts(item.row.get("TlsDomainCapabilities"))
    kept = [value for value in have if not trust_in_cloud(value)]
    if len(kept) == len(have):
        return None
    identity = identity_of(item.row)
    arguments = _named(identity, TlsDomainCapabilities=kept or None)
    return Action(
        step,
        identity,
        item.row,
        item.why,
        Cmdlet(step.cmdlets[0], arguments),
        {"TlsDomainCapabilities": list(have)},
        {"TlsDomainCapabilities": kept},
    )


def _federated_domain(step: Step, item: Judged) -> Action | None:
    name = text(item.row.get("DomainName"))
    cmdlet = Cmdlet(step.cmdlets[0], {"DomainName": name, "Force": True})
    return Action(step, name, item.row, item.why, cmdlet, {"exists": True}, None)


def _federated_organization(step: Step, item: Judged) -> Action | None:
    row = item.row
    in_use = texts(row.get("Domains")) or text(row.get("AccountNamespace")) or text(row.get("DelegationTrustLink"))
    if not in_use or not is_enabled(row):
        return None
    return Action(
        step,
        identity_of(row) or "Federation",
        row,
        item.why,
        Cmdlet(step.cmdlets[0], {"Enabled": False}),
        {"Enabled": True},
        {"Enabled": False},
    )


def _certificate(step: Step, item: Judged) -> Action | None:
    row = item.row
    cmdlet = Cmdlet(step.cmdlets[0], {"Thumbprint": text(row.get("Thumbprint")), "Server": text(row.get("Server"))})
    return Action(step, name_of(row), row, item.why, cmdlet, {"exists": True}, None)


def _not_a_cmdlet(step: Step, item: Judged) -> Action | None:
    return Action(step, name_of(item.row), item.row, item.why, None, {"exists": True}, None)


_SPECIAL = {
    "service_connection_point": _connection_point,
    "receive_connector": _receive_connector,
    "federated_domain": _federated_domain,
    "federated_organization": _federated_organization,
    "federation_certificate": _certificate,
    "service_principal_keys": _not_a_cmdlet,
    "hybrid_application": _not_a_cmdlet,
    "hybrid_agent": _not_a_cmdlet,
}


def next_step(plan: Plan, steps: Sequence[Step]) -> tuple[Step, Step] | None:
    """What is done before its time: (the step, the open one that comes before it); None where nothing is."""
    return order.first_skipped(steps, open_steps((*plan.actions, *plan.outside)), open_steps(plan.ready))
