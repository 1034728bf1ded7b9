# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A collection of stand-ins: the roles, playbooks, inventory and filter as they are, every module replaced."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GROUPS: dict[str, list[str]] = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]
MODULES = tuple(sorted({module for group in GROUPS.values() for module in group}))
WAVES = """\
  - {name: pilot, identities_file: pilot.csv}
  - {name: rest, filter: "IsDirSynced -eq 'True'", exclude: [one]}
"""
ONE_WAVE = "  - {name: all, all_mailboxes: true}\n"
REAL = ("filter", "inventory", "module_utils", "plugin_utils")


@pytest.fixture(scope="session")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of the collection, for ANSIBLE_COLLECTIONS_PATH."""
    home = tmp_path_factory.mktemp("collections")
    tree = home / "ansible_collections" / "hybrid" / "exchange"
    for part in (*(f"plugins/{name}" for name in REAL), "roles", "playbooks", "meta"):
        shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "galaxy.yml", tree / "galaxy.yml")
    (tree / "plugins/action").mkdir()
    for module in MODULES:
        shutil.copy(Path(__file__).with_name("stand_in.py"), tree / f"plugins/action/{module}.py")
    return home


@dataclass(frozen=True)
class Player:
    """The process whose forks run ansible-playbook."""

    process: subprocess.Popen[str]

    def play(self, arguments: list[str], home: Path, bad_inventory_fails: bool) -> tuple[int, str]:
        """Exit code and output of one run, whose temporary files and whose tenants' state lie in ``home``."""
        temporary, output = home / "tmp", home / "output.txt"
        temporary.mkdir(exist_ok=True)
        request = {
            "arguments": arguments,
            "environment": {"STAND_IN_DIR": str(home)},
            "constants": {
                "DEFAULT_LOCAL_TMP": str(temporary),
                "INVENTORY_ANY_UNPARSED_IS_FAILED": bad_inventory_fails,
            },
            "output": str(output),
        }
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the player was started without pipes")
        print(json.dumps(request), file=self.process.stdin, flush=True)
        code = self.process.stdout.readline()
        if not code:
            raise RuntimeError(f"the player ended with {self.process.wait()}")
        return int(code), output.read_text()


@pytest.fixture(scope="session")
def player(tmp_path_factory: pytest.TempPathFactory, collections: Path) -> Iterator[Player]:
    """One for all tests, with a home of its own."""
    home = tmp_path_factory.mktemp("player")
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }
    command = [sys.executable, str(Path(__file__).with_name("player.py"))]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Player(process)
        if process.stdin is not None:
            process.stdin.close()


@dataclass(frozen=True)
class Run:
    """What one ansible-playbook did."""

    code: int
    output: str
    changed: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Estate:
    """Tenants in a directory, and the state that the stand-ins keep of them."""

    directory: Path
    player: Player

    @property
    def source(self) -> Path:
        return self.directory / "estate.yml"

    def write_tenant(self, name: str, ring: str, number: int, extra: str = "", waves: str = WAVES) -> None:
        text = f"""\
name: {name}
ring: {ring}
tenant: {{tenant_id: 00000000-0000-0000-0000-{number:012}, client_id: application}}
directory: {{directory_hosts: [dc1.{name}.example]}}
job: {{domain: {name}.example, delete_threshold: 7}}
waves:
{waves}{extra}"""
        (self.directory / "tenants" / f"{name}.yml").write_text(text)

    def play(self, playbook: str, *arguments: str, first: Path | None = None, bad_inventory_fails: bool = True) -> Run:
        """Runs a playbook of the collection by its name, or another by its path.

        ``first`` is an inventory that is read before the estate; ``bad_inventory_fails`` is Ansible's setting
        any_unparsed_is_failed, which the documentation asks for.
        """
        name = playbook if playbook.endswith(".yml") else f"hybrid.exchange.{playbook}"
        inventories = [argument for path in (first, self.source) if path for argument in ("-i", str(path))]
        code, output = self.player.play([name, *inventories, *arguments], self.directory, bad_inventory_fails)
        changed = {
            line.split()[0]: int(line.split("changed=")[1].split()[0])
            for line in output.splitlines()
            if " changed=" in line and " ok=" in line
        }
        return Run(code, output, changed)

    def calls(self, host: str | None = None) -> list[dict[str, Any]]:
        """The calls of modules since the last look."""
        found = self.logged()
        self._log.unlink(missing_ok=True)
        return [call for call in found if host is None or call["host"] == host]

    def logged(self) -> list[dict[str, Any]]:
        """The calls of modules, which the next look will find again."""
        return [json.loads(line) for line in self._log.read_text().splitlines()] if self._log.exists() else []

    @property
    def _log(self) -> Path:
        return self.directory / "calls.jsonl"

    def state(self, host: str) -> dict[str, Any]:
        return json.loads((self.directory / f"state-{host}.json").read_text())

    def set_state(self, host: str, **values: Any) -> None:
        path = self.directory / f"state-{host}.json"
        have = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps(have | values))

    def break_module(self, host: str, module: str) -> None:
        (self.directory / f"fail-{host}-{module}").touch()

    def mend(self) -> None:
        for path in self.directory.glob("fail-*"):
            path.unlink()


def _made(directory: Path, player: Player) -> Estate:
    made = Estate(directory, player)
    (directory / "tenants").mkdir()
    made.source.write_text("plugin: hybrid.exchange.estate\nrings: [canary, broad]\n")
    made.write_tenant("adatum", "broad", 1, waves=ONE_WAVE)
    made.write_tenant("contoso", "canary", 2)
    made.write_tenant("fabrikam", "canary", 3, waves=ONE_WAVE)
    return made


@pytest.fixture
def estate(tmp_path: Path, player: Player) -> Estate:
    """Two canaries, one of them with two waves, and one tenant of the next ring."""
    return _made(tmp_path, player)


@pytest.fixture(scope="session")
def _moved_once(tmp_path_factory: pytest.TempPathFactory, player: Player) -> Estate:
    made = _made(tmp_path_factory.mktemp("moved"), player)
    run = made.play("site", "--limit", "contoso")
    assert run.code == 0, run.output
    return made


@pytest.fixture
def calls_of_the_move(_moved_once: Estate) -> list[dict[str, Any]]:
    """What the run of site.yml called that took contoso through its waves."""
    return _moved_once.logged()


@pytest.fixture
def moved(estate: Estate, _moved_once: Estate) -> Estate:
    """The estate after site.yml took contoso through its waves."""
    shutil.copytree(_moved_once.directory, estate.directory, dirs_exist_ok=True)
    for path in estate.directory.rglob("*.json*"):
        path.write_text(path.read_text().replace(str(_moved_once.directory), str(estate.directory)))
    estate.calls()
    return estate
