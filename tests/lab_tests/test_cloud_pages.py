# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages that the services keep small, and links to the next page that expire on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.lab.cloud.wire import Reply
from tests.lab_tests.cloud_support import CONTOSO, CloudLab, lab

__all__ = ["lab"]

Fetch = Callable[[str | None], Reply]


def exchange(lab: CloudLab, cmdlet: str = "Get-Mailbox", prefer: str = "odata.maxpagesize=1000") -> Fetch:
    body = {"CmdletInput": {"CmdletName": cmdlet, "Parameters": {"ResultSize": "Unlimited"}}}

    def fetch(link: str | None) -> Reply:
        query = "?" + link.partition("?")[2] if link else ""
        return lab.exo_raw(body, query=query, headers={"Prefer": prefer} if prefer else None)

    return fetch


def graph(lab: CloudLab, path: str) -> Fetch:
    return lambda link: lab.graph("GET", link.removeprefix(lab.services.urls["graph"]) if link else path)


def sizes(fetch: Fetch) -> list[int]:
    """Rows of each page; fails on a refused page."""
    found, link = [], None
    while True:
        reply = fetch(link)
        assert reply.status == 200, reply.content
        found.append(len(reply.content["value"]))
        link = reply.content.get("@odata.nextLink")
        if link is None:
            return found


def group_of_everyone(lab: CloudLab) -> str:
    group_id = "99999999-0000-4000-8000-000000000001"
    members = [user["id"] for user in lab.store.list(CONTOSO, "user")]
    lab.store.put(CONTOSO, "group", group_id, {"id": group_id, "displayName": "all", "_members": members})
    return group_id


def test_exchange_keeps_its_pages_small_whatever_the_client_prefers(lab: CloudLab) -> None:
    assert sizes(exchange(lab)) == [9]
    lab.services.scenario.set({"top_page_size": 4})
    assert sizes(exchange(lab)) == [4, 4, 1]
    assert sizes(exchange(lab, prefer="")) == [4, 4, 1]
    assert sizes(exchange(lab, "Get-User")) == [4, 4, 1]
    assert sizes(exchange(lab, prefer="odata.maxpagesize=2")) == [2, 2, 2, 2, 1]


def test_a_link_out_of_a_batch_is_followed_alone_however_the_body_is_spelled(lab: CloudLab) -> None:
    lab.services.scenario.set({"top_page_size": 5})
    [part] = lab.batch(("Get-Mailbox", {"ResultSize": "Unlimited"})).content["responses"]
    assert len(part["body"]["value"]) == 5
    query = "?" + part["body"]["@odata.nextLink"].partition("?")[2]
    spelled = b'{"CmdletInput":{"Parameters":{"ResultSize":"Unlimited"},"CmdletName":"Get-Mailbox"}}'
    assert len(lab.exo_raw(spelled, query=query).content["value"]) == 4


def test_graph_keeps_pages_of_directory_objects_small(lab: CloudLab) -> None:
    group = f"/v1.0/groups/{group_of_everyone(lab)}"
    paths = ("/v1.0/users", "/v1.0/users?$top=999", f"{group}/members", f"{group}/transitiveMembers?$top=999")
    for path in paths:
        assert sizes(graph(lab, path)) == [9]
    lab.services.scenario.set({"graph_page_size": 4})
    for path in paths:
        assert sizes(graph(lab, path)) == [4, 4, 1]
    assert sizes(graph(lab, f"{group}/members?$top=5")) == [4, 4, 1]
    assert sizes(graph(lab, "/v1.0/users?$top=3")) == [3, 3, 3]
    assert lab.graph("GET", "/v1.0/users?$top=1000").status == 400


@pytest.mark.parametrize("target", ["exchange", "graph"])
def test_the_link_to_the_second_page_expires_and_the_client_starts_again(lab: CloudLab, target: str) -> None:
    lab.services.scenario.set({"top_page_size": 4, "graph_page_size": 4})
    fetch = exchange(lab) if target == "exchange" else graph(lab, "/v1.0/users?$top=999")
    fault = {"kind": "expired_next_link", "target": target}
    assert lab.control("POST", "/faults", fault).status == 200
    first = fetch(None)
    assert first.status == 200, "a first page has no link that could have expired"
    second = fetch(first.content["@odata.nextLink"])
    assert second.status == 400
    assert "expired" in second.content["error"]["message"]
    assert "@odata.nextLink" not in second.content
    assert sizes(fetch) == [4, 4, 1]
    assert [entry["fault"] for entry in lab.store.requests() if entry["fault"]] == ["expired_next_link"]


def test_a_link_that_a_batch_follows_expires_in_its_part_only(lab: CloudLab) -> None:
    lab.services.scenario.set({"top_page_size": 4})
    first = exchange(lab)(None)
    fault = {"kind": "expired_next_link", "target": "exchange", "match": {"cmdlet": "Get-Mailbox"}}
    assert lab.control("POST", "/faults", fault).status == 200
    body = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"ResultSize": "Unlimited"}}}
    parts: list[dict[str, Any]] = [
        {"id": "1", "method": "POST", "url": f"/adminapi/beta/{CONTOSO}/InvokeCommand", "body": body},
        {"id": "2", "method": "POST", "url": first.content["@odata.nextLink"], "body": body},
    ]
    token = f"Bearer {lab.token('exchange')}"
    path = f"/adminapi/beta/{CONTOSO}/$batch"
    prefer = "odata.continue-on-error"
    reply = lab.send("exchange", "POST", path, {"requests": parts}, authorization=token, prefer=prefer)
    assert [part["status"] for part in reply.content["responses"]] == [200, 400]
    again = lab.send("exchange", "POST", path, {"requests": parts}, authorization=token, prefer=prefer)
    assert [part["status"] for part in again.content["responses"]] == [200, 200]
