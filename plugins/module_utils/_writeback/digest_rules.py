# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Digests of both sides where rules give some of the values: those of the others, and the computed ones behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError
from ansible_collections.hybrid.exchange.plugins.module_utils._model import values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute, Values
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.digest import (
    FIELD,
    NO_CLOUD_DIGEST,
    NO_DIRECTORY_DIGEST,
    SIZE,
    Digester,
    RawValues,
    canonical,
)


class RuleDigester:
    """As a Digester, but for the last ``attributes`` ``give`` says what the cloud's side is.

    It takes a raw row and answers the values of the computed attributes, or None where one of them has none to
    compare. ``properties`` are what it reads beside those of the plain attributes.
    """

    def __init__(
        self,
        plain: Digester,
        computed: Sequence[Attribute],
        properties: Iterable[str],
        give: Callable[[Mapping[str, Any]], Sequence[Values] | None],
    ) -> None:
        self._plain = plain
        self._computed = tuple(computed)
        self._give = give
        self._names = len(plain.names)
        self._rows = len(plain.properties)
        self.attributes: tuple[Attribute, ...] = (*plain.attributes, *computed)
        self.names: tuple[str, ...] = tuple(item.ldap_name for item in self.attributes)
        self.properties: tuple[str, ...] = tuple(dict.fromkeys((*plain.properties, *properties)))

    def cloud(self, row: tuple[Any, ...]) -> bytes:
        """The digest of what the rules and the catalogue make of Exchange Online's raw values."""
        given = self._give(dict(zip(self.properties, row, strict=True)))
        first = self._plain.cloud(row[: self._rows])
        if given is None or first == NO_CLOUD_DIGEST:
            return NO_CLOUD_DIGEST
        try:
            return self._both(first, given)
        except UnicodeEncodeError:
            return NO_CLOUD_DIGEST

    def directory(self, found: Sequence[RawValues]) -> bytes:
        """The digest of what AD holds."""
        first = self._plain.directory(found[: self._names])
        if first == NO_DIRECTORY_DIGEST:
            return first
        try:
            held = [
                values.from_directory(item, raw or ())
                for item, raw in zip(self._computed, found[self._names :], strict=True)
            ]
        except HybridError:
            return NO_DIRECTORY_DIGEST
        return self._both(first, held)

    def _both(self, first: bytes, computed: Sequence[Values]) -> bytes:
        texts = [canonical(item, value) for item, value in zip(self._computed, computed, strict=True)]
        return blake2b(first + FIELD.join(texts).encode("utf-8"), digest_size=SIZE).digest()
