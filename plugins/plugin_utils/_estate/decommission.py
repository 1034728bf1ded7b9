# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.
"""What a tenant file holds for the decommission of Exchange Server, and the host variables that come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import EXCHANGE_SERVER, WINDOWS
from ansible_collections.hybrid.exchange.plugins.module_utils._module.clean_up_arguments import HYBRID, SERVER
from ansible_collections.hybrid.exchange.plugins.module_utils._module.decommission_arguments import ORGANIZATION
from ansible_collections.hybrid.exchange.plugins.plugin_utils._estate.layout import Layout, Place, Problem
from ansible_collections.hybrid.exchange.plugins.plugin_utils._estate.sections import (
    Section,
    absolute_paths,
    duplicates,
    without,
)

KEY = "decommission"
VARIABLES = (
    "exchange_servers",
    "exchange_server",
    "exchange_windows",
    "agent_host",
    "clean_up",
    "uninstall",
    "decommission",
)
"""The host variables, without hybrid_ before them."""

# What a run decides, and not the tenant; the readiness is what another task returned.
_OF_A_RUN = ("state", "side", "phase", "kinds", "steps", "export", "export_sha256", "exports")
_AGENT_ACCOUNT = ("hybrid_agent_user", "hybrid_agent_password")

_JUDGED = {name: option for name, option in ORGANIZATION.options.items() if name not in ("servers", "performed_by")}
_CLEAN_UP = without(HYBRID.options, (*_OF_A_RUN, *_AGENT_ACCOUNT))
_UNINSTALL = without(SERVER.options, ("state", "server", "confirm", "last_server"))
_AGENT = {**WINDOWS.options, **{name: HYBRID.options[name] for name in _AGENT_ACCOUNT}}

SERVER_SECTION = Section({"name": {"type": "str"}, **EXCHANGE_SERVER.options, **WINDOWS.options}, required=("name",))
AGENT_SECTION = Section(_AGENT)
CLEAN_UP_SECTION = Section(_CLEAN_UP)
UNINSTALL_SECTION = Section(_UNINSTALL)
SECTION = Section(
    {
        **without(WINDOWS.options, ("windows_host",)),
        **EXCHANGE_SERVER.options,
        **_JUDGED,
        "servers": {"type": "list"},
        "hybrid_agent": {"type": "dict"},
        "clean_up": {"type": "dict"},
        "uninstall": {"type": "dict"},
    },
    required=("servers",),
)
DEVIATION_SECTION = Section(
    {name: {"type": "str"} for name in ("gate", "reason", "by", "until")}, required=("gate", "reason", "by")
)


def check(layout: Layout, given: Any) -> list[Problem]:
    """Names everything that is wrong with the section; a section that is not there is right."""
    if not isinstance(given, Mapping):
        return []
    problems = SECTION.check(layout, (KEY,), given)
    for key, section in (
        ("hybrid_agent", AGENT_SECTION),
        ("clean_up", CLEAN_UP_SECTION),
        ("uninstall", UNINSTALL_SECTION),
    ):
        if isinstance(given.get(key), Mapping):
            problems += section.check(layout, (KEY, key), given[key])
    for key, section in (("servers", SERVER_SECTION), ("accepted_deviations", DEVIATION_SECTION)):
        if isinstance(given.get(key), list):
            for index, entry in enumerate(given[key]):
                problems += section.check(layout, (KEY, key, index), entry)
    names = (
        (str(entry["name"]), layout.problem((KEY, "servers", index, "name"), f"a server {entry['name']!r} came before"))
        for index, entry in enumerate(_servers(given))
        if isinstance(entry, Mapping) and entry.get("name")
    )
    return [*problems, *duplicates(names)]


def holders(given: Mapping[str, Any]) -> list[tuple[Place, Section, Mapping[str, Any]]]:
    """Where secrets may stand: each mapping with its place and its section."""
    agent, uninstall = given.get("hybrid_agent"), given.get("uninstall")
    return [
        ((KEY,), SECTION, given),
        *(((KEY, "servers", index), SERVER_SECTION, server) for index, server in enumerate(_servers(given))),
        *([((KEY, "hybrid_agent"), AGENT_SECTION, agent)] if isinstance(agent, Mapping) else []),
        *([((KEY, "uninstall"), UNINSTALL_SECTION, uninstall)] if isinstance(uninstall, Mapping) else []),
    ]


def variables(given: Mapping[str, Any], resolve: Callable[[str], str]) -> dict[str, Any]:
    """The host variables; all of them are there, empty, for a tenant without the section."""
    stated = absolute_paths(SECTION.options, given, resolve)
    servers = [absolute_paths(SERVER_SECTION.options, server, resolve) for server in _servers(given)]
    shared = {key: value for key, value in stated.items() if key in EXCHANGE_SERVER.options}
    windows = {key: value for key, value in stated.items() if key in WINDOWS.options}
    agent = stated.get("hybrid_agent") or {}
    hosts = [server["exchange_server_host"] for server in servers if server.get("exchange_server_host")]
    if hosts:
        shared.setdefault("exchange_server_host", hosts[0])
    return {
        "hybrid_exchange_servers": servers,
        "hybrid_exchange_server": shared,
        "hybrid_exchange_windows": windows,
        "hybrid_agent_host": {**windows, **absolute_paths(AGENT_SECTION.options, agent, resolve)} if agent else {},
        "hybrid_clean_up": dict(stated.get("clean_up") or {}),
        "hybrid_uninstall": dict(stated.get("uninstall") or {}),
        "hybrid_decommission": {key: value for key, value in stated.items() if key in _JUDGED},
    }


def _servers(given: Mapping[str, Any]) -> list[Any]:
    servers = given.get("servers")
    return servers if isinstance(servers, list) else []
