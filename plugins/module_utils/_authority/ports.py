# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What the use cases of authority need from the far ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol, TypeVar

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import DirectoryUser, Mailbox, Member
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import Artifact
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection


class HasId(Protocol):
    """Something that stands for a mailbox."""

    @property
    def id(self) -> str:
        """The object id of its Entra user."""


Named = TypeVar("Named", bound=HasId)


class MailboxReader(Protocol):
    """Reads mailboxes."""

    def read(self, selection: Selection, properties: Sequence[str]) -> Iterator[Mailbox]:
        """The mailboxes of a selection with these Exchange properties.

        InputError where identities do not exist (fact ``not_found``) or are ambiguous (fact ``ambiguous``), and where
        nothing is selected without allow_empty.
        """

    @property
    def left_out(self) -> Sequence[Member]:
        """The users that the last read, once it ended, selected by group or organizational unit without a mailbox."""


class Mailboxes(MailboxReader, Protocol):
    """Reads and changes mailboxes."""

    def users(self, ids: Iterable[str] | None) -> Mapping[str, DirectoryUser]:
        """The Entra users behind mailboxes, by object id."""

    def set(self, changes: Iterable[tuple[Named, Mapping[str, Any]]]) -> Iterator[tuple[Named, HybridError | None]]:
        """Change mailboxes, in the order given; an error may be reported although the change was applied."""

    def by_ids(self, ids: Iterable[str], properties: Iterable[str]) -> Iterator[Mapping[str, Any]]:
        """Exchange's rows of the mailboxes with these ids, each asked for by itself; mailboxes that are gone are left
        out."""

    def count(self) -> int:
        """How many mailboxes of the tenant are cloud-managed."""


class Exchange(Protocol):
    """Runs cmdlets in Exchange Online."""

    def invoke(self, cmdlet: Cmdlet) -> Iterator[dict[str, Any]]:
        """The rows that a cmdlet returns."""


class Recipients(Protocol):
    """Tells what an identity is that is no mailbox."""

    def __call__(self, identities: Sequence[str]) -> Mapping[str, str]:
        """For each identity, the reason why it has no mailbox in Exchange Online, or nothing if it is unknown."""

    def of_users(self, ids: Sequence[str]) -> Mapping[str, str]:
        """For each user without a mailbox in Exchange Online, the reason, by object id."""

    def ids(self, identities: Sequence[str]) -> Mapping[str, str]:
        """What tells a recipient from all others, for each identity that names exactly one."""


class ChangeTimes(Protocol):
    """Tells when mailboxes were last changed in AD."""

    def __call__(self, mailboxes: Sequence[HasId]) -> tuple[datetime, Mapping[str, datetime]]:
        """The directory's own time, and the time of the last change by mailbox id; ids without an object are left out.

        Both are times of one domain controller, so that no clock difference counts.
        """


class Writer(Protocol):
    """Writes an artifact."""

    def write(self, line: Mapping[str, Any]) -> None:
        """Add one line."""

    @property
    def artifact(self) -> Artifact:
        """The finished artifact."""


class Artifacts(Protocol):
    """Makes artifacts."""

    def __call__(self, name: str) -> AbstractContextManager[Writer]:
        """A writer for an artifact of that name."""


class Progress(Protocol):
    """Shows how far a run is."""

    def start(self, phase: str, total: int | None = None) -> None:
        """Begin a phase."""

    def advance(self, count: int = 1) -> None:
        """Count objects done."""


Sleep = Callable[[float], None]
