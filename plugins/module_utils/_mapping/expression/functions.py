# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The functions of attribute-mapping expressions: their parameters, what they give, and what they need.

From Microsoft's reference for writing expressions for attribute mappings, edition of April 2026. Trim has no entry
there, but the service's own default mappings use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TEXT, NUMBER, BOOLEAN, DATE, LIST, SOURCE = "text", "number", "boolean", "date", "list", "as its source"
TESTS = frozenset({"IsNull", "IsNullOrEmpty", "IsPresent"})
"""Functions that test for a value: the reference allows none as the source of Switch, and advises against IIF."""


@dataclass(frozen=True)
class Function:
    """The parameters in their order; those of repeated follow, over and over, at least repeats times.

    returns says what the function gives; needs, what only the service or a context knows, so that nothing else can
    evaluate it; unsupported, why no writeback job can use it. numbers and lists are the parameters of these types.
    """

    parameters: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    repeats: int = 1
    returns: str = TEXT
    needs: str = ""
    unsupported: str = ""
    numbers: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()

    @property
    def least(self) -> int:
        """The places between the commas that must be there; one of an optional argument may be empty."""
        if self.repeated:
            return len(self.parameters) + self.repeats * len(self.repeated)
        required = [index for index, name in enumerate(self.parameters) if name not in self.optional]
        return required[-1] + 1 if required else 0

    @property
    def most(self) -> int | None:
        """The places that there are; None for no limit."""
        return None if self.repeated else len(self.parameters)

    def names(self, count: int) -> list[str]:
        """Distinct names for so many arguments; what goes beyond the known ones is numbered."""
        found = list(self.parameters[:count])
        rest = count - len(found)
        cycle = self.repeated or ("parameter",)
        return found + [f"{cycle[index % len(cycle)]}{index // len(cycle) + 1}" for index in range(rest)]

    def required(self, index: int) -> bool:
        """Whether the argument at this place may not be left out."""
        if index < len(self.parameters):
            return self.parameters[index] not in self.optional
        return bool(self.repeated)


def _names(*names: str) -> frozenset[str]:
    return frozenset(names)


_ROLES = "it works on role assignments of a SCIM application, and a writeback job has none"

FUNCTIONS: Mapping[str, Function] = {
    "Append": Function(("source", "suffix")),
    "AppRoleAssignmentsComplex": Function(("appRoleAssignments",), returns=LIST, unsupported=_ROLES),
    "BitAnd": Function(("value1", "value2"), returns=NUMBER, numbers=_names("value1", "value2")),
    "CBool": Function(("Expression",), returns=BOOLEAN),
    "CDate": Function(("Expression",), returns=DATE),
    "Coalesce": Function((), ("source",), returns=SOURCE),
    "ConvertToBase64": Function(("source",)),
    "ConvertToUTF8Hex": Function(("source",)),
    "Count": Function(("attribute",), returns=NUMBER, lists=_names("attribute")),
    "CStr": Function(("value",)),
    "DateAdd": Function(("interval", "value", "dateTime"), returns=DATE, numbers=_names("value")),
    "DateDiff": Function(("interval", "date1", "date2"), returns=NUMBER),
    "DateFromNum": Function(("value",), returns=DATE, numbers=_names("value")),
    "DefaultDomain": Function((), needs="the tenant's default domain"),
    "FormatDateTime": Function(
        ("source", "dateTimeStyles", "inputFormat", "outputFormat"), optional=_names("dateTimeStyles")
    ),
    "Guid": Function((), needs="a source of random values"),
    "IgnoreFlowIfNullOrEmpty": Function(("Expression",), returns=SOURCE),
    "IIF": Function(("condition", "valueIfTrue", "valueIfFalse"), returns=SOURCE),
    "InStr": Function(
        ("value1", "value2", "start", "compareType"),
        optional=_names("start", "compareType"),
        returns=NUMBER,
        numbers=_names("start"),
    ),
    "IsNull": Function(("Expression",), returns=BOOLEAN),
    "IsNullOrEmpty": Function(("Expression",), returns=BOOLEAN),
    "IsPresent": Function(("Expression",), returns=BOOLEAN),
    "IsString": Function(("Expression",), returns=BOOLEAN),
    "Item": Function(("attribute", "index"), numbers=_names("index"), lists=_names("attribute")),
    "Join": Function(("separator",), ("source",)),
    "Left": Function(("String", "NumChars"), numbers=_names("NumChars")),
    "Len": Function(("String",), returns=NUMBER),
    "Mid": Function(("source", "start", "length"), numbers=_names("start", "length")),
    "NormalizeDiacritics": Function(("source",)),
    "Not": Function(("source",), returns=BOOLEAN),
    "Now": Function((), needs="the time at which the mapping is evaluated"),
    "NumFromDate": Function(("value",), returns=NUMBER),
    "PCase": Function(("source", "wordSeparators"), optional=_names("wordSeparators")),
    "RandomString": Function(
        (
            "Length",
            "MinimumNumbers",
            "MinimumSpecialCharacters",
            "MinimumCapital",
            "MinimumLowerCase",
            "CharactersToAvoid",
        ),
        optional=_names("CharactersToAvoid"),
        needs="a source of random values",
        numbers=_names("Length", "MinimumNumbers", "MinimumSpecialCharacters", "MinimumCapital", "MinimumLowerCase"),
    ),
    "Redact": Function(("attribute",), returns=SOURCE),
    "RemoveDuplicates": Function(("attribute",), returns=LIST, lists=_names("attribute")),
    "Replace": Function(
        (
            "source",
            "oldValue",
            "regexPattern",
            "regexGroupName",
            "replacementValue",
            "replacementAttributeName",
            "template",
        ),
        optional=_names(
            "oldValue", "regexPattern", "regexGroupName", "replacementValue", "replacementAttributeName", "template"
        ),
    ),
    "SelectUniqueValue": Function((), ("uniqueValueRule",), repeats=2, needs="the values that exist in the directory"),
    "SingleAppRoleAssignment": Function(("appRoleAssignments",), unsupported=_ROLES),
    "Split": Function(("source", "delimiter"), returns=LIST),
    "StripSpaces": Function(("source",)),
    "Switch": Function(("source", "defaultValue"), ("key", "value"), optional=_names("defaultValue"), returns=SOURCE),
    "ToLower": Function(("source", "culture"), optional=_names("culture")),
    "ToUpper": Function(("source", "culture"), optional=_names("culture")),
    "Word": Function(("String", "WordNumber", "delimiters"), numbers=_names("WordNumber")),
    "Trim": Function(("source",)),
}
