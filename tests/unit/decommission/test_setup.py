# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server is uninstalled: what blocks is told, what can be is prepared, Setup runs, nothing is left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import begun as setup_begun
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import log as setup_log
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import product as setup_product
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import uninstall
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.uninstall import Outcome
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Credential

from tests.unit.decommission.clean_up_fakes import CONFIGURATION, FOREST
from tests.unit.decommission.setup_fakes import ServerStage


@pytest.fixture
def stage(tmp_path: Path) -> ServerStage:
    return ServerStage(tmp_path)


@pytest.fixture
def last(stage: ServerStage) -> ServerStage:
    """The state after EX01 is gone: EX02 is the last one, with the organization's own mailboxes."""
    stage.remove_first()
    return stage


def run(stage: ServerStage, check: bool = False, **stated: Any) -> Outcome:
    return uninstall.uninstall(stage.setup_ends, stage.stated(**stated), check)


def test_the_first_of_two_servers_goes_and_hands_its_connectors_over(stage: ServerStage) -> None:
    done = run(stage)
    assert stage.server.changes == [
        "Disable-Mailbox HealthMailbox1",
        "Set-SendConnector To Northwind",
        r"Remove-MailboxDatabaseCopy DB01\EX02",
        "Remove-DatabaseAvailabilityGroupServer DAG01",
        "Remove-MailboxDatabase DB01",
    ]
    assert stage.host.started == [[r"C:\Exchange\bin\Setup.exe", *setup_product.ARGUMENTS]]
    assert stage.server.find("SendConnector", "To Northwind")["SourceTransportServers"] == ["EX02"]
    assert stage.directory.servers == ["EX02"]
    assert (done.read.last, done.reboot_required) == (False, False)
    assert done.remains is not None and done.remains.clean


def test_a_second_run_changes_nothing_and_needs_no_readiness(stage: ServerStage) -> None:
    run(stage)
    stage.server.sent.clear()
    again = run(stage, readiness=None, readiness_sha256=None)
    assert (again.done, stage.server.sent, len(stage.host.started)) == ((), [], 1)
    stage.host.off = True
    gone = run(stage, readiness=None, readiness_sha256=None)
    assert gone.remains is not None
    assert "was not looked at" in gone.remains.unknown[0]


def test_the_last_server_takes_the_organizations_own_mailboxes_with_it(last: ServerStage) -> None:
    run(last, server="EX02")
    disabled = [cmdlet.parameters for cmdlet in last.server.sent if cmdlet.name == "Disable-Mailbox"]
    assert [parameters["Identity"] for parameters in disabled] == [
        "SystemMailbox{1}",
        "Migration.8f3e7716",
        "HealthMailbox2",
    ]
    arbitration = {"DisableLastArbitrationMailboxAllowed", "DisableArbitrationMailboxWithOABsAllowed", "Arbitration"}
    assert arbitration <= set(disabled[0])
    assert arbitration & set(disabled[2]) == set()
    assert last.directory.servers == []


def test_what_setup_leaves_of_the_organization_is_told_and_not_judged(last: ServerStage) -> None:
    last.directory.places = {f"OU=Microsoft Exchange Security Groups,{FOREST}"}
    done = run(last, server="EX02")
    assert done.remains is not None
    assert done.remains.tree == (f"the security groups (OU=Microsoft Exchange Security Groups,{FOREST})",)


@pytest.mark.parametrize(
    ("noun", "row", "blocker"),
    [
        ("Mailbox", {"Name": "Anna", "Database": "DB01"}, "mailboxes"),
        ("Queue", {"Name": "q", "Identity": r"EX01\3", "MessageCount": 4, "DeliveryType": "Smtp"}, "queues"),
        ("EdgeSubscription", {"Name": "EDGE1"}, "edge_subscriptions"),
        ("DistributionGroup", {"Name": "All", "ExpansionServer": "/o=x/cn=EX01"}, "expansion_server"),
        ("OfflineAddressBook", {"Name": "OAB", "Server": "EX01"}, "address_books"),
        ("MoveRequest", {"Name": "Bert", "Status": "InProgress", "SourceDatabase": "DB01"}, "moves"),
    ],
)
def test_what_blocks_is_told_with_what_to_do_and_nothing_is_changed(
    stage: ServerStage, noun: str, row: dict[str, Any], blocker: str
) -> None:
    stage.server.add(noun, **row)
    with pytest.raises(errors.Refused) as caught:
        run(stage)
    assert caught.value.facts["blockers"] == [blocker]
    assert row["Name"] in caught.value.message or row["Identity"] in caught.value.message
    assert (stage.server.sent, stage.host.started) == ([], [])
    shown = run(stage, check=True)
    assert shown.plan.blockers[0].id == blocker


def test_everything_that_blocks_is_told_at_once(stage: ServerStage) -> None:
    stage.server.add("Mailbox", Name="Anna", Database="DB01")
    stage.server.add("EdgeSubscription", Name="EDGE1")
    stage.host.keys[setup_product_pending()] = {}
    shown = run(stage, check=True, readiness=None, readiness_sha256=None)
    assert [item.id for item in shown.plan.blockers] == ["reboot_pending", "mailboxes", "edge_subscriptions"]
    assert "decommission_readiness_info" in shown.refused[0]
    assert len(shown.refused) == 4


def setup_product_pending() -> str:
    from ansible_collections.hybrid.exchange.plugins.module_utils._run import windows_host

    return windows_host.PENDING_KEYS[0]


def test_queues_of_copies_do_not_block(stage: ServerStage) -> None:
    stage.server.add("Queue", Name="s", Identity=r"EX01\Shadow\1", MessageCount=9, DeliveryType="ShadowRedundancy")
    assert run(stage, check=True).plan.blockers == ()


def test_the_server_with_the_organizations_mailboxes_goes_last(stage: ServerStage) -> None:
    stage.host.name = "EX02"
    with pytest.raises(errors.Refused, match="which is not the last one: SystemMailbox"):
        run(stage, server="EX02")


def test_the_last_server_may_not_be_the_source_of_a_connector(last: ServerStage) -> None:
    last.server.add("SendConnector", Name="Internet", SourceTransportServers=["EX02"])
    with pytest.raises(errors.Refused, match="Send connectors have this server, the last one, as a source: Internet"):
        run(last, server="EX02")


def test_the_last_server_is_never_uninstalled_on_the_way_of_the_management_tools(last: ServerStage) -> None:
    last.directory.emt = True
    with pytest.raises(errors.Refused, match="never uninstalled"):
        run(last, server="EX02")
    assert last.host.started == []


def test_a_claim_about_the_last_server_must_be_true(stage: ServerStage) -> None:
    with pytest.raises(errors.Refused, match="AD has others: EX02"):
        run(stage, last_server="yes")
    stage.remove_first()
    with pytest.raises(errors.Refused, match="AD has no other"):
        run(stage, server="EX02", last_server="no")


def test_another_host_than_the_server_is_refused(stage: ServerStage) -> None:
    stage.host.name = "EX07"
    with pytest.raises(errors.Refused, match="is the server EX07, and server is EX01"):
        run(stage)


def test_check_mode_sends_nothing(stage: ServerStage) -> None:
    shown = run(stage, check=True)
    assert [action.step.id for action in shown.plan.actions][-1] == "run_setup"
    assert (stage.server.sent, stage.host.started, list(stage.directory_for_artifacts.glob("exchange-*"))) == (
        [],
        [],
        [],
    )


def test_all_that_goes_is_exported_before(stage: ServerStage) -> None:
    done = run(stage)
    assert done.export is not None
    header, *lines = [json.loads(line) for line in Path(done.export.path).read_text().splitlines()]
    assert (header["server"], header["last"]) == ("EX01", False)
    kinds = {line["kind"] for line in lines}
    assert {"system_mailbox", "send_connector", "database_copy", "database", "server", "receive_connector"} <= kinds


def test_setup_that_fails_says_why_by_its_log(stage: ServerStage) -> None:
    stage.host.code, stage.host.log = 1, ["[t] [0] [ERROR] The disk is full.", "[t] [0] [ERROR] The disk is full."]
    with pytest.raises(errors.Conflict, match="exit code 1: Setup failed or refused") as caught:
        run(stage)
    assert caught.value.facts["log_errors"] == ["The disk is full."]
    assert caught.value.facts["changed"]
    assert len(caught.value.facts["steps_done"]) == 5
    stage.host.code, stage.host.log = 0, []
    run(stage)
    assert stage.directory.servers == ["EX02"]


def test_setup_that_may_not_reach_a_domain_controller_asks_for_an_account(stage: ServerStage) -> None:
    stage.host.code = 1
    stage.host.log = ["[t] [0] [ERROR] The user isn't logged on to an Active Directory domain."]
    with pytest.raises(errors.Conflict, match="give setup_user and setup_password"):
        run(stage)
    stage.host.code, stage.host.log = 0, []
    run(stage, setup_credential=Credential("CONTOSO\\admin", "secret"))
    assert stage.host.credentials == [None, Credential("CONTOSO\\admin", "secret")]


def test_a_restart_that_is_needed_is_told(stage: ServerStage) -> None:
    stage.host.code = 3010
    assert run(stage).reboot_required


@pytest.mark.parametrize(("choice", "stopped"), [("leave", False), ("stop", True)])
def test_setup_that_hangs_is_left_or_stopped_and_goes_on_later(stage: ServerStage, choice: str, stopped: bool) -> None:
    stage.host.hangs = True
    with pytest.raises(errors.Timeout, match="wrote nothing into its log for 5 seconds"):
        run(stage, setup_hangs=choice, setup_quiet_timeout=5)
    assert bool(stage.host.stopped) is stopped
    stage.host.let_go(finish=not stopped)
    run(stage)
    assert stage.directory.servers == ["EX02"]


def test_a_lost_connection_is_settled_by_the_processes_and_the_state(stage: ServerStage) -> None:
    stage.host.lose = True
    done = run(stage)
    assert done.remains is not None and done.remains.clean
    assert len(stage.host.started) == 1


def test_a_setup_that_died_with_its_session_goes_on_in_the_next_run(stage: ServerStage) -> None:
    stage.host.lose, stage.host.dies = True, True
    with pytest.raises(errors.Conflict, match="ended on EX01 unseen, and Exchange is still installed"):
        run(stage)
    stage.server.refuse["Get-Mailbox"] = errors.Unavailable("Exchange is down", uncertain=False)
    nothing: dict[str, Any] = {"readiness": None, "readiness_sha256": None}
    looked = run(stage, check=True, **nothing)
    assert (looked.goes_on, looked.refused) == (True, [])
    stage.host.lose = stage.host.dies = False
    assert run(stage, **nothing).goes_on
    assert stage.directory.servers == ["EX02"]


def test_a_process_that_is_called_setup_is_no_setup_that_was_begun(stage: ServerStage) -> None:
    header = {"kind": setup_begun.KIND, "tenant_id": "contoso.com", "server": "EX01", "forest": FOREST}
    (stage.directory_for_artifacts / "exchange-server-EX01-20260101T000000Z.jsonl").write_text(json.dumps(header))
    stage.host.processes = [4711]
    looked = run(stage, readiness=None, readiness_sha256=None, check=True)
    assert not looked.goes_on
    assert "This needs the readiness" in looked.refused[0]


@pytest.mark.parametrize("export", ["none", "of another tenant", "of another server", "broken"])
def test_a_setup_that_nobody_allowed_goes_on_behind_the_gates_only(stage: ServerStage, export: str) -> None:
    stage.host.keys[setup_product.ROLE_KEYS[0]] = {"Action": "Uninstall"}
    header = {"kind": setup_begun.KIND, "tenant_id": "contoso.com", "server": "EX01", "forest": FOREST}
    header |= {"of another tenant": {"tenant_id": "x"}, "of another server": {"server": "EX02"}}.get(export, {})
    text = "{" if export == "broken" else json.dumps(header)
    if export != "none":
        (stage.directory_for_artifacts / "exchange-server-EX01-20260101T000000Z.jsonl").write_text(text)
    looked = run(stage, readiness=None, readiness_sha256=None, check=True)
    assert not looked.goes_on
    assert "This needs the readiness" in looked.refused[0]
    with pytest.raises(errors.Refused, match="This needs the readiness"):
        run(stage, readiness=None, readiness_sha256=None)
    assert stage.host.started == []


def test_the_readiness_counts_on_where_setup_took_the_organization_away_already(last: ServerStage) -> None:
    path, sha256 = last.ready("uninstall")
    path = str(Path(path).rename(Path(path).with_name("approved.json")))
    last.host.lose, last.host.dies = True, True
    with pytest.raises(errors.Conflict):
        run(last, server="EX02", readiness=path, readiness_sha256=sha256)
    last.directory.organization, last.directory.servers = False, []
    last.host.lose = last.host.dies = False
    for export in last.directory_for_artifacts.glob("exchange-server-*"):
        export.unlink()  # which would be enough by itself
    assert not run(last, server="EX02", readiness=path, readiness_sha256=sha256).goes_on
    assert len(last.host.started) == 2


def test_lingering_services_fail_or_are_accepted(stage: ServerStage) -> None:
    stage.host.lingers = ["MSExchangeTransport"]
    with pytest.raises(errors.Conflict, match=r"MSExchangeTransport \(Stopped\).*sc\.exe delete"):
        run(stage)
    done = run(stage, lingering_services="accept")
    assert done.remains is not None
    assert done.remains.lingering == ("MSExchangeTransport (Stopped)",)


@pytest.mark.parametrize(("what", "words"), [("points", "service connection point"), ("sites", "web site")])
def test_what_is_left_fails(stage: ServerStage, what: str, words: str) -> None:
    if what == "points":
        stage.directory.points = ["EX01"]
    else:
        stage.host.leaves_site = True
    with pytest.raises(errors.Conflict, match=words) as caught:
        run(stage)
    assert "Never remove Exchange's objects over LDAP" in caught.value.message


def test_a_preparation_whose_answer_was_lost_is_settled_by_reading(stage: ServerStage) -> None:
    stage.server.lose["Remove-MailboxDatabase"] = True
    run(stage)
    assert stage.server.changes.count("Remove-MailboxDatabase DB01") == 1


@pytest.mark.parametrize("at", range(5))
def test_killed_at_any_preparation_the_next_run_finishes(stage: ServerStage, at: int) -> None:
    stage.server.dies_after = at
    with pytest.raises(KeyboardInterrupt):
        run(stage)
    stage.server.dies_after = None
    run(stage)
    assert stage.directory.servers == ["EX02"]
    assert len(stage.server.sent) == 5


def test_the_log_is_followed_from_where_it_was() -> None:
    assert setup_log._after(["a", "b"], ["b", "c", "d"]) == ["c", "d"]
    assert setup_log._after([], ["a"]) == ["a"]
    assert setup_log._after(["a"], ["a"]) == []
    assert setup_log._after(["a"], ["x", "y"]) == ["x", "y"]
    assert setup_log.progress(["[1] [0] Removing the mailbox role", "[1] [0] [ERROR] x"]) == "Removing the mailbox role"


def test_the_configuration_is_named_by_its_partition() -> None:
    assert CONFIGURATION.endswith(FOREST)
