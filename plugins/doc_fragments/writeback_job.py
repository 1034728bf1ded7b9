# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that say which writeback job is meant (module_utils/_module/arguments.py)."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  domain:
    description: The DNS name of the AD domain that the job writes to.
    type: str
    required: true
  application_template_id:
    description:
      - The id of Microsoft's application template that writeback configurations are made from.
      - Change it only if Microsoft does.
    type: str
    default: 3b99513e-0cee-4291-aea8-84356239fb82
  job_template_id:
    description:
      - The id of Microsoft's template for the job in such a configuration.
      - Change it only if Microsoft does.
    type: str
    default: Entra2ADExchangeOnlineAttributeWriteback
"""
