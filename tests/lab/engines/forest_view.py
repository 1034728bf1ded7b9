# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Connect Sync reads of a forest in one run: which objects there are, and those that have to be consumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from tests.lab.engines import recipient_types
from tests.lab.engines.anchors import anchor, object_id
from tests.lab.engines.attributes import read_attributes
from tests.lab.engines.directory import Directory, Entry
from tests.lab.engines.ldap_values import any_of, boolean, guid
from tests.lab.forest.access import DirectoryUnavailable

# A contact without an address has no place in Entra, whose contacts all have one.
SYNCED = "(&(|(objectClass=user)(&(objectClass=contact)(mail=*))(objectClass=group))(!(objectClass=computer)))"
_LISTED = [
    "objectClass",
    "objectGUID",
    "mS-DS-ConsistencyGuid",
    "isCriticalSystemObject",
    "sAMAccountName",
    "mailNickname",
    "msExchRecipientTypeDetails",
    "uSNChanged",
]
_BY_FILTER = 40  # more objects than this are cheaper to read with one search for all


@dataclass(frozen=True)
class Conflict:
    """An object that is not exported, because another one has the same source anchor."""

    anchor: str
    dn: str
    kept_dn: str


@dataclass
class ForestView:
    """One reading of a forest. ``kinds`` and ``entries`` go by the cloud object's id."""

    usn: int
    kinds: dict[str, str] = field(default_factory=dict)
    ids_by_dn: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)

    def id_of(self, dn: str) -> str | None:
        """The cloud id of the object at ``dn``, or None when it is not synchronized."""
        return self.ids_by_dn.get(dn.lower())


def kind_of(entry: Entry) -> str:
    """``user``, ``group`` or ``contact`` (inetOrgPerson is a user)."""
    classes = {value.lower() for value in entry.texts("objectClass")}
    return next((kind for kind in ("user", "group") if kind in classes), "contact")


def is_synchronized(entry: Entry) -> bool:
    """Whether Connect's default rules let an object through ("In from AD - User Join", "- Group Join")."""
    critical = entry.first("isCriticalSystemObject")
    if critical is not None and boolean(critical):
        return False
    if (entry.text("mailNickname") or "").startswith("SystemMailbox{"):
        return False
    name = entry.text("sAMAccountName") or ""
    if name == "SUPPORT_388945a0" or name.startswith(("AAD_", "MSOL_")):
        return False
    return not (entry.number("msExchRecipientTypeDetails") or 0) & recipient_types.SYSTEM_DETAILS_MASK


def read_forest(
    directory: Directory,
    tenant_id: str,
    since: int | None,
    wanted: set[str],
    known: set[str],
    exported_guid: Callable[[str], str | None],
) -> ForestView:
    """List the forest and read what a run consumes.

    ``since`` is the uSNChanged of the last run (None: consume everything); objects in ``wanted`` are read whatever
    their uSNChanged, and so are objects not in ``known``. ``exported_guid`` tells which objectGUID stands behind a
    cloud object already, so that a later duplicate of its anchor does not take its place.
    """
    usn = directory.highest_usn()
    if since is not None and usn < since:
        since = None  # another DC, or a rebuilt forest: uSNs of before say nothing
    listed = [entry for entry in directory.search(SYNCED, _LISTED) if is_synchronized(entry)]
    if not listed:
        raise DirectoryUnavailable(
            f"The directory below {directory.base_dn} shows no object to synchronize; nothing was changed in the cloud."
        )
    view = ForestView(usn)
    chosen: dict[str, Entry] = {}
    for identifier, group in _by_object_id(tenant_id, listed).items():
        first, *others = sorted(group, key=partial(_precedence, exported_guid(identifier)))
        chosen[identifier] = first
        view.kinds[identifier] = kind_of(first)
        view.ids_by_dn[first.dn.lower()] = identifier
        view.conflicts.extend(Conflict(anchor(first), other.dn, first.dn) for other in others)
    due = {
        identifier
        for identifier, entry in chosen.items()
        if since is None or identifier in wanted or identifier not in known or (entry.number("uSNChanged") or 0) > since
    }
    by_guid = {chosen[identifier].first("objectGUID"): identifier for identifier in due}
    for entry in _read(directory, [raw for raw in by_guid if raw]):
        found = by_guid.get(entry.first("objectGUID"))
        if found is not None:
            view.entries[found] = entry
    return view


def _by_object_id(tenant_id: str, listed: list[Entry]) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in listed:
        groups.setdefault(object_id(tenant_id, anchor(entry)), []).append(entry)
    return groups


def _precedence(exported: str | None, entry: Entry) -> tuple[bool, str]:
    """Of objects with one anchor, the one that is exported already comes first, then go by account name."""
    return guid(entry.first("objectGUID") or b"") != exported, (entry.text("sAMAccountName") or entry.dn).lower()


def _read(directory: Directory, guids: list[bytes]) -> list[Entry]:
    if not guids:
        return []
    search_filter = any_of("objectGUID", guids) if len(guids) <= _BY_FILTER else SYNCED
    return directory.search(search_filter, read_attributes())
