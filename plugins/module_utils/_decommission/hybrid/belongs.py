# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Which of the objects that were read belong to the hybrid set-up: by the rules, by name, by who else uses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import agent
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.kind import Kind
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.known import (
    Known,
    Row,
    identity_of,
    last_part,
    name_of,
    text,
    texts,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.rules import Judgement, holds, judge
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.wanted import Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.order import ON_PREMISES

FEDERATION = ("federated_domain", "federated_organization", "federation_trust", "federation_certificate")
# Kinds of which every object is the hybrid set-up's business.
_ALL = frozenset({"service_connection_point", "federated_domain", "federated_organization", "hybrid_application"})


@dataclass(frozen=True)
class Judged:
    """An object, whether it belongs, why, and whether it is worth a report where it does not."""

    row: Row
    belongs: bool
    why: str
    similar: bool = True


def judge_all(
    wanted: Wanted, kinds: Mapping[str, Kind], rows: Mapping[str, Sequence[Row]], known: Known
) -> dict[str, list[Judged]]:
    """All objects of a side, judged by kind."""
    found = {name: [_judged(wanted, kinds[name], row, known) for row in items] for name, items in rows.items()}
    for name, reason in wanted.keep.items():
        why = f"kept, as you say: {reason}"
        found[name] = [replace(item, belongs=False, why=why) if item.belongs else item for item in found.get(name, ())]
    if wanted.side == ON_PREMISES:
        _keep_federation(wanted, found)
    else:
        _batches(found)
        _transport_rules(found)
    return found


def called(row: Row) -> tuple[str, ...]:
    """The names by which an operator may name an object."""
    names = (name_of(row), identity_of(row), text(row.get("Guid")), text(row.get("DisplayName")))
    return tuple(dict.fromkeys(name for name in names if name))


def _judged(wanted: Wanted, kind: Kind, row: Row, known: Known) -> Judged:
    judgement = _special(kind, row, known) or judge(row, kind.rules, known, kind.name)
    similar = not kind.similar or any(holds(row, sign, known) for sign in kind.similar)
    if judgement.belongs:
        return Judged(row, True, judgement.why)
    if wanted.names(kind.name, *called(row)):
        return Judged(row, True, "named by you")
    return Judged(row, False, judgement.why, similar)


def _special(kind: Kind, row: Row, known: Known) -> Judgement | None:
    if kind.name in _ALL:
        return Judgement(True, "part of the hybrid set-up by its kind")
    if kind.name == "service_principal_keys":
        return _key(row, known)
    if kind.name == "hybrid_agent":
        if row.get("Part") == agent.PROGRAM or text(row.get("AppId")) in known.application_ids:
            return Judgement(True, "Exchange Online refers to it" if row.get("AppId") else "the agent's program")
        return Judgement(False, "Exchange Online's objects of this organization do not refer to it")
    return None


def _key(row: Row, known: Known) -> Judgement:
    if known.auth_certificates is None:
        return Judgement(
            False,
            "the organization's certificates for OAuth are not known; give auth_certificates, their thumbprints, or "
            "exchange_server_host",
        )
    if row.get("Thumbprint") is None:
        return Judgement(False, "it does not tell its certificate, so whose it is cannot be told")
    if row["Thumbprint"] in known.auth_certificates:
        return Judgement(True, "the organization's certificate for OAuth")
    return Judgement(False, f"its certificate {row['Thumbprint']} is none of this organization's")


def _keep_federation(wanted: Wanted, found: dict[str, list[Judged]]) -> None:
    """Leave the federation alone where another organization relationship stands on it, unless the trust is named."""
    others = [
        name_of(item.row)
        for item in found.get("organization_relationship", ())
        if not item.belongs and text(item.row.get("TargetApplicationUri")) and _is_on(item.row)
    ]
    trusts = [name_of(item.row) for item in found.get("federation_trust", ())]
    if not others or any(item.kind == "federation_trust" for item in wanted.also):
        return
    why = (
        f"the organization relationship {', '.join(others)} stands on the federation trust; where nobody needs it any "
        f"more, name the trust in also ({', '.join(trusts) or 'federation_trust'})"
    )
    for kind in FEDERATION:
        found[kind] = [replace(item, belongs=False, why=why) if item.belongs else item for item in found.get(kind, ())]


def _batches(found: dict[str, list[Judged]]) -> None:
    """A batch belongs where its endpoint does."""
    endpoints = {last_part(name_of(item.row)) for item in found.get("migration_endpoint", ()) if item.belongs}
    judged = []
    for item in found.get("migration_batch", ()):
        used = {
            last_part(value) for name in ("SourceEndpoint", "TargetEndpoint") for value in texts(item.row.get(name))
        }
        if used & endpoints:
            item = replace(item, belongs=True, why="it uses a hybrid migration endpoint")
        elif not item.belongs:
            item = replace(item, why="it uses no hybrid migration endpoint")
        judged.append(item)
    if judged:
        found["migration_batch"] = judged


def _transport_rules(found: dict[str, list[Judged]]) -> None:
    """A rule is stale where it names a connector that goes, or a server; it goes only where it is named."""
    connectors = {last_part(name_of(item.row)) for item in found.get("outbound_connector", ()) if item.belongs}
    hosts = _hosts(found)
    judged = []
    for item in found.get("transport_rule", ()):
        through = texts(item.row.get("RouteMessageOutboundConnector"))
        stale = [f"it routes through the connector {name}" for name in through if last_part(name) in connectors]
        words = " ".join(text(value) for value in item.row.values() if isinstance(value, str)).lower()
        stale += [f"it names the server {host}" for host in hosts if host in words]
        if not item.belongs:
            why = f"stale: {'; '.join(stale)}. Name it in also to have it removed" if stale else "it is not stale"
            item = replace(item, why=why, similar=bool(stale))
        judged.append(item)
    if judged:
        found["transport_rule"] = judged


def _hosts(found: Mapping[str, Sequence[Judged]]) -> set[str]:
    """The servers on premises by the names that Exchange Online reaches them by."""
    places = (("outbound_connector", "SmartHosts"), ("migration_endpoint", "RemoteServer"))
    return {
        host.lower()
        for kind, name in places
        for item in found.get(kind, ())
        if item.belongs
        for host in texts(item.row.get(name))
        if "." in host
    }


def _is_on(row: Row) -> bool:
    return text(row.get("Enabled")).lower() != "false"
