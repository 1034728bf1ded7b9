# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Whether a domain's records lead to the cloud: MX, SPF, Autodiscover and its SRV record, on either side."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import spf as spf_records
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.gate import (
    Found,
    Judge,
    Judged,
    cannot_tell,
    failed,
    passed,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.read_dns import (
    Records,
    Side,
    host_of,
    mail_hosts,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.wanted import Expected, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import listing

Row = Mapping[str, Any]
# What is wrong with the records of a domain in words, and whether that is certain: else nobody can tell.
_Problem = tuple[str, bool]


def mx(side: str) -> Judge:
    """Mail for every domain goes to the cloud."""

    def judge(found: Found) -> Judged:
        expected: Mapping[str, str] = found.values.get("expected_mx") or {}

        def problem(records: Records) -> _Problem | None:
            return _mx_problem(records, found.wanted.expected, expected)

        return _of_side(found, side, "mx", "MX", lambda records: records.mx, problem, "mx_suffixes")

    return judge


def autodiscover(side: str) -> Judge:
    """Autodiscover of every domain is the cloud's."""

    def judge(found: Found) -> Judged:
        hosts = found.wanted.expected.autodiscover_hosts

        def problem(records: Records) -> _Problem | None:
            if not records.autodiscover:
                return "there is no record for Autodiscover", True
            if records.autodiscover[-1].removeprefix("CNAME ") in hosts:
                return None
            return f"Autodiscover leads to {', '.join(records.autodiscover)}, not to {' or '.join(hosts)}", True

        return _of_side(
            *(found, side, "autodiscover", "Autodiscover", lambda records: records.autodiscover, problem),
            "autodiscover_hosts",
        )

    return judge


def srv(side: str) -> Judge:
    """No SRV record leads Autodiscover to a server on premises."""

    def judge(found: Found) -> Judged:
        hosts = found.wanted.expected.autodiscover_hosts

        def problem(records: Records) -> _Problem | None:
            wrong = [record for record in records.srv if host_of(record) not in (*hosts, ".")]
            return (f"the SRV record leads to {', '.join(wrong)}", True) if wrong else None

        return _of_side(
            *(found, side, "srv", "SRV of Autodiscover", lambda records: records.srv, problem), "autodiscover_hosts"
        )

    return judge


def spf(side: str) -> Judge:
    """SPF allows the cloud to send, and servers on premises no more."""

    def judge(found: Found) -> Judged:
        known: Collection[str] = found["on_premises_addresses"]
        fqdns = (server["fqdn"] for server in found["topology"].of("server"))
        hosts = {*(str(name).lower() for name in fqdns if name), *mail_hosts(found["topology"])}

        def problem(records: Records) -> _Problem | None:
            return _spf_problem(records, found.wanted, known, hosts)

        return _of_side(found, side, "spf", "SPF", lambda records: records.spf, problem, "spf_includes")

    return judge


def _mx_problem(records: Records, wanted: Expected, expected: Mapping[str, str]) -> _Problem | None:
    if not records.mx:
        return "there is no MX record", True
    hosts = [host_of(record) for record in records.mx]
    elsewhere = [host for host in hosts if not any(host.endswith(f".{suffix}") for suffix in wanted.mx_suffixes)]
    if elsewhere:
        return f"mail goes to {', '.join(elsewhere)}, which is not the cloud's", True
    right = expected.get(records.domain)
    wrong = [host for host in hosts if host.endswith(".mx.microsoft") and right is not None and host != right]
    if wrong:
        return f"mail goes to {', '.join(wrong)}, but Exchange Online expects {right}", True
    return None


def _spf_problem(records: Records, wanted: Wanted, known: Collection[str], hosts: Collection[str]) -> _Problem | None:
    includes = wanted.expected.spf_includes
    if not records.spf:
        return "there is no SPF record", True
    if len(records.spf) > 1:
        return f"there are {len(records.spf)} SPF records, so receivers go by none of them", True
    parsed = spf_records.parse(records.spf[0])
    still = [*spf_records.holding(parsed, known), *spf_records.names_of(parsed, hosts)]
    if still:
        return f"SPF still allows {', '.join(still)}, which are on premises, to send", True
    if not any(name in includes for name in parsed.includes):
        return f"SPF does not include {' or '.join(includes)}", True
    others = spf_records.unknown(parsed, known)
    if others and not wanted.on_premises_addresses:
        return (
            f"SPF allows {', '.join(others)} too, and nobody knows whether that is on premises: give "
            "on_premises_addresses",
            False,
        )
    return None


def _of_side(
    found: Found,
    side: str,
    part: str,
    title: str,
    records_of: Callable[[Records], Sequence[str]],
    problem: Callable[[Records], _Problem | None],
    needs: str,
) -> Judged:
    """Every domain judged by itself: one that is wrong outweighs one of which nobody can tell."""
    if not getattr(found.wanted.expected, needs):
        return cannot_tell(f"What the records should be in this cloud is not public knowledge: give {needs}.")
    known: Side = found[side]
    if not known.domains:
        return cannot_tell("There is no domain to look at: neither side has an authoritative domain of its own.")
    wrong: list[Row] = []
    unknown: list[Row] = []
    right: list[Row] = []
    for item in known.domains:
        row: dict[str, Any] = {"object": item.domain, "records": list(records_of(item)), "asked": known.name}
        if part in item.unread:
            unknown.append({**row, "why": item.unread[part]})
            continue
        why = problem(item)
        if why is None:
            right.append(row)
        else:
            (wrong if why[1] else unknown).append({**row, "why": why[0]})
    rows = [*wrong, *unknown, *right]
    if wrong:
        return failed(f"{title}: {_told(wrong)}.", rows)
    if unknown:
        return cannot_tell(f"{title}: {_told(unknown)}.", rows)
    if known.incomplete:
        return cannot_tell(f"{title}: the domains of the tenant are not known. {known.incomplete}", rows)
    return passed(f"{title} of {len(right)} domain(s) is right: {listing((row['object'] for row in right), 3)}.", rows)


def _told(rows: Sequence[Row]) -> str:
    return listing((f"{row['object']}: {str(row['why']).rstrip('.')}" for row in rows), 3)
