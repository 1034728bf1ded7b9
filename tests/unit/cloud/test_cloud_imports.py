# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every file imports without third-party libraries, and says which one is missing only when it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud import connect

UTILS = Path(connect.__file__).parents[1]
PACKAGE = connect.__name__.rsplit("._cloud", 1)[0]
LIBRARIES = ("requests", "msal", "cryptography", "yaml", "ldap3")
FILES = [
    path
    for folder in ("_cloud", "_cloud/auth", "_mapping", "_mapping/expression", "_job")
    for path in sorted((UTILS / folder).glob("*.py"))
]


def run(code: str, missing: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    block = f"import sys\nfor name in {missing!r}: sys.modules[name] = None\n"
    return subprocess.run([sys.executable, "-c", block + code], capture_output=True, text=True, check=False)


def test_all_files_import_without_third_party_libraries() -> None:
    names = [f"{PACKAGE}.{path.relative_to(UTILS).with_suffix('').as_posix().replace('/', '.')}" for path in FILES]
    done = run("\n".join(f"import {name}" for name in names if not name.endswith("__init__")), LIBRARIES)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("library", ["requests", "msal", "cryptography"])
def test_a_missing_library_is_named(library: str, tmp_path: Path) -> None:
    certificate = tmp_path / "x.pem"
    certificate.write_text("-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n")
    options = {"tenant_id": "t", "client_id": "c", "client_certificate": str(certificate)}
    code = (
        f"from {PACKAGE}._cloud.connect import connect\n"
        f"from {PACKAGE}._errors import MissingLibrary\n"
        f"try: connect({options!r}).synchronization.organization()\n"
        "except MissingLibrary as error: print(error.library)\n"
    )
    assert run(code, (library,)).stdout.strip() == library


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.parent.name in ("_mapping", "expression", "_job")],
    ids=lambda path: path.stem,
)
def test_use_cases_know_no_far_end_and_no_ansible(path: Path) -> None:
    text = path.read_text()
    for name in ("_cloud", "_on_premises", "_module"):
        assert f"module_utils.{name}" not in text
    assert "import ansible" not in text
    assert "from ansible." not in text


@pytest.mark.parametrize("path", [path for path in FILES if path.stat().st_size], ids=lambda path: path.stem)
def test_every_file_says_that_it_is_private(path: Path) -> None:
    assert path.read_text().splitlines()[3].startswith("# FOR INTERNAL USE OF THIS COLLECTION ONLY")
