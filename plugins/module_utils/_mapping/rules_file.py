# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Mapping rules in a YAML file. Errors name file, line and column."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, MissingLibrary
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import scope
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.rule import (
    FILE_KEYS,
    Rule,
    create,
    from_option,
    unique,
)

try:
    import yaml
except ImportError:
    HAS_YAML = False
    YAML_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    HAS_YAML = True
    YAML_IMPORT_ERROR = None

LIST_KEY, SCOPE = "mappings", "scope"


def from_params(params: Mapping[str, Any]) -> tuple[Rule, ...] | None:
    """The rules that a module's options give, in a file or as a list; None where they give none."""
    if params.get("rules_file"):
        return read(params["rules_file"])
    return from_option(params["mappings"]) if params.get("mappings") else None


def read(path: str | Path) -> tuple[Rule, ...]:
    """The rules in a file: a list of mappings, or a mapping whose key mappings holds that list.

    Values are texts as written: TRUE and 007 need no quotes.
    """
    if not HAS_YAML:
        raise MissingLibrary("PyYAML", YAML_IMPORT_ERROR)
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: this is not UTF-8 text. Save the file as UTF-8.", file=str(file)) from error
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}.", file=str(file)) from error
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise _wrong(file, mark, f"this is not well-formed YAML: {error.problem}.") from error
    except yaml.YAMLError as error:
        raise _wrong(file, None, f"this is not well-formed YAML: {error}.") from error
    rules = unique(_rules(file, root))
    if not rules:
        raise InputError(f"{file}: there is no mapping in this file.", file=str(file))
    return rules


def _rules(file: Path, root: Any) -> Iterator[Rule]:
    if isinstance(root, yaml.MappingNode):
        fields = _fields(file, root, (LIST_KEY,))
        root = fields.get(LIST_KEY)
    if root is None:
        return
    if not isinstance(root, yaml.SequenceNode):
        raise _wrong(file, root.start_mark, "a list of mappings is expected.")
    for item in root.value:
        if not isinstance(item, yaml.MappingNode):
            raise _wrong(file, item.start_mark, "a mapping with a target is expected.")
        nodes = _fields(file, item, FILE_KEYS)
        read = {name: _value(file, name, node) for name, node in nodes.items()}
        yield create(read, _place(file, item.start_mark))


def _value(file: Path, name: str, node: Any) -> Any:
    """A text, or the scope of a rule as a mapping of texts and lists of texts."""
    if name != SCOPE or not isinstance(node, yaml.MappingNode):
        return _text(file, name, node)
    found: dict[str, Any] = {}
    for key, value in _fields(file, node, scope.KEYS).items():
        if key == scope.FILTER:
            found[key] = _text(file, key, value)
        elif not isinstance(value, yaml.SequenceNode):
            raise _wrong(file, value.start_mark, f"{key} must be a list.")
        else:
            found[key] = [_text(file, f"an entry of {key}", item) for item in value.value]
        try:
            scope.create({key: found[key]}, "")
        except InputError as error:
            raise _wrong(file, value.start_mark, error.message.removeprefix(": ")) from error
    return found


def _fields(file: Path, node: Any, allowed: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        if key.value not in allowed:
            raise _wrong(file, key.start_mark, f"{key.value!r} is unknown here; known are {', '.join(allowed)}.")
        if key.value in found:
            raise _wrong(file, key.start_mark, f"{key.value} is stated twice.")
        found[key.value] = value
    return found


def _text(file: Path, name: str, node: Any) -> str | None:
    if not isinstance(node, yaml.ScalarNode):
        raise _wrong(file, node.start_mark, f"{name} must be a text.")
    return None if node.tag.endswith(":null") and node.style is None else str(node.value)


def _place(file: Path, mark: Any) -> str:
    return f"{file}:{mark.line + 1}:{mark.column + 1}" if mark is not None else str(file)


def _wrong(file: Path, mark: Any, message: str) -> InputError:
    facts = {} if mark is None else {"line": mark.line + 1, "column": mark.column + 1}
    return InputError(f"{_place(file, mark)}: {message}", file=str(file), **facts)
