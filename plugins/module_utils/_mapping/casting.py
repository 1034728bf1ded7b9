# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The result of an expression as the canonical value of an AD attribute."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import dates
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    EvaluationError,
    Value,
    text,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model import values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute, Syntax, Values

_GENERALIZED_TIME = re.compile(r"\d{14}\.\d+Z")
_INTEGERS = frozenset({Syntax.INT32, Syntax.INT64})
# Syntaxes whose values are any text, so that nothing has to be cast.
_TEXTS = frozenset({Syntax.UNICODE, Syntax.TELETEX, Syntax.DN, Syntax.OR_NAME})


def cast(attribute: Attribute, value: Value) -> Values:
    """The values to write; none for null and for an empty text. EvaluationError says why AD cannot hold them."""
    if value.__class__ is str and attribute.syntax is Syntax.UNICODE and _fits(attribute, len(value)):
        return (value,)  # nearly always, so first
    found = _texts(attribute, value)
    if not found:
        return ()
    name = attribute.ldap_name
    if not attribute.multi and len(found) > 1:
        raise EvaluationError(name, "", f"it takes one value, and the mapping gives {len(found)}")
    if attribute.syntax not in _TEXTS:
        found = tuple(_cast(attribute, item) for item in found)
        try:
            values.to_directory(attribute, found)
        except InputError as error:
            raise EvaluationError(name, "", error.message.removeprefix(f"{name} ").rstrip(".")) from error
    problem = values.check_range(attribute, found)
    if problem:
        raise EvaluationError(name, "", problem.removeprefix(f"{name} "))
    return found


def _fits(attribute: Attribute, length: int) -> bool:
    lower, upper = attribute.range_lower, attribute.range_upper
    return length >= (lower or 1) and (upper is None or length <= upper)


def _texts(attribute: Attribute, value: Value) -> Values:
    if isinstance(value, str):
        return (value,) if value else ()
    if isinstance(value, tuple):
        return tuple(dict.fromkeys(item for item in value if item))
    if isinstance(value, datetime) and attribute.syntax is Syntax.TIME:
        return (_time(value),)
    found = text(value, attribute.ldap_name, "the result")
    return (found,) if found else ()


def _cast(attribute: Attribute, found: str) -> str:
    if attribute.syntax is Syntax.BOOLEAN:
        return found.strip().upper()
    if attribute.syntax in _INTEGERS:
        return found.strip()
    if attribute.syntax is Syntax.TIME and not _GENERALIZED_TIME.fullmatch(found):
        try:
            moment = dates.read(found)
        except ValueError:
            return found
        return found if moment is None else _time(moment)
    return found


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S.0Z").zfill(17)
