# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OPATH filters (``-Filter``): ``IsDirSynced -eq 'True' -and (Alias -like 'a*' -or -not (Name -eq 'x'))``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.lab.cloud.exchange import errors
from tests.lab.cloud.exchange.binder import parse_date

Predicate = Callable[[dict[str, Any]], bool]

# Filterable properties of recipients, by the page "Filterable properties for the Filter parameter"; those the lab's
# objects have. IsExchangeCloudManaged is not among them. The kind rules how values compare.
TEXT, BOOL, DATE, NUMBER = "text", "bool", "date", "number"
FILTERABLE: dict[str, str] = {
    **{f"CustomAttribute{n}": TEXT for n in range(1, 16)},
    **{f"ExtensionCustomAttribute{n}": TEXT for n in range(1, 6)},
    **dict.fromkeys(
        (
            "Alias", "ArchiveGuid", "ArchiveStatus", "DisplayName", "DistinguishedName", "EmailAddresses",
            "ExchangeGuid", "ExternalDirectoryObjectId", "ExternalEmailAddress", "ForwardingAddress",
            "ForwardingSmtpAddress", "Guid", "Id", "ImmutableId", "LegacyExchangeDN", "LitigationHoldOwner",
            "MailTipTranslations", "ModeratedBy", "Name", "PrimarySmtpAddress", "RecipientType",
            "RecipientTypeDetails", "RemoteRecipientType", "RetentionComment", "RetentionUrl", "UsageLocation",
            "UserPrincipalName", "WindowsEmailAddress",
        ),
        TEXT,
    ),
    **dict.fromkeys(
        (
            "AuditEnabled", "DeliverToMailboxAndForward", "HiddenFromAddressListsEnabled", "IsDirSynced",
            "ModerationEnabled", "RequireAllSendersAreAuthenticated", "UseDatabaseQuotaDefaults",
        ),
        BOOL,
    ),
    **dict.fromkeys(("WhenChanged", "WhenChangedUTC", "WhenCreated", "WhenCreatedUTC", "LitigationHoldDate"), DATE),
    "ResourceCapacity": NUMBER,
}  # fmt: skip
# Filter name to property name, where they differ.
_PROPERTY = {"Id": "Identity", "RequireAllSendersAreAuthenticated": "RequireSenderAuthenticationEnabled"}
_BY_LOWER = {name.lower(): name for name in FILTERABLE}

_TOKEN = re.compile(
    r"\s*(?:(?P<bracket>[(){}])|'(?P<single>(?:[^']|'')*)'|\"(?P<double>(?:[^\"]|\"\")*)\""
    r"|(?P<operator>-[A-Za-z]+)|(?P<word>[$\w.:@/+-]+))"
)
_COMPARISONS = ("-eq", "-ne", "-like", "-notlike", "-gt", "-ge", "-lt", "-le")


def parse(text: str, properties: tuple[str, ...] = ()) -> Predicate:
    """A filter as a predicate on a recipient's document; refuses what Exchange Online refuses.

    ``properties``: the only ones that the objects have; empty: all that recipients have.
    """
    return _Parser(text, properties).whole()


class _Parser:
    def __init__(self, text: str, properties: tuple[str, ...]) -> None:
        self._text = text
        self._properties = properties
        self._tokens = list(self._split(text))
        self._at = 0

    def _split(self, text: str) -> list[tuple[str, str]]:
        tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            matched = _TOKEN.match(text, at)
            if matched is None:
                raise self._error(f"unexpected text at position {at + 1}")
            kind = str(matched.lastgroup)
            value = matched[kind]
            if kind in ("single", "double"):
                quote = "'" if kind == "single" else '"'
                tokens.append(("string", value.replace(quote * 2, quote)))
            else:
                tokens.append((kind, value))
            at = matched.end()
        return tokens

    def _error(self, why: str) -> Exception:
        return errors.invalid_filter(f'Invalid filter syntax. "{self._text}": {why}.')

    def whole(self) -> Predicate:
        found = self._either()
        if self._at < len(self._tokens):
            raise self._error(f"nothing may follow here, yet '{self._tokens[self._at][1]}' does")
        return found

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _is_operator(self, name: str) -> bool:
        kind, value = self._peek()
        return kind == "operator" and value.lower() == name

    def _either(self) -> Predicate:
        parts = [self._both()]
        while self._is_operator("-or"):
            self._take()
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda doc: any(part(doc) for part in parts)

    def _both(self) -> Predicate:
        parts = [self._single()]
        while self._is_operator("-and"):
            self._take()
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else lambda doc: all(part(doc) for part in parts)

    def _single(self) -> Predicate:
        if self._is_operator("-not"):
            self._take()
            inner = self._single()
            return lambda doc: not inner(doc)
        kind, value = self._peek()
        if kind == "bracket" and value in "({":
            self._take()
            inner = self._either()
            if self._take() != ("bracket", ")" if value == "(" else "}"):
                raise self._error("a closing bracket is missing")
            return inner
        return self._comparison()

    def _comparison(self) -> Predicate:
        kind, name = self._take()
        if kind != "word":
            raise self._error("a property name is missing")
        proper = _BY_LOWER.get(name.lower())
        if proper is None or (self._properties and _PROPERTY.get(proper, proper) not in self._properties):
            raise errors.invalid_filter(f"The property '{name}' isn't filterable: it can't be used in -Filter.")
        kind, operator = self._take()
        operator = operator.lower()
        if kind != "operator" or operator not in _COMPARISONS:
            raise self._error(f"after {name}, one of {', '.join(_COMPARISONS)} must stand")
        kind, value = self._take()
        if kind not in ("string", "word"):
            raise self._error(f"after {operator}, a value must stand")
        if kind == "word" and value.lower() not in ("$true", "$false", "$null") and not value.isdigit():
            raise self._error(f"the value {value} must stand in quotes")
        literal = value.lower() if kind == "word" else value
        return self._predicate(proper, operator, literal, kind == "word")

    def _predicate(self, name: str, operator: str, literal: str, bare: bool) -> Predicate:
        kind = FILTERABLE[name]
        field = _PROPERTY.get(name, name)
        if bare and literal == "$null":
            if operator not in ("-eq", "-ne"):
                raise self._error("$null compares with -eq and -ne only")
            return lambda doc: (doc.get(field) in (None, "", [])) == (operator == "-eq")
        wanted = self._wanted(kind, operator, literal)
        compare = _comparison_of(kind, operator)
        negative = operator in ("-ne", "-notlike")

        def matches(doc: dict[str, Any]) -> bool:
            values = doc.get(field)
            values = values if isinstance(values, list) else [values]
            if kind == BOOL:
                return bool(values[0]) is (wanted is not negative)
            hit = any(compare(_comparable(kind, value), wanted) for value in values if value not in (None, ""))
            return hit != negative

        return matches

    def _wanted(self, kind: str, operator: str, literal: str) -> Any:
        if kind == BOOL:
            text = literal.lower().lstrip("$")
            if operator not in ("-eq", "-ne") or text not in ("true", "false"):
                raise self._error("a Boolean property compares with -eq or -ne to 'True' or 'False'")
            return text == "true"
        if kind == DATE:
            moment = parse_date(literal)
            if moment is None or "like" in operator:
                raise self._error(f"{literal} is no date")
            return moment
        if kind == NUMBER:
            if not literal.isdigit() or "like" in operator:
                raise self._error(f"{literal} is no number")
            return int(literal)
        if "like" in operator:
            if "*" in literal.strip("*"):
                raise self._error("wildcards may stand at the beginning and at the end only")
            pattern = ".*".join(re.escape(part) for part in literal.lower().split("*"))
            return re.compile(f"^{pattern}$", re.DOTALL)
        return literal.lower()


def _comparable(kind: str, value: Any) -> Any:
    if kind == DATE:
        return parse_date(str(value))
    return str(value).lower() if kind == TEXT else value


def _comparison_of(kind: str, operator: str) -> Callable[[Any, Any], bool]:
    if "like" in operator:
        return lambda value, wanted: wanted.match(value) is not None
    return {
        "-eq": lambda value, wanted: value == wanted,
        "-ne": lambda value, wanted: value == wanted,
        "-gt": lambda value, wanted: value is not None and value > wanted,
        "-ge": lambda value, wanted: value is not None and value >= wanted,
        "-lt": lambda value, wanted: value is not None and value < wanted,
        "-le": lambda value, wanted: value is not None and value <= wanted,
    }[operator]
