#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module hybrid.exchange.hybrid_configuration: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hybrid_configuration
short_description: Take the hybrid set-up of one side away, in order, and put it back from its export
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Removes or turns off what the Hybrid Configuration wizard made, on premises or in the cloud, step by step in the
    order O(order). All is read first, then planned, then exported, and only then changed; each step is read back
    before the next.
  - Only objects that belong to the hybrid set-up are touched. The rules are data, such as the wizard's names with an
    id, the tenant's routing domain, application ids. Others that look alike are listed in RV(left), with why, and left,
    unless O(also) names them.
  - Wrong orders are refused with the reason, before anything is changed. A run that was killed is finished by running
    it again.
notes:
  - Everything was tried on the rehearsal lab only, which was written from the same documentation. Nobody could try it
    on an Exchange Server.
  - Sources disagree about the order. RV(steps[].reason) and RV(steps[].source) tell for each step why it comes there.
  - What cmdlets cannot put back is known before. The export says it for each object, and O(state=present) repeats it in
    RV(lost). It is the federation, the hybrid agent, migration batches and endpoints, and what only the Hybrid
    Configuration wizard sets up.
  - Private keys and passwords are never in the export. Whoever wants to keep the key of the federation certificate
    exports it with C(Export-ExchangeCertificate) before.
  - Of Exchange Online's own service principal only C(keyCredentials) is changed, and only the keys of this
    organization's certificates for OAuth. An application needs C(Application.ReadWrite.All) for that.
extends_documentation_fragment:
  - hybrid.exchange.tenant
  - hybrid.exchange.directory
  - hybrid.exchange.exchange_server
  - hybrid.exchange.windows
  - hybrid.exchange.readiness
  - hybrid.exchange.run
  - hybrid.exchange.attributes
attributes:
  check_mode:
    support: full
    details: What would be refused is in RV(refused), and the task does not fail, so that all phases can be looked at.
  diff_mode:
    support: full
  idempotent:
    support: full
    details: An intra-organization connector is turned off by one run and removed by one after O(soak_minutes).
options:
  state:
    description:
      - V(absent) takes it away.
      - V(present) puts back what O(export) has and is missing or different, in reverse order, as far as cmdlets can.
    type: str
    default: absent
    choices: [absent, present]
  side:
    description: V(on_premises) is Exchange Server and needs O(exchange_server_host); V(cloud) is the tenant.
    type: str
    required: true
    choices: [on_premises, cloud]
  phase:
    description:
      - V(clean_up) is before the servers are uninstalled, V(cloud_clean_up) after the last one is gone.
      - If not given, V(clean_up) for O(side=on_premises) and V(cloud_clean_up) for O(side=cloud). Some steps in the
        cloud belong to V(clean_up), because sources name them there.
    type: str
    choices: [clean_up, cloud_clean_up]
  kinds:
    description:
      - Which kinds of objects to deal with. All of side and phase, if not given. A kind whose turn has not come,
        because an earlier one in O(order) is still there, is refused.
      - On premises V(service_connection_point), V(hybrid_configuration), V(intra_organization_connector),
        V(send_connector), V(receive_connector), V(remote_domain), V(organization_relationship), V(federated_domain),
        V(federated_organization), V(federation_trust), V(federation_certificate), V(auth_server),
        V(partner_application), V(setting_override), V(hybrid_agent).
      - In the cloud, phase V(clean_up), V(intra_organization_connector), V(service_principal_keys),
        V(hybrid_application).
      - In the cloud, phase V(cloud_clean_up), V(migration_batch), V(migration_endpoint), V(transport_rule),
        V(on_premises_organization), V(inbound_connector), V(outbound_connector), V(organization_relationship),
        V(intra_organization_connector), V(remote_domain).
    type: list
    elements: str
  steps:
    description:
      - Single steps instead of whole kinds, by their ids as RV(steps[].step) has them. What O(order) has before them on
        this side must be done; check mode does not ask for that.
      - The filter P(hybrid.exchange.order_segments#filter) gives them for a whole phase, side by side.
    type: list
    elements: str
  order:
    description:
      - V(exchange_team) is the order in which the Exchange team names the items, with the hybrid configuration object
        first.
      - V(hybrid_configuration_last) turns everything off before it removes anything, as older guides do.
    type: str
    default: exchange_team
    choices: [exchange_team, hybrid_configuration_last]
  also:
    description:
      - Objects that go although the rules leave them, by name. Transport rules go only this way.
      - A federation trust that another organization relationship stands on goes, with all of the federation, where it
        is named here.
    type: list
    elements: dict
    suboptions:
      kind:
        description: The kind.
        type: str
        required: true
      identity:
        description: The name, identity or GUID; for V(service_principal_keys) the key id or the display name.
        type: str
        required: true
  keep:
    description: Kinds that stay although they belong to the hybrid set-up. Later ones may then go.
    type: list
    elements: dict
    suboptions:
      kind:
        description: The kind.
        type: str
        required: true
      reason:
        description: Why. It is in RV(left).
        type: str
        required: true
  soak_minutes:
    description:
      - How long an intra-organization connector stays off before it is removed, and with it all that comes later in
        the order. V(0) removes it at once. No source gives a time; the default is a guess.
    type: float
    default: 60
  mail_quiet_hours:
    description:
      - A receive connector that took mail within so many hours keeps its trust in Exchange Online, and the task is
        refused. V(0) does not look into the tracking logs.
    type: float
    default: 24
  export:
    description: For O(state=present), the export that the removal wrote (RV(export.path)).
    type: path
  export_sha256:
    description: Its SHA-256 (RV(export.sha256)).
    type: str
  exports:
    description:
      - For O(state=present), all exports of a removal that took several runs or tasks, as the role
        P(hybrid.exchange.hybrid_cleanup#role) makes them. An object that several of them hold is put back as the oldest
        has it.
    type: list
    elements: dict
    suboptions:
      path:
        description: The export.
        type: path
        required: true
      sha256:
        description: Its SHA-256.
        type: str
        required: true
  organization_guid:
    description:
      - The id by which Exchange Online knows the organization on premises. If not given, it is found by
        C(Get-OrganizationConfig) and the names of the wizard's objects on premises, and is kept in O(artifact_dir) for
        the days when there is no server any more. Without both, a record in Exchange Online is nobody's, and the task
        is refused.
    type: str
  routing_domains:
    description: The tenant's domains for mail between the sides. If not given, C(<tenant>.mail.onmicrosoft.com).
    type: list
    elements: str
  auth_certificates:
    description:
      - Thumbprints of the organization's certificates for OAuth. If not given, those that C(Get-AuthConfig) shows,
        which needs O(exchange_server_host). Without either, no key is removed.
    type: list
    elements: str
  hybrid_agent_user:
    description:
      - An administrator of the tenant who takes the registration of the hybrid agent back. Its server is
        O(windows_host).
    type: str
  hybrid_agent_password:
    description: The password of O(hybrid_agent_user).
    type: str
  hybrid_agent_module:
    description: The PowerShell module of the hybrid agent on its server.
    type: str
    default: C:\Program Files\Microsoft Hybrid Service\HybridManagement.psm1
  hybrid_agent_programs:
    description: Names of the hybrid agent in the programs list of its server.
    type: list
    elements: str
    default: [Microsoft Hybrid Service, Microsoft Hybrid Agent]
  wait_timeout:
    description: Seconds to wait until a far end shows what was done.
    type: int
    default: 300
  uninstall_timeout:
    description: Seconds for the uninstaller of the hybrid agent.
    type: int
    default: 900
seealso:
  - module: hybrid.exchange.decommission_readiness_info
  - module: hybrid.exchange.exchange_server
"""

EXAMPLES = r"""
- name: Take the hybrid set-up away on premises
  hybrid.exchange.hybrid_configuration:
    side: on_premises
    soak_minutes: 0

- name: Put it back as far as cmdlets can
  hybrid.exchange.hybrid_configuration:
    state: present
    side: on_premises
    export: artifacts/hybrid-on_premises-20261122T101500.000000Z.jsonl
    export_sha256: 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef

- name: Take it away in the cloud after the last server, with a transport rule that is stale
  hybrid.exchange.hybrid_configuration:
    side: cloud
    also:
      - kind: transport_rule
        identity: Route payroll over the servers
"""

RETURN = r"""
steps:
  description: What was done, or would be, in this order.
  returned: success with O(state=absent)
  type: list
  elements: dict
  contains:
    line:
      description: The step and the object in one line.
      type: str
      returned: success
    step:
      description: The id of the step.
      type: str
      returned: success
    kind:
      description: The kind of object.
      type: str
      returned: success
    identity:
      description: The object.
      type: str
      returned: success
    verb:
      description: V(remove), V(disable) or V(change).
      type: str
      returned: success
    what:
      description: What the step is about.
      type: str
      returned: success
    cmdlet:
      description: The cmdlet or request that does it.
      type: str
      returned: success
    why:
      description: Why the object belongs to the hybrid set-up.
      type: str
      returned: success
    reason:
      description: Why the step comes at this place.
      type: str
      returned: success
    source:
      description: Which page says so.
      type: str
      returned: success
    reversible:
      description: Whether cmdlets can put it back.
      type: bool
      returned: success
waiting:
  description: What has to wait, each as in RV(steps), with V(reason) and V(until) where a time is known.
  returned: success with O(state=absent)
  type: list
  elements: dict
complete:
  description: Whether nothing is left to do on this side in this phase.
  returned: success with O(state=absent)
  type: bool
left:
  description: The first objects that look alike and were left, each with V(kind), V(identity), V(why),
    and V(line), which has it all.
  returned: success with O(state=absent)
  type: list
  elements: dict
  sample:
    - kind: send_connector
      identity: To Northwind
      why: it has not the marks of the wizard (named Outbound to Office 365, for the tenant's routing domain only)
not_found:
  description: What O(also) names and does not exist, because it is gone or misspelt.
  returned: success with O(state=absent)
  type: list
  elements: str
refused:
  description: Why it would not be begun; only in check mode.
  returned: success with O(state=absent)
  type: list
  elements: str
export:
  description: The export of all that was to be changed, written before the first change.
  returned: O(state=absent), where something was changed
  type: dict
  contains:
    path:
      description: Where it is.
      type: str
      returned: success
    sha256:
      description: Its SHA-256.
      type: str
      returned: success
    lines:
      description: Its number of lines, one of them the header.
      type: int
      returned: success
steps_done:
  description: What was done before the run failed.
  returned: failure after the first change
  type: list
  elements: dict
restored:
  description: What was put back, or would be.
  returned: success with O(state=present)
  type: list
  elements: dict
  sample: [{kind: send_connector, identity: Outbound to Office 365 - 0f1d}]
lost:
  description: The first objects of the export that no cmdlet puts back, each with V(why).
  returned: success with O(state=present)
  type: list
  elements: dict
counts:
  description: The numbers of steps, of those that wait and of objects left; or of objects restored, there, and lost.
  returned: success
  type: dict
  sample: {steps: 14, waiting: 0, left: 4}
failures:
  description: The first objects that could not be put back.
  returned: always
  type: list
  elements: dict
service:
  description: What the run cost at the service.
  returned: success
  type: dict
  sample: {requests: 6, throttled_requests: 0, retried_requests: 0, waited_seconds: 0.0}
"""

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import clean_up, report
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import wanted as hybrid_wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.wanted import Ends
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    DIRECTORY,
    EXCHANGE_SERVER,
    RUN,
    TENANT,
    WINDOWS,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.clean_up_arguments import HYBRID, READINESS
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run

SPEC = HYBRID.merge(READINESS, TENANT, DIRECTORY, EXCHANGE_SERVER, WINDOWS, RUN)


def use_case(context: ModuleContext) -> Outcome:
    """Take the hybrid set-up of one side away, or put it back."""
    wanted = hybrid_wanted.from_params(context.params)
    ends = Ends(
        online=context.exchange,
        graph=context.graph,
        server=context.exchange_server if context.has_exchange_server else None,
        host=context.windows if context.has_windows else None,
        directory=context.directory if context.has_directory else None,
        clock=context.cloud.clock,
        artifacts=context.artifacts,
        progress=context.progress,
        warn=context.warn,
        report_limit=context.report_limit,
        artifact_dir=str(context.params["artifact_dir"]),
    )
    check, limit = context.check_mode, context.report_limit
    if wanted.state == "present":
        back = clean_up.present(ends, wanted, check)
        puts = back.restoring.puts if check else back.back.done
        return Outcome(bool(puts), report.put_back(back, check, limit), report.diff_of_puts(puts, limit))
    gone = clean_up.absent(ends, wanted, check)
    actions = gone.plan.ready if check else gone.done
    return Outcome(bool(actions), report.cleaned(gone, check, limit), report.diff_of_actions(actions, limit))


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
