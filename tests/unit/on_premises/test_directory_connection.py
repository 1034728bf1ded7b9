# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening a connection: only to a server whose certificate is trusted and carries the expected name."""

from __future__ import annotations

import datetime
import ipaddress
import os
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import connection, kerberos
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.connect import connect_directory
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.settings import Host, Settings
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _bind_response(message: bytes, code: int) -> bytes:
    """A bindResponse (RFC 4511, 4.2.2) to the request in ``message``, whose id is one byte."""
    return bytes([0x30, 0x0C, 0x02, 0x01, message[message.index(b"\x02\x01") + 2]]) + bytes(
        [0x61, 0x07, 0x0A, 0x01, code, 0x04, 0x00, 0x04, 0x00]
    )


class Server:
    """Takes TLS connections on loopback and answers the first message of each with a bind response."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.code = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _peer = self._socket.accept()
            except OSError:
                return
            with plain:
                plain.settimeout(5)
                try:
                    with self._context.wrap_socket(plain, server_side=True) as tls:
                        tls.sendall(_bind_response(tls.recv(4096), self.code))
                        tls.recv(4096)
                except (OSError, ValueError):
                    continue

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate authority, another one, and a certificate for dc1.contoso.lab and 127.0.0.1."""
    folder = tmp_path_factory.mktemp("pki")
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("dc1.contoso.lab"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]

    def issue(subject: str, issuer: str, signer: ec.EllipticCurvePrivateKey | None, is_ca: bool) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(is_ca, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if is_ca:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        else:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        authority = (signer or key).public_key()
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority), critical=False)
        certificate = builder.sign(signer or key, hashes.SHA256())
        (folder / f"{subject}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / f"{subject}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        keys[subject] = key

    keys: dict[str, ec.EllipticCurvePrivateKey] = {}
    issue("ca", "ca", None, True)
    issue("other", "other", None, True)
    issue("dc1", "ca", keys["ca"], False)
    return folder


@pytest.fixture
def server(pki: Path) -> Iterator[Server]:
    running = Server(pki / "dc1.pem", pki / "dc1.key")
    yield running
    running.close()


def settings(server: Server, ca_path: Path | None, **changes: str) -> Settings:
    host = Host("127.0.0.1", server.port)
    ca = str(ca_path) if ca_path else None
    return Settings((host,), "ldaps", "svc@contoso.lab", "secret", ca_path=ca, timeout=60, **changes)


@pytest.mark.parametrize("server_name", [None, "dc1.contoso.lab"])
def test_a_trusted_certificate_with_the_right_name(server: Server, pki: Path, server_name: str | None) -> None:
    wanted = settings(server, pki / "ca.pem", **({"server_name": server_name} if server_name else {}))
    opened = connection.open_connection(wanted, wanted.hosts[0])
    assert not opened.lost
    opened.close()


@pytest.mark.parametrize(
    ("ca", "server_name", "words"),
    [("other.pem", None, "directory_ca_path"), (None, None, "not trusted"), ("ca.pem", "dc9.contoso.lab", "dc9")],
)
def test_anything_else_is_refused(
    server: Server, pki: Path, ca: str | None, server_name: str | None, words: str
) -> None:
    wanted = settings(server, pki / ca if ca else None, **({"server_name": server_name} if server_name else {}))
    with pytest.raises(errors.InputError, match=r"certificate of 127\.0\.0\.1") as failed:
        connection.open_connection(wanted, wanted.hosts[0])
    assert words in failed.value.message


def test_a_refused_sign_in(server: Server, pki: Path) -> None:
    server.code = 49
    wanted = settings(server, pki / "ca.pem")
    with pytest.raises(errors.AuthenticationError, match=r"svc@contoso\.lab"):
        connection.open_connection(wanted, wanted.hosts[0])


def test_a_port_that_nobody_listens_on(pki: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    wanted = Settings((Host("127.0.0.1", port),), "ldaps", "svc", "secret", ca_path=str(pki / "ca.pem"), timeout=2)
    with pytest.raises(errors.Unavailable, match=r"No connection to the directory server 127\.0\.0\.1"):
        connection.open_connection(wanted, wanted.hosts[0])


def test_a_socket_whose_server_is_gone_before_the_handshake_is_closed(pki: Path) -> None:
    wanted = Settings((Host("127.0.0.1", 636),), "ldaps", "svc", "secret", ca_path=str(pki / "ca.pem"), timeout=2)
    tls = connection._verifying_tls(wanted, wanted.hosts[0])
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as ours:
        server = listener.accept()[0]
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.close()  # with a reset
        waiting = select.poll()
        waiting.register(ours, select.POLLHUP)
        assert waiting.poll(60_000)
        number = ours.fileno()
        with pytest.raises(OSError, match=r"reset|not connected") as raised:
            tls.wrap_socket(SimpleNamespace(socket=ours))
        with pytest.raises(OSError, match="Bad file descriptor"):  # while the traceback still holds the socket
            os.fstat(number)
        assert raised.tb is not None


def test_a_file_without_certificates(server: Server, pki: Path) -> None:
    wanted = settings(server, pki / "ca.key")
    with pytest.raises(errors.InputError, match="holds no certificates"):
        connection.open_connection(wanted, wanted.hosts[0])


def test_the_directory_of_a_task_does_not_connect_before_it_is_used() -> None:
    params = {"directory_hosts": ["nohost.invalid"], "directory_user": "svc", "directory_password": "secret"}
    connect_directory(params).close()


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HAS_LDAP3", False)
    with pytest.raises(errors.MissingLibrary, match="ldap3"):
        connect_directory({})


def test_the_library_for_kerberos_is_needed_for_kerberos_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kerberos, "HAS_GSSAPI", False)
    params = {"directory_hosts": ["dc1"], "directory_user": "svc", "directory_password": "secret"}
    connect_directory(params)
    with pytest.raises(errors.MissingLibrary, match="gssapi"):
        connect_directory({**params, "directory_transport": "kerberos"})
