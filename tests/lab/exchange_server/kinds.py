# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of objects of the organisation: their class, their place, and which attribute holds which property."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.lab.exchange_server.codec import Property
from tests.lab.exchange_server.directory import LEVEL, Found
from tests.lab.exchange_server.exchange import Organization
from tests.lab.forest.organization_parts import Places

_MAIL = "Microsoft.Exchange.Data.Directory.SystemConfiguration"


@dataclass(frozen=True)
class Kind:
    """One kind. ``noun`` is that of its cmdlets; ``shown`` adds what is computed."""

    noun: str
    cls: str
    base: Callable[[Places], str]
    type_name: str
    properties: tuple[Property, ...] = ()
    scope: str = LEVEL
    shown: Callable[[Organization, Found, dict[str, Any]], dict[str, Any]] | None = None

    def property(self, name: str) -> Property | None:
        """A property by its name in any case."""
        return next((one for one in self.properties if one.name.lower() == name.lower()), None)


def kind(
    noun: str, cls: str, base: Callable[[Places], str], type_name: str, *properties: Property, **rest: Any
) -> Kind:
    """A kind of the directory's own types."""
    return Kind(noun, cls, base, f"{_MAIL}.{type_name}", properties, **rest)
