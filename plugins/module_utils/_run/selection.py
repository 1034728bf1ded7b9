# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Which mailboxes a run is about: the options of the fragment ``selection`` and the files they name."""

from __future__ import annotations

import csv
import io
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, MissingLibrary

try:
    import yaml
except ImportError:
    yaml = None  # type: ignore[assignment]
    YAML_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    YAML_IMPORT_ERROR = None

KNOWN_COLUMNS = (
    "UserPrincipalName",
    "ExternalDirectoryObjectId",
    "PrimarySmtpAddress",
    "EmailAddress",
    "Identity",
    "mail",
    "id",
)
"""Columns or keys taken for the identity where no other is named; the first present one counts."""


@dataclass(frozen=True)
class Selection:
    """Which mailboxes.

    ``kind`` is ``identities`` (``value`` is a tuple of user principal names, SMTP addresses or object ids),
    ``group`` (name, address or object id), ``filter`` (an Exchange filter), ``organizational_unit`` (a distinguished
    name) or ``all`` (``value`` is None). ``exclude`` holds identities left out. ``allow_empty`` lets a run succeed
    that selects nothing.
    """

    kind: str
    value: Any
    exclude: frozenset[str] = frozenset()
    allow_empty: bool = False

    def describe(self) -> str:
        """The selection in a few words, for messages."""
        if self.kind == "identities":
            return f"{len(self.value)} identities"
        if self.kind == "all":
            return "all mailboxes"
        return f"{self.kind.replace('_', ' ')} {self.value}"


def from_params(params: Mapping[str, Any]) -> Selection:
    """The selection that a module's options state; InputError where they state none, two, or an unreadable file."""
    kinds = ("identities", "identities_file", "group", "filter", "organizational_unit")
    given = [kind for kind in kinds if params.get(kind) not in (None, "")]
    if params.get("all_mailboxes"):
        given.append("all_mailboxes")
    if len(given) != 1:
        found = f"not {' and '.join(given)}" if given else "none is given"
        raise InputError(f"Select mailboxes in exactly one way, by {', '.join(kinds)} or all_mailboxes; {found}.")
    kind = given[0]
    allow_empty = bool(params.get("allow_empty"))
    exclude = frozenset(item.strip().casefold() for item in params.get("exclude") or () if item.strip())
    if kind == "all_mailboxes":
        return Selection("all", None, exclude, allow_empty)
    if kind in {"identities", "identities_file"}:
        if kind == "identities":
            identities = _unique(str(item).strip() for item in params["identities"])
        else:
            column = params.get("identities_column")
            identities = read_identities(params["identities_file"], column, allow_empty=allow_empty)
        left = tuple(identity for identity in identities if identity.casefold() not in exclude)
        if not left and not allow_empty:
            why = "exclude leaves nothing of it" if identities else "it is an empty list"
            raise InputError(f"{kind} selects no mailbox: {why}. Say allow_empty if that is meant.")
        return Selection("identities", left, exclude, allow_empty)
    return Selection(kind, params[kind].strip(), exclude, allow_empty)


def read_identities(path: str | Path, column: str | None = None, *, allow_empty: bool = False) -> tuple[str, ...]:
    """The identities in a file, in its order, duplicates (without regard to case) left out.

    ``.csv`` and ``.tsv`` have a header row, ``.yml``, ``.yaml`` and ``.json`` hold a list of texts or of mappings,
    anything else one identity per line with ``#`` comments. ``column`` names the column or key; by default it is the
    first of KNOWN_COLUMNS that is there. InputError names the file, the line and, where known, the column.
    """
    file = Path(path)
    text = _read_text(file)
    reader: Callable[[Path, str, str | None], Iterable[str]] = _READERS.get(file.suffix.casefold(), _from_lines)
    identities = _unique(reader(file, text, column))
    if not identities and not allow_empty:
        raise InputError(
            f"{file}: there is no identity in this file. Say allow_empty if that is meant.", file=str(file)
        )
    return identities


def _wrong(file: Path, line: int | None, message: str, column: int | None = None) -> InputError:
    place = ":".join(str(part) for part in (file, line, column) if part is not None)
    facts: dict[str, Any] = {"file": str(file), "line": line, "column": column}
    return InputError(f"{place}: {message}", **{name: fact for name, fact in facts.items() if fact is not None})


def _read_text(file: Path) -> str:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}.", file=str(file)) from error
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise _wrong(file, line, "this is not UTF-8 text. Save the file as UTF-8.", column) from error


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    seen: dict[str, str] = {}
    for value in values:
        if value:
            seen.setdefault(value.casefold(), value)
    return tuple(seen.values())


def _from_lines(file: Path, text: str, column: str | None) -> Iterator[str]:
    if column is not None:
        raise InputError(
            f"{file}: a file of one identity per line has no columns, so identities_column {column} means nothing.",
            file=str(file),
        )
    for number, line in enumerate(text.splitlines(), start=1):
        identity = re.sub(r"(^|\s)#.*", "", line).strip()
        if match := re.search(r"[\s,;]", identity):
            raise _wrong(
                file,
                number,
                f"one identity per line is expected, not {identity!r}. Name a table .csv.",
                line.index(identity) + match.start() + 1,
            )
        yield identity


def _from_csv(file: Path, text: str, column: str | None) -> Iterator[str]:
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip() for name in next(rows, [])]
        if not any(names):
            return
        index = _column_index(file, names, column)
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(names):
                raise _wrong(
                    file, rows.line_num, f"this row has {len(row)} cells, the header row has {len(names)} columns."
                )
            identity = row[index].strip()
            if not identity:
                raise _wrong(file, rows.line_num, f"the column {names[index]} is empty.", index + 1)
            yield identity
    except csv.Error as error:
        raise _wrong(file, rows.line_num, f"this is not well-formed CSV: {error}.") from error


def _column_index(file: Path, names: list[str], column: str | None) -> int:
    folded = [name.casefold() for name in names]
    for candidate in (column,) if column is not None else KNOWN_COLUMNS:
        if candidate.casefold() in folded:
            return folded.index(candidate.casefold())
    wanted = f"no column {column}" if column is not None else f"none of the columns {', '.join(KNOWN_COLUMNS)}"
    raise _wrong(file, 1, f"the header row has {wanted}; it has {', '.join(names)}. Name one in identities_column.")


def _from_yaml(file: Path, text: str, column: str | None) -> Iterator[str]:
    if yaml is None:
        raise MissingLibrary("PyYAML", YAML_IMPORT_ERROR)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, position = (mark.line + 1, mark.column + 1) if mark is not None else (None, None)
        raise _wrong(file, line, f"this is not well-formed YAML: {error.problem}.", position) from error
    except yaml.YAMLError as error:
        raise _wrong(file, None, f"this is not well-formed YAML: {error}.") from error
    if root is None:
        return
    if not isinstance(root, yaml.SequenceNode):
        raise _wrong_node(file, root, "a list of identities is expected")
    for node in root.value:
        yield _identity_of_node(file, node, column)


def _identity_of_node(file: Path, node: Any, column: str | None) -> str:
    if isinstance(node, yaml.MappingNode):
        by_key = {str(key.value).casefold(): value for key, value in node.value}
        for candidate in (column,) if column is not None else KNOWN_COLUMNS:
            if candidate.casefold() in by_key:
                node = by_key[candidate.casefold()]
                break
        else:
            raise _wrong_node(file, node, f"this entry has no {column or ' or '.join(KNOWN_COLUMNS)}")
    if not isinstance(node, yaml.ScalarNode) or node.tag.endswith(":null") or not node.value.strip():
        raise _wrong_node(file, node, "an identity is expected, as text")
    return str(node.value).strip()


def _wrong_node(file: Path, node: Any, message: str) -> InputError:
    return _wrong(file, node.start_mark.line + 1, f"{message}.", node.start_mark.column + 1)


_READERS: Mapping[str, Callable[[Path, str, str | None], Iterable[str]]] = {
    ".csv": _from_csv,
    ".tsv": _from_csv,
    ".yml": _from_yaml,
    ".yaml": _from_yaml,
    ".json": _from_yaml,
}
