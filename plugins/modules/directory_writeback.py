#!/usr/bin/python
# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write cloud values of mailboxes into Active Directory."""

from __future__ import annotations

DOCUMENTATION = r"""
module: directory_writeback
short_description: Write what cloud-managed mailboxes hold into Active Directory
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Reads the selected mailboxes from Exchange Online and writes their attributes into their user objects in Active
    Directory, over LDAP. A whole wave or tenant is one task.
  - It is for the attributes that a Cloud Sync writeback job does not carry, such as C(msExchHideFromAddressLists), and
    for organizations that cannot run a provisioning agent. An attribute has one writer, so attributes that a running
    job writes are refused.
  - Only mailboxes with C(IsExchangeCloudManaged) are written. As long as Active Directory is the source of authority
    of a mailbox, its values there are the right ones.
  - A mailbox and its object belong together by their source anchor, never by name.
  - Each change names the values that go and the values that come. If somebody else changed the object in between, the
    domain controller refuses it as a whole, and nothing is lost.
  - Before the first write, the old values of all objects are on disk, in the artifact RV(before_image). After it, every
    object is read back from the domain controller that took it; what it holds then decides the outcome.
  - An address that another object of the domain holds is not given to a second one.
  - As long as Active Directory is the source of authority, Microsoft supports edits of these attributes by the
    cmdlets of Exchange Server only. For mailboxes whose authority is in the cloud it says neither.
extends_documentation_fragment:
  - hybrid.exchange.attributes
  - hybrid.exchange.tenant
  - hybrid.exchange.directory
  - hybrid.exchange.run
  - hybrid.exchange.selection
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  attributes:
    description:
      - The attributes to write, by their names in Active Directory.
      - By default those that a Cloud Sync writeback job writes, C(proxyAddresses), C(mail), C(extensionAttribute1) to
        C(extensionAttribute15), C(msExchExtensionCustomAttribute1) to C(msExchExtensionCustomAttribute5),
        C(msExchRecipientTypeDetails) and C(msExchRecipientDisplayType).
    type: list
    elements: str
  on_owned:
    description:
      - What to do with attributes that a running Cloud Sync job writes in this domain.
      - V(fail) names them and writes nothing, V(skip) writes the others, if there are any.
    type: str
    default: fail
    choices: [fail, skip]
  type_values:
    description:
      - The notation of C(msExchRecipientTypeDetails) and C(msExchRecipientDisplayType). V(remote) is what Exchange
        Server gives to a mailbox that is in the cloud (C(RemoteSharedMailbox)), V(local) the plain type
        (C(SharedMailbox)).
      - Microsoft does not document which one its own writeback uses.
    type: str
    default: remote
    choices: [remote, local]
  proxy_addresses:
    description:
      - What to do with addresses in C(proxyAddresses) that the mailbox does not have in the cloud.
      - V(merge) keeps and reports them. A primary address among them becomes a secondary one, as there can be one only.
      - V(exact) removes them.
    type: str
    default: merge
    choices: [merge, exact]
  source_anchor_attribute:
    description:
      - The attribute that holds the source anchor, where Connect was set up with another one.
      - By default C(mS-DS-ConsistencyGuid), and C(objectGUID) for objects that have none.
    type: str
  max_changes:
    description: Write nothing at all if more objects than this would change.
    type: int
    default: 5000
  max_change_percent:
    description: Write nothing at all if more than this percentage of the selected mailboxes would change.
    type: float
    default: 100
seealso:
  - module: hybrid.exchange.roundtrip_info
  - module: hybrid.exchange.writeback_job
"""

EXAMPLES = r"""
- name: Write back what Cloud Sync does not carry
  hybrid.exchange.directory_writeback:
    group: Exchange pilots
    attributes:
      - msExchHideFromAddressLists

- name: Write back everything that no running job writes, unless it concerns more than 1000 mailboxes
  hybrid.exchange.directory_writeback:
    organizational_unit: OU=Zürich,OU=People,DC=contoso,DC=com
    on_owned: skip
    max_changes: 1000
  register: written

- name: Make the addresses of shared mailboxes exactly those of the cloud
  hybrid.exchange.directory_writeback:
    filter: "RecipientTypeDetails -eq 'SharedMailbox' -and IsDirSynced -eq 'True'"
    attributes:
      - proxyAddresses
      - mail
    proxy_addresses: exact
    on_owned: skip
"""

RETURN = r"""
counts:
  description:
    - How many mailboxes were selected (C(total)), how many objects were to change (C(planned)), and what became of them
      (C(written), C(failed), C(unknown) where the server went away before the object could be read back, and
      C(not_attempted) after the server stayed away). Nothing is C(written) in check mode.
    - Of the others, how many were C(unchanged), C(cloud_only) (not synchronized), C(not_cloud_managed), C(elsewhere)
      (in another domain or outside O(directory_base_dn)), C(not_found), C(ambiguous_anchor), C(out_of_range) (a value
      too long for the schema) or C(refused).
    - C(without_mailbox) counts the users that O(group) or O(organizational_unit) selects and that have no mailbox in
      Exchange Online. They are not part of C(total), and a warning names the first of them.
    - C(directory_only_addresses) counts addresses that only Active Directory has and that were kept.
  returned: always
  type: dict
  sample: {"total": 120, "planned": 3, "written": 3, "unchanged": 117}
attributes:
  description: The attributes that this run is about.
  returned: always
  type: list
  elements: str
owned_attributes:
  description: The attributes left to the Cloud Sync job, with O(on_owned=skip).
  returned: always
  type: list
  elements: str
domain:
  description: The domain that the objects are in.
  returned: always
  type: str
  sample: contoso.com
directory_host:
  description: The domain controller that was read and written.
  returned: always
  type: str
  sample: dc1.contoso.com:636
directory_only_addresses:
  description: Of the first O(report_limit) mailboxes that have some, the addresses that only Active Directory has.
  returned: always
  type: list
  elements: dict
failures:
  description:
    - The first O(report_limit) mailboxes that could not be written back, with the reason. Where there is one, the task
      fails, after all others are done.
  returned: always
  type: list
  elements: dict
before_image:
  description: The artifact with the old values of every object that was to be written, made before the first write.
  returned: when something was written
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
artifact:
  description: The artifact with one line per selected mailbox, its outcome, and the old and new values.
  returned: always
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
service:
  description: How often the service throttled this run, and how long it waited for that.
  returned: always
  type: dict
"""

from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    DIRECTORY,
    RUN,
    SELECTION,
    TENANT,
    ArgumentSpec,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext, Outcome, run
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import Limits
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Run
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.writeback import FarEnds, Options, write_back

SPEC = ArgumentSpec(
    options={
        "attributes": {"type": "list", "elements": "str"},
        "on_owned": {"type": "str", "default": "fail", "choices": ["fail", "skip"]},
        "type_values": {"type": "str", "default": "remote", "choices": ["remote", "local"]},
        "proxy_addresses": {"type": "str", "default": "merge", "choices": ["merge", "exact"]},
        "source_anchor_attribute": {"type": "str"},
        "max_changes": {"type": "int", "default": 5000},
        "max_change_percent": {"type": "float", "default": 100},
    }
).merge(TENANT, DIRECTORY, RUN, SELECTION)


def use_case(context: ModuleContext) -> Outcome:
    """Hand the far ends to the use case."""
    params = context.params
    options = Options(
        selection=context.selection,
        attributes=params["attributes"],
        on_owned=params["on_owned"],
        type_values=params["type_values"],
        proxy_addresses=params["proxy_addresses"],
        source_anchor_attribute=params["source_anchor_attribute"],
        limits=Limits(params["max_changes"], params["max_change_percent"]),
    )
    report = write_back(
        options, FarEnds(context.mailboxes, context.synchronization, context.directory), Run.of(context)
    )
    for warning in report.warnings:
        context.warn(warning)
    return Outcome(report.changed, report.result, report.diff)


def main() -> None:
    """Run the module."""
    run(SPEC, use_case)


if __name__ == "__main__":
    main()
