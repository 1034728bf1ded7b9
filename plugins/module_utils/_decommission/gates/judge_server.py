# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""How the readings from Exchange Server are judged."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import relay as relays
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.gate import (
    Found,
    Judged,
    Row,
    cannot_tell,
    failed,
    none_of,
    passed,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.read_server import DISCOVERY
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.readiness_file import stamp
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.kinds import SYSTEM_NAMES
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.topology import Topology, is_edge
from ansible_collections.hybrid.exchange.plugins.module_utils._run.moments import moment
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import listing

DEFAULT_DISCOVERY = "DiscoverySearchMailbox {D919BA05-46A6-415f-80AD-7E09334BB852}"
# The connectors that Setup makes on every server.
_DEFAULT_RECEIVE = ("Default", "Client Proxy", "Default Frontend", "Outbound Proxy Frontend", "Client Frontend")
# Copies that servers keep for each other; they are no mail that would be lost.
_NO_MAIL = frozenset({"ShadowRedundancy", "HeartBeat"})


def mailboxes(found: Found) -> Judged:
    """No mailbox is on premises, but for the system's own."""
    rows = [_mailbox(row) for row in found["server_mailboxes"] if row.get("RecipientTypeDetails") != DISCOVERY]
    return none_of(rows, "Exchange Server lists none.", f"Exchange Server lists {{count}}: {_names(rows)}.")


def archives(found: Found) -> Judged:
    """No archive is on premises."""
    rows = [{**_mailbox(row), "archive_database": row.get("ArchiveDatabase")} for row in found["server_archives"]]
    return none_of(rows, "Exchange Server lists none.", f"Exchange Server lists {{count}}: {_names(rows)}.")


def discovery(found: Found) -> Judged:
    """No discovery mailbox is left but the one that Setup makes."""
    rows = [_mailbox(row) for row in found["server_mailboxes"] if row.get("RecipientTypeDetails") == DISCOVERY]
    others = [row for row in rows if str(row["object"]).casefold() != DEFAULT_DISCOVERY.casefold()]
    if others:
        return failed(f"There are {len(others)} besides the one that Setup makes: {_names(others)}.", others)
    return passed(f"There is none but {len(rows)} that Setup makes, which goes when the server goes.", rows)


def system_mailboxes(found: Found) -> Judged:
    """The system mailboxes are those that Exchange makes, which go when the last server goes."""
    rows = [{**_mailbox(row), "kind": row.get("Kind")} for row in found["system_mailboxes"]]
    own = tuple(map(str.casefold, SYSTEM_NAMES))
    others = [row for row in rows if not str(row["object"]).casefold().startswith(own)]
    if others:
        return failed(f"{len(others)} are none of Exchange's own: {_names(others)}.", others)
    return passed(f"All {len(rows)} are Exchange's own.", rows)


def public_folders(found: Found) -> Judged:
    """Nobody uses public folders on premises."""
    known = found["public_folders"]
    rows: list[Row] = [
        *({**_mailbox(row), "kind": "public folder mailbox"} for row in known["mailboxes"]),
        *({"object": row.get("Identity") or row.get("Name"), "kind": "public folder"} for row in known["folders"]),
    ]
    if rows:
        return failed(f"{len(rows)} public folders and mailboxes of theirs are on premises.", rows)
    cloud = str((found.values.get("organization") or {}).get("PublicFoldersEnabled") or "")
    if cloud == "Remote":
        return failed("Exchange Online sends its users to public folders on premises (PublicFoldersEnabled is Remote).")
    return passed(f"There is none; PublicFoldersEnabled is {known['enabled'] or 'not told'} on premises.")


def servers(found: Found) -> Judged:
    """Active Directory and Exchange Server name the same servers."""
    topology: Topology = found["topology"]
    here = {thing.name.casefold(): thing.name for thing in topology.of("server")}
    there = {str(row.get("Name") or "").casefold(): str(row.get("Name")) for row in found["servers"]}
    rows = [
        *({"object": here[name], "missing": "Get-ExchangeServer"} for name in here if name not in there),
        *({"object": there[name], "missing": "the configuration partition"} for name in there if name not in here),
    ]
    if rows:
        return failed(f"They differ about {_names(rows)}: one of them is old, or the session sees a part only.", rows)
    if not here:
        return failed("There is no Exchange Server any more.")
    return passed(f"Both name {listing(here.values())}.", [{"object": name} for name in here.values()])


def edge(found: Found) -> Judged:
    """No Edge Transport server is subscribed."""
    topology: Topology = found["topology"]
    known: dict[str, Row] = {
        thing.name.casefold(): {"object": thing.name, "roles": thing["role_names"]}
        for thing in topology.of("server")
        if is_edge(thing)
    }
    for row in found["edge"]:
        name = str(row.get("Name") or row.get("Identity"))
        known[name.casefold()] = {"object": name, "site": row.get("Site")}
    rows = list(known.values())
    return none_of(rows, "There is no subscription.", f"There are {{count}}: {_names(rows)}.")


def queues(found: Found) -> Judged:
    """No message waits in a queue."""
    rows = [
        {
            "object": row.get("Identity"),
            "server": row.get("Server"),
            "messages": row.get("MessageCount"),
            "status": row.get("Status"),
            "next_hop": row.get("NextHopDomain"),
            "error": row.get("LastError"),
        }
        for row in found["queues"]
        if _number(row.get("MessageCount")) and str(row.get("DeliveryType") or "") not in _NO_MAIL
    ]
    return none_of(rows, "All queues are empty.", f"{{count}} queues hold messages: {_names(rows)}.")


def certificates(found: Found) -> Judged:
    """The certificates that the hybrid set-up goes by are good."""
    known = found["certificates"]
    used = {_thumbprint(row.get("CurrentCertificateThumbprint")) for row in known["auth"]}
    used |= {_thumbprint(row.get(name)) for row in known["trusts"] for name in ("OrgCertificate", "OrgPrivCertificate")}
    rows: list[Row] = []
    there: set[str] = set()
    for row in known["certificates"]:
        mark = _thumbprint(row.get("Thumbprint"))
        there.add(mark)
        serves = str(row.get("Services") or "None") not in ("None", "")
        ends = moment(str(row.get("NotAfter")))
        expired = ends <= found.now if ends is not None else str(row.get("Status")) == "DateInvalid"
        if (serves or mark in used) and expired:
            rows.append(
                {
                    "object": row.get("Subject") or mark,
                    "thumbprint": mark,
                    "server": row.get("Server"),
                    "services": row.get("Services"),
                    "not_after": stamp(ends) if ends is not None else row.get("NotAfter"),
                }
            )
    if rows:
        return failed(f"{len(rows)} certificates in use have expired: {_names(rows)}.", rows)
    gone = sorted(used - there - {""})
    if gone:
        return cannot_tell(f"No server has the certificate {', '.join(gone)}, which the organisation goes by.")
    return passed(f"Of {len(known['certificates'])} certificates none that is in use has expired.")


def receive_connectors(found: Found) -> Judged:
    """No receive connector is there but those that Setup makes."""
    rows = [
        {
            "object": row.get("Identity") or row.get("Name"),
            "remote_ranges": row.get("RemoteIPRanges"),
            "bindings": row.get("Bindings"),
            "permissions": row.get("PermissionGroups"),
        }
        for row in found["receive_connectors"]
        if row.get("Enabled") is not False and not _is_default(row)
    ]
    return none_of(
        rows,
        "There are none but those that Setup makes.",
        f"{{count}} let other machines hand over mail, and go with the server: {_names(rows)}.",
    )


def send_connectors(found: Found) -> Judged:
    """No send connector goes by a server on premises."""
    rows = [
        {
            "object": row.get("Name"),
            "address_spaces": row.get("AddressSpaces"),
            "smart_hosts": row.get("SmartHosts"),
            "sources": row.get("SourceTransportServers"),
        }
        for row in found["send_connectors"]
        if row.get("Enabled") is not False
    ]
    return none_of(rows, "There is none.", f"{{count}} still send by servers that go: {_names(rows)}.")


def relay(found: Found) -> Judged:
    """Nobody but Exchange itself handed mail to a server within the window."""
    log: relays.Log = found["relay"]
    rows = [client.row() for client in log.clients]
    days = (log.until - log.since).days
    left = ", ".join(f"{count} of {name.replace('_', ' ')}" for name, count in log.left_out.items() if count)
    if rows:
        messages = sum(client.messages for client in log.clients)
        return failed(
            f"{len(rows)} addresses handed over {messages} messages in {days} days, the last at "
            f"{max(client.last for client in log.clients)}: {_names(rows)}.",
            rows,
        )
    short = [f"{server}: {why}" for server, why in relays.short_servers(log)]
    if short:
        return cannot_tell(f"The log does not tell of all {days} days: {'; '.join(short)}.")
    if not log.servers:
        return cannot_tell("There is no server whose log could tell.")
    records = sum(item.records for item in log.servers)
    return passed(
        f"Nobody did for {days} days, by the logs of {listing(item.server for item in log.servers)} "
        f"({records} records{'; left out: ' + left if left else ''})."
    )


def _mailbox(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "object": row.get("Name") or row.get("Identity"),
        "address": row.get("PrimarySmtpAddress"),
        "type": row.get("RecipientTypeDetails"),
        "database": row.get("Database"),
    }


def _names(rows: Sequence[Row]) -> str:
    return listing((str(row["object"]) for row in rows), 3)


def _is_default(row: Mapping[str, Any]) -> bool:
    server = str(row.get("Server") or str(row.get("Identity") or "").partition("\\")[0])
    short = server.rpartition("/")[2].partition(".")[0].casefold()
    return str(row.get("Name") or "").casefold() in {f"{name} {short}".casefold() for name in _DEFAULT_RECEIVE}


def _number(value: Any) -> int:
    text = str(value or 0)
    return int(text) if text.isdecimal() else 0


def _thumbprint(value: Any) -> str:
    """A thumbprint in a property that is one, or that is a certificate and names it."""
    if isinstance(value, Mapping):
        value = value.get("Thumbprint")
    match = re.search(r"[0-9A-Fa-f]{40}", str(value or ""))
    return match[0].upper() if match else ""
