# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of a decommission in the lab: put there, seen by the gates, and cleared by other people."""

from __future__ import annotations

import json
import re

from tests.demo.far_ends import ldapmodify, ldapsearch, move_to_the_cloud
from tests.demo.playing import check, say
from tests.demo.tenant import DEVIATED, Tenant, failing

PHASES = ("clean_up", "uninstall", "cloud_clean_up")
CONFIRM = {"uninstall_confirm": ["uninstall EX01", "uninstall EX02"]}
IN_THE_WAY = (
    *("archive=local", "public_folders=local", "moves=running", "batches=running", "queue=held", "edge=subscribed"),
    *("address_book=server", "expansion_server=EX02", "certificates=expired", "rights=no_enterprise_admins"),
)
# Those that hide others behind them.
THEN_IN_THE_WAY = ("exit=management_tools", "rights=no_organization_management")
IN_THE_WAY_IN_THE_CLOUD = ("batch=Syncing", "move=InProgress")
IN_THE_WAY_IN_DNS = {
    "contoso": (),  # all of it leads to the servers as it is
    "fabrikam": (
        ("autodiscover", "CNAME", "mail.fabrikam.lab", "--view", "external"),
        ("_autodiscover._tcp", "SRV", "0 0 443 mail.fabrikam.lab"),
    ),
}
NEVER_IN_THE_WAY: dict[str, set[str]] = {"contoso": {"hybrid_agent_gone"}, "fabrikam": set()}
"""Gates that are never seen to fail here: contoso has no hybrid agent."""
SCHEMA_VERSION = "CN=ms-Exch-Schema-Version-Pt,CN=Schema,CN=Configuration"
MODERATION = "Moderation of Sales"


def put_everything_in_the_way(tenant: Tenant) -> str:
    """Returns the version of Exchange's schema, which is taken away too and has to come back."""
    say(f"{tenant.name}: everything is in the way that can be")
    tenant.condition("exchange", *IN_THE_WAY)
    tenant.condition("hybrid", *IN_THE_WAY_IN_THE_CLOUD)
    for record in IN_THE_WAY_IN_DNS[tenant.name]:
        tenant.command("dns", tenant.name, "set", *record)
    tenant.route_mail_over_the_servers(True)
    let_sales_be_moderated(tenant)
    dn = f"{SCHEMA_VERSION},{tenant.base_dn}"
    (version,) = ldapsearch(tenant.lab, tenant.name, "(objectClass=*)", "rangeUpper", base=dn)[dn]["rangeUpper"]
    ldapmodify(tenant.lab, tenant.name, dn, "delete: rangeUpper")  # as in a forest that was never extended
    return version


def let_sales_be_moderated(tenant: Tenant) -> None:
    """An arbitration mailbox of somebody's own, like those that Exchange makes for itself."""
    condition = "(&(homeMDB=*)(msExchRecipientDisplayType=10))"
    kept = ("homeMDB", "msExchRecipientTypeDetails", "msExchRecipientDisplayType", "msExchVersion", "objectClass")
    found = ldapsearch(tenant.lab, tenant.name, condition, *kept, administrator=True)
    held = {**next(iter(found.values())), "mailNickname": ["moderation"], "sAMAccountName": ["moderation"]}
    lines = [f"{name}: {value}" for name, values in held.items() for value in values]
    ldapmodify(tenant.lab, tenant.name, moderation(tenant), "\n".join(lines), kind="add")


def moderation(tenant: Tenant) -> str:
    """The DN of that mailbox."""
    return f"CN={MODERATION},CN=Users,{tenant.base_dn}"


def see_each_gate_fail(tenant: Tenant) -> None:
    say(f"{tenant.name}: each phase is refused, and each gate is seen to fail")
    before = tenant.lab.last_request()
    seen: set[str] = set()
    every: set[str] = set()
    for phase in PHASES:
        done = tenant.phase(f"refused-{phase}", phase, "-e", json.dumps(CONFIRM), expect_failure=True)
        words = " ".join(done.output.split())
        gates = tenant.gates(phase)
        blocking = {name for name in failing(gates) if not gates[name].get("accepted")}
        check(f"is not ready for {phase}" in words, f"{phase} is refused: {len(blocking)} gates are in the way")
        seen |= failing(gates)
        every |= set(gates)
    tenant.condition("exchange", *THEN_IN_THE_WAY)
    seen |= failing(tenant.ask("clean_up"))
    limited = tenant.ask("clean_up", *tenant.with_limited_application())
    seen |= failing(limited) & {"operator_graph"}  # it may do nothing in Exchange Online either, which is no evidence
    unseen = every - seen
    words = f"all {len(every)} gates were seen to fail" + (f" but {', '.join(sorted(unseen))}" if unseen else "")
    check(unseen == NEVER_IN_THE_WAY[tenant.name], words)
    check(not tenant.lab.requests_after(before, writes=True), "no write is in the request log")


def clear_what_others_must(tenant: Tenant, schema_version: str) -> None:
    say(f"{tenant.name}: people move what is to move, and see to the name servers")
    tenant.command("exchange", tenant.name, "--ready")
    tenant.condition("exchange", "certificates=valid", "rights=all", "exit=source_of_authority")
    tenant.condition("hybrid", "batch=none", "move=none")
    tenant.route_mail_over_the_servers(False)
    ldapmodify(tenant.lab, tenant.name, moderation(tenant), "", kind="delete")
    if "receive_connectors" not in DEVIATED[tenant.name]:
        remove_the_printers_connectors(tenant)
    for gate, collection in (("groups_cloud_mastered", "groups"), ("contacts_cloud_mastered", "contacts")):
        if gate not in DEVIATED[tenant.name]:
            move_to_the_cloud(tenant.lab, tenant.name, collection)
    mark = f"replace: rangeUpper\nrangeUpper: {schema_version}"
    ldapmodify(tenant.lab, tenant.name, f"{SCHEMA_VERSION},{tenant.base_dn}", mark)
    tenant.command("dns", tenant.name, "--at-exchange-online", *(["--keep-mx"] if tenant.name == "fabrikam" else []))
    tenant.command("clock", "advance", "15d")  # so many days nobody must have handed mail to the servers


def remove_the_printers_connectors(tenant: Tenant) -> None:
    """As somebody does at Exchange once the printers hand in their mail elsewhere."""
    base = f"CN=Services,CN=Configuration,{tenant.base_dn}"
    condition = "(&(objectClass=msExchSmtpReceiveConnector)(cn=Relay Printers*))"
    for dn in ldapsearch(tenant.lab, tenant.name, condition, "cn", base=base):
        ldapmodify(tenant.lab, tenant.name, dn, "", kind="delete")


def clear_what_only_administrators_can(tenant: Tenant) -> None:
    """Two accounts with one source anchor, and the rights on those that AdminSDHolder protected."""
    found = ldapsearch(tenant.lab, tenant.name, "(mS-DS-ConsistencyGuid=*)", "mS-DS-ConsistencyGuid")
    first: dict[str, str] = {}
    for dn, held in sorted(found.items()):
        if first.setdefault(held["mS-DS-ConsistencyGuid"][0], dn) != dn:
            ldapmodify(tenant.lab, tenant.name, dn, "delete: mS-DS-ConsistencyGuid")
    tenant.command("sync", tenant.name)
    people = ldapsearch(tenant.lab, tenant.name, "(mail=*)", "nTSecurityDescriptor", administrator=True)
    protected = ldapsearch(tenant.lab, tenant.name, "(adminCount=1)", "cn")
    for dn in set(people) & set(protected):
        parent = re.split(r"(?<!\\),", dn, maxsplit=1)[1]
        neighbour = next(other for other in people if other.endswith(f",{parent}") and other not in protected)
        rights = people[neighbour]["nTSecurityDescriptor"][0]
        ldapmodify(
            tenant.lab,
            tenant.name,
            dn,
            f"replace: nTSecurityDescriptor\nnTSecurityDescriptor:: {rights}",
        )
