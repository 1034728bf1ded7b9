# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The agent on a server, through the whole use case, on a server in memory."""

from __future__ import annotations

import pytest
from agent_fakes import (
    CACHED,
    DOMAIN,
    HASH,
    SETUP,
    FakeHost,
    Stage,
    stage,
    wanted,
)
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._agent import product
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.ensure import Outcome, ensure
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.wanted import Installer, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._run import windows_host

NEW = ["install", "connect", "set_gmsa", "add_domain", "restart_service"]
STAGED = rf"{product.STAGING_FOLDER}\AADConnectProvisioningAgentSetup.exe"


@pytest.fixture
def here() -> Stage:
    return stage()


def run(here: Stage, what: Wanted | None = None, check: bool = False) -> Outcome:
    return ensure(here.ends, what or wanted(), check)


def second(here: Stage) -> None:
    """Another active agent of the domain."""
    other = FakeHost(here.clock, "sync2")
    other.install()
    here.graph.servers.append(other)


def test_from_nothing_to_an_active_agent_and_then_nothing_more(here: Stage) -> None:
    planned = run(here, check=True)
    assert here.host.names == [], "check mode sends nothing that changes"
    done = run(here)
    assert list(done.plan.steps) == list(done.done) == NEW == list(planned.plan.steps)
    assert (done.plan.before, done.plan.after) == (planned.plan.before, planned.plan.after)
    assert here.host.at_work
    assert here.host.account == "CONTOSO\\provAgentgMSA$"
    assert here.host.domains == [DOMAIN]
    assert here.host.files == {SETUP: HASH, r"C:\Windows": ""}, "what was staged is gone, and nothing else"
    assert here.host.environment == ("/quiet", "/norestart")
    assert {verdict.verdict for verdict in done.verdicts} == {"passed"}
    here.host.sent.clear()
    again = run(here)
    assert again.plan.steps == ()
    assert here.host.names == []
    assert again.plan.before == again.plan.after


def test_the_clouds_environment_and_preferred_controllers_are_handed_on(here: Stage) -> None:
    run(here, wanted(cloud="gcc_high", preferred_domain_controllers=("dc1", "dc2")))
    assert here.host.environment == ("/quiet", "/norestart", "ENVIRONMENTNAME=AzureUSGovernment")
    assert here.host.controllers == ["dc1", "dc2"]


@pytest.mark.parametrize("permissions", [(), ("All",)])
def test_a_given_account_gets_the_permissions_of_writeback_or_those_stated(
    here: Stage, permissions: tuple[str, ...]
) -> None:
    done = run(here, wanted(gmsa="svc-sync$", permissions=permissions))
    assert list(done.done) == ["install", "connect", "set_gmsa", "set_permissions", "add_domain", "restart_service"]
    assert here.host.account == "CONTOSO\\svc-sync$"
    assert here.host.permissions == list(permissions or ("HybridExchangePermissions",))


def test_every_prerequisite_that_is_not_met_is_told_in_one_message_and_nothing_is_changed(here: Stage) -> None:
    host, forest = here.host, here.forest
    host.system |= {"BuildNumber": "9600", "ProductType": 3}
    host.computer |= {"TotalPhysicalMemory": 2 * 2**30, "PartOfDomain": False, "Domain": "WORKGROUP"}
    host.registry[product.CURRENT_VERSION]["InstallationType"] = "Server Core"
    host.registry[product.NET_FULL]["Release"] = 394802
    host.registry[product.NET_STRONG[1]].pop("SchUseStrongCrypto")
    host.registry[rf"{product.SCHANNEL}\Client"] = {"Enabled": 0, "DisabledByDefault": 0}
    host.registry[windows_host.PENDING_KEYS[0]] = {}
    host.policies["LocalMachine"] = "Unrestricted"
    host.vault = "Disabled"
    host.closed_ports = {"login.windows.net:443"}
    host.signature = ("HashMismatch", product.SIGNER)
    host.files[SETUP] = "cd" * 32
    host.offered = "1.1.582.0"
    forest.exchange = forest.attribute = False
    forest.root_keys = ()
    with pytest.raises(errors.Refused) as caught:
        run(here)
    failed = [row["id"] for row in caught.value.facts["prerequisites"] if row["verdict"] == "failed"]
    assert failed == [
        *("windows_server", "server_core", "domain_member", "memory", "dotnet", "tls12_dotnet", "tls12_schannel"),
        *("execution_policy", "vault_service", "reboot_pending", "outbound", "schema_attribute", "exchange_schema"),
        *("kds_root_key", "installer_hash", "installer_signature", "installer_version"),
    ]
    message = caught.value.message
    assert "17 prerequisite(s) of the agent are not met, and nothing was changed." in message
    assert all(name in message for name in failed)
    assert "SchUseStrongCrypto is not set" in message
    assert "not reached: login.windows.net:443." in message
    assert host.names == []


def test_what_cannot_be_told_blocks_until_it_is_accepted_with_a_reason(here: Stage) -> None:
    ends = here.ends
    blind = type(ends)(ends.host, ends.agents, None, ends.clock, ends.progress, ends.warn)
    here.host.kds = ["2026-01-01T00:00:00Z"]
    with pytest.raises(errors.Refused, match=r"2 prerequisite.*schema_attribute could not be told.*directory_hosts"):
        ensure(blind, wanted(), False)
    accepted = {"schema_attribute": "checked by hand", "exchange_schema": "checked by hand"}
    done = ensure(blind, wanted(accepted=accepted), False)
    assert {verdict.id: verdict.accepted for verdict in done.verdicts if verdict.accepted} == accepted


@pytest.mark.parametrize("name", ["installer_signature", "installer_hash", "nonsense"])
def test_what_runs_on_the_server_cannot_be_accepted(here: Stage, name: str) -> None:
    with pytest.raises(errors.InputError, match=f"{name} cannot be accepted"):
        run(here, wanted(accepted={name: "I dare"}))
    assert here.host.sent == []


def test_a_hash_is_stated_or_its_absence_accepted(here: Stage) -> None:
    bare = Installer(path=SETUP)
    with pytest.raises(errors.Refused, match=f"installer.sha256 is not stated; that of .* is {HASH}"):
        run(here, wanted(installer=bare))
    run(here, wanted(installer=bare, accepted={"installer_hash_stated": "the share is ours"}))
    assert here.host.at_work


def test_a_downloaded_installer_is_judged_before_it_runs(here: Stage) -> None:
    source = Installer(url="https://files.contoso.com/a/Setup.exe?sig=secret", sha256="00" * 32)
    with pytest.raises(errors.Refused, match="was not run: its SHA-256 is") as caught:
        run(here, wanted(installer=source))
    assert "secret" not in caught.value.message
    assert "Start-Process" not in here.host.names
    assert not [path for path in here.host.files if path.startswith(product.STAGING_FOLDER)]
    here.host.signature = ("NotSigned", "")
    good = Installer(url="https://files.contoso.com/a/Setup.exe", sha256=HASH)
    with pytest.raises(errors.Refused, match="is NotSigned; wanted is a valid signature by CN=Microsoft Corporation"):
        run(here, wanted(installer=good))
    here.host.signature = ("Valid", "CN=Somebody Else")
    with pytest.raises(errors.Refused, match="signed by CN=Somebody Else"):
        run(here, wanted(installer=good))
    assert "Start-Process" not in here.host.names


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1603, "exit code 1603: Windows Installer met a fatal error and rolled back. Its log lies in"),
        (1618, "another installation is under way"),
        (1638, "another version of the agent is there"),
        (7, "exit code 7: this code is not known here"),
    ],
)
def test_an_installer_that_fails_leaves_the_host_as_it_was(here: Stage, code: int, words: str) -> None:
    here.host.exit_code = code
    with pytest.raises(errors.Conflict, match=words) as caught:
        run(here)
    assert caught.value.facts["steps_done"] == []
    assert caught.value.facts["left"] == []
    assert here.host.files == {SETUP: HASH, r"C:\Windows": ""}


def test_an_installer_that_hangs_is_stopped_by_its_id(here: Stage) -> None:
    here.host.hangs = True
    with pytest.raises(
        errors.Timeout, match=r"did not end on sync1 within 1800 seconds and was stopped \(process 77\)"
    ):
        run(here)
    assert here.host.processes == {}
    assert here.host.files == {SETUP: HASH, r"C:\Windows": ""}


def test_an_installer_that_runs_already_is_left_alone(here: Stage) -> None:
    here.host.processes[5] = "AADConnectProvisioningAgentSetup"
    with pytest.raises(errors.Conflict, match=r"running on sync1 already \(process 5\)"):
        run(here)
    assert "Start-Process" not in here.host.names


def test_3010_is_reported_or_answered_with_a_restart(here: Stage) -> None:
    here.host.exit_code = 3010
    done = run(here)
    assert done.reboot_required
    assert here.host.restarts == 0
    other = stage()
    other.host.exit_code = 3010
    done = run(other, wanted(reboot=True))
    assert not done.reboot_required
    assert other.host.restarts == 1
    assert list(done.done) == ["restart_host", *NEW]
    assert other.host.at_work


def test_1641_restarts_the_host_which_is_waited_for(here: Stage) -> None:
    here.host.exit_code = 1641
    done = run(here)
    assert (here.host.restarts, list(done.done)) == (1, NEW)
    assert here.host.at_work


def test_a_host_that_stays_away_is_said_so(here: Stage) -> None:
    here.host.exit_code = 1641
    here.clock.slept.append(lambda: setattr(here.host, "down", 9))
    with pytest.raises(errors.Timeout, match="restarts, but was not back after 1800 seconds"):
        run(here)


def test_a_pending_restart_is_done_first_where_that_is_allowed(here: Stage) -> None:
    here.host.registry[windows_host.PENDING_KEYS[0]] = {}
    with pytest.raises(errors.Refused, match="reboot_pending is not met"):
        run(here)
    done = run(here, wanted(reboot=True))
    assert list(done.done) == ["restart_host", *NEW]


@pytest.mark.parametrize(
    "cmdlet",
    [
        "New-Item",
        "Copy-Item",
        "Start-Process",
        "Add-AADCloudSyncGMSA",
        "Add-AADCloudSyncADDomain",
        "Restart-Service",
    ],
)
def test_a_write_whose_answer_was_lost_is_answered_by_the_state(here: Stage, cmdlet: str) -> None:
    here.host.lose = {cmdlet}
    run(here)
    assert here.host.names.count(cmdlet) == 1
    assert here.host.at_work


def test_an_answer_that_was_lost_before_the_write_is_an_error_and_the_next_run_goes_on(here: Stage) -> None:
    here.host.fail["Add-AADCloudSyncADDomain"] = errors.Unavailable("Lost.", uncertain=True)
    with pytest.raises(errors.Unavailable) as caught:
        run(here)
    assert caught.value.facts["steps_done"] == ["install", "connect", "set_gmsa"]
    assert "Left on sync1.contoso.lab: the agent 1.1.2102.0, its service is Running as" in caught.value.message
    here.host.fail.clear()
    done = run(here)
    assert list(done.done) == ["connect", "add_domain", "restart_service"]
    assert here.host.at_work


def test_an_older_agent_is_upgraded_only_beside_another_active_one(here: Stage) -> None:
    here.host.install("1.1.977.0")
    with pytest.raises(errors.Refused, match=r"has the only active agent of contoso.lab, so it is not taken down"):
        run(here)
    assert here.host.names == []
    second(here)
    done = run(here)
    assert list(done.done) == ["upgrade"]
    assert here.host.version == "1.1.2102.0"
    assert here.host.domains == [DOMAIN], "its registration stays"


def test_present_keeps_what_is_good_enough_and_latest_does_not(here: Stage) -> None:
    here.host.install("1.1.1370.0")
    second(here)
    assert run(here).plan.steps == ()
    assert list(run(here, wanted(state="latest")).done) == ["upgrade"]
    assert run(here, wanted(state="latest")).plan.steps == ()


def test_latest_needs_to_know_what_is_offered(here: Stage) -> None:
    here.host.install()
    source = Installer(url="https://files.contoso.com/Setup.exe", sha256=HASH)
    with pytest.raises(errors.InputError, match=r"installer\.version"):
        run(here, wanted(state="latest", installer=source))


def test_an_upgrade_that_changed_nothing_is_an_error(here: Stage) -> None:
    here.host.install("1.1.977.0")
    second(here)
    here.host.effect = False
    with pytest.raises(errors.Conflict, match=r"ended on sync1.contoso.lab \(exit code 0\), but the server shows the"):
        run(here)


def test_the_last_agent_is_taken_down_only_if_that_is_accepted(here: Stage) -> None:
    here.host.install()
    absent = wanted(state="absent")
    with pytest.raises(errors.Refused, match="only active agent"):
        run(here, absent)
    here.graph.others = [{"id": "x", "machineName": "far.fabrikam.lab", "status": "active"}]
    here.graph.grouped = False
    with pytest.raises(errors.Refused, match="only active agent"):
        run(here, absent)
    here.graph.forbidden = True
    with pytest.raises(errors.Refused, match=r"whether another agent of contoso\.lab is active"):
        run(here, absent)
    assert here.host.names == []
    done = run(here, wanted(state="absent", last_agent_accepted=True))
    assert list(done.done) == ["uninstall"]


def test_removal_goes_by_the_parts_of_the_programs_list_and_says_what_stays(here: Stage) -> None:
    here.host.install()
    second(here)
    done = run(here, wanted(state="absent"))
    (start,) = [line[0] for line in here.host.sent if line[0].name == "Start-Process"]
    assert start.parameters["FilePath"] == CACHED.split('"')[1]
    assert start.parameters["ArgumentList"] == ["/uninstall", "/quiet", "/norestart"]
    assert not here.host.version
    assert [text.split(" ")[1] for text in done.left] == ["service", "trace", "keeps"]
    assert run(here, wanted(state="absent")).plan.steps == ()


def test_a_removal_that_leaves_the_agent_is_an_error(here: Stage) -> None:
    here.host.install()
    second(here)
    here.host.effect = False
    with pytest.raises(errors.Conflict, match=r"was removed, but the program Microsoft .* is still there"):
        run(here, wanted(state="absent"))


def test_a_service_that_does_not_start_is_said_with_what_is_left(here: Stage) -> None:
    here.host.service_starts = False
    with pytest.raises(errors.Conflict, match="The service AADConnectProvisioningAgent does not run") as caught:
        run(here)
    assert caught.value.facts["changed"] is True
    assert "its service is Stopped" in caught.value.facts["left"][0]


@pytest.mark.parametrize(
    ("running", "start_type", "steps"),
    [
        (False, "Automatic", ["start_service"]),
        (True, "Manual", ["set_service_automatic"]),
        (False, "Disabled", ["set_service_automatic", "start_service"]),
    ],
)
def test_the_service_is_mended_without_asking_for_prerequisites(
    here: Stage, running: bool, start_type: str, steps: list[str]
) -> None:
    here.host.install()
    here.host.running, here.host.start_type = running, start_type
    here.host.system["BuildNumber"] = "9600"
    done = run(here)
    assert list(done.done) == steps
    assert done.verdicts == ()
    assert run(here).plan.steps == ()


@pytest.mark.parametrize("by", ["time", "schema"])
def test_an_extended_schema_restarts_the_service_once(here: Stage, by: str) -> None:
    here.host.install()
    second(here)
    here.clock.seconds += 3600
    text = f"{here.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    if by == "schema":
        here.forest.changed = f"{here.clock.now():%Y%m%d%H%M%S.0Z}".encode()
    here.clock.seconds += 60
    what = wanted(restart_after=text if by == "time" else None)
    done = run(here, what)
    assert list(done.done) == ["restart_service"]
    assert "before" in done.plan.after["restarted"]
    assert run(here, what).plan.steps == ()


def test_the_restart_of_the_last_agent_is_refused_too(here: Stage) -> None:
    here.host.install()
    with pytest.raises(errors.Refused, match=r"only active agent .*\(restart_service\)"):
        run(here, wanted(restart_after="2026-11-02T00:00:00Z"))


@pytest.mark.parametrize(
    "said",
    [
        "AADSTS50076: Due to a configuration change made by your administrator, you must enrol.",
        "You must use multi-factor authentication to access this resource.",
        "AADSTS53003: Access has been blocked by Conditional Access policies.",
    ],
)
def test_a_second_factor_is_answered_with_what_to_do_by_hand(here: Stage, said: str) -> None:
    here.host.fail["Connect-AADCloudSyncAzureAD"] = errors.AuthenticationError(said)
    with pytest.raises(errors.Refused) as caught:
        run(here)
    message = caught.value.message
    assert "Entra wants more than a password from admin@contoso.onmicrosoft.com" in message
    assert "sign in to sync1.contoso.lab, start the agent's configuration wizard" in message
    assert "add the domain contoso.lab" in message
    assert "Left on sync1.contoso.lab: the agent 1.1.2102.0" in message
    assert caught.value.facts["steps_done"] == ["install"]


def test_a_guest_is_told_apart(here: Stage) -> None:
    here.host.fail["Connect-AADCloudSyncAzureAD"] = errors.PermissionDenied("The account is a guest user.")
    with pytest.raises(errors.PermissionDenied, match="is a guest of the tenant and cannot register"):
        run(here)


def test_by_hand_says_what_to_do_waits_and_goes_on(here: Stage) -> None:
    hands = wanted(registration="by_hand", administrator=None, domain_admin=None)
    with pytest.raises(errors.Timeout, match=r"has to be registered by hand \(not registered\)\. Please"):
        run(here, hands)
    assert here.host.version
    assert not {name for name in here.host.names if "AADCloudSync" in name}

    def person() -> None:
        if here.clock.seconds > 100:
            here.host.account = "CONTOSO\\provAgentgMSA$"
            here.host.record, here.host.domains = True, [DOMAIN]

    here.clock.slept.append(person)
    waiting = wanted(registration="by_hand", administrator=None, domain_admin=None, registration_timeout=600)
    done = run(here, waiting)
    assert list(done.done) == ["register_by_hand"]
    assert run(here, hands).plan.steps == ()


def test_without_the_domains_cmdlet_graphs_record_stands_for_the_domain(here: Stage) -> None:
    missing = errors.NotFound("not recognized", error_id="CommandNotFoundException")
    here.host.fail["Get-AADCloudSyncADDomains"] = missing
    assert list(run(here).done) == NEW
    assert run(here).plan.steps == ()


def test_an_agent_that_runs_but_is_not_active_is_restarted(here: Stage) -> None:
    here.host.install()
    here.graph.servers = []
    here.graph.others = [{"id": "x", "machineName": "sync1.contoso.lab", "status": "inactive"}]
    with pytest.raises(errors.Timeout, match="Graph still shows the agent inactive"):
        run(here)
    assert here.host.names == ["Restart-Service"]


def test_an_agent_that_graph_does_not_show_active_in_time_is_an_error(here: Stage) -> None:
    here.graph.servers = []
    with pytest.raises(errors.Timeout, match="after 60 seconds Graph still shows the agent not registered"):
        run(here)


def test_where_graph_does_not_tell_the_server_decides_and_a_warning_says_so(here: Stage) -> None:
    here.graph.forbidden = True
    assert list(run(here).done) == NEW
    assert any("cannot be told" in text for text in here.warnings)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"installer": None}, "give installer"),
        ({"domain_admin": None}, "domain_admin_user"),
        ({"domain_admin": None, "gmsa": "svc-sync$"}, "Adding the domain"),
    ],
)
def test_what_the_steps_need_is_asked_for_before_anything_is_done(here: Stage, given: dict, words: str) -> None:
    with pytest.raises(errors.InputError, match=words):
        run(here, wanted(**given))
    assert here.host.names == []


@pytest.mark.parametrize(
    ("usable", "accounts", "blocked"),
    [
        (True, (), False),
        (None, (), True),
        (True, ("svc-sync$",), False),
        (False, ("svc-sync$",), True),
        (None, ("svc-sync$",), False),
    ],
)
def test_a_given_account_must_exist_and_be_usable(
    here: Stage, usable: bool | None, accounts: tuple[str, ...], blocked: bool
) -> None:
    here.host.usable, here.forest.accounts = usable, accounts
    if blocked:
        with pytest.raises(errors.Refused, match="gmsa is not met"):
            run(here, wanted(gmsa="svc-sync$"))
    else:
        run(here, wanted(gmsa="svc-sync$"))


def test_a_root_key_that_is_not_yet_good_is_said_with_its_time(here: Stage) -> None:
    here.forest.root_keys = ()
    here.host.kds = ["2026-12-24T00:00:00Z"]
    with pytest.raises(errors.Refused, match="a KDS root key is good from 2026-12-24T00:00:00Z"):
        run(here)
    (asked,) = [line for line in here.host.sent if line[0].name == "Get-KdsRootKey"]
    assert asked[1].parameters["Property"] == ["KeyId", "EffectiveTime"], "the key itself is not asked for"
