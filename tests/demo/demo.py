# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole journey on the running lab, from playbooks, checked step by step; exits non-zero on any deviation.

1. agent.yml deploys the provisioning agent on the servers of both tenants, which have none.
2. site.yml refuses to start a job while mailboxes have values that only the directory has, and writes nothing.
3. Those mailboxes wait; site.yml takes two tenants through the journey, the canary ring first.
4. What is changed in the cloud arrives in the directory, seen with ldapsearch, and the round trip is proven.
5. site.yml a second time changes nothing and writes nothing.
6. One wave is rolled back, and no value is lost.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.demo.far_ends import Exchange, Lab, hash_table, ldapsearch
from tests.demo.playing import ESTATE, HERE, OUT, check, play, say

RINGS = ("contoso", "fabrikam")
AGENT_SERVERS = {"contoso": ["sync1", "sync2"], "fabrikam": ["sync1"]}
REMOTE_SHARED_MAILBOX = "34359738368"
ATTRIBUTES = (
    "proxyAddresses",
    "mail",
    *(f"extensionAttribute{number}" for number in range(1, 16)),
    *(f"msExchExtensionCustomAttribute{number}" for number in range(1, 6)),
    "msExchRecipientTypeDetails",
    "msExchRecipientDisplayType",
)
# What a mailbox says of itself that no rollback could or should keep.
VOLATILE = ("WhenChanged", "WhenChangedUTC", "IsExchangeCloudManaged")


def deploy_the_agents(lab: Lab) -> None:
    say("agent.yml deploys the provisioning agents, one server after the other")
    lab.command("scenario", "agents=none")
    check(not any(active_agents(lab, tenant) for tenant in RINGS), "no tenant has an agent")
    play(lab, "1-agent", "hybrid.exchange.agent")
    for tenant, servers in AGENT_SERVERS.items():
        check(active_agents(lab, tenant) == servers, f"{tenant}: Graph shows active agents on {', '.join(servers)}")


def active_agents(lab: Lab, tenant: str) -> list[str]:
    """The servers whose agents Graph shows as active."""
    hosts = json.loads(lab.command("windows", "--json"))
    return [host["name"] for host in hosts if host["tenant"] == tenant and host["graph"] == "active"]


def refuse_to_lose_values(lab: Lab) -> None:
    say("site.yml refuses to start a job while values are at risk")
    before = lab.last_request()
    # Nobody is cloud-managed yet, so this job would lose nothing: asked as if everybody were.
    done = play(lab, "2-site-refused", "hybrid.exchange.site", "-e", "job_cloud_managed=assumed", expect_failure=True)
    words = " ".join(done.output.split())
    check(done.code != 0 and "values that only the directory has" in words, "it was refused, with the reason")
    check(not lab.requests_after(before, writes=True), "no write is in the request log")
    check("fabrikam" not in done.changed(), "the next ring was not touched")
    play(lab, "3-prepare", str(HERE / "prepare.yml"))


def take_the_journey(lab: Lab) -> None:
    say("site.yml takes both tenants through the journey, the canary ring first")
    before = lab.last_request()
    done = play(lab, "4-site", "hybrid.exchange.site")
    proven = done.proven()
    waves = [(tenant, wave) for tenant in RINGS for wave in ("pilot", "rest")]
    check([row[:2] for row in proven] == waves, "every wave of both tenants was proven for all 24 attributes")
    tenants = [row["tenant"] for row in lab.requests_after(before, writes=True)]
    check(tenants == sorted(tenants, key=RINGS.index), "every write of the canary ring came before the next ring")
    for tenant in RINGS:
        rows = Exchange(lab, tenant).invoke("Get-Mailbox", ResultSize="Unlimited")
        moved = {row["UserPrincipalName"] for row in rows if row["IsExchangeCloudManaged"]}
        check(moved == expected_mailboxes(tenant, rows), f"{tenant}: all {len(moved)} mailboxes of the waves are moved")
        check(job_state(lab, tenant) == "Active", f"{tenant}: the writeback job is running")


def expected_mailboxes(tenant: str, rows: Sequence[dict[str, Any]]) -> set[str]:
    """All synchronized mailboxes but those that wait for a later wave."""
    waiting = set((OUT / f"at-risk-{tenant}.txt").read_text(encoding="utf-8").split())
    text = (ESTATE.parent / "tenants" / f"{tenant}.yml").read_text(encoding="utf-8")
    waiting |= set(re.findall(rf"^    - (\S+@{tenant}\.lab)$", text, re.M))
    return {row["UserPrincipalName"] for row in rows if row["IsDirSynced"]} - waiting


def job_state(lab: Lab, tenant: str) -> str:
    """The service's word for the state of the tenant's only job."""
    (job,) = lab.jobs(tenant)
    return str(job["code"])


def change_in_the_cloud(lab: Lab, tenant: str) -> None:
    """Edits one mailbox and converts another, as an administrator would, and looks for it in the directory."""
    exchange = Exchange(lab, tenant)
    edited, converted = mailboxes_to_change(tenant, exchange)
    local, domain = edited["UserPrincipalName"].split("@")
    cleared = next(number for number in range(15, 0, -1) if edited[f"CustomAttribute{number}"])
    set_one = next(number for number in range(1, 16) if not edited[f"CustomAttribute{number}"])
    identity = edited["ExternalDirectoryObjectId"]
    added = f"smtp:{local}.added@{domain}"
    exchange.invoke("Set-Mailbox", Identity=identity, EmailAddresses=hash_table(add=[added]))
    exchange.invoke("Set-Mailbox", Identity=identity, WindowsEmailAddress=f"{local}.primary@{domain}")
    exchange.invoke(
        "Set-Mailbox",
        Identity=identity,
        **{f"CustomAttribute{set_one}": "Zürich, wave 1", f"CustomAttribute{cleared}": ""},
        ExtensionCustomAttribute1=hash_table(add=["first", "second"]),
    )
    exchange.invoke("Set-Mailbox", Identity=converted["ExternalDirectoryObjectId"], Type="Shared")
    lab.command("cycle", tenant)
    held = person(lab, tenant, edited["UserPrincipalName"])
    print(f"    ldapsearch (userPrincipalName={edited['UserPrincipalName']})")
    for name, values in held.items():
        print(f"      {name}: {' | '.join(values)}")
    who = f"{tenant}: {local}"
    check(added in held["proxyAddresses"], f"{who}: the added address is in AD")
    check(f"SMTP:{local}.primary@{domain}" in held["proxyAddresses"], f"{who}: the new primary address is in AD")
    check(held["mail"] == [f"{local}.primary@{domain}"], f"{who}: mail follows the primary address")
    check(held[f"extensionAttribute{set_one}"] == ["Zürich, wave 1"], f"{who}: a custom attribute was set in AD")
    check(f"extensionAttribute{cleared}" not in held, f"{who}: a custom attribute was cleared in AD")
    check(held["msExchExtensionCustomAttribute1"] == ["first", "second"], f"{who}: a list of values is in AD")
    shared = person(lab, tenant, converted["UserPrincipalName"])
    check(
        shared["msExchRecipientTypeDetails"] == [REMOTE_SHARED_MAILBOX],
        f"{tenant}: {converted['UserPrincipalName']} is a shared mailbox in AD",
    )


def mailboxes_to_change(tenant: str, exchange: Exchange) -> tuple[dict[str, Any], dict[str, Any]]:
    """One user mailbox with a custom attribute to clear, and another; in contoso both from the pilot."""
    rows = exchange.invoke("Get-Mailbox", ResultSize="Unlimited")
    rows = [row for row in rows if row["IsExchangeCloudManaged"] and row["RecipientTypeDetails"] == "UserMailbox"]
    if tenant == "contoso":
        rows = [row for row in rows if row["UserPrincipalName"] in contoso_pilot()]
    rows.sort(key=lambda row: str(row["UserPrincipalName"]))
    edited = next(row for row in rows if any(row[f"CustomAttribute{number}"] for number in range(1, 16)))
    converted = next(row for row in rows if row is not edited)
    return edited, converted


def contoso_pilot() -> list[str]:
    with (ESTATE.parent / "waves" / "contoso-pilot.csv").open(encoding="utf-8") as file:
        return [row["UserPrincipalName"] for row in csv.DictReader(file)]


def person(lab: Lab, tenant: str, name: str) -> dict[str, list[str]]:
    (held,) = ldapsearch(lab, tenant, f"(userPrincipalName={name})", *ATTRIBUTES).values()
    return held


def prove_the_round_trip(lab: Lab) -> None:
    say("What is changed in the cloud arrives in the directory")
    for tenant in RINGS:
        change_in_the_cloud(lab, tenant)
    proven = play(lab, "5-verify", "hybrid.exchange.verify").proven()
    check(len(proven) == 4, "the round trip is proven for every mailbox of every wave")


def change_nothing(lab: Lab) -> None:
    say("site.yml a second time changes nothing and writes nothing")
    before = lab.last_request()
    people = {tenant: ldapsearch(lab, tenant, "(mail=*)", *ATTRIBUTES, "whenChanged") for tenant in RINGS}
    done = play(lab, "6-site-again", "hybrid.exchange.site")
    check([done.changed()[tenant] for tenant in RINGS] == [0, 0], "changed=0 for both tenants")
    check(not lab.requests_after(before, writes=True), "no write is in the request log")
    after = {tenant: ldapsearch(lab, tenant, "(mail=*)", *ATTRIBUTES, "whenChanged") for tenant in RINGS}
    check(after == people, "no object in the directories changed")


def roll_back(lab: Lab) -> None:
    say("One wave is rolled back, and no value is lost")
    exchange = Exchange(lab, "contoso")
    names = contoso_pilot()
    # Editable in the cloud, but not carried by the job: a rollback that trusts the job alone would lose it.
    exchange.invoke("Set-Mailbox", Identity=names[0], HiddenFromAddressListsEnabled=True)
    cloud = {name: exchange.mailbox(name) for name in names}
    held = {name: person(lab, "contoso", name) for name in names}
    play(lab, "7-rollback", "hybrid.exchange.rollback", "-e", "wave=pilot", "--limit", "contoso")
    lab.command("sync", "contoso")
    again = {name: exchange.mailbox(name) for name in names}
    check(not any(row["IsExchangeCloudManaged"] for row in again.values()), "AD is the source of authority again")
    for name in names:
        lost = sorted(
            key
            for key in cloud[name]
            if key not in VOLATILE and comparable(cloud[name][key]) != comparable(again[name][key])
        )
        check(not lost, f"{name}: every property in the cloud is as before the rollback {lost or ''}")
    check({name: person(lab, "contoso", name) for name in names} == held, "all 24 attributes in AD are as before")
    hidden = ldapsearch(lab, "contoso", f"(userPrincipalName={names[0]})", "msExchHideFromAddressLists")
    check(list(hidden.values()) == [{"msExchHideFromAddressLists": ["TRUE"]}], "what the job does not carry is in AD")


def comparable(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, list) else value


def main() -> None:
    began = time.monotonic()
    lab = Lab.find()
    OUT.mkdir(parents=True, exist_ok=True)
    lab.command("reset")
    lab.command("clock", "rate", "60")
    deploy_the_agents(lab)
    refuse_to_lose_values(lab)
    take_the_journey(lab)
    prove_the_round_trip(lab)
    change_nothing(lab)
    roll_back(lab)
    lab.command("clock", "rate", "1")
    say(f"The demo is through in {time.monotonic() - began:.0f} s. Where everything lies:")
    print(f"  logs of the playbooks      {OUT}")
    print(f"  artifacts by tenant        {OUT / 'artifacts'}")
    print(f"  the estate                 {ESTATE.parent}")
    print(f"  the lab, still running     {lab.directory} (make lab-down ends it)")


if __name__ == "__main__":
    main()
