#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module hybrid.exchange.decommission_readiness_info: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: decommission_readiness_info
short_description: Tell whether an organisation is ready for the next phase of a decommission, with evidence
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Judges one gate per condition that must hold before the hybrid clean-up, before Exchange Server is uninstalled, and
    before the clean-up in the cloud. Each is V(passed), V(failed) or V(cannot_tell), with the objects as evidence, the
    far end that they come from, the time, how to mend it, and when the verdict expires.
  - A gate that could not be evaluated, because an end cannot be reached or a right is missing, is V(cannot_tell) with
    the words of the error, and never passed. It hides no other gate.
  - Writes the verdicts to a file, RV(readiness), that the modules which change something demand with its SHA-256, and a
    bundle of evidence, RV(bundle), with a manifest and a checklist to print. It writes nothing at any far end.
  - With O(trial_shutdown=observe) it takes one look at the servers while they are off on trial.
  - The table of gates is in the collection's C(docs/decommission.md).
notes:
  - Everything was tried on the rehearsal lab only; nobody here had an Exchange Server.
  - Verdicts expire by the service's clock, not by that of the controller.
extends_documentation_fragment:
  - hybrid.exchange.tenant
  - hybrid.exchange.directory
  - hybrid.exchange.exchange_server
  - hybrid.exchange.windows
  - hybrid.exchange.writeback_job
  - hybrid.exchange.selection
  - hybrid.exchange.rules
  - hybrid.exchange.run
  - hybrid.exchange.attributes
attributes:
  check_mode:
    support: full
    details: It changes nothing at any far end. In check mode O(trial_shutdown=observe) keeps no look.
  diff_mode:
    support: N/A
    details: It changes nothing.
  idempotent:
    support: full
options:
  phase:
    description:
      - The phase whose gates are judged. V(clean_up) is before the hybrid clean-up on premises, V(uninstall) before
        Setup removes a server, V(cloud_clean_up) before the clean-up in the cloud.
      - Each phase judges again what the one before it went by.
    type: str
    choices: [clean_up, uninstall, cloud_clean_up]
  exit:
    description:
      - Which of Microsoft's two ways out the organisation goes. With V(source_of_authority) Exchange Online is the
        authority for the attributes, and the last server is uninstalled. With V(management_tools) Active Directory
        stays it, and the last server is shut down and never uninstalled, so there is no O(phase=uninstall).
      - Where Active Directory shows the other way, the task fails, after it has written everything.
    type: str
    default: source_of_authority
    choices: [source_of_authority, management_tools]
  domain:
    description: The DNS name of the AD domain that the writeback job writes to.
    type: str
    required: false
  servers:
    description:
      - Where Exchange servers are reached, if not by the full names that Active Directory has of them.
      - Only whether they take connections on ports 443, 5986 and 25 is tried there.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the server.
        type: str
        required: true
      host:
        description: A name or an address.
        type: str
        required: true
  dns_internal:
    description:
      - Addresses of the name servers that clients inside ask, such as V(10.0.0.53) or V(10.0.0.53:5353). The next one
        is asked where one does not answer.
      - Without them the gates about the inside cannot be told.
    type: list
    elements: str
  dns_external:
    description: Addresses of name servers that see what the world sees.
    type: list
    elements: str
  dns_timeout:
    description: Seconds to wait for an answer of a name server.
    type: int
    default: 5
  mx_suffixes:
    description: Ends of the names that MX records of the cloud have. Known from O(cloud), but for V(bleu) and V(delos).
    type: list
    elements: str
  autodiscover_hosts:
    description: The names of the cloud's Autodiscover. Known from O(cloud), but for V(bleu) and V(delos).
    type: list
    elements: str
  spf_includes:
    description: What SPF records include for the cloud. Known from O(cloud), but for V(bleu) and V(delos).
    type: list
    elements: str
  on_premises_addresses:
    description:
      - Addresses and networks that the organisation sends mail from on premises. SPF must not allow them any more.
      - Those of the servers, as the name servers have them, and of inbound connectors are known besides.
    type: list
    elements: str
    default: []
  relay_quiet_days:
    description:
      - For how many days nobody may have handed mail to a server. Told by the message tracking logs of all servers; a
        log that does not go back that far cannot tell.
    type: int
    default: 14
  relay_ignored:
    description: Addresses and networks whose mail does not count, such as those of a probe.
    type: list
    elements: str
    default: []
  relay_record_limit:
    description: After so many records of one server the reading of its log ends with the day that it is at.
    type: int
    default: 100000
  sample_size:
    description: How many mailboxes the round trip is tried with, where no selection is given.
    type: int
    default: 20
  operator:
    description: The account that removes the servers, whose rights are judged. O(exchange_server_user), if not given.
    type: str
  trial_shutdown:
    description:
      - With V(observe) only this is done. Whether every server is off, the writeback job goes on and a round trip works
        is looked at, and kept in a file. Repeat it, by the hour, while the servers are off on trial.
      - With V(judge) the gate C(trial_shutdown) is judged by these looks.
    type: str
    default: judge
    choices: [judge, observe]
  trial_hours:
    description: How long the servers must have been off on trial.
    type: float
    default: 24
  trial_max_age_days:
    description: How many days ago the trial may have ended.
    type: float
    default: 30
  trial_max_gap_hours:
    description: How far apart two looks may be. V(0) means any.
    type: float
    default: 0
  accepted_deviations:
    description:
      - Gates that the operator goes on without. Only some may be, each on a condition that RV(gates) states.
      - They are part of the readiness, of the evidence and of the checklist.
    type: list
    elements: dict
    suboptions:
      gate:
        description: The gate, by its id.
        type: str
        required: true
      reason:
        description: Why.
        type: str
        required: true
      by:
        description: Who accepted it.
        type: str
        required: true
      until:
        description: Until when, as V(2026-12-31) or V(2026-12-31T18:00:00Z). As long as the verdict, if not given.
        type: str
  type_values:
    description: As in M(hybrid.exchange.roundtrip_info), for the round trip.
    type: str
    default: remote
    choices: [remote, local]
  proxy_addresses:
    description: As in M(hybrid.exchange.roundtrip_info), for the round trip.
    type: str
    default: merge
    choices: [merge, exact]
  source_anchor_attribute:
    description: As in M(hybrid.exchange.roundtrip_info), for the round trip.
    type: str
  performed_by:
    description: Who runs this, for the checklist. The account and the machine, if not given.
    type: str
  pdf:
    description:
      - Whether the checklist is printed as PDF, too. V(auto) does it where C(chromium), C(chromium-browser) or
        C(google-chrome) is on the machine that runs the module.
    type: str
    default: auto
    choices: [auto, never, required]
  readiness_file:
    description: Where the readiness is written. C(readiness-<phase>.json) in O(artifact_dir), if not given.
    type: path
  verify_bundle:
    description:
      - A bundle of evidence. Then nothing else is done than to compare its files with its manifest, and the task fails
        where they differ. Nothing is asked anywhere.
      - C(sha256sum -c SHA256SUMS) in the bundle does the same without this collection.
    type: path
requirements:
  - dnspython 2.6.0 or later for the gates about name servers
seealso:
  - module: hybrid.exchange.exchange_topology_info
  - module: hybrid.exchange.roundtrip_info
  - module: hybrid.exchange.writeback_job_info
"""

EXAMPLES = r"""
- name: See what stands in the way of the hybrid clean-up
  hybrid.exchange.decommission_readiness_info:
    phase: clean_up
    domain: contoso.lab
  register: readiness

- name: Say it
  ansible.builtin.debug:
    msg: "{{ readiness.failures | map(attribute='error') }}"

- name: Go on without a gate, with a reason that stands in the evidence
  hybrid.exchange.decommission_readiness_info:
    phase: clean_up
    domain: contoso.lab
    accepted_deviations:
      - gate: mx_external
        reason: Mail for contoso.lab comes in by the gateway of Example Ltd.
        by: anna@contoso.lab
        until: "2030-12-31"

- name: Have the evidence checked
  hybrid.exchange.decommission_readiness_info:
    verify_bundle: artifacts/evidence/20261122T174500Z-contoso.com
"""

RETURN = r"""
ready:
  description: Whether every gate of the phase is passed, or gone on without for a reason.
  returned: when gates were judged, or a look was taken
  type: bool
phase:
  description: The phase.
  returned: when gates were judged, or a look was taken
  type: str
exit:
  description: The way out.
  returned: when gates were judged
  type: str
organization:
  description: The name of the Exchange organisation; none where there is none.
  returned: when gates were judged
  type: str
forest:
  description: The DNS name of the forest.
  returned: when gates were judged
  type: str
fingerprint:
  description: What tells the organisation from all others.
  returned: when gates were judged
  type: str
servers:
  description: The Exchange servers in Active Directory.
  returned: when gates were judged
  type: list
  elements: str
evaluated_at:
  description: When, by the service's clock.
  returned: when gates were judged
  type: str
expires_at:
  description: When the first of the verdicts expires.
  returned: when gates were judged
  type: str
gates:
  description: Every gate of the phase.
  returned: when gates were judged
  type: list
  elements: dict
  contains:
    id:
      description: The id of the gate.
      type: str
    title:
      description: What it is called.
      type: str
    asserts:
      description: What it asserts.
      type: str
    verdict:
      description: V(passed), V(failed) or V(cannot_tell).
      type: str
    detail:
      description: What the verdict rests on.
      type: str
    ends:
      description: Where the evidence comes from.
      type: list
      elements: str
    evaluated_at:
      description: When it was read.
      type: str
    expires_at:
      description: Until when the verdict is good.
      type: str
    objects:
      description: The first of the objects that are its evidence. The bundle has them all.
      type: list
      elements: dict
    object_count:
      description: How many there are.
      type: int
    source:
      description: The page that it rests on.
      type: str
    fix:
      description: What to do.
      type: str
      returned: unless it is passed
    acceptable:
      description: On which condition it may be gone on without; none where it may not.
      type: str
    accepted:
      description: Why it is gone on without, and by whom.
      type: dict
failures:
  description: The gates that stand in the way, each in a sentence; all of them, whatever O(report_limit) is.
  returned: always
  type: list
  elements: dict
  sample:
    - object: relay_quiet
      kind: failed
      error: "relay_quiet failed: 2 addresses handed over 31 messages in 14 days. Move them."
blocking:
  description:
    - The same in as few sentences as it takes. Gates that one error hides, such as an end that cannot be reached, are
      together in one.
  returned: when gates were judged
  type: list
  elements: str
  sample: ["relay_quiet failed: 2 addresses handed over 31 messages in 14 days. Move them."]
counts:
  description: How many gates there are, how they were judged, how many are gone on without, and how many block.
  returned: always
  type: dict
  sample: {gates: 30, passed: 28, failed: 1, cannot_tell: 1, accepted: 1, blocking: 1}
readiness:
  description: The file with the verdicts, and its SHA-256. Modules that change something demand both.
  returned: when gates were judged
  type: dict
  contains:
    path:
      description: Where it is.
      type: str
    sha256:
      description: Its SHA-256.
      type: str
bundle:
  description: The bundle of evidence; with O(verify_bundle) what is true of it.
  returned: when gates were judged, or a bundle was checked
  type: dict
  sample:
    path: /srv/artifacts/evidence/20261122T174500Z-contoso.com
    manifest_sha256: 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
    files: 21
    checklist: /srv/artifacts/evidence/20261122T174500Z-contoso.com/checklist.html
    pdf: null
    pdf_missing: none of chromium, chromium-browser, google-chrome is there
trial:
  description: One look at the shut-down on trial.
  returned: with O(trial_shutdown=observe)
  type: dict
  sample:
    at: "2026-11-22T17:45:00Z"
    well: true
    servers_off: true
    up: []
    why: ""
    doors: {EX01: {"443": false, "5986": false, "25": false}}
    observations: 12
    hours: 11.5
    wanted_hours: 24
    file: /srv/artifacts/evidence/trial-contoso.com.jsonl
service:
  description: What the run cost at the service.
  returned: success
  type: dict
"""

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import evaluation
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.evidence import bundle
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._module import decommission_arguments as arguments
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    DIRECTORY,
    EXCHANGE_SERVER,
    JOB,
    OPTIONAL_SELECTION,
    RULES,
    RUN,
    TENANT,
    WINDOWS,
    ArgumentSpec,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell import pool

SPEC = JOB.merge(
    ArgumentSpec(options={"domain": {"type": "str"}}),
    TENANT,
    DIRECTORY,
    EXCHANGE_SERVER,
    WINDOWS,
    OPTIONAL_SELECTION,
    RULES,
    RUN,
    arguments.READINESS,
)


def use_case(context: ModuleContext) -> Outcome:
    """Check a bundle, take a look, or judge the gates."""
    if context.params["verify_bundle"]:
        return _verified(context.params["verify_bundle"])
    wanted, ends = arguments.wanted(context), arguments.ends(context)
    if context.params["trial_shutdown"] == "observe":
        return Outcome(False, evaluation.look(wanted, ends, write=not context.check_mode))
    pool.require()
    result = evaluation.ready(wanted, ends, arguments.how(context))
    for warning in evaluation.warnings(result, wanted, ends.clock.now()):
        context.warn(warning)
    return Outcome(False, result)


def _verified(path: str) -> Outcome:
    found = bundle.verify(path)
    if not found["intact"]:
        told = "; ".join(found["problems"][:5])
        raise Refused(f"The evidence in {path} is not what was written: {told}.", bundle=found)
    return Outcome(False, {"bundle": found})


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
