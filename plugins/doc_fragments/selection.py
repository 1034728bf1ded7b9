# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that say which mailboxes a task is about (module_utils/_module/arguments.py)."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  identities:
    description:
      - Mailboxes by user principal name, SMTP address or object id of their Entra user.
      - One that does not exist, or fits more than one mailbox, is an error.
    type: list
    elements: str
  identities_file:
    description:
      - A file of such identities. C(.csv) has a header row, C(.yml), C(.yaml) and C(.json) hold a list of texts or
        mappings, anything else holds one identity per line with C(#) comments.
      - What cannot be read is an error that names file, line and column. Duplicates count once.
    type: path
  identities_column:
    description:
      - The column or key of O(identities_file) that holds the identity.
      - If not given, the first of C(UserPrincipalName), C(ExternalDirectoryObjectId), C(PrimarySmtpAddress),
        C(EmailAddress), C(Identity), C(mail) and C(id) that is there.
    type: str
  group:
    description:
      - The members of an Entra group, nested ones too, by object id, mail address or display name.
      - Users among them without a mailbox in Exchange Online are reported. Groups, contacts and devices are ignored.
    type: str
  filter:
    description:
      - A filter of Exchange Online, for example C(CustomAttribute15 -eq 'wave 1').
        C(IsExchangeCloudManaged) cannot be filtered by.
    type: str
  organizational_unit:
    description:
      - Mailboxes whose AD objects are below this distinguished name.
      - Users there without a mailbox in Exchange Online are reported.
    type: str
  all_mailboxes:
    description: All mailboxes of the tenant.
    type: bool
  exclude:
    description: Identities to leave out of whatever is selected.
    type: list
    elements: str
    default: []
  allow_empty:
    description:
      - Whether a selection of nobody at all is right. Otherwise it is an error, because it is mostly a mistake.
    type: bool
    default: false
requirements:
  - PyYAML to read an O(identities_file) in YAML
"""
