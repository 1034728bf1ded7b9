# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hashes and signatures of files."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.lab.windows import paths, software, state
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.cmdlets.targets import each, given_paths
from tests.lab.windows.errors import CmdletError, path_not_found
from tests.lab.windows.values import Enum, Obj

_STATUS = {"Valid": 0, "UnknownError": 1, "NotSigned": 2, "HashMismatch": 3}
_MESSAGES = {
    "Valid": "Signature verified.",
    "UnknownError": "The form specified for the subject is not one supported or known by the specified trust provider",
    "NotSigned": "The file {path} is not digitally signed. You cannot run this script on the current system.",
    "HashMismatch": "The contents of file {path} might have been changed by an unauthorized user or process, because "
    "the hash of the file does not match the hash stored in the digital signature.",
}
_ALGORITHMS = {
    "SHA1": hashlib.sha1,
    "SHA256": hashlib.sha256,
    "SHA384": hashlib.sha384,
    "SHA512": hashlib.sha512,
    "MD5": hashlib.md5,
}


def get_file_hash(call: Call) -> None:
    """Get-FileHash."""
    algorithm = str(call.get("Algorithm") or "SHA256")
    if algorithm not in _ALGORITHMS:
        raise CmdletError(f"The lab does not compute {algorithm}.", "NotImplemented", "NotImplemented")
    with call.state() as document:
        for target in each(call, document):
            if target.area == paths.REGISTRY or target.folder:
                continue
            digest = _ALGORITHMS[algorithm](state.bytes_of(target.document)).hexdigest().upper()
            call.write(
                Obj(
                    (
                        "Microsoft.Powershell.Utility.FileHash",
                        "System.Management.Automation.PSCustomObject",
                        "System.Object",
                    ),
                    notes={"Algorithm": algorithm, "Hash": digest, "Path": target.path},
                )
            )


def certificate(signer: software.Signer) -> Obj:
    """The object for a signer's certificate."""
    own: dict[str, Any] = {
        "Archived": False,
        "FriendlyName": "",
        "HasPrivateKey": False,
        "Issuer": signer.issuer,
        "IssuerName": "System.Security.Cryptography.X509Certificates.X500DistinguishedName",
        "NotAfter": signer.not_after,
        "NotBefore": signer.not_before,
        "SerialNumber": signer.serial,
        "Subject": signer.subject,
        "SubjectName": "System.Security.Cryptography.X509Certificates.X500DistinguishedName",
        "Thumbprint": signer.thumbprint,
        "Version": 3,
    }
    types = (
        "System.Security.Cryptography.X509Certificates.X509Certificate2",
        "System.Security.Cryptography.X509Certificates.X509Certificate",
        "System.Object",
    )
    parts = (("Subject", signer.subject), ("Issuer", signer.issuer), ("Thumbprint", signer.thumbprint))
    text = "\r\n\r\n".join(f"[{name}]\r\n  {value}" for name, value in parts)
    return Obj(types, own, text)


def get_authenticode_signature(call: Call) -> None:
    """Get-AuthenticodeSignature."""
    wanted = call.many("FilePath")
    if wanted:
        call.bound.values["Path"] = wanted
    with call.state() as document:
        for path, _wild in given_paths(call):
            if paths.located(path)[0] == paths.REGISTRY:
                raise path_not_found(path)
        for target in each(call, document):
            if target.folder:
                continue
            status, signer = software.signature(state.bytes_of(target.document))
            own = {
                "SignerCertificate": certificate(signer) if signer else None,
                "TimeStamperCertificate": None,
                "Status": Enum("System.Management.Automation.SignatureStatus", status, _STATUS[status]),
                "StatusMessage": _MESSAGES[status].format(path=target.path),
                "Path": target.path,
                "SignatureType": Enum(
                    "System.Management.Automation.SignatureType", *(("Authenticode", 1) if signer else ("None", 0))
                ),
                "IsOSBinary": False,
            }
            call.write(Obj(("System.Management.Automation.Signature", "System.Object"), own))


CMDLETS: dict[str, Implementation] = {
    "Get-FileHash": get_file_hash,
    "Get-AuthenticodeSignature": get_authenticode_signature,
}
