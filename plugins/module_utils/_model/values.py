# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Values in their one canonical form, from and to each side."""

from __future__ import annotations

import base64
import binascii
import json
import re
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, ProtocolError
from ansible_collections.hybrid.exchange.plugins.module_utils._model import addresses
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute, Syntax, Values

_INTEGERS = {Syntax.INT32: 31, Syntax.INT64: 63}
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?\d+")
_GENERALIZED_TIME = re.compile(r"(\d{14})(?:[.,]\d+)?Z")


def from_exchange(attribute: Attribute, raw: Any) -> Values:
    """The canonical value of what Exchange Online answered for ``attribute.exchange_property``.

    Exchange Online answers ``""`` for an empty custom attribute, so an empty text is no value. Values that have no
    form in common with AD (names of objects, quotas with a unit) stay the text that Exchange Online gives.
    """
    items: Iterable[Any] = raw if isinstance(raw, (list, tuple)) else (raw,)
    return tuple(text for item in items if (text := _from_exchange(attribute, item)) != "")


def _from_exchange(attribute: Attribute, item: Any) -> str:
    if item is None or item == "":
        return ""
    if isinstance(item, (dict, list)):
        return json.dumps(item, sort_keys=True)
    if isinstance(item, bool):
        return "TRUE" if item else "FALSE"
    text = str(item)
    if attribute.syntax is Syntax.BOOLEAN and text.casefold() in {"true", "false"}:
        return text.upper()
    if attribute.syntax is Syntax.OCTETS:
        return _octets_from_text(text)
    if attribute.syntax is Syntax.TIME:
        return _time_from_iso(text)
    return text


def _octets_from_text(text: str) -> str:
    if _GUID.fullmatch(text):
        guid = uuid.UUID(text)
        return guid.bytes_le.hex() if guid.int else ""  # Exchange shows "no archive" as the GUID of zeros
    try:
        return base64.b64decode(text, validate=True).hex()
    except (binascii.Error, ValueError):
        return text


def _time_from_iso(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S.0Z")


def from_directory(attribute: Attribute, raw: Sequence[bytes]) -> Values:
    """The canonical value of what AD holds; bytes that are not valid text are a ProtocolError."""
    if attribute.syntax is Syntax.OCTETS:
        return tuple(value.hex() for value in raw)
    if attribute.syntax is Syntax.SID:
        return tuple(_sid_to_text(attribute, value) for value in raw)
    try:
        return tuple(value.decode("utf-8") for value in raw)
    except UnicodeDecodeError as error:
        raise ProtocolError(
            f"Active Directory holds a value of {attribute.ldap_name} that is not text: {error.object.hex()}.",
            attribute=attribute.ldap_name,
        ) from error


def to_directory(attribute: Attribute, values: Values) -> list[bytes]:
    """What to send to AD; InputError for a value that AD's syntax cannot hold."""
    return [_to_directory(attribute, value) for value in values]


def _to_directory(attribute: Attribute, value: str) -> bytes:
    def wrong(what: str) -> InputError:
        return InputError(
            f"{attribute.ldap_name} cannot hold {value!r}: {what}.", attribute=attribute.ldap_name, value=value
        )

    if value == "":
        raise wrong("an empty text is no value in Active Directory, clear the attribute instead")
    if attribute.syntax in _INTEGERS:
        if not _INTEGER.fullmatch(value):
            raise wrong("it is not a whole number")
        bits = _INTEGERS[attribute.syntax]
        if not -(1 << bits) <= int(value) < 1 << bits:
            raise wrong(f"it does not fit into {bits + 1} bits")
        return str(int(value)).encode("ascii")
    if attribute.syntax is Syntax.BOOLEAN and value not in {"TRUE", "FALSE"}:
        raise wrong("it is neither TRUE nor FALSE")
    if attribute.syntax is Syntax.TIME and not _GENERALIZED_TIME.fullmatch(value):
        raise wrong("it is not a time of the form 20260803101500.0Z")
    if attribute.syntax is Syntax.SID:
        raise wrong("security identifiers are never written")
    if attribute.syntax is Syntax.OCTETS:
        try:
            return bytes.fromhex(value)
        except ValueError as error:
            raise wrong("it is not hexadecimal") from error
    return value.encode("utf-8")


def equal(attribute: Attribute, one: Values, other: Values) -> bool:
    """Whether two canonical values of the attribute mean the same."""
    if attribute.cast == "addresses":
        return addresses.equal(one, other)
    left, right = ([comparable(attribute, value) for value in side] for side in (one, other))
    return set(left) == set(right) if attribute.multi else left == right


def difference(attribute: Attribute, one: Values, other: Values) -> Values:
    """The values of the first side that have no equal on the second."""
    if attribute.cast == "addresses":
        return addresses.difference(one, other)
    known = {comparable(attribute, value) for value in other}
    return tuple(value for value in one if comparable(attribute, value) not in known)


def comparable(attribute: Attribute, value: str) -> Any:
    """What stands for one value in comparisons: equal for two values of the attribute that mean the same."""
    if attribute.syntax is Syntax.UNICODE:
        return value  # most of them, so first
    if attribute.syntax in _INTEGERS and _INTEGER.fullmatch(value):
        return int(value)
    if attribute.syntax in {Syntax.DN, Syntax.OR_NAME}:
        return re.sub(r"\s*([,=])\s*", r"\1", value).casefold()
    if attribute.syntax is Syntax.TIME and (match := _GENERALIZED_TIME.fullmatch(value)):
        return match.group(1)
    if attribute.syntax is Syntax.TELETEX:
        return value.casefold()
    return value


def check_range(attribute: Attribute, values: Values) -> str | None:
    """Why AD would refuse the values for their number or size, in plain words; None where it would not."""
    if not attribute.multi and len(values) > 1:
        return f"{attribute.ldap_name} takes one value, not {len(values)}"
    for value in values:
        size, unit = (len(value) // 2, "bytes") if attribute.syntax is Syntax.OCTETS else (len(value), "characters")
        if attribute.range_upper is not None and size > attribute.range_upper:
            return f"{attribute.ldap_name} takes at most {attribute.range_upper} {unit}, {value[:40]!r}... has {size}"
        if attribute.range_lower is not None and size < attribute.range_lower:
            return f"{attribute.ldap_name} takes at least {attribute.range_lower} {unit}, {value!r} has {size}"
    return None


def _sid_to_text(attribute: Attribute, value: bytes) -> str:
    count = value[1] if len(value) >= 8 else -1
    if len(value) != 8 + 4 * count:
        raise ProtocolError(
            f"Active Directory holds a value of {attribute.ldap_name} that is no security identifier: {value.hex()}.",
            attribute=attribute.ldap_name,
        )
    parts = [int.from_bytes(value[8 + 4 * n : 12 + 4 * n], "little") for n in range(count)]
    return "-".join(["S", str(value[0]), str(int.from_bytes(value[2:8], "big")), *map(str, parts)])
