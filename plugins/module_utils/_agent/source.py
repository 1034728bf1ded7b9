# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The installer where it lies: its hash, its signature and its version, all read on the host."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.hybrid.exchange.plugins.module_utils._agent.host_facts import UNREADABLE
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.ports import Host
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.wanted import Installer
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._run import windows_host as registry

VALID = "Valid"


@dataclass(frozen=True)
class Source:
    """``readable`` is None for an address, which is looked at only after it was downloaded."""

    shown: str
    readable: bool | None = None
    sha256: str | None = None
    signature: str | None = None
    subject: str | None = None
    thumbprint: str | None = None
    version: str | None = None
    evidence: str = ""

    def is_signed_by(self, signer: str) -> bool:
        """Whether its signature is valid and by this subject, or by the certificate of this thumbprint."""
        if self.signature != VALID:
            return False
        thumbprint = (self.thumbprint or "").replace(" ", "").lower()
        if thumbprint and signer.replace(" ", "").lower() == thumbprint:
            return True
        return bool(self.subject) and _normal(signer) == _normal(self.subject or "")

    @property
    def signature_in_words(self) -> str:
        by = f", signed by {self.subject}" if self.subject else ""
        return f"the signature of {self.shown} is {self.signature or 'missing'}{by}"


def shown(installer: Installer) -> str:
    """Where the installer lies, without what an address may carry as a secret."""
    if installer.url is None:
        return installer.source
    parts = urlsplit(installer.url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def look(host: Host, installer: Installer) -> Source:
    """The installer as it lies before anything is changed."""
    if installer.url is not None:
        return Source(shown(installer), version=installer.version)
    return inspect(host, installer.source, shown(installer))


def inspect(host: Host, path: str, name: str) -> Source:
    """A file on the host, or one that the host reaches by a network path."""
    try:
        if not registry.exists(host, path):
            return Source(name, False, evidence=f"{name} does not exist, or the account may not see it{_hop(path)}")
        digest = registry.row(host, Cmdlet("Get-FileHash", {"LiteralPath": [path], "Algorithm": "SHA256"}))
        signature = registry.row(host, Cmdlet("Get-AuthenticodeSignature", {"LiteralPath": [path]}))
        signer = (
            registry.row(
                host,
                Cmdlet("Get-AuthenticodeSignature", {"LiteralPath": [path]}),
                Cmdlet("Select-Object", {"ExpandProperty": "SignerCertificate"}),
            )
            if signature.get("SignerCertificate")
            else {}
        )
        file = registry.row(
            host,
            Cmdlet("Get-Item", {"LiteralPath": [path]}),
            Cmdlet("Select-Object", {"ExpandProperty": "VersionInfo"}),
        )
    except UNREADABLE as error:
        return Source(name, False, evidence=f"{error.message}{_hop(path)}")
    return Source(
        shown=name,
        readable=True,
        sha256=str(digest["Hash"]).lower() if digest.get("Hash") else None,
        signature=str(signature["Status"]) if signature.get("Status") else None,
        subject=str(signer["Subject"]) if signer.get("Subject") else None,
        thumbprint=str(signer["Thumbprint"]) if signer.get("Thumbprint") else None,
        version=str(file.get("ProductVersion") or file.get("FileVersion") or "").strip() or None,
    )


def _hop(path: str) -> str:
    if not path.startswith("\\\\"):
        return ""
    return (
        " (a session signs in over the network, and Windows does not hand that sign-in on to another server: use "
        "kerberos with windows_delegate, a share that the server's own account may read, or another source)"
    )


def _normal(subject: str) -> str:
    """A subject without differences of spelling: blanks after commas, S and ST."""
    parts = [part.strip() for part in subject.split(",")]
    return ",".join(f"S={part[3:]}" if part.upper().startswith("ST=") else part for part in parts).lower()
