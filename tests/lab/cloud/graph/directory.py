# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, groups, contacts, the organization, and the object-level source of authority."""

from __future__ import annotations

from tests.lab.cloud.context import is_guid
from tests.lab.cloud.graph import query
from tests.lab.cloud.graph.call import Call, no_content
from tests.lab.cloud.wire import Reply
from tests.lab.store import Document

# Collection in the address: kind of the documents, type of the objects.
COLLECTIONS = {"users": ("user", "user"), "groups": ("group", "group"), "contacts": ("contact", "orgContact")}


def list_objects(call: Call, collection: str) -> Reply:
    """GET /users, /groups, /contacts."""
    kind, type_name = COLLECTIONS[collection]
    docs = call.seen(kind, call.services.store.list(call.tenant_id, kind))
    return query.many(call, docs, type_name, collection, directory=True)


def count_objects(call: Call, collection: str) -> Reply:
    """GET /users/$count: a number as plain text."""
    if call.request.headers.get("consistencylevel", "").lower() != "eventual":
        raise call.bad_request("$count is not currently supported without the ConsistencyLevel header.")
    kind, type_name = COLLECTIONS[collection]
    docs = query.filtered(call, call.services.store.list(call.tenant_id, kind), type_name, simple_only=False)
    return Reply(200, text=str(len(docs)), content_type="text/plain")


def get_object(call: Call, collection: str, object_id: str) -> Reply:
    """GET /users/{id or userPrincipalName}, /groups/{id}, /contacts/{id}."""
    kind, type_name = COLLECTIONS[collection]
    [doc] = call.seen(kind, [_found(call, collection, object_id)])
    return query.one(call, doc, type_name, collection)


def _found(call: Call, collection: str, object_id: str) -> Document:
    kind, _type_name = COLLECTIONS[collection]
    doc = call.services.store.get(call.tenant_id, kind, object_id.lower()) if is_guid(object_id) else None
    if doc is None and kind == "user" and "@" in object_id:
        for candidate in call.services.store.search(call.tenant_id, kind, object_id):
            if candidate["userPrincipalName"].lower() == object_id.lower():
                doc = candidate
    if doc is None:
        raise call.not_found(object_id)
    return doc


def members(call: Call, group_id: str) -> Reply:
    """GET /groups/{id}/members."""
    return _member_page(call, _found(call, "groups", group_id).get("_members", []))


def transitive_members(call: Call, group_id: str) -> Reply:
    """GET /groups/{id}/transitiveMembers: members of member groups too, each once."""
    waiting = list(_found(call, "groups", group_id).get("_members", []))
    found: dict[str, None] = {}
    while waiting:
        member = waiting.pop(0)
        if member in found:
            continue
        found[member] = None
        group = call.services.store.get(call.tenant_id, "group", member)
        waiting.extend(group.get("_members", []) if group else [])
    return _member_page(call, list(found))


def _member_page(call: Call, ids: list[str]) -> Reply:
    users = {doc["id"]: doc for doc in call.services.store.list(call.tenant_id, "user")}
    groups = {doc["id"]: doc for doc in call.services.store.list(call.tenant_id, "group")}
    found = [users.get(one) or groups.get(one) for one in ids]
    docs = [doc for doc in found if doc is not None]
    kinds = {**dict.fromkeys(groups, "group"), **dict.fromkeys(users, "user")}
    reply = query.many(call, docs, "user", "directoryObjects", directory=True)
    # Paging and selection are those of users; the type of each row tells what it is.
    for row, doc in zip(reply.content["value"], _page_of(call, docs), strict=True):
        row["@odata.type"] = f"#microsoft.graph.{kinds[doc['id']]}"
    return reply


def _page_of(call: Call, docs: list[Document]) -> list[Document]:
    docs = query.filtered(call, docs, "user", simple_only=False)
    return docs[query.offset(call) : query.offset(call) + query.top(call, directory=True)]


def organization(call: Call) -> Reply:
    """GET /organization."""
    docs = call.seen("organization", call.services.store.list(call.tenant_id, "organization"))
    return query.many(call, docs, "organization", "organization")


def patch_organization(call: Call, organization_id: str) -> Reply:
    """PATCH /organization/{id}: onPremisesSyncEnabled only."""
    doc = call.services.store.get(call.tenant_id, "organization", organization_id)
    if doc is None:
        raise call.not_found(organization_id)
    body = call.body()
    if set(body) != {"onPremisesSyncEnabled"} or not isinstance(body["onPremisesSyncEnabled"], bool):
        raise call.bad_request("Only onPremisesSyncEnabled, true or false, can be changed here.")
    call.services.write(call.tenant_id, "organization", organization_id, doc, {**doc, **body})
    return no_content()


def sync_behavior(call: Call, collection: str, object_id: str) -> Reply:
    """GET .../onPremisesSyncBehavior."""
    doc = _found(call, collection, object_id)
    content = {
        "@odata.context": call.context(f"{collection}('{doc['id']}')/onPremisesSyncBehavior/$entity"),
        "id": doc["id"],
        "isCloudManaged": bool(doc.get("isCloudManaged")),
    }
    return Reply(200, content)


def patch_sync_behavior(call: Call, collection: str, object_id: str) -> Reply:
    """PATCH .../onPremisesSyncBehavior.

    To the cloud: onPremisesSyncEnabled becomes null at once. Back: it stays null until the next run of Connect Sync.
    A mailbox whose user goes to the cloud whole is no synchronized one any more, and loses its flag.
    """
    body = call.body()
    if set(body) != {"isCloudManaged"} or not isinstance(body["isCloudManaged"], bool):
        raise call.bad_request('The body must be {"isCloudManaged": true} or {"isCloudManaged": false}.')
    kind, _type_name = COLLECTIONS[collection]
    store = call.services.store
    with store.transaction():
        doc = _found(call, collection, object_id)
        wanted = body["isCloudManaged"]
        if bool(doc.get("isCloudManaged")) == wanted:
            return no_content()
        if wanted and not doc.get("onPremisesSyncEnabled"):
            raise call.bad_request("The object is not synchronized from an on-premises directory.")
        after = {**doc, "isCloudManaged": wanted, "onPremisesSyncEnabled": None}
        call.services.write(call.tenant_id, kind, doc["id"], doc, after)
        mailbox = store.get(call.tenant_id, "mailbox", doc["id"]) if kind == "user" else None
        if mailbox is not None and wanted:
            changed = {**mailbox, "IsDirSynced": False, "IsExchangeCloudManaged": False}
            call.services.write_mailbox(call.tenant_id, mailbox, changed)
        mail_user = store.get(call.tenant_id, "mailUser", doc["id"]) if kind == "user" else None
        if mail_user is not None and wanted:
            changed = {**mail_user, "IsDirSynced": False}
            call.services.write(call.tenant_id, "mailUser", doc["id"], mail_user, changed)
    return no_content()
