# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads the Exchange extension into the schema of a forest that is not running yet.

Runs under the system's Python, on the database itself: one transaction for the attributes, one for the classes, as
Exchange Setup orders them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ldb
import samba.dsdb

from tests.lab.forest.classes import CLASSES, MAIL_RECIPIENT_ADDITIONS, STRUCTURAL
from tests.lab.forest.rights import CLASS_GUIDS
from tests.lab.forest.schema import (
    ATTRIBUTES,
    DN,
    DN_OBJECT_CLASS,
    EXCHANGE_INFORMATION,
    Attribute,
    ObjectClass,
)
from tests.lab.settings import fixed_guid

# Identifiers are unique by a test of the table; searching the whole schema for each of them again takes seconds.
SCHEMA_CONTROLS = ["relax:0", "provision:0", f"local_oid:{samba.dsdb.DSDB_CONTROL_SKIP_DUPLICATES_CHECK_OID}:0"]


DEFAULT_SECURITY = "D:(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;DA)(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;SY)(A;;RPLCLORC;;;AU)"
"""What most classes of the base schema have: administrators may do everything, authenticated users may read."""


def boolean(value: bool) -> str:
    """LDAP's text for a truth value."""
    return "TRUE" if value else "FALSE"


def attribute_entry(attribute: Attribute, schema_dn: str) -> dict[str, Any]:
    """The ``attributeSchema`` object of a row."""
    entry: dict[str, Any] = {
        "dn": f"CN={attribute.cn},{schema_dn}",
        "objectClass": ["top", "attributeSchema"],
        "attributeID": attribute.oid,
        "attributeSyntax": attribute.syntax.attribute_syntax,
        "oMSyntax": str(attribute.syntax.om_syntax),
        "isSingleValued": boolean(attribute.single),
        "lDAPDisplayName": attribute.name,
        "adminDisplayName": attribute.cn,
        "adminDescription": attribute.cn,
        "searchFlags": str(attribute.search_flags),
        "schemaIDGUID": attribute.guid_bytes,
        "showInAdvancedViewOnly": "TRUE",
        "objectGUID": object_guid(attribute.name),
    }
    if attribute.syntax is DN:
        entry["oMObjectClass"] = DN_OBJECT_CLASS
    if attribute.recipient:
        entry["attributeSecurityGUID"] = uuid.UUID(EXCHANGE_INFORMATION).bytes_le
    if attribute.gc:
        entry["isMemberOfPartialAttributeSet"] = "TRUE"
    optional = {
        "rangeLower": attribute.lower,
        "rangeUpper": attribute.upper,
        "linkID": attribute.link_id,
        "mAPIID": attribute.mapi_id,
    }
    entry.update({name: str(value) for name, value in optional.items() if value is not None})
    return entry


def class_entry(cls: ObjectClass, schema_dn: str) -> dict[str, Any]:
    """The ``classSchema`` object of a row."""
    entry: dict[str, Any] = {
        "dn": f"CN={cls.cn},{schema_dn}",
        "objectClass": ["top", "classSchema"],
        "governsID": cls.oid,
        "lDAPDisplayName": cls.name,
        "adminDisplayName": cls.cn,
        "adminDescription": cls.cn,
        "objectClassCategory": str(cls.category),
        "subClassOf": cls.superclass,
        "rDNAttID": "cn",
        "defaultHidingValue": "TRUE",
        "defaultObjectCategory": f"CN={cls.cn},{schema_dn}",
        "schemaIDGUID": cls.guid_bytes,
        "showInAdvancedViewOnly": "TRUE",
        "systemOnly": "FALSE",
        "objectGUID": object_guid(cls.name),
    }
    if cls.category == STRUCTURAL:
        entry["defaultSecurityDescriptor"] = DEFAULT_SECURITY
    if cls.may_contain:
        entry["mayContain"] = list(cls.may_contain)
    return entry


def object_guid(name: str) -> bytes:
    """A fixed ``objectGUID`` for a schema object."""
    return uuid.UUID(fixed_guid("schema object", name)).bytes_le


def generations(classes: Sequence[ObjectClass]) -> list[list[ObjectClass]]:
    """Classes in the order in which they can be added: a superclass is at least one generation earlier."""
    own = {cls.name: cls for cls in classes}

    def depth(cls: ObjectClass) -> int:
        return 1 + depth(own[cls.superclass]) if cls.superclass in own else 0

    result: list[list[ObjectClass]] = []
    for cls in classes:
        while len(result) <= depth(cls):
            result.append([])
        result[depth(cls)].append(cls)
    return result


def extend(open_database: Callable[[], Any]) -> None:
    """Add every attribute and class, then let mailRecipient carry the recipients' attributes.

    A new handle per step: a handle keeps the schema that it was opened with. Parents come last, since classes name
    each other there.
    """
    samdb = open_database()
    schema_dn = str(samdb.get_schema_basedn())
    entries = [attribute_entry(attribute, schema_dn) for attribute in ATTRIBUTES]
    with transaction(samdb):
        for entry in entries:
            samdb.add(entry, SCHEMA_CONTROLS)
    for generation in generations(CLASSES):
        samdb = open_database()
        with transaction(samdb):
            for cls in generation:
                samdb.add(class_entry(cls, schema_dn), SCHEMA_CONTROLS)
    samdb = open_database()
    with transaction(samdb):
        for cls in CLASSES:
            if cls.category == STRUCTURAL:
                samdb.modify(_addition(samdb, f"CN={cls.cn},{schema_dn}", "possSuperiors", cls.parents))
        samdb.add(_property_set(samdb))
        samdb.modify(_addition(samdb, f"CN=Mail-Recipient,{schema_dn}", "mayContain", MAIL_RECIPIENT_ADDITIONS))


def _property_set(samdb: Any) -> dict[str, Any]:
    return {
        "dn": f"CN=Exchange-Information,CN=Extended-Rights,{samdb.get_config_basedn()}",
        "objectClass": ["top", "controlAccessRight"],
        "displayName": "Exchange Information",
        "rightsGuid": EXCHANGE_INFORMATION,
        "appliesTo": list(CLASS_GUIDS.values()),
        "validAccesses": "48",
    }


def _addition(samdb: Any, dn: str, name: str, values: Sequence[str]) -> Any:
    message = ldb.Message(ldb.Dn(samdb, dn))
    message[name] = ldb.MessageElement(list(values), ldb.FLAG_MOD_ADD, name)
    return message


@contextmanager
def transaction(samdb: Any) -> Iterator[None]:
    """One transaction of the database; cancelled when the block fails."""
    samdb.transaction_start()
    try:
        yield
    except BaseException:
        samdb.transaction_cancel()
        raise
    samdb.transaction_commit()
