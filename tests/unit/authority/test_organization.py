# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tenant's default."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.organization import (
    READ_BACK_DELAYS,
    STATE_PROPERTY,
    Default,
    Ends,
    set_default,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.recipients import ExchangeRecipients
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Conflict,
    InputError,
    NotFound,
    PermissionDenied,
    ProtocolError,
    Refused,
    Unavailable,
)
from authority_fakes import FakeExchange, FakeMailboxes, Progress, mailbox

TENANT = "contoso.com"
CLOUD = [{STATE_PROPERTY: True}]


class World:
    def __init__(self, *mailboxes, **answers):
        self.exchange = FakeExchange(**answers)
        self.mailboxes = FakeMailboxes(*mailboxes)
        self.slept = []
        self.ends = Ends(self.exchange, self.mailboxes, Progress(), self.slept.append)

    def run(self, authority="cloud", confirm=TENANT, *, check_mode=False, **options):
        return set_default(Default(TENANT, authority, confirm, **options), self.ends, check_mode=check_mode)


def test_the_cloud_becomes_the_default_once():
    world = World(mailbox("anna", cloud_managed=True), mailbox("cloud", dir_synced=False))
    outcome = world.run(confirm="CONTOSO.com")
    assert outcome.changed
    assert [(item.name, dict(item.parameters)) for item in world.exchange.writes] == [
        ("Set-OrganizationConfig", {"ExchangeAttributesCloudManagedByDefault": True})
    ]
    assert outcome.result["state"] == {"property": STATE_PROPERTY, "before": False, "after": True}
    assert outcome.diff[0]["before"] == {"default_authority": "on_premises"}
    assert outcome.diff[0]["after"] == {"default_authority": "cloud"}
    again = world.run()
    assert (again.changed, again.diff, len(world.exchange.writes)) == (False, [], 1)
    assert again.result["state"] == {"property": STATE_PROPERTY, "before": True, "after": True}


def test_back_to_on_premises_needs_no_word_and_no_evidence():
    world = World(mailbox("anna"), Get_OrganizationConfig=CLOUD, Get_MigrationBatch=PermissionDenied("no"))
    outcome = world.run("on_premises", None)
    assert outcome.changed
    assert dict(world.exchange.writes[0].parameters) == {"ExchangeAttributesServerManagedByDefault": True}
    assert not world.run("on_premises", None).changed


def test_check_mode_writes_nothing_and_announces_the_same():
    world = World()
    checked = world.run(check_mode=True)
    assert world.exchange.writes == []
    applied = world.run()
    assert (checked.changed, checked.diff, checked.result) == (applied.changed, applied.diff, applied.result)


@pytest.mark.parametrize("confirm", [None, "", "fabrikam.com", "yes"])
def test_the_tenant_must_be_confirmed(confirm):
    world = World()
    with pytest.raises(Refused, match=r"confirm_tenant must repeat tenant_id \(contoso.com\)"):
        world.run(confirm=confirm)
    assert world.exchange.sent == []


def batch(status):
    return [{"Identity": "Wave 7", "Status": status}]


EVIDENCE = [
    ("unmanaged_mailboxes", [mailbox("anna")], {}, "anna@contoso.com"),
    (
        "mail_users",
        [],
        {"Get_MailUser": [{"UserPrincipalName": "mia@contoso.com", "IsDirSynced": True}]},
        "mia@contoso.com",
    ),
    ("migration_batches", [], {"Get_MigrationBatch": batch("Syncing")}, "Wave 7: Syncing"),
    ("migration_batches", [], {"Get_MigrationBatch": batch("CompletedWithErrors")}, "Wave 7: CompletedWithErrors"),
    ("migration_batches", [], {"Get_MigrationBatch": batch(None)}, "Wave 7: unknown state"),
    ("move_requests", [], {"Get_MoveRequest": [{"DisplayName": "Bert", "Status": "InProgress"}]}, "Bert: InProgress"),
]


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(("kind", "mailboxes", "answers", "shown"), EVIDENCE)
def test_each_kind_of_evidence_stops_the_cloud(kind, mailboxes, answers, shown, check_mode):
    world = World(*mailboxes, **answers)
    with pytest.raises(Refused) as caught:
        world.run(check_mode=check_mode)
    assert caught.value.facts["evidence"] == {kind: [shown]}
    assert caught.value.facts["counts"][kind] == 1
    assert caught.value.facts["counts"]["changed"] == 0
    assert caught.value.facts["state"]["before"] is False
    assert shown in caught.value.message
    assert world.exchange.writes == []


@pytest.mark.parametrize(
    "answers",
    [
        {"Get_MigrationBatch": batch("Completed")},
        {"Get_MigrationBatch": batch("Removing")},
        {"Get_MoveRequest": [{"Identity": "x", "Status": "Completed"}]},
        {"Get_MoveRequest": [{"Identity": "x", "Status": "CompletedWithWarning"}]},
        {"Get_MailUser": [{"UserPrincipalName": "guest@x", "IsDirSynced": False}]},
    ],
)
def test_what_is_no_evidence(answers):
    assert World(**answers).run().changed


def test_mail_users_that_stay_can_be_accepted():
    mail_users = [{"UserPrincipalName": "Mia@contoso.com", "IsDirSynced": True}]
    accepted = frozenset({"mia@contoso.com"})
    assert World(Get_MailUser=mail_users).run(accepted_mail_users=accepted).changed


def test_evidence_that_cannot_be_read_stops_it_too():
    for name in ("Get_MailUser", "Get_MigrationBatch", "Get_MoveRequest"):
        world = World(**{name: PermissionDenied("no role")})
        with pytest.raises(PermissionDenied):
            world.run()
        assert world.exchange.writes == []


@pytest.mark.parametrize("rows", [[], [{}], [{STATE_PROPERTY: None}], [{STATE_PROPERTY: "x"}], [*CLOUD, *CLOUD]])
def test_a_state_that_cannot_be_read_is_an_error(rows):
    world = World(Get_OrganizationConfig=rows)
    with pytest.raises(ProtocolError, match=STATE_PROPERTY):
        world.run()
    assert world.exchange.writes == []


def test_an_error_although_applied_is_a_success():
    world = World()
    world.exchange.set_error = Unavailable("timed out")
    assert world.run().changed


def test_an_error_that_applied_nothing_is_that_error():
    world = World()
    world.exchange.set_error = Unavailable("timed out")
    world.exchange.set_applies = False
    with pytest.raises(Unavailable, match="timed out"):
        world.run()
    assert world.slept == list(READ_BACK_DELAYS)


def test_a_success_that_applied_nothing_is_an_error():
    world = World()
    world.exchange.set_applies = False
    with pytest.raises(Conflict, match="still shows the other one") as caught:
        world.run()
    assert caught.value.facts["changed"] is True


def test_a_failed_read_back_says_that_something_was_sent():
    world = World()
    world.exchange.on_set = lambda: world.exchange.answers.update({"Get-OrganizationConfig": Unavailable("down")})
    with pytest.raises(Unavailable) as caught:
        world.run()
    assert caught.value.facts["changed"] is True


def test_an_unknown_authority_is_an_input_error():
    with pytest.raises(InputError, match="default_authority"):
        World().run("moon")


def test_evidence_is_limited():
    world = World(*(mailbox(f"m{n}") for n in range(30)))
    with pytest.raises(Refused, match="and 27 more") as caught:
        world.run(report_limit=5)
    assert len(caught.value.facts["evidence"]["unmanaged_mailboxes"]) == 5
    assert caught.value.facts["counts"]["unmanaged_mailboxes"] == 30


def test_everything_sent_is_in_the_cmdlet_reference():
    reference = json.loads(Path(__file__).parents[2].joinpath("reference", "exchange-cmdlets.json").read_text("utf-8"))
    world = World()
    world.run()
    world.run("on_premises", None)
    sent = list(world.exchange.sent)

    class Batches:
        def batch(self, cmdlets):
            sent.extend(cmdlets)
            mail_user = [{"RecipientType": "MailUser"}]
            return [(item, mail_user if item.parameters["Identity"] == "a" else NotFound("x")) for item in cmdlets]

    ExchangeRecipients(Batches())(["a", "b"])
    assert {item.name for item in sent} >= {"Get-User", "Get-MailUser", "Get-Recipient", "Set-OrganizationConfig"}
    for item in sent:
        known = reference["cmdlets"][item.name]
        assert "cloud" in known["applies"]
        for parameter in item.parameters:
            assert "cloud" in known["parameters"][parameter].get("applies", ["cloud"]), (item.name, parameter)
