# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""InvokeCommand and $batch: envelope, binding, roles, paging, filters, reading cmdlets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.cloud.exchange import errors, opath
from tests.lab.cloud.wire import Refused
from tests.lab_tests.cloud_support import CONTOSO, FABRIKAM, CloudLab, error_text, exception, lab

__all__ = ["lab"]

GET = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"ResultSize": "Unlimited"}}}
ALL_ALIASES = {"ada", "bob", "eve", "cloud.admin", "zoe.cloud", "info", "press", "room.sky", "beamer1"}


def test_the_envelope_and_its_headers(lab: CloudLab) -> None:
    reply = lab.exo_raw(GET, headers={"X-CmdletName": "get-mailbox", "X-AnchorMailbox": "APP:x"})
    assert reply.status == 200
    assert reply.content["@odata.context"].endswith(
        f"/adminapi/beta/{CONTOSO}/$metadata#Collection(Exchange.GenericHashTable)"
    )
    assert {row["Alias"] for row in reply.content["value"]} == ALL_ALIASES
    assert not [name for row in reply.content["value"] for name in row if name.startswith("_")]
    assert {"Rate-Limit-Remaining", "Rate-Limit-Reset", "Date"} <= set(reply.headers)
    assert lab.exo_raw(GET, headers={"X-CmdletName": "Set-Mailbox"}).status == 400


@pytest.mark.parametrize("body", [b"{", [], {}, {"CmdletInput": {}}, {"CmdletInput": {"CmdletName": 1}},
                                  {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": []}}])  # fmt: skip
def test_a_broken_envelope_is_refused(lab: CloudLab, body: Any) -> None:
    assert lab.exo_raw(body).status == 400


def test_addresses_methods_and_types_of_content(lab: CloudLab) -> None:
    token = f"Bearer {lab.token('exchange')}"
    path = f"/adminapi/beta/{CONTOSO}/InvokeCommand"
    assert lab.send("exchange", "POST", path, GET).status == 401
    assert "WWW-Authenticate" in lab.send("exchange", "POST", path, GET, authorization="Bearer x").headers
    graph_token = f"Bearer {lab.token('graph')}"
    assert lab.send("exchange", "POST", path, GET, authorization=graph_token).status == 401
    assert lab.send("exchange", "GET", path, authorization=token).status == 405
    assert (
        lab.send("exchange", "POST", f"/adminapi/v3.0/{CONTOSO}/InvokeCommand", GET, authorization=token).status == 404
    )
    assert lab.send("exchange", "POST", path.replace("beta", "v1.0"), GET, authorization=token).status == 200
    other = path.replace(CONTOSO, FABRIKAM)
    assert lab.send("exchange", "POST", other, GET, authorization=token).status == 403
    assert lab.send("exchange", "POST", path, GET, authorization=token, content_type="text/plain").status == 415


def test_without_the_app_role_or_a_directory_role_there_is_no_entry(lab: CloudLab) -> None:
    path = f"/adminapi/beta/{CONTOSO}/InvokeCommand"
    token = f"Bearer {lab.token('exchange', 'limited_application')}"
    reply = lab.send("exchange", "POST", path, GET, authorization=token)
    assert reply.status == 403
    assert "isn't supported in this scenario" in error_text(reply)
    application = next(doc for doc in lab.store.list(CONTOSO, "application") if doc["displayName"] == "application")
    lab.store.put(CONTOSO, "application", application["id"], {**application, "_wids": []})
    assert lab.exo("Get-Mailbox").status == 403
    recipient_administrator = {**application, "_wids": ["31392ffb-586c-42d1-9346-e59415a2cc4e"]}
    lab.store.put(CONTOSO, "application", application["id"], recipient_administrator)
    assert lab.exo("Get-Mailbox").status == 200
    assert exception(lab.exo("Set-OrganizationConfig", WhatIf=True)) == "CommandNotFoundException"


@pytest.mark.parametrize(
    ("cmdlet", "parameters", "status", "kind"),
    [
        ("Get-Nothing", {}, 404, "CommandNotFoundException"),
        ("Get-Mailbox", {"RecipientTypeDetails": "User"}, 400, "ParameterBindingException"),
        ("Get-RemoteMailbox", {}, 404, "CommandNotFoundException"),  # on premises only
        ("Get-Mailbox", {"Nothing": 1}, 400, "ParameterBindingException"),
        ("Get-Mailbox", {"Server": "x"}, 400, "ParameterBindingException"),  # on premises only
        ("Get-Mailbox", {"Identity": 5}, 400, "ParameterBindingException"),
        ("Get-Mailbox", {"ResultSize": "many"}, 400, "ParameterBindingException"),
        ("Get-Mailbox", {"RecipientTypeDetails": ["Nothing"]}, 400, "ParameterBindingException"),
        ("Get-Mailbox", {"Identity": "nobody"}, 404, "ManagementObjectNotFoundException"),
        ("Get-Mailbox", {"Filter": "Alias -eq"}, 400, "ParsingException"),
        ("Get-Mailbox", {"Filter": "IsExchangeCloudManaged -eq 'True'"}, 400, "ParsingException"),
        ("Get-Mailbox", {"Archive": True}, 501, "NotImplementedException"),
        ("Get-ManagementRole", {}, 501, "NotImplementedException"),
        ("Set-Mailbox", {"CustomAttribute1": "x"}, 400, "ParameterBindingException"),
        ("Set-Mailbox", {"Identity": "ada", "IsExchangeCloudManaged": "True"}, 400, "ParameterBindingException"),
        ("Set-Mailbox", {"Identity": "ada", "EmailAddresses": {"Add": ["x@y.z"]}}, 400, "ParameterBindingException"),
        ("Set-Mailbox", {"Identity": "ada", "Type": "Round"}, 400, "ParameterBindingException"),
        ("Set-Mailbox", {"Identity": "ada", "LitigationHoldDate": "soon"}, 400, "ParameterBindingException"),
    ],
)
def test_refusals(lab: CloudLab, cmdlet: str, parameters: dict[str, Any], status: int, kind: str) -> None:
    before = lab.store.list(CONTOSO, "mailbox")
    reply = lab.exo(cmdlet, **parameters)
    assert (reply.status, exception(reply)) == (status, kind)
    assert reply.headers["X-ExceptionType"] == kind
    assert lab.store.list(CONTOSO, "mailbox") == before


def test_select_gives_only_what_was_asked_for(lab: CloudLab) -> None:
    reply = lab.exo("Get-Mailbox", Identity="ada", query="?$select=userprincipalname,IsDirSynced,NoSuchProperty")
    assert reply.content["value"] == [{"UserPrincipalName": "ada@contoso.lab", "IsDirSynced": True}]


def test_pages_follow_the_link_with_the_same_body(lab: CloudLab) -> None:
    seen: list[str] = []
    query, pages = "?$select=Alias", 0
    while True:
        reply = lab.exo_raw(GET, query=query, headers={"Prefer": "odata.maxpagesize=4"})
        assert reply.status == 200
        assert all(set(row) == {"Alias"} for row in reply.content["value"])
        seen += [row["Alias"] for row in reply.content["value"]]
        pages += 1
        link = reply.content.get("@odata.nextLink")
        if link is None:
            break
        assert link.startswith(f"https://127.77.0.13:8443/adminapi/beta/{CONTOSO}/InvokeCommand?")
        query = "?" + link.partition("?")[2]
    assert pages == 3
    assert sorted(seen) == sorted(ALL_ALIASES)


def test_a_link_is_bound_to_its_body_and_expires(lab: CloudLab) -> None:
    first = lab.exo_raw(GET, headers={"Prefer": "odata.maxpagesize = 4"})
    query = "?" + first.content["@odata.nextLink"].partition("?")[2]
    other = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"ResultSize": 5}}}
    assert "body" in lab.exo_raw(other, query=query).content["error"]["message"]
    assert lab.exo_raw(GET, query="?$skiptoken=AAAA").status == 400
    assert lab.exo_raw(GET, query="?$skiptoken=%C3%A9").status == 400
    assert lab.exo_raw(GET, query=query).status == 200
    lab.services.clock.advance(601)
    expired = lab.exo_raw(GET, query=query)
    assert expired.status == 400
    assert "expired" in expired.content["error"]["message"]


def test_result_size_cuts_with_a_warning(lab: CloudLab) -> None:
    reply = lab.exo("Get-Mailbox", ResultSize=2)
    assert len(reply.content["value"]) == 2
    assert "@odata.nextLink" not in reply.content
    assert reply.content["@adminapi.warnings"][0].startswith("There are more results")
    assert "@adminapi.warnings" not in lab.exo("Get-Mailbox", ResultSize=9).content
    rows = [dict(lab.mailbox("info"), ExternalDirectoryObjectId=f"f{number:07}") for number in range(1001)]
    with lab.store.transaction():
        for row in rows:
            lab.store.put(CONTOSO, "mailbox", row["ExternalDirectoryObjectId"], row)
    reply = lab.exo("Get-Mailbox", headers={"Prefer": "odata.maxpagesize=5000"})
    assert len(reply.content["value"]) == 1000  # the top of a page, and the default result size
    assert reply.content["@adminapi.warnings"][0].startswith("By default, only the first 1000 items")
    lab.services.scenario.set({"mailbox_limit": 3})
    assert len(lab.exo("Get-Mailbox", ResultSize="Unlimited").content["value"]) == 3


@pytest.mark.parametrize(
    ("text", "aliases"),
    [
        ("IsDirSynced -eq 'True'", {"ada", "bob", "eve"}),
        ("IsDirSynced -eq $false -and RecipientTypeDetails -eq 'SharedMailbox'", {"info", "press"}),
        ("-not (IsDirSynced -eq $true) -and Alias -notlike '*o*'", {"press", "beamer1"} - {"none"}),
        ("Alias -like 'A*' -or Alias -like '*.sky' -or Alias -eq 'INFO'", {"ada", "room.sky", "info"}),
        ("EmailAddresses -like '*@contoso.lab'", {"ada", "bob", "eve"}),
        ("CustomAttribute1 -ne $null", set()),
        ("(Alias -eq 'ada' -or Alias -eq 'bob') -and Alias -ne \"bob\"", {"ada"}),
        ("WhenChangedUTC -lt '2026-08-02' -and IsDirSynced -eq 'True'", {"ada", "bob", "eve"}),
        ("DisplayName -eq 'O''Neil'", set()),
    ],
)
def test_filters(lab: CloudLab, text: str, aliases: set[str]) -> None:
    reply = lab.exo("Get-Mailbox", Filter=text, ResultSize="Unlimited")
    assert reply.status == 200, reply.content
    assert {row["Alias"] for row in reply.content["value"]} == aliases


@pytest.mark.parametrize(
    "text",
    ["Alias", "Alias -is 'x'", "Alias -eq x", "Alias -eq 'x", "(Alias -eq 'x'", "Alias -eq 'x' Alias", "-and",
     "'x' -eq 'x'",
     "IsDirSynced -gt 'True'", "IsDirSynced -eq 'maybe'", "WhenChanged -gt 'soon'", "Nothing -eq 'x'",
     "Alias -like 'a*b'"],
)  # fmt: skip
def test_filters_that_cannot_be_read(text: str) -> None:
    with pytest.raises(Refused):
        opath.parse(text)


def test_identity_takes_any_name_and_many_hits_are_ambiguous_for_set_only(lab: CloudLab) -> None:
    row = lab.mailbox("ada")
    for name in ("ExternalDirectoryObjectId", "Guid", "ExchangeGuid", "UserPrincipalName", "Alias", "DistinguishedName",
                 "LegacyExchangeDN"):  # fmt: skip
        assert lab.exo("Get-Mailbox", Identity=row[name].upper()).content["value"][0]["Alias"] == "ada"
    assert lab.exo("Get-Mailbox", Identity="ada@contoso.onmicrosoft.com").status == 200
    assert lab.exo("Get-Mailbox", Identity=row["DisplayName"] + "x").status == 404
    lab.store.put(CONTOSO, "mailbox", row["ExternalDirectoryObjectId"], {**row, "Name": "Zoë"})
    other = lab.mailbox("bob")
    lab.store.put(CONTOSO, "mailbox", other["ExternalDirectoryObjectId"], {**other, "Name": "ZOË"})
    assert len(lab.exo("Get-Mailbox", Identity="zoë").content["value"]) == 2
    refused = lab.exo("Set-Mailbox", Identity="zoë", IsExchangeCloudManaged=True)
    assert exception(refused) == "ManagementObjectAmbiguousException"


def test_a_user_whose_mailbox_is_on_premises_is_a_mail_user(lab: CloudLab) -> None:
    row = {**lab.mailbox("eve"), "RecipientType": "MailUser", "RecipientTypeDetails": "MailUser"}
    lab.store.delete(CONTOSO, "mailbox", row["ExternalDirectoryObjectId"])
    lab.store.put(CONTOSO, "mailUser", row["ExternalDirectoryObjectId"], row)
    assert lab.exo("Get-MailUser", Identity="eve").status == 200
    assert lab.exo("Get-Mailbox", Identity="eve").status == 404
    assert lab.exo("Set-Mailbox", Identity="eve", IsExchangeCloudManaged=True).status == 404
    group = {"id": "99999999-0000-4000-8000-000000000001", "displayName": "All", "mailEnabled": True,
             "mail": "all@contoso.lab", "proxyAddresses": ["SMTP:all@contoso.lab"]}  # fmt: skip
    lab.store.put(CONTOSO, "group", group["id"], group)
    rows = lab.exo("Get-Recipient", ResultSize="Unlimited", headers={"Prefer": "odata.maxpagesize=1000"}).content[
        "value"
    ]
    assert len(rows) == len(ALL_ALIASES) + 1
    assert {row["RecipientType"] for row in rows} == {"UserMailbox", "MailUser", "MailUniversalDistributionGroup"}
    assert lab.exo("Get-DistributionGroup").content["value"][0]["PrimarySmtpAddress"] == "all@contoso.lab"
    # Paging goes over the kinds too.
    names, query = [], ""
    while True:
        body = {"CmdletInput": {"CmdletName": "Get-Recipient", "Parameters": {"ResultSize": "Unlimited"}}}
        reply = lab.exo_raw(body, query=query, headers={"Prefer": "odata.maxpagesize=3"})
        names += [row["Name"] for row in reply.content["value"]]
        if "@odata.nextLink" not in reply.content:
            break
        query = "?" + reply.content["@odata.nextLink"].partition("?")[2]
    assert len(names) == len(set(names)) == len(rows)


def test_organization_default_moves_by_two_switches(lab: CloudLab) -> None:
    name = "BlockExchangeProvisioningFromOnPremEnabled"

    def default() -> bool:
        return bool(lab.exo("Get-OrganizationConfig").content["value"][0][name])

    assert default() is False
    assert lab.exo("Set-OrganizationConfig", ExchangeAttributesCloudManagedByDefault=True, WhatIf=True).status == 200
    assert default() is False
    assert lab.exo("Set-OrganizationConfig", ExchangeAttributesCloudManagedByDefault=True).status == 200
    assert default() is True
    again = lab.exo("Set-OrganizationConfig", ExchangeAttributesCloudManagedByDefault=True)
    assert "no settings of" in again.content["@adminapi.warnings"][0]
    assert lab.exo("Set-OrganizationConfig", ExchangeAttributesServerManagedByDefault=True).status == 200
    assert default() is False
    both = {"ExchangeAttributesServerManagedByDefault": True, "ExchangeAttributesCloudManagedByDefault": True}
    assert lab.exo("Set-OrganizationConfig", **both).status == 400
    assert lab.exo("Set-OrganizationConfig", FocusedInboxOn=True).status == 501


def test_named_objects_are_read_made_changed_and_removed(lab: CloudLab) -> None:
    domains = lab.exo("Get-AcceptedDomain").content["value"]
    assert {row["DomainName"] for row in domains} == {
        "contoso.lab",
        "contoso.onmicrosoft.com",
        "contoso.mail.onmicrosoft.com",
    }
    assert [row["Default"] for row in domains if row["DomainName"] == "contoso.lab"] == [True]
    connector, gateway = lab.exo("Get-InboundConnector").content["value"]
    assert lab.exo("Remove-InboundConnector", Identity=connector["Identity"], Confirm=False, WhatIf=True).status == 200
    assert lab.exo("Remove-InboundConnector", Identity=connector["Identity"], Confirm=False).status == 200
    assert lab.exo("Remove-InboundConnector", Identity=connector["Identity"]).status == 404
    assert lab.exo("Get-InboundConnector").content["value"] == [gateway]
    assert lab.exo("New-InboundConnector", Name="Again", SenderDomains=["*"]).status == 200
    assert lab.exo("New-InboundConnector", Name="Again", SenderDomains=["*"]).status == 400
    link, _merger = lab.exo("Get-IntraOrganizationConnector").content["value"]
    assert lab.exo("Set-IntraOrganizationConnector", Identity=link["Identity"], Enabled=False).status == 200
    assert lab.exo("Get-IntraOrganizationConnector", Identity=link["Name"]).content["value"][0]["Enabled"] is False
    assert lab.exo("Get-MigrationBatch").content["value"] == []
    batch = {"id": "b1", "Identity": "wave 1", "Status": "Completed"}
    assert lab.control("PUT", "/object/contoso/migrationBatch/b1", batch).status == 200
    assert [row["Identity"] for row in lab.exo("Get-MigrationBatch", Status="Completed").content["value"]] == ["wave 1"]
    assert lab.exo("Get-MigrationBatch", Status="Failed").content["value"] == []


def test_a_batch_has_a_status_per_part(lab: CloudLab) -> None:
    lab.manage("ada")
    parts = (
        ("Set-Mailbox", {"Identity": "ada", "CustomAttribute1": "x"}),
        ("Set-Mailbox", {"Identity": "nobody", "CustomAttribute1": "x"}),
        ("Get-Mailbox", {"Identity": "ada"}),
    )
    reply = lab.batch(*parts)
    assert reply.status == 200
    assert [(part["id"], part["status"]) for part in reply.content["responses"]] == [("0", 200), ("1", 404), ("2", 200)]
    assert reply.content["responses"][2]["body"]["value"][0]["CustomAttribute1"] == "x"
    assert "nobody" in reply.content["responses"][1]["body"]["error"]["details"][0]["message"]
    assert len(lab.batch(*parts, go_on=False).content["responses"]) == 2
    logged = [entry for entry in lab.store.requests(writes=True) if entry["part"]]
    assert [entry["cmdlet"] for entry in logged[:2]] == ["Set-Mailbox", "Set-Mailbox"]
    assert lab.batch(*([parts[2]] * 11)).status == 400
    assert lab.batch().status == 400


def test_a_batch_refuses_other_addresses_tenants_and_doubled_ids(lab: CloudLab) -> None:
    token = f"Bearer {lab.token('exchange')}"
    path = f"/adminapi/beta/{CONTOSO}/$batch"

    def send(**changes: Any) -> Any:
        part = {"id": "1", "method": "POST", "url": f"/adminapi/beta/{CONTOSO}/InvokeCommand", "body": GET, **changes}
        return lab.send("exchange", "POST", path, {"requests": [part]}, authorization=token).content["responses"][0]

    assert send()["status"] == 200
    assert send(url="InvokeCommand")["status"] == 200
    assert send(url=f"https://127.77.0.13:8443/adminapi/beta/{CONTOSO}/InvokeCommand?$select=Alias")["status"] == 200
    assert send(url=f"/adminapi/beta/{FABRIKAM}/InvokeCommand")["status"] == 400
    assert send(url=path)["status"] == 400
    assert send(method="GET")["status"] == 400
    doubled = {"requests": [{"id": "1"}, {"id": "1"}]}
    assert lab.send("exchange", "POST", path, doubled, authorization=token).status == 400


def test_limits_of_a_tenant(lab: CloudLab) -> None:
    lab.services.scenario.set({"concurrency_limit": 1})
    with lab.services.gate.running(CONTOSO):
        refused = lab.exo("Get-Mailbox")
        assert lab.exo("Get-Mailbox", tenant="fabrikam").status == 200
    assert refused.status == 429
    assert refused.text is not None
    assert refused.text.startswith("You have reached the maximum number of concurrent requests per tenant")
    assert refused.content_type == "text/plain"
    assert lab.exo("Get-Mailbox").status == 200
    lab.services.scenario.set({"rate_budget": 3})
    assert [lab.exo("Get-Mailbox").status for _unused in range(3)] == [200, 429, 429]
    assert int(lab.exo("Get-Mailbox").headers["Retry-After"]) > 0


def test_errors_have_three_parts_joined_by_bars() -> None:
    error = errors.not_found("x", "SERVER").reply.content["error"]
    code, kind, text = error["details"][0]["message"].split("|")
    assert (code, kind) == ("Ex6F9304", "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException")
    assert error["innererror"]["internalexception"]["message"] == text
