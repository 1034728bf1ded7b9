# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.
"""A tenant file: what it may hold, and the host variables that come of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.template import trust_as_template
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError
from ansible_collections.hybrid.exchange.plugins.module_utils._module.agent_arguments import AGENT_SETUP, SYNC_AGENT
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import (
    DIRECTORY,
    SELECTION,
    SELECTION_KINDS,
    TENANT,
    WINDOWS,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import kept
from ansible_collections.hybrid.exchange.plugins.plugin_utils._estate import decommission
from ansible_collections.hybrid.exchange.plugins.plugin_utils._estate.layout import Layout, Place, Problem
from ansible_collections.hybrid.exchange.plugins.plugin_utils._estate.sections import (
    Section,
    absolute_paths,
    duplicates,
    is_template,
    without,
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OWN_VARIABLE = re.compile(
    r"hybrid_(tenant|directory|job|job_templates|comparison|mappings|mappings_purge|mappings_add_missing"
    rf"|rules_file|applications|waves|ring|agent|agent_servers|windows|{'|'.join(decommission.VARIABLES)})"
    r"|ansible_.*"
)

TENANT_SECTION = Section(TENANT.options, required=("tenant_id",))
DIRECTORY_SECTION = Section(DIRECTORY.options, required=("directory_hosts",))
# The options of hybrid.exchange.writeback_job and writeback_mapping that belong to a tenant; what a run decides
# (state, wait) is left to the roles. A test compares both with the modules' documentation.
JOB_SECTION = Section(
    {
        "domain": {"type": "str"},
        "organizational_units": {"type": "list"},
        "groups": {"type": "list"},
        "notification_recipients": {"type": "list"},
        "notifications_enabled": {"type": "bool"},
        "delete_threshold": {"type": "int"},
        "application_template_id": {"type": "str"},
        "job_template_id": {"type": "str"},
        "wait_timeout": {"type": "int"},
    },
    required=("domain",),
)
# Options of all modules about the job; the others of its section are those of writeback_job alone.
JOB_TEMPLATES = ("application_template_id", "job_template_id")
# The options that hybrid.exchange.roundtrip_info and directory_writeback have in common.
COMPARISON_SECTION = Section(
    {
        "type_values": {"type": "str", "choices": ["remote", "local"]},
        "proxy_addresses": {"type": "str", "choices": ["merge", "exact"]},
        "source_anchor_attribute": {"type": "str"},
    }
)
MAPPING_SECTION = Section(
    {
        "target": {"type": "str"},
        "source": {"type": "str"},
        "expression": {"type": "str"},
        "constant": {"type": "str"},
        "flow_type": {"type": "str"},
        "flow_behavior": {"type": "str"},
        "default": {"type": "str"},
        "matching_priority": {"type": "int"},
        "owner": {"type": "str", "choices": ["cloud_sync", "directory"]},
        "scope": {"type": "dict"},
    },
    required=("target",),
    exactly_one=("source", "expression", "constant"),
    unless=("owner", "directory"),
)
APPLICATION_SECTION = Section(
    {"name": {"type": "str"}, "attributes": {"type": "list"}},
    required=("name", "attributes"),
)
# One agent server: where it is, and what differs from the options that the servers share.
SERVER_SECTION = Section({"name": {"type": "str"}, **WINDOWS.options}, required=("name", "windows_host"))
AGENT_SECTION = Section(
    {
        **without(WINDOWS.options, ("windows_host",)),
        **SYNC_AGENT.options,
        **AGENT_SETUP.options,
        "servers": {"type": "list"},
    },
    required=("servers",),
)
WAVE_SECTION = Section(
    {"name": {"type": "str"}, "soak_minutes": {"type": "float"}, **SELECTION.options},
    required=("name",),
    exactly_one=SELECTION_KINDS,
)
FILE_SECTION = Section(
    {
        "name": {"type": "str"},
        "ring": {"type": "str"},
        "tenant": {"type": "dict"},
        "directory": {"type": "dict"},
        "job": {"type": "dict"},
        "agent": {"type": "dict"},
        "decommission": {"type": "dict"},
        "comparison": {"type": "dict"},
        "mappings": {"type": "list"},
        "mappings_purge": {"type": "bool"},
        "mappings_add_missing": {"type": "bool"},
        "rules_file": {"type": "path"},
        "applications": {"type": "list"},
        "waves": {"type": "list"},
        "vars": {"type": "dict"},
    },
    required=("name", "ring", "tenant", "directory", "job"),
)


@dataclass(frozen=True)
class TenantFile:
    """One tenant file as it was read: its path, its values (templates still in place) and where they stand."""

    path: str
    values: Mapping[str, Any]
    layout: Layout

    @property
    def name(self) -> str:
        return str(self.values["name"])

    @property
    def ring(self) -> str:
        return str(self.values["ring"])


def check_tenant(file: TenantFile, rings: Sequence[str]) -> list[Problem]:
    """Names everything that is wrong with one tenant file by itself."""
    layout, values = file.layout, file.values
    problems = FILE_SECTION.check(layout, (), values)
    if not isinstance(values, Mapping):
        return problems
    for key, section in (
        ("tenant", TENANT_SECTION),
        ("directory", DIRECTORY_SECTION),
        ("job", JOB_SECTION),
        ("comparison", COMPARISON_SECTION),
        ("agent", AGENT_SECTION),
    ):
        if isinstance(values.get(key), Mapping):
            problems += section.check(layout, (key,), values[key])
    for key, section in (("mappings", MAPPING_SECTION), ("waves", WAVE_SECTION)):
        if isinstance(values.get(key), list):
            for index, entry in enumerate(values[key]):
                problems += section.check(layout, (key, index), entry)
    problems += check_applications(layout, values.get("applications"))
    problems += decommission.check(layout, values.get(decommission.KEY))
    checks = (_check_names(file, rings), _check_servers(file), _check_waves(file), _check_variables(file))
    return [*problems, *(problem for found in checks for problem in found)]


def check_applications(layout: Layout, given: Any) -> list[Problem]:
    """Names what is wrong with the list of applications of a tenant, or of the whole estate."""
    if not isinstance(given, list):
        return []
    problems = []
    for index, entry in enumerate(given):
        place = ("applications", index)
        wrong = APPLICATION_SECTION.check(layout, place, entry)
        if not wrong and not is_template(entry["name"]) and not any(map(is_template, entry["attributes"])):
            try:
                kept.applications([entry])
            except HybridError as error:
                wrong = [layout.problem((*place, "attributes"), error.message.removeprefix("applications[0]: "))]
        problems += wrong
    names = (
        (str(entry["name"]), layout.problem(("applications", index, "name"), f"{entry['name']!r} came before"))
        for index, entry in enumerate(given)
        if isinstance(entry, Mapping) and entry.get("name")
    )
    return [*problems, *duplicates(names)]


def check_estate(files: Sequence[TenantFile]) -> list[Problem]:
    """Names what tenant files hold twice: a name, or a tenant id."""
    names = ((str(f.values.get("name")), f.layout.problem(("name",), _twice("name", f, files))) for f in files)
    ids = (
        (str(tenant["tenant_id"]).lower(), f.layout.problem(("tenant", "tenant_id"), _twice("tenant_id", f, files)))
        for f in files
        if isinstance(tenant := f.values.get("tenant"), Mapping)
        and tenant.get("tenant_id")
        and not is_template(tenant["tenant_id"])
    )
    return [*duplicates(names), *duplicates(ids)]


def clear_text_secrets(file: TenantFile) -> list[Problem]:
    """Names secrets that stand in a tenant file as they are, neither a template nor a vault value."""
    holders: list[tuple[Place, Section, Mapping[str, Any]]] = [
        (("tenant",), TENANT_SECTION, file.values["tenant"]),
        (("directory",), DIRECTORY_SECTION, file.values["directory"]),
        (("agent",), AGENT_SECTION, file.values.get("agent") or {}),
        *((("agent", "servers", index), SERVER_SECTION, server) for index, server in enumerate(_servers(file))),
        *decommission.holders(file.values.get(decommission.KEY) or {}),
    ]
    return [
        file.layout.problem((*place, option), f"{option!r} is in clear text; use a lookup or ansible-vault")
        for place, section, holder in holders
        for option, given in holder.items()
        if section.options[option].get("no_log")
        and isinstance(given, str)
        and "{{" not in given
        and (*place, option) not in file.layout.tagged
    ]


def host_variables(
    file: TenantFile, token_cache: str, applications: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Makes the variables of a tenant's host; call it only when the checks found nothing.

    applications are those of the whole estate; a tenant's own of the same name counts instead. token_cache is the
    file for a tenant that states none.
    """
    values = file.values

    def resolve(path: str) -> str:
        return os.path.normpath(Path(file.path).parent / Path(path).expanduser())

    waves = [
        {
            "name": wave["name"],
            "soak_minutes": wave.get("soak_minutes") or 0,
            "selection": absolute_paths(WAVE_SECTION.options, without(wave, ("name", "soak_minutes")), resolve),
        }
        for wave in values.get("waves") or ()
    ]
    variables: dict[str, Any] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": trust_as_template("{{ ansible_playbook_python }}"),
        **(values.get("vars") or {}),
        "hybrid_ring": file.ring,
        "hybrid_tenant": {
            "token_cache": token_cache,
            **absolute_paths(TENANT_SECTION.options, values["tenant"], resolve),
        },
        "hybrid_directory": absolute_paths(DIRECTORY_SECTION.options, values["directory"], resolve),
        "hybrid_job": without(values["job"], JOB_TEMPLATES),
        "hybrid_job_templates": {key: value for key, value in values["job"].items() if key in JOB_TEMPLATES},
        "hybrid_comparison": dict(values.get("comparison") or {}),
        "hybrid_mappings": list(values.get("mappings") or ()),
        "hybrid_mappings_purge": values.get("mappings_purge") or False,
        "hybrid_mappings_add_missing": values.get("mappings_add_missing") or False,
        "hybrid_applications": list(
            {item["name"]: item for item in (*applications, *(values.get("applications") or ()))}.values()
        ),
        "hybrid_waves": waves,
        **_agent_variables(values.get("agent") or {}, resolve),
        **decommission.variables(values.get(decommission.KEY) or {}, resolve),
    }
    if values.get("rules_file"):
        variables.update(absolute_paths(FILE_SECTION.options, {"rules_file": values["rules_file"]}, resolve))
        variables["hybrid_rules_file"] = variables.pop("rules_file")
    return variables


def _agent_variables(agent: Mapping[str, Any], resolve: Callable[[str], str]) -> dict[str, Any]:
    """The variables about agent servers: what they share, apart by what it is about, and the servers themselves."""
    stated = absolute_paths(AGENT_SECTION.options, without(agent, ("servers",)), resolve)
    return {
        "hybrid_agent": without(stated, WINDOWS.options),
        "hybrid_windows": {key: value for key, value in stated.items() if key in WINDOWS.options},
        "hybrid_agent_servers": [
            absolute_paths(SERVER_SECTION.options, server, resolve) for server in agent.get("servers") or ()
        ],
    }


def _check_names(file: TenantFile, rings: Sequence[str]) -> list[Problem]:
    layout, values = file.layout, file.values
    problems = []
    name, ring = values.get("name"), values.get("ring")
    if name and not _NAME.fullmatch(str(name)):
        problems.append(
            layout.problem(("name",), f"{name!r} is no name for a tenant; use letters, digits, '-' and '_'")
        )
    if ring and ring not in rings:
        problems.append(layout.problem(("ring",), f"there is no ring {ring!r}; the rings are {', '.join(rings)}"))
    if values.get("mappings") and values.get("rules_file"):
        problems.append(layout.problem(("rules_file",), "give 'mappings' or 'rules_file', not both"))
    return problems


def _servers(file: TenantFile) -> list[Any]:
    """The agent servers as they stand in the file, whatever they are."""
    agent = file.values.get("agent")
    servers = agent.get("servers") if isinstance(agent, Mapping) else None
    return servers if isinstance(servers, list) else []


def _check_servers(file: TenantFile) -> list[Problem]:
    problems: list[Problem] = []
    names: list[tuple[str, Problem]] = []
    for index, server in enumerate(_servers(file)):
        place = ("agent", "servers", index)
        problems += SERVER_SECTION.check(file.layout, place, server)
        if isinstance(server, Mapping) and server.get("name"):
            came = file.layout.problem((*place, "name"), f"a server {server['name']!r} came before")
            names.append((str(server["name"]), came))
    return problems + duplicates(names)


def _check_waves(file: TenantFile) -> list[Problem]:
    waves = file.values.get("waves")
    return duplicates(
        (wave["name"], file.layout.problem(("waves", index, "name"), f"a wave {wave['name']!r} came before"))
        for index, wave in enumerate(waves if isinstance(waves, list) else ())
        if isinstance(wave, Mapping) and wave.get("name")
    )


def _check_variables(file: TenantFile) -> list[Problem]:
    variables = file.values.get("vars")
    problems = []
    for name in variables if isinstance(variables, Mapping) else ():
        place = ("vars", str(name))
        if not _VARIABLE.fullmatch(str(name)):
            problems.append(file.layout.problem(place, f"{name!r} is no name for a variable"))
        elif _OWN_VARIABLE.fullmatch(str(name)):
            problems.append(file.layout.problem(place, f"{name!r} is set by the inventory itself"))
    return problems


def _twice(key: str, file: TenantFile, files: Sequence[TenantFile]) -> str:
    def value(other: TenantFile) -> str:
        holder = other.values if key == "name" else other.values.get("tenant")
        return str(holder.get(key)).lower() if isinstance(holder, Mapping) else ""

    first = next(other for other in files if value(other) == value(file))
    return f"another tenant has this {key}: {first.path}"
