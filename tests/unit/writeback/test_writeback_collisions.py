# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Collisions found before writing, the order in which addresses move, and refusals by kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._run import journal
from ansible_collections.hybrid.exchange.plugins.module_utils._run.limits import KindLimits
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import apply
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.run import Report
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.writeback import FarEnds, Options, write_back
from writeback_fakes import Entry, World, run_in


@pytest.fixture
def world() -> World:
    return World()


def write(world: World, path: Path, **options: Any) -> Report:
    ends = FarEnds(world.mailboxes, world.ownership, world.directory)
    return write_back(Options(Selection("all", None), journal_dir=str(path), **options), ends, run_in(path))


def addresses(primary: str, *others: str) -> list[str]:
    return [f"SMTP:{primary}@contoso.lab", *(f"smtp:{other}@contoso.lab" for other in others)]


def failed(world: World, path: Path, **options: Any) -> dict[str, Any]:
    with pytest.raises(errors.PartialFailure) as caught:
        write(world, path, **options)
    return caught.value.facts


@pytest.mark.parametrize(
    ("cloud", "outcome"),
    [
        ({"EmailAddresses": ["SMTP:u@contoso.lab", "SMTP:v@contoso.lab"]}, "two_primaries"),
        ({"EmailAddresses": ["smtp:u@contoso.lab"]}, "no_primary"),
        ({"EmailAddresses": ["SMTP:u@contoso.lab", "smtp:a@contoso.lab", "smtp:A@contoso.lab"]}, "case_twins"),
        ({"ExtensionCustomAttribute1": ["Red", "red"]}, "case_twins"),
        ({"WindowsEmailAddress": "v@contoso.lab"}, "mail_not_primary"),
        ({"WindowsEmailAddress": ""}, "mail_not_primary"),
        ({"CustomAttribute1": "x" * 1025}, "out_of_range"),
        ({"EmailAddresses": ["SMTP:u@contoso.lab", "nonsense"]}, "refused"),
    ],
)
def test_what_one_object_must_not_hold(world: World, tmp_path: Path, cloud: dict[str, Any], outcome: str) -> None:
    world.user("u", cloud)
    facts = failed(world, tmp_path, proxy_addresses="exact")
    assert facts["counts"][outcome] == 1
    assert facts["failures"][0]["kind"] == outcome
    assert world.directory.modifications == []


def test_mail_that_is_wrong_already_and_not_this_runs_business_is_left(world: World, tmp_path: Path) -> None:
    world.user("u", {"CustomAttribute1": "new", "WindowsEmailAddress": "v@contoso.lab"}, {"mail": "v@contoso.lab"})
    assert write(world, tmp_path).result["counts"]["written"] == 1


def test_an_address_of_an_object_in_another_domain_is_refused(world: World, tmp_path: Path) -> None:
    world.user("u", {"EmailAddresses": addresses("u", "info")})
    assert world.directory.abroad is not None
    far = {"objectGUID": (b"F" * 16,), "proxyAddresses": (b"smtp:INFO@contoso.lab",)}
    world.directory.abroad.append(Entry("CN=far,DC=emea,DC=contoso,DC=lab", far))
    facts = failed(world, tmp_path)
    assert facts["counts"]["address_taken"] == 1
    assert "CN=far,DC=emea" in facts["failures"][0]["error"]


def test_without_a_global_catalog_the_domain_is_searched_and_it_is_said(world: World, tmp_path: Path) -> None:
    world.directory.abroad = None
    world.user("u", {"EmailAddresses": addresses("u", "info")})
    report = write(world, tmp_path)
    assert report.result["counts"]["written"] == 1
    assert any("only contoso.lab was searched" in warning for warning in report.warnings)
    world.user("v", {"EmailAddresses": addresses("v", "info")})
    assert failed(world, tmp_path)["counts"]["address_taken"] == 1


def swapping(world: World, *names: str) -> list[bytes]:
    """Each takes over the second address of the next one."""
    return [
        world.user(
            name,
            {"EmailAddresses": addresses(name, f"{names[(number + 1) % len(names)]}1")},
            {"proxyAddresses": addresses(name, f"{name}1")},
        )
        for number, name in enumerate(names)
    ]


def holders_never_doubled(world: World) -> None:
    """From now on, no address may be on two objects at any moment."""

    def look(_entry: Entry) -> None:
        held = [
            value.lower()
            for entry in world.directory.objects.values()
            for value in entry.values.get("proxyAddresses", ())
        ]
        assert len(held) == len(set(held)), held

    world.directory.after_modify = look


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("chunk", [1, 200])
def test_addresses_go_round_in_a_circle(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, chunk: int
) -> None:
    monkeypatch.setattr(apply, "CHUNK", chunk)
    names = [f"u{number}" for number in range(count)]
    guids = swapping(world, *names)
    waiting = world.user("w", {"EmailAddresses": addresses("w")}, {"proxyAddresses": addresses("w")})
    holders_never_doubled(world)
    report = write(world, tmp_path, proxy_addresses="exact")
    assert report.result["counts"]["written"] == count
    for number, guid in enumerate(guids):
        expected = tuple(sorted(addresses(names[number], f"{names[(number + 1) % count]}1")))
        assert world.directory.text(guid, "proxyAddresses") == expected
    assert len(world.directory.modifications) == count + 1, "one of the circle gives up first"
    assert world.directory.text(waiting, "proxyAddresses") == tuple(addresses("w"))
    assert not write(world, tmp_path, proxy_addresses="exact").changed


def test_primary_addresses_swap(world: World, tmp_path: Path) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        world.user(
            one,
            {"EmailAddresses": addresses(other), "WindowsEmailAddress": f"{other}@contoso.lab"},
            {"proxyAddresses": addresses(one), "mail": f"{one}@contoso.lab"},
        )
    holders_never_doubled(world)
    assert write(world, tmp_path, proxy_addresses="exact").result["counts"]["written"] == 2
    assert not write(world, tmp_path, proxy_addresses="exact").changed


def test_releases_come_before_gains_in_a_chain(world: World, tmp_path: Path) -> None:
    """c takes from b, b takes from a; they are planned in the order c, b, a."""
    for name, gets, had in (("c", ["b1"], []), ("b", ["a1"], ["b1"]), ("a", [], ["a1"])):
        world.user(name, {"EmailAddresses": addresses(name, *gets)}, {"proxyAddresses": addresses(name, *had)})
    holders_never_doubled(world)
    write(world, tmp_path, proxy_addresses="exact")
    assert [dn[3] for dn, _steps in world.directory.modifications] == ["a", "b", "c"]


@pytest.mark.parametrize("circle", [False, True])
def test_nobody_gets_an_address_whose_release_failed(world: World, tmp_path: Path, circle: bool) -> None:
    world.user(
        "a",
        {"EmailAddresses": addresses("a", *(["b1"] if circle else []))},
        {"proxyAddresses": addresses("a", "a1")},
    )
    b = world.user("b", {"EmailAddresses": addresses("b", "a1")}, {"proxyAddresses": addresses("b", "b1")})

    def protect(entry: Entry) -> None:
        if entry.dn.startswith("CN=a,"):
            raise errors.PermissionDenied("AdminSDHolder", object=entry.dn, code="protected_object")

    world.directory.before_modify = protect
    facts = failed(world, tmp_path, proxy_addresses="exact")
    counts = facts["counts"]
    assert (counts["written"], counts["failed"], counts["not_attempted"]) == (0, 1, 1)
    assert world.directory.text(b, "proxyAddresses") == tuple(addresses("b", "b1"))
    assert facts["refusals"] == {"address_not_released": 1, "protected_object": 1}
    assert facts["changed"] is False


def test_two_mailboxes_with_one_object(world: World, tmp_path: Path) -> None:
    guid = world.user("a", {"CustomAttribute1": "one"})
    world.user("b", {"CustomAttribute1": "two"}, anchor=guid, in_directory=False)
    assert failed(world, tmp_path)["counts"]["ambiguous_anchor"] == 2
    assert world.directory.modifications == []


def test_refusals_are_counted_by_kind_and_the_run_goes_on(world: World, tmp_path: Path) -> None:
    for number in range(6):
        world.user(f"u{number}", {"CustomAttribute1": "new"})
    codes = {"CN=u1": "protected_object", "CN=u2": "protected_object", "CN=u3": "busy"}

    def refuse(entry: Entry) -> None:
        if code := codes.get(entry.dn.partition(",")[0]):
            kind = errors.Unavailable if code == "busy" else errors.PermissionDenied
            raise kind("no", object=entry.dn, code=code)

    many = world.directory.modify_many

    def answered(requests: Any) -> Any:
        """As the directory does: a server that is busy is an answer, and not a connection that is lost."""
        for key, dn, steps in requests:
            try:
                yield from many([(key, dn, steps)])
            except errors.Unavailable as error:
                yield key, error

    world.directory.before_modify = refuse
    world.directory.modify_many = answered  # type: ignore[method-assign]
    facts = failed(world, tmp_path)
    assert facts["refusals"] == {"busy": 1, "protected_object": 2}
    assert (facts["counts"]["written"], facts["counts"]["failed"]) == (3, 3)
    assert {item["code"] for item in facts["failures"]} == {"busy", "protected_object"}


@pytest.mark.parametrize(("allowed", "tried"), [(0, 1), (2, 3), (9, 10), (10, 10)])
def test_max_failures_stops_a_run(world: World, tmp_path: Path, allowed: int, tried: int) -> None:
    for number in range(10):
        world.user(f"u{number}", {"CustomAttribute1": "new"})
    tries: list[str] = []

    def deny(entry: Entry) -> None:
        tries.append(entry.dn)
        raise errors.PermissionDenied("no", object=entry.dn)

    world.directory.before_modify = deny
    facts = failed(world, tmp_path, max_failures=allowed)
    assert len(tries) == tried
    assert (facts["counts"]["failed"], facts["counts"]["not_attempted"]) == (tried, 10 - tried)
    outcomes = journal.read(facts["journal"]["path"]).outcomes
    assert set(outcomes.values()) == {"not_written"}


def test_clears_have_a_limit_by_default(world: World, tmp_path: Path) -> None:
    """Many empty values are mostly values that never came to the cloud."""
    for number in range(101):
        world.user(f"u{number}", {}, {"extensionAttribute1": "precious"})
    with pytest.raises(errors.Refused, match=r"clear 101 \(extensionAttribute1 101\).*max_clears allows \(100\)"):
        write(world, tmp_path)
    assert world.directory.modifications == []
    write(world, tmp_path, kind_limits=KindLimits(max_clears=101))
