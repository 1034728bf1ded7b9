# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole directory as ``ldapsearch`` sees it: a reader that shares nothing with what is tested.

Objects are sorted by DN, attributes by name, values by their bytes. What the server changes by itself is left out:
replication metadata, and what it notes of sign-ins.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from typing import Any

Objects = dict[str, dict[str, list[bytes]]]

PAGE_SIZE = 500
SECONDS = 600.0
# In lower case. Of an object that was deleted and came back, or was written and written back, these differ.
LEFT_OUT = frozenset(
    (
        "badpasswordtime",
        "badpwdcount",
        "dscorepropagationdata",
        "lastlogoff",
        "lastlogon",
        "lastlogontimestamp",
        "logoncount",
        "ridnextrid",
        "usnchanged",
        "usncreated",
        "whenchanged",
    )
)


class ReaderFailed(Exception):
    """``ldapsearch`` is missing, or failed; the text says why."""


def read(directory: dict[str, Any], ca: str, bases: Iterable[str], attributes: Iterable[str] = ("*",)) -> Objects:
    """Every object below the bases with its attributes, read as administrator, straight from the domain controller.

    ``directory`` is a tenant's part of lab.json. Raises :class:`ReaderFailed`.
    """
    program = shutil.which("ldapsearch")
    if program is None:
        raise ReaderFailed("ldapsearch is missing. Run: apt-get install --yes ldap-utils")
    account = directory["administrator"]
    found: Objects = {}
    for base in bases:
        command = [
            *(program, "-x", "-LLL", "-o", "ldif-wrap=no", "-E", f"pr={PAGE_SIZE}/noprompt"),
            *("-H", f"ldaps://{directory['dc_host']}:{directory['port']}"),
            *("-D", account["user"], "-w", account["password"]),
            *("-b", base, "(objectClass=*)", *attributes),
        ]
        environment = {**os.environ, "LDAPTLS_CACERT": ca, "LDAPTLS_REQCERT": "demand"}
        done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=SECONDS)
        if done.returncode != 0:
            text = done.stderr.decode(errors="replace").strip()
            raise ReaderFailed(f"ldapsearch below {base} ended with {done.returncode}: {text}")
        found.update(parse(done.stdout))
    return found


def parse(text: bytes) -> Objects:
    """LDIF without wrapped lines as objects by DN; what the server changes by itself is left out."""
    objects: Objects = {}
    for record in text.split(b"\n\n"):
        lines = [pair for pair in map(_pair, record.split(b"\n")) if pair is not None]
        if not lines or lines[0][0] != "dn":
            continue  # a referral, or nothing
        attributes: dict[str, list[bytes]] = {}
        for name, value in lines[1:]:
            if name.lower() not in LEFT_OUT:
                attributes.setdefault(name, []).append(value)
        objects[lines[0][1].decode()] = {name: sorted(attributes[name]) for name in sorted(attributes, key=str.lower)}
    return dict(sorted(objects.items(), key=lambda item: item[0].lower()))


def text(objects: Objects) -> str:
    """Objects as LDIF; the same objects give the same text."""
    return "\n".join("\n".join(_lines(dn, attributes)) + "\n" for dn, attributes in objects.items())


def _lines(dn: str, attributes: dict[str, list[bytes]]) -> Iterator[str]:
    yield _line("dn", dn.encode())
    for name, values in attributes.items():
        for value in values:
            yield _line(name, value)


def _line(name: str, value: bytes) -> str:
    safe = not value or (value[0] not in b" :<" and value[-1] != 0x20 and all(32 <= byte < 127 for byte in value))
    return f"{name}: {value.decode()}" if safe else f"{name}:: {base64.b64encode(value).decode()}"


def _pair(line: bytes) -> tuple[str, bytes] | None:
    if not line or line.startswith(b"#"):
        return None
    name, colon, value = line.partition(b":")
    if not colon:
        return None
    if value.startswith(b":"):
        return name.decode(), base64.b64decode(value[1:].strip())
    return name.decode(), value[1:] if value.startswith(b" ") else value
