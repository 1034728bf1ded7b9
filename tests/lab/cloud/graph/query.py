# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Query options of Graph: ``$select``, ``$filter``, ``$orderby``, ``$top``, ``$count``, ``$skiptoken``."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import quote

from tests.lab.cloud import reference
from tests.lab.cloud.graph.call import Call
from tests.lab.cloud.graph.csdl import shown
from tests.lab.cloud.graph.filters import BadFilter, Filter
from tests.lab.cloud.wire import Reply
from tests.lab.store import Document

DEFAULT_TOP = 100
MAXIMUM_TOP = 999
# Microsoft Graph, known issues, query parameters: values of an "in"; characters of an advanced query's address.
MOST_ALTERNATIVES = 15
LONGEST_ADVANCED_URL = 2048
_OPTIONS = ("$select", "$filter", "$orderby", "$top", "$count", "$skiptoken", "$expand")
# What Graph gives of a type when nothing is selected; other types are given whole.
DEFAULT_PROPERTIES: dict[str, tuple[str, ...]] = {
    "user": ("id", "displayName", "givenName", "mail", "surname", "userPrincipalName"),
}


def checked_options(call: Call, expandable: tuple[str, ...] = ()) -> None:
    """Refuse query options that Graph does not have, or that the lab does not know for this address."""
    for name in call.request.query:
        if name.startswith("$") and name not in _OPTIONS:
            raise call.bad_request(f"The query option '{name}' is not supported here.")
    expand = call.request.query.get("$expand")
    if expand is not None and any(part not in (*expandable, "*") for part in expand.split(",")):
        raise call.bad_request(f"Parsing OData Select and Expand failed: '{expand}' can't be expanded here.")


def selected(call: Call, type_name: str) -> list[str] | None:
    """The properties asked for, in their order; None when all (or the default ones) are wanted."""
    raw = call.request.query.get("$select")
    if raw is None:
        return None
    names = [name.strip() for name in raw.split(",") if name.strip()]
    known = {name.lower(): name for name in reference.graph_properties(type_name, call.version)}
    for name in names:
        if name.lower() not in known:
            raise call.bad_request(
                "Parsing OData Select and Expand failed: Could not find a property named "
                f"'{name}' on type 'microsoft.graph.{type_name}'."
            )
    return [known[name.lower()] for name in names]


def row(call: Call, doc: Document, type_name: str) -> Document:
    """One object as an answer shows it: its type's properties, as selected; absent ones are null."""
    names = selected(call, type_name)
    full: Document = shown(doc, type_name, call.version)
    if names is None:
        default = DEFAULT_PROPERTIES.get(type_name)
        return full if default is None else {name: full.get(name) for name in default}
    return {name: full.get(name) for name in dict.fromkeys(["id", *names] if "id" in names else names)}


def one(call: Call, doc: Document, type_name: str, context: str, expandable: tuple[str, ...] = ()) -> Reply:
    """200 with one object."""
    checked_options(call, expandable)
    return Reply(200, {"@odata.context": call.context(f"{context}/$entity"), **row(call, doc, type_name)})


def many(
    call: Call,
    docs: list[Document],
    type_name: str,
    context: str,
    directory: bool = False,
    order: tuple[str, bool] | None = None,
    expandable: tuple[str, ...] = (),
) -> Reply:
    """200 with one page of objects, filtered and in order.

    ``directory``: the objects are directory objects, whose advanced queries need ConsistencyLevel and $count.
    ``order``: property and whether descending, where the client does not say.
    """
    checked_options(call, expandable)
    query = call.request.query
    eventual = call.request.headers.get("consistencylevel", "").lower() == "eventual"
    counted = query.get("$count", "false").lower() == "true"
    advanced = eventual and counted
    if directory and advanced and len(_url(call)) > LONGEST_ADVANCED_URL:
        raise call.refuse(414, "UriTooLong", f"An advanced query takes {LONGEST_ADVANCED_URL} characters at most.")
    docs = filtered(call, docs, type_name, directory and not advanced)
    docs = _ordered(call, docs, type_name, order)
    begin, size = offset(call), top(call, directory)
    page = docs[begin : begin + size]
    content: dict[str, Any] = {"@odata.context": call.context(context)}
    if counted and (eventual or not directory):
        content["@odata.count"] = len(docs)
    if begin + size < len(docs):
        content["@odata.nextLink"] = _next_link(call, begin + size)
    content["value"] = [row(call, doc, type_name) for doc in page]
    return Reply(200, content)


def filtered(call: Call, docs: list[Document], type_name: str, simple_only: bool) -> list[Document]:
    """The documents that $filter lets through; ``simple_only`` refuses what only advanced queries may ask."""
    text = call.request.query.get("$filter")
    if text is None:
        return docs
    try:
        found = Filter(text, set(reference.graph_properties(type_name, call.version)), type_name)
    except BadFilter as error:
        raise call.bad_request(str(error)) from error
    if found.advanced and simple_only:
        raise call.refuse(400, "Request_UnsupportedQuery", "Operator is not supported. Use the ConsistencyLevel header "
                          "with the value eventual, and $count=true.")  # fmt: skip
    if found.alternatives > MOST_ALTERNATIVES and simple_only:
        text = "Too many child clauses specified in search filter expression containing 'OR' operators"
        raise call.refuse(
            400, "Request_UnsupportedQuery", f"{text}: {found.alternatives}. Max allowed: {MOST_ALTERNATIVES}."
        )
    return [doc for doc in docs if found.matches(doc)]


def _url(call: Call) -> str:
    return f"{call.request.base}{call.request.path}?{call.request.query_string}"


def _ordered(call: Call, docs: list[Document], type_name: str, order: tuple[str, bool] | None) -> list[Document]:
    raw = call.request.query.get("$orderby")
    if raw is not None:
        name, _space, direction = raw.strip().partition(" ")
        if name not in reference.graph_properties(type_name, call.version) or direction not in ("", "asc", "desc"):
            raise call.bad_request(f"Invalid $orderby '{raw}' on type 'microsoft.graph.{type_name}'.")
        order = (name, direction == "desc")
    if order is None:
        return docs
    return sorted(docs, key=lambda doc: str(doc.get(order[0]) or ""), reverse=order[1])


def top(call: Call, directory: bool) -> int:
    """Rows of a page; of directory objects never more than the switch ``graph_page_size``."""
    most = int(call.services.scenario["graph_page_size"]) if directory else MAXIMUM_TOP
    raw = call.request.query.get("$top")
    if raw is None:
        return min(DEFAULT_TOP, most)
    if not raw.isdigit() or not 1 <= int(raw) <= MAXIMUM_TOP:
        raise call.bad_request(f"Invalid page size specified: '{raw}'. Must be between 1 and {MAXIMUM_TOP} inclusive.")
    return min(int(raw), most)


def offset(call: Call) -> int:
    """How many rows go before this page."""
    token = call.request.query.get("$skiptoken")
    if token is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4)).decode()
        return int(text.removeprefix("lab:"))
    except (ValueError, binascii.Error, UnicodeError) as error:
        raise call.refuse(400, "Directory_ExpiredPageToken", "The page token is not valid.") from error


def _next_link(call: Call, offset: int) -> str:
    token = base64.urlsafe_b64encode(f"lab:{offset}".encode()).rstrip(b"=").decode()
    kept = [
        f"{name}={quote(value, safe=chr(39) + '(),/')}"
        for name, value in call.request.query.items()
        if name != "$skiptoken"
    ]
    return f"{call.request.base}{quote(call.request.path)}?{'&'.join([*kept, f'$skiptoken={token}'])}"
