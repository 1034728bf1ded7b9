# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory for size: OpenLDAP's slapd with an MDB database, loaded offline, asked over LDAPS.

It is indexed as Active Directory is: objectGUID, addresses, names and the update sequence number have an index,
mS-DS-ConsistencyGuid has none there and so has none here.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import ldif, people, processes
from tests.benchmarks.certificates import Certificates
from tests.benchmarks.settings import (
    CATALOG_PORT,
    DIRECTORY_ADDRESS,
    DIRECTORY_PASSWORD,
    LDAPS_PORT,
    ROOT,
    BenchError,
)

USER = f"CN=reader,{people.BASE_DN}"
URL = f"ldaps://{DIRECTORY_ADDRESS}:{LDAPS_PORT}"
_START_S = 30.0
_MAX_BYTES = 16 * 2**30
_SBIN = ("/usr/sbin", "/usr/local/sbin", "/sbin")

_CONFIGURATION = """\
include /etc/ldap/schema/core.schema
include {schema}
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
rootDSE {folder}/root.ldif
defaultsearchbase {base}
threads 4
sizelimit unlimited
timelimit unlimited
TLSCACertificateFile {ca}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
database mdb
suffix {base}
rootdn {user}
rootpw {password}
directory {folder}/database
maxsize {size}
dbnosync
index objectClass eq
index objectCategory eq
index objectGUID eq
index proxyAddresses eq
index mail eq
index sAMAccountName eq
index userPrincipalName eq
index uSNChanged eq
"""


@dataclass(frozen=True)
class Loaded:
    """A loaded database of ``count`` people."""

    folder: Path
    count: int


def load(folder: Path, count: int) -> Loaded:
    """Make the database, or take the one that was made before from the same people."""
    stamp = folder / "loaded.json"
    wanted = {"count": count, "generation": people.GENERATION, "schema": _schema().read_text(encoding="utf-8")}
    if stamp.is_file() and json.loads(stamp.read_text(encoding="utf-8")) == wanted:
        return Loaded(folder, count)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "database").mkdir(parents=True)
    _configure(folder, None)
    command = [_program("slapadd"), "-q", "-f", str(folder / "slapd.conf"), "-b", people.BASE_DN]
    with (folder / "load.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        if process.stdin is None:
            raise BenchError("slapadd has no standard input.")
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(ldif.tree())
            for person in people.people(count):
                process.stdin.write(ldif.openldap_user(person))
        code = process.wait()
    if code:
        said = (folder / "load.log").read_text(errors="replace")[-1000:]
        raise BenchError(f"slapadd ended with {code} while loading {count} people: {said}")
    stamp.write_text(json.dumps(wanted), encoding="utf-8")
    return Loaded(folder, count)


@contextlib.contextmanager
def serving(loaded: Loaded, certificates: Certificates, highest_usn: int | None = None) -> Iterator[None]:
    """The directory answers within the block. ``highest_usn`` is what rootDSE says; by default that of the load."""
    usn = ldif.first_usn(loaded.count) if highest_usn is None else highest_usn
    (loaded.folder / "root.ldif").write_bytes(ldif.root_dse(usn))
    _configure(loaded.folder, certificates)
    urls = f"{URL} ldaps://{DIRECTORY_ADDRESS}:{CATALOG_PORT}"
    command = [_program("slapd"), "-d", "0", "-h", urls, "-f", str(loaded.folder / "slapd.conf")]
    log = loaded.folder / "slapd.log"
    with processes.server(command, log) as pid:
        until = time.monotonic() + _START_S
        while not _answers(certificates):
            if time.monotonic() > until or not Path(f"/proc/{pid}").exists():
                said = log.read_text(errors="replace")[-1000:]
                raise BenchError(f"slapd does not answer at {URL}: {said or 'it says nothing'}")
            time.sleep(0.05)
        yield


def environment(authority: Path) -> dict[str, str]:
    """What OpenLDAP's tools need to trust the servers."""
    return {"LDAPTLS_CACERT": str(authority), "LDAPTLS_REQCERT": "demand"}


def account(user: str = USER, password: str = DIRECTORY_PASSWORD, url: str = URL) -> tuple[str, ...]:
    """The arguments of OpenLDAP's tools that say where to go and who asks."""
    return ("-x", "-H", url, "-D", user, "-w", password)


def modify(changes: bytes, certificates: Certificates) -> None:
    """Apply LDIF change records."""
    processes.run(
        ["ldapmodify", *account()],
        what="ldapmodify on slapd",
        stdin=changes,
        environment=environment(certificates.authority),
    )


def _answers(certificates: Certificates) -> bool:
    command = ["ldapsearch", *account(), "-s", "base", "-b", "", "defaultNamingContext"]
    variables = {**os.environ, **environment(certificates.authority)}
    return subprocess.run(command, env=variables, capture_output=True, check=False).returncode == 0


def _configure(folder: Path, certificates: Certificates | None) -> None:
    text = _CONFIGURATION.format(
        schema=_schema(),
        folder=folder,
        base=people.BASE_DN,
        user=USER,
        password=DIRECTORY_PASSWORD,
        size=_MAX_BYTES,
        ca=certificates.authority if certificates else "",
        certificate=certificates.certificate if certificates else "",
        key=certificates.key if certificates else "",
    )
    if certificates is None:  # loading needs none
        text = "\n".join(line for line in text.splitlines() if not line.startswith(("TLS", "rootDSE"))) + "\n"
    file = folder / "slapd.conf"
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")


def _schema() -> Path:
    return ROOT / "tests" / "benchmarks" / "ad.schema"


def _program(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *_SBIN)))
    if found is None:
        raise BenchError(f"{name} is not installed; it comes with the package slapd of Debian and Ubuntu.")
    return found
