# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Graph, its users and groups, and the synchronization calls."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud import directory_users
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.synchronization import Synchronization
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Ambiguous,
    InputError,
    NotFound,
    ProtocolError,
    Unavailable,
)
from cloud_fakes import GRAPH, Reply, Sent, Wire, graph, graph_error

ANCHOR = "AAECAwQFBgcICQoLDA0ODw=="


def user(number: int, dn: str = "", **more: object) -> dict[str, object]:
    return {
        "id": f"0000000{number}-0000-4000-8000-000000000000",
        "onPremisesImmutableId": ANCHOR,
        "onPremisesSyncEnabled": True,
        "onPremisesDistinguishedName": dn,
        "onPremisesDomainName": "contoso.lab",
        **more,
    }


def test_pages_are_followed_and_an_expired_link_restarts() -> None:
    wire = Wire(
        (200, {"value": [{"id": "1"}], "@odata.nextLink": f"{GRAPH}/v1.0/users?$skiptoken=a"}),
        (400, graph_error("Directory_ExpiredPageToken", "The page token is expired")),
        (200, {"value": [{"id": "1"}], "@odata.nextLink": f"{GRAPH}/v1.0/users?$skiptoken=b"}),
        (200, {"value": [{"id": "2"}]}),
    )
    assert list(graph(wire).pages("/users")) == [{"id": "1"}, {"id": "2"}]


def test_links_that_keep_expiring_are_an_error() -> None:
    def handler(sent: Sent) -> Reply:
        if "skiptoken" in sent.url:
            return (410, None)
        return (200, {"value": [{"id": "1"}], "@odata.nextLink": f"{GRAPH}/v1.0/users?$skiptoken=a"})

    with pytest.raises(Unavailable, match="interrupted 4 times"):
        list(graph(Wire(handler=handler)).pages("/users"))


def test_an_error_of_the_first_page_is_the_error() -> None:
    with pytest.raises(NotFound):
        list(graph(Wire((404, graph_error("Request_ResourceNotFound", "no")))).pages("/groups/x"))


def test_a_link_to_another_host_is_refused() -> None:
    with pytest.raises(ProtocolError, match="another host"):
        list(graph(Wire((200, {"value": [], "@odata.nextLink": "https://evil.example/"}))).pages("/users"))


def test_a_collection_without_items_is_an_error() -> None:
    with pytest.raises(ProtocolError, match="without a list"):
        list(graph(Wire((200, {"id": "1"}))).pages("/users"))


def test_deleting_what_is_gone_is_no_error() -> None:
    client = graph(Wire((404, None), (204, None)))
    assert client.delete("/applications/1") is False
    assert client.delete("/applications/2") is True


def test_few_users_are_asked_for_by_id() -> None:
    wire = Wire(handler=lambda sent: (200, {"value": [user(1)] if "00000001" in sent.url else []}))
    ids = [f"0000000{number}-0000-4000-8000-00000000000{digit}" for number in range(2) for digit in range(9)]
    found = directory_users.users(graph(wire), [*ids, str(user(1)["id"]).upper()])
    assert list(found) == [user(1)["id"]]
    assert found[str(user(1)["id"])].source_anchor == bytes(range(16))
    assert len(wire.sent) == 2
    query = parse_qs(urlsplit(wire.sent[0].url).query)
    assert query["$filter"][0].startswith("id in ('0000000")
    assert query["$filter"][0].count("'") == 30


def test_all_users_are_read_in_pages() -> None:
    wire = Wire((200, {"value": [user(1), user(2)]}))
    assert len(directory_users.users(graph(wire), None)) == 2
    assert "$top=999" in wire.sent[0].url


def test_an_organizational_unit_takes_what_is_below_it() -> None:
    wire = Wire(
        (
            200,
            {
                "value": [
                    user(1, "CN=Anna,OU=Wave 1,DC=contoso,DC=lab"),
                    user(2, "CN=Ben,ou=Sub, OU=wave 1,dc=Contoso,DC=lab"),
                    user(3, "CN=Not,OU=Xwave 1,DC=contoso,DC=lab"),
                    user(4, ""),
                ]
            },
        )
    )
    found = directory_users.members_below(graph(wire), "OU=Wave 1,DC=contoso,DC=lab")
    assert set(found) == {user(1)["id"], user(2)["id"]}
    with pytest.raises(InputError, match="distinguished name"):
        directory_users.members_below(graph(Wire()), "wave 1")


def test_members_of_a_group_are_users_only() -> None:
    members = [
        {"id": "A", "@odata.type": "#microsoft.graph.user"},
        {"id": "B", "@odata.type": "#microsoft.graph.group"},
        {"id": "C"},
    ]
    wire = Wire((200, {"value": [{"id": "g-1", "displayName": "O'Wave"}]}), (200, {"value": members}))
    found = directory_users.members(graph(wire), "O'Wave")
    assert set(found) == {"a", "c"}
    assert "displayName%20eq%20'O''Wave'" in wire.sent[0].url
    assert wire.sent[1].url.startswith(f"{GRAPH}/v1.0/groups/g-1/transitiveMembers?")


def test_a_group_that_is_missing_or_doubled_is_an_error() -> None:
    with pytest.raises(NotFound, match="no group wave"):
        directory_users.members(graph(Wire((200, {"value": []}))), "wave")
    with pytest.raises(Ambiguous, match="2 groups are named wave"):
        directory_users.members(graph(Wire((200, {"value": [{"id": "1"}, {"id": "2"}]}))), "wave")


def test_provision_on_demand_prefixes_the_id_and_reads_the_json_text() -> None:
    pair = {"key": json.dumps({"result": "Success"}), "value": json.dumps({"provisioningSteps": []})}
    wire = Wire((200, pair))
    answer = Synchronization(graph(wire)).provision_on_demand("sp", "job.1", "rule", "abc")
    assert answer == {"key": {"result": "Success"}, "value": {"provisioningSteps": []}}
    assert wire.sent[0].url == f"{GRAPH}/v1.0/servicePrincipals/sp/synchronization/jobs/job.1/provisionOnDemand"
    assert wire.sent[0].json == {
        "parameters": [{"subjects": [{"objectId": "User_abc", "objectTypeName": "User"}], "ruleId": "rule"}]
    }


def test_a_restart_joins_the_scopes() -> None:
    wire = Wire((204, None), (204, None))
    service = Synchronization(graph(wire))
    service.restart("sp", "job", ["Watermark", "Escrows"])
    service.restart("sp", "job", [])
    assert wire.sent[0].json == {"criteria": {"resetScope": "Watermark, Escrows"}}
    assert wire.sent[1].json == {"criteria": {}}


def test_the_schema_is_put_without_annotations() -> None:
    wire = Wire((204, None))
    Synchronization(graph(wire)).put_schema("sp", "job", {"@odata.context": "x", "directories": [], "id": "1"})
    assert wire.sent[0].json == {"directories": [], "id": "1"}


def test_making_things_is_never_sent_twice() -> None:
    for act in (
        lambda service: service.instantiate("t", "contoso.lab"),
        lambda service: service.create_job("sp", "template"),
    ):
        wire = Wire((504, None), (200, {}))
        with pytest.raises(Unavailable):
            act(Synchronization(graph(wire)))
        assert len(wire.sent) == 1


def test_the_service_time_is_the_date_header() -> None:
    headers = {"Date": "Thu, 27 Aug 2026 12:00:00 GMT"}
    service = Synchronization(graph(Wire((200, {"value": [{"id": "t"}]}, headers))))
    assert service.service_time().isoformat() == "2026-08-27T12:00:00+00:00"
    with pytest.raises(ProtocolError, match="clock is not known"):
        Synchronization(graph(Wire((200, {"value": [{"id": "t"}]})))).service_time()


def owned(state: str, code: str, domain: str = "contoso.lab") -> frozenset[str]:
    job = {
        "id": "job",
        "schedule": {"state": state},
        "status": {"code": code},
        "synchronizationJobSettings": [{"name": "DomainFQDN", "value": "Contoso.lab"}],
    }
    mapping = {"sourceObjectName": "User", "attributeMappings": [{"targetAttributeName": "mail"}]}

    def handler(sent: Sent) -> Reply:
        if sent.url.endswith("/schema"):
            return (200, {"synchronizationRules": [{"objectMappings": [mapping]}]})
        if sent.url.endswith("/jobs"):
            return (200, {"value": [job]})
        return (200, {"value": [{"id": "sp", "displayName": "x"}]})

    return Synchronization(graph(Wire(handler=handler))).owned_targets(domain)


@pytest.mark.parametrize(
    ("state", "code", "targets"),
    [
        ("Active", "Active", {"mail"}),
        ("Active", "Quarantine", {"mail"}),
        ("Disabled", "Paused", set()),
        ("Active", "Paused", set()),
    ],
)
def test_a_running_job_owns_its_targets(state: str, code: str, targets: set[str]) -> None:
    assert owned(state, code) == targets


def test_a_job_of_another_domain_owns_nothing_here() -> None:
    assert owned("Active", "Active", "fabrikam.lab") == frozenset()
