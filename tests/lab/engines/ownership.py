# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who owns which address and sign-in name in a tenant: Entra keeps them unique, Active Directory does not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.lab.engines import addresses

Document = dict[str, Any]


class Owners:
    """Addresses and names of a tenant, by comparable form. The first owner keeps them."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}

    def claim(self, key: str, object_id: str) -> bool:
        """Take ``key`` for an object; False when another object has it."""
        return self._owners.setdefault(key, object_id) == object_id

    def release(self, object_id: str) -> None:
        """Forget what an object owns."""
        self._owners = {key: owner for key, owner in self._owners.items() if owner != object_id}

    def release_all(self, object_ids: set[str]) -> None:
        """Forget what several objects own."""
        self._owners = {key: owner for key, owner in self._owners.items() if owner not in object_ids}

    def claim_addresses(self, values: Iterable[str], object_id: str) -> tuple[list[str], list[str]]:
        """(addresses that the object gets, addresses that another object has)."""
        kept: list[str] = []
        refused: list[str] = []
        for value in values:
            free = not addresses.is_smtp(value) or self.claim(addresses.key(value), object_id)
            (kept if free else refused).append(value)
        return kept, refused


def name_key(kind: str, value: str) -> str:
    """The form under which a name (``upn``, ``name``) is claimed."""
    return f"{kind}\0{value.casefold()}"


def provisioning_error(property_name: str, value: str, now: str) -> Document:
    """A Graph onPremisesProvisioningError for a value that another object has."""
    return {
        "category": "PropertyConflict",
        "occurredDateTime": now,
        "propertyCausingError": property_name,
        "value": value,
    }


def same_errors(old: list[Document], new: list[Document]) -> list[Document]:
    """``new``, with the time of first occurrence of those that were there before."""
    times = {_same(error): error["occurredDateTime"] for error in old}
    return [{**error, "occurredDateTime": times.get(_same(error), error["occurredDateTime"])} for error in new]


def _same(error: Document) -> tuple[str, str]:
    return error["propertyCausingError"], error["value"]
