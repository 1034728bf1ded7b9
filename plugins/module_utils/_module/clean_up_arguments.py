# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The options of the modules that take the hybrid set-up and Exchange Server away."""

from __future__ import annotations

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import order
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import wanted as hybrid_wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import product as setup_product
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import ArgumentSpec

READINESS = ArgumentSpec(
    options={
        "readiness": {"type": "path"},
        "readiness_sha256": {"type": "str"},
    },
    required_by={"readiness": ("readiness_sha256",), "readiness_sha256": ("readiness",)},
)
"""The verdicts of the gates that allow it."""

HYBRID = ArgumentSpec(
    options={
        "state": {"type": "str", "default": "absent", "choices": ["absent", "present"]},
        "side": {"type": "str", "required": True, "choices": [order.ON_PREMISES, order.CLOUD]},
        "phase": {"type": "str", "choices": [order.CLEAN_UP, order.CLOUD_CLEAN_UP]},
        "kinds": {"type": "list", "elements": "str"},
        "steps": {"type": "list", "elements": "str"},
        "order": {"type": "str", "default": order.DEFAULT, "choices": list(order.ORDERS)},
        "also": {
            "type": "list",
            "elements": "dict",
            "options": {"kind": {"type": "str", "required": True}, "identity": {"type": "str", "required": True}},
        },
        "keep": {
            "type": "list",
            "elements": "dict",
            "options": {"kind": {"type": "str", "required": True}, "reason": {"type": "str", "required": True}},
        },
        "soak_minutes": {"type": "float", "default": 60},
        "mail_quiet_hours": {"type": "float", "default": 24},
        "export": {"type": "path"},
        "export_sha256": {"type": "str"},
        "exports": {
            "type": "list",
            "elements": "dict",
            "options": {"path": {"type": "path", "required": True}, "sha256": {"type": "str", "required": True}},
        },
        "organization_guid": {"type": "str"},
        "routing_domains": {"type": "list", "elements": "str"},
        "auth_certificates": {"type": "list", "elements": "str"},
        "hybrid_agent_user": {"type": "str"},
        "hybrid_agent_password": {"type": "str", "no_log": True},
        "hybrid_agent_module": {"type": "str", "default": hybrid_wanted.AGENT_MODULE},
        "hybrid_agent_programs": {
            "type": "list",
            "elements": "str",
            "default": list(hybrid_wanted.AGENT_PROGRAMS),
        },
        "wait_timeout": {"type": "int", "default": 300},
        "uninstall_timeout": {"type": "int", "default": 900},
    },
    mutually_exclusive=[("kinds", "steps")],
    required_together=[("hybrid_agent_user", "hybrid_agent_password"), ("export", "export_sha256")],
    required_if=[("state", "present", ("export", "exports"), True)],
)
"""What is to become of the hybrid set-up of one side."""

SERVER = ArgumentSpec(
    options={
        "state": {"type": "str", "default": "absent", "choices": ["absent"]},
        "server": {"type": "str", "required": True},
        "confirm": {"type": "str", "required": True},
        "last_server": {"type": "str", "default": "auto", "choices": ["auto", "yes", "no"]},
        "databases": {"type": "str", "default": "remove_empty", "choices": ["remove_empty", "refuse"]},
        "setup_path": {"type": "str"},
        "setup_arguments": {"type": "list", "elements": "str", "default": list(setup_product.ARGUMENTS)},
        "setup_user": {"type": "str"},
        "setup_password": {"type": "str", "no_log": True},
        "setup_log": {"type": "str", "default": setup_product.LOG},
        "setup_timeout": {"type": "int", "default": 10800},
        "setup_quiet_timeout": {"type": "int", "default": 3600},
        "setup_hangs": {"type": "str", "default": "leave", "choices": ["leave", "stop"]},
        "poll_interval": {"type": "int", "default": 10},
        "wait_timeout": {"type": "int", "default": 600},
        "lingering_services": {"type": "str", "default": "fail", "choices": ["fail", "accept"]},
    },
    required_together=[("setup_user", "setup_password")],
)
"""What is to become of a server."""
