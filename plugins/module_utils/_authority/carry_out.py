# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Carry out a transfer: send the changes, read back what became of them, and say so for each mailbox.

A success answer is no proof and an error no failure: what counts is what reading back shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._authority.plan import Plan, Target
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.ports import (
    Artifacts,
    Mailboxes,
    Progress,
    Sleep,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    HybridError,
    InputError,
    NotFound,
    PermissionDenied,
    Refused,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import CORE_PROPERTIES, Mailbox
from ansible_collections.hybrid.exchange.plugins.module_utils._run import report
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import Artifact
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection

READ_BACK_DELAYS: tuple[float, ...] = (1, 2, 4, 8, 15)
"""Seconds between attempts to see a change: another server of the service may answer with the old state for a while."""

FEW = 400
"""Up to here named mailboxes and members are asked for one by one, so they were not read among all others."""

_DEFINITE = (InputError, PermissionDenied, NotFound, Conflict, Refused)


class Ends(Protocol):
    """What carrying out needs of the far ends."""

    @property
    def mailboxes(self) -> Mailboxes: ...

    @property
    def artifacts(self) -> Artifacts: ...

    @property
    def progress(self) -> Progress: ...

    @property
    def sleep(self) -> Sleep: ...

    @property
    def clock(self) -> Callable[[], float]: ...


@dataclass(frozen=True)
class FirstRead:
    """How the mailboxes were read before the plan, and how many seconds it took."""

    selection: Selection
    seconds: float


@dataclass
class Sent:
    """What came back of the changes: errors by id, how many were sent at all, whether failures ended it, and the
    seconds that one took."""

    errors: dict[str, HybridError] = field(default_factory=dict)
    tried: int = 0
    stopped: bool = False
    seconds: float = 0.0


def send(plan: Plan, ends: Ends, max_failures: int) -> Sent:
    """Send the changes. More failures than max_failures end it: what is under way ends, the rest is not tried.

    An error of the whole call counts for all that had no answer yet.
    """
    ends.progress.start(f"move to {plan.authority}", len(plan.change))
    sent = Sent()

    def changes() -> Iterator[tuple[Target, Mapping[str, Any]]]:
        for target in plan.change:
            if len(sent.errors) > max_failures:
                sent.stopped = True
                return
            sent.tried += 1
            yield target, {"IsExchangeCloudManaged": plan.cloud}

    answered, began = 0, ends.clock()
    rest: HybridError = Refused(
        f"It was not tried, because more than {max_failures} mailboxes failed before (max_failures)."
    )
    try:
        for target, error in ends.mailboxes.set(changes()):
            answered += 1
            if error is not None:
                sent.errors[target.id] = error
            ends.progress.advance()
    except HybridError as error:
        rest = error
    sent.seconds = (ends.clock() - began) / max(1, answered)
    sent.errors.update((target.id, rest) for target in islice(plan.change, answered, None))
    return sent


def confirm(plan: Plan, sent: Sent, first: FirstRead, ends: Ends) -> dict[str, Target]:
    """Read back, a few times if need be; the mailboxes that did not change, by id."""
    pending = {target.id: target for target in plan.change}
    watched = dict(islice(pending.items(), sent.tried))
    ends.progress.start("read back", len(watched))
    for delay in (*READ_BACK_DELAYS, None):
        for mailbox in _look(watched, sent, first, ends):
            if mailbox.cloud_managed == plan.cloud and watched.pop(mailbox.id, None) is not None:
                del pending[mailbox.id]
                ends.progress.advance()
        if delay is None or all(isinstance(sent.errors.get(key), _DEFINITE) for key in watched):
            break
        ends.sleep(delay)
    return pending


def _look(watched: Mapping[str, Target], sent: Sent, first: FirstRead, ends: Ends) -> Iterator[Mailbox]:
    """The watched mailboxes as they are now, and others: the cheaper way, by what this run itself took.

    Asking for one mailbox takes no longer than changing one did; reading many again takes as long as it took before.
    """
    unseen = set(watched)
    read_many = first.selection.kind in {"all", "filter"} or len(watched) > FEW
    if read_many and len(watched) * sent.seconds > first.seconds:
        for mailbox in ends.mailboxes.read(_again(first.selection), CORE_PROPERTIES):
            unseen.discard(mailbox.id)
            yield mailbox
    if unseen:
        yield from map(Mailbox.from_exchange, ends.mailboxes.by_ids(unseen, CORE_PROPERTIES))


def _again(selection: Selection) -> Selection:
    """What reads as much as the first read did: of many names or members, all mailboxes were read."""
    if selection.kind == "filter":
        return Selection("filter", selection.value, allow_empty=True)
    return Selection("all", None, allow_empty=True)


def failures(plan: Plan, sent: Sent, pending: Mapping[str, Target]) -> Iterator[tuple[Target, HybridError]]:
    """The mailboxes that did not change, with their errors."""
    for key, target in pending.items():
        yield (
            target,
            sent.errors.get(key)
            or Conflict(
                f"Exchange Online accepted the change of {target.name}, but still shows "
                f"IsExchangeCloudManaged {not plan.cloud}.",
                object=target.name,
            ),
        )


def outcomes(plan: Plan, sent: Sent, pending: Mapping[str, Target], artifacts: Artifacts) -> Artifact:
    """What became of each mailbox, as an artifact beside the snapshot."""
    failed = failures(plan, sent, pending)
    with artifacts(f"authority-{plan.authority}-outcomes") as writer:
        for number, target in enumerate(plan.change):
            line: dict[str, Any] = {"id": target.id, "user_principal_name": target.name}
            if target.id in pending:
                _target, error = next(failed)
                kind = "failed" if number < sent.tried else "not_tried"
                line |= {"outcome": kind, **report.failure(target.name, target.id, error)}
            elif target.id in sent.errors:
                line |= {"outcome": "applied_despite_error", "error": sent.errors[target.id].message}
            else:
                line |= {"outcome": "changed"}
            writer.write(line)
    return writer.artifact
