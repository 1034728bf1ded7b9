# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Flow types: what a cycle leaves in Active Directory of what was there and of what a mapping gives.

The documentation has one line for each. Where that leaves a question open, the reading is taken that loses more of what
Active Directory holds, so that a prediction never promises too much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.hybrid.exchange.plugins.module_utils._model import addresses, values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute, Values

OVERWRITE, MERGE = PROXY_ADDRESSES = ("overwrite", "merge")
"""What the service does with addresses that only Active Directory has: not documented, so it is a setting."""


@dataclass(frozen=True)
class FlowType:
    """What Microsoft Graph's documentation says of a flow type, and how its open questions are read here."""

    documented: str
    assumed: str = ""


ALWAYS, OBJECT_ADD_ONLY = "Always", "ObjectAddOnly"
MULTI_VALUE_ADD_ONLY, VALUE_ADD_ONLY, ATTRIBUTE_ADD_ONLY = "MultiValueAddOnly", "ValueAddOnly", "AttributeAddOnly"

FLOW_TYPES: Mapping[str, FlowType] = {
    ALWAYS: FlowType("the default", "a source without a value clears the target, whatever flowNullValues may say"),
    OBJECT_ADD_ONLY: FlowType("only when a new object is created"),
    MULTI_VALUE_ADD_ONLY: FlowType(
        "only when the change is adding new values to a multi-valued attribute",
        "of a change that adds and removes, the new values flow; a single-valued target is overwritten, as with Always",
    ),
    VALUE_ADD_ONLY: FlowType(
        "where there is a value, additions flow and removals do not",
        "to a single-valued target, another value is an addition that replaces the old one",
    ),
    ATTRIBUTE_ADD_ONLY: FlowType("only where there is no value at all"),
}


def after(
    attribute: Attribute,
    flow_type: str,
    current: Values,
    desired: Values,
    *,
    object_exists: bool = True,
    proxy_addresses: str = OVERWRITE,
    case_exact: bool = True,
) -> Values:
    """The values of an attribute after a cycle. Where nothing would be written they are the current ones, unchanged.

    case_exact is the schema's caseExact of the target: where it is false, a change of case alone is no change.
    """
    if not object_exists:
        return desired
    if flow_type == OBJECT_ADD_ONLY:
        return current
    if not current:
        return desired
    if flow_type == ATTRIBUTE_ADD_ONLY:
        return current
    if flow_type == VALUE_ADD_ONLY and not desired:
        return current
    if flow_type in (MULTI_VALUE_ADD_ONLY, VALUE_ADD_ONLY) and attribute.multi:
        return (*current, *_new(current, desired))
    if proxy_addresses == MERGE and attribute.cast == "addresses":
        change = addresses.minimal_change(current, desired, merge=True)
        return (*(value for value in current if value not in change.delete), *change.add)
    if current == desired or _same(attribute, current, desired, case_exact):
        return current
    return desired


def _new(current: Values, desired: Values) -> Values:
    """What can be added: AD takes values that differ in case only for one."""
    present = {value.casefold() for value in current}
    return tuple(value for value in desired if value.casefold() not in present)


def _same(attribute: Attribute, current: Values, desired: Values, case_exact: bool) -> bool:
    if values.equal(attribute, current, desired):
        return True
    return not case_exact and sorted(map(str.casefold, current)) == sorted(map(str.casefold, desired))
