# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What is wrong or doubtful in one call of a known function and its arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import TypeAlias

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import (
    date_formats,
    date_functions,
    dates,
    letters,
    regex,
    replace_function,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import syntax as ex
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluate import bare_value, evaluate
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    Context,
    EvaluationError,
    Undetermined,
    as_number,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.functions import (
    BOOLEAN,
    DATE,
    FUNCTIONS,
    LIST,
    TESTS,
    Function,
)

ERROR, WARNING = "error", "warning"
_TYPICAL = 256
"""The length of a text that a pattern should manage in any case."""

Found: TypeAlias = Iterator[tuple[str, str, ex.Node]]


def findings(node: ex.Call, function: Function) -> Found:
    """All findings in a call, leaving out those within its arguments."""
    wrong = list(_arity(node, function))
    yield from wrong
    if any(severity == ERROR for severity, _message, _at in wrong):
        return
    found = [*_types(node, function), *_MORE.get(node.name, _nothing)(node)]
    yield from found
    if not any(severity == ERROR for severity, _message, _at in found):
        yield from _constant(node)


def _nothing(_node: ex.Call) -> Found:
    return iter(())


def _arity(node: ex.Call, function: Function) -> Found:
    count = len(node.arguments)
    names = function.names(max(count, function.least))
    if count < function.least:
        yield ERROR, f"{node.name} lacks {names[count]}; it has {_places(function)}.", node
    elif function.most is not None and count > function.most:
        yield ERROR, f"{node.name} has {count} arguments, but takes {_places(function)}.", node
    elif node.name == "Switch" and count % 2:
        yield ERROR, "Switch has a key without a value.", node
    for index, argument in enumerate(node.arguments[: function.most]):
        if argument is None and function.required(index):
            yield ERROR, f"{node.name} lacks {names[index]}, which may not be left out.", node


def _places(function: Function) -> str:
    names = [f"{name} (optional)" if name in function.optional else name for name in function.parameters]
    if function.repeated:
        names += [*function.names(len(names) + function.repeats * len(function.repeated))[len(names) :], "..."]
    return ", ".join(names) or "no argument"


def _types(node: ex.Call, function: Function) -> Found:
    for name, argument in zip(function.names(len(node.arguments)), node.arguments, strict=True):
        if argument is None:
            continue
        if name in function.numbers:
            yield from _number(node, name, argument)
        if name in function.lists and isinstance(argument, (ex.Text, ex.Bare)):
            yield WARNING, f"{node.name} is for an attribute with several values; {name} is a constant.", argument


def _number(node: ex.Call, name: str, argument: ex.Node) -> Found:
    if isinstance(argument, ex.Text):
        if as_number(argument.value) is None:
            yield ERROR, f"{node.name} needs a number as {name}, not {ex.render(argument)}.", argument
        else:
            yield WARNING, f"{node.name} needs a number as {name}; numbers stand without quotes.", argument
    elif isinstance(argument, ex.Bare) and isinstance(bare_value(argument.text), str):
        yield ERROR, f"{node.name} needs a number as {name}, not {argument.text}.", argument
    elif isinstance(argument, ex.Call) and argument.name in FUNCTIONS:
        gives = FUNCTIONS[argument.name].returns
        if gives in (BOOLEAN, DATE, LIST):
            yield WARNING, f"{node.name} needs a number as {name}; {argument.name} gives a {gives}.", argument


def _constant(node: ex.Call) -> Found:
    """What goes wrong whatever the object is, because no attribute takes part."""
    if ex.attributes(node) or any(isinstance(argument, ex.Call) for argument in node.arguments):
        return
    try:
        evaluate(node, {}, Context(random=Random(0), default_domain="contoso.com"))
    except EvaluationError as error:
        yield ERROR, error.message, node
    except Undetermined:
        return


def _iif(node: ex.Call) -> Found:
    condition = node.arguments[0]
    if isinstance(condition, ex.Call) and (condition.name in TESTS or condition.name == "IgnoreFlowIfNullOrEmpty"):
        message = f"The reference does not support {condition.name} as the condition of IIF"
        if condition.name != "IgnoreFlowIfNullOrEmpty":
            message += ", although the service's own default mappings have such a condition"
        yield WARNING, f"{message}.", condition


def _switch(node: ex.Call) -> Found:
    source = node.arguments[0]
    if isinstance(source, ex.Call) and source.name in TESTS:
        yield WARNING, f"The reference allows no {source.name} as the source of Switch.", source


def _interval(node: ex.Call) -> Found:
    interval = node.arguments[0]
    if isinstance(interval, ex.Text) and interval.value not in dates.INTERVALS:
        known = ", ".join(f"{code} ({name})" for code, name in dates.INTERVALS.items())
        yield ERROR, f"{node.name} knows no interval {ex.render(interval)}; it knows {known}.", interval
    for moment in node.arguments[2 if node.name == "DateAdd" else 1 :]:
        if isinstance(moment, (ex.Attribute, ex.Text)):
            yield WARNING, f"{node.name} needs dates; wrap a text in CDate.", moment


def _format_date_time(node: ex.Call) -> Found:
    style = node.arguments[1]
    if isinstance(style, ex.Text) and style.value:
        unknown = date_functions.unknown_styles(style.value)
        if unknown:
            yield ERROR, f".NET has no date style {unknown[0]!r}; it has {', '.join(date_functions.STYLES)}.", style
    for form in node.arguments[2:]:
        if isinstance(form, ex.Text):
            try:
                date_formats.tokens(form.value)
            except date_formats.WrongFormat as error:
                yield ERROR, f"{ex.render(form)} is no date format: {error}.", form


def _culture(node: ex.Call) -> Found:
    culture = node.arguments[1] if len(node.arguments) > 1 else None
    if isinstance(culture, ex.Text) and culture.value and not letters.CULTURE.fullmatch(culture.value):
        yield ERROR, f"{ex.render(culture)} is no language tag such as en-US.", culture


def _in_str(node: ex.Call) -> Found:
    kind = node.arguments[3] if len(node.arguments) > 3 else None
    if kind is not None and not isinstance(kind, ex.Bare):
        yield ERROR, "InStr needs vbTextCompare or vbBinaryCompare, without quotes, as its fourth argument.", kind


def _item(node: ex.Call) -> Found:
    index = node.arguments[1]
    number = bare_value(index.text) if isinstance(index, ex.Bare) else None
    if index is not None and number is not None and not isinstance(number, str) and number < 1:
        yield ERROR, "Item counts values from 1.", index


def _replace(node: ex.Call) -> Found:
    given = {
        name: argument for name, argument in zip(replace_function.NAMES, node.arguments[1:], strict=False) if argument
    }
    if tuple(given) not in replace_function.WAYS:
        names = " and ".join(given) or "its source alone"
        yield WARNING, f"The reference does not say what Replace does with {names}.", node
    old = given.get("oldValue")
    if isinstance(old, ex.Text) and not old.value:
        yield ERROR, "Replace cannot replace an empty oldValue.", old
    pattern = given.get("regexPattern")
    if not isinstance(pattern, ex.Text):
        return
    try:
        compiled = regex.compile(pattern.value)
    except regex.WrongPattern as error:
        yield (
            ERROR,
            f"This is no regular expression of .NET: {error.reason} (at its character {error.at + 1}).",
            pattern,
        )
        return
    except regex.UnknownPattern as error:
        yield WARNING, f"What this regular expression does cannot be predicted: {error.reason}.", pattern
        return
    if compiled.longest < _TYPICAL:
        where = f"a text of more than {compiled.longest} characters" if compiled.longest else "any text"
        message = (
            f"This regular expression may take very long on {where}, because parts of it that follow each other match "
            "the same characters; its result there is not predicted."
        )
        yield WARNING, message, pattern
    yield from _groups(given, compiled)


def _groups(given: Mapping[str, ex.Node], compiled: regex.Regex) -> Found:
    group, new = given.get("regexGroupName"), given.get("replacementValue")
    if isinstance(group, ex.Text) and not compiled.has_group(group.value):
        yield ERROR, f"The regular expression has no group named {group.value!r}.", group
    if isinstance(new, ex.Text):
        for name in regex.names_in(new.value):
            if not compiled.has_group(name):
                yield WARNING, f"The regular expression has no group named {name!r}.", new


_MORE: Mapping[str, Callable[[ex.Call], Found]] = {
    "DateAdd": _interval,
    "DateDiff": _interval,
    "FormatDateTime": _format_date_time,
    "IIF": _iif,
    "InStr": _in_str,
    "Item": _item,
    "Replace": _replace,
    "Switch": _switch,
    "ToLower": _culture,
    "ToUpper": _culture,
}
