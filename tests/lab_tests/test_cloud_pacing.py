# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a cmdlet takes, how many run at a time, and what tells that a mailbox changed."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from tests.lab.cloud.exchange import endpoint
from tests.lab_tests.cloud_support import CONTOSO, CloudLab, lab

__all__ = ["lab"]


def test_every_cmdlet_takes_its_time(lab: CloudLab, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(endpoint, "time", SimpleNamespace(sleep=slept.append))
    lab.services.scenario.set({"cmdlet_seconds": "0.3"})
    assert lab.exo("Get-Mailbox").status == 200
    assert lab.batch(*[("Get-Mailbox", {"Identity": "ada"})] * 3).status == 200
    assert slept == [0.3] * 4


def test_more_cmdlets_than_may_run_at_a_time_are_told_to_wait(lab: CloudLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "time", SimpleNamespace(sleep=lambda _seconds: None))
    lab.services.scenario.set({"concurrent_cmdlets": 2, "cmdlet_seconds": 1.5})
    gate = lab.services.cmdlets
    with gate.running(CONTOSO):
        assert lab.exo("Get-Mailbox").status == 200
        with gate.running(CONTOSO):
            refused = lab.exo("Get-Mailbox")
            assert (refused.status, refused.headers["Retry-After"]) == (429, "2")
            assert str(refused.text).startswith("You have reached the maximum number of concurrent requests per tenant")
            part = lab.batch(("Set-Mailbox", {"Identity": "ada", "IsExchangeCloudManaged": True})).content["responses"][
                0
            ]
            assert (part["status"], part["headers"]["Retry-After"]) == (429, "2")
            assert "maximum number of concurrent requests" in part["body"]["error"]["message"]
            assert lab.mailbox("ada")["IsExchangeCloudManaged"] is False
            assert lab.exo("Get-Mailbox", tenant="fabrikam").status == 200
    violations = lab.control("GET", "/state").content["violations"]
    assert violations == []
    assert lab.exo("Get-Mailbox").status == 200
    assert len(lab.control("GET", "/state").content["violations"]) == 1  # the same request, before its time


def test_the_parts_of_a_batch_run_one_after_the_other(lab: CloudLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a client needs as many batches under way as cmdlets may run at a time."""
    lab.services.scenario.set({"concurrent_cmdlets": 2, "cmdlet_seconds": 0.01})
    both, most = threading.Barrier(2, timeout=60), [0]
    running = lab.services.cmdlets._running

    def sleep(_seconds: float) -> None:
        most[0] = max(most[0], running[CONTOSO])
        both.wait()

    token = lab.token("exchange")
    monkeypatch.setattr(lab, "token", lambda *_names, **_more: token)
    monkeypatch.setattr(endpoint, "time", SimpleNamespace(sleep=sleep))
    parts = [("Get-Mailbox", {"Identity": "ada"})] * 5
    with ThreadPoolExecutor(2) as pool:
        replies = list(pool.map(lambda _number: lab.batch(*parts), range(2)))
    assert [part["status"] for reply in replies for part in reply.content["responses"]] == [200] * 10
    assert most == [2]


def test_when_a_mailbox_changed_is_exact_and_can_be_asked_for(lab: CloudLab) -> None:
    lab.services.clock.advance(100)
    before = lab.services.clock.now()
    moment = before.strftime("%Y-%m-%dT%H:%M:%SZ")

    def changed(name: str, operator: str = "-ge", at: str = moment) -> set[str]:
        rows = lab.exo("Get-Mailbox", Filter=f"{name} {operator} '{at}'", ResultSize="Unlimited").content["value"]
        return {row["Alias"] for row in rows}

    assert changed("WhenChangedUTC") == set()
    lab.manage("ada")
    assert changed("WhenChangedUTC") == changed("WhenChanged") == {"ada"}
    stamp = lab.mailbox("ada")["WhenChangedUTC"]
    assert changed("WhenChangedUTC", "-gt", stamp) == set()
    assert changed("WhenChanged", "-eq", stamp) == {"ada"}
    lab.services.clock.advance(10)
    lab.manage("ada")  # the same again: nothing changes, the stamp stays
    assert lab.mailbox("ada")["WhenChangedUTC"] == stamp
    assert lab.exo("Set-Mailbox", Identity="ada", CustomAttribute1="x").status == 200
    assert changed("WhenChangedUTC", "-gt", stamp) == {"ada"}
    again = lab.mailbox("ada")["WhenChangedUTC"]
    assert lab.exo("Set-Mailbox", Identity="ada", CustomAttribute1="x").status == 200
    assert lab.mailbox("ada")["WhenChangedUTC"] == again
    assert changed("WhenChanged", "-lt", moment) == {"bob", "eve"} | (
        {row["Alias"] for row in lab.store.list(CONTOSO, "mailbox")} - {"ada", "bob", "eve"}
    )


def test_users_are_found_by_their_source_anchor(lab: CloudLab) -> None:
    anchors = {"ada": "q83vASNFZ4mrze8BI0VniQ==", "bob": "+/+/ASNFZ4mrze8BI0VniQ=="}
    for alias, anchor in anchors.items():
        user_id = lab.mailbox_id(alias)
        lab.control("PATCH", f"/object/contoso/user/{user_id}", {"onPremisesImmutableId": anchor})

    def found(condition: str) -> list[str]:
        reply = lab.graph("GET", f"/v1.0/users?$filter={quote(condition)}&$select=id,onPremisesImmutableId")
        assert reply.status == 200, reply.content
        return sorted(user["onPremisesImmutableId"] for user in reply.content["value"])

    for anchor in anchors.values():
        assert found(f"onPremisesImmutableId eq '{anchor}'") == [anchor]
    listed = ",".join(f"'{anchor}'" for anchor in anchors.values())
    assert found(f"onPremisesImmutableId in ({listed})") == sorted(anchors.values())
    for count, status in ((15, 200), (16, 400)):
        listed = ",".join(f"'{number}'" for number in range(count))
        reply = lab.graph("GET", f"/v1.0/users?$filter={quote(f'onPremisesImmutableId in ({listed})')}")
        assert reply.status == status
    assert reply.content["error"]["message"].endswith("'OR' operators: 16. Max allowed: 15.")
    path = f"/v1.0/users?$filter={quote(f'onPremisesImmutableId in ({listed})')}&$count=true"
    assert lab.graph("GET", path, consistencylevel="eventual").status == 200
    assert lab.graph("GET", f"{path}&$select={'id,' * 800}id", consistencylevel="eventual").status == 414


def test_the_clock_of_pacing_is_real(lab: CloudLab) -> None:
    lab.services.scenario.set({"cmdlet_seconds": 0.2})
    began = time.monotonic()
    assert lab.exo("Get-Mailbox").status == 200
    assert time.monotonic() - began >= 0.2
