# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's scenario: named switches for what is unknown, or differs between tenants, in the real services.

A test runs both ways where public material does not say which way Microsoft's service goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.lab.store import Store

_META = "scenario"


@dataclass(frozen=True)
class Switch:
    """One switch; ``allowed`` empty means any number of at least ``least``."""

    name: str
    default: str | float
    doc: str
    allowed: tuple[str, ...] = ()
    least: float = 0

    def checked(self, value: Any) -> str | float:
        """``value`` if the switch can take it (digits in a string count as a number); ValueError otherwise."""
        if self.allowed:
            if value in self.allowed:
                return str(value)
            raise ValueError(f"Switch {self.name} takes {' or '.join(self.allowed)}, not {value!r}.")
        if isinstance(value, str):
            try:
                value = float(value) if "." in value else int(value)
            except ValueError as error:
                raise ValueError(f"Switch {self.name} takes a number, not {value!r}.") from error
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < self.least:
            raise ValueError(f"Switch {self.name} takes a number of at least {self.least}, not {value!r}.")
        return value


_ALL = (
    Switch(
        "type_values",
        "remote",
        "What writeback writes to msExchRecipientTypeDetails for shared, room and equipment mailboxes.",
        ("remote", "local"),
    ),
    Switch(
        "proxy_addresses",
        "overwrite",
        "Whether writeback overwrites proxyAddresses in AD, or keeps values that only AD has.",
        ("overwrite", "merge"),
    ),
    Switch(
        "flipped_after_start",
        "on_demand_or_initial",
        "When the job first sees a mailbox whose flag was set after the job's start.",
        ("on_demand_or_initial", "next_cycle"),
    ),
    Switch(
        "type_change_when_not_managed",
        "written_back",
        "Whether a change of type is written back for a mailbox whose flag is false.",
        ("written_back", "not_written_back"),
    ),
    Switch(
        "unmanaged_edit",
        "refused",
        "What Exchange Online does with edits to a synced mailbox whose flag is false (its type excepted).",
        ("refused", "accepted"),
    ),
    Switch(
        "mail_mapping",
        "ga",
        "Whether a new job's schema maps mail (general availability) or not (preview).",
        ("ga", "preview"),
    ),
    Switch("replication_delay_s", 0, "Lab seconds until a new service principal is visible; 404 before."),
    Switch("stale_reads_s", 0, "Lab seconds for which reads still give the value from before a write."),
    Switch("connect_sync_interval_s", 1800, "Lab seconds between two runs of Connect Sync."),
    Switch("cycle_interval_s", 1200, "Lab seconds between two cycles of the writeback job."),
    Switch("mailbox_limit", 600_000, "Mailboxes that Get-Mailbox gives at most, however many are asked for."),
    Switch(
        "extension_custom_attributes_flow",
        "no",
        "Whether ExtensionCustomAttribute1-5 flow from AD to Exchange Online.",
        ("no", "yes"),
    ),
    Switch(
        "onmicrosoft_addresses",
        "kept",
        "Whether writeback keeps or drops addresses of onmicrosoft.com domains.",
        ("kept", "dropped"),
    ),
    Switch(
        "object_soa",
        "ignored",
        "How the directory refuses to modify objects with msDS-ObjectSoa (the lab's engines excepted), if it does.",
        ("ignored", "unwilling", "access_denied", "constraint"),
    ),
    Switch("concurrency_limit", 20, "Exchange Online requests of one tenant that run at the same time; 0 is no limit."),
    Switch(
        "concurrent_cmdlets",
        0,
        "Cmdlets of one tenant that run at the same time, each part of a $batch counted; more get 429 with"
        " Retry-After; 0 is no limit.",
    ),
    Switch("cmdlet_seconds", 0, "Real seconds that every cmdlet takes at least; a fraction is good."),
    Switch("rate_budget", 0, "Exchange Online requests of one tenant within 300 seconds; more get 429; 0 is no limit."),
    Switch("batch_limit", 10, "Parts that Exchange Online takes in one $batch."),
    Switch("default_page_size", 100, "Rows of a page of Exchange Online when the client prefers none.", least=1),
    Switch("top_page_size", 1000, "Rows of a page of Exchange Online at most, whatever the client prefers.", least=1),
    Switch(
        "graph_page_size", 999, "Rows of a page of directory objects of Graph at most, whatever $top says.", least=1
    ),
    Switch("next_link_lifetime_s", 600, "Lab seconds until an @odata.nextLink of Exchange Online expires."),
    Switch("on_demand_calls", 5, "provisionOnDemand calls within 10 seconds; more get 429."),
    Switch(
        "secrets_readable",
        "keys",
        "What reading a job's secrets gives: keys with null, the values that were put, or ***** for each.",
        ("keys", "values", "masked"),
    ),
    Switch(
        "sync_account",
        "valid",
        "The account in Entra ID that the service synchronizes with: a job stops when it is missing or has expired.",
        ("valid", "missing", "expired"),
    ),
    Switch(
        "template_schema",
        "shown",
        "Whether the template of the writeback job shows its schema; documented for templates in general only.",
        ("shown", "hidden"),
    ),
    Switch("escrow_proportion", 0.6, "More than this share of a cycle's objects failing is a quarantine.", least=0.0),
    Switch("escrow_minimum", 10, "Failures of a cycle below which their share does not count.", least=1),
    Switch("escrow_total", 5000, "Objects held back (escrows) that are a quarantine, whatever their share.", least=1),
    Switch("complete_failures", 5, "Cycles in a row that failed as a whole that are a quarantine.", least=1),
    Switch(
        "flow_types",
        "update",
        "What a new job's schema may do with objects in AD: with delete, whoever leaves the scope is disabled.",
        ("update", "update_delete"),
    ),
    Switch(
        "delete_count",
        "told",
        "Whether the message of a quarantine for too many deletes tells how many; the provisioning log has them all.",
        ("told", "untold"),
    ),
    Switch(
        "null_source",
        "clears",
        "What flow type Always does in AD when its source has no value.",
        ("clears", "keeps"),
    ),
    Switch(
        "default_value",
        "when_null",
        "When a mapping's default value is used: whenever its source is null, as Graph's reference says, or only when"
        " an object is created, as the portal's documentation says (this job creates none).",
        ("when_null", "at_creation"),
    ),
    Switch(
        "value_add_only",
        "overwrites",
        "What flow types ValueAddOnly and MultiValueAddOnly do to another value of a single-valued attribute.",
        ("overwrites", "keeps"),
    ),
    Switch(
        "attribute_add_only",
        "when_absent",
        "When flow type AttributeAddOnly writes: only where AD has no value, as Graph's reference says, or always.",
        ("when_absent", "overwrites"),
    ),
    Switch(
        "null_comparison",
        "fails",
        "What a comparison in an expression gives when the attribute has no value: it fails, as the reference says, or"
        " the attribute counts as an empty text.",
        ("fails", "as_text"),
    ),
    Switch(
        "agents",
        "seeded",
        "Whether a tenant has the provisioning agent it began with; without it no host has one either, until one is"
        " installed.",
        ("seeded", "none"),
    ),
    Switch(
        "second_hop",
        "refused",
        "Whether a session on a Windows host reaches the software share: NTLM and certificates do not delegate.",
        ("refused", "allowed"),
    ),
    Switch(
        "agent_registers",
        "with_domain",
        "When an agent appears in Graph: as the first domain is added, or already as its module connects.",
        ("with_domain", "at_connect"),
    ),
    Switch("agent_ageing_s", 864_000, "Lab seconds after which an inactive agent vanishes from Graph."),
    Switch(
        "agent_names",
        "azure_ad",
        "What a new installation calls the agent: Microsoft Azure AD Connect, or Microsoft Entra, Provisioning Agent.",
        ("azure_ad", "entra"),
    ),
    Switch(
        "domains_cmdlet",
        "present",
        "Whether the agent's module has Get-AADCloudSyncADDomains, which only third parties name.",
        ("present", "absent"),
    ),
    Switch(
        "tenant_cloud",
        "AzureCloud",
        "The cloud that the tenants are in, which an agent has to be installed for (ENVIRONMENTNAME).",
        ("AzureCloud", "AzureUSGovernment", "AzureChinaCloud"),
    ),
    Switch("installer_s", 0.2, "Real seconds that the agent's installer takes."),
    Switch(
        "organization_links",
        "ignored",
        "Whether Exchange Online refuses to remove connectors and relationships that its on-premises organization"
        " names.",
        ("ignored", "refused"),
    ),
    Switch(
        "connector_in_rule",
        "ignored",
        "Whether Exchange Online refuses to remove an outbound connector that a mail flow rule routes to.",
        ("ignored", "refused"),
    ),
    Switch(
        "working_batch_removal",
        "refused",
        "Whether a migration batch that works can be removed without being stopped first.",
        ("refused", "accepted"),
    ),
    Switch("batch_stop_s", 0, "Lab seconds for which a migration batch is Stopping."),
    Switch("batch_removal_s", 0, "Lab seconds for which a migration batch is Removing, and its endpoint in use."),
    Switch(
        "endpoint_verification",
        "passes",
        "Whether the service reaches the server of a new migration endpoint.",
        ("passes", "fails"),
    ),
    Switch(
        "dnssec_objects",
        "whole",
        "How the inner objects of Get-DnssecStatusForVerifiedDomain travel: whole, or as their types' names.",
        ("whole", "names"),
    ),
    Switch(
        "key_without_value",
        "kept",
        "What Graph does with a keyCredential in a PATCH that is there already and comes without its key: it stays, or"
        " the request is refused.",
        ("kept", "refused"),
    ),
    Switch("exchange_setup_s", 2, "Real seconds that Exchange's Setup takes to take a server away."),
    Switch(
        "setup_leaves",
        "none",
        "What is left in AD when the last Exchange server was uninstalled: nothing, as one text of Microsoft's says,"
        " the security groups, the organization as well, or everything but the server.",
        ("none", "groups", "organization", "all"),
    ),
    Switch(
        "setup_leaves_web_site",
        "no",
        "Whether IIS still has its Default Web Site, without Exchange's applications, after Exchange is gone.",
        ("no", "yes"),
    ),
    Switch(
        "setup_second_hop",
        "allowed",
        "Whether Setup reaches AD from a session that does not delegate; refused, it needs Start-Process -Credential.",
        ("allowed", "refused"),
    ),
    Switch(
        "no_public_folders",
        "empty",
        "What Get-PublicFolder does on premises where there is none: it gives nothing, or an error.",
        ("empty", "error"),
    ),
    Switch("windows_restart_s", 5, "Lab seconds for which a Windows host is away when it restarts."),
)

SWITCHES: dict[str, Switch] = {switch.name: switch for switch in _ALL}


class Scenario:
    """The values of the switches; kept in the store, changeable at run time, the same in every thread."""

    def __init__(self, store: Store) -> None:
        """Take up the values kept in ``store``."""
        self._store = store

    def all(self) -> dict[str, Any]:
        """Every switch with its value."""
        kept = self._store.meta(_META) or {}
        return {name: kept.get(name, switch.default) for name, switch in SWITCHES.items()}

    def get(self, name: str) -> Any:
        """The value of a switch; KeyError when there is no such switch."""
        if name not in SWITCHES:
            raise KeyError(f"There is no switch {name}; there are {', '.join(SWITCHES)}.")
        kept = self._store.meta(_META) or {}
        return kept.get(name, SWITCHES[name].default)

    __getitem__ = get

    def set(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Set switches, all or none; returns all values; ValueError for an unknown switch or value."""
        unknown = sorted(set(changes) - set(SWITCHES))
        if unknown:
            raise ValueError(f"There is no switch {', '.join(unknown)}; there are {', '.join(SWITCHES)}.")
        checked = {name: SWITCHES[name].checked(value) for name, value in changes.items()}
        with self._store.transaction():
            self._store.set_meta(_META, {**(self._store.meta(_META) or {}), **checked})
        return self.all()

    def changed(self) -> dict[str, Any]:
        """The switches that were set, with their values."""
        return dict(self._store.meta(_META) or {})

    def reset(self) -> None:
        """Every switch back to its default."""
        self._store.set_meta(_META, {})
