# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mailboxes: each way to select, and changing many."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud import mailboxes as module
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.mailboxes import Mailboxes
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, InputError, NotFound
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Member
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from cloud_fakes import Reply, Sent, Wire, exchange, exchange_error, graph

GROUP = "00000000-0000-4000-8000-000000000000"
NOT_FOUND = "x|Microsoft.Exchange.ManagementObjectNotFoundException|It couldn't be found."


def row(name: str, **more: Any) -> dict[str, Any]:
    return {
        "ExternalDirectoryObjectId": f"id-{name}",
        "UserPrincipalName": f"{name}@contoso.com",
        "PrimarySmtpAddress": f"{name}@mail.contoso.com",
        "RecipientType": "UserMailbox",
        "RecipientTypeDetails": "UserMailbox",
        "IsDirSynced": True,
        "IsExchangeCloudManaged": name in ("anna", "carl"),
        "Alias": name,
        "EmailAddresses": [f"SMTP:{name}@mail.contoso.com", f"smtp:{name}.old@contoso.com", "X500:/o=x"],
        **more,
    }


TENANT = {name: row(name) for name in ("anna", "ben", "carl")}


class Service:
    """Answers Get-Mailbox and Get-Recipient from TENANT."""

    def __init__(self) -> None:
        self.cmdlets: list[dict[str, Any]] = []

    def __call__(self, sent: Sent) -> Reply:
        if sent.url.endswith("$batch"):
            parts = [(part["id"], self.run(part["body"]["CmdletInput"])) for part in sent.json["requests"]]
            return (200, {"responses": [{"id": key, "status": reply[0], "body": reply[1]} for key, reply in parts]})
        return self.run(sent.json["CmdletInput"])

    def run(self, cmdlet: dict[str, Any]) -> tuple[int, Any]:
        self.cmdlets.append(cmdlet)
        identity = cmdlet["Parameters"].get("Identity")
        if cmdlet["CmdletName"] == "Get-Recipient":
            return (200, {"value": [{"RecipientTypeDetails": "MailUser"}] if identity == "mailuser" else []})
        if cmdlet["CmdletName"] == "Set-Mailbox":
            return (200, {"value": []}) if identity != "id-ben" else (400, exchange_error("no"))
        if identity is None:
            system = {"Name": "DiscoverySearchMailbox", "RecipientTypeDetails": "DiscoveryMailbox"}
            return (200, {"value": [*TENANT.values(), system]})
        found = [item for name, item in TENANT.items() if identity in (name, item["ExternalDirectoryObjectId"])]
        if identity == "twice":
            found = [row("x"), row("y")]
        return (200, {"value": found}) if found else (404, exchange_error(NOT_FOUND))


def ends(users: list[dict[str, Any]] | None = None) -> tuple[Mailboxes, Service]:
    service = Service()
    directory = Wire(handler=lambda sent: (200, {"value": users or []}))
    return Mailboxes(exchange(Wire(handler=service)), graph(directory)), service


def read(selection: Selection, users: list[dict[str, Any]] | None = None) -> list[str]:
    return [mailbox.user_principal_name.partition("@")[0] for mailbox in ends(users)[0].read(selection)]


def test_few_identities_are_asked_for_in_a_batch() -> None:
    mailboxes, service = ends()
    found = list(mailboxes.read(Selection("identities", ("ben", "anna", "id-anna")), ["CustomAttribute1"]))
    assert [mailbox.id for mailbox in found] == ["id-ben", "id-anna"]
    assert [cmdlet["Parameters"] for cmdlet in service.cmdlets] == [
        {"Identity": name} for name in ("ben", "anna", "id-anna")
    ]


@pytest.mark.parametrize("name", ["ben", "BEN@contoso.com", "ben.OLD@contoso.com", "id-ben", "ben@mail.contoso.com"])
def test_many_identities_are_found_among_all(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FEW", 1)
    assert read(Selection("identities", (name, "anna"))) == ["ben", "anna"]


@pytest.mark.parametrize("few", [0, 400])
def test_identities_without_a_mailbox_are_named_together(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FEW", few)
    with pytest.raises(InputError) as caught:
        read(Selection("identities", ("anna", "mailuser", "nobody")))
    assert "2 of 3 identities have no mailbox" in caught.value.message
    assert "mailuser (MailUser: its mailbox is on-premises or missing), nobody." in caught.value.message
    assert caught.value.facts["not_found"] == ["mailuser", "nobody"]


def test_ambiguous_identities_are_named() -> None:
    with pytest.raises(InputError, match="1 fit more than one mailbox: twice") as caught:
        read(Selection("identities", ("anna", "twice")))
    assert caught.value.facts["ambiguous"] == ["twice"]


def test_all_leaves_out_exchanges_own_mailboxes() -> None:
    assert read(Selection("all", None)) == ["anna", "ben", "carl"]


def test_a_filter_is_handed_on() -> None:
    mailboxes, service = ends()
    list(mailboxes.read(Selection("filter", "Alias -eq 'x'")))
    assert service.cmdlets[0]["Parameters"] == {"ResultSize": "Unlimited", "Filter": "Alias -eq 'x'"}


@pytest.mark.parametrize("few", [0, 400])
@pytest.mark.parametrize("kind", ["group", "organizational_unit"])
def test_users_without_a_mailbox_are_told_of(few: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FEW", few)
    names = {"onPremisesDistinguishedName": "CN=x,OU=A", "userPrincipalName": "Mail@contoso.com", "mail": "m@x"}
    mailboxes, _service = ends(
        [
            {**names, "id": "id-carl"},
            {**names, "id": "id-anna"},
            {**names, "id": "ID-Mailuser"},
            {"id": "id-unnamed", "onPremisesDistinguishedName": "CN=y,OU=A"},
            {"id": "id-room", "@odata.type": "#microsoft.graph.device"},
        ]
    )
    value = GROUP if kind == "group" else "OU=A"
    found = list(mailboxes.read(Selection(kind, value, frozenset({"id-anna"}))))
    assert [mailbox.id for mailbox in found] == ["id-carl"]
    assert mailboxes.left_out == (Member("id-mailuser", "Mail@contoso.com", "m@x"), Member("id-unnamed"))
    assert [member.name for member in mailboxes.left_out] == ["Mail@contoso.com", "id-unnamed"]


@pytest.mark.parametrize("name", ["id-mailuser", "mail@contoso.com", "m@x"])
def test_excluded_users_without_a_mailbox_are_not_told_of(name: str) -> None:
    users = [{"id": "id-carl"}, {"id": "id-mailuser", "userPrincipalName": "Mail@contoso.com", "mail": "M@x"}]
    mailboxes, _service = ends(users)
    assert len(list(mailboxes.read(Selection("group", GROUP, frozenset({name}))))) == 1
    assert mailboxes.left_out == ()


def test_a_read_forgets_whom_the_last_one_left_out() -> None:
    mailboxes, _service = ends([{"id": "id-nobody"}])
    assert list(mailboxes.read(Selection("group", GROUP))) == []
    assert len(mailboxes.left_out) == 1
    list(mailboxes.read(Selection("identities", ("anna",))))
    assert mailboxes.left_out == ()
    with pytest.raises(InputError, match="No mailbox is selected"):
        list(ends()[0].read(Selection("group", GROUP)))


def test_an_organizational_unit_is_read_from_the_directory() -> None:
    users = [{"id": "id-ben", "onPremisesDistinguishedName": "CN=Ben,OU=A,DC=x"}]
    assert read(Selection("organizational_unit", "OU=A,DC=x"), users) == ["ben"]


def test_exclude_knows_every_name() -> None:
    assert read(Selection("all", None, frozenset({"anna.old@contoso.com", "id-ben"}))) == ["carl"]


def test_an_empty_selection_is_an_error_unless_allowed() -> None:
    everybody = frozenset({"anna", "ben", "carl"})
    with pytest.raises(InputError, match="No mailbox is selected by all mailboxes"):
        read(Selection("all", None, everybody))
    assert read(Selection("all", None, everybody, True)) == []


def test_cloud_managed_mailboxes_are_counted() -> None:
    assert ends()[0].count() == 2


def test_set_tells_each_outcome_in_order() -> None:
    mailboxes, service = ends()
    all_of_them = list(mailboxes.read(Selection("all", None)))
    outcomes = list(mailboxes.set((mailbox, {"IsExchangeCloudManaged": True}) for mailbox in all_of_them))
    assert [mailbox.id for mailbox, _error in outcomes] == ["id-anna", "id-ben", "id-carl"]
    assert [type(error) for _mailbox, error in outcomes if error] != []
    assert outcomes[0][1] is None
    assert isinstance(outcomes[1][1], HybridError)
    assert not isinstance(outcomes[1][1], NotFound)
    assert service.cmdlets[-1]["Parameters"] == {"Identity": "id-carl", "IsExchangeCloudManaged": True}
