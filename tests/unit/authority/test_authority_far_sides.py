# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inspection, recipients that have no mailbox, and the times of changes in AD."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._authority import recipients
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.change_times import DirectoryChangeTimes
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.inspect import Inspection, inspect
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.recipients import ExchangeRecipients
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    NotFound,
    PermissionDenied,
    ProtocolError,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import DirectoryUser, Member
from ansible_collections.hybrid.exchange.plugins.module_utils._model.source_anchor import filter_escape
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from authority_fakes import FakeMailboxes, FakeWriter, Progress, mailbox


def test_inspect_counts_and_exports():
    tenant = FakeMailboxes(
        mailbox("anna", properties={"CustomAttribute1": "x", "CustomAttribute2": "", "Database": "db1"}),
        mailbox("bert", cloud_managed=True, recipient_type_details="SharedMailbox"),
        mailbox("cloud", dir_synced=False),
    )
    log = []
    result = inspect(
        Inspection(Selection("all", None), 2),
        mailboxes=tenant,
        recipients=None,
        artifacts=lambda name: FakeWriter(name, log, lambda: 0),
        progress=Progress(),
    )
    assert result["counts"] == {
        "total": 3,
        "dir_synced": 2,
        "cloud_managed": 1,
        "eligible": 2,
        "by_type": {"SharedMailbox": 1, "UserMailbox": 2},
        "ineligible": {"cloud_only": 1},
    }
    assert [item["user_principal_name"] for item in result["mailboxes"]] == ["anna@contoso.com", "bert@contoso.com"]
    assert [item["authority"] for item in result["mailboxes"]] == ["on_premises", "cloud"]
    lines = log[0][1]
    assert len(lines) == 3
    assert lines[0]["attributes"] == {"extensionAttribute1": ["x"]}
    assert (lines[2]["eligible"], lines[2]["reason"]) == (False, "cloud_only")


def test_inspect_counts_users_without_a_mailbox_by_reason():
    tenant = FakeMailboxes(mailbox("anna"))
    tenant.without_mailbox = (Member("id-x", "x@contoso.com"), Member("id-y"))
    log = []
    result = inspect(
        Inspection(Selection("group", "Wave 1"), 20),
        mailboxes=tenant,
        recipients=ExchangeRecipients(Batches(**{"id-x": {"Get-MailUser": {"ExchangeGuid": "1" * 8}}})),
        artifacts=lambda name: FakeWriter(name, log, lambda: 0),
        progress=Progress(),
    )
    assert (result["counts"]["total"], result["counts"]["eligible"]) == (3, 1)
    assert result["counts"]["ineligible"] == {"no_mailbox": 1, "on_premises_mailbox": 1}
    assert len(result["mailboxes"]) == 1
    assert log[0][1][1:] == [
        {"id": "id-x", "user_principal_name": "x@contoso.com", "eligible": False, "reason": "on_premises_mailbox"},
        {"id": "id-y", "user_principal_name": "", "eligible": False, "reason": "no_mailbox"},
    ]


class Batches:
    def __init__(self, *rows, **known):
        self.rows = rows
        self.known = known
        self.asked = []

    def invoke(self, cmdlet):
        self.asked.append((cmdlet.name, None))
        yield from self.rows

    def batch(self, cmdlets):
        for cmdlet in cmdlets:
            name = cmdlet.parameters["Identity"]
            self.asked.append((cmdlet.name, name))
            answer = self.known.get(name, {}).get(cmdlet.name, NotFound("none"))
            yield cmdlet, answer if isinstance(answer, Exception) else [answer]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (
            {"Get-User": {"RecipientType": "MailUser"}, "Get-MailUser": {"ExchangeGuid": "1" * 8}},
            "on_premises_mailbox",
        ),
        (
            {
                "Get-User": {"RecipientType": "MailUser"},
                "Get-MailUser": {"ExchangeGuid": "00000000-0000-0000-0000-000000000000"},
            },
            "mail_user",
        ),
        ({"Get-User": {"RecipientType": "MailUser"}}, "mail_user"),
        ({"Get-User": {"RecipientType": "User"}}, "no_mailbox"),
        ({"Get-Recipient": {"RecipientType": "MailContact"}}, "not_a_user"),
        ({}, None),
    ],
)
def test_recipients_without_a_mailbox(answers, reason):
    assert ExchangeRecipients(Batches(a=answers))(["a"]) == ({"a": reason} if reason else {})


def test_recipients_are_asked_for_only_where_needed_and_errors_are_no_answers():
    batches = Batches(a={"Get-User": {"RecipientType": "User"}})
    ExchangeRecipients(batches)(["a"])
    assert batches.asked == [("Get-User", "a")]
    with pytest.raises(PermissionDenied):
        ExchangeRecipients(Batches(a={"Get-User": PermissionDenied("no")}))(["a"])


@pytest.mark.parametrize("few", [0, 400])
def test_reasons_of_users_are_the_same_asked_for_one_by_one_and_all_at_once(few, monkeypatch):
    monkeypatch.setattr(recipients, "_FEW", few)
    rows = {
        "id-a": {"ExternalDirectoryObjectId": "ID-A", "ExchangeGuid": "1" * 8},
        "id-b": {"ExternalDirectoryObjectId": "id-b", "ExchangeGuid": "00000000-0000-0000-0000-000000000000"},
    }
    batches = Batches(*rows.values(), **{key: {"Get-MailUser": row} for key, row in rows.items()})
    reasons = ExchangeRecipients(batches).of_users(["id-a", "id-b", "id-c"])
    assert reasons == {"id-a": "on_premises_mailbox", "id-b": "mail_user", "id-c": "no_mailbox"}
    assert len(batches.asked) == (3 if few else 1)


class Directory:
    base_dn = "DC=corp,DC=test"
    current_time = datetime(2026, 8, 3, 12, tzinfo=UTC)

    def __init__(self, *entries):
        self.entries = entries
        self.filters = []

    def search(self, base, filter_text, attributes):
        assert base == self.base_dn
        self.filters.append(filter_text)
        yield from self.entries


def entry(guid, changed, consistency=None):
    values = {"objectGUID": (guid,), "whenChanged": (changed,)}
    if consistency:
        values["mS-DS-ConsistencyGuid"] = (consistency,)
    return SimpleNamespace(values=values)


def users(count):
    return {f"id-m{n}": DirectoryUser(f"id-m{n}", bytes([n]) * 16, f"CN=m{n}", "corp.test", True) for n in range(count)}


def test_change_times_join_by_source_anchor():
    anchors = [bytes([n]) * 16 for n in range(4)]
    directory = Directory(
        entry(anchors[0], b"20260803100000.0Z"),
        entry(b"\xff" * 16, b"20260803110000.0Z", consistency=anchors[1]),
        # An objectGUID that happens to be another's anchor counts for nothing where a consistency GUID is set.
        entry(anchors[2], b"20260803110000.0Z", consistency=b"\xee" * 16),
    )
    found = users(4)
    now, times = DirectoryChangeTimes(directory, lambda ids: found)([mailbox(f"m{n}") for n in range(4)])
    assert now == directory.current_time
    assert times == {
        "id-m0": datetime(2026, 8, 3, 10, tzinfo=UTC),
        "id-m1": datetime(2026, 8, 3, 11, tzinfo=UTC),
    }
    escaped = filter_escape(anchors[3])
    assert f"(mS-DS-ConsistencyGuid={escaped})(objectGUID={escaped})" in directory.filters[0]


def test_change_times_ask_in_portions_and_take_the_later_of_two_objects():
    anchor = b"\x01" * 16
    directory = Directory(entry(anchor, b"20260803100000.0Z"), entry(anchor, b"20260803090000.0Z"))
    found = users(201)
    _now, times = DirectoryChangeTimes(directory, lambda ids: found)([mailbox(f"m{n}") for n in range(201)])
    assert len(directory.filters) == 3
    assert times["id-m1"].hour == 10


def test_change_times_of_many_mailboxes_are_picked_from_one_scan():
    anchor = b"\x01" * 16
    directory = Directory(entry(anchor, b"20260803100000.0Z"), entry(b"\xaa" * 5, b"20260803090000.0Z"))
    found = {
        f"id-m{n}": DirectoryUser(f"id-m{n}", n.to_bytes(2, "big") * 8, f"CN=m{n}", "corp.test", True)
        for n in range(501)
    }
    _now, times = DirectoryChangeTimes(directory, lambda ids: found)([mailbox(f"m{n}") for n in range(501)])
    assert directory.filters == ["(&(objectCategory=person)(objectClass=user))"]
    assert set(times) == {"id-m257"}


def test_a_time_that_is_none_is_an_error():
    directory = Directory(entry(b"\0" * 16, b"soon"))
    with pytest.raises(ProtocolError, match="'soon'"):
        DirectoryChangeTimes(directory, lambda ids: users(1))([mailbox("m0")])
