# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The options of the gates, as a mergeable specification, and the far ends that they are judged by."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.clock import SystemClock
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.evaluation import How
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates import wanted as gate_wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.ends import Ends
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.table import ACCEPTABLE
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.wanted import Expected, Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.phases import EXITS, PHASES
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._job.inspect import Question, inspect
from ansible_collections.hybrid.exchange.plugins.module_utils._job.job import Templates
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import rules_file
from ansible_collections.hybrid.exchange.plugins.module_utils._model.clouds import CLOUDS
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import SELECTION_KINDS, ArgumentSpec
from ansible_collections.hybrid.exchange.plugins.module_utils._module.main import ModuleContext
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import dns
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.door import is_open
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.prove import Options, prove_round_trip
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Run

# What a tenant has once and for all, and the estate keeps for it (decommission, in a tenant file).
ORGANIZATION = ArgumentSpec(
    options={
        "exit": {"type": "str", "default": EXITS[0], "choices": list(EXITS)},
        "servers": {
            "type": "list",
            "elements": "dict",
            "options": {"name": {"type": "str", "required": True}, "host": {"type": "str", "required": True}},
        },
        "dns_internal": {"type": "list", "elements": "str"},
        "dns_external": {"type": "list", "elements": "str"},
        "dns_timeout": {"type": "int", "default": dns.TIMEOUT},
        "mx_suffixes": {"type": "list", "elements": "str"},
        "autodiscover_hosts": {"type": "list", "elements": "str"},
        "spf_includes": {"type": "list", "elements": "str"},
        "on_premises_addresses": {"type": "list", "elements": "str", "default": []},
        "relay_quiet_days": {"type": "int", "default": 14},
        "relay_ignored": {"type": "list", "elements": "str", "default": []},
        "relay_record_limit": {"type": "int", "default": 100000},
        "sample_size": {"type": "int", "default": 20},
        "operator": {"type": "str"},
        "trial_hours": {"type": "float", "default": 24},
        "trial_max_age_days": {"type": "float", "default": 30},
        "trial_max_gap_hours": {"type": "float", "default": 0},
        "accepted_deviations": {
            "type": "list",
            "elements": "dict",
            "options": {
                "gate": {"type": "str", "required": True},
                "reason": {"type": "str", "required": True},
                "by": {"type": "str", "required": True},
                "until": {"type": "str"},
            },
        },
        "type_values": {"type": "str", "default": "remote", "choices": ["remote", "local"]},
        "proxy_addresses": {"type": "str", "default": "merge", "choices": ["merge", "exact"]},
        "source_anchor_attribute": {"type": "str"},
        "performed_by": {"type": "str"},
        "pdf": {"type": "str", "default": "auto", "choices": ["auto", "never", "required"]},
    },
)
"""The organisation on premises, and how its gates are judged."""

READINESS = ORGANIZATION.merge(
    ArgumentSpec(
        options={
            "phase": {"type": "str", "choices": list(PHASES)},
            "trial_shutdown": {"type": "str", "default": "judge", "choices": ["judge", "observe"]},
            "readiness_file": {"type": "path"},
            "verify_bundle": {"type": "path"},
        },
        required_one_of=[("phase", "verify_bundle")],
    )
)
"""Which gates, and what to do with what they come to."""


def wanted(context: ModuleContext) -> Wanted:
    """What the options ask for; InputError names the one that is wrong."""
    options = context.params
    for name in ("relay_quiet_days", "relay_record_limit", "sample_size"):
        if options[name] < 1:
            raise InputError(f"{name} must be at least 1, it is {options[name]}.")
    known = CLOUDS[options["cloud"]]
    return Wanted(
        tenant_id=options["tenant_id"],
        phase=options["phase"],
        exit=options["exit"],
        domain=options["domain"] or "",
        client_id=options["client_id"],
        relay_quiet_days=options["relay_quiet_days"],
        relay_ignored=tuple(options["relay_ignored"]),
        relay_record_limit=options["relay_record_limit"],
        sample_size=options["sample_size"],
        on_premises_addresses=tuple(options["on_premises_addresses"]),
        expected=Expected(
            _given(options, "mx_suffixes", known.mx_suffixes),
            _given(options, "autodiscover_hosts", known.autodiscover_hosts),
            _given(options, "spf_includes", known.spf_includes),
        ),
        operator=options["operator"] or options["exchange_server_user"] or "",
        trial_hours=options["trial_hours"],
        trial_max_age_days=options["trial_max_age_days"],
        trial_max_gap_hours=options["trial_max_gap_hours"],
        hosts={item["name"].casefold(): item["host"] for item in options["servers"] or ()},
        deviations=gate_wanted.deviations(options["accepted_deviations"] or (), ACCEPTABLE),
        artifact_dir=options["artifact_dir"],
        report_limit=context.report_limit,
    )


def how(context: ModuleContext) -> How:
    """How the run reports."""
    options = context.params
    return How(
        performed_by=options["performed_by"] or f"{_user()} on {socket.gethostname()}",
        printer=_Programs(context),
        pdf=options["pdf"],
        readiness_path=options["readiness_file"],
    )


def ends(context: ModuleContext) -> Ends:
    """The far ends, each made when it is first asked for."""
    options = context.params
    made: dict[str, Any] = {}

    def resolver(option: str, words: str) -> Any:
        if option not in made:
            made[option] = dns.connect_resolver(options, option, words)
        return made[option]

    def job() -> Mapping[str, Any]:
        if not options["domain"]:
            raise InputError("Nobody knows which writeback job is meant: give domain.")
        templates = Templates(options["application_template_id"], options["job_template_id"])
        return inspect(context.synchronization, Question(options["domain"], templates, context.report_limit))

    return Ends(
        exchange_online=lambda: context.exchange,
        graph=lambda: context.graph,
        mailboxes=lambda: context.mailboxes,
        exchange_server=lambda: context.exchange_server,
        directory=lambda: context.directory,
        dns_internal=lambda: resolver("dns_internal", "internal"),
        dns_external=lambda: resolver("dns_external", "external"),
        windows=lambda: context.windows,
        door=is_open,
        job=job,
        round_trip=lambda names: _round_trip(context, names),
        selected=any(options.get(kind) not in (None, False, "") for kind in SELECTION_KINDS),
        clock=SystemClock(),
        progress=context.progress,
    )


def _round_trip(context: ModuleContext, names: Sequence[str] | None) -> Mapping[str, Any]:
    options = context.params
    asked = Options(
        selection=context.selection if names is None else Selection("identities", tuple(names)),
        rules=rules_file.from_params(options),
        type_values=options["type_values"],
        proxy_addresses=options["proxy_addresses"],
        source_anchor_attribute=options["source_anchor_attribute"],
        tenant=options["tenant_id"],
    )
    return prove_round_trip(asked, context, Run.of(context)).result


def _user() -> str:
    """Who runs this, as far as the machine knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an id without an account, as in a container
        return "an account without a name"


def _given(options: Mapping[str, Any], name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    given = options[name]
    return known if given is None else tuple(item.lower().strip(".") for item in given)


class _Programs:
    """Finds and runs programs of the machine."""

    def __init__(self, context: ModuleContext) -> None:
        self._context = context

    def find(self, names: Sequence[str]) -> str | None:
        return self._context.find_program(names)

    def run(self, command: Sequence[str]) -> tuple[int, str, str]:
        return self._context.run_program(command)
