# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small tenant in memory, behind the ports of the use cases of authority."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import DirectoryUser, Mailbox, Member
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection


def mailbox(name: str, **changes: Any) -> Mailbox:
    """A synchronized user mailbox that is managed on premises, but for the changes."""
    base = Mailbox(
        id=f"id-{name}",
        user_principal_name=f"{name}@contoso.com",
        display_name=name,
        primary_smtp_address=f"{name}@contoso.com",
        recipient_type="UserMailbox",
        recipient_type_details="UserMailbox",
        dir_synced=True,
        cloud_managed=False,
        when_changed="2026-08-03T10:15:00Z",
        properties={"CustomAttribute1": name, "EmailAddresses": [f"SMTP:{name}@contoso.com"]},
    )
    return replace(base, **changes)


class FakeMailboxes:
    """Mailboxes whose answers can be wrong in the ways of the real service."""

    def __init__(self, *mailboxes: Mailbox) -> None:
        self.state = {item.id: item for item in mailboxes}
        self.directory_users: dict[str, DirectoryUser] = {}
        self.without_mailbox: tuple[Member, ...] = ()
        self.left_out: tuple[Member, ...] = ()
        self.written: list[tuple[str, Mapping[str, Any]]] = []
        self.reads: list[tuple[Selection, tuple[str, ...]]] = []
        self.counted = 0
        # By mailbox id: the error to report, and whether the change is made all the same.
        self.errors: dict[str, tuple[HybridError, bool]] = {}
        self.ignored: set[str] = set()
        self.stale_reads = 0
        self.fail_read_after_write: HybridError | None = None
        self.stop_after: tuple[int, HybridError] | None = None
        self._stale: dict[str, Mailbox] = {}

    def read(self, selection: Selection, properties: Sequence[str]) -> Iterator[Mailbox]:
        self.reads.append((selection, tuple(properties)))
        if self.written and self.fail_read_after_write:
            raise self.fail_read_after_write
        view = self._view()
        self.left_out = ()
        if selection.kind in ("all", "group", "filter"):
            chosen = list(view.values())
        else:
            by_name = {name: item for item in view.values() for name in (item.id, item.user_principal_name)}
            missing = [name for name in selection.value if name not in by_name]
            if missing:
                raise InputError(f"{len(missing)} identities have no mailbox.", not_found=missing, ambiguous=[])
            chosen = [by_name[name] for name in selection.value]
        yield from (item for item in chosen if item.user_principal_name not in selection.exclude)
        if selection.kind == "group":
            self.left_out = self.without_mailbox

    def by_ids(self, ids: Iterable[str], properties: Iterable[str]) -> Iterator[Mapping[str, Any]]:
        wanted = sorted(ids)
        self.reads.append((Selection("ids", tuple(wanted)), tuple(properties)))
        if self.written and self.fail_read_after_write:
            raise self.fail_read_after_write
        view = self._view()
        for key in wanted:
            if key in view:
                yield {
                    "ExternalDirectoryObjectId": key,
                    "UserPrincipalName": view[key].user_principal_name,
                    "IsExchangeCloudManaged": view[key].cloud_managed,
                }

    def _view(self) -> dict[str, Mailbox]:
        if self.written and self.stale_reads > 0:
            self.stale_reads -= 1
            return self.state | self._stale
        return dict(self.state)

    def users(self, ids: Iterable[str] | None) -> Mapping[str, DirectoryUser]:
        wanted = None if ids is None else set(ids)
        return {key: user for key, user in self.directory_users.items() if wanted is None or key in wanted}

    def set(self, changes: Iterable[tuple[Any, Mapping[str, Any]]]) -> Iterator[tuple[Any, HybridError | None]]:
        for number, (item, parameters) in enumerate(changes):
            if self.stop_after is not None and number >= self.stop_after[0]:
                raise self.stop_after[1]
            self.written.append((item.id, dict(parameters)))
            error, applied = self.errors.get(item.id, (None, item.id not in self.ignored))
            if applied:
                self._stale.setdefault(item.id, self.state[item.id])
                self.state[item.id] = replace(self.state[item.id], cloud_managed=parameters["IsExchangeCloudManaged"])
            yield item, error

    def count(self) -> int:
        self.counted += 1
        return sum(item.cloud_managed for item in self.state.values())


class FakeExchange:
    """Answers cmdlets from a table, and carries out Set-OrganizationConfig."""

    def __init__(self, **answers: list[dict[str, Any]] | HybridError) -> None:
        self.answers: dict[str, list[dict[str, Any]] | HybridError] = {
            "Get-OrganizationConfig": [{"BlockExchangeProvisioningFromOnPremEnabled": False}],
            "Get-MailUser": [],
            "Get-MigrationBatch": [],
            "Get-MoveRequest": [],
        }
        self.answers |= {name.replace("_", "-"): answer for name, answer in answers.items()}
        self.sent: list[Cmdlet] = []
        self.warnings: list[str] = []
        self.set_error: HybridError | None = None
        self.set_applies = True
        self.on_set: Callable[[], None] | None = None

    @property
    def writes(self) -> list[Cmdlet]:
        return [cmdlet for cmdlet in self.sent if not cmdlet.name.startswith("Get-")]

    def batch(self, cmdlets: Iterable[Cmdlet]) -> Iterator[tuple[Cmdlet, list[dict[str, Any]] | HybridError]]:
        for cmdlet in cmdlets:
            yield cmdlet, list(self.invoke(cmdlet))

    def invoke(self, cmdlet: Cmdlet) -> Iterator[dict[str, Any]]:
        self.sent.append(cmdlet)
        if cmdlet.name == "Set-OrganizationConfig":
            if self.set_applies:
                cloud = "ExchangeAttributesCloudManagedByDefault" in cmdlet.parameters
                self.answers["Get-OrganizationConfig"] = [{"BlockExchangeProvisioningFromOnPremEnabled": cloud}]
            if self.on_set is not None:
                self.on_set()
            if self.set_error is not None:
                raise self.set_error
            return
        answer = self.answers[cmdlet.name]
        if isinstance(answer, HybridError):
            raise answer
        yield from answer


class FakeWriter:
    """An artifact in a list."""

    def __init__(self, name: str, log: list[tuple[str, list[dict[str, Any]]]], moment: Callable[[], int]) -> None:
        self.lines: list[dict[str, Any]] = []
        self.artifact = {"path": name}
        self._log, self._name, self._moment = log, name, moment
        self.writes_before = -1

    def __enter__(self) -> FakeWriter:
        return self

    def write(self, line: Mapping[str, Any]) -> None:
        self.lines.append(dict(line))

    def __exit__(self, kind: object, *_error: object) -> None:
        self.writes_before = self._moment()
        if kind is None:
            self._log.append((self._name, self.lines))


class Progress:
    """Phases, and what was done in each."""

    def __init__(self) -> None:
        self.phases: list[list[Any]] = []

    def start(self, phase: str, total: int | None = None) -> None:
        self.phases.append([phase, 0, total])

    def advance(self, count: int = 1) -> None:
        self.phases[-1][1] += count
