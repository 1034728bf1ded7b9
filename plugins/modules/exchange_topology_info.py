#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module hybrid.exchange.exchange_topology_info: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: exchange_topology_info
short_description: Tell what Exchange Server has put into Active Directory
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Reads the Exchange organisation of a forest over LDAP, from the configuration partition and the domain. That is its
    servers with versions and roles, databases, availability groups, send and receive connectors, accepted and remote
    domains; the hybrid configuration, intra-organisation connectors, organisation relationships, federation trust,
    auth servers, partner applications and setting overrides; the service connection points of Autodiscover; the
    versions of schema and organisation; Exchange's security groups, its system mailboxes and the mailboxes on premises.
  - Any account that may read will do. It writes nothing, and no Exchange Server has to be up for it.
  - A forest without Exchange is no failure; RV(exchange) says so.
  - Other domains of the forest are read in the global catalog.
notes:
  - Everything was tried on the rehearsal lab only.
extends_documentation_fragment:
  - hybrid.exchange.directory
  - hybrid.exchange.run
  - hybrid.exchange.attributes
attributes:
  check_mode:
    support: full
    details: Reads only, so it does the same in check mode.
  diff_mode:
    support: none
  idempotent:
    support: full
options: {}
seealso:
  - module: hybrid.exchange.decommission_readiness_info
"""

EXAMPLES = r"""
- name: See what Exchange Server has put into Active Directory
  hybrid.exchange.exchange_topology_info:
  register: topology

- name: Say which servers there are
  ansible.builtin.debug:
    msg: "{{ topology.servers | map(attribute='name') | join(', ') | default('none', true) }}"
"""

RETURN = r"""
exchange:
  description: Whether the forest has an Exchange organisation.
  returned: success
  type: bool
organization:
  description: The organisation; none where there is none.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: success
    guid:
      description: Its objectGUID.
      type: str
      returned: success
    version:
      description: Its objectVersion.
      type: int
      returned: success
    created:
      description: When it was made.
      type: str
      returned: success
forest:
  description: The DNS name of the forest.
  returned: success
  type: str
  sample: contoso.com
domains:
  description: The DNS names of its domains.
  returned: success
  type: list
  elements: str
domains_unread:
  description: Domains whose objects could not be read, each with the reason.
  returned: success
  type: dict
  sample: {}
schema_version:
  description: rangeUpper of the Exchange schema; none where the schema is not extended.
  returned: success
  type: int
  sample: 17003
servers:
  description: The first of the servers.
  returned: success
  type: list
  elements: dict
  sample:
    - name: EX01
      fqdn: ex01.contoso.com
      version: Version 15.2 (Build 31544.4)
      role_names: [Mailbox]
      site: Default-First-Site-Name
      availability_group: DAG01
      created: "2021-03-04T10:11:12Z"
exit_hints:
  description:
    - Which of Microsoft's two ways out the directory shows. V(management_tools) where the group is there that only this
      way makes, none otherwise.
  returned: success
  type: dict
  sample: {exit: null, management_tools_group: null, why: There is no group Recipient Management EMT.}
fingerprint:
  description: What tells this organisation from all others. It stays the same whatever is removed from it.
  returned: success
  type: str
counts:
  description: How many objects there are of each kind.
  returned: success
  type: dict
  sample: {server: 2, database: 2, send_connector: 2}
directory_host:
  description: The domain controller that was read.
  returned: success
  type: str
  sample: dc1.contoso.com:636
artifact:
  description: The artifact with one line per object, with its kind, its name, where it is and its properties.
  returned: success
  type: dict
  contains:
    path:
      description: Where the file is.
      type: str
    sha256:
      description: Its SHA-256.
      type: str
    lines:
      description: How many lines it has.
      type: int
"""

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology import report as topology_report
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.read import read
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import DIRECTORY, RUN
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run

SPEC = DIRECTORY.merge(RUN)


def use_case(context: ModuleContext) -> Outcome:
    """Read, and keep all of it in an artifact."""
    topology = read(context.directory, context.progress)
    for domain, reason in topology.unread.items():
        context.warn(f"The domain {domain} was not read: {reason}")
    artifact = topology_report.save(topology, context.artifacts)
    return Outcome(False, topology_report.result(topology, artifact, context.report_limit))


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
