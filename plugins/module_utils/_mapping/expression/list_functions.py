# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Functions of expressions that deal with several values."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.arguments import Builder, strict
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    EvaluationError,
    Value,
    known_text,
    text,
    undocumented,
    values_of,
    whole,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.letters import WHITE_SPACE


def _count(attribute: Value) -> Value:
    found = _all_there(values_of(attribute, "Count", "attribute"), "Count")
    if not found:
        raise undocumented("Count", "what it gives for an absent attribute")
    return len(found)


def _item(attribute: Value, index: Value) -> Value:
    wanted = whole(index, "Item", "index")
    found = _all_there(values_of(attribute, "Item", "attribute"), "Item")
    if wanted < 1:
        raise EvaluationError("Item", "index", f"values count from 1, not {wanted}")
    if wanted > len(found):
        raise EvaluationError("Item", "index", f"there is no value {wanted}, there are {len(found)}")
    return found[wanted - 1]


def _all_there(found: tuple[str, ...], function: str) -> tuple[str, ...]:
    """The values; Undetermined where one is empty, as Split may make one."""
    if "" in found:
        raise undocumented(function, "whether Split makes an empty piece a value")
    return found


def _split(source: Value, delimiter: Value) -> Value:
    found = text(source, "Split", "source")
    if not found:
        return None
    between = known_text(delimiter, "Split", "delimiter")
    if len(between) != 1 and (not between or any(letter in found for letter in between)):
        raise undocumented("Split", "what a delimiter of more or less than one character does")
    # The reference's only example has a blank after the comma, and none in its result.
    return tuple(piece.strip(WHITE_SPACE) for piece in found.split(between))


def _remove_duplicates(attribute: Value) -> Value:
    found = tuple(dict.fromkeys(values_of(attribute, "RemoveDuplicates", "attribute")))
    if len({value.casefold() for value in found}) < len(found):
        raise undocumented("RemoveDuplicates", "whether values that differ in case only are duplicates")
    return found or None


BUILDERS: Mapping[str, Builder] = {
    "Count": strict(_count),
    "Item": strict(_item),
    "RemoveDuplicates": strict(_remove_duplicates),
    "Split": strict(_split),
}
