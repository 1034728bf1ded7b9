# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNSSEC of domains and the message trace of Exchange Online."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab import hybrid_facts as facts
from tests.lab.exchange_server.exchange import ID, KIND
from tests.lab_tests.cloud_support import CONTOSO, CloudLab, error_text, lab
from tests.lab_tests.hybrid_support import rows

__all__ = ["lab"]


def status(lab: CloudLab, domain: str = "contoso.lab", **parameters: Any) -> dict[str, Any]:
    [found] = rows(lab, "Get-DnssecStatusForVerifiedDomain", DomainName=domain, **parameters)
    return found


def test_the_mx_name_of_dnssec_is_told_and_compared_with_dns(lab: CloudLab) -> None:
    before = status(lab)
    expected = before["ExpectedMxRecord"]["Record"]
    assert expected.endswith("-v1.mx.microsoft")
    assert (before["DnssecFeatureStatus"], before["MxValidation"]["Status"]) == ("Enabled", "Invalid")
    assert lab.control("PATCH", "/dns/contoso", {"at_exchange_online": True}).status == 200
    after = status(lab)
    assert (after["MxValidation"]["Status"], after["MxValidation"]["ActualMxRecords"]) == ("Valid", [expected])
    assert status(lab, SkipMxValidation=True)["MxValidation"] is None


def test_a_domain_gets_its_name_when_dnssec_is_enabled(lab: CloudLab) -> None:
    domain = {"tenant": "fabrikam", "DomainName": "fabrikam.lab"}
    [before] = rows(lab, "Get-DnssecStatusForVerifiedDomain", **domain)
    assert (before["DnssecFeatureStatus"], before["ExpectedMxRecord"]) == ("Disabled", None)
    assert rows(lab, "Enable-DnssecForVerifiedDomain", WhatIf=True, **domain)
    assert rows(lab, "Get-DnssecStatusForVerifiedDomain", **domain) == [before]
    [made] = rows(lab, "Enable-DnssecForVerifiedDomain", **domain)
    [after] = rows(lab, "Get-DnssecStatusForVerifiedDomain", **domain)
    assert after["ExpectedMxRecord"]["Record"].endswith(made["DnssecMxValue"])


def test_inner_objects_may_travel_as_the_names_of_their_types(lab: CloudLab) -> None:
    lab.services.scenario.set({"dnssec_objects": "names"})
    assert status(lab)["MxValidation"].endswith(".MxValidationResult")


def test_a_domain_that_the_tenant_does_not_have(lab: CloudLab) -> None:
    assert lab.exo("Get-DnssecStatusForVerifiedDomain", DomainName="fabrikam.lab").status == 404
    assert lab.exo("Get-DnssecStatusForVerifiedDomain").status == 400


# -- the trace -----------------------------------------------------------------------------------------------------


def trace(lab: CloudLab, **parameters: Any) -> list[dict[str, Any]]:
    return rows(lab, "Get-MessageTraceV2", **parameters)


def test_two_days_newest_first(lab: CloudLab) -> None:
    found = trace(lab)
    received = [one["Received"] for one in found]
    assert received == sorted(received, reverse=True)
    assert 35 <= len(found) <= 45
    assert {one["FromIP"] for one in found} == {facts.public_address("contoso"), "198.51.100.20"}
    assert trace(lab) == found
    assert trace(lab, ResultSize=3) == found[:3]


def test_relay_ends_when_devices_stop(lab: CloudLab) -> None:
    now = lab.services.clock.timestamp()
    lab.store.put(CONTOSO, KIND, ID, {"relayStoppedAt": now})
    lab.services.clock.advance(14 * 86_400)
    relayed = {"FromIP": facts.public_address("contoso")}
    assert trace(lab, **relayed) == []
    assert trace(lab) != []


def test_filters(lab: CloudLab) -> None:
    everything = trace(lab)
    for parameters in (
        {"SenderAddress": ["*@contoso.lab"]},
        {"SenderAddress": ["news@northwind.example"]},
        {"Subject": "Invoice", "SubjectFilterType": "StartsWith"},
        {"RecipientAddress": ["INFO@contoso.onmicrosoft.com"]},
        {"MessageTraceId": everything[0]["MessageTraceId"]},
    ):
        assert 0 < len(trace(lab, **parameters)) < len(everything), parameters
    assert trace(lab, Status=["Failed"]) == []
    assert trace(lab, Subject="Invoice", SubjectFilterType="EndsWith") == []


def test_the_next_rows_come_by_the_last_ones_time_and_recipient(lab: CloudLab) -> None:
    everything = trace(lab)
    last = everything[4]
    rest = trace(
        lab,
        StartDate=everything[-1]["Received"],
        EndDate=last["Received"],
        StartingRecipientAddress=last["RecipientAddress"],
    )
    assert rest == everything[5:]


@pytest.mark.parametrize(
    ("days", "text"), [((12.0, 0.0), "10 days"), ((95.0, 90.0), "90 days"), ((1.0, 2.0), "before EndDate")]
)
def test_limits(lab: CloudLab, days: tuple[float, float], text: str) -> None:
    now = lab.services.clock.now()
    start, end = (now.fromtimestamp(now.timestamp() - one * 86_400, now.tzinfo).isoformat() for one in days)
    assert text in error_text(lab.exo("Get-MessageTraceV2", StartDate=start, EndDate=end))
    assert "5000" in error_text(lab.exo("Get-MessageTraceV2", ResultSize=5001))
