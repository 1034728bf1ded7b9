# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The options that modules share, as mergeable specifications. The doc fragments of the same names mirror them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible.module_utils.basic import env_fallback
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.pace import CONCURRENCY
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.templates import (
    APPLICATION_TEMPLATE,
    JOB_TEMPLATE,
)


@dataclass(frozen=True)
class ArgumentSpec:
    """Options and the rules between them, to be merged with others and handed to AnsibleModule."""

    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    mutually_exclusive: Sequence[Sequence[str]] = ()
    required_together: Sequence[Sequence[str]] = ()
    required_one_of: Sequence[Sequence[str]] = ()
    required_if: Sequence[Sequence[Any]] = ()
    required_by: Mapping[str, Sequence[str]] = field(default_factory=dict)
    supports_check_mode: bool = True

    def merge(self, *others: ArgumentSpec) -> ArgumentSpec:
        """This specification with others added; the later one wins where two name the same option."""
        merged = self
        for other in others:
            merged = replace(
                merged,
                options={**merged.options, **other.options},
                mutually_exclusive=[*merged.mutually_exclusive, *other.mutually_exclusive],
                required_together=[*merged.required_together, *other.required_together],
                required_one_of=[*merged.required_one_of, *other.required_one_of],
                required_if=[*merged.required_if, *other.required_if],
                required_by={**merged.required_by, **other.required_by},
                supports_check_mode=merged.supports_check_mode and other.supports_check_mode,
            )
        return merged

    def to_kwargs(self) -> dict[str, Any]:
        """The arguments of AnsibleModule."""
        return {
            "argument_spec": {name: dict(option) for name, option in self.options.items()},
            "mutually_exclusive": [list(names) for names in self.mutually_exclusive],
            "required_together": [list(names) for names in self.required_together],
            "required_one_of": [list(names) for names in self.required_one_of],
            "required_if": [list(rule) for rule in self.required_if],
            "required_by": {name: list(names) for name, names in self.required_by.items()},
            "supports_check_mode": self.supports_check_mode,
        }


def _from_environment(name: str) -> tuple[Any, list[str]]:
    return (env_fallback, [f"HYBRID_EXCHANGE_{name}"])


CLOUDS = ["worldwide", "gcc_high", "dod", "china_21vianet", "bleu", "delos"]
AUTHENTICATIONS = ["certificate", "secret", "managed_identity", "workload_identity", "token"]

TENANT = ArgumentSpec(
    options={
        "tenant_id": {"type": "str", "required": True, "fallback": _from_environment("TENANT_ID")},
        "cloud": {
            "type": "str",
            "default": "worldwide",
            "choices": CLOUDS,
            "fallback": _from_environment("CLOUD"),
        },
        "login_url": {"type": "str"},
        "graph_url": {"type": "str"},
        "exchange_url": {"type": "str"},
        "client_id": {"type": "str", "required": True, "fallback": _from_environment("CLIENT_ID")},
        "authentication": {"type": "str", "choices": AUTHENTICATIONS},
        "client_secret": {"type": "str", "no_log": True, "fallback": _from_environment("CLIENT_SECRET")},
        "client_certificate": {"type": "path", "fallback": _from_environment("CLIENT_CERTIFICATE")},
        "client_certificate_password": {"type": "str", "no_log": True},
        "federated_token_file": {"type": "path", "no_log": False},
        "access_tokens": {
            "type": "dict",
            "no_log": True,
            "options": {
                "graph": {"type": "str", "no_log": True},
                "exchange": {"type": "str", "no_log": True},
            },
        },
        "token_cache": {"type": "path", "no_log": False},
        "ca_path": {"type": "path"},
        "request_timeout": {"type": "int", "default": 60},
        "retry_timeout": {"type": "int", "default": 300},
        "exchange_concurrency": {"type": "int", "default": CONCURRENCY},
        "mailbox_limit": {"type": "int", "default": 600000},
    },
    required_if=[
        ("authentication", "certificate", ("client_certificate",)),
        ("authentication", "secret", ("client_secret",)),
        ("authentication", "workload_identity", ("federated_token_file",)),
        ("authentication", "token", ("access_tokens",)),
    ],
)
"""Where the tenant is and how to sign in."""

DIRECTORY = ArgumentSpec(
    options={
        "directory_hosts": {"type": "list", "elements": "str"},
        "directory_port": {"type": "int"},
        "directory_transport": {"type": "str", "default": "ldaps", "choices": ["ldaps", "starttls", "kerberos"]},
        "directory_server_name": {"type": "str"},
        "directory_user": {"type": "str"},
        "directory_password": {"type": "str", "no_log": True},
        "directory_ca_path": {"type": "path"},
        "directory_base_dn": {"type": "str"},
        "directory_timeout": {"type": "int", "default": 30},
        "directory_global_catalog_port": {"type": "int"},
        "directory_connections": {"type": "int", "default": 1},
    },
    required_by={"directory_password": ("directory_user",)},
)
"""Where Active Directory is and how to bind."""

WINDOWS = ArgumentSpec(
    options={
        "windows_host": {"type": "str"},
        "windows_port": {"type": "int", "default": 5986},
        "windows_authentication": {
            "type": "str",
            "default": "negotiate",
            "choices": ["negotiate", "kerberos", "ntlm", "certificate", "basic"],
        },
        "windows_user": {"type": "str"},
        "windows_password": {"type": "str", "no_log": True},
        "windows_certificate": {"type": "path"},
        "windows_ca_path": {"type": "path"},
        "windows_configuration_name": {"type": "str", "default": "Microsoft.PowerShell"},
        "windows_kerberos_host": {"type": "str"},
        "windows_delegate": {"type": "bool", "default": False},
        "windows_connect_timeout": {"type": "int", "default": 30},
        "windows_operation_timeout": {"type": "int", "default": 20},
        "windows_command_timeout": {"type": "int", "default": 300},
    },
    required_by={"windows_password": ("windows_user",)},
)
"""Where a Windows server is and how to sign in."""

EXCHANGE_SERVER = ArgumentSpec(
    options={
        "exchange_server_host": {"type": "str"},
        "exchange_server_port": {"type": "int", "default": 443},
        "exchange_server_path": {"type": "str", "default": "powershell"},
        "exchange_server_configuration_name": {"type": "str", "default": "Microsoft.Exchange"},
        "exchange_server_authentication": {
            "type": "str",
            "default": "negotiate",
            "choices": ["negotiate", "kerberos", "ntlm", "certificate", "basic"],
        },
        "exchange_server_user": {"type": "str"},
        "exchange_server_password": {"type": "str", "no_log": True},
        "exchange_server_certificate": {"type": "path"},
        "exchange_server_ca_path": {"type": "path"},
        "exchange_server_kerberos_host": {"type": "str"},
        "exchange_server_connect_timeout": {"type": "int", "default": 30},
        "exchange_server_operation_timeout": {"type": "int", "default": 20},
        "exchange_server_command_timeout": {"type": "int", "default": 600},
    },
    required_by={"exchange_server_password": ("exchange_server_user",)},
)
"""Where Exchange Server's management endpoint is and how to sign in."""

RUN = ArgumentSpec(
    options={
        "artifact_dir": {"type": "path", "default": "artifacts"},
        "report_limit": {"type": "int", "default": 20},
        "progress_file": {"type": "path"},
    },
)
"""How a run reports."""

JOB = ArgumentSpec(
    options={
        "domain": {"type": "str", "required": True},
        "application_template_id": {"type": "str", "default": APPLICATION_TEMPLATE},
        "job_template_id": {"type": "str", "default": JOB_TEMPLATE},
    },
)
"""Which writeback job."""

RULES = ArgumentSpec(
    options={
        "mappings": {
            "type": "list",
            "elements": "dict",
            "options": {
                "target": {"type": "str", "required": True},
                "source": {"type": "str"},
                "expression": {"type": "str"},
                "constant": {"type": "str"},
                "owner": {"type": "str", "choices": ["cloud_sync", "directory"]},
                "scope": {
                    "type": "dict",
                    "options": {
                        "organizational_units": {"type": "list", "elements": "str"},
                        "groups": {"type": "list", "elements": "str"},
                        "filter": {"type": "str"},
                    },
                },
                "flow_type": {
                    "type": "str",
                    "choices": ["Always", "ObjectAddOnly", "MultiValueAddOnly", "ValueAddOnly", "AttributeAddOnly"],
                },
                "flow_behavior": {"type": "str", "choices": ["FlowWhenChanged", "FlowAlways"]},
                "default": {"type": "str"},
                "matching_priority": {"type": "int"},
            },
            "mutually_exclusive": [("source", "expression", "constant")],
        },
        "rules_file": {"type": "path"},
    },
    mutually_exclusive=[("mappings", "rules_file")],
)
"""What AD attributes shall get from the cloud, by rules."""

INCREMENTAL = ArgumentSpec(
    options={
        "state_file": {"type": "path"},
        "full_pass_interval": {"type": "float", "default": 24, "no_log": False},
    },
)
"""Whether a run goes on from the last one."""

SELECTION_KINDS = ("identities", "identities_file", "group", "filter", "organizational_unit", "all_mailboxes")

OPTIONAL_SELECTION = ArgumentSpec(
    options={
        "identities": {"type": "list", "elements": "str"},
        "identities_file": {"type": "path"},
        "identities_column": {"type": "str"},
        "group": {"type": "str"},
        "filter": {"type": "str"},
        "organizational_unit": {"type": "str"},
        "all_mailboxes": {"type": "bool"},
        "exclude": {"type": "list", "elements": "str", "default": []},
        "allow_empty": {"type": "bool", "default": False},
    },
    mutually_exclusive=[SELECTION_KINDS],
    required_by={"identities_column": ("identities_file",)},
)
"""Which mailboxes, for modules that can do without a selection."""

SELECTION = OPTIONAL_SELECTION.merge(ArgumentSpec(required_one_of=[SELECTION_KINDS]))
"""Which mailboxes: exactly one kind of selection."""
