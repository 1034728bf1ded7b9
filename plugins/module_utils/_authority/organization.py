# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Use case: the tenant-wide default for the source of authority of new users.

Setting it to the cloud too early makes every newly synchronized recipient a bare Entra user that cannot be onboarded or
migrated, and only Microsoft Support repairs that. So the guards come first, and evidence that cannot be read counts as
a reason not to go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._authority.eligibility import authority_of
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.ports import (
    Exchange,
    MailboxReader,
    Progress,
    Sleep,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    HybridError,
    InputError,
    ProtocolError,
    Refused,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import CORE_PROPERTIES
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import listing
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection

STATE_PROPERTY = "BlockExchangeProvisioningFromOnPremEnabled"
"""The property of Get-OrganizationConfig that is true while the default is the cloud."""

READ_BACK_DELAYS: tuple[float, ...] = (1, 2, 4, 8, 15)
_SWITCHES = {
    "cloud": "ExchangeAttributesCloudManagedByDefault",
    "on_premises": "ExchangeAttributesServerManagedByDefault",
}
_BATCH_DONE = frozenset({"Completed", "Removing"})
_MOVE_DONE = frozenset({"Completed", "CompletedWithWarning"})


@dataclass(frozen=True)
class Default:
    """What was asked. ``confirm_tenant`` repeats the tenant, because there is no way back without Microsoft Support."""

    tenant_id: str
    authority: str
    confirm_tenant: str | None = None
    accepted_mail_users: frozenset[str] = frozenset()
    report_limit: int = 20


@dataclass(frozen=True)
class Ends:
    """The far ends."""

    exchange: Exchange
    mailboxes: MailboxReader
    progress: Progress
    sleep: Sleep


@dataclass(frozen=True)
class Result:
    """What came of it."""

    changed: bool
    result: dict[str, Any]
    diff: list[dict[str, Any]]


def set_default(request: Default, ends: Ends, *, check_mode: bool) -> Result:
    """Set the default; Refused, with the evidence, where it would break what is still to be migrated."""
    _confirm_tenant(request)
    before = _state(ends)
    changes = authority_of(before) != request.authority
    evidence = _evidence(request, ends) if changes and request.authority == "cloud" else {}
    result: dict[str, Any] = {
        "default_authority": request.authority,
        "counts": {"changed": int(changes), **{name: len(found) for name, found in evidence.items()}},
        "state": {"property": STATE_PROPERTY, "before": before, "after": before != changes},
    }
    _guard(evidence, result, request.report_limit)
    diff: list[dict[str, Any]] = []
    if changes:
        diff.append(
            {
                "before_header": request.tenant_id,
                "after_header": request.tenant_id,
                "before": {"default_authority": authority_of(before)},
                "after": {"default_authority": request.authority},
            }
        )
    if changes and not check_mode:
        _apply(request, ends)
    return Result(changes, result, diff)


def _confirm_tenant(request: Default) -> None:
    if request.authority not in _SWITCHES:
        raise InputError(f"default_authority must be one of {', '.join(_SWITCHES)}, not {request.authority!r}.")
    given = (request.confirm_tenant or "").strip()
    if request.authority == "cloud" and given.casefold() != request.tenant_id.strip().casefold():
        found = f"it is {given!r}" if given else "it is not given"
        raise Refused(
            "Making the cloud the default cannot be undone without Microsoft Support, so confirm_tenant must repeat "
            f"tenant_id ({request.tenant_id}); {found}. Nothing was changed.",
            tenant_id=request.tenant_id,
        )


def _state(ends: Ends) -> bool:
    ends.progress.start("read")
    rows = list(ends.exchange.invoke(Cmdlet("Get-OrganizationConfig", select=("Name", STATE_PROPERTY))))
    value = rows[0].get(STATE_PROPERTY) if len(rows) == 1 else None
    if not isinstance(value, bool):
        raise ProtocolError(
            f"Exchange Online did not say the tenant's default: {len(rows)} configurations, {STATE_PROPERTY} is "
            f"{value!r}. The tenant may not have the feature yet.",
        )
    return value


def _evidence(request: Default, ends: Ends) -> dict[str, list[str]]:
    """What speaks against the cloud as default, by kind."""
    unmanaged = [
        mailbox.user_principal_name
        for mailbox in ends.mailboxes.read(Selection("all", None, allow_empty=True), CORE_PROPERTIES)
        if mailbox.dir_synced and not mailbox.cloud_managed
    ]
    mail_users = _rows(
        ends,
        Cmdlet(
            "Get-MailUser",
            {"ResultSize": "Unlimited", "Filter": "IsDirSynced -eq 'True'"},
            ("UserPrincipalName", "PrimarySmtpAddress", "ExternalDirectoryObjectId", "IsDirSynced"),
        ),
    )
    batches = _rows(ends, Cmdlet("Get-MigrationBatch", {}, ("Identity", "Status")))
    moves = _rows(ends, Cmdlet("Get-MoveRequest", {"ResultSize": "Unlimited"}, ("DisplayName", "Identity", "Status")))
    return {
        "unmanaged_mailboxes": unmanaged,
        "mail_users": [
            _name(row, "UserPrincipalName", "PrimarySmtpAddress")
            for row in mail_users
            if _is_true(row.get("IsDirSynced", True)) and not _accepted(row, request.accepted_mail_users)
        ],
        "migration_batches": _unfinished(batches, _BATCH_DONE, "Identity"),
        "move_requests": _unfinished(moves, _MOVE_DONE, "DisplayName", "Identity"),
    }


_WORDS: Mapping[str, str] = {
    "unmanaged_mailboxes": "synchronized mailboxes are not cloud-managed yet",
    "mail_users": "synchronized mail users may still be migrated",
    "migration_batches": "migration batches are not completed",
    "move_requests": "move requests are not completed",
}


def _guard(evidence: Mapping[str, Sequence[str]], result: Mapping[str, Any], limit: int) -> None:
    against = {name: found for name, found in evidence.items() if found}
    if not against:
        return
    words = "; ".join(f"{len(found)} {_WORDS[name]} ({listing(found, 3)})" for name, found in against.items())
    raise Refused(
        f"The cloud must not become the default yet: {words}. Nothing was changed. Finish or remove them first; mail "
        "users that stay as they are can be named in accepted_mail_users.",
        **dict(result) | {"counts": {**result["counts"], "changed": 0}},
        evidence={name: list(found[:limit]) for name, found in against.items()},
    )


def _apply(request: Default, ends: Ends) -> None:
    """Set the switch and read back: an error is no failure where the state is right, and a success no proof."""
    failure: HybridError | None = None
    try:
        for _row in ends.exchange.invoke(Cmdlet("Set-OrganizationConfig", {_SWITCHES[request.authority]: True})):
            pass
    except HybridError as error:
        failure = error
    try:
        for delay in (*READ_BACK_DELAYS, None):
            if authority_of(_state(ends)) == request.authority:
                return
            if delay is not None:
                ends.sleep(delay)
    except HybridError as error:
        error.facts.setdefault("changed", failure is None)  # sent, but whether it arrived could not be read
        raise
    if failure is not None:
        raise failure
    raise Conflict(
        f"Exchange Online accepted the default {request.authority}, but still shows the other one. Run it again.",
        changed=True,
    )


def _rows(ends: Ends, cmdlet: Cmdlet) -> list[dict[str, Any]]:
    ends.progress.start(cmdlet.name)
    return list(ends.exchange.invoke(cmdlet))


def _unfinished(rows: Iterable[Mapping[str, Any]], done: frozenset[str], *names: str) -> list[str]:
    return [
        f"{_name(row, *names)}: {row.get('Status') or 'unknown state'}"
        for row in rows
        if str(row.get("Status") or "") not in done
    ]


def _name(row: Mapping[str, Any], *names: str) -> str:
    return next((str(row[name]) for name in names if row.get(name)), "(without a name)")


def _accepted(row: Mapping[str, Any], accepted: frozenset[str]) -> bool:
    names = ("UserPrincipalName", "PrimarySmtpAddress", "ExternalDirectoryObjectId")
    return any(str(row.get(name) or "").casefold() in accepted for name in names if row.get(name))


def _is_true(value: Any) -> bool:
    return str(value).casefold() == "true"
