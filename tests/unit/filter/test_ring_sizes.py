# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hybrid.exchange.plugins.filter.ring_sizes import FilterModule, ring_sizes

GROUPS = {"all": ["a", "b", "c", "d"], "tenants": ["a", "b", "c", "d"], "ring_one": ["a", "b"], "ring_two": ["c", "d"]}


@pytest.mark.parametrize(
    ("hosts", "sizes"),
    [
        (["a", "b", "c", "d"], [2, 2]),
        (["a", "c", "d"], [1, 2]),  # --limit took one of the first ring away
        (["c"], [1]),
        (["c", "d", "a"], [2, 1]),
        ([], [1]),  # serial of a play without hosts must still be a number
    ],
)
def test_sizes_follow_the_hosts_of_the_play(hosts: list[str], sizes: list[int]) -> None:
    assert ring_sizes(hosts, GROUPS) == sizes


@pytest.mark.parametrize(
    ("hosts", "groups", "words"),
    [
        (["a", "c", "b"], GROUPS, "do not stand together"),
        (["a", "x"], GROUPS, "x is in no ring"),
        (["a"], {"ring_one": ["a"], "ring_two": ["a"]}, "a is in two rings"),
    ],
)
def test_rings_are_never_mixed(hosts: list[str], groups: dict[str, list[str]], words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        ring_sizes(hosts, groups)


def test_a_limit_that_leaves_no_host_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="fits --limit contoso"):
        ring_sizes([], GROUPS, "contoso")
    assert ring_sizes(["c"], GROUPS, "c") == [1]


def test_the_filter_has_its_name() -> None:
    assert FilterModule().filters() == {"ring_sizes": ring_sizes}
