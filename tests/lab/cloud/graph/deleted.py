# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deleted applications and service principals: thirty days in the directory's bin, to be restored or removed.

A restored application brings back the service principal that went with it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.lab.clock import iso
from tests.lab.cloud.graph import query
from tests.lab.cloud.graph.call import Call, no_content
from tests.lab.cloud.graph.csdl import shown
from tests.lab.cloud.wire import Reply
from tests.lab.store import Document

KIND = "deletedItem"
TYPES = {"application": "application", "serviceprincipal": "servicePrincipal"}
KEPT = timedelta(days=30)


def keep(call: Call, kind: str, doc: Document, gone_with: str = "") -> None:
    """Put a removed object into the bin; ``gone_with``: the id of the object whose removal took it along."""
    kept = {"id": doc["id"], "_kind": kind, "_doc": doc, "_with": gone_with, "_at": iso(call.services.clock.now())}
    call.services.store.put(call.tenant_id, KIND, doc["id"], kept)


def _there(call: Call) -> list[Document]:
    now = call.services.clock.now()
    return [
        one for one in call.services.store.list(call.tenant_id, KIND) if now - datetime.fromisoformat(one["_at"]) < KEPT
    ]


def _visible(one: Document) -> Document:
    return {**one["_doc"], "deletedDateTime": one["_at"]}


def list_items(call: Call, type_name: str) -> Reply:
    """GET /directory/deletedItems/microsoft.graph.application, or .servicePrincipal."""
    proper = TYPES.get(type_name.lower())
    if proper is None:
        raise call.bad_request(f"The type 'microsoft.graph.{type_name}' is not supported here.")
    docs = [_visible(one) for one in _there(call) if one["_kind"] == proper]
    return query.many(call, docs, proper, "directoryObjects", directory=True)


def _one(call: Call, object_id: str) -> Document:
    for one in _there(call):
        if one["id"] == object_id.lower():
            return one
    raise call.not_found(object_id)


def get_item(call: Call, object_id: str) -> Reply:
    """GET /directory/deletedItems/{id}."""
    return Reply(200, _content(call, _one(call, object_id)))


def _content(call: Call, one: Document) -> dict[str, Any]:
    context = {"@odata.context": call.context("directoryObjects/$entity")}
    kind = {"@odata.type": f"#microsoft.graph.{one['_kind']}"}
    return {**context, **kind, **shown(_visible(one), one["_kind"], call.version)}


def restore_item(call: Call, object_id: str) -> Reply:
    """POST /directory/deletedItems/{id}/restore."""
    store = call.services.store
    with store.transaction():
        one = _one(call, object_id)
        for other in [one, *(other for other in _there(call) if other["_with"] == one["id"])]:
            store.put(call.tenant_id, other["_kind"], other["id"], other["_doc"])
            store.delete(call.tenant_id, KIND, other["id"])
    content = _content(call, one)
    content["deletedDateTime"] = None
    return Reply(200, content)


def remove_item(call: Call, object_id: str) -> Reply:
    """DELETE /directory/deletedItems/{id}: for good."""
    with call.services.store.transaction():
        call.services.store.delete(call.tenant_id, KIND, _one(call, object_id)["id"])
    return no_content()
