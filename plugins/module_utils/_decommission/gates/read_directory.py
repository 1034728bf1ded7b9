# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Readings from Active Directory and from Windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import trial as gate_trial
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.facts import Facts
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.trial import Trial
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.ports import Directory
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology import read as topology_read
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.topology import Topology
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.values import name_in, text
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, NotFound, Unavailable
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet

AGENT_SERVICE = "HybridService"
"""The service of the hybrid agent, "Microsoft Hybrid Service"."""

_IN_CHAIN = "1.2.840.113556.1.4.1941"  # LDAP_MATCHING_RULE_IN_CHAIN, [MS-ADTS] 3.1.1.3.4.4
# The last part of the SID of a group that every forest has, [MS-DTYP] 2.4.2.4.
ENTERPRISE_ADMINS = 519


@dataclass(frozen=True)
class Operator:
    """Who does it: the account's name, its object, and the groups that it is in, through others too."""

    name: str
    dn: str
    groups: Mapping[str, str]
    relative_ids: frozenset[int]


def topology(facts: Facts) -> Topology:
    """The whole organisation."""
    return topology_read.read(facts.ends.directory(), facts.ends.progress)


def operator(facts: Facts) -> Operator:
    """The operator's account and its groups."""
    name = facts.wanted.operator
    if not name:
        raise InputError("Nobody knows who the operator is: give operator, or exchange_server_user.")
    directory = facts.ends.directory()
    account = name.rpartition("\\")[2].partition("@")[0]
    wanted = f"(|(userPrincipalName={_escaped(name)})(sAMAccountName={_escaped(account)}))"
    found = list(
        directory.search(directory.base_dn, f"(&(objectClass=user){wanted})", ("sAMAccountName", "primaryGroupID"))
    )
    if len(found) != 1:
        raise NotFound(f"{len(found)} accounts of {directory.base_dn} fit the operator {name}; there must be one.")
    chain = f"(&(objectClass=group)(member:{_IN_CHAIN}:={_escaped(found[0].dn)}))"
    groups: dict[str, str] = {}
    ids: set[int] = set()
    for entry in directory.search(_top(directory), chain, ("name", "objectSid")):
        groups[text(entry.values.get("name", ())) or name_in(entry.dn)] = entry.dn
        sid = next(iter(entry.values.get("objectSid", ())), b"")
        if len(sid) >= 12:
            ids.add(int.from_bytes(sid[-4:], "little"))
    primary = text(found[0].values.get("primaryGroupID", ()))
    if primary and primary.isdecimal():
        ids.add(int(primary))
    return Operator(name, found[0].dn, groups, frozenset(ids))


def agent_service(facts: Facts) -> list[dict[str, Any]]:
    """The hybrid agent's service on the Windows server that the options name; nothing where there is none."""
    try:
        rows = facts.ends.windows().run(Cmdlet("Get-Service", {"Name": [AGENT_SERVICE]}))
    except NotFound:
        return []
    return [row for row in rows if isinstance(row, dict) and row]


def doors(facts: Facts) -> Mapping[str, Mapping[int, bool]]:
    """Which ports of each server take connections now."""
    found: dict[str, dict[int, bool]] = {}
    known: Topology = facts.value("topology")
    for server in known.mailbox_servers:
        host = facts.wanted.host_of(server.name, server["fqdn"])
        try:
            found[server.name] = {port: facts.ends.door(host, port) for port in facts.wanted.ports}
        except NotFound as error:
            raise Unavailable(
                f"{error.message} Say in servers where {server.name} is reached.", object=server.name
            ) from error
    return found


def trial(facts: Facts) -> Trial:
    """The looks at the shut-down on trial that were taken so far."""
    known: Topology = facts.value("topology")
    return gate_trial.load(gate_trial.path_of(facts.wanted.artifact_dir, facts.wanted.tenant_id), known.fingerprint)


def _top(directory: Directory) -> str:
    """Where groups of the operator may be: the domain that is asked, of which base_dn may be a part."""
    parts = [part for part in directory.base_dn.split(",") if part.strip().lower().startswith("dc=")]
    return ",".join(parts) or directory.base_dn


def _escaped(value: str) -> str:
    """A value in a search filter, RFC 4515."""
    return "".join(f"\\{ord(char):02x}" if char in "\\*()\0" else char for char in value)
