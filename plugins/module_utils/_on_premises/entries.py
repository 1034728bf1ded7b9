# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Search result entries (RFC 4511, 4.5.2), read as fast as Python can: most of the time of a run goes here."""

from __future__ import annotations

from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.ber import (
    OCTETS,
    SEQUENCE,
    SET,
    Malformed,
    expect,
    header,
    octets,
)

Values = tuple[bytes, ...]


class EntryReader:
    """Reads the entries of one search.

    Attributes come out by the names that they were asked for. A name with an option, such as a range, comes out
    apart from the others, as the server wrote it.

    A server sends the attributes of its objects in one order. So the order seen so far is what is looked for first,
    which saves taking names apart; what does not fit it is read without expectations.
    """

    def __init__(self, attributes: tuple[str, ...]) -> None:
        self._asked = {name.lower(): name for name in attributes}
        self._order: list[tuple[str, bytes, int]] = []

    def read(self, data: bytes) -> tuple[str, dict[str, Values], dict[str, Values]]:
        """The name, the values and the values with options of the entry whose content is ``data``.

        Malformed where it is no entry.
        """
        end = len(data)
        start, position = expect(data, 0, end, OCTETS)
        dn = data[start:position].decode("utf-8")
        position, stop = expect(data, position, end, SEQUENCE)
        if stop != end:
            raise Malformed("something follows the attributes of an entry")
        values: dict[str, Values] = {}
        others: dict[str, Values] = {}
        place = 0
        while position < end:
            try:
                position, place = self._expected(data, position, end, values, place)
            except IndexError as error:
                raise Malformed("an entry ends in the middle of an element") from error
            if position < end:
                position, place = self._any(data, position, end, values, others, place)
        return dn, values, others

    def _expected(self, data: bytes, position: int, end: int, values: dict[str, Values], place: int) -> tuple[int, int]:
        """Read the attributes that come in the expected order from ``place`` on; where to go on in both.

        header() written out for the two forms of lengths in use: a call per element would double the time.
        """
        read = b""
        for name, prefix, width in self._order[place:]:
            if position == end:
                break
            size = data[position + 1]
            if size < 0x80:
                start = position + 2
                stop = start + size
            elif size == 0x84:
                start = position + 6
                stop = start + int.from_bytes(data[position + 2 : start], "big")
            else:
                _tag, start, stop = header(data, position, end)
            at = start + width
            # The prefix is the name with its tag and length, and the tag of the set of values.
            if data[start:at] != prefix:
                continue
            if data[position] != SEQUENCE:
                raise Malformed("an attribute is not a sequence")
            size = data[at]
            if size < 0x80:
                at += 1
                size += at
            elif size == 0x84:
                at += 5
                size = at + int.from_bytes(data[at - 4 : at], "big")
            else:
                _tag, at, size = header(data, at - 1, end)
            if size != stop or stop > end:
                raise Malformed("an attribute does not end with its values")
            found: Values | list[bytes] = ()
            while at < stop:
                if data[at] != OCTETS:
                    raise Malformed("a value is not an octet string")
                size = data[at + 1]
                if size < 0x80:
                    start = at + 2
                    at = start + size
                else:
                    _tag, start, at = header(data, at, stop)
                if not found:
                    found = (data[start:at],)
                elif len(found) == 1:
                    found = [found[0], data[start:at]]
                else:
                    found.append(data[start:at])  # type: ignore[union-attr]
            if at != stop:
                raise Malformed("a value reaches beyond its attribute")
            if found:
                values[name] = tuple(found)
            position = stop
            read = prefix
        return position, self._place(read) + 1 if read and position < end else place

    def _place(self, prefix: bytes) -> int:
        """Where an attribute stands in the order; -1 where it is not known yet."""
        return next((place for place, (_name, known, _width) in enumerate(self._order) if known == prefix), -1)

    def _any(
        self,
        data: bytes,
        position: int,
        end: int,
        values: dict[str, Values],
        others: dict[str, Values],
        place: int,
    ) -> tuple[int, int]:
        """Read one attribute; where to go on, and the place in the order that is after it.

        One that is new, or was thought to come earlier, is put at ``place``: after the one that came before it.
        """
        position, stop = expect(data, position, end, SEQUENCE)
        start, position = expect(data, position, stop, OCTETS)
        raw = data[start:position]
        position, last = expect(data, position, stop, SET)
        if last != stop:
            raise Malformed("an attribute does not end with its values")
        found = []
        while position < stop:
            start, position = expect(data, position, stop, OCTETS)
            found.append(data[start:position])
        description = raw.decode("ascii")
        if ";" in description:
            if found:
                others[description] = tuple(found)
            return stop, place
        name = self._asked.get(description.lower(), description)
        if found:
            values[name] = tuple(found)
        prefix = octets(raw) + bytes((SET,))
        known = self._place(prefix)
        if known >= place:
            return stop, known + 1
        if known >= 0:
            del self._order[known]
            place -= 1
        self._order.insert(place, (name, prefix, len(prefix)))
        return stop, place + 1
