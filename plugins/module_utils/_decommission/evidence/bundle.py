# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""A bundle of evidence: its files, a manifest with the SHA-256 of each, a checklist to print, and how to check it.

``sha256sum -c SHA256SUMS`` in the folder checks it without this collection.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.evidence import files as evidence
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.evidence import html as bundle_html
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.evidence import pdf as bundle_pdf
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.evidence.files import File, Run
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.evidence.pdf import Printer
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError

MANIFEST, SUMS, CHECKLIST, PDF = "manifest.json", "SHA256SUMS", "checklist.html", "checklist.pdf"
KIND = "hybrid.exchange.evidence"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk. ``pdf_missing`` says why there is no PDF where there is none."""

    path: str
    manifest_sha256: str
    files: int
    pdf: str | None
    pdf_missing: str

    def as_result(self) -> dict[str, Any]:
        """For a task's result."""
        return {
            "path": self.path,
            "manifest_sha256": self.manifest_sha256,
            "files": self.files,
            "checklist": str(Path(self.path) / CHECKLIST),
            "pdf": self.pdf,
            "pdf_missing": self.pdf_missing or None,
        }


def write(artifact_dir: str | Path, run: Run, printer: Printer, pdf: str) -> Bundle:
    """Write a bundle. pdf: auto, never or required (InputError then where none can be made)."""
    base = evidence.folder(artifact_dir, run.readiness.tenant_id, run.readiness.evaluated_at)
    files = evidence.write_all(base, run)
    files.append(evidence.write(base, CHECKLIST, bundle_html.page(run, evidence.about(run)).encode()))
    printed, missing = bundle_pdf.make(base / CHECKLIST, base / PDF, printer, pdf)
    if printed is not None:
        files.append(_file(base, printed))
    manifest = {
        "kind": KIND,
        "schema_version": SCHEMA_VERSION,
        **evidence.about(run),
        "files": [{"path": item.path, "sha256": item.sha256, "bytes": item.bytes} for item in _sorted(files)],
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"
    files.append(evidence.write(base, MANIFEST, text))
    sums = "".join(f"{item.sha256}  {item.path}\n" for item in _sorted(files))
    evidence.write(base, SUMS, sums.encode())
    return Bundle(str(base), files[-1].sha256, len(files) + 1, str(printed) if printed else None, missing)


def verify(path: str | Path) -> dict[str, Any]:
    """What is in a bundle against its manifest: ``intact``, and every problem in words.

    InputError where there is no bundle. A manifest that was altered together with its files cannot be told from a
    right one: keep its SHA-256 elsewhere, and compare it with ``manifest_sha256``.
    """
    base = Path(path)
    try:
        data = (base / MANIFEST).read_bytes()
        manifest = json.loads(data)
        listed = {str(item["path"]): item for item in manifest["files"]}
        if manifest["kind"] != KIND:
            raise ValueError("it is of another kind")
    except OSError as error:
        raise InputError(f"{base} holds no bundle: {MANIFEST} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{base / MANIFEST} is no manifest: {error}.") from error
    problems = [problem for name, item in listed.items() if (problem := _problem(base, name, item))]
    there = {str(file.relative_to(base)) for file in base.rglob("*") if file.is_file() or file.is_symlink()}
    problems += [f"{name} is not in the manifest" for name in sorted(there - set(listed) - {MANIFEST, SUMS})]
    problems += _sums_problems(base, data, listed)
    about = ("tenant_id", "organization", "phase", "exit", "evaluated_at", "performed_by", "ready")
    return {
        "path": str(base.absolute()),
        "intact": not problems,
        "problems": problems,
        "files": len(listed),
        "manifest_sha256": hashlib.sha256(data).hexdigest(),
        **{name: manifest.get(name) for name in about},
    }


def _problem(base: Path, name: str, item: Mapping[str, Any]) -> str:
    file = base / name
    if not file.resolve().is_relative_to(base.resolve()) or file.is_symlink():
        return f"{name} does not lie in the bundle"
    try:
        found = _file(base, file)
    except OSError as error:
        return f"{name} cannot be read: {error.strerror}"
    if found.sha256 != item.get("sha256") or found.bytes != item.get("bytes"):
        return f"{name} was altered: its SHA-256 is {found.sha256}, not {item.get('sha256')}"
    return ""


def _sums_problems(base: Path, manifest: bytes, listed: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Whether the second list says the same as the manifest, and names the manifest itself."""
    wanted = {name: str(item.get("sha256")) for name, item in listed.items()}
    wanted[MANIFEST] = hashlib.sha256(manifest).hexdigest()
    try:
        lines = (base / SUMS).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return [f"{SUMS} cannot be read"]
    found = {name: digest for digest, _space, name in (line.partition("  ") for line in lines)}
    differing = sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
    return [f"{SUMS} and {MANIFEST} differ about {', '.join(differing)}"] if differing else []


def _file(base: Path, file: Path) -> File:
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as source:
        while part := source.read(1 << 20):
            digest.update(part)
            size += len(part)
    return File(str(file.relative_to(base)), digest.hexdigest(), size)


def _sorted(files: Iterable[File]) -> Sequence[File]:
    return sorted(files, key=lambda item: item.path)
