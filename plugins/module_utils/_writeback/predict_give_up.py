# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What a prediction finds at risk and the user gives up by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._model import catalogue
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import listing
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.source import Source

FORMS = "'user@contoso.com: proxyAddresses', 'user@contoso.com' or 'attribute proxyAddresses'"
ANYTHING = ""
"""Instead of an attribute: the whole mailbox is at risk, because it cannot be told what becomes of it."""


@dataclass(frozen=True)
class Entry:
    """One entry: of a mailbox (name or object id, folded; None for every mailbox) and an attribute (None for all)."""

    text: str
    mailbox: str | None
    attribute: str | None

    def covers(self, source: Source, attribute: str) -> bool:
        """Whether it gives up what is at risk there."""
        if self.mailbox is not None and self.mailbox not in (source.name.casefold(), source.id.casefold()):
            return False
        return self.attribute is None or self.attribute == attribute


class GivenUp:
    """The option give_up, and which of its entries named something."""

    def __init__(self, items: Iterable[str]) -> None:
        self._everywhere: dict[str, list[Entry]] = {}
        self._of_mailboxes: dict[str, list[Entry]] = {}
        self._unused: dict[str, Entry] = {}
        for index, item in enumerate(items):
            entry = _entry(str(item).strip(), f"give_up[{index}]")
            self._unused[entry.text] = entry
            if entry.mailbox is None:
                self._everywhere.setdefault(str(entry.attribute), []).append(entry)
            else:
                self._of_mailboxes.setdefault(entry.mailbox, []).append(entry)

    def covers(self, source: Source, attribute: str) -> bool:
        """Whether what is at risk in an attribute of a mailbox is given up."""
        found = [
            entry
            for entry in (
                *self._everywhere.get(attribute, ()),
                *self._of_mailboxes.get(source.name.casefold(), ()),
                *self._of_mailboxes.get(source.id.casefold(), ()),
            )
            if entry.covers(source, attribute)
        ]
        for entry in found:
            self._unused.pop(entry.text, None)
        return bool(found)

    def unused(self) -> Sequence[str]:
        """The entries that named nothing at risk."""
        return tuple(self._unused)

    def check(self, **facts: Any) -> None:
        """InputError where an entry named nothing that is at risk: it is a slip, or a value that is safe by now."""
        left = self.unused()
        if left:
            raise InputError(
                f"give_up names what is not at risk: {listing(left)}. Correct it, or leave it out; what is at risk is "
                "in lost and in the artifact.",
                **facts,
                give_up=list(left),
            )


def _entry(text: str, place: str) -> Entry:
    first, _blank, rest = text.partition(" ")
    if first.casefold() == "attribute" and rest.strip():
        return Entry(text, None, _attribute(rest.strip(), place))
    mailbox, colon, name = (part.strip() for part in text.partition(":"))
    if not mailbox or " " in mailbox or (colon and not name):
        raise InputError(f"{place}: {text!r} is not understood. Write {FORMS}.", give_up=text)
    if not colon and mailbox.casefold() in _ATTRIBUTES:
        raise InputError(f"{place}: say 'attribute {text}' to give it up for every mailbox.", give_up=text)
    return Entry(text, mailbox.casefold(), _attribute(name, place) if colon else None)


_ATTRIBUTES = frozenset(name.casefold() for name in catalogue.CATALOGUE)


def _attribute(name: str, place: str) -> str:
    try:
        return catalogue.attribute(name).ldap_name
    except InputError as error:
        raise InputError(f"{place}: {error.message}", **error.facts) from error
