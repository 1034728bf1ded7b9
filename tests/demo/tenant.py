# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tenant of the lab on its way out of Exchange Server: its playbooks, and what can be seen of it from outside."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.demo.far_ends import Exchange, Lab, ldapsearch
from tests.demo.playing import OUT, Play, check, play

DEVIATED: dict[str, set[str]] = {
    "contoso": set(),
    "fabrikam": {
        "groups_cloud_mastered",
        "contacts_cloud_mastered",
        "receive_connectors",
        "mx_external",
        "mx_internal",
    },
}
"""Gates that stay as they are in these tenants, each with its reason in the tenant file."""
HELD_UP = 8
"""Seconds that a request is held up for, so that its run can be killed meanwhile."""
# The last one is where the lab keeps what has no attribute of its own; a cmdlet states defaults there.
MOVING = {"whenChanged", "whenCreated", "uSNChanged", "uSNCreated", "objectGUID", "dSCorePropagationData"}
MOVING |= {"msExchConfigurationXML"}
# Of a user in AD: all that Exchange has put there, whoever reads it.
EXCHANGE = re.compile(
    r"(msExch\w+|extensionAttribute\d+|proxyAddresses|mail|mailNickname|targetAddress|legacyExchangeDN|homeM\w+|"
    r"displayNamePrintable|authOrig|unauthOrig|dLMem\w+|altRecipient|deliv\w+|publicDelegates|showInAddressBook|"
    r"garbageCollPeriod|mDB\w+|submissionContLength|textEncodedORAddress|protocolSettings|autoReply\w*)$",
    re.IGNORECASE,
)


@dataclass
class Tenant:
    """One tenant of the lab and the playbooks on it.

    ``late`` is when a request that was held up for a run which was killed is answered at the latest.
    """

    lab: Lab
    name: str
    late: float = 0.0

    def play(self, name: str, playbook: str, *arguments: str, **how: Any) -> Play:
        return play(self.lab, f"{self.name}-{name}", playbook, "--limit", self.name, *arguments, **how)

    def phase(self, name: str, phase: str, *arguments: str, **how: Any) -> Play:
        words = ("-e", f"decommission_phase={phase}", *arguments)
        return self.play(name, "hybrid.exchange.decommission", *words, **how)

    def command(self, *arguments: str) -> None:
        self.lab.command(*arguments)

    def condition(self, what: str, *conditions: str) -> None:
        """Lets something be as stated, such as ``archive=local``."""
        self.command(what, self.name, *(word for condition in conditions for word in ("--set", condition)))

    def route_mail_over_the_servers(self, route: bool) -> None:
        """Centralized mail transport, which somebody turned on in the cloud, or off again."""
        exchange = Exchange(self.lab, self.name)
        (connector,) = [
            row for row in exchange.invoke("Get-OutboundConnector") if str(row["Name"]).startswith("Outbound to ")
        ]
        exchange.invoke("Set-OutboundConnector", Identity=connector["Name"], RouteAllMessagesViaOnPremises=route)

    def gates(self, phase: str) -> dict[str, dict[str, Any]]:
        """The verdicts that the last judgement of a phase wrote."""
        path = OUT / "artifacts" / self.name / f"readiness-{phase}.json"
        gates: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["gates"]
        return gates

    def done(self, phase: str, name: str, *arguments: str) -> Play:
        """One phase, whose gates have to be passed, or accepted by name."""
        done = self.phase(name, phase, *arguments)
        gates = self.gates(phase)
        accepted = {gate for gate in failing(gates) if gates[gate].get("accepted")}
        check(
            failing(gates) == accepted == DEVIATED[self.name] & set(gates),
            f"{len(gates) - len(accepted)} gates of {phase} are passed, and {len(accepted)} accepted",
        )
        return done

    def nothing_to_do(self, phase: str, name: str, *arguments: str) -> None:
        """A phase that is through, once more, after all that a killed run had sent."""
        time.sleep(max(0.0, self.late - time.monotonic()))  # what is answered late would be in the log of this run
        before = self.lab.last_request()
        done = self.done(phase, name, *arguments)
        check(done.changed()[self.name] == 0, "changed=0")
        check(not self.lab.requests_after(before, writes=True), "no write is in the request log")

    def writes(self, number: int) -> Callable[[], bool]:
        """Whether so many writes were sent since now."""
        begun = self.lab.last_request()
        return lambda: len(self.lab.requests_after(begun, writes=True)) >= number

    def held_up(self, *fault: str) -> None:
        """Lets the lab be slow at one request, so that there is a moment to kill in."""
        once = ("--times", "1", "--tenant", self.name)
        self.command("fault", "add", "slow", *fault, *once, "--set", f"seconds={HELD_UP}")

    def killed(self, phase: str, name: str, when: Callable[[], bool], *arguments: str) -> None:
        """A phase that is killed in the middle."""
        self.phase(name, phase, *arguments, kill_when=when)
        self.late = time.monotonic() + HELD_UP
        self.command("fault", "clear")

    def exports(self, side: str) -> list[Path]:
        """What runs exported before they took it away, the first run first."""
        found = (OUT / "artifacts" / self.name).glob(f"hybrid-{side}-*.jsonl")
        return sorted(found)

    def configuration(self) -> dict[str, dict[str, list[str]]]:
        """Every object of the Exchange organization in AD, without what each change moves."""
        base = f"CN=Services,CN=Configuration,{self.base_dn}"
        found = ldapsearch(self.lab, self.name, "(objectClass=*)", "*", base=base)
        return {
            dn: {name: values for name, values in held.items() if name not in MOVING}
            for dn, held in found.items()
            if dn.endswith(f"CN=Microsoft Exchange,{base}")
        }

    def users(self) -> dict[str, dict[str, list[str]]]:
        """Every user of an organizational unit, with all of the Exchange attributes."""
        found = ldapsearch(self.lab, self.name, "(&(objectCategory=person)(objectClass=user))", "*")
        return {
            dn: {name: values for name, values in held.items() if EXCHANGE.match(name)}
            for dn, held in found.items()
            if ",OU=" in dn
        }

    def ask(self, phase: str, *arguments: str) -> dict[str, dict[str, Any]]:
        """The verdicts of a phase as the playbook readiness judges it now; it must not be ready."""
        words = ("-e", f"phase={phase}", *arguments)
        self.play(f"readiness-{phase}", "hybrid.exchange.readiness", *words, expect_failure=True)
        return self.gates(phase)

    @property
    def base_dn(self) -> str:
        """The DN of the forest's domain."""
        return str(self.lab.config["tenants"][self.name]["directory"]["base_dn"])

    def with_limited_application(self) -> tuple[str, str]:
        """Arguments of a playbook that signs in as an application which may read in Graph and nothing else."""
        config = self.lab.config
        settings = config["tenants"][self.name]
        urls = {f"{name}_url": config[name] for name in ("login", "graph", "exchange")}
        application = {name: settings["limited_application"][name] for name in ("client_id", "client_secret")}
        options = {"tenant_id": settings["tenant_id"], "ca_path": config["ca"], **application, **urls}
        path = OUT / f"{self.name}-limited-application.json"
        path.write_text(json.dumps({"hybrid_tenant": options}), encoding="utf-8")
        return ("-e", f"@{path}")


def failing(gates: dict[str, dict[str, Any]]) -> set[str]:
    """The gates that are not passed, accepted or not."""
    return {name for name, gate in gates.items() if gate["verdict"] != "passed"}
