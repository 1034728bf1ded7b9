# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-User: users with a mailbox, with a mail user, and with neither."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab_tests.cloud_support import CONTOSO, CloudLab, exception, lab

__all__ = ["lab"]

PLAIN, BLOCKED = "99999999-0000-4000-8000-00000000000a", "99999999-0000-4000-8000-00000000000b"
EVERYONE = {"Ada", "Bob", "Eve", "Cloud Admin", "Zo\u00eb Cloud", "Info", "Press Office", "Sky Room", "Beamer 1"}


def get(lab: CloudLab, **parameters: Any) -> list[dict[str, Any]]:
    reply = lab.exo("Get-User", **parameters)
    assert reply.status == 200, reply.content
    rows: list[dict[str, Any]] = reply.content["value"]
    return rows


def without_mailboxes(lab: CloudLab) -> None:
    """Eve becomes a mail user; two users come who are no recipients."""
    eve = lab.mailbox("eve")
    row = {**eve, "RecipientType": "MailUser", "RecipientTypeDetails": "MailUser"}
    lab.store.delete(CONTOSO, "mailbox", eve["ExternalDirectoryObjectId"])
    lab.store.put(CONTOSO, "mailUser", eve["ExternalDirectoryObjectId"], row)
    for user_id, name, enabled in ((PLAIN, "plain", True), (BLOCKED, "blocked", False)):
        user = {
            "id": user_id, "userPrincipalName": f"{name}@contoso.lab", "displayName": f"The {name} one",
            "mailNickname": name, "accountEnabled": enabled, "onPremisesSyncEnabled": True,
        }  # fmt: skip
        lab.store.put(CONTOSO, "user", user_id, user)


def test_every_user_is_shown_synchronized_or_not(lab: CloudLab) -> None:
    without_mailboxes(lab)
    rows = {row["DisplayName"]: row for row in get(lab)}
    assert set(rows) == EVERYONE | {"The plain one", "The blocked one"}
    assert rows["Ada"] == {
        "Identity": "ada",
        "Name": "ada",
        "DisplayName": "Ada",
        "UserPrincipalName": "ada@contoso.onmicrosoft.com",
        "ExternalDirectoryObjectId": lab.mailbox_id("ada"),
        "RecipientType": "UserMailbox",
        "RecipientTypeDetails": "UserMailbox",
        "IsDirSynced": True,
    }
    types = {name: (row["RecipientType"], row["RecipientTypeDetails"]) for name, row in rows.items()}
    assert types["Info"] == ("UserMailbox", "SharedMailbox")
    assert types["Eve"] == ("MailUser", "MailUser")
    assert types["The plain one"] == ("User", "User")
    assert types["The blocked one"] == ("User", "DisabledUser")
    synced = {name for name, row in rows.items() if row["IsDirSynced"]}
    assert synced == {"Ada", "Bob", "Eve", "The plain one", "The blocked one"}


@pytest.mark.parametrize("identity", [PLAIN, PLAIN.upper(), "PLAIN@contoso.lab", "plain", "the plain ONE", " plain "])
def test_a_user_without_a_recipient_by_any_name(lab: CloudLab, identity: str) -> None:
    without_mailboxes(lab)
    assert [row["ExternalDirectoryObjectId"] for row in get(lab, Identity=identity)] == [PLAIN]


def test_a_user_with_a_mailbox_by_any_name(lab: CloudLab) -> None:
    row = lab.mailbox("zoe.cloud")
    lab.store.put(CONTOSO, "mailbox", row["ExternalDirectoryObjectId"], {**row, "Alias": "zz", "Name": "Zed"})
    for identity in ("zz", "zed", row["Guid"], row["DistinguishedName"], row["ExternalDirectoryObjectId"],
                     "zoe.cloud", "ZO\u00cb cloud"):  # fmt: skip
        assert [one["DisplayName"] for one in get(lab, Identity=identity)] == ["Zo\u00eb Cloud"], identity


def test_an_unknown_user_is_refused_as_an_unknown_mailbox_is(lab: CloudLab) -> None:
    for identity in ("nobody", PLAIN, "User", "zo", "True"):
        refused, mailbox = lab.exo("Get-User", Identity=identity), lab.exo("Get-Mailbox", Identity=identity)
        assert (refused.status, exception(refused)) == (404, "ManagementObjectNotFoundException")
        assert (mailbox.status, exception(mailbox)) == (refused.status, exception(refused))
    refused = lab.exo("Get-User", Identity="ada", RecipientTypeDetails=["SharedMailbox"])
    assert refused.status == 404
    assert lab.exo("Get-User", Identity="ada", Filter="IsDirSynced -eq 'True'").status == 400


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"Filter": "IsDirSynced -eq $true"}, {"Ada", "Bob", "Eve", "The plain one", "The blocked one"}),
        ({"Filter": "RecipientTypeDetails -eq 'User'"}, {"The plain one"}),
        ({"Filter": "UserPrincipalName -like '*@contoso.lab'"}, {"The plain one", "The blocked one"}),
        ({"Filter": "RecipientType -ne 'UserMailbox' -and DisplayName -like 'The*'"},
         {"The plain one", "The blocked one"}),
        ({"RecipientTypeDetails": "User,DisabledUser"}, {"The plain one", "The blocked one"}),
        ({"RecipientTypeDetails": ["MailUser"]}, {"Eve"}),
        ({"Anr": "the p"}, {"The plain one"}),
    ],
)  # fmt: skip
def test_users_are_filtered(lab: CloudLab, parameters: dict[str, Any], names: set[str]) -> None:
    without_mailboxes(lab)
    assert {row["DisplayName"] for row in get(lab, **parameters)} == names


def test_what_users_do_not_have_is_refused(lab: CloudLab) -> None:
    for text in ("CustomAttribute1 -eq 'x'", "EmailAddresses -like '*@contoso.lab'", "Nothing -eq 'x'"):
        assert exception(lab.exo("Get-User", Filter=text)) == "ParsingException"
    assert exception(lab.exo("Get-User", DomainController="dc1")) == "ParameterBindingException"
    assert lab.exo("Get-User", Archive=True).status == 400
    assert lab.exo("Get-User", PublicFolder=True).status == 501


def test_users_come_in_pages_and_by_result_size(lab: CloudLab) -> None:
    body = {"CmdletInput": {"CmdletName": "Get-User", "Parameters": {"ResultSize": "Unlimited"}}}
    names, query, pages = [], "", 0
    while True:
        reply = lab.exo_raw(body, query=query, headers={"Prefer": "odata.maxpagesize=4"})
        names += [row["DisplayName"] for row in reply.content["value"]]
        pages += 1
        if "@odata.nextLink" not in reply.content:
            break
        query = "?" + reply.content["@odata.nextLink"].partition("?")[2]
    assert pages == 3
    assert len(names) == len(set(names))
    assert set(names) == EVERYONE
    cut = lab.exo("Get-User", ResultSize=2)
    assert len(cut.content["value"]) == 2
    assert cut.content["@adminapi.warnings"][0].startswith("There are more results")


def test_users_in_a_batch_and_for_a_recipient_administrator(lab: CloudLab) -> None:
    application = next(doc for doc in lab.store.list(CONTOSO, "application") if doc["displayName"] == "application")
    recipient_administrator = {**application, "_wids": ["31392ffb-586c-42d1-9346-e59415a2cc4e"]}
    lab.store.put(CONTOSO, "application", application["id"], recipient_administrator)
    reply = lab.batch(("Get-User", {"Identity": "ada"}), ("Get-User", {"Identity": "nobody"}))
    found, missing = reply.content["responses"]
    assert (found["status"], found["body"]["value"][0]["IsDirSynced"]) == (200, True)
    assert missing["status"] == 404
    assert not any(entry["write"] for entry in lab.store.requests())


def test_users_are_read_stale_too(lab: CloudLab) -> None:
    lab.services.scenario.set({"stale_reads_s": 30})
    path = f"/v1.0/users/{lab.mailbox_id('ada')}/onPremisesSyncBehavior"
    assert lab.graph("PATCH", path, {"isCloudManaged": True}).status == 204
    assert get(lab, Identity="ada")[0]["IsDirSynced"] is True
    lab.services.clock.advance(31)
    assert get(lab, Identity="ada")[0]["IsDirSynced"] is False
