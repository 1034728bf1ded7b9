# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of the whole removal, as data."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from ansible_collections.hybrid.exchange.plugins.filter.order_segments import order_segments
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission import order
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid import kinds as hybrid_kinds
from ansible_collections.hybrid.exchange.plugins.module_utils._model import exchange_cmdlets, windows_cmdlets

from tests.unit.decommission.cloud_reference import REFERENCE

SOURCES = Path(order.__file__).parents[1]


@pytest.mark.parametrize("name", list(order.ORDERS))
def test_every_order_has_every_step_once_and_keeps_the_phases(name: str) -> None:
    rows = order.steps(name)
    assert sorted(row.id for row in rows) == sorted(order.STEPS)
    assert [row.phase for row in rows] == sorted((row.phase for row in rows), key=order.PHASES.index)


@pytest.mark.parametrize("step", order.STEPS.values(), ids=lambda step: step.id)
def test_every_step_says_why_and_by_which_page(step: order.Step) -> None:
    assert step.reason.endswith(".")
    assert step.source
    assert step.verb in ("remove", "disable", "change")
    for name in step.cmdlets:
        if " " not in name:
            known = name in REFERENCE or name in windows_cmdlets.CMDLETS
            assert known, name
            if step.side != order.CLOUD and name not in windows_cmdlets.CMDLETS:
                assert name in exchange_cmdlets.CMDLETS


@pytest.mark.parametrize("step", order.STEPS.values(), ids=lambda step: step.id)
def test_what_cannot_be_put_back_says_so_in_the_export(step: order.Step) -> None:
    if step.side != order.SERVER and not step.reversible:
        assert hybrid_kinds.kind(step.side, step.kind).lost


def test_the_exchange_team_names_the_hybrid_configuration_before_the_connectors_and_federation_before_oauth() -> None:
    rows = [row.id for row in order.steps(order.EXCHANGE_TEAM, order.CLEAN_UP)]
    named = [
        "remove_hybrid_configuration",
        "remove_intra_organization_connector",
        "remove_send_connector",
        "remove_organization_relationship",
        "remove_federation_trust",
        "remove_federation_certificate",
        "remove_service_principal_keys",
        "remove_hybrid_agent",
    ]
    assert [row for row in rows if row in named] == named


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(errors.InputError, match="no order named 'mine'"):
        order.steps("mine")


def test_segments_are_the_steps_of_a_phase_cut_by_side() -> None:
    segments = order_segments("exchange_team", "clean_up")
    assert [step for segment in segments for step in segment["steps"]] == [
        row.id for row in order.steps("exchange_team", "clean_up")
    ]
    assert all(one["side"] != two["side"] for one, two in pairwise(segments))


def test_nobody_sends_what_deletes_users_or_takes_their_mailboxes_from_them() -> None:
    forbidden = re.compile(r"[\"']((?:Remove-Mailbox|(?:Disable|Remove)-RemoteMailbox))[\"']")
    found = {
        (path.name, match)
        for path in SOURCES.parents[0].rglob("*.py")
        for match in forbidden.findall(path.read_text("utf-8"))
    }
    assert found == set()
    assert {"Remove-Mailbox", "Disable-RemoteMailbox", "Remove-RemoteMailbox"} & set(exchange_cmdlets.CMDLETS) == set()


def test_the_directory_is_never_written_by_the_decommission() -> None:
    writing = re.compile(r"\.(modify|modify_many|add_entry|delete_entry)\(|messages import Change")
    found = [path.name for path in (SOURCES / "_decommission").rglob("*.py") if writing.search(path.read_text("utf-8"))]
    assert found == []


def table(phase: str) -> str:
    """The steps of a phase as docs/order.md shows them."""
    rows = ["| Step | Side | What | Why there | Source | Put back |", "|---|---|---|---|---|---|"]
    for step in order.steps(order.DEFAULT, phase):
        cells = (
            f"`{step.id}`",
            step.side.replace("_", " "),
            f"{step.verb} {step.what}",
            step.reason,
            step.source,
            "yes" if step.reversible else "no",
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("phase", order.PHASES)
def test_the_documentation_has_the_order_as_it_is(phase: str) -> None:
    text = (Path(__file__).parents[3] / "docs/order.md").read_text("utf-8")
    assert table(phase) in text
