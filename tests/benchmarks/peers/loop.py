# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The peer of Ansible's users: a loop over community.general.ldap_attrs, one item per mailbox.

It gets the wanted values ready-made from a file, so it does not even have to read the cloud. The collection comes from
the package ``ansible``, of which only community.general is kept; python-ldap from the Linux distribution. Where one
of them cannot be had, the loop runs OpenLDAP's own tools through ansible.builtin.command, and is named so.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks import ldif, processes
from tests.benchmarks.people import Person, distinguished_name
from tests.benchmarks.settings import BUILD, COLLECTIONS, PYTHON

LDAP_ATTRS = "community.general.ldap_attrs"
COMMAND = "ansible.builtin.command"
_PACKAGE = "ansible>=12,<13"  # the releases that belong to ansible-core 2.19
_MEMBER = "ansible_collections/community/general/"
_SYSTEM_PYTHON = Path("/usr/bin/python3")
_FOLDER = BUILD / "peers"


@dataclass(frozen=True)
class Loop:
    """What the loop runs, why not ldap_attrs if it is not, and how it is called."""

    module: str
    instead: str
    environment: Mapping[str, str]
    interpreter: Path


def find() -> Loop:
    """Get what the loop needs."""
    environment = {"ANSIBLE_COLLECTIONS_PATH": f"{_FOLDER}:{COLLECTIONS}", "ANSIBLE_LOCALHOST_WARNING": "false"}
    environment |= {"ANSIBLE_INVENTORY_UNPARSED_WARNING": "false", "ANSIBLE_STDOUT_CALLBACK": "minimal"}
    missing = _collection() or _library()
    if missing:
        return Loop(COMMAND, missing, environment, PYTHON)
    return Loop(LDAP_ATTRS, "", environment, _SYSTEM_PYTHON)


def run(
    loop: Loop,
    people: Sequence[Person],
    parent: str,
    server: Mapping[str, str],
    variables: Mapping[str, str],
    *,
    changed: bool,
) -> float:
    """The seconds that the loop takes for each of these people, without the start of the playbook.

    ``server``: url, user, password and ca. ``changed``: whether the task has to change every object, or none.
    """
    _FOLDER.mkdir(parents=True, exist_ok=True)
    whole = _play(loop, people, parent, server, variables, changed=changed)
    start = _play(loop, [], parent, server, variables, changed=changed)
    return (whole - start) / len(people)


def _play(
    loop: Loop,
    people: Sequence[Person],
    parent: str,
    server: Mapping[str, str],
    variables: Mapping[str, str],
    *,
    changed: bool,
) -> float:
    items = [{"dn": distinguished_name(person, parent), "attributes": _wanted(person)} for person in people]
    (_FOLDER / "mailboxes.json").write_text(json.dumps({"mailboxes": items}), encoding="utf-8")
    play = [
        {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": str(loop.interpreter)},
            "vars_files": ["mailboxes.json"],
            "tasks": [
                {
                    "name": "Write the values of each mailbox",
                    **_task(loop, server),
                    "loop": "{{ mailboxes }}",
                    "loop_control": {"label": "{{ item.dn }}"},
                    "register": "done",
                },
                {
                    "name": "It must have changed what was to change, and nothing else",
                    "ansible.builtin.assert": {
                        "that": f"done.results | selectattr('changed') | length == {len(people) if changed else 0}"
                    },
                    "when": loop.module == LDAP_ATTRS,
                },
            ],
        }
    ]
    playbook = _FOLDER / "loop.yml"
    playbook.write_text(json.dumps(play), encoding="utf-8")
    return processes.run(
        [PYTHON.parent / "ansible-playbook", playbook],
        what=f"The loop over {loop.module}",
        environment={**loop.environment, **variables},
    ).seconds


def _task(loop: Loop, server: Mapping[str, str]) -> dict[str, Any]:
    if loop.module == COMMAND:
        account = ["-x", "-H", server["url"], "-D", server["user"], "-w", server["password"]]
        return {COMMAND: {"argv": ["ldapsearch", *account, "-s", "base", "-b", "{{ item.dn }}", *ldif.COMPARED]}}
    return {
        LDAP_ATTRS: {
            "dn": "{{ item.dn }}",
            "attributes": "{{ item.attributes }}",
            "state": "exact",
            "server_uri": server["url"],
            "bind_dn": server["user"],
            "bind_pw": server["password"],
            "ca_path": server["ca"],
            "xorder_discovery": "disable",
            "referrals_chasing": "disabled",
        }
    }


def _wanted(person: Person) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {name: [] for name in ldif.COMPARED}
    for name, value in ldif.compared_values(person):
        wanted[name].append(value)
    return wanted


def _collection() -> str:
    """Put community.general into place; why it is not there, if so."""
    if (_FOLDER / _MEMBER / "MANIFEST.json").is_file():
        return ""
    folder = _FOLDER / "download"
    command = [str(PYTHON), "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    ran = subprocess.run([*command, "--dest", folder, _PACKAGE], capture_output=True, text=True, check=False)
    files = sorted(folder.glob("ansible-*.whl"))
    if ran.returncode or not files:
        return f"the package {_PACKAGE} with community.general cannot be had: {ran.stderr.strip()[-300:]}"
    with zipfile.ZipFile(files[-1]) as archive:
        archive.extractall(_FOLDER, [name for name in archive.namelist() if name.startswith(_MEMBER)])
    shutil.rmtree(folder)
    return ""


def _library() -> str:
    ran = subprocess.run([_SYSTEM_PYTHON, "-c", "import ldap"], capture_output=True, text=True, check=False)
    return "" if ran.returncode == 0 else f"{_SYSTEM_PYTHON} has no python-ldap (package python3-ldap)"
