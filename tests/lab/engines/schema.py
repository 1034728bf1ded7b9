# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The default synchronization schema of the writeback job's template, in the shape Graph gives it.

What is published: the 24 target attributes (23 without ``mail``, before general availability), that
extensionAttribute1-15 are mapped directly from attributes of the same name, that the source of ``mail`` is called
``Mail``, and that the synchronized type is "User to user". Names of directories and rule and the other source names
are not published; they follow the service's sister jobs.
"""

from __future__ import annotations

from typing import Any

from tests.lab.engines.anchors import stable_guid
from tests.lab.engines.refusal import EngineRefusal

Document = dict[str, Any]

TEMPLATE_ID = "Entra2ADExchangeOnlineAttributeWriteback"
APPLICATION_TEMPLATE_ID = "3b99513e-0cee-4291-aea8-84356239fb82"
SOURCE_DIRECTORY = "Azure Active Directory"
TARGET_DIRECTORY = "Active Directory"
SOURCE_OBJECT = "User"
TARGET_OBJECT = "user"
RULE_NAME = "Exchange Online to Active Directory attribute writeback"

# (target attribute, source attribute, type, multi-valued)
_MAPPED: tuple[tuple[str, str, str, bool], ...] = (
    *((f"extensionAttribute{n}", f"extensionAttribute{n}", "String", False) for n in range(1, 16)),
    *(
        (f"msExchExtensionCustomAttribute{n}", f"msExchExtensionCustomAttribute{n}", "String", True)
        for n in range(1, 6)
    ),
    ("msExchRecipientDisplayType", "msExchRecipientDisplayType", "Integer", False),
    ("msExchRecipientTypeDetails", "msExchRecipientTypeDetails", "Integer", False),
    ("proxyAddresses", "proxyAddresses", "String", True),
    ("mail", "Mail", "String", False),
)

_SOURCE_ONLY: tuple[tuple[str, str, bool], ...] = (
    ("objectId", "String", False),
    ("userPrincipalName", "String", False),
    ("displayName", "String", False),
    ("givenName", "String", False),
    ("surname", "String", False),
    ("mailNickname", "String", False),
    ("jobTitle", "String", False),
    ("department", "String", False),
    ("companyName", "String", False),
    ("physicalDeliveryOfficeName", "String", False),
    ("city", "String", False),
    ("state", "String", False),
    ("country", "String", False),
    ("postalCode", "String", False),
    ("streetAddress", "String", False),
    ("mobile", "String", False),
    ("accountEnabled", "Boolean", False),
    ("dirSyncEnabled", "Boolean", False),
    ("showInAddressList", "Boolean", False),
    ("onPremisesImmutableId", "String", False),
    ("onPremisesDistinguishedName", "String", False),
    ("onPremisesSamAccountName", "String", False),
    ("onPremisesSecurityIdentifier", "String", False),
    ("onPremisesDomainName", "String", False),
)

# Attributes of AD that a custom mapping may name, beside those that are mapped.
_TARGET_ONLY: tuple[tuple[str, str, bool], ...] = (
    ("objectGUID", "Binary", False),
    ("mS-DS-ConsistencyGuid", "Binary", False),
    ("distinguishedName", "String", False),
    ("sAMAccountName", "String", False),
    ("userPrincipalName", "String", False),
    ("displayName", "String", False),
    ("mailNickname", "String", False),
    ("targetAddress", "String", False),
    ("description", "String", False),
    ("info", "String", False),
    ("adminDescription", "String", False),
    ("msDS-ExternalDirectoryObjectId", "String", False),
    ("msExchHideFromAddressLists", "Boolean", False),
    ("msExchRemoteRecipientType", "Integer", False),
    ("msExchArchiveName", "String", True),
    ("msExchRetentionComment", "String", False),
)

_READ_ONLY = {"objectGUID", "distinguishedName", "sAMAccountName"}


def template(template_id: str) -> str:
    """``template_id`` if it is the writeback job's; EngineRefusal (400) for every other."""
    if template_id != TEMPLATE_ID:
        raise EngineRefusal(
            400,
            "BadRequest",
            f"The template {template_id!r} is not available to this application; the lab has {TEMPLATE_ID} only.",
        )
    return template_id


def default_schema(
    tenant_id: str, template_id: str, mail_mapping: str, proxy_addresses: str, flow_types: str = "update"
) -> Document:
    """The schema of a new job. The last three are the scenario's switches."""
    template(template_id)
    mapped = [row for row in _MAPPED if mail_mapping == "ga" or row[0] != "mail"]
    return {
        "id": stable_guid("schema", tenant_id, template_id),
        "version": "1",
        "directories": [
            _directory(
                SOURCE_DIRECTORY,
                SOURCE_OBJECT,
                [
                    *(_attribute(name, kind, many, anchor=name == "objectId") for name, kind, many in _SOURCE_ONLY),
                    *(_attribute(source, kind, many) for _target, source, kind, many in _MAPPED),
                ],
                read_only=True,
            ),
            _directory(
                TARGET_DIRECTORY,
                TARGET_OBJECT,
                [
                    *(
                        _attribute(
                            name,
                            kind,
                            many,
                            anchor=name == "objectGUID",
                            mutability="ReadOnly" if name in _READ_ONLY else "ReadWrite",
                        )
                        for name, kind, many in _TARGET_ONLY
                    ),
                    *(_attribute(target, kind, many) for target, _source, kind, many in _MAPPED),
                ],
                read_only=False,
            ),
        ],
        "synchronizationRules": [
            {
                "id": stable_guid("rule", tenant_id, template_id),
                "name": RULE_NAME,
                "priority": 1,
                "editable": True,
                "sourceDirectoryName": SOURCE_DIRECTORY,
                "targetDirectoryName": TARGET_DIRECTORY,
                "containerFilter": {"includedContainers": []},
                "groupFilter": {"includedGroups": []},
                "metadata": [],
                "objectMappings": [
                    {
                        "name": f"Synchronize {SOURCE_DIRECTORY} Users to {TARGET_DIRECTORY}",
                        "enabled": True,
                        "flowTypes": "Update,Delete" if flow_types == "update_delete" else "Update",
                        "sourceObjectName": SOURCE_OBJECT,
                        "targetObjectName": TARGET_OBJECT,
                        "scope": {"groups": [], "inputFilterGroups": [], "categoryFilterGroups": []},
                        "metadata": [],
                        "attributeMappings": [_mapping(row, proxy_addresses) for row in mapped],
                    }
                ],
            }
        ],
    }


def _mapping(row: tuple[str, str, str, bool], proxy_addresses: str) -> Document:
    target, source, _kind, _many = row
    merges = target == "proxyAddresses" and proxy_addresses == "merge"
    return {
        "targetAttributeName": target,
        "flowType": "MultiValueAddOnly" if merges else "Always",
        "flowBehavior": "FlowWhenChanged",
        "matchingPriority": 0,
        "defaultValue": None,
        "exportMissingReferences": False,
        "source": {"type": "Attribute", "name": source, "expression": f"[{source}]", "parameters": []},
    }


def _attribute(
    name: str, kind: str, multivalued: bool, anchor: bool = False, mutability: str = "ReadWrite"
) -> Document:
    return {
        "name": name,
        "type": kind,
        "multivalued": multivalued,
        "mutability": mutability,
        "anchor": anchor,
        # A change of upper and lower case alone has to arrive: SMTP: and smtp: differ in nothing else.
        "caseExact": kind == "String",
        "required": False,
        "flowNullValues": True,
        "defaultValue": None,
        "referencedObjects": [],
        "apiExpressions": [],
        "metadata": [],
    }


def _directory(name: str, object_name: str, attributes: list[Document], read_only: bool) -> Document:
    return {
        "id": stable_guid("directory", name),
        "name": name,
        "readOnly": read_only,
        "version": "1",
        "discoverabilities": "None",
        "discoveryDateTime": None,
        "objects": [{"name": object_name, "supportedApis": [], "metadata": [], "attributes": attributes}],
    }
