# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pure parts of the agent's use case."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._agent import product, version
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.registered import Agent, Registered
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.source import Source
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import ProtocolError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.clouds import CLOUDS
from ansible_collections.hybrid.exchange.plugins.module_utils._run.command_line import Command, parse
from ansible_collections.hybrid.exchange.plugins.module_utils._run.moments import moment

SETUP = r"C:\ProgramData\Package Cache\{1}\Setup.exe"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (f'"{SETUP}" /uninstall /quiet', Command(SETUP, ("/uninstall", "/quiet"))),
        ("MsiExec.exe /X{1-2}", Command("MsiExec.exe", ("/X{1-2}",))),
        (f'"{SETUP}"  /log "C:\\a b.txt" ', Command(SETUP, ("/log", r"C:\a b.txt"))),
        (f'"{SETUP}" a"b c"d ""', Command(SETUP, ("ab cd", ""))),
    ],
)
def test_a_command_line_is_taken_apart(text: str, command: Command) -> None:
    assert parse(text) == command


@pytest.mark.parametrize("text", ["", f'"{SETUP} /uninstall', "cmd /c evil", r"C:\Program Files\x.exe /quiet", "&calc"])
def test_a_command_line_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError, match="no usable command"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.1.1107.0", (1, 1, 1107, 0)),
        (" 1.1.1107 ", (1, 1, 1107, 0)),
        ("1.2", (1, 2, 0, 0)),
        ("1", None),
        ("1.1.x.0", None),
        ("1.1.1.1.1", None),
        ("", None),
        (None, None),
    ],
)
def test_versions(text: str | None, number: tuple[int, ...] | None) -> None:
    assert version.parse(text) == number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20260803101500.0Z", datetime(2026, 8, 3, 10, 15, tzinfo=UTC)),
        ("2026-08-03T12:15:00.1234567+02:00", datetime(2026, 8, 3, 10, 15, 0, 123456, tzinfo=UTC)),
        ("2026-08-03T10:15:00", datetime(2026, 8, 3, 10, 15, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_moments(text: str | None, expected: datetime | None) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize(
    ("signature", "subject", "thumbprint", "signer", "good"),
    [
        ("Valid", product.SIGNER, "AB", product.SIGNER, True),
        (
            "Valid",
            product.SIGNER.replace("S=Washington", "ST=Washington").replace(", ", ","),
            "AB",
            product.SIGNER,
            True,
        ),
        ("Valid", "CN=Else", "ab cd", "ABCD", True),
        ("Valid", "CN=Else", "AB", product.SIGNER, False),
        ("Valid", f"{product.SIGNER}, C=CH", "AB", product.SIGNER, False),
        ("UnknownError", product.SIGNER, "AB", product.SIGNER, False),
        (None, None, None, product.SIGNER, False),
    ],
)
def test_signers(signature: str | None, subject: str | None, thumbprint: str | None, signer: str, good: bool) -> None:
    source = Source("x", True, signature=signature, subject=subject, thumbprint=thumbprint)
    assert source.is_signed_by(signer) is good


def test_every_cloud_has_its_names_or_says_that_they_are_not_known() -> None:
    assert set(product.OUTBOUND) == set(CLOUDS)
    assert set(product.ENVIRONMENT_NAMES) <= set(CLOUDS)
    for name in ("worldwide", "gcc_high", "dod", "china_21vianet"):
        login = CLOUDS[name].login_url.removeprefix("https://")
        assert product.Endpoint(login, 443) in product.OUTBOUND[name]


def agent(machine: str, status: str = "active", *groups: str) -> Agent:
    return Agent(machine, machine, status, groups)


@pytest.mark.parametrize(
    ("agents", "others"),
    [
        ([agent("a.x.lab", "active", "g"), agent("b.y.lab", "active", "g")], ["b.y.lab"]),
        ([agent("a.x.lab", "active", "g"), agent("b.x.lab", "active", "h")], []),
        ([agent("a.x.lab"), agent("b.x.lab"), agent("c.sub.x.lab"), agent("d.yx.lab")], ["b.x.lab", "c.sub.x.lab"]),
        ([agent("a.x.lab"), agent("b.x.lab", "inactive")], []),
        ([agent("A.X.LAB"), agent("a.x.lab", "inactive")], []),
    ],
)
def test_who_else_does_the_work(agents: list[Agent], others: list[str]) -> None:
    found = Registered(tuple(agents)).active_beside("a.x.lab", "x.lab")
    assert [other.machine for other in found] == others


def test_the_active_record_of_a_machine_counts() -> None:
    known = Registered((agent("a.x.lab", "inactive"), agent("A.x.lab"), agent("a.x.lab", "inactive")))
    own = known.on("a.X.lab")
    assert own is not None
    assert own.active
