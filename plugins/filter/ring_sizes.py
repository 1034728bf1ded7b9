# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes of the rings that a play takes in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from ansible.errors import AnsibleFilterError


def ring_sizes(hosts: Iterable[str], groups: Mapping[str, Sequence[str]], limit: str | None = None) -> list[int]:
    """Counts the hosts of each ring in the order of a play, for its keyword C(serial).

    Raises AnsibleFilterError where that would mix rings: a host in none or in two of them, or hosts of one ring that do
    not stand together. With C(--limit) a play without hosts is an error too: ansible-playbook would skip it, and every
    play on localhost, and end with success.
    """
    hosts = list(hosts)
    if limit and not hosts:
        raise AnsibleFilterError(
            f"no tenant was loaded that fits --limit {limit}; if the estate has it, the reason is in the warnings above"
        )
    members: dict[str, str] = {}
    for group, names in groups.items():
        if group.startswith("ring_"):
            for name in names:
                if name in members:
                    raise AnsibleFilterError(f"{name} is in two rings, {members[name]} and {group}; it must be in one")
                members[name] = group
    for host in hosts:
        if host not in members:
            raise AnsibleFilterError(f"{host} is in no ring; a group named ring_<name> must hold it")
    runs = [(ring, len(list(run))) for ring, run in groupby(hosts, key=members.__getitem__)]
    rings = [ring for ring, _size in runs]
    for ring in rings:
        if rings.count(ring) > 1:
            raise AnsibleFilterError(
                f"the hosts of {ring} do not stand together in this play ({', '.join(hosts)}); "
                "use 'hosts: tenants' with the estate inventory, without a keyword 'order'"
            )
    return [size for _ring, size in runs] or [1]


class FilterModule:
    """Filters for playbooks of an estate."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"ring_sizes": ring_sizes}
