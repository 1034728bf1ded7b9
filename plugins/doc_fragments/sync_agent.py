# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that say what the agent is called (module_utils/_module/arguments.py)."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  minimum_version:
    description:
      - The lowest version of the agent that will do. The default is the first one that writes Exchange attributes back.
    type: str
    default: 1.1.1107.0
  service_name:
    description: The name of the agent's service.
    type: str
    default: AADConnectProvisioningAgent
  updater_service_name:
    description:
      - The name of the service that updates the agent. Microsoft's pages do not give it; others have seen the default.
    type: str
    default: AADConnectProvisioningAgentUpdater
  program_names:
    description:
      - Under which of these names the agent's package is in the list of installed programs. Microsoft's pages do not
        give it.
    type: list
    elements: str
    default:
      - Microsoft Azure AD Connect Provisioning Agent Package
      - Microsoft Entra Provisioning Agent Package
  program_folder:
    description: Where the agent is installed.
    type: str
    default: C:\Program Files\Microsoft Azure AD Connect Provisioning Agent
  trace_folder:
    description: Where the agent writes its trace.
    type: str
    default: C:\ProgramData\Microsoft\Azure AD Connect Provisioning Agent\Trace
  domains_cmdlet:
    description:
      - Whether to ask the agent for its domains with C(Get-AADCloudSyncADDomains), a cmdlet that Microsoft's pages do
        not describe. Where it is missing or refuses, the domains count as not known, and Graph's record of the agent
        stands for them.
    type: bool
    default: true
"""
