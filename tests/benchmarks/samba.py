# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rehearsal lab's Samba domain controller, for the benchmarks that write."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks import ldif, people, processes, slapd
from tests.benchmarks.people import Person
from tests.benchmarks.settings import BUILD, NETWORK, PYTHON, ROOT, BenchError

_FOLDER = BUILD / "lab"
_TENANT = "contoso"
_UNIT = "OU=Benchmark,OU=People,OU=Contoso AG"
_USER_TICKS, _SYSTEM_TICKS = 11, 12  # fields of /proc/<pid>/stat after the name of the command
_USN = re.compile(rb"^uSNChanged: (\d+)", re.MULTILINE)
_HIGHEST = re.compile(rb"^highestCommittedUSN: (\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Account:
    """Who signs in."""

    user: str
    password: str


@dataclass(frozen=True)
class DomainController:
    """The domain controller, with the benchmark's people in a unit of their own."""

    pid: int
    host: str
    port: int
    server_name: str
    base_dn: str
    authority: Path
    writer: Account
    administrator: Account

    @property
    def parent(self) -> str:
        """The unit of the benchmark's people."""
        return f"{_UNIT},{self.base_dn}"

    @property
    def url(self) -> str:
        """Where OpenLDAP's tools find it."""
        return f"ldaps://{self.host}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What OpenLDAP's tools need: the authority is verified; the name is not, as they know an address only."""
        return {"LDAPTLS_CACERT": str(self.authority), "LDAPTLS_REQCERT": "allow"}

    def account(self, who: Account) -> tuple[str, ...]:
        """The arguments of OpenLDAP's tools."""
        return slapd.account(who.user, who.password, self.url)

    def options(self) -> dict[str, Any]:
        """The options of the collection's modules."""
        return {
            "directory_hosts": [self.host],
            "directory_port": self.port,
            "directory_server_name": self.server_name,
            "directory_user": self.writer.user,
            "directory_password": self.writer.password,
            "directory_ca_path": str(self.authority),
            "directory_base_dn": self.base_dn,
        }

    def add(self, persons: Sequence[Person]) -> None:
        """Add people, as the administrator."""
        content = f"dn: {self.parent}\nobjectClass: organizationalUnit\n\n".encode()
        content += b"".join(ldif.samba_user(person, self.parent) for person in persons)
        command = ["ldapadd", *self.account(self.administrator)]
        processes.run(command, what="ldapadd on Samba", environment=self.environment, stdin=content, keep_output=False)

    def written(self, since: int) -> int:
        """How many objects of the domain were written after a moment (see ``usn``)."""
        return sum(int(usn) > since for usn in _USN.findall(self._search(self.parent, "sub", "uSNChanged")))

    @contextlib.contextmanager
    def work(self, samples: list[float]) -> Iterator[None]:
        """Add the processor seconds that the domain controller takes within the block."""
        before = self._cpu_seconds()
        yield
        samples.append(self._cpu_seconds() - before)

    def _cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])) / os.sysconf("SC_CLK_TCK")

    def usn(self) -> int:
        """The highest update sequence number: a moment."""
        found = _HIGHEST.search(self._search("", "base", "highestCommittedUSN"))
        if found is None:
            raise BenchError("The domain controller does not say its highestCommittedUSN.")
        return int(found.group(1))

    def _search(self, base: str, scope: str, attribute: str) -> bytes:
        command = ["ldapsearch", *self.account(self.administrator), "-LLL", "-E", "pr=1000/noprompt"]
        if scope == "base":
            command = command[:-2]
        command += ["-s", scope, "-b", base, "(objectClass=*)", attribute]
        return processes.run(command, what="ldapsearch on Samba", environment=self.environment).output


@contextlib.contextmanager
def running(count: int) -> Iterator[DomainController]:
    """A fresh lab with ``count`` people more, for the time of the block."""
    environment = {"HYBRID_LAB_DIR": str(_FOLDER), "HYBRID_LAB_NET": NETWORK, "PYTHONPATH": str(ROOT)}
    lab = [str(PYTHON), "-m", "tests.lab"]
    try:
        processes.run([*lab, "up", "--fresh"], what="Starting the lab", environment=environment, timeout_s=300)
        config = json.loads((_FOLDER / "lab.json").read_text(encoding="utf-8"))
        directory = config["tenants"][_TENANT]["directory"]
        said = processes.run([*lab, "status", "--json"], what="Asking the lab", environment=environment).output
        pid = int(json.loads(said)["processes"][f"dc-{_TENANT}"])
        controller = DomainController(
            pid=pid,
            host=directory["dc_host"],
            port=directory["port"],
            server_name=directory["server_name"],
            base_dn=directory["base_dn"],
            authority=Path(config["ca"]),
            writer=Account(directory["user"], directory["password"]),
            administrator=Account(**directory["administrator"]),
        )
        controller.add(list(people.people(count)))
        yield controller
    finally:
        processes.run([*lab, "down"], what="Ending the lab", environment=environment, timeout_s=120)
