# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may import whom: the arrows of the design."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3] / "plugins"
PACKAGE = "ansible_collections.hybrid.exchange.plugins."
UTILS = ROOT / "module_utils"
FAR_ENDS = {"_cloud", "_on_premises"}
PURE = {"_model", "_mapping"}
FOUNDATION = {"_errors", "_model", "_mapping", "_run"}
# Third-party libraries, by the folders that may import them.
LIBRARIES = {
    "requests": {"_cloud"},
    "msal": {"_cloud"},
    "cryptography": {"_cloud"},
    "dns": {"_on_premises"},
    "ldap3": {"_on_premises"},
    "gssapi": {"_on_premises"},
    "pypsrp": {"_on_premises"},
    "spnego": {"_on_premises"},
    "yaml": {"_run", "_mapping"},
}
FILES = sorted(UTILS.rglob("*.py"))


def imports(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def area(path):
    return path.relative_to(UTILS).parts[0].removesuffix(".py")


def areas_imported(path):
    prefix = f"{PACKAGE}module_utils."
    return {name.removeprefix(prefix).split(".")[0] for name in imports(path) if name.startswith(prefix)} - {""}


def test_there_is_something_to_look_at():
    assert {"_model", "_run", "_module", "_authority", "_errors"} <= {area(path) for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(UTILS)))
def test_arrows(path):
    own, others = area(path), areas_imported(path) - {area(path)}
    if own == "_module":
        return
    assert "_module" not in others
    if own in PURE or own == "_run":
        assert others <= {"_errors", "_model"}
    elif own in FAR_ENDS:
        assert others <= FOUNDATION
    elif own != "_errors":
        assert others <= FOUNDATION, "a use case gets its far ends handed in"


@pytest.mark.parametrize("path", sorted((UTILS / "_mapping" / "expression").glob("*.py")), ids=lambda path: path.stem)
def test_the_expression_language_knows_neither_rules_nor_schemas_nor_attributes(path):
    prefix = f"{PACKAGE}module_utils."
    names = {name.removeprefix(prefix) for name in imports(path) if name.startswith(prefix)}
    assert {name for name in names if not name.startswith(("_errors", "_mapping.expression"))} == set()


DECOMMISSION = UTILS / "_decommission"
# Which of its folders each folder may import; single files of _decommission are for all of them.
DECOMMISSION_ARROWS = {
    "topology": set(),
    "gates": {"topology"},
    "evidence": {"topology", "gates"},
    "hybrid": {"topology"},
    "setup": {"topology", "hybrid"},
}


@pytest.mark.parametrize(
    "path", sorted(DECOMMISSION.glob("*/*.py")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_the_folders_of_the_decommission(path):
    prefix = f"{PACKAGE}module_utils._decommission."
    names = {name.removeprefix(prefix).split(".")[0] for name in imports(path) if name.startswith(prefix)}
    folders = {folder.name for folder in DECOMMISSION.iterdir() if folder.is_dir()} - {"__pycache__"}
    assert folders == set(DECOMMISSION_ARROWS)
    assert (names & folders) - {path.parent.name} <= DECOMMISSION_ARROWS[path.parent.name]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(UTILS)))
def test_libraries(path):
    for name in {name.split(".")[0] for name in imports(path)}:
        if name in sys.stdlib_module_names or name == "ansible_collections":
            continue
        if name == "ansible":
            assert area(path) == "_module", "only the module layer knows Ansible"
        else:
            assert area(path) in LIBRARIES.get(name, ()), f"{name} is imported"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(UTILS)))
def test_every_private_file_says_so(path):
    text = path.read_text("utf-8")
    assert not text or "FOR INTERNAL USE OF THIS COLLECTION ONLY" in text.partition('"""')[0]
