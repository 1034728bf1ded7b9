# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The cloud's side: what the selected mailboxes hold, and by which anchor AD knows them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.mapped import Problem
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import WRITEBACK, attribute
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import DirectoryUser, Mailbox
from ansible_collections.hybrid.exchange.plugins.module_utils._run.progress import Progress
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.desired import NO_PROBLEMS, Desired, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.names import below
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.ports import Mailboxes


@dataclass(frozen=True, slots=True)
class Source:
    """One mailbox as a source of values; ``values`` are in the order of the attributes asked for.

    A value is None where it cannot be stated for AD; ``problems`` say why, by attribute. ``anchor`` is None for a user
    that AD does not know.
    """

    id: str
    name: str
    dir_synced: bool
    cloud_managed: bool
    anchor: bytes | None
    domain: str
    distinguished_name: str
    values: tuple[Wanted, ...]
    problems: Mapping[str, Problem] = field(default_factory=lambda: NO_PROBLEMS)

    @property
    def problem(self) -> str:
        """Why the first of the values that cannot be stated cannot."""
        return next((problem.reason for problem in self.problems.values()), "")


def attributes_named(names: Sequence[str] | None, ruled: Collection[str] = ()) -> tuple[Attribute, ...]:
    """The attributes of these names, the written-back ones for None; InputError where one cannot be written.

    ``ruled`` are names of those that get their values from rules: these may be any.
    """
    found = {item.ldap_name: item for item in map(attribute, WRITEBACK if names is None else names)}
    if not found:
        raise InputError("attributes is an empty list: name at least one, or leave it out for the written-back ones.")
    refused = [name for name, item in found.items() if not item.directory_writable and name not in ruled]
    if refused:
        raise InputError(
            f"These attributes cannot be taken from the cloud: {', '.join(refused)}. They are mastered in Active "
            "Directory, set by the service, or have no value in the cloud that means the same in AD.",
            attributes=refused,
        )
    return tuple(found.values())


def read_sources(mailboxes: Mailboxes, selection: Selection, desired: Desired, *, progress: Progress) -> list[Source]:
    """All selected mailboxes with their values and anchors; for few of them."""
    progress.start("read mailboxes")
    found: list[Mailbox] = []
    for mailbox in mailboxes.read(selection, desired.properties):
        found.append(mailbox)
        progress.advance()
    ids = [mailbox.id for mailbox in found if mailbox.dir_synced]
    progress.start("read users", len(ids))
    # An empty list of ids asks for nobody, whereas None would ask for everybody.
    users = {} if not ids else mailboxes.users(None if selection.kind == "all" else ids)
    return [source_of(item, users.get(item.id) if item.dir_synced else None, desired) for item in found]


def source_of(mailbox: Mailbox, user: DirectoryUser | None, desired: Desired) -> Source:
    """One mailbox with its values, and with what Entra knows of its user; None for one without a synchronized user."""
    values, problems = desired.values(mailbox, user)
    return Source(
        id=mailbox.id,
        name=mailbox.user_principal_name,
        dir_synced=mailbox.dir_synced,
        cloud_managed=mailbox.cloud_managed,
        anchor=user.source_anchor if user else None,
        domain=user.domain if user else "",
        distinguished_name=user.distinguished_name if user else "",
        values=values,
        problems=problems,
    )


def elsewhere(source: Source, base_dn: str, domain: str) -> bool:
    """Whether the user, as Entra knows it, lives in another domain or outside of where this run searches."""
    if source.domain and source.domain.casefold() != domain.casefold():
        return True
    return bool(source.distinguished_name) and not below(source.distinguished_name, base_dn)
