# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that let a run go on from the last one (module_utils/_module/arguments.py)."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  state_file:
    description:
      - A file that keeps where a run ended, so that the next one reads only what changed since on either side, and what
        was not settled. It is created, readable for its owner only, and stays small. Check mode does not change it.
      - It serves O(all_mailboxes) only. Another selection is read as a whole each time.
      - Everything is read again, and RV(reason) says why, after O(full_pass_interval), with other options, on another
        domain controller, where the file cannot be read, and where more than 5000 mailboxes or objects changed.
        Active Directory marks an object as changed for any attribute, such as the time of a sign-in; run often rather
        than seldom.
      - What neither side marks as a change is not seen before the next full pass. That is a mailbox whose values or
        source of authority change without its C(WhenChangedUTC), and an object in Active Directory that is deleted,
        loses its source anchor, or is moved away from O(directory_base_dn).
    type: path
  full_pass_interval:
    description:
      - After how many hours everything is read again in spite of O(state_file). V(0) means each time.
    type: float
    default: 24
"""
