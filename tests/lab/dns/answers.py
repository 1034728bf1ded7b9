# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a resolver answers to one query, given the records it knows and what is broken about it."""

from __future__ import annotations

from dnslib import (
    AAAA,
    CLASS,
    CNAME,
    MX,
    NS,
    OPCODE,
    QTYPE,
    RCODE,
    RD,
    RR,
    SOA,
    SRV,
    TXT,
    A,
    DNSError,
    DNSHeader,
    DNSRecord,
)

from tests.lab.dns.records import EVERYTHING, NXDOMAIN, REFUSED, SERVFAIL, TIMEOUT, TRUNCATED, Record

_PLAIN_SIZE = 512  # bytes of an answer over UDP where the client does not offer more (RFC 1035)
_TEXT_SIZE = 255  # bytes of one string of a TXT record
_LONGEST_CHAIN = 8
_NEGATIVE_TTL = 60


def mode_of(broken: dict[str, str], name: str) -> str:
    """How a name is broken in a view: by itself, by a name above it, or as everything is; empty when it is not."""
    labels = name.split(".")
    for at in range(len(labels)):
        mode = broken.get(".".join(labels[at:]))
        if mode:
            return mode
    return broken.get(EVERYTHING, "")


def asked(data: bytes) -> tuple[str, str] | None:
    """Name (lower case, without a dot at its end) and type of a query; None for what is none."""
    try:
        query = DNSRecord.parse(data)
    except (DNSError, IndexError, ValueError):
        return None
    if query.header.qr or len(query.questions) != 1:
        return None
    return _text(query.q.qname), str(QTYPE[query.q.qtype])


def answer(data: bytes, records: list[Record], zones: list[str], broken: dict[str, str], tcp: bool) -> bytes | None:
    """The answer to a query, or None where none is given. ``zones``: the domains that the view has authority of."""
    question = asked(data)
    if question is None:
        return None
    name, kind = question
    query = DNSRecord.parse(data)
    reply = DNSRecord(
        DNSHeader(id=query.header.id, opcode=query.header.opcode, qr=1, aa=1, ra=1, rd=query.header.rd), q=query.q
    )
    mode = mode_of(broken, name)
    if mode == TIMEOUT:
        return None
    refusals = {SERVFAIL: RCODE.SERVFAIL, REFUSED: RCODE.REFUSED, NXDOMAIN: RCODE.NXDOMAIN}
    if query.header.opcode != OPCODE.QUERY or query.q.qclass != CLASS.IN:
        reply.header.rcode = RCODE.NOTIMP
    elif mode in refusals:
        reply.header.rcode = refusals[mode]
    else:
        _fill(reply, name, kind, records, zones)
    packed = bytes(reply.pack())
    if tcp or (mode != TRUNCATED and len(packed) <= _room(query)):
        return packed
    cut = DNSRecord(reply.header, q=query.q)
    cut.header.tc = 1
    return bytes(cut.pack())


def _fill(reply: DNSRecord, name: str, kind: str, records: list[Record], zones: list[str]) -> None:
    known = {one["name"] for one in records}
    sought = name
    for _step in range(_LONGEST_CHAIN):
        here = [one for one in records if one["name"] == sought]
        for one in here:
            if one["type"] == kind or kind == "ANY":
                reply.add_answer(_resource(one))
        aliases = [one for one in here if one["type"] == "CNAME"]
        if not aliases or kind in ("CNAME", "ANY"):
            break
        reply.add_answer(_resource(aliases[0]))
        sought = str(aliases[0]["value"])
    if reply.rr and reply.rr[-1].rtype == QTYPE.reverse.get(kind):
        return
    # Nothing of the type: the name is there without it, or is not there at all.
    there = sought in known or any(one.endswith(f".{sought}") for one in known) or sought in zones
    if not there:
        reply.header.rcode = RCODE.NXDOMAIN
    zone = next((one for one in zones if sought == one or sought.endswith(f".{one}")), None)
    if zone is None:
        reply.header.aa = 0
    else:
        mine = SOA(f"dc1.{zone}", f"hostmaster.{zone}", (1, 900, 600, 86_400, _NEGATIVE_TTL))
        reply.add_auth(RR(zone, QTYPE.SOA, rdata=mine, ttl=_NEGATIVE_TTL))


def _resource(one: Record) -> RR:
    return RR(one["name"], QTYPE.reverse[one["type"]], rdata=_data(one["type"], str(one["value"])), ttl=one["ttl"])


def _data(kind: str, value: str) -> RD:
    words = value.split()
    if kind == "MX":
        return MX(words[1], int(words[0]))
    if kind == "SRV":
        return SRV(int(words[0]), int(words[1]), int(words[2]), words[3])
    if kind == "TXT":
        text = value.encode()
        return TXT([text[at : at + _TEXT_SIZE] for at in range(0, max(1, len(text)), _TEXT_SIZE)])
    return {"A": A, "AAAA": AAAA, "CNAME": CNAME, "NS": NS}[kind](value)


def _room(query: DNSRecord) -> int:
    offered = [one.edns_len for one in query.ar if one.rtype == QTYPE.OPT]
    return max(_PLAIN_SIZE, *offered) if offered else _PLAIN_SIZE


def _text(name: object) -> str:
    return str(name).rstrip(".").lower()
