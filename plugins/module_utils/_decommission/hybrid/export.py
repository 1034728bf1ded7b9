# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The export that is written before anything of the hybrid set-up is changed, and read to put it back.

JSON Lines: a header that says whose it is, then one line for each object with all its properties. Secrets are not in
it: neither private keys nor passwords leave a server that way.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.kinds import kind
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.plan import Action
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.wanted import Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.order import STEPS
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.ports import Artifacts
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import Artifact

KIND = "hybrid.exchange.hybrid_export"
SCHEMA_VERSION = 1
_SECRET = re.compile(r"password|secret|privatekey|credential(?!s?enabled)", re.IGNORECASE)
# Public parts that these words would hide.
_PUBLIC = frozenset({"keyCredentials"})


@dataclass(frozen=True)
class Exported:
    """One object of an export: the step that was to change it, its name and its properties before."""

    step: str
    kind: str
    identity: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Export:
    """A whole export. ``about`` is its header."""

    path: str
    about: Mapping[str, Any]
    objects: tuple[Exported, ...]

    @property
    def side(self) -> str:
        return str(self.about["side"])


def write(
    artifacts: Artifacts, wanted: Wanted, about: Mapping[str, Any], actions: Iterable[Action], name: str = ""
) -> Artifact:
    """Write what is to be changed; it is on disk, for its owner only, before this returns."""
    with artifacts(name or f"hybrid-{wanted.side}") as writer:
        writer.write(
            {
                "kind": KIND,
                "schema_version": SCHEMA_VERSION,
                "tenant_id": wanted.tenant_id,
                "side": wanted.side,
                "phase": wanted.phase,
                "order": wanted.order,
                **about,
            }
        )
        for action in actions:
            step = action.step
            writer.write(
                {
                    "step": step.id,
                    "kind": step.kind,
                    "identity": action.identity,
                    "verb": step.verb,
                    "why": action.why,
                    "reversible": step.reversible,
                    "cannot_be_put_back": kind(step.side, step.kind).lost or None,
                    "properties": public(action.row),
                }
            )
    return writer.artifact


def public(row: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of an object without secrets."""
    return {name: value for name, value in row.items() if name in _PUBLIC or not _SECRET.search(name)}


def read(path: str, sha256: str) -> Export:
    """An export; Refused where it is not the one with that SHA-256, InputError where it is none."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"The export {path} cannot be read: {error.strerror}.", file=path) from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256.strip().lower():
        raise Refused(
            f"{path} is not the export that was named: its SHA-256 is {found}, not {sha256}. Nothing was changed.",
            file=path,
            sha256=found,
        )
    try:
        header, *lines = [json.loads(line) for line in data.decode().splitlines()]
        if header["kind"] != KIND or header["schema_version"] != SCHEMA_VERSION:
            raise ValueError("it is not of this version of the collection")
        objects = tuple(
            Exported(str(line["step"]), str(line["kind"]), str(line["identity"]), dict(line["properties"]))
            for line in lines
        )
        unknown = [item.step for item in objects if item.step not in STEPS]
        if unknown:
            raise ValueError(f"there is no step {unknown[0]}")
        return Export(path, {**header, "side": str(header["side"])}, objects)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not an export of the hybrid set-up: {error}.", file=path) from error


def read_all(wanted: Wanted) -> Export:
    """All exports that a task names, as one: their objects in the order in which they were changed.

    An object that several runs changed, such as a connector that one turned off and another removed, is put back as the
    first of them found it.
    """
    found = [read(path, sha256) for path, sha256 in wanted.exports]
    for export in found:
        check(export, wanted)
    found.sort(key=lambda export: str(export.about.get("exported_at") or ""))
    first: dict[tuple[str, str], Mapping[str, Any]] = {}
    objects = []
    for item in (item for export in found for item in export.objects):
        properties = first.setdefault((item.kind, item.identity.casefold()), item.properties)
        objects.append(replace(item, properties=properties))
    return Export(", ".join(export.path for export in found), found[0].about, tuple(objects))


def check(export: Export, wanted: Wanted) -> None:
    """Refused where an export is of another tenant or another side."""
    tenant = str(export.about.get("tenant_id") or "")
    if tenant.casefold() != wanted.tenant_id.casefold():
        raise Refused(f"{export.path} is of another tenant ({tenant}). Nothing was changed.", file=export.path)
    if export.side != wanted.side:
        raise Refused(
            f"{export.path} is of the side {export.side}, and side is {wanted.side}. Nothing was changed.",
            file=export.path,
        )
