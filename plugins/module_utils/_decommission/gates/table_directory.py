# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The gates about name servers, Active Directory and the shut-down on trial."""

from __future__ import annotations

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import judge_directory as directory
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import judge_dns as dns
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import trial
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.gate import Gate
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.pages import (
    ALL,
    BEFORE,
    DECOMMISSION_PAGE,
    DNS_PAGE,
    SCENARIO_PAGE,
    SETUP_PAGE,
    WRITEBACK_PAGE,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.phases import (
    CLOUD_CLEAN_UP,
    SOURCE_OF_AUTHORITY,
    UNINSTALL,
)

_GATEWAY = "A mail gateway of another maker takes the mail for the domain and hands it on to Exchange Online."
_INSIDE = "Nobody inside asks these name servers for it."
_ELSEWHERE = "It is known who answers there, and that no server on premises does."


def _dns(side: str, words: str) -> tuple[Gate, ...]:
    """The four gates of one side."""
    reading, inside = f"dns_{side}", side == "internal"
    return (
        Gate(
            f"mx_{side}",
            f"MX, {words}",
            f"Seen from {words}, mail for every authoritative domain goes to Exchange Online.",
            BEFORE,
            (reading,),
            dns.mx(reading),
            "Point the MX records at Exchange Online.",
            24,
            DNS_PAGE,
            _INSIDE if inside else _GATEWAY,
            helps=("expected_mx",) if not inside else (),
        ),
        Gate(
            f"autodiscover_{side}",
            f"Autodiscover, {words}",
            f"Seen from {words}, Autodiscover of every authoritative domain is Exchange Online's.",
            BEFORE,
            (reading,),
            dns.autodiscover(reading),
            "Point autodiscover at Exchange Online with a CNAME record.",
            24,
            DNS_PAGE,
            _ELSEWHERE,
        ),
        Gate(
            f"autodiscover_srv_{side}",
            f"SRV, {words}",
            f"Seen from {words}, no SRV record leads Autodiscover to a server on premises.",
            BEFORE,
            (reading,),
            dns.srv(reading),
            "Remove the SRV record _autodiscover._tcp.",
            24,
            DNS_PAGE,
            _ELSEWHERE,
        ),
        Gate(
            f"spf_{side}",
            f"SPF, {words}",
            f"Seen from {words}, SPF of every authoritative domain lets Exchange Online send, and nobody on premises.",
            BEFORE,
            (reading, "topology", "on_premises_addresses"),
            dns.spf(reading),
            "Include Exchange Online's SPF record, and take out the addresses of the servers on premises.",
            24,
            DNS_PAGE,
            _INSIDE if inside else "It is known what else sends from these addresses, or that nothing is sent.",
        ),
    )


GATES: tuple[Gate, ...] = (
    *_dns("external", "outside"),
    *_dns("internal", "inside"),
    Gate(
        "autodiscover_scp",
        "Service connection points",
        "No service connection point in Active Directory leads clients to a server on premises.",
        (UNINSTALL, CLOUD_CLEAN_UP),
        ("topology",),
        directory.service_connection_points,
        "Clear AutoDiscoverServiceInternalUri of every server (Set-ClientAccessService), as hybrid_configuration does.",
        24,
        SCENARIO_PAGE,
    ),
    Gate(
        "expansion_servers",
        "Expansion servers",
        "No group names a server for the expansion of its members.",
        (UNINSTALL,),
        ("topology",),
        directory.expansion,
        "Clear ExpansionServer of the groups (Set-DistributionGroup).",
        24,
        SETUP_PAGE,
    ),
    Gate(
        "hybrid_clean_up_done",
        "Hybrid clean-up",
        "Nothing of the hybrid set-up is left on premises.",
        (UNINSTALL,),
        ("topology",),
        directory.hybrid_gone,
        "Run the phase clean_up (hybrid_configuration).",
        24,
        DECOMMISSION_PAGE,
        "It is known why the object stays, such as a federation trust that is shared with another company.",
    ),
    Gate(
        "exchange_schema",
        "Exchange schema",
        "The schema of Active Directory is extended for Exchange; the writeback needs it, and it stays.",
        ALL,
        ("topology",),
        directory.schema,
        "Extend it with Setup (PrepareSchema).",
        168,
        WRITEBACK_PAGE,
        exits=(SOURCE_OF_AUTHORITY,),
    ),
    Gate(
        "operator_domain",
        "Rights in the forest",
        "The operator is in Enterprise Admins, as the configuration of Exchange is the forest's.",
        (UNINSTALL,),
        ("topology", "operator"),
        directory.operator_domain,
        "Add the account for the time of the removal.",
        24,
        SETUP_PAGE,
        "Another account with these rights does it, or Domain Admins is known to be enough for a server that is not "
        "the last.",
    ),
    Gate(
        "trial_shutdown",
        "Shut-down on trial",
        "All servers were off for a while, and mail, sign-in and writeback went on.",
        (UNINSTALL,),
        ("topology", "trial", "doors"),
        trial.judge,
        "Shut the servers down, take looks with trial_shutdown observe while they are off, and start them again.",
        168,
        DECOMMISSION_PAGE,
        "The servers were off on trial, by the word of whoever did it.",
    ),
    Gate(
        "servers_gone",
        "Servers gone",
        "No Exchange Server is left in Active Directory.",
        (CLOUD_CLEAN_UP,),
        ("topology",),
        directory.servers_gone,
        "Uninstall them with Setup (exchange_server), never by deleting objects.",
        24,
        DECOMMISSION_PAGE,
        exits=(SOURCE_OF_AUTHORITY,),
    ),
)
