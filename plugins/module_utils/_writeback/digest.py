# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""One digest for all compared attributes of a mailbox, computed from either side's raw answer.

Equal digests mean that the two sides are equivalent (``plan.equivalent``) in every attribute. The definition is
``canonical``: one text per attribute, the same for two values exactly where they are equivalent. Most mailboxes never
need it: for plain texts the raw answers of both sides hold that text already, so they are joined as they are, and
only a value with one of the three separating characters goes the long way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from operator import itemgetter
from typing import Any, Protocol, TypeAlias

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError
from ansible_collections.hybrid.exchange.plugins.module_utils._model import recipient_types, values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute, Syntax, Values

SIZE = 16
"""Bytes of a digest. Two different mailboxes in a thousand million share one with a probability below 1e-20."""

NO_CLOUD_DIGEST = b"\x00" * SIZE
NO_DIRECTORY_DIGEST = b"\xff" * SIZE
"""For a side that cannot be read as it should be: they differ from each other, so the exact comparison decides."""

TYPE_PROPERTY = "RecipientTypeDetails"
TYPE_CASTS = frozenset({"type_details", "display_type"})
RawValues: TypeAlias = "tuple[bytes, ...] | None"

FIELD, _VALUE, _ESCAPE = "\x1f", "\x1e", "\x1b"
_ESCAPED = str.maketrans({_ESCAPE: _ESCAPE + "0", FIELD: _ESCAPE + "1", _VALUE: _ESCAPE + "2"})
_PRESENT_BUT_EMPTY = _ESCAPE + "3"
_SMTP = frozenset({"smtp:", "SMTP:"})
_EMPTY_BYTES = (b"",)
_REMEMBERED = 4096  # forms of an attribute with few different values, such as a type or a switch


def canonical(attribute: Attribute, value: Values) -> str:
    """A text that two values of the attribute share exactly where they are equivalent."""
    if attribute.cast == "addresses":
        return _joined(_folded(value))
    if attribute.syntax is Syntax.BOOLEAN:
        return _joined(value or ("FALSE",))
    if attribute.cast == "display_type" and len(value) == 1:
        return _joined((_display_type(value[0]),))
    texts = [str(values.comparable(attribute, item)) for item in value]
    return _joined(sorted(set(texts)) if attribute.multi else texts)


def _joined(texts: Iterable[str]) -> str:
    return _VALUE.join([text.translate(_ESCAPED) or _PRESENT_BUT_EMPTY for text in texts])


def _address(value: str) -> str:
    """The form of ``addresses.Address.key`` as a text, made without the object."""
    prefix, colon, address = value.partition(":")
    if not colon or not prefix or "@" in prefix:
        return f":{value.casefold()}"
    kind = prefix.upper()
    if not prefix.isascii():
        # Small and capital letters do not always pair up.
        return f"{prefix == kind}{_ESCAPE}{kind}:{address.casefold()}"
    return f"{kind if prefix == kind else kind.lower()}:{address.casefold()}"


def _display_type(text: str) -> str:
    try:
        number = int(text)
    except ValueError:
        return text
    return str(min(same for same in (number, *recipient_types.DISPLAY_TYPES) if _same_display(number, same)))


def _same_display(one: int, other: int) -> bool:
    return recipient_types.same_display_type(one, other)


def type_value(attribute: Attribute, recipient_type_details: str, style: str) -> Values:
    """AD's number for a cloud type; InputError for a type without a counterpart in AD."""
    numbers = recipient_types.directory_type(recipient_type_details, style)
    return (str(numbers[0] if attribute.cast == "type_details" else numbers[1]),)


class Digests(Protocol):
    """What makes digests of both sides: the attributes in its own order, their names in AD, the properties to read."""

    attributes: tuple[Attribute, ...]
    names: tuple[str, ...]
    properties: tuple[str, ...]

    def cloud(self, row: tuple[Any, ...]) -> bytes:
        """The digest of a raw row of Exchange Online, in the order of ``properties``."""

    def directory(self, found: Sequence[RawValues]) -> bytes:
        """The digest of AD's raw values, in the order of ``names``."""


class Digester:
    """Digests of both sides for one list of attributes.

    ``attributes`` are in this digester's own order: plain texts, then what has another form on either side, then lists
    of texts, then addresses. ``names`` are theirs in AD, ``properties`` those of Exchange to read for them. ``style``
    is how AD notes recipient types.
    """

    def __init__(self, attributes: Sequence[Attribute], style: str) -> None:
        texts = [item for item in attributes if _is_text(item) and not item.multi]
        lists = [item for item in attributes if _is_text(item) and item.multi]
        address_lists = [item for item in attributes if item.cast == "addresses"]
        rest = [item for item in attributes if not _is_text(item) and item.cast != "addresses"]
        self.attributes: tuple[Attribute, ...] = (*texts, *rest, *lists, *address_lists)
        self.names: tuple[str, ...] = tuple(item.ldap_name for item in self.attributes)
        own = [_property(item) for item in self.attributes]
        self.properties: tuple[str, ...] = tuple(dict.fromkeys((*own, TYPE_PROPERTY)))
        self._style = style
        self._positions = [self.properties.index(name) for name in own]
        self._type = self.properties.index(TYPE_PROPERTY)
        self._texts = len(texts)
        self._rest = slice(len(texts), len(texts) + len(rest))
        self._lists = slice(self._rest.stop, self._rest.stop + len(lists))
        self._addresses = slice(self._lists.stop, len(self.attributes))
        self._separators = max(len(self.attributes) - 1, 0)
        self._only_types = all(item.cast in TYPE_CASTS for item in rest)
        self._no_lists = (None,) * len(lists)
        self._empty_lists: tuple[list[str], ...] = tuple([] for _item in lists)
        self._raw_forms: dict[tuple[RawValues, ...], bytes | None] = {}
        self._type_forms: dict[str, str | None] = {}
        # The raw answer can be joined as it is only where each property belongs to one attribute, in this order.
        plain = self._positions[: self._texts] == list(range(self._texts))
        first = min(self._positions[self._lists], default=0)
        plain &= self._positions[self._lists] == list(range(first, first + len(lists)))
        self._plain = plain
        self._cloud_lists = slice(first, first + len(lists))

    def directory(self, found: Sequence[RawValues]) -> bytes:
        """The digest of what AD holds: per attribute its raw values, or None where it has none."""
        try:
            blob = self._directory_blob(found)
            if blob is None:
                blob = FIELD.join([self._directory_text(number, raw) for number, raw in enumerate(found)]).encode()
        except HybridError:
            return NO_DIRECTORY_DIGEST
        return blake2b(blob, digest_size=SIZE).digest()

    def _directory_text(self, number: int, raw: RawValues) -> str:
        attribute = self.attributes[number]
        return canonical(attribute, values.from_directory(attribute, raw or ()))

    def _directory_blob(self, found: Sequence[RawValues]) -> bytes | None:
        """The joined fields, or None where a value needs the long way."""
        try:
            texts = found[: self._texts]
            fields = [value for (value,) in [raw or _EMPTY_BYTES for raw in texts]]
        except ValueError:
            return None  # more than one value where AD takes one
        if fields.count(b"") != texts.count(None):
            return None  # a value, but an empty one
        if self._rest.stop > self._texts:
            form = self._raw_form(tuple(found[self._rest]))
            if form is None:
                return None
            fields.append(form)
        inner = 0
        lists = found[self._lists]
        if lists.count(None) == len(lists):
            fields += [b""] * len(lists)
        else:
            for raw in lists:
                if raw and b"" in raw:
                    return None
                ordered = sorted(set(raw or ()))
                inner += max(len(ordered) - 1, 0)
                fields.append(b"\x1e".join(ordered))
        for raw in found[self._addresses]:
            if not raw:
                fields.append(b"")
                continue
            try:
                shown = b"\x1e".join(raw).decode("utf-8").split(_VALUE)
            except UnicodeDecodeError:
                return None
            if len(shown) != len(raw) or "" in shown:
                return None
            folded = _folded(shown)
            inner += len(folded) - 1
            fields.append(_VALUE.join(folded).encode("utf-8"))
        blob = b"\x1f".join(fields)
        whole = blob.count(b"\x1f") == self._separators and blob.count(b"\x1e") == inner and b"\x1b" not in blob
        return blob if whole else None

    def _raw_form(self, raw: tuple[RawValues, ...]) -> bytes | None:
        """The fields of the attributes that have another form on either side; there are few different ones."""
        known = self._raw_forms
        if raw not in known:
            if len(known) >= _REMEMBERED:
                known.clear()
            known[raw] = None
            texts = [self._directory_text(self._rest.start + number, one) for number, one in enumerate(raw)]
            if not any(_VALUE in text or _ESCAPE in text for text in texts):
                known[raw] = FIELD.join(texts).encode("utf-8")
        return known[raw]

    def cloud(self, row: tuple[Any, ...]) -> bytes:
        """The digest of what Exchange Online answered: its raw values, in the order of ``properties``."""
        try:
            blob = self._cloud_blob(row)
            if blob is None:
                blob = FIELD.join([self._cloud_text(number, row) for number in range(len(self.attributes))]).encode()
        except (HybridError, UnicodeEncodeError):
            return NO_CLOUD_DIGEST
        return blake2b(blob, digest_size=SIZE).digest()

    def _cloud_text(self, number: int, row: tuple[Any, ...]) -> str:
        attribute, raw = self.attributes[number], row[self._positions[number]]
        if attribute.cast in TYPE_CASTS:
            return canonical(attribute, type_value(attribute, str(raw or ""), self._style))
        return canonical(attribute, values.from_exchange(attribute, raw))

    def _cloud_blob(self, row: tuple[Any, ...]) -> bytes | None:
        """The joined fields, or None where a value needs the long way."""
        if not self._plain:
            return None
        fields = row[: self._texts]
        if self._rest.stop > self._texts:
            form = self._cloud_form(row)
            if form is None:
                return None
            fields += (form,)
        inner = 0
        try:
            lists = row[self._cloud_lists]
            if lists in (self._empty_lists, self._no_lists):
                fields += ("",) * len(lists)
            else:
                for raw in lists:
                    if raw is None or raw == "":
                        fields += ("",)
                        continue
                    if raw.__class__ is not list or "" in raw:
                        return None
                    ordered = sorted(set(raw))
                    inner += max(len(ordered) - 1, 0)
                    fields += (_VALUE.join(ordered),)
            for position in self._positions[self._addresses]:
                raw = row[position]
                if raw.__class__ is not list or not raw or "" in raw:
                    return None
                folded = _folded(raw)
                inner += len(folded) - 1
                fields += (_VALUE.join(folded),)
            try:
                text = FIELD.join(fields)
            except TypeError:
                text = FIELD.join("" if item is None else item for item in fields)
        except TypeError:
            return None  # something other than texts
        whole = text.count(FIELD) == self._separators and text.count(_VALUE) == inner and _ESCAPE not in text
        return text.encode("utf-8") if whole else None

    def _cloud_form(self, row: tuple[Any, ...]) -> str | None:
        """The fields of the attributes that have another form on either side. Types are the usual ones, and few."""
        known, key = self._type_forms, row[self._type]
        if self._only_types and key.__class__ is str and key in known:
            return known[key]
        texts = [self._cloud_text(number, row) for number in range(self._rest.start, self._rest.stop)]
        form = None if any(_VALUE in text or _ESCAPE in text for text in texts) else FIELD.join(texts)
        if self._only_types and key.__class__ is str:
            if len(known) >= _REMEMBERED:
                known.clear()
            known[key] = form
        return form


def _folded(texts: Iterable[str]) -> list[str]:
    """The canonical forms of addresses, each once, in order."""
    return sorted({text[:5] + text[5:].casefold() if text[:5] in _SMTP else _address(text) for text in texts})


def _is_text(attribute: Attribute) -> bool:
    """Whether a value is compared as the very text that both sides give."""
    return attribute.cast == "text" and attribute.syntax is Syntax.UNICODE


def _property(attribute: Attribute) -> str:
    """The Exchange property that an attribute is taken from."""
    if attribute.cast in TYPE_CASTS or attribute.exchange_property is None:
        return TYPE_PROPERTY
    return attribute.exchange_property


def picker(properties: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Takes these properties out of a row; KeyError where one is not there."""
    if len(properties) > 1:
        return itemgetter(*properties)
    return lambda row: tuple([row[name] for name in properties])
