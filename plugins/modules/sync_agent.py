#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module hybrid.exchange.sync_agent: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sync_agent
short_description: Install, register, upgrade or remove the Cloud Sync provisioning agent on a Windows server
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Keeps the Microsoft Entra provisioning agent on one Windows server as stated, for one AD domain. The writeback job
    of that domain needs one that is active, and Microsoft recommends three.
  - Works with cmdlets over PowerShell remoting; no script is sent. What the server says of itself, and what Graph says
    of the agent, is read first; then come the prerequisites, all at once; then, one by one, the steps that are missing.
  - A write whose answer was lost is never sent again. The state is read instead, and running the task again goes on
    from there.
  - The agent is never taken down on a server that has the only active one of the domain, unless O(last_agent) says so.
notes:
  - Everything was tried on the rehearsal lab only, which was written from the same documentation. Nobody could try it
    on a Windows server.
  - Registering the agent needs a person's account, O(registration_user), that is not asked for a second factor. Where
    that is not allowed, use O(registration=by_hand).
  - Whether the permissions of a managed service account, and the preferred domain controllers, are as stated cannot be
    read. Both are set when the module registers the agent, and not otherwise.
  - An application needs C(OnPremisesPublishingProfiles.ReadWrite.All) to see the agents, in a beta interface that may
    not be open to applications. Where it cannot, a running agent is taken down only with O(last_agent=accepted).
  - With O(directory_hosts), the schema of the forest is checked. The account only reads.
extends_documentation_fragment:
  - hybrid.exchange.tenant
  - hybrid.exchange.directory
  - hybrid.exchange.windows
  - hybrid.exchange.sync_agent
  - hybrid.exchange.run
  - hybrid.exchange.attributes
attributes:
  check_mode:
    support: full
    details: What can be told before, such as prerequisites that are not met, fails in check mode too.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description:
      - V(present) installs and registers the agent where it is missing, upgrades one that is older than
        O(minimum_version), and has its service run and start by itself.
      - V(latest) also upgrades an agent that is older than O(installer).
      - V(absent) removes it, and leaves its service account and its trace.
    type: str
    default: present
    choices: [present, latest, absent]
  domain:
    description: The DNS name of the AD domain that the agent serves.
    type: str
    required: true
  installer:
    description:
      - C(AADConnectProvisioningAgentSetup.exe), which Microsoft offers in the Microsoft Entra admin center only. Needed
        where the agent has to be installed or upgraded, and for O(state=latest).
      - It is copied to O(staging_folder) on the server, its hash and signature are checked there, and the copy is
        removed after it ran.
    type: dict
    suboptions:
      path:
        description: Where it lies on the server.
        type: str
      share:
        description:
          - Its network path. A session that signed in over the network cannot go on to a file server by itself; see
            O(windows_delegate).
        type: str
      url:
        description: Its address, beginning with C(https://), from where the server downloads it.
        type: str
      sha256:
        description:
          - Its SHA-256 hash. To do without, accept V(installer_hash_stated) in O(prerequisites_accepted).
        type: str
      signer:
        description:
          - The subject of the certificate that it must be signed with, or the certificate's thumbprint.
        type: str
        default: CN=Microsoft Corporation, O=Microsoft Corporation, L=Redmond, S=Washington, C=US
      version:
        description:
          - Its version. Needed for O(state=latest) with O(installer.url), as the version of a file that is not there
            yet cannot be read.
        type: str
  installer_arguments:
    description: The arguments of the installer. Microsoft's pages give the first of the default ones only.
    type: list
    elements: str
    default: [/quiet, /norestart]
  environment_name:
    description:
      - C(ENVIRONMENTNAME) of the installer. V(AzureUSGovernment) for O(cloud=gcc_high) and O(cloud=dod), and none for
        V(worldwide). For other clouds no source gives it. An empty text means none.
    type: str
  staging_folder:
    description:
      - A folder on the server that only administrators may write to. Nothing else should be kept there.
    type: str
    default: C:\Program Files\hybrid.exchange
  registration:
    description:
      - V(administrator) registers the agent with O(registration_user).
      - V(by_hand) installs it, waits O(registration_timeout) seconds for somebody to register it, and otherwise fails
        with what to do on the server. Run again, it verifies that by Graph and on the server, and goes on.
    type: str
    default: administrator
    choices: [administrator, by_hand]
  registration_user:
    description:
      - A Hybrid Identity Administrator of the tenant who is no guest and is not asked for a second factor.
    type: str
  registration_password:
    description: The password of O(registration_user).
    type: str
  registration_timeout:
    description: Seconds to wait for a registration by hand.
    type: int
    default: 0
  domain_admin_user:
    description:
      - An administrator of the AD domain, as C(DOMAIN\\name), who makes the service account, grants its permissions and
        adds the domain. Used for that only.
    type: str
  domain_admin_password:
    description: The password of O(domain_admin_user).
    type: str
  gmsa:
    description:
      - V(created) lets the agent make its group managed service account, C(provAgentgMSA$), with all permissions.
      - The name of another one, with its dollar sign, such as V(svc-sync$). It must exist, and the server must be
        allowed to use it.
    type: str
    default: created
  permissions:
    description:
      - What to grant the service account on the domain. If not given, V(HybridExchangePermissions) for an account of
        your own, which writeback needs, and nothing for one that the agent made.
    type: list
    elements: str
    choices:
      - BasicRead
      - PasswordHashSync
      - PasswordWriteBack
      - HybridExchangePermissions
      - ExchangeMailPublicFolderPermissions
      - UserGroupCreateDelete
      - All
  preferred_domain_controllers:
    description: Which domain controllers the agent uses first, in this order.
    type: list
    elements: str
  prerequisites_accepted:
    description:
      - Prerequisites that you take over, by their ids, where they are not met or cannot be told. Those that are about
        what runs on the server (V(installer_found), V(installer_hash), V(installer_signature), V(installer_version))
        cannot be accepted.
    type: list
    elements: dict
    suboptions:
      id:
        description: The id, as RV(prerequisites[].id) has it.
        type: str
        required: true
      reason:
        description: Why. It is in the result.
        type: str
        required: true
  outbound_hosts:
    description:
      - Which names the server must reach, as V(name) or V(name:port). If not given, those that Microsoft's pages name
        for O(cloud) without wildcards.
    type: list
    elements: str
  last_agent:
    description: Whether the only active agent of the domain may be taken down.
    type: str
    default: refused
    choices: [refused, accepted]
  reboot:
    description:
      - Whether to restart the server where the installer asks for it, or where a restart is pending before. With
        V(never) RV(reboot_required) says it, and a pending restart is a prerequisite that is not met.
      - It is done with C(Restart-Computer) over the same session, so that no other collection and no second connection
        to the server is needed.
    type: str
    default: never
    choices: [never, when_required]
  restart_after:
    description:
      - Restart the agent's service if it began before this time, such as V(2026-08-03T10:15:00Z).
    type: str
  restart_after_schema:
    description:
      - Restart the agent's service if it began before the Exchange schema was last extended. Needs O(directory_hosts).
    type: bool
    default: true
  install_timeout:
    description:
      - Seconds for the installer or the uninstaller. One that takes longer is stopped.
    type: int
    default: 1800
  download_timeout:
    description: Seconds for copying or downloading the installer.
    type: int
    default: 900
  restart_timeout:
    description: Seconds for a restart of the server.
    type: int
    default: 1800
  wait_timeout:
    description: Seconds to wait until the service runs, and then until Graph shows the agent active.
    type: int
    default: 300
seealso:
  - module: hybrid.exchange.sync_agent_info
  - module: hybrid.exchange.writeback_job
"""

EXAMPLES = r"""
- name: Have the agent
  hybrid.exchange.sync_agent:
    domain: contoso.lab
    installer:
      path: C:\Install\AADConnectProvisioningAgentSetup.exe
      sha256: 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef

- name: Have it as new as the installer, and restart the server where that is needed
  hybrid.exchange.sync_agent:
    domain: contoso.lab
    state: latest
    reboot: when_required
    installer:
      path: C:\Install\AADConnectProvisioningAgentSetup.exe
      sha256: 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef

- name: Remove it, also if it is the last one
  hybrid.exchange.sync_agent:
    domain: contoso.lab
    state: absent
    last_agent: accepted
"""

RETURN = r"""
steps:
  description: What was done, or would be, in this order.
  returned: success
  type: list
  elements: str
  sample: [install, connect, set_gmsa, add_domain, restart_service]
steps_done:
  description: What was done before the run failed.
  returned: failure after the first step
  type: list
  elements: str
before:
  description: The agent before, as the server and Graph showed it.
  returned: success
  type: dict
  sample: {version: null, service: null, account: null, domains: null, registered: false}
after:
  description: The same afterwards; in check mode what it would be.
  returned: success
  type: dict
  sample:
    version: 1.1.2102.0
    service: Running, Automatic
    account: CONTOSO\provAgentgMSA$
    domains: [contoso.lab]
    registered: active
version:
  description: The version of the agent; none if there is none.
  returned: success
  type: str
  sample: 1.1.2102.0
prerequisites:
  description: What was asserted of the server and the forest; empty where nothing had to be installed or registered.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: What to call it in O(prerequisites_accepted).
      type: str
      returned: success
    asserted:
      description: What must be true.
      type: str
      returned: success
    verdict:
      description: V(passed), V(failed) or V(cannot_tell).
      type: str
      returned: success
    evidence:
      description: What was found.
      type: str
      returned: success
    accepted:
      description: Your reason for going on without it; none where it was not needed.
      type: str
      returned: success
    fix:
      description: What to do.
      type: str
      returned: where it is not met
reboot_required:
  description: Whether the server has to be restarted.
  returned: success
  type: bool
left:
  description: What a removal leaves, or a run that failed.
  returned: always
  type: list
  elements: str
agents:
  description: The active agents that Graph shows, by machine name; none where it does not tell.
  returned: success
  type: list
  elements: str
  sample: [sync1.contoso.lab]
counts:
  description: The number of steps.
  returned: success
  type: dict
  sample: {steps: 5}
windows_streams:
  description: What the server said beside its answers, by stream; the last O(report_limit) texts of each.
  returned: when it said something
  type: dict
  sample: {progress: ["Downloading AADConnectProvisioningAgentSetup.exe (40 %)"]}
service:
  description: What the run cost at the service.
  returned: success
  type: dict
  sample: {requests: 6, throttled_requests: 0, retried_requests: 0, waited_seconds: 0.0}
"""

from ansible_collections.hybrid.exchange.plugins.module_utils._agent import report, wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.ensure import ensure
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.ports import Ends
from ansible_collections.hybrid.exchange.plugins.module_utils._module.agent_arguments import AGENT_SETUP, SYNC_AGENT
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    DIRECTORY,
    RUN,
    TENANT,
    WINDOWS,
    ArgumentSpec,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run

SPEC = ArgumentSpec(
    options={
        "state": {"type": "str", "default": "present", "choices": ["present", "latest", "absent"]},
        "domain": {"type": "str", "required": True},
    },
).merge(AGENT_SETUP, TENANT, DIRECTORY, WINDOWS, SYNC_AGENT, RUN)


def use_case(context: ModuleContext) -> Outcome:
    """Bring the agent on the server into the wanted state."""
    stated = wanted.from_params(context.params)
    ends = Ends(
        host=context.windows,
        agents=context.synchronization,
        forest=context.directory if context.has_directory else None,
        clock=context.cloud.clock,
        progress=context.progress,
        warn=context.warn,
    )
    outcome = ensure(ends, stated, context.check_mode)
    return Outcome(bool(outcome.plan.steps), report.result(outcome), report.diff(outcome))


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
