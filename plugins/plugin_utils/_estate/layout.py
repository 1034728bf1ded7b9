# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.
"""YAML text and where its parts stand.

ansible-core tags what it loads with its origin, but only through private names; the positions here come from the
YAML nodes themselves, so that an error can name file, line and column on every supported ansible-core.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

Place = tuple[str | int, ...]
"""Keys and list indexes from the top of a document to one of its values."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong in one file; line and column count from 1, as editors do."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


@dataclass(frozen=True)
class Layout:
    """Where the keys and values of one YAML document stand, and which of them carry a tag such as C(!vault)."""

    file: str
    keys: dict[Place, tuple[int, int]] = field(default_factory=dict)
    values: dict[Place, tuple[int, int]] = field(default_factory=dict)
    tagged: frozenset[Place] = frozenset()

    def problem(self, path: Place, message: str) -> Problem:
        """Makes a problem at the key (or list entry) named by path, or at the nearest parent that has a place."""
        for end in range(len(path), -1, -1):
            place = self.keys.get(path[:end]) or self.values.get(path[:end])
            if place is not None:
                return Problem(self.file, place[0], place[1], message)
        return Problem(self.file, 1, 1, message)


def read_layout(text: str, file: str) -> tuple[Layout, list[Problem]]:
    """Reads the places of all keys and values; what YAML itself refuses, and duplicate keys, come back as problems."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Layout(file), [Problem(file, line, column, f"this is not YAML: {error.problem or error.context}")]
    except yaml.YAMLError as error:
        return Layout(file), [Problem(file, 1, 1, f"this is not YAML: {error}")]
    keys: dict[Place, tuple[int, int]] = {}
    values: dict[Place, tuple[int, int]] = {}
    tagged: set[Place] = set()
    problems: list[Problem] = []
    for path, key, node in _walk((), root) if root is not None else ():
        if key is not None and path in keys:
            problems.append(Problem(file, *_place(key), f"the key {path[-1]!r} is here a second time"))
            continue
        if key is not None:
            keys[path] = _place(key)
        values[path] = _place(node)
        if not node.tag.startswith("tag:yaml.org"):
            tagged.add(path)
    return Layout(file, keys, values, frozenset(tagged)), problems


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _walk(
    path: Place, node: yaml.Node, key: yaml.Node | None = None
) -> Iterator[tuple[Place, yaml.Node | None, yaml.Node]]:
    yield path, key, node
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            yield from _walk((*path, str(key_node.value)), value_node, key_node)
    elif isinstance(node, yaml.SequenceNode):
        for index, entry in enumerate(node.value):
            yield from _walk((*path, index), entry)
