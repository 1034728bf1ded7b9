# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What this use case needs of the far ends."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import DirectoryUser, Mailbox, Member
from ansible_collections.hybrid.exchange.plugins.module_utils._run.join import Entry
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection

K = TypeVar("K")


class Mailboxes(Protocol):
    """The mailboxes of the tenant and the Entra users behind them."""

    def read(self, selection: Selection, properties: Sequence[str]) -> Iterator[Mailbox]:
        """The selected mailboxes with these Exchange properties; InputError where none is selected that should be."""

    @property
    def left_out(self) -> Sequence[Member]:
        """The users that the last read, once it ended, selected by group or organizational unit without a mailbox."""

    def member_ids(self, group: str) -> Collection[str]:
        """The object ids of the users in a group of Entra and in the groups in it; NotFound where there is none."""

    def users(self, ids: Sequence[str] | None = None) -> Mapping[str, DirectoryUser]:
        """The users with these object ids, by object id; all synchronized users for None."""


class Ownership(Protocol):
    """Who else writes to the directory."""

    def owned_targets(self, domain: str) -> frozenset[str]:
        """The AD attributes that a running Cloud Sync job writes in this domain; empty where no job runs."""


class Modification(Protocol):
    """One step of a change: ``op`` is add or delete."""

    @property
    def op(self) -> str: ...
    @property
    def attribute(self) -> str: ...
    @property
    def values(self) -> Sequence[bytes]: ...


class GlobalCatalog(Protocol):
    """What the global catalog knows: some attributes of all objects of the forest."""

    @property
    def base_dn(self) -> str: ...

    def search(self, base: str, filter_text: str, attributes: Sequence[str], /) -> Iterator[Entry]:
        """All objects that fit, each once."""

    def close(self) -> None:
        """Sign off."""


class Directory(Protocol):
    """Active Directory: one server, the same one for the whole run."""

    @property
    def host(self) -> str: ...
    @property
    def base_dn(self) -> str: ...
    @property
    def domain(self) -> str: ...

    def search(self, base: str, filter_text: str, attributes: Sequence[str], scope: str = "subtree") -> Iterator[Entry]:
        """All objects that fit, whole, each once."""

    def modify(self, dn: str, changes: Sequence[Modification]) -> None:
        """Apply all changes to one object or none. Unavailable with the fact ``applied: unknown`` where the
        connection broke so that nobody knows."""

    def modify_many(
        self, requests: Iterable[tuple[K, str, Sequence[Modification]]]
    ) -> Iterator[tuple[K, HybridError | None]]:
        """Several requests in flight; each answered once, in any order, with an error as of ``modify``. Takes requests
        only as far as it may send them. Unavailable after all that is known where the server stays away."""

    def global_catalog(self) -> GlobalCatalog | None:
        """The global catalog of the forest; None where it is turned off."""
