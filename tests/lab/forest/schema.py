# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Exchange extension of the forests' schema, as one table.

Object identifiers, syntaxes, ranges, search flags and links are those of the product's own extension as far as they
are published. Where the published material ends, four rules apply, and all are harmless to clients that find
attributes and classes by name:

* an unknown object identifier is made up under Microsoft's arc for self-made identifiers (:data:`LAB_ARC`);
* an unknown ``schemaIDGUID`` is derived from the name, so that access control entries are equal in every run;
* an attribute whose own name is not published has the likeliest one (``README.md`` lists them);
* an ``OR-Name`` attribute is declared as a plain DN, and a link whose number is unknown is an unlinked DN.

The extension of a real forest has some three thousand entries; this one has those that recipients and the objects of
an Exchange organisation need.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from tests.lab.forest import schema_tables
from tests.lab.settings import fixed_guid

MICROSOFT = "1.2.840.113556.1"
EXCHANGE_ARC = f"{MICROSOFT}.4.7000.102"
CLASS_ARC = f"{MICROSOFT}.5.7000.62"
LAB_ARC = f"{MICROSOFT}.8000.2554.7701"

SCHEMA_VERSION_NAME = "ms-Exch-Schema-Version-Pt"
SCHEMA_VERSION = 17003  # rangeUpper of Exchange Server 2019 CU10 and later, and of Subscription Edition
ORGANIZATION_VERSION = 16763
SYSTEM_OBJECTS_VERSION = 13243

EXCHANGE_INFORMATION = "1f298a89-de98-47b8-b5cd-572ad53d267e"
"""Property set of the recipients' attributes: one access control entry covers them all."""

DN_OBJECT_CLASS = bytes.fromhex("2b0c0287731c00854a")  # oMObjectClass of syntax DS-DN


@dataclass(frozen=True)
class Syntax:
    """``attributeSyntax`` and ``oMSyntax`` of the schema, by a short name."""

    name: str
    attribute_syntax: str
    om_syntax: int


UNICODE = Syntax("Unicode", "2.5.5.12", 64)
TELETEX = Syntax("Teletex", "2.5.5.4", 20)
INT32 = Syntax("Int32", "2.5.5.9", 2)
INT64 = Syntax("Int64", "2.5.5.16", 65)
BOOL = Syntax("Bool", "2.5.5.8", 1)
OCTET = Syntax("Octet", "2.5.5.10", 4)
SID = Syntax("SID", "2.5.5.17", 4)
TIME = Syntax("Time", "2.5.5.11", 24)
DN = Syntax("DN", "2.5.5.1", 127)
SYNTAXES = {syntax.name: syntax for syntax in (UNICODE, TELETEX, INT32, INT64, BOOL, OCTET, SID, TIME, DN)}


@dataclass(frozen=True)
class Attribute:
    """One ``attributeSchema`` object. ``guid`` is its ``schemaIDGUID`` in the usual text form."""

    name: str
    oid: str
    syntax: Syntax
    single: bool
    lower: int | None = None
    upper: int | None = None
    search_flags: int = 0
    gc: bool = False
    link_id: int | None = None
    mapi_id: int | None = None
    known_guid: str | None = None
    recipient: bool = True  # carried by recipients (through mailRecipient), else by the organisation's objects only

    @property
    def guid(self) -> str:
        return self.known_guid or fixed_guid("schema", self.name)

    @property
    def guid_bytes(self) -> bytes:
        """As stored in the directory: little-endian."""
        return uuid.UUID(self.guid).bytes_le

    @property
    def cn(self) -> str:
        return common_name(self.name)


@dataclass(frozen=True)
class ObjectClass:
    """One ``classSchema`` object. ``category``: 1 structural, 3 auxiliary."""

    name: str
    oid: str
    category: int
    superclass: str
    known_guid: str | None = None
    parents: tuple[str, ...] = ("container",)
    may_contain: tuple[str, ...] = ()

    @property
    def guid(self) -> str:
        return self.known_guid or fixed_guid("schema", self.name)

    @property
    def guid_bytes(self) -> bytes:
        """As stored in the directory: little-endian."""
        return uuid.UUID(self.guid).bytes_le

    @property
    def cn(self) -> str:
        return common_name(self.name)


def common_name(name: str) -> str:
    """The schema object's name: words joined by hyphens, the maker's prefix first (``ms-Exch-Mail-Nickname``)."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    if words[:2] == ["ms", "Exch"]:
        words = words[2:]
    return "-".join(["ms", "Exch", *(word[:1].upper() + word[1:] for word in words)])


_ARCS = {"E": EXCHANGE_ARC, "C": f"{MICROSOFT}.2", "M": MICROSOFT, "L": f"{LAB_ARC}.1"}


def _parse(row: str, recipient: bool) -> Attribute:
    name, oid, syntax, count, limits, flags, catalogue, link, mapi, guid = (row.split() + ["."] * 10)[:10]
    arc, _dot, rest = oid.partition(".")
    lower, _dash, upper = limits.strip(".").partition("-")
    return Attribute(
        name=name,
        oid=f"{_ARCS[arc]}.{rest}",
        syntax=SYNTAXES[syntax],
        single=count == "S",
        lower=int(lower) if lower else None,
        upper=int(upper) if upper else None,
        search_flags=0 if flags == "." else int(flags),
        gc=catalogue == "gc",
        link_id=None if link == "." else int(link),
        mapi_id=None if mapi == "." else int(mapi),
        known_guid=None if guid == "." else guid,
        recipient=recipient,
    )


RECIPIENT_ATTRIBUTES = tuple(_parse(row, recipient=True) for row in schema_tables.RECIPIENTS.strip().splitlines())
ORGANIZATION_ATTRIBUTES = tuple(_parse(row, recipient=False) for row in schema_tables.ORGANIZATION.strip().splitlines())
VERSION_ATTRIBUTE = Attribute(
    "msExchSchemaVersionPt", f"{LAB_ARC}.1.100", UNICODE, single=True, upper=SCHEMA_VERSION, recipient=False
)
ATTRIBUTES = (*RECIPIENT_ATTRIBUTES, *ORGANIZATION_ATTRIBUTES, VERSION_ATTRIBUTE)

WRITEBACK_ATTRIBUTES = (
    *(f"extensionAttribute{number}" for number in range(1, 16)),
    *(f"msExchExtensionCustomAttribute{number}" for number in range(1, 6)),
    "msExchRecipientDisplayType",
    "msExchRecipientTypeDetails",
    "proxyAddresses",
    "mail",
)
"""The 24 attributes of the writeback job; the last two belong to the base schema."""
