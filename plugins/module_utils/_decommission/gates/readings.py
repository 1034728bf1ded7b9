# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What can be read for the gates: one row for each reading, with its end and the words for the progress."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import ends, read_dns, read_relay
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import read_cloud as cloud
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import read_directory as directory
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import read_server as server
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.facts import Reading

_ROWS = (
    Reading("topology", ends.DIRECTORY, "read the organisation in Active Directory", directory.topology),
    Reading("operator", ends.DIRECTORY, "look up the operator", directory.operator),
    Reading("organization", ends.EXCHANGE_ONLINE, "read the tenant's configuration", cloud.organization),
    Reading("mailboxes", ends.EXCHANGE_ONLINE, "read the mailboxes in the cloud", cloud.mailboxes),
    Reading("groups", ends.EXCHANGE_ONLINE, "read groups", cloud.groups),
    Reading("contacts", ends.EXCHANGE_ONLINE, "read mail contacts", cloud.contacts),
    Reading("mail_users", ends.EXCHANGE_ONLINE, "read mail users", cloud.mail_users),
    Reading("cloud_moves", ends.EXCHANGE_ONLINE, "read migrations in the cloud", cloud.moves),
    Reading("outbound_connectors", ends.EXCHANGE_ONLINE, "read outbound connectors", cloud.outbound_connectors),
    Reading("inbound_connectors", ends.EXCHANGE_ONLINE, "read inbound connectors", cloud.inbound_connectors),
    Reading("accepted_domains", ends.EXCHANGE_ONLINE, "read accepted domains", cloud.accepted_domains),
    Reading("hybrid_agent", ends.EXCHANGE_ONLINE, "look for a hybrid agent", cloud.hybrid_agent),
    Reading("expected_mx", ends.EXCHANGE_ONLINE, "ask for the expected MX records", read_dns.expected_mx),
    Reading("graph_rights", ends.GRAPH, "try the rights in Graph", cloud.graph_rights),
    Reading("job", ends.GRAPH, "look at the writeback job", cloud.job),
    Reading("round_trip", ends.BOTH, "compare a sample of mailboxes", cloud.round_trip),
    Reading("server_mailboxes", ends.EXCHANGE_SERVER, "read the mailboxes on premises", server.mailboxes),
    Reading("server_archives", ends.EXCHANGE_SERVER, "read the archives on premises", server.archives),
    Reading("system_mailboxes", ends.EXCHANGE_SERVER, "read the system mailboxes", server.system_mailboxes),
    Reading("public_folders", ends.EXCHANGE_SERVER, "read public folders", server.public_folders),
    Reading("server_moves", ends.EXCHANGE_SERVER, "read migrations on premises", server.moves),
    Reading("servers", ends.EXCHANGE_SERVER, "read the servers", server.servers),
    Reading("edge", ends.EXCHANGE_SERVER, "read Edge subscriptions", server.edge_subscriptions),
    Reading("queues", ends.EXCHANGE_SERVER, "read the queues", server.queues),
    Reading("certificates", ends.EXCHANGE_SERVER, "read certificates", server.certificates),
    Reading("receive_connectors", ends.EXCHANGE_SERVER, "read receive connectors", server.receive_connectors),
    Reading("send_connectors", ends.EXCHANGE_SERVER, "read send connectors", server.send_connectors),
    Reading(
        "organization_management", ends.EXCHANGE_SERVER, "read Organization Management", server.organization_management
    ),
    Reading("relay", ends.EXCHANGE_SERVER, "read the message tracking logs", read_relay.read),
    Reading("agent_service", ends.WINDOWS, "look for the hybrid agent's service", directory.agent_service),
    Reading("dns_internal", ends.DNS_INTERNAL, "ask the internal name servers", read_dns.internal),
    Reading("dns_external", ends.DNS_EXTERNAL, "ask the external name servers", read_dns.external),
    Reading("on_premises_addresses", ends.EXCHANGE_ONLINE, "collect the addresses on premises", read_dns.addresses),
    Reading("doors", ends.OPERATOR, "try the ports of the servers", directory.doors),
    Reading("trial", ends.OPERATOR, "read the looks at the trial", directory.trial),
)

READINGS: Mapping[str, Reading] = MappingProxyType({row.name: row for row in _ROWS})
