# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a way back to on-premises authority would lose: the comparison, the snapshots, and the refusal by name."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._authority import losses, snapshots
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.give_back import Comparison
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.recipients import ExchangeRecipients
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.transfer import Ends, Transfer, transfer
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Ambiguous, InputError, NotFound, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import CATALOGUE
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import ArtifactWriter
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import Limits
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from authority_fakes import FakeMailboxes, Progress, mailbox

ALL = Selection("all", None)


def differing(before, now, same=None):
    found = losses.differences(losses.state(before), losses.state(now), same or {})
    return [(item.name, item.before, item.now) for item in found]


def test_compared_is_what_is_synchronized_and_editable_and_cannot_be_written():
    names = {item.name for item in losses.COMPARED}
    assert names == {
        "ForwardingAddress",
        "AcceptMessagesOnlyFrom",
        "RejectMessagesFrom",
        "AcceptMessagesOnlyFromDLMembers",
        "RejectMessagesFromDLMembers",
        "GrantSendOnBehalfTo",
        "ModeratedBy",
        "SendModerationNotifications",
        "RetentionHoldEnabled",
        "LitigationHoldEnabled",
        "AuditLogAgeLimit",
        "AuditAdmin",
        "AuditDelegate",
        "AuditOwner",
        "ResourceType",
        "ResourceCustom",
        "InPlaceHolds",
    }
    assert not [row for item in losses.COMPARED if (row := CATALOGUE[item.attribute]).directory_writable]
    assert {item.kind for item in losses.COMPARED if item.name.startswith(("Grant", "Forward", "Reject"))} == {
        "recipients"
    }


@pytest.mark.parametrize(
    ("name", "before", "now"),
    [
        ("ForwardingAddress", None, ""),
        ("GrantSendOnBehalfTo", None, []),
        ("GrantSendOnBehalfTo", ["bert", "carl"], ["Carl", "BERT"]),
        ("ForwardingAddress", "bert", "contoso.onmicrosoft.com/Users/bert"),
        ("ForwardingAddress", "CN=bert,OU=Users,DC=contoso,DC=com", "contoso.com/Users/bert"),
        ("ForwardingAddress", "CN=Bert\\, B.,OU=Users,DC=contoso,DC=com", "Bert, B."),
        ("ForwardingAddress", "CN=bert, OU=Users, DC=contoso,DC=com", "cn=bert,ou=users,dc=contoso,dc=com"),
        ("RetentionHoldEnabled", None, False),
        ("LitigationHoldEnabled", "False", False),
        ("LitigationHoldEnabled", True, "True"),
        ("AuditLogAgeLimit", "90.00:00:00", "90"),
        ("AuditLogAgeLimit", "1.00:00:00", "24:00:00"),
        ("AuditOwner", ["Update", "HardDelete"], "harddelete, update"),
        ("AuditOwner", [], None),
        ("SendModerationNotifications", "Always", "always"),
    ],
)
def test_forms_of_one_value_are_no_difference(name, before, now):
    assert differing({name: before}, {name: now}) == []
    assert differing({name: now}, {name: before}) == []


@pytest.mark.parametrize(
    ("name", "before", "now"),
    [
        ("ForwardingAddress", None, "bert"),
        ("ForwardingAddress", "bert", None),
        ("ForwardingAddress", "bert", "carl"),
        ("ForwardingAddress", "CN=bert,OU=A,DC=contoso,DC=com", "CN=bert,OU=B,DC=contoso,DC=com"),
        ("ForwardingAddress", "contoso.com/A/bert", "contoso.com/B/bert"),
        ("ForwardingAddress", "CN=bert,OU=A,DC=contoso,DC=com", "contoso.com/A/carl"),
        ("GrantSendOnBehalfTo", ["bert"], ["bert", "carl"]),
        ("GrantSendOnBehalfTo", ["bert", "carl"], ["CN=carl,OU=A,DC=contoso,DC=com"]),
        ("LitigationHoldEnabled", False, True),
        ("LitigationHoldEnabled", True, None),
        ("AuditLogAgeLimit", "90.00:00:00", "180.00:00:00"),
        ("AuditOwner", ["Update"], ["Update", "Move"]),
        ("InPlaceHolds", [], ["UniHabc"]),
        ("ResourceCustom", ["TV"], ["TV", "Whiteboard"]),
        ("ModeratedBy", ["bert"], []),
    ],
)
def test_an_edit_is_a_difference_in_both_directions(name, before, now):
    assert [item[0] for item in differing({name: before}, {name: now})] == [name]
    assert [item[0] for item in differing({name: now}, {name: before})] == [name]


def test_audited_actions_that_the_service_keeps_at_its_default_are_not_edits():
    old = {"AuditOwner": ["Update"], "AuditAdmin": ["Update"], "DefaultAuditSet": ["Owner", "Delegate"]}
    new = {"AuditOwner": ["Update", "Send"], "AuditAdmin": ["Update", "Send"], "DefaultAuditSet": ["Owner", "Delegate"]}
    assert [item[0] for item in differing(old, new)] == ["AuditAdmin"]
    assert [item[0] for item in differing(old, new | {"DefaultAuditSet": ["Delegate"]})] == ["AuditAdmin", "AuditOwner"]


def test_recipients_that_are_one_by_their_identity_are_no_difference():
    before, now = {"GrantSendOnBehalfTo": ["bert", "dora"]}, {"GrantSendOnBehalfTo": ["b.meier@contoso.com", "dora"]}
    assert set(losses.unclear_recipients(losses.state(before), losses.state(now))) == {"bert", "b.meier@contoso.com"}
    assert differing(before, now, {"bert": "1", "b.meier@contoso.com": "1"}) == []
    assert differing(before, now, {"bert": "1", "b.meier@contoso.com": "2"}) != []
    assert differing(before, now, {"bert": "1"}) != []
    one_side = losses.state({"GrantSendOnBehalfTo": ["bert"]})
    assert list(losses.unclear_recipients(one_side, losses.state({}))) == [], "nothing to be equal with"


def test_what_may_be_given_up():
    assert losses.given_up(["forwardingaddress", "publicDelegates"]) == {"ForwardingAddress", "GrantSendOnBehalfTo"}
    assert losses.given_up(["msExchELCMailboxFlags"]) == {"RetentionHoldEnabled", "LitigationHoldEnabled"}
    with pytest.raises(InputError, match="Is ForwardingAddress"):
        losses.given_up(["ForwardingAdress"])
    with pytest.raises(InputError, match="Compared are ForwardingAddress"):
        losses.given_up(["CustomAttribute1"])


def snapshot(folder, *lines):
    with ArtifactWriter(folder, snapshots.NAME) as writer:
        for line in lines:
            writer.write(line)
    return writer.artifact.path


def line(name, action="change", *, cloud_managed=False, **properties):
    return {
        "action": action,
        "id": f"id-{name}",
        "user_principal_name": f"{name}@contoso.com",
        "cloud_managed": cloud_managed,
        "properties": properties,
    }


def test_the_newest_snapshot_of_a_move_counts_whatever_the_order_given(tmp_path):
    old = snapshot(tmp_path, line("anna", ForwardingAddress="old"), line("bert", ForwardingAddress="bert"))
    new = snapshot(tmp_path, line("anna", ForwardingAddress="new"), line("bert", "unchanged", cloud_managed=True))
    snapshot(tmp_path, {"action": "ineligible", "object": "x", "id": "id-anna", "reason": "cloud_only"})
    with ArtifactWriter(tmp_path, f"{snapshots.NAME}-outcomes") as writer:
        writer.write({"id": "id-anna", "outcome": "changed"})
    for paths in ([str(tmp_path)], [old, new], [new, old], [old, str(tmp_path)]):
        found = dict(snapshots.baselines(snapshots.files(paths), {"id-anna", "id-bert", "id-carl"}, 3))
        assert found == {"id-anna": {"ForwardingAddress": "new"}, "id-bert": {"ForwardingAddress": "bert"}}, paths


def test_a_file_without_a_time_in_its_name_has_its_own(tmp_path):
    path = snapshot(tmp_path, line("anna", ForwardingAddress="dated"))
    copy = tmp_path / "copy.jsonl"
    copy.write_text(json.dumps(line("anna", ForwardingAddress="copy"), separators=(",", ":")) + "\n")
    os.utime(copy, (0, 0))
    assert dict(snapshots.baselines(snapshots.files([path, str(copy)]), {"id-anna"}, 1)) == {
        "id-anna": {"ForwardingAddress": "dated"}
    }


def test_reading_ends_when_all_are_found(tmp_path):
    (tmp_path / "authority-cloud-20200101T000000.000000Z.jsonl").write_text("rubbish\n")
    snapshot(tmp_path, line("anna"))
    assert list(snapshots.baselines(snapshots.files([str(tmp_path)]), {"id-anna"}, 1)) == [("id-anna", {})]
    with pytest.raises(InputError, match=r"20200101T000000.000000Z.jsonl:1: this is no line of a snapshot"):
        list(snapshots.baselines(snapshots.files([str(tmp_path)]), {"id-anna", "id-bert"}, 2))


@pytest.mark.parametrize(
    "text", ["", "[]", '{"action":"change",', '{"action":"change","id":"x"}', '{"id": "id-anna", "outcome": "changed"}']
)
def test_what_is_no_snapshot_is_named_by_file_and_line(tmp_path, text):
    path = tmp_path / "x.jsonl"
    path.write_text(f"{json.dumps(line('bert'), separators=(',', ':'))}\n{text}\n")
    with pytest.raises(InputError, match=r"x\.jsonl:2: "):
        list(snapshots.baselines(snapshots.files([str(path)]), {"id-anna"}, 1))


def test_a_snapshot_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="which cannot be read: No such file"):
        snapshots.files([str(tmp_path / "gone.jsonl")])
    assert snapshots.files([str(tmp_path)]) == []


class Recipients:
    def __init__(self, **ids):
        self.known, self.asked = ids, []

    def ids(self, identities):
        self.asked.append(sorted(identities))
        return {name: self.known[name] for name in identities if name in self.known}


class World:
    def __init__(self, folder, *mailboxes, **ids):
        self.folder = folder
        self.mailboxes = FakeMailboxes(*mailboxes)
        self.recipients = Recipients(**ids)
        self.ends = Ends(
            mailboxes=self.mailboxes,
            recipients=self.recipients,
            artifacts=lambda name: ArtifactWriter(folder, name),
            progress=Progress(),
            sleep=lambda _seconds: None,
        )

    def edit(self, name, **properties):
        old = self.mailboxes.state[f"id-{name}"]
        new = mailbox(name, cloud_managed=old.cloud_managed, properties={**old.properties, **properties})
        self.mailboxes.state[new.id] = new

    def run(self, authority="on_premises", *, check_mode=False, report_limit=20, **options):
        options = {"paths": (str(self.folder),)} | options
        comparison = Comparison(**options, report_limit=report_limit)
        request = Transfer(ALL, authority, Limits(5000, 100), 0, report_limit=report_limit, comparison=comparison)
        return transfer(request, self.ends, check_mode=check_mode)


def moved(folder, *names, **ids):
    world = World(folder, *(mailbox(name) for name in names), **ids)
    world.run("cloud")
    world.mailboxes.written.clear()
    return world


@pytest.mark.parametrize("check_mode", [True, False])
def test_an_edit_in_the_cloud_refuses_the_way_back_by_name_before_the_first_write(tmp_path, check_mode):
    world = moved(tmp_path, "anna", "bert", "carl")
    world.edit("anna", ForwardingAddress="bert")
    world.edit("bert", GrantSendOnBehalfTo=["carl"], LitigationHoldEnabled=True)
    with pytest.raises(Refused) as caught:
        world.run(check_mode=check_mode)
    assert world.mailboxes.written == []
    text = caught.value.message
    assert "2 of 3 mailboxes were edited in the cloud" in text
    assert "anna@contoso.com: ForwardingAddress (altRecipient) was empty and is bert" in text
    assert "GrantSendOnBehalfTo (publicDelegates) was empty and is carl" in text
    assert "give_up: [ForwardingAddress, GrantSendOnBehalfTo, LitigationHoldEnabled]" in text
    assert caught.value.facts["counts"] == {"compared": 3, "not_compared": 0, "given_up": 0}
    assert caught.value.facts["losses"][0] == {
        "object": "anna@contoso.com",
        "id": "id-anna",
        "property": "ForwardingAddress",
        "attribute": "altRecipient",
        "before": [],
        "now": ["bert"],
        "given_up": False,
    }
    artifact = caught.value.facts["losses_artifact"]
    assert artifact.lines == 3
    assert not list(tmp_path.glob("authority-on_premises-2*")), "no snapshot of a run that was refused"


def test_what_is_given_up_by_name_is_lost_and_kept_in_the_artifact(tmp_path):
    world = moved(tmp_path, "anna", "bert")
    world.edit("anna", ForwardingAddress="bert", LitigationHoldEnabled=True)
    with pytest.raises(Refused) as caught:
        world.run(give_up=("altRecipient",))
    assert "LitigationHoldEnabled" in caught.value.message
    assert "ForwardingAddress" not in caught.value.message
    outcome = world.run(give_up=("altRecipient", "LitigationHoldEnabled"))
    assert len(world.mailboxes.written) == 2
    assert outcome.result["counts"]["given_up"] == 1
    assert outcome.result["counts"]["changed"] == 2
    assert [item["given_up"] for item in outcome.result["losses"]] == [True, True]
    assert outcome.result["losses_artifact"].lines == 2


def test_nothing_edited_goes_back_without_a_word(tmp_path):
    world = moved(tmp_path, "anna", "bert")
    world.edit("anna", CustomAttribute1="edited", ForwardingAddress="", GrantSendOnBehalfTo=[])
    outcome = world.run()
    assert len(world.mailboxes.written) == 2
    assert outcome.result["losses"] == []
    assert "losses_artifact" not in outcome.result
    assert world.recipients.asked == []
    again = world.run(paths=("/there/is/nothing",))
    assert not again.changed
    assert again.result["counts"]["compared"] == 0
    with pytest.raises(InputError, match="not compared"):
        world.run(give_up=("Nonsense",))


def test_mailboxes_in_no_snapshot_are_refused_unless_accepted(tmp_path):
    world = moved(tmp_path, "anna")
    for name in ("bert", "carl"):
        world.mailboxes.state[f"id-{name}"] = mailbox(name, cloud_managed=True)
    with pytest.raises(Refused, match=r"2 of 3 mailboxes are in none of the 1 snapshot.*bert@contoso.com") as caught:
        world.run()
    assert caught.value.facts["counts"]["not_compared"] == 2
    assert world.mailboxes.written == []
    world.edit("anna", ForwardingAddress="bert")
    with pytest.raises(Refused, match=r"edited in the cloud.*in none of the"):
        world.run()
    outcome = world.run(on_unknown="accept", give_up=("ForwardingAddress",))
    assert outcome.result["counts"]["not_compared"] == 2
    assert len(world.mailboxes.written) == 3


def test_recipients_are_asked_for_only_where_names_differ(tmp_path):
    world = moved(tmp_path, "anna", bert="b", **{"bert.meier": "b"})
    world.edit("anna", GrantSendOnBehalfTo=["bert"])
    world.run("on_premises", give_up=("GrantSendOnBehalfTo",))
    world.run("cloud")
    world.edit("anna", GrantSendOnBehalfTo=["bert.meier"])
    assert world.run().result["losses"] == []
    assert world.recipients.asked == [["bert", "bert.meier"]]


def test_only_what_changes_is_compared_and_the_way_to_the_cloud_never(tmp_path):
    world = World(tmp_path, mailbox("anna", cloud_managed=True), mailbox("bert"))
    assert "losses" not in world.run("cloud").result
    with pytest.raises(Refused, match="1 of 2 mailboxes are in none"):
        world.run()
    world.mailboxes.state["id-anna"] = mailbox("anna")
    assert world.run().result["counts"]["compared"] == 1


def test_ids_of_recipients():
    class Batches:
        def batch(self, cmdlets):
            answers = {"a": [{"Guid": "G1"}], "b": NotFound("no"), "c": Ambiguous("two"), "d": [{}]}
            for cmdlet in cmdlets:
                yield cmdlet, answers[cmdlet.parameters["Identity"]]

    assert ExchangeRecipients(Batches()).ids(["a", "b", "c", "d"]) == {"a": "g1"}
