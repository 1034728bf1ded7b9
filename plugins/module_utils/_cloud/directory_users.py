# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Users and groups of the tenant's directory, read from Graph."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.graph import PAGE_SIZE, Graph, literal, segment
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.token import is_guid
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Ambiguous, InputError, NotFound
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import DirectoryUser, Member
from ansible_collections.hybrid.exchange.plugins.module_utils._model.source_anchor import to_base64

USER_SELECT = (
    "id,userPrincipalName,onPremisesImmutableId,onPremisesDistinguishedName,onPremisesDomainName,onPremisesSyncEnabled"
)
BULK_SELECT = "id,onPremisesImmutableId,onPremisesDistinguishedName,onPremisesDomainName,onPremisesSyncEnabled"
MEMBER_SELECT = "id,userPrincipalName,mail"
NEEDS_USERS = "the application permission User.Read.All"
NEEDS_GROUPS = "the application permission GroupMember.Read.All"
# Graph allows 15 values in one "in" filter.
IN_LIMIT = 15
# From here on it costs fewer requests to read all users in pages than to ask for each.
FEW = 1500


def users(graph: Graph, ids: Iterable[str] | None) -> dict[str, DirectoryUser]:
    """Users by object id (lower case); ids None means all. Ids without a user are left out."""
    wanted = None if ids is None else {item.lower() for item in ids}
    rows = _few(graph, sorted(wanted)) if wanted is not None and len(wanted) <= FEW else _all(graph)
    found = (DirectoryUser.from_graph(row) for row in rows if wanted is None or str(row["id"]).lower() in wanted)
    return {user.id: user for user in found}


def anchored(graph: Graph, ids: Iterable[str] | None) -> Iterator[DirectoryUser]:
    """The synchronized users that have a source anchor, one after the other; ids None means all.

    Nothing is kept of them here, so that a large tenant costs no memory.
    """
    wanted = None if ids is None else {item.lower() for item in ids}
    few = wanted is not None and len(wanted) <= FEW
    rows = _few(graph, sorted(wanted or ()), BULK_SELECT) if few else _all(graph, BULK_SELECT)
    for row in rows:
        if not row.get("onPremisesImmutableId") or row.get("onPremisesSyncEnabled") is not True:
            continue
        if wanted is None or str(row["id"]).lower() in wanted:
            yield DirectoryUser.from_graph(row)


def by_anchors(graph: Graph, anchors: Iterable[bytes]) -> Iterator[DirectoryUser]:
    """The synchronized users with these source anchors."""
    remaining = map(to_base64, anchors)
    while chunk := list(islice(remaining, IN_LIMIT)):
        condition = f"onPremisesImmutableId in ({','.join(literal(item) for item in chunk)})"
        rows = graph.pages("/users", {"$filter": condition, "$select": BULK_SELECT}, needs=NEEDS_USERS)
        yield from (user for user in map(DirectoryUser.from_graph, rows) if user.source_anchor is not None)


def members_below(graph: Graph, organizational_unit: str) -> dict[str, Member]:
    """The synchronized users whose AD object is in an organizational unit or below it, by object id."""
    suffix = _folded(organizational_unit)
    if "=" not in suffix:
        raise InputError(f"organizational_unit must be a distinguished name, not {organizational_unit!r}.")
    rows = _all(graph, f"{MEMBER_SELECT},onPremisesDistinguishedName")
    return _by_id(
        row for row in rows if _folded(str(row.get("onPremisesDistinguishedName") or "")).endswith("," + suffix)
    )


def members(graph: Graph, group: str) -> dict[str, Member]:
    """All users in a group and in the groups in it, by object id. group: object id, display name or address.

    Groups, contacts and devices among the members are no users and left out.
    """
    group_id = group if is_guid(group) else _group_id(graph, group)
    query = {"$select": MEMBER_SELECT, "$top": str(PAGE_SIZE)}
    rows = graph.pages(f"/groups/{segment(group_id)}/transitiveMembers", query, needs=NEEDS_GROUPS)
    try:
        return _by_id(row for row in rows if _is_user(row))
    except NotFound as error:
        raise NotFound(f"There is no group {group} in the tenant.", group=group) from error


def _group_id(graph: Graph, group: str) -> str:
    name = literal(group)
    condition = f"mail eq {name}" if "@" in group else f"displayName eq {name}"
    found = list(graph.pages("/groups", {"$filter": condition, "$select": "id,displayName"}, needs=NEEDS_GROUPS))
    if not found:
        raise NotFound(
            f"There is no group {group} in the tenant. Give its display name, address or object id.", group=group
        )
    if len(found) > 1:
        raise Ambiguous(
            f"{len(found)} groups are named {group}. Give the object id of the one that is meant: "
            f"{', '.join(str(row['id']) for row in found[:5])}.",
            group=group,
        )
    return str(found[0]["id"])


def _is_user(row: dict[str, Any]) -> bool:
    return str(row.get("@odata.type", "#microsoft.graph.user")) == "#microsoft.graph.user"


def _by_id(rows: Iterable[dict[str, Any]]) -> dict[str, Member]:
    return {member.id: member for member in map(Member.from_graph, rows)}


def _all(graph: Graph, select: str = USER_SELECT) -> Iterator[dict[str, Any]]:
    return graph.pages("/users", {"$select": select, "$top": str(PAGE_SIZE)}, needs=NEEDS_USERS)


def _few(graph: Graph, ids: list[str], select: str = USER_SELECT) -> Iterator[dict[str, Any]]:
    remaining = iter(ids)
    while chunk := list(islice(remaining, IN_LIMIT)):
        condition = f"id in ({','.join(literal(item) for item in chunk)})"
        yield from graph.pages("/users", {"$filter": condition, "$select": select}, needs=NEEDS_USERS)


def _folded(distinguished_name: str) -> str:
    """A distinguished name for comparing: AD ignores case and blanks around the parts."""
    return re.sub(r"(?<!\\)\s*([,=])\s*", r"\1", distinguished_name.strip()).casefold()
