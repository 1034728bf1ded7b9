# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wire itself: certificates, cut connections, credentials of the environment. Loopback only."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.transport import ConnectionLost, Transport
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import AuthenticationError, InputError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Seen: %s\r\nConnection: close\r\n\r\n{}"


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


class Server:
    """Answers each connection once; a cut one is closed after the request was read."""

    def __init__(self, pem: Path, cut: bool = False) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.socket.getsockname()[1]}/x"
        self.cut = cut
        self.requests: list[bytes] = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _address = self.socket.accept()
            except OSError:
                return
            try:
                with self.context.wrap_socket(plain, server_side=True) as connection:
                    request = connection.recv(65536)
                    self.requests.append(request)
                    if self.cut:
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{")
                    else:
                        connection.sendall(ANSWER % b"yes")
            except OSError:
                continue

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return certificate(tmp_path)


@pytest.fixture
def server(pem: Path) -> Iterator[Server]:
    running = Server(pem)
    yield running
    running.close()


def test_a_trusted_service_answers(server: Server, pem: Path) -> None:
    answer = Transport(str(pem), 5).send("GET", server.url, {}, token="abc")
    assert answer.status == 200
    assert answer.headers["x-seen"] == "yes"
    assert b"Authorization: Bearer abc" in server.requests[0]


def test_an_untrusted_certificate_is_a_plain_error_and_nothing_is_sent(server: Server) -> None:
    with pytest.raises(AuthenticationError, match="is not trusted") as caught:
        Transport(None, 5).send("POST", server.url, {}, b"secret")
    assert "ca_path" in caught.value.message
    assert server.requests == []


def test_the_environment_cannot_weaken_or_replace_the_given_authority(
    server: Server, pem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate(folder)))
    assert Transport(str(pem), 5).send("GET", server.url, {}).status == 200


def test_a_netrc_file_does_not_replace_the_token(
    server: Server, pem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password wrong\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    Transport(str(pem), 5).send("GET", server.url, {}, token="abc")
    assert b"Authorization: Bearer abc" in server.requests[0]
    assert b"Basic" not in server.requests[0]


def test_a_cut_connection_is_lost(pem: Path) -> None:
    server = Server(pem, cut=True)
    try:
        with pytest.raises(ConnectionLost, match="connection to"):
            Transport(str(pem), 5).send("GET", server.url, {})
    finally:
        server.close()


def test_nobody_there_is_lost(pem: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    with pytest.raises(ConnectionLost):
        Transport(str(pem), 5).send("GET", f"https://127.0.0.1:{port}/", {})


def test_a_missing_authority_file_is_an_input_error(server: Server) -> None:
    with pytest.raises(InputError, match="ca_path"):
        Transport("/nowhere/ca.pem", 5).send("GET", server.url, {})
