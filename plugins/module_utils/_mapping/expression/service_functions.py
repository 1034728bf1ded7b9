# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Functions of expressions that need more than the source object: the tenant, the directory, the clock, chance."""

from __future__ import annotations

import string
import uuid
from collections.abc import Mapping

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.arguments import (
    Arguments,
    Builder,
    runs,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    Closure,
    Context,
    EvaluationError,
    Read,
    Undetermined,
    Value,
    shown_date,
    text,
    undocumented,
    whole,
)

LONGEST_RANDOM = 256
SPECIAL = "!#$%&*+-/=?@^_~"
"""Special characters of RandomString; the reference does not list them."""


def _default_domain(_arguments: Arguments) -> Closure:
    def domain(_read: Read, context: Context) -> Value:
        if context.default_domain is None:
            raise Undetermined("DefaultDomain: the tenant's default domain is not known here")
        if not context.default_domain:
            raise EvaluationError("DefaultDomain", "", "the tenant has no default domain")
        return context.default_domain

    return domain


def _now(_arguments: Arguments) -> Closure:
    def now(_read: Read, context: Context) -> Value:
        if context.now is None:
            raise Undetermined("Now: the time at which the service will evaluate it is not known here")
        return shown_date(context.now)

    return now


def _guid(_arguments: Arguments) -> Closure:
    def guid(_read: Read, context: Context) -> Value:
        if context.random is None:
            raise Undetermined("Guid: it gives another value at every call")
        return str(uuid.UUID(int=context.random.getrandbits(128), version=4))

    return guid


def _random_string(arguments: Arguments) -> Closure:
    closures = runs(arguments)
    names = ("Length", "MinimumNumbers", "MinimumSpecialCharacters", "MinimumCapital", "MinimumLowerCase")

    def generate(read: Read, context: Context) -> Value:
        if context.random is None:
            raise Undetermined("RandomString: it gives another value at every call")
        length, *least = (
            whole(closure(read, context), "RandomString", name) for name, closure in zip(names, closures, strict=False)
        )
        avoided = text(closures[5](read, context), "RandomString", "CharactersToAvoid") if len(closures) > 5 else ""
        sets = [string.digits, SPECIAL, string.ascii_uppercase, string.ascii_lowercase]
        sets = ["".join(letter for letter in letters if letter not in (avoided or "")) for letters in sets]
        if not 0 <= length <= LONGEST_RANDOM:
            raise EvaluationError("RandomString", "Length", f"it must be from 0 to {LONGEST_RANDOM}, not {length}")
        if min(least) < 0 or sum(least[:3]) > length:
            raise EvaluationError("RandomString", "Length", f"{length} characters cannot hold all the least numbers")
        if sum(least) > length:
            raise undocumented("RandomString", "what it gives where only the small letters are too many")
        if any(count and not letters for count, letters in zip(least, sets, strict=True)) or not "".join(sets):
            raise EvaluationError(
                "RandomString", "CharactersToAvoid", "it leaves no character of a kind that is wanted"
            )
        chosen = [
            context.random.choice(letters) for count, letters in zip(least, sets, strict=True) for _one in range(count)
        ]
        chosen += [context.random.choice("".join(sets)) for _one in range(length - len(chosen))]
        context.random.shuffle(chosen)
        return "".join(chosen)

    return generate


def _select_unique_value(arguments: Arguments) -> Closure:
    rules = runs(arguments)

    def select(read: Read, context: Context) -> Value:
        if context.taken is None:
            raise Undetermined("SelectUniqueValue: the values that exist in the directory are not known here")
        for rule in rules:
            candidate = text(rule(read, context), "SelectUniqueValue", "uniqueValueRule")
            if not candidate:
                raise undocumented("SelectUniqueValue", "what it makes of a rule without a value")
            if candidate.casefold() not in context.taken_folded:
                return candidate
        raise EvaluationError(
            "SelectUniqueValue", "", "all its values exist already, so the service holds the object back (escrow)"
        )

    return select


BUILDERS: Mapping[str, Builder] = {
    "DefaultDomain": _default_domain,
    "Guid": _guid,
    "Now": _now,
    "RandomString": _random_string,
    "SelectUniqueValue": _select_unique_value,
}
