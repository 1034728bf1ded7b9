# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that give mapping rules (module_utils/_module/arguments.py)."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  mappings:
    description:
      - The mapping rules. Each has a O(mappings[].target), and says with exactly one of O(mappings[].source),
        O(mappings[].expression) and O(mappings[].constant) where its value comes from.
      - A rule whose O(mappings[].owner) is V(directory) may leave that out. Its value is then the one that Exchange
        Online has for the attribute.
      - What else a rule leaves out stays as it is in a mapping of the job, or gets the service's default where the
        mapping is new.
    type: list
    elements: dict
    suboptions:
      target:
        description: The AD attribute, by its LDAP name.
        type: str
        required: true
      source:
        description: The attribute of the user in the cloud whose value is written.
        type: str
      expression:
        description: An expression of Microsoft Entra attribute mappings, for example V(ToLower([mail])).
        type: str
      constant:
        description: A value that is written for everybody.
        type: str
      owner:
        description:
          - Who writes the attribute. There is one writer for each. V(cloud_sync), which is the default, is the
            writeback job.
          - V(directory) is M(hybrid.exchange.directory_writeback), for attributes that the job does not carry, such as
            C(msExchHideFromAddressLists). M(hybrid.exchange.writeback_mapping) leaves these rules out of the job.
        type: str
        choices: [cloud_sync, directory]
      scope:
        description:
          - For which mailboxes a rule counts whose O(mappings[].owner) is V(directory). Outside its scope it leaves the
            attribute alone. All that is stated must hold.
          - Mappings of a job have no scope of their own; see
            O(hybrid.exchange.writeback_job#module:organizational_units) and
            O(hybrid.exchange.writeback_job#module:groups) for that of the whole job.
        type: dict
        suboptions:
          organizational_units:
            description: The user's object in Active Directory is in one of these, or below; distinguished names.
            type: list
            elements: str
          groups:
            description:
              - The user is a member of one of these groups of Entra, or of a group in it. Display name, address or
                object id.
            type: list
            elements: str
          filter:
            description:
              - A condition in the language of expressions, for example V([extensionAttribute1] = "branch").
              - A comparison by C(=) or C(<>) does not regard the case of texts, and a missing value equals an empty
                text.
            type: str
      flow_type:
        description: When the value is written, in the service's words.
        type: str
        choices: [Always, ObjectAddOnly, MultiValueAddOnly, ValueAddOnly, AttributeAddOnly]
      flow_behavior:
        description: Whether the value is written when it changed, or in each cycle.
        type: str
        choices: [FlowWhenChanged, FlowAlways]
      default:
        description: The value that is written where the source has none. An empty text removes the default.
        type: str
      matching_priority:
        description: The order in which attributes join users and AD objects; V(0) takes no part in that.
        type: int
  rules_file:
    description:
      - A YAML file of such rules, as a list or under the key C(mappings), instead of O(mappings). All values are texts
        as written. Several tenants can share one file.
      - What is wrong in it is an error that names file, line and column.
    type: path
"""
