# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last Exchange servers of both tenants of the lab, from "cannot" to "off", by playbooks; stops at any deviation.

What playbooks cannot do is done by the lab's commands and by ordinary tools, which are the people around it here: who
owns the name servers, moves mailboxes, groups and contacts, switches servers off. For each tenant:

1. With everything in the way that the lab can put there, each phase is refused, and each gate fails (but that of the
   hybrid agent in contoso, which has none).
2. People move and clear what only they can; agent.yml and site.yml make every mailbox cloud-managed; --check walks
   through all phases.
3. The hybrid clean-up is killed, run again, run a third time; its exports put everything back; it is taken away again.
4. Phases out of order are refused. The servers are off on trial, then uninstalled: killed under Setup, and run again.
5. The clean-up in the cloud is killed and run again. No user's Exchange attributes in AD have changed.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.demo.far_ends import Lab
from tests.demo.obstacles import (
    CONFIRM,
    clear_what_only_administrators_can,
    clear_what_others_must,
    put_everything_in_the_way,
    see_each_gate_fail,
)
from tests.demo.playing import HERE, OUT, check, say
from tests.demo.tenant import DEVIATED, Tenant

KILLED_AFTER = {"contoso": 4, "fabrikam": 9}
"""Writes of the clean-up before it is killed."""
KILLED_UNDER = {"contoso": "EX01", "fabrikam": "EX02"}
"""The server whose Setup runs when it is killed."""
FEDERATION = re.compile("Federat|Fed-|CN=Microsoft Federation Gateway", re.IGNORECASE)
"""What no cmdlet can put back."""


def move_everybody(tenant: Tenant) -> None:
    say(f"{tenant.name}: every mailbox becomes cloud-managed")
    clear_what_only_administrators_can(tenant)
    tenant.play("agent", "hybrid.exchange.agent")
    nobody_waits: dict[str, list[str]] = {"demo_at_risk": [], "demo_protected": []}
    given_up = [f"attribute msExchExtensionCustomAttribute{number}" for number in range(1, 6)]
    tenant.play("site", "hybrid.exchange.site", "-e", json.dumps({**nobody_waits, "authority_give_up": given_up}))
    tenant.play("tenant-default", str(HERE / "tenant_default.yml"))


def walk_through(tenant: Tenant) -> None:
    say(f"{tenant.name}: --check walks through all phases")
    before = tenant.lab.last_request()
    walked = tenant.play("check", "hybrid.exchange.decommission", "--check")
    lines = [line for line in walked.said() if line.startswith(f"{tenant.name}, ")]
    order = list(dict.fromkeys(re.split("[,:] ", line, maxsplit=2)[1] for line in lines))
    check(order == ["on_premises", "cloud", "EX01", "EX02"], f"{len(lines)} steps are told, in order")
    check(not tenant.lab.requests_after(before, writes=True), "no write is in the request log")


def take_the_hybrid_set_up_away(tenant: Tenant) -> None:
    say(f"{tenant.name}: the hybrid set-up is taken away, put back, and taken away")
    before = tenant.configuration()
    writes = KILLED_AFTER[tenant.name]
    tenant.held_up("--target", "windows", "--match", "port=443", "--match", "write=True", "--after", str(writes))
    tenant.killed("clean_up", "clean-up-killed", tenant.writes(writes))
    tenant.done("clean_up", "clean-up")
    tenant.nothing_to_do("clean_up", "clean-up-again")
    exports = tenant.exports("on_premises")
    for number, path in enumerate(reversed(exports)):  # one of each run that took something away, the last one first
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        given = {"side": "on_premises", "export": str(path), "export_sha256": sha256}
        tenant.play(f"put-back-{number}", str(HERE / "put_back.yml"), "-e", json.dumps(given))
    after = tenant.configuration()
    differ = {dn for dn in before if before[dn] != after.get(dn) and not FEDERATION.search(dn)}
    for dn in sorted(differ):
        print(f"    {dn}: {before[dn]} became {after.get(dn)}")
    check(not differ, f"AD has all {len(before)} objects of the organization again, but for the federation")
    tenant.done("clean_up", "clean-up-for-good")


def refuse_what_comes_later(tenant: Tenant) -> None:
    say(f"{tenant.name}: what comes later is refused, and a server that was not named")
    before = tenant.lab.last_request()
    for name, phase, given, words in (
        ("cloud-too-early", "cloud_clean_up", {}, "servers_gone failed"),
        ("no-trial", "uninstall", CONFIRM, "trial_shutdown failed"),
        (
            "no-word",
            "uninstall",
            {"uninstall_confirm": ["uninstall EX01"]},
            "must have these words: uninstall EX01; un",
        ),
        ("no-such-server", "uninstall", {"uninstall_only": ["EX09"]}, "has no server EX09; it has EX01, EX02"),
    ):
        done = tenant.phase(name, phase, "-e", json.dumps(given), expect_failure=True)
        check(words in " ".join(done.output.split()), f"{phase} with {given or 'nothing'}: {words}")
    check(not tenant.lab.requests_after(before, writes=True), "no write is in the request log")


def try_without_the_servers(tenant: Tenant) -> None:
    say(f"{tenant.name}: the servers are off on trial for a day")
    look = ("hybrid.exchange.readiness", "-e", "phase=uninstall", "-e", "look=true")
    tenant.play("look-on", *look, expect_failure=True)  # while they are on: their ports can be seen from here
    tenant.command("exchange", tenant.name, "--power", "off")
    tenant.play("look-first", *look)
    tenant.command("clock", "advance", "25h")
    tenant.command("cycle", tenant.name)
    tenant.play("look-last", *look)
    tenant.command("exchange", tenant.name, "--power", "on")


def uninstall_the_servers(tenant: Tenant) -> None:
    killed_on = KILLED_UNDER[tenant.name]
    say(f"{tenant.name}: Setup removes the servers, EX01 first; it is killed on {killed_on}, and goes on")
    confirm = ("-e", json.dumps(CONFIRM))
    wrong = tenant.phase("last-first", "uninstall", *confirm, "-e", '{"uninstall_only": ["EX02"]}', expect_failure=True)
    check(
        "which is not the last one" in " ".join(wrong.output.split()), "EX02, which holds the system mailboxes, waits"
    )
    tenant.command("scenario", "exchange_setup_s=15")
    tenant.killed("uninstall", "uninstall-killed", seconds_into_setup(tenant, killed_on, 4), *confirm)
    tenant.command("scenario", "exchange_setup_s=2")
    tenant.done("uninstall", "uninstall", *confirm)
    tenant.nothing_to_do("uninstall", "uninstall-again", *confirm)
    gone = tenant.configuration()
    check(not gone, "no Exchange organization is in AD any more")
    late = tenant.phase("clean-up-too-late", "clean_up", expect_failure=True)
    words = "Active Directory has no Exchange Server any more, so that none can be asked."
    check(words in " ".join(late.output.split()), f"clean_up is refused: {words}")


def seconds_into_setup(tenant: Tenant, server: str, seconds: float) -> Callable[[], bool]:
    """Whether Setup has been under way on a server for so long, by what the playbook shows."""
    log = OUT / f"{tenant.name}-uninstall-killed.log"
    shown = re.compile(f"{server}: .*by Setup 0/1")
    begun: list[float] = []

    def under_way() -> bool:
        if not begun and log.exists() and shown.search(log.read_text(encoding="utf-8")):
            begun.append(time.monotonic())
        return bool(begun) and time.monotonic() > begun[0] + seconds

    return under_way


def clean_up_the_cloud(tenant: Tenant) -> None:
    say(f"{tenant.name}: the rest goes in the cloud; it is killed under way, and run again")
    tenant.held_up("--target", "exchange", "--match", "cmdlet=Remove-OutboundConnector")
    tenant.killed("cloud_clean_up", "cloud-killed", tenant.writes(2))
    tenant.done("cloud_clean_up", "cloud")
    tenant.nothing_to_do("cloud_clean_up", "cloud-again")


def main() -> None:
    began = time.monotonic()
    lab = Lab.find()
    # What is known of an earlier organization of the same name, such as its shut-down on trial, must not count.
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    for name in DEVIATED:
        (OUT / f"at-risk-{name}.txt").touch()  # which the tenant files read
    lab.command("reset")
    lab.command("scenario", "agents=none")
    lab.command("clock", "rate", "60")
    names = sys.argv[1:] or list(DEVIATED)
    for name in names:
        tenant = Tenant(lab, name)
        schema_version = put_everything_in_the_way(tenant)
        see_each_gate_fail(tenant)
        clear_what_others_must(tenant, schema_version)
        move_everybody(tenant)
        walk_through(tenant)
        users = tenant.users()
        take_the_hybrid_set_up_away(tenant)
        refuse_what_comes_later(tenant)
        try_without_the_servers(tenant)
        uninstall_the_servers(tenant)
        clean_up_the_cloud(tenant)
        check(tenant.users() == users, f"{name}: all {len(users)} users have in AD what Exchange ever put there")
    lab.command("clock", "rate", "1")
    took = f"{time.monotonic() - began:.0f} s"
    say(f"No Exchange Server is left in {' and '.join(names)}; it took {took}. Logs and evidence: {OUT}")


if __name__ == "__main__":
    main()
