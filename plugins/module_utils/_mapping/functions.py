# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The functions of attribute-mapping expressions and the names of their parameters.

From Microsoft's reference for writing expressions for attribute mappings, edition of April 2026. Trim has no entry
there, but the service's own default mappings use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Function:
    """The parameters in their order; those of repeated follow, over and over."""

    parameters: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()

    def names(self, count: int) -> list[str]:
        """Distinct names for so many arguments; what goes beyond the known ones is numbered."""
        found = list(self.parameters[:count])
        rest = count - len(found)
        cycle = self.repeated or ("parameter",)
        return found + [f"{cycle[index % len(cycle)]}{index // len(cycle) + 1}" for index in range(rest)]


FUNCTIONS: Mapping[str, Function] = {
    "Append": Function(("source", "suffix")),
    "AppRoleAssignmentsComplex": Function(("appRoleAssignments",)),
    "BitAnd": Function(("value1", "value2")),
    "CBool": Function(("Expression",)),
    "CDate": Function(("Expression",)),
    "Coalesce": Function((), ("source",)),
    "ConvertToBase64": Function(("source",)),
    "ConvertToUTF8Hex": Function(("source",)),
    "Count": Function(("attribute",)),
    "CStr": Function(("value",)),
    "DateAdd": Function(("interval", "value", "dateTime")),
    "DateDiff": Function(("interval", "date1", "date2")),
    "DateFromNum": Function(("value",)),
    "DefaultDomain": Function(()),
    "FormatDateTime": Function(("source", "dateTimeStyles", "inputFormat", "outputFormat")),
    "Guid": Function(()),
    "IgnoreFlowIfNullOrEmpty": Function(("Expression",)),
    "IIF": Function(("condition", "valueIfTrue", "valueIfFalse")),
    "InStr": Function(("value1", "value2", "start", "compareType")),
    "IsNull": Function(("Expression",)),
    "IsNullOrEmpty": Function(("Expression",)),
    "IsPresent": Function(("Expression",)),
    "IsString": Function(("Expression",)),
    "Item": Function(("attribute", "index")),
    "Join": Function(("separator",), ("source",)),
    "Left": Function(("String", "NumChars")),
    "Len": Function(("String",)),
    "Mid": Function(("source", "start", "length")),
    "NormalizeDiacritics": Function(("source",)),
    "Not": Function(("source",)),
    "Now": Function(()),
    "NumFromDate": Function(("value",)),
    "PCase": Function(("source", "wordSeparators")),
    "RandomString": Function(
        (
            "Length",
            "MinimumNumbers",
            "MinimumSpecialCharacters",
            "MinimumCapital",
            "MinimumLowerCase",
            "CharactersToAvoid",
        )
    ),
    "Redact": Function(("attribute",)),
    "RemoveDuplicates": Function(("attribute",)),
    "Replace": Function(
        (
            "source",
            "oldValue",
            "regexPattern",
            "regexGroupName",
            "replacementValue",
            "replacementAttributeName",
            "template",
        )
    ),
    "SelectUniqueValue": Function((), ("uniqueValueRule",)),
    "SingleAppRoleAssignment": Function(("appRoleAssignments",)),
    "Split": Function(("source", "delimiter")),
    "StripSpaces": Function(("source",)),
    "Switch": Function(("source", "defaultValue"), ("key", "value")),
    "ToLower": Function(("source", "culture")),
    "ToUpper": Function(("source", "culture")),
    "Word": Function(("String", "WordNumber", "delimiters")),
    "Trim": Function(("source",)),
}
