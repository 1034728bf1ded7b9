# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""When mailboxes were last changed in AD, for the quiet time before a transfer.

Microsoft asks to wait one synchronization cycle plus 24 hours after the last change on premises. AD's whenChanged is a
cautious measure: it moves for every change of the object, not for Exchange's attributes only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._authority.ports import HasId
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import ProtocolError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import DirectoryUser
from ansible_collections.hybrid.exchange.plugins.module_utils._run import join

_WHEN_CHANGED = "whenChanged"


class Directory(join.Searchable, Protocol):
    """Searches AD."""

    @property
    def current_time(self) -> datetime:
        """The domain controller's own time."""


class DirectoryChangeTimes:
    """Asks AD, joining by source anchor: mS-DS-ConsistencyGuid where it is set, else objectGUID."""

    def __init__(
        self, directory: Directory, users: Callable[[Iterable[str] | None], Mapping[str, DirectoryUser]]
    ) -> None:
        self._directory = directory
        self._users = users

    def __call__(self, mailboxes: Sequence[HasId]) -> tuple[datetime, Mapping[str, datetime]]:
        """The domain controller's time, and the time of the last change by mailbox id."""
        users = self._users([mailbox.id for mailbox in mailboxes])
        ids = {user.source_anchor: user.id for user in users.values() if user.source_anchor}
        times: dict[str, datetime] = {}
        for anchor, entry in join.find(self._directory, ids.keys(), (_WHEN_CHANGED,), join.ANCHOR_ATTRIBUTES):
            for raw in entry.values.get(_WHEN_CHANGED, ()):
                changed = _generalized_time(raw)
                # Two objects with one anchor: the later change counts, as the cautious one.
                times[ids[anchor]] = max(changed, times.get(ids[anchor], changed))
        return self._directory.current_time, times


def _generalized_time(raw: bytes) -> datetime:
    text = raw.decode("ascii", "replace")
    try:
        return datetime.strptime(text.partition(".")[0].rstrip("Z"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise ProtocolError(f"Active Directory answered {text!r} where a time was expected.") from error
