#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module hybrid.exchange.exchange_server: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: exchange_server
short_description: Uninstall an Exchange Server with Setup, behind the gates
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Removes Exchange from one server with its own Setup, and only with it. Refuses without passed gates (O(readiness))
    and without the explicit word (O(confirm)).
  - What blocks Setup is read first, all at once. What can be prepared is prepared, exported before, and read back; of
    the rest the task says how to mend it, and changes nothing.
  - Prepared are, in this order, the system mailboxes on the last server, by C(Disable-Mailbox); send connectors that
    other servers take over; database copies; the membership of an availability group; databases, which are empty.
  - Setup is followed by its log, which shows in the progress of the task. After it, the server object and the service
    connection point in AD, services, web sites and the installation on the host must be gone.
  - Run again after it was killed at any point, it goes on from there. A Setup that such a run had begun goes on without
    a new readiness, as the gates cannot be judged any more once Exchange does not answer; that they were passed says
    the export in O(artifact_dir), which is written before the first change.
notes:
  - Everything was tried on the rehearsal lab only, which was written from the same documentation. Nobody could try it
    on an Exchange Server.
  - Exchange's objects are never removed over LDAP; AD is only read. Users' Exchange attributes and the schema are left
    alone. C(Remove-Mailbox), which would delete accounts, is never sent.
  - A session that is lost may end Setup on its host with it. Setup keeps its place, and the next run goes on.
  - A database that is mounted on the server goes with it, with its copies on other servers; it has to be empty. To
    keep it, activate a copy on another server before.
  - What Setup leaves of the organization in AD after the last server is told in RV(left) and not judged, as sources
    disagree.
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
options:
  state:
    description: The server is uninstalled.
    type: str
    default: absent
    choices: [absent]
  server:
    description:
      - The name of the server as Exchange knows it, such as V(EX01). O(windows_host) must be its host, and
        O(exchange_server_host) any server of the organization; while others are left, better one of them.
    type: str
    required: true
  confirm:
    description: The words C(uninstall) and the name of the server, such as V(uninstall EX01).
    type: str
    required: true
  last_server:
    description:
      - Whether it is the last server. V(auto) takes AD's word. With V(yes) or V(no) the task is refused where AD says
        otherwise.
    type: str
    default: auto
    choices: [auto, 'yes', 'no']
  databases:
    description: Whether to remove empty databases of the server, or to refuse the task while there are any.
    type: str
    default: remove_empty
    choices: [remove_empty, refuse]
  setup_path:
    description: Where Setup is on the server. If not given, where its registry says that Exchange is installed.
    type: str
  setup_arguments:
    description:
      - The arguments of Setup. A newer Setup may want the licence switch with an ending,
        C(/IAcceptExchangeServerLicenseTerms_DiagnosticDataON) or C(_DiagnosticDataOFF).
    type: list
    elements: str
    default: [/mode:Uninstall, /IAcceptExchangeServerLicenseTerms]
  setup_user:
    description:
      - The account that Setup runs as, where the session cannot go on to a domain controller by itself. A session that
        signed in with NTLM over the network cannot, with Kerberos only with O(windows_delegate).
    type: str
  setup_password:
    description: The password of O(setup_user).
    type: str
  setup_log:
    description: Setup's log on the server.
    type: str
    default: C:\ExchangeSetupLogs\ExchangeSetup.log
  setup_timeout:
    description: Seconds for Setup.
    type: int
    default: 10800
  setup_quiet_timeout:
    description: Seconds in which Setup must write something into its log; otherwise it counts as hanging.
    type: int
    default: 3600
  setup_hangs:
    description: What becomes of a Setup that hangs or takes too long. The task fails in both cases.
    type: str
    default: leave
    choices: [leave, stop]
  poll_interval:
    description: Seconds between two looks at Setup.
    type: int
    default: 10
  wait_timeout:
    description: Seconds to wait until Exchange, AD and the host show what was done.
    type: int
    default: 600
  lingering_services:
    description:
      - Whether the task fails where services of Exchange are left on the host, as C(MSExchangeTransport) is at times.
        V(accept) lists them in RV(left).
    type: str
    default: fail
    choices: [fail, accept]
seealso:
  - module: hybrid.exchange.decommission_readiness_info
  - module: hybrid.exchange.hybrid_configuration
"""

EXAMPLES = r"""
- name: Uninstall a server
  hybrid.exchange.exchange_server:
    server: EX01
    confirm: uninstall EX01
    readiness: artifacts/readiness.json
    readiness_sha256: 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
"""

RETURN = r"""
steps:
  description: What was done, or would be, in this order.
  returned: success
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
      description: The cmdlet or program that does it.
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
last_server:
  description: Whether it was the last server.
  returned: success
  type: bool
refused:
  description: Why it would not be begun; only in check mode.
  returned: success
  type: list
  elements: str
goes_on:
  description: Whether Setup was begun by an earlier run that the gates had allowed, so that it needs no readiness.
  returned: success
  type: bool
blockers:
  description: What blocks Setup, each with V(id), V(what), V(objects) and V(fix); only in check mode.
  returned: success
  type: list
  elements: dict
reasons:
  description: Why it was refused.
  returned: where it was refused
  type: list
  elements: str
export:
  description: The export of all that was to go with the server, written before the first change.
  returned: where something was changed
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
exit_code:
  description: The exit code of Setup.
  returned: where Setup failed
  type: int
log_errors:
  description: The errors in Setup's log.
  returned: where Setup failed
  type: list
  elements: str
reboot_required:
  description: Whether the server has to be restarted.
  returned: success
  type: bool
left:
  description: What Setup left of the organization in AD after the last server, and services that were accepted.
  returned: success
  type: list
  elements: str
unknown:
  description: What could not be looked at afterwards, and why.
  returned: success
  type: list
  elements: str
counts:
  description: The numbers of steps and of blockers.
  returned: success
  type: dict
  sample: {steps: 9, blockers: 0}
service:
  description: What the run cost at the service.
  returned: success
  type: dict
  sample: {requests: 1, throttled_requests: 0, retried_requests: 0, waited_seconds: 0.0}
"""

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import report, uninstall
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import wanted as setup_wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup.wanted import Ends
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    DIRECTORY,
    EXCHANGE_SERVER,
    RUN,
    TENANT,
    WINDOWS,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.clean_up_arguments import READINESS, SERVER
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.connect import connect_windows

SPEC = SERVER.merge(READINESS, TENANT, DIRECTORY, EXCHANGE_SERVER, WINDOWS, RUN)


def use_case(context: ModuleContext) -> Outcome:
    """Uninstall the server."""
    wanted = setup_wanted.from_params(context.params)
    ends = Ends(
        host=context.windows,
        watch=lambda: connect_windows(context.params),
        server=context.exchange_server if context.has_exchange_server else None,
        directory=context.directory,
        online=context.exchange,
        clock=context.cloud.clock,
        artifacts=context.artifacts,
        progress=context.progress,
        warn=context.warn,
    )
    outcome = uninstall.uninstall(ends, wanted, context.check_mode)
    actions = outcome.plan.actions if context.check_mode else outcome.done
    diff = report.diff(actions, context.report_limit)
    return Outcome(bool(actions), report.result(outcome, context.check_mode), diff)


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
