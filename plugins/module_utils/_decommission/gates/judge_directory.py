# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""How the readings from Active Directory and from Windows are judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.gate import (
    Found,
    Judged,
    Row,
    cannot_tell,
    failed,
    none_of,
    passed,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.read_directory import (
    AGENT_SERVICE,
    ENTERPRISE_ADMINS,
    Operator,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.read_server import (
    ORGANIZATION_MANAGEMENT,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.phases import MANAGEMENT_TOOLS
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.topology import Thing, Topology
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import listing

SETTING_OVERRIDE = "EnableExchangeHybrid3PAppFeature"

# What of the hybrid set-up must be gone before a server goes, by kind of object: which ones belong to it.
HYBRID: Mapping[str, Callable[[Thing], bool]] = MappingProxyType(
    {
        "hybrid_configuration": lambda thing: True,
        "intra_organization_connector": lambda thing: thing.name.casefold().startswith(
            ("hybridioc - ", "exchangehybridonpremisestoonline")
        ),
        "organization_relationship": lambda thing: thing.name.casefold().startswith("on-premises to o365 - "),
        "send_connector": lambda thing: thing.name.casefold().startswith("outbound to office 365"),
        "remote_domain": lambda thing: thing.name.casefold().startswith("hybrid domain - "),
        "federation_trust": lambda thing: True,
        "setting_override": lambda thing: SETTING_OVERRIDE.casefold() in f"{thing.name} {thing['settings']}".casefold(),
    }
)


def mixed(found: Found) -> Judged:
    """The two ways out are not mixed."""
    topology: Topology = found["topology"]
    groups: list[Row] = [{"object": thing.dn} for thing in topology.of("emt_group")]
    if found.wanted.exit != MANAGEMENT_TOOLS:
        return none_of(
            groups,
            "Nothing in Active Directory shows the way of the management tools.",
            "The group of the management tools exists: with that way the last server is never uninstalled.",
        )
    managed = found["mailboxes"].synced - len(found["mailboxes"].unmanaged)
    if managed:
        return failed(f"{managed} mailboxes are cloud-managed already, which only the other way goes by.", groups)
    return passed("No mailbox is cloud-managed.", groups)


def mailboxes(found: Found) -> Judged:
    """No object of Active Directory has a mailbox or an archive in a database on premises."""
    topology: Topology = found["topology"]
    rows = [
        {"object": thing.dn, "kind": kind, "database": thing["database"] or thing["archive_database"]}
        for kind in ("mailbox", "archive")
        for thing in topology.of(kind)
    ]
    if rows:
        names = listing((str(row["object"]) for row in rows), 3)
        return failed(f"{len(rows)} do (homeMDB, msExchArchiveDatabaseLink): {names}.", rows)
    if topology.unread:
        return cannot_tell("; ".join(f"{domain}: {reason}" for domain, reason in topology.unread.items()))
    return passed(f"None does, in {listing(topology.domains)}.")


def service_connection_points(found: Found) -> Judged:
    """No service connection point leads clients to a server on premises."""
    topology: Topology = found["topology"]
    hosts = found.wanted.expected.autodiscover_hosts
    rows = [
        {"object": thing.name, "dn": thing.dn, "urls": thing["urls"]}
        for thing in topology.of("service_connection_point")
        if any(not _leads_to(url, hosts) for url in thing["urls"])
    ]
    return none_of(rows, "None does.", "{count} do (AutoDiscoverServiceInternalUri).")


def expansion(found: Found) -> Judged:
    """No group names a server for the expansion of its members."""
    topology: Topology = found["topology"]
    rows = [{"object": thing.dn, "server": thing["expansion_server"]} for thing in topology.of("expansion_group")]
    if not rows and topology.unread:
        return cannot_tell("; ".join(f"{domain}: {reason}" for domain, reason in topology.unread.items()))
    return none_of(rows, "None does.", "{count} do (msExchExpansionServerName).")


def hybrid_gone(found: Found) -> Judged:
    """Nothing of the hybrid set-up is left on premises."""
    topology: Topology = found["topology"]
    rows = [
        {"object": thing.name, "kind": kind, "dn": thing.dn}
        for kind, belongs in HYBRID.items()
        for thing in topology.of(kind)
        if belongs(thing)
    ]
    names = listing((f"{row['kind'].replace('_', ' ')} {row['object']}" for row in rows), 3)
    return none_of(rows, "Nothing is.", f"{{count}} objects are: {names}.")


def schema(found: Found) -> Judged:
    """The schema of Active Directory is extended for Exchange; the writeback needs it."""
    topology: Topology = found["topology"]
    row: Row = {"object": "ms-Exch-Schema-Version-Pt", "range_upper": topology.schema_version}
    if topology.schema_version is None:
        return failed("The schema has no ms-Exch-Schema-Version-Pt.", [row])
    return passed(f"rangeUpper of ms-Exch-Schema-Version-Pt is {topology.schema_version}.", [row])


def servers_gone(found: Found) -> Judged:
    """No Exchange Server is left in Active Directory."""
    topology: Topology = found["topology"]
    rows = [{"object": thing.name, "dn": thing.dn} for thing in topology.of("server")]
    return none_of(rows, "None is.", f"{{count}} are: {listing(topology.servers)}.")


def operator_exchange(found: Found) -> Judged:
    """The operator is in the role group that may remove servers."""
    operator: Operator = found["operator"]
    own = {operator.dn.casefold(), *(dn.casefold() for dn in operator.groups.values())}
    for row in found["organization_management"]:
        if str(row.get("DistinguishedName") or "").casefold() in own:
            return passed(f"{operator.name} is a member by {row.get('Name')}.", [{"object": row.get("Name")}])
    if ORGANIZATION_MANAGEMENT in operator.groups:
        return passed(f"{operator.name} is a member, by Active Directory.", [{"object": operator.dn}])
    return _not_in(found, operator, ORGANIZATION_MANAGEMENT)


def operator_domain(found: Found) -> Judged:
    """The operator may change the configuration of the forest."""
    operator: Operator = found["operator"]
    if ENTERPRISE_ADMINS in operator.relative_ids:
        return passed(f"{operator.name} is in Enterprise Admins.", [{"object": operator.dn}])
    return _not_in(found, operator, "Enterprise Admins")


def hybrid_agent(found: Found) -> Judged:
    """No hybrid agent publishes servers on premises any more."""
    traces: list[Row] = list(found["hybrid_agent"])
    services = found.values.get("agent_service")
    if services is not None:
        rows = [{"object": row.get("Name"), "status": row.get("Status")} for row in services]
        return none_of(
            rows, f"The service {AGENT_SERVICE} is not there.", f"The service {AGENT_SERVICE} still is there."
        )
    if not traces:
        return passed("Nothing in the cloud shows that there ever was one.")
    return cannot_tell(
        f"The cloud knows addresses that a hybrid agent published, and whether it is gone shows on its server only: "
        f"give windows_host. {found.unread.get('agent_service', '')}".rstrip(),
        traces,
    )


def _not_in(found: Found, operator: Operator, group: str) -> Judged:
    row: Row = {"object": operator.dn, "groups": sorted(operator.groups)}
    topology: Topology = found["topology"]
    if len(topology.domains) > 1:
        return cannot_tell(
            f"{operator.name} was found in no such group of the domain that was asked; groups of other domains of the "
            f"forest were not. Name a domain controller of the domain that {group} is in.",
            [row],
        )
    return failed(f"{operator.name} is not in {group}.", [row])


def _leads_to(url: str, hosts: tuple[str, ...]) -> bool:
    host = url.partition("://")[2].partition("/")[0].partition(":")[0].lower()
    return host in hosts
