# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""A plan in a file, to be looked at, approved, and then applied exactly as it is.

The file is canonical JSON Lines: a header, then one line per object, in the order of their objectGUIDs. It holds no
time and no host, so the same plan has the same bytes, and its SHA-256 is what ``sha256sum`` says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._run import private_file
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import ObjectChange

SCHEMA_VERSION = 1
KIND = "hybrid.exchange.directory-plan"


@dataclass(frozen=True)
class Planned:
    """One object of a plan; ``cloud`` is a digest of the cloud values that the plan was made from."""

    change: ObjectChange
    cloud: str


@dataclass(frozen=True)
class SavedPlan:
    """A plan read from its file; ``about`` says for which tenant, domain, attributes and options it was made."""

    path: str
    sha256: str
    about: Mapping[str, Any]
    objects: tuple[Planned, ...]


@dataclass(frozen=True)
class Saved:
    """A plan written to its file; ``changed`` is false where the file held the same plan already."""

    path: str
    sha256: str
    objects: int
    changed: bool

    def as_result(self) -> dict[str, Any]:
        """For a task's result."""
        return {"path": self.path, "sha256": self.sha256, "objects": self.objects}


def write(path: str | Path, about: Mapping[str, Any], objects: Iterable[Planned]) -> Saved:
    """Write a plan for its owner only (0600), whole or not at all."""
    file = Path(path).absolute()
    rows = sorted(objects, key=lambda item: item.change.guid.hex())
    header = {"kind": KIND, "schema_version": SCHEMA_VERSION, **about}
    lines = [_line(header), *(_line({**item.change.as_record(), "cloud": item.cloud}) for item in rows)]
    data = b"".join(lines)
    saved = Saved(str(file), hashlib.sha256(data).hexdigest(), len(rows), _held(file) != data)
    if not saved.changed:
        return saved
    try:
        private_file.write(file, data)
    except OSError as error:
        raise InputError(f"The plan {file} cannot be written: {error.strerror}.", plan_file=str(file)) from error
    return saved


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _held(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


def read(path: str | Path, sha256: str) -> SavedPlan:
    """The plan in a file; Refused where it is not the one with that SHA-256, InputError where it is none."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.", file=str(path)) from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256.strip().lower():
        raise Refused(
            f"{path} is not the plan that was approved: its SHA-256 is {found}, not {sha256}. Nothing was changed.",
            file=str(path),
            sha256=found,
        )
    number = 1
    try:
        first, *rest = data.splitlines()
        about = json.loads(first)
        if about.pop("kind") != KIND or about.pop("schema_version") != SCHEMA_VERSION:
            raise ValueError("it is not a plan of this version of the collection")
        objects = []
        for line in rest:
            number += 1
            record = json.loads(line)
            objects.append(Planned(ObjectChange.from_record(record), str(record["cloud"])))
    except (ValueError, KeyError, TypeError, AttributeError, InputError) as error:
        raise InputError(f"{path}:{number}: this is not a saved plan: {error}.", file=str(path), line=number) from error
    return SavedPlan(str(Path(path).absolute()), found, about, tuple(objects))
