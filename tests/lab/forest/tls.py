# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's certificate authority, its server certificates and the applications' certificates.

Everything is made once per run directory and kept: a resumed run presents the same certificates, so thumbprints in
``lab.json`` stay right. Only where a copied run directory is started at other addresses are its servers given others.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.lab.settings import CLOUD_ADDRESSES, FORESTS, TENANTS, Settings

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
LIFETIME = datetime.timedelta(days=3650)
CLOUD_NAMES = ("control.lab", "login.lab", "graph.lab", "exchange.lab")


@dataclass(frozen=True)
class Authority:
    """The certificate authority, in memory."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, from the first byte on, replacing what was there at once."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    temporary.replace(path)


def thumbprint_sha256(path: Path) -> str:
    """SHA-256 thumbprint (hex, upper case) of the first certificate in a PEM file."""
    return x509.load_pem_x509_certificate(path.read_bytes()).fingerprint(hashes.SHA256()).hex().upper()


def application_certificate(settings: Settings, tenant: str, application: str) -> Path:
    """Where an application's certificate and key lie, in one PEM file."""
    return settings.tls_dir / "applications" / f"{tenant}-{application}.pem"


def ensure(settings: Settings) -> None:
    """Make every certificate of the cloud, the directories and the applications that is not there yet."""
    made = authority(settings)
    server_certificate(settings, made, "cloud", CLOUD_NAMES, tuple(CLOUD_ADDRESSES.values()))
    for forest in FORESTS:
        server_certificate(
            settings,
            made,
            f"dc-{forest.name}",
            (forest.server_name, forest.domain),
            (forest.dc_address, forest.relay_address),
        )
    for tenant in TENANTS:
        for application in tenant.applications:
            path = application_certificate(settings, tenant.name, application.name)
            if application.certificate and not path.is_file():
                write_private(path, _application(f"{tenant.name} {application.name}"))


def authority(settings: Settings) -> Authority:
    """The certificate authority of a run directory; made when there is none."""
    ca_key = settings.tls_dir / "ca.key"
    if settings.ca.is_file() and ca_key.is_file():
        key = serialization.load_pem_private_key(ca_key.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(
                f"{ca_key} holds no elliptic-curve key: remove {settings.tls_dir} and start the lab afresh"
            )
        return Authority(x509.load_pem_x509_certificate(settings.ca.read_bytes()), key)
    made = _create_authority()
    write_private(ca_key, _key_pem(made.key))
    write_private(settings.ca, made.certificate.public_bytes(serialization.Encoding.PEM))
    return made


def server_certificate(
    settings: Settings, authority: Authority, name: str, names: tuple[str, ...], addresses: tuple[str, ...]
) -> None:
    """A server's certificate and key, ``name``.pem and .key, for its names and addresses; kept when they are."""
    certificate_path, key_path = settings.tls_dir / f"{name}.pem", settings.tls_dir / f"{name}.key"
    if key_path.is_file() and _is_for(certificate_path, addresses):
        return
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives = [
        *(x509.DNSName(item) for item in names),
        *(x509.IPAddress(ipaddress.ip_address(item)) for item in addresses),
    ]
    certificate = (
        _builder(names[0], key)
        .issuer_name(authority.certificate.subject)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_key_usage(sign_certificates=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )
    write_private(key_path, _key_pem(key))
    write_private(certificate_path, certificate.public_bytes(serialization.Encoding.PEM))


def client_certificate(authority: Authority, name: str) -> bytes:
    """A new certificate that a client shows, with its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(name, key)
        .issuer_name(authority.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(_key_usage(sign_certificates=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + _key_pem(key)


def _is_for(path: Path, addresses: tuple[str, ...]) -> bool:
    """Whether a certificate is there and for these addresses."""
    if not path.is_file():
        return False
    names = x509.load_pem_x509_certificate(path.read_bytes()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    return {str(address) for address in names.value.get_values_for_type(x509.IPAddress)} == set(addresses)


def _application(name: str) -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    builder = _builder(name, key)
    certificate = builder.issuer_name(_subject(name)).sign(key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM) + _key_pem(key)


def _create_authority() -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = "hybrid.exchange rehearsal lab"
    certificate = (
        _builder(name, key)
        .issuer_name(_subject(name))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(sign_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def _key_usage(sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(name: str, key: PrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + LIFETIME)
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
