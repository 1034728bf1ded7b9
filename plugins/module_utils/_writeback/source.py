# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The cloud's side: what the selected mailboxes hold, and by which anchor AD knows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute, Values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import WRITEBACK, attribute
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import DirectoryUser, Mailbox
from ansible_collections.hybrid.exchange.plugins.module_utils._run.progress import Progress
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.ports import Mailboxes

_TYPES = frozenset({"type_details", "display_type"})  # follow RecipientTypeDetails, which every mailbox has


@dataclass(frozen=True, slots=True)
class Source:
    """One mailbox as a source of values; ``values`` are in the order of the attributes asked for.

    A value is None where it cannot be stated for AD; ``problem`` says why for the first of them. ``anchor`` is None
    for a user that AD does not know.
    """

    id: str
    name: str
    dir_synced: bool
    cloud_managed: bool
    anchor: bytes | None
    domain: str
    distinguished_name: str
    values: tuple[Values | None, ...]
    problem: str = ""


def attributes_named(names: Sequence[str] | None) -> tuple[Attribute, ...]:
    """The attributes of these names, the written-back ones for None; InputError where one cannot be written."""
    found = {item.ldap_name: item for item in map(attribute, WRITEBACK if names is None else names)}
    if not found:
        raise InputError("attributes is an empty list: name at least one, or leave it out for the written-back ones.")
    refused = [name for name, item in found.items() if not item.directory_writable]
    if refused:
        raise InputError(
            f"These attributes cannot be taken from the cloud: {', '.join(refused)}. They are mastered in Active "
            "Directory, set by the service, or have no value in the cloud that means the same in AD.",
            attributes=refused,
        )
    return tuple(found.values())


def read_sources(
    mailboxes: Mailboxes,
    selection: Selection,
    attributes: Sequence[Attribute],
    *,
    style: str,
    progress: Progress,
) -> list[Source]:
    """All selected mailboxes with their values and anchors."""
    properties = list(dict.fromkeys(item.exchange_property for item in attributes if item.exchange_property))
    progress.start("read mailboxes")
    sources: list[Source] = []
    for mailbox in mailboxes.read(selection, properties):
        sources.append(source_of(mailbox, None, attributes, style))
        progress.advance()
    ids = [source.id for source in sources if source.dir_synced]
    progress.start("read users", len(ids))
    # An empty list of ids asks for nobody, whereas None would ask for everybody.
    users = {} if not ids else mailboxes.users(None if selection.kind == "all" else ids)
    return [_with_user(source, users.get(source.id)) for source in sources]


def _with_user(source: Source, user: DirectoryUser | None) -> Source:
    if user is None:
        return source
    return replace(source, anchor=user.source_anchor, domain=user.domain, distinguished_name=user.distinguished_name)


def source_of(mailbox: Mailbox, user: DirectoryUser | None, attributes: Sequence[Attribute], style: str) -> Source:
    """One mailbox with its values, and with what Entra knows of its user; None for one without a synchronized user."""
    values, problem = _values(mailbox, attributes, style)
    return Source(
        id=mailbox.id,
        name=mailbox.user_principal_name,
        dir_synced=mailbox.dir_synced,
        cloud_managed=mailbox.cloud_managed,
        anchor=user.source_anchor if user else None,
        domain=user.domain if user else "",
        distinguished_name=user.distinguished_name if user else "",
        values=values,
        problem=problem,
    )


def _values(mailbox: Mailbox, attributes: Iterable[Attribute], style: str) -> tuple[tuple[Values | None, ...], str]:
    """The values in the order of the attributes, None for those that cannot be stated, and why for the first."""
    values: list[Values | None] = []
    problem = ""
    for item in attributes:
        name = item.exchange_property
        if name is not None and item.cast not in _TYPES and name not in mailbox.properties:
            # Absent is not empty: taking it for empty would clear the value in AD.
            values.append(None)
            problem = problem or f"Exchange Online did not return its property {name}"
            continue
        try:
            values.append(mailbox.values(item, style))
        except InputError as error:
            values.append(None)
            problem = problem or error.message
    return tuple(values), problem


def elsewhere(source: Source, base_dn: str, domain: str) -> bool:
    """Whether the user, as Entra knows it, lives in another domain or outside of where this run searches."""
    if source.domain and source.domain.casefold() != domain.casefold():
        return True
    name, base = _folded(source.distinguished_name), _folded(base_dn)
    return bool(name) and name != base and not name.endswith(f",{base}")


def _folded(dn: str) -> str:
    """A distinguished name for comparing, whatever its case and the blanks after its commas."""
    return re.sub(r"\s*,\s*", ",", dn.strip()).casefold()
