# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.
"""Keys of a tenant file: names, types and what must be there, checked without opening any connection.

A value that is a template or carries a tag (C(!vault)) is only known when a task uses it, so its type is not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ansible_collections.hybrid.exchange.plugins.plugin_utils._estate.layout import Layout, Place, Problem

_BOOLEAN_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "1", "0"})
_WORDS = {
    "str": "text",
    "path": "a path",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "dict": "a mapping",
}


def is_template(value: Any) -> bool:
    """Tells whether a value is filled in by Ansible later."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _is_number(value: Any, cast: Callable[[str], Any]) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return False
    try:
        cast(str(value))
    except ValueError:
        return False
    return True


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, (str, int, float)) and not isinstance(value, bool),
    "path": lambda value: isinstance(value, str),
    "int": lambda value: _is_number(value, int),
    "float": lambda value: _is_number(value, float),
    "bool": lambda value: isinstance(value, bool) or str(value).lower() in _BOOLEAN_WORDS,
    "list": lambda value: isinstance(value, list),
    "dict": lambda value: isinstance(value, Mapping),
}


@dataclass(frozen=True)
class Section:
    """One mapping of a tenant file: its options as an argument spec, and which of them must be given.

    ``unless`` is an option and the value with which none of exactly_one need be given.
    """

    options: Mapping[str, Mapping[str, Any]]
    required: tuple[str, ...] = ()
    exactly_one: tuple[str, ...] = ()
    unless: tuple[str, Any] | None = None

    def check(self, layout: Layout, path: Place, value: Any) -> list[Problem]:
        """Names everything that is wrong with one mapping; an empty list means that it is usable."""
        if not isinstance(value, Mapping):
            return [layout.problem(path, f"{_title(path)} must be a mapping of options")]
        return [
            *(layout.problem((*path, str(key)), self._unknown(str(key))) for key in value if key not in self.options),
            *(
                layout.problem(path, f"{_title(path)} lacks {key!r}")
                for key in self.required
                if value.get(key) in (None, "")
            ),
            *self._wrong_values(layout, path, value),
            *self._choice(layout, path, value),
        ]

    def _unknown(self, key: str) -> str:
        near = get_close_matches(key, self.options, n=1) or [name for name in self.options if name.endswith(f"_{key}")]
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(self.options))}"
        return f"unknown key {key!r}{hint}"

    def _wrong_values(self, layout: Layout, path: Place, value: Mapping[str, Any]) -> Iterator[Problem]:
        for key, given in value.items():
            place = (*path, str(key))
            spec = self.options.get(key)
            if spec is None or given is None or is_template(given) or place in layout.tagged:
                continue
            kind = spec.get("type", "str")
            if not _CHECKS[kind](given):
                yield layout.problem(place, f"{key!r} must be {_WORDS[kind]}")
            elif spec.get("choices") and given not in spec["choices"]:
                yield layout.problem(place, f"{key!r} is {given!r}; it must be one of {', '.join(spec['choices'])}")

    def _choice(self, layout: Layout, path: Place, value: Mapping[str, Any]) -> Iterator[Problem]:
        if not self.exactly_one:
            return
        given = [key for key in self.exactly_one if value.get(key) not in (None, False)]
        if not given and self.unless is not None and value.get(self.unless[0]) == self.unless[1]:
            return
        if len(given) != 1:
            have = f"has {' and '.join(given)}" if given else "has none"
            yield layout.problem(path, f"{_title(path)} {have}; give exactly one of {', '.join(self.exactly_one)}")


def duplicates(names: Iterable[tuple[Any, Problem]]) -> list[Problem]:
    """Returns the problem of every name that came before."""
    seen: set[Any] = set()
    found = []
    for name, problem in names:
        if name in seen:
            found.append(problem)
        seen.add(name)
    return found


def absolute_paths(
    options: Mapping[str, Mapping[str, Any]], value: Mapping[str, Any], resolve: Callable[[str], str]
) -> dict[str, Any]:
    """Copies a mapping with every literal option of type C(path) resolved against the place of its file."""
    return {
        key: resolve(given)
        if options.get(key, {}).get("type") == "path" and isinstance(given, str) and not is_template(given)
        else given
        for key, given in value.items()
    }


def without(value: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """Copies a mapping less some keys."""
    return {key: given for key, given in value.items() if key not in keys}


def _title(path: Place) -> str:
    if not path:
        return "the file"
    last = path[-1]
    return f"entry {last + 1} of {path[-2]!r}" if isinstance(last, int) else repr(last)
