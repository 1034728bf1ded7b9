# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every gate is seen failing and passing, cannot tell where an end is gone, and hides no other gate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import trial
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.evaluate import (
    blocking,
    counts,
    evaluate,
    in_words,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.readings import READINGS
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.table import (
    ACCEPTABLE,
    GATES,
    of_phase,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.trial import Observation
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.wanted import check, deviations
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.phases import EXITS, PHASES
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.readiness_file import Deviation
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.read import identify
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.topology import EMT_GROUP
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    AuthenticationError,
    InputError,
    MissingLibrary,
    NotFound,
    PermissionDenied,
    Refused,
    Unavailable,
)
from gate_fakes import GROUP, NOW, ROOT, SERVERS, World, box, entry

OLD = NOW - timedelta(days=400)
HYBRID = ("msExchCoexistenceRelationship", "msExchRoutingSMTPConnector", "serviceConnectionPoint")


def well(tmp_path: Path) -> World:
    """A world in which every gate but servers_gone passes."""
    world = World()
    world.directory.without(*HYBRID)
    world.windows = SimpleNamespace(run=lambda *_given: [])
    mark = identify(world.directory).fingerprint
    path = trial.path_of(tmp_path, "contoso.com")
    off = {"EX01": {"443": False}, "EX02": {"443": False}}
    for hours in (50, 26, 25):
        trial.append(path, Observation(NOW - timedelta(hours=hours), mark, off))
    return world


def judged(world: World, gate: str, tmp_path: Path, **options: Any) -> Any:
    return evaluate([GATES[gate]], world.facts(artifact_dir=tmp_path, **options))[0]


def online(name: str, rows: Any) -> Callable[[World], None]:
    return lambda world: world.online.answers.update({name: rows})


def server(name: str, rows: Any) -> Callable[[World], None]:
    return lambda world: world.server.answers.update({name: rows})


def mailbox_when(switch: str | None, row: dict[str, Any]) -> Callable[[World], None]:
    """Get-Mailbox gives a row where it is asked with this switch only."""
    switches = {"Arbitration", "AuditLog", "AuxAuditLog", "Monitoring", "Migration", "Archive", "PublicFolder"}

    def answer(given: dict[str, Any]) -> list[dict[str, Any]]:
        asked = switches & set(given)
        return [row] if asked == ({switch} if switch else set()) else []

    return server("Get-Mailbox", answer)


def in_ad(*entries: Any) -> Callable[[World], None]:
    return lambda world: world.directory.entries.extend(entries)


def record(side: str, name: str, kind: str, *values: str) -> Callable[[World], None]:
    return lambda world: getattr(world, side).records.update({(name, kind): values})


def setting(**values: Any) -> Callable[[World], None]:
    def change(world: World) -> None:
        for name, value in values.items():
            setattr(world, name, value)

    return change


def forget_trial(world: World) -> None:
    world.directory.entries.append(entry(f"CN=other,{ROOT}", "container"))
    world.doors = {}


QUARANTINED = {"jobs": [{"exists": True, "running": True, "quarantine": {"explanation": "the agent is gone"}}]}
RELAYED = [
    {"Source": "SMTP", "ClientIp": "10.1.2.3", "Sender": "printer@contoso.lab", "Timestamp": "2026-11-21T10:00:00Z"}
]
# What makes each gate fail.
FAILS: dict[str, Callable[[World], None]] = {
    "exit_not_mixed": in_ad(entry(f"CN={EMT_GROUP},CN=Users,{ROOT}", "group")),
    "exit_not_mixed_tools": lambda world: None,
    "mailboxes_cloud_managed": setting(boxes=[box("anna"), box("bert", managed=False)]),
    "tenant_default_cloud": online("Get-OrganizationConfig", [{"BlockExchangeProvisioningFromOnPremEnabled": False}]),
    "groups_cloud_mastered": online("Get-DistributionGroup", [{"DisplayName": "All", "IsDirSynced": True}]),
    "contacts_cloud_mastered": online("Get-MailContact", [{"DisplayName": "Cem", "IsDirSynced": "True"}]),
    "mail_users_none": online("Get-MailUser", [{"UserPrincipalName": "dora", "IsDirSynced": True}]),
    "writeback_job_healthy": setting(job=QUARANTINED),
    "round_trip_proven": setting(round_trip={"proven": False, "counts": {"total": 2, "equal": 1, "differs": 1}}),
    "cloud_moves_finished": online("Get-MigrationBatch", [{"Identity": "wave", "Status": "Syncing"}]),
    "cloud_routing": online(
        "Get-OutboundConnector", [{"Name": "To on-premises", "Enabled": True, "RouteAllMessagesViaOnPremises": True}]
    ),
    "operator_graph": setting(granted=["9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30"]),
    "hybrid_agent_gone": lambda world: setattr(
        world, "windows", SimpleNamespace(run=lambda *_given: [{"Name": "HybridService", "Status": "Running"}])
    ),
    "servers_agree": server("Get-ExchangeServer", [{"Name": "EX01"}]),
    "no_mailboxes": mailbox_when(None, {"Name": "Anna", "RecipientTypeDetails": "UserMailbox"}),
    "no_archives": mailbox_when("Archive", {"Name": "Anna", "ArchiveDatabase": "DB01"}),
    "no_mailboxes_in_directory": in_ad(entry(f"CN=Anna,CN=Users,{ROOT}", "user", homeMDB=f"CN=DB01,{GROUP}")),
    "discovery_mailboxes": mailbox_when(None, {"Name": "Case 7", "RecipientTypeDetails": "DiscoveryMailbox"}),
    "system_mailboxes": mailbox_when("Arbitration", {"Name": "Moderators", "Identity": "Moderators"}),
    "public_folders": mailbox_when("PublicFolder", {"Name": "PF01"}),
    "server_moves_finished": server("Get-MoveRequest", [{"DisplayName": "Anna", "Status": "InProgress"}]),
    "relay_quiet": server("Get-MessageTrackingLog", lambda given: RELAYED if "EventId" in given else [{}]),
    "receive_connectors": server(
        "Get-ReceiveConnector", [{"Name": "Printers", "Identity": "EX01\\Printers", "Server": "EX01", "Enabled": True}]
    ),
    "send_connectors": server("Get-SendConnector", [{"Name": "Partner", "Enabled": True}]),
    "edge_subscriptions": server("Get-EdgeSubscription", [{"Name": "EDGE01"}]),
    "queues_empty": server("Get-Queue", [{"Identity": "EX01\\3", "MessageCount": 2, "DeliveryType": "SmtpDelivery"}]),
    "certificates_valid": server(
        "Get-ExchangeCertificate",
        [{"Thumbprint": "A" * 40, "Subject": "CN=Federation", "NotAfter": OLD.isoformat(), "Services": "Federation"}],
    ),
    "operator_exchange": server("Get-RoleGroupMember", [{"Name": "other", "DistinguishedName": f"CN=other,{ROOT}"}]),
    "mx_external": record("external", "contoso.lab", "MX", "10 mail.contoso.lab"),
    "mx_internal": record("internal", "contoso.lab", "MX"),
    "autodiscover_external": record("external", "autodiscover.contoso.lab", "CNAME", "ex01.contoso.lab"),
    "autodiscover_internal": record("internal", "autodiscover.contoso.lab", "CNAME"),
    "autodiscover_srv_external": record(
        "external", "_autodiscover._tcp.contoso.lab", "SRV", "0 0 443 ex01.contoso.lab"
    ),
    "autodiscover_srv_internal": record(
        "internal", "_autodiscover._tcp.contoso.lab", "SRV", "0 0 443 ex01.contoso.lab"
    ),
    "spf_external": record(
        "external", "contoso.lab", "TXT", "v=spf1 ip4:203.0.113.0/24 include:spf.protection.outlook.com"
    ),
    "spf_internal": record("internal", "contoso.lab", "TXT", "v=spf1 -all"),
    "autodiscover_scp": in_ad(
        entry(
            f"CN=EX01,CN=Autodiscover,CN=Protocols,CN=EX01,{SERVERS}",
            "serviceConnectionPoint",
            keywords=["77378F46-2C66-4aa9-A6A6-3E7A48B19596"],
            serviceBindingInformation="https://mail.contoso.lab/autodiscover/autodiscover.xml",
        )
    ),
    "expansion_servers": in_ad(entry(f"CN=All,CN=Users,{ROOT}", "group", msExchExpansionServerName="EX01")),
    "hybrid_clean_up_done": in_ad(
        entry(f"CN=Hybrid Configuration,CN=Hybrid Configuration,{GROUP}", "msExchCoexistenceRelationship")
    ),
    "exchange_schema": lambda world: world.directory.without("attributeSchema") and None,
    "operator_domain": lambda world: world.directory.chain.clear(),
    "trial_shutdown": lambda world: None,
    "servers_gone": lambda world: None,
}
# What the gate cannot fail by: a look at a file that another test is about.
BY_READING = {"trial_shutdown"}


def test_every_gate_has_a_way_to_fail() -> None:
    assert set(FAILS) == set(GATES)


@pytest.mark.parametrize("gate", sorted(set(GATES) - {"servers_gone", "exit_not_mixed_tools"}))
def test_every_gate_passes_where_all_is_well(gate: str, tmp_path: Path) -> None:
    found = judged(well(tmp_path), gate, tmp_path)
    assert found.verdict == "passed", found.detail
    assert found.detail.endswith(".")


@pytest.mark.parametrize("gate", sorted(set(GATES) - BY_READING))
def test_every_gate_fails_where_something_is_not_so(gate: str, tmp_path: Path) -> None:
    world = well(tmp_path)
    FAILS[gate](world)
    options = {"exit": "management_tools"} if gate == "exit_not_mixed_tools" else {}
    found = judged(world, gate, tmp_path, **options)
    assert found.verdict == "failed", found.detail
    assert found.blocks
    assert found.gate.fix


def test_the_last_gates_pass_when_it_is_done(tmp_path: Path) -> None:
    world = well(tmp_path)
    world.directory.without("msExchExchangeServer")
    assert judged(world, "servers_gone", tmp_path).verdict == "passed"
    world.boxes = [box("anna", managed=False)]
    assert judged(world, "exit_not_mixed_tools", tmp_path, exit="management_tools").verdict == "passed"


@pytest.mark.parametrize("gate", sorted(GATES))
def test_no_gate_passes_where_an_end_is_gone(gate: str, tmp_path: Path) -> None:
    world = well(tmp_path)
    gone = Unavailable("nobody answers here")
    world.broken = dict.fromkeys(("online", "server", "directory", "internal", "external", "windows"), gone)
    world.job = world.round_trip = gone
    world.principals.clear()
    found = judged(world, gate, tmp_path)
    assert found.verdict == "cannot_tell"
    assert "nobody answers here" in found.detail or gate == "operator_graph"


def test_gates_that_one_error_hides_are_told_together_and_without_what_would_not_help(tmp_path: Path) -> None:
    world = well(tmp_path)
    world.broken = {"server": Unavailable("nobody answers here")}
    world.boxes = [box("bert", managed=False)]
    names = ("no_mailboxes", "mailboxes_cloud_managed", "queues_empty")
    verdicts = evaluate([GATES[name] for name in names], world.facts(artifact_dir=tmp_path))
    hidden, failed = blocking(verdicts)
    assert hidden == "no_mailboxes, queues_empty could not be told: nobody answers here."
    assert failed == in_words(verdicts[1])
    assert failed.endswith(GATES["mailboxes_cloud_managed"].fix)
    assert in_words(verdicts[0]) == "no_mailboxes could not be told: nobody answers here."
    assert verdicts[0].as_result(1)["fix"] == "Mend what the error names, and judge it again."


def test_where_no_server_is_left_none_is_asked(tmp_path: Path) -> None:
    world = well(tmp_path)
    world.directory.without("msExchExchangeServer")
    found = judged(world, "no_mailboxes", tmp_path)
    assert found.detail.startswith("Active Directory has no Exchange Server any more")
    assert world.server.sent == []
    assert judged(world, "servers_gone", tmp_path).verdict == "passed"


def test_one_end_that_is_gone_hides_no_gate_of_another_end(tmp_path: Path) -> None:
    world = well(tmp_path)
    world.broken = {"server": PermissionDenied("Get-Mailbox is not offered")}
    found = {
        item.gate.id: item
        for item in evaluate(of_phase("uninstall", "source_of_authority"), world.facts(artifact_dir=tmp_path))
    }
    for item in found.values():
        expected = "cannot_tell" if "exchange_server" in item.ends else "passed"
        assert item.verdict == expected, (item.gate.id, item.detail)
    assert "Get-Mailbox is not offered" in found["no_mailboxes"].detail
    assert counts(list(found.values()))["blocking"] == sum("exchange_server" in item.ends for item in found.values())


@pytest.mark.parametrize("error", [AuthenticationError("wrong password"), Unavailable("no controller answers")])
def test_an_end_is_not_taken_for_gone_because_another_one_is(error: Any, tmp_path: Path) -> None:
    world = well(tmp_path)
    world.broken = {"directory": error}
    # The first four of these need the directory to know the servers by name, the others do not.
    gates = ("relay_quiet", "queues_empty", "certificates_valid", "servers_agree", "no_mailboxes", "send_connectors")
    found = evaluate([GATES[name] for name in gates], world.facts(artifact_dir=tmp_path))
    assert [item.verdict for item in found] == ["cannot_tell"] * 4 + ["passed"] * 2


@pytest.mark.parametrize(("error", "times"), [(AuthenticationError("wrong password"), 1), (Unavailable("cut"), 2)])
def test_an_end_that_does_not_answer_is_not_asked_for_ever(error: Any, times: int, tmp_path: Path) -> None:
    world = well(tmp_path)
    asked = []

    def answer(given: Any) -> Any:
        asked.append(given)
        return type(error)(error.message)  # each failure is one of its own

    names = (
        "Get-Mailbox",
        "Get-MoveRequest",
        "Get-MigrationBatch",
        "Get-ReceiveConnector",
        "Get-SendConnector",
        "Get-ExchangeServer",
    )
    world.server.answers = dict.fromkeys(names, answer)
    gates = [
        GATES[name]
        for name in ("no_mailboxes", "no_archives", "server_moves_finished", "receive_connectors", "send_connectors")
    ]
    assert {item.verdict for item in evaluate(gates, world.facts())} == {"cannot_tell"}
    assert len(asked) == times


def test_a_missing_library_ends_the_run() -> None:
    world = World()
    world.broken = {"external": MissingLibrary("dnspython")}  # type: ignore[dict-item]  # any error of a far end
    with pytest.raises(MissingLibrary):
        evaluate([GATES["mx_external"]], world.facts())


@pytest.mark.parametrize("exit_", EXITS)
def test_the_table_is_whole(exit_: str) -> None:
    for gate in GATES.values():
        assert set(gate.needs) | set(gate.helps) <= set(READINGS), gate.id
        assert gate.phases
        assert set(gate.phases) <= set(PHASES)
        assert gate.hours > 0
        assert gate.asserts.endswith(".")
        assert gate.fix.endswith(".")
        assert gate.source
        assert gate.acceptable is None or gate.acceptable.endswith(".")
    used = {name for gate in GATES.values() for name in (*gate.needs, *gate.helps)}
    helpers = {"inbound_connectors", "accepted_domains"}  # of the name servers' gates
    assert set(READINGS) == used | helpers
    assert of_phase("clean_up", exit_)


def test_never_acceptable_is_what_would_lose_mail_or_mailboxes() -> None:
    never = {"no_mailboxes", "no_archives", "no_mailboxes_in_directory", "mailboxes_cloud_managed", "relay_quiet"}
    assert not (never | {"exit_not_mixed", "public_folders", "queues_empty", "servers_gone"}) & ACCEPTABLE


def test_a_deviation_lets_a_gate_be_gone_on_without_until_it_ends(tmp_path: Path) -> None:
    world = well(tmp_path)
    FAILS["mx_external"](world)
    accepted = Deviation("mx_external", "gateway", "anna", NOW + timedelta(days=1))
    found = judged(world, "mx_external", tmp_path, deviations={"mx_external": accepted})
    assert (found.verdict, found.blocks) == ("failed", False)
    over = replace(accepted, until=NOW)
    assert judged(world, "mx_external", tmp_path, deviations={"mx_external": over}).blocks
    good = judged(
        well(tmp_path), "mx_internal", tmp_path, deviations={"mx_internal": replace(accepted, gate="mx_internal")}
    )
    assert good.accepted is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"gate": "no_mailboxes", "reason": "x", "by": "y"}, "cannot be accepted"),
        ({"gate": "nothing", "reason": "x", "by": "y"}, "cannot be accepted"),
        ({"gate": "mx_external", "reason": " ", "by": "y"}, "needs a reason"),
        ({"gate": "mx_external", "reason": "x", "by": "y", "until": "soon"}, "write it as"),
    ],
)
def test_deviations_are_checked_before_anything_is_read(given: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        deviations([given], ACCEPTABLE)


def test_a_date_alone_means_its_end() -> None:
    found = deviations([{"gate": "mx_external", "reason": "x", "by": "y", "until": "2026-12-31"}], ACCEPTABLE)
    assert str(found["mx_external"].until) == "2026-12-31 23:59:59+00:00"
    twice = [{"gate": "mx_external", "reason": "x", "by": "y"}] * 2
    with pytest.raises(InputError, match="twice"):
        deviations(twice, ACCEPTABLE)


def test_the_way_of_the_management_tools_has_no_uninstall() -> None:
    with pytest.raises(Refused, match="never uninstalled"):
        check("uninstall", "management_tools")
    check("clean_up", "management_tools")


def test_public_folders_that_the_cloud_sends_its_users_to_are_found(tmp_path: Path) -> None:
    world = well(tmp_path)
    world.online.answers["Get-OrganizationConfig"] = [{"PublicFoldersEnabled": "Remote"}]
    assert judged(world, "public_folders", tmp_path).verdict == "failed"
    world = well(tmp_path)
    world.server.answers["Get-PublicFolder"] = NotFound("No active public folder mailboxes were found.")
    assert judged(world, "public_folders", tmp_path).verdict == "passed"
    mailbox_when("PublicFolder", {"Name": "PF01"})(world)
    assert judged(world, "public_folders", tmp_path).verdict == "cannot_tell"


def test_the_hybrid_agent_shows_on_its_server_only(tmp_path: Path) -> None:
    world = well(tmp_path)
    world.broken["windows"] = InputError("give windows_host")
    assert judged(world, "hybrid_agent_gone", tmp_path).verdict == "passed"
    world.online.answers["Get-MigrationEndpoint"] = [{"Identity": "Hybrid", "RemoteServer": "x.his.msappproxy.net"}]
    found = judged(world, "hybrid_agent_gone", tmp_path)
    assert found.verdict == "cannot_tell"
    assert "windows_host" in found.detail


def test_the_mailbox_sample_is_the_same_in_any_order(tmp_path: Path) -> None:
    names = [f"user{number}" for number in range(50)]
    samples = set()
    for order in (names, names[::-1]):
        world = World(boxes=[box(name) for name in order])
        samples.add(world.facts(sample_size=5).value("mailboxes").sample)
    assert len(samples) == 1
    assert len(samples.pop()) == 5


def test_without_a_mailbox_to_try_nobody_can_tell(tmp_path: Path) -> None:
    world = World(boxes=[box("cloud only", synced=False)])
    assert judged(world, "round_trip_proven", tmp_path).verdict == "cannot_tell"
    assert judged(world, "mailboxes_cloud_managed", tmp_path).verdict == "cannot_tell"
