#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module hybrid.exchange.sync_agent_info: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sync_agent_info
short_description: Tell how the Cloud Sync provisioning agent on a Windows server is
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Reads what a Windows server says of its provisioning agent (version, services, account, domains, trace), what Graph
    says of it (status, machine, groups), and says in plain words where the two differ and what is wrong.
  - Checks Microsoft's recommendation of three active agents for each domain.
notes:
  - Everything was tried on the rehearsal lab only.
  - An application needs C(OnPremisesPublishingProfiles.ReadWrite.All) to see the agents, in a beta interface that may
    not be open to applications. RV(graph_unreadable) says why they could not be read.
extends_documentation_fragment:
  - hybrid.exchange.tenant
  - hybrid.exchange.windows
  - hybrid.exchange.sync_agent
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
options:
  domain:
    description: The DNS name of the AD domain that the agent should serve. The server's own, if not given.
    type: str
seealso:
  - module: hybrid.exchange.sync_agent
  - module: hybrid.exchange.writeback_job_info
"""

EXAMPLES = r"""
- name: Look at the agent
  hybrid.exchange.sync_agent_info:
    domain: contoso.lab
  register: agent

- name: Say what is wrong with it
  ansible.builtin.debug:
    msg: "{{ agent.problems }}"
"""

RETURN = r"""
server:
  description: What the server says.
  returned: success
  type: dict
  contains:
    name:
      description: The full name of the server, as Graph shows it.
      type: str
      returned: success
    domain:
      description: The domain of the server; none for a workgroup.
      type: str
      returned: success
    system:
      description: Its system.
      type: str
      returned: success
    build:
      description: The build of its system.
      type: int
      returned: success
    installed:
      description: Whether the agent is there.
      type: bool
      returned: success
    version:
      description: The version of the agent; none where there is none. Graph does not know it.
      type: str
      returned: success
    service:
      description: Status and start type of the agent's service; none where there is none.
      type: dict
      returned: success
    updater_service:
      description: The same of the service that updates the agent.
      type: dict
      returned: success
    account:
      description: The account that the agent runs as.
      type: str
      returned: success
    service_started:
      description: When the agent's process began; none where it does not run or that is not told.
      type: str
      returned: success
    domains:
      description: The domains that the agent says it serves; none where it does not tell.
      type: list
      elements: str
      returned: success
    domains_unknown:
      description: Why it does not tell.
      type: str
      returned: success
    trace_folder:
      description: Where the agent writes its trace.
      type: str
      returned: success
    trace_folder_exists:
      description: Whether that folder is there.
      type: bool
      returned: success
graph:
  description: The record of the agent; none where Graph has none or does not tell.
  returned: success
  type: dict
  sample: {id: 1f2e3d4c-0000-4000-8000-000000000002, machine_name: sync1.contoso.lab, status: active, groups: [Default]}
graph_unreadable:
  description: Why Graph does not tell; none where it does.
  returned: success
  type: str
agree:
  description: Whether both sides say the same; none where Graph does not tell.
  returned: success
  type: bool
problems:
  description: What is wrong, and what to do, in sentences.
  returned: success
  type: list
  elements: str
availability:
  description: The active agents of the domain, and whether they are as many as Microsoft recommends.
  returned: success
  type: dict
  sample: {domain: contoso.lab, active_agents: [sync1.contoso.lab], recommended: 3, met: false}
counts:
  description: The number of problems.
  returned: success
  type: dict
  sample: {problems: 1}
windows_streams:
  description: What the server said beside its answers, by stream; the last O(report_limit) texts of each.
  returned: when it said something
  type: dict
  sample: {progress: ["Downloading AADConnectProvisioningAgentSetup.exe (40 %)"]}
service:
  description: What the run cost at the service.
  returned: success
  type: dict
  sample: {requests: 2, throttled_requests: 0, retried_requests: 0, waited_seconds: 0.0}
"""

from ansible_collections.hybrid.exchange.plugins.module_utils._agent import wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.inspect import inspect
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.version import required
from ansible_collections.hybrid.exchange.plugins.module_utils._module.agent_arguments import SYNC_AGENT
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    RUN,
    TENANT,
    WINDOWS,
    ArgumentSpec,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run

SPEC = ArgumentSpec(options={"domain": {"type": "str"}}).merge(TENANT, WINDOWS, SYNC_AGENT, RUN)


def use_case(context: ModuleContext) -> Outcome:
    """Look at both sides."""
    options = context.params
    found = inspect(
        context.windows,
        context.synchronization,
        wanted.names(options),
        options["domain"],
        required("minimum_version", options["minimum_version"]),
    )
    return Outcome(False, {**found, "counts": {"problems": len(found["problems"])}})


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
