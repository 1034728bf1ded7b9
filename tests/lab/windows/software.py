# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's stand-ins for Microsoft's installer: files that say what they are, and who signed them.

A stand-in is a short text behind the first bytes of a Windows program. Everything about it comes from its content, so
that a copy from a share or a download behaves as the original does, and a changed byte breaks the signature.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.lab.settings import fixed_guid

_MAGIC = b"MZ\x90\x00 stand-in of the rehearsal lab\r\n"
OLDEST = "1.1.587.0"  # below what Exchange writeback needs
MINIMUM = "1.1.1107.0"  # the first with Exchange writeback
SEEDED = "1.1.1370.0"  # of the agent that a tenant begins with
NEWEST = "1.1.2102.0"
VERSIONS = (OLDEST, MINIMUM, SEEDED, NEWEST)
DOWNLOAD_PATH = "/software/AADConnectProvisioningAgentSetup.exe"


@dataclass(frozen=True)
class Signer:
    """A code-signing certificate, as far as Get-AuthenticodeSignature shows it."""

    subject: str
    issuer: str
    thumbprint: str
    serial: str
    not_before: datetime
    not_after: datetime


MICROSOFT = Signer(
    subject="CN=Microsoft Corporation, O=Microsoft Corporation, L=Redmond, S=Washington, C=US",
    issuer="CN=Microsoft Code Signing PCA 2011, O=Microsoft Corporation, L=Redmond, S=Washington, C=US",
    thumbprint=hashlib.sha1(b"lab signer microsoft").hexdigest().upper(),
    serial="33000003AF30400E4CA34D05410000000003AF",
    not_before=datetime(2026, 3, 12, 19, 0, tzinfo=UTC),
    not_after=datetime(2027, 3, 11, 19, 0, tzinfo=UTC),
)
STRANGER = Signer(
    subject="CN=Contozo Software Ltd, O=Contozo Software Ltd, L=Douglas, C=IM",
    issuer="CN=Example Code Signing CA, O=Example Trust, C=IM",
    thumbprint=hashlib.sha1(b"lab signer stranger").hexdigest().upper(),
    serial="0A1B2C3D4E5F",
    not_before=datetime(2026, 1, 1, tzinfo=UTC),
    not_after=datetime(2028, 1, 1, tzinfo=UTC),
)
SIGNERS = {"microsoft": MICROSOFT, "stranger": STRANGER}


def content(version: str, signer: str = "microsoft", product: str = "installer") -> bytes:
    """A stand-in; ``signer`` is a name of :data:`SIGNERS`, or empty for an unsigned file."""
    said = {"product": product, "version": version, "signer": signer}
    body = _MAGIC + json.dumps(said, sort_keys=True).encode() + b"\r\n" + b"." * 512
    return body + (hashlib.sha256(body).hexdigest().encode() if signer else b"")


def fingerprint(*words: str) -> str:
    """A made-up thumbprint: forty digits that depend on the words alone."""
    return hashlib.sha1("/".join(words).encode(), usedforsecurity=False).hexdigest().upper()


def changed(data: bytes) -> bytes:
    """The same file after somebody changed it: its signature does not fit any more."""
    return data.replace(b"....", b"..x.", 1)


def about(data: bytes) -> dict[str, Any] | None:
    """What a file says of itself: product, version, signer; None for one that is no stand-in."""
    if not data.startswith(_MAGIC):
        return None
    line = data[len(_MAGIC) :].split(b"\r\n", 1)[0]
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def signature(data: bytes) -> tuple[str, Signer | None]:
    """Status (Valid, NotSigned, HashMismatch, UnknownError) and signer of a file."""
    said = about(data)
    if said is None or not said.get("signer"):
        return ("NotSigned" if data[:2] == b"MZ" else "UnknownError"), None
    signer = SIGNERS.get(said["signer"])
    body, mark = data[:-64], data[-64:]
    intact = hashlib.sha256(body).hexdigest().encode() == mark
    return ("Valid" if intact else "HashMismatch"), signer


def bundle_id(version: str) -> str:
    """The GUID in braces under which a version of the bundle is registered."""
    return "{" + fixed_guid("bundle", version) + "}"


def package_id(version: str) -> str:
    """The product code in braces of the agent's own MSI."""
    return "{" + fixed_guid("package", version).upper() + "}"
