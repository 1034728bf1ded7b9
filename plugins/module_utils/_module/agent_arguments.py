# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The options of the modules about the provisioning agent, as mergeable specifications."""

from __future__ import annotations

from ansible_collections.hybrid.exchange.plugins.module_utils._agent import product
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import ArgumentSpec

SYNC_AGENT = ArgumentSpec(
    options={
        "minimum_version": {"type": "str", "default": product.MINIMUM_VERSION},
        "service_name": {"type": "str", "default": product.SERVICE},
        "updater_service_name": {"type": "str", "default": product.UPDATER_SERVICE},
        "program_names": {"type": "list", "elements": "str", "default": list(product.PROGRAM_NAMES)},
        "program_folder": {"type": "str", "default": product.PROGRAM_FOLDER},
        "trace_folder": {"type": "str", "default": product.TRACE_FOLDER},
        "domains_cmdlet": {"type": "bool", "default": True},
    },
)
"""What the provisioning agent is called on a server."""

AGENT_SETUP = ArgumentSpec(
    options={
        "installer": {
            "type": "dict",
            "options": {
                "path": {"type": "str"},
                "share": {"type": "str"},
                "url": {"type": "str", "no_log": True},
                "sha256": {"type": "str"},
                "signer": {"type": "str", "default": product.SIGNER},
                "version": {"type": "str"},
            },
            "mutually_exclusive": [("path", "share", "url")],
            "required_one_of": [("path", "share", "url")],
        },
        "installer_arguments": {"type": "list", "elements": "str", "default": list(product.INSTALLER_ARGUMENTS)},
        "environment_name": {"type": "str"},
        "staging_folder": {"type": "str", "default": product.STAGING_FOLDER},
        "registration": {"type": "str", "default": "administrator", "choices": ["administrator", "by_hand"]},
        "registration_user": {"type": "str"},
        "registration_password": {"type": "str", "no_log": True},
        "registration_timeout": {"type": "int", "default": 0},
        "domain_admin_user": {"type": "str"},
        "domain_admin_password": {"type": "str", "no_log": True},
        "gmsa": {"type": "str", "default": "created"},
        "permissions": {"type": "list", "elements": "str", "choices": list(product.PERMISSION_TYPES)},
        "preferred_domain_controllers": {"type": "list", "elements": "str"},
        "prerequisites_accepted": {
            "type": "list",
            "elements": "dict",
            "options": {
                "id": {"type": "str", "required": True},
                "reason": {"type": "str", "required": True},
            },
        },
        "outbound_hosts": {"type": "list", "elements": "str"},
        "last_agent": {"type": "str", "default": "refused", "choices": ["refused", "accepted"]},
        "reboot": {"type": "str", "default": "never", "choices": ["never", "when_required"]},
        "restart_after": {"type": "str"},
        "restart_after_schema": {"type": "bool", "default": True},
        "install_timeout": {"type": "int", "default": 1800},
        "download_timeout": {"type": "int", "default": 900},
        "restart_timeout": {"type": "int", "default": 1800},
        "wait_timeout": {"type": "int", "default": 300},
    },
    required_together=[
        ("registration_user", "registration_password"),
        ("domain_admin_user", "domain_admin_password"),
    ],
)
"""How the agent of a tenant is installed and registered: all that does not depend on the run."""
