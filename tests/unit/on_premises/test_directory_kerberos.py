# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Encryption with Kerberos: framing and sign-in, with a stand-in for the GSSAPI library."""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import kerberos
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.kerberos import SealedStream
from hypothesis import given
from hypothesis import strategies as st

OVERHEAD = 3


class GSSError(Exception):
    pass


@dataclass
class Message:
    message: bytes
    encrypted: bool = True


@dataclass
class Context:
    """Wraps by turning bytes round; ``offer`` is what the server says of its layers."""

    steps: list[Any] = field(default_factory=lambda: [b"ticket", b""])
    encrypts: bool = True

    @property
    def complete(self) -> bool:
        return not self.steps

    def step(self, token: bytes | None = None) -> bytes | None:
        found = self.steps.pop(0)
        if isinstance(found, Exception):
            raise found
        return bytes(found)

    def get_wrap_size_limit(self, limit: int, encrypted: bool) -> int:
        assert encrypted
        return limit - OVERHEAD

    def wrap(self, data: bytes, encrypt: bool) -> Message:
        return Message(b"<" + (b"e" if encrypt else b"p") + data[::-1] + b">", encrypt)

    def unwrap(self, token: bytes) -> Message:
        if token[:1] + token[-1:] != b"<>":
            raise GSSError("integrity")
        return Message(token[2:-1][::-1], self.encrypts and token[1:2] == b"e")


@dataclass
class Stream:
    coming: list[bytes] = field(default_factory=list)
    sent: bytes = b""
    closed: bool = False

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def recv(self, size: int) -> bytes:
        return self.coming.pop(0) if self.coming else b""

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kerberos, "gssapi_errors", lambda: (GSSError,))


def frame(token: bytes) -> bytes:
    return len(token).to_bytes(4, "big") + token


def frames(data: bytes) -> list[bytes]:
    found = []
    while data:
        length = int.from_bytes(data[:4], "big")
        found.append(data[4 : 4 + length])
        assert len(found[-1]) == length
        data = data[4 + length :]
    return found


@given(st.binary(max_size=500), st.integers(OVERHEAD + 1, 100))
def test_what_is_sent_is_wrapped_in_frames_that_the_server_takes(data: bytes, limit: int) -> None:
    stream, context = Stream(), Context()
    SealedStream(stream, context, limit).sendall(data)
    tokens = frames(stream.sent)
    assert all(len(token) <= limit for token in tokens)
    assert all(token[1:2] == b"e" for token in tokens), "encrypted, not only signed"
    assert b"".join(context.unwrap(token).message for token in tokens) == data


@given(st.lists(st.binary(max_size=50), max_size=8), st.lists(st.integers(1, 20), max_size=60))
def test_what_is_received_is_unwrapped_however_it_is_cut(parts: list[bytes], sizes: list[int]) -> None:
    context = Context()
    data = b"".join(frame(context.wrap(part, True).message) for part in parts)
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    stream = Stream([piece for piece in [*pieces, data] if piece])
    sealed = SealedStream(stream, context, 1000)
    received = b""
    while piece := sealed.recv(4096):
        received += piece
    assert received == b"".join(parts)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x01\x00\x00\x00rest", "longer than agreed"),
        (frame(b"tampered"), "changed on its way"),
        (frame(b"<pdnuos>"), "signed but not encrypted"),
        (b"\x00\x00\x00\x09<eab", "in the middle"),
        (b"\x00\x00", "in the middle"),
    ],
)
def test_what_is_not_as_agreed_breaks_the_connection(data: bytes, words: str) -> None:
    with pytest.raises(ConnectionError, match=words):
        SealedStream(Stream([data]), Context(), 1000).recv(4096)


def test_closing_closes_the_stream() -> None:
    stream = Stream()
    SealedStream(stream, Context(), 1000).close()
    assert stream.closed


def test_a_server_with_too_small_a_limit() -> None:
    with pytest.raises(ConnectionError, match="takes no wrapped messages"):
        SealedStream(Stream(), Context(), OVERHEAD)


@dataclass
class Library:
    """The parts of gssapi that are used, and what they were called with."""

    context: Context
    asked: dict[str, Any] = field(default_factory=dict)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def security_context(**options: Any) -> Context:
            self.asked.update(options)
            return self.context

        def credentials(**options: Any) -> Any:
            return options

        def acquire(name: Any, password: bytes, **options: Any) -> Any:
            return types.SimpleNamespace(creds=("by password", name, password))

        flags = types.SimpleNamespace(
            mutual_authentication=2, confidentiality=16, integrity=32, replay_detection=4, out_of_sequence_detection=8
        )
        stand_in = types.SimpleNamespace(
            SecurityContext=security_context,
            Credentials=credentials,
            Name=lambda text, kind: (text, kind),
            NameType=types.SimpleNamespace(hostbased_service="service", kerberos_principal="principal"),
            MechType=types.SimpleNamespace(kerberos="krb5"),
            RequirementFlag=flags,
        )
        monkeypatch.setattr(kerberos, "gssapi", stand_in, raising=False)
        monkeypatch.setattr(kerberos, "acquire_cred_with_password", acquire, raising=False)


def sign_in(
    monkeypatch: pytest.MonkeyPatch,
    context: Context,
    offer: bytes,
    user: str | None = None,
    password: str | None = None,
) -> tuple[SealedStream, list[bytes], dict[str, Any]]:
    library = Library(context)
    library.install(monkeypatch)
    sent: list[bytes] = []
    answers = [b"mutual", context.wrap(offer, False).message, b""]

    def exchange(token: bytes) -> bytes:
        sent.append(token)
        return answers[len(sent) - 1]

    return kerberos.seal(Stream(), "dc1.contoso.lab", user, password, exchange), sent, library.asked


def test_signing_in_chooses_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed, sent, asked = sign_in(monkeypatch, Context(), b"\x07\x00\x00\x20")
    assert sent == [b"ticket", b"", Context().wrap(b"\x04\xff\xff\xff", False).message]
    assert asked["name"] == ("ldap@dc1.contoso.lab", "service")
    assert asked["creds"] is None
    assert set(asked["flags"]) == {2, 4, 8, 16, 32}
    sealed.sendall(b"x" * 40)
    assert isinstance(sealed._stream, Stream)
    assert [len(token) for token in frames(sealed._stream.sent)] == [32, 14]


@pytest.mark.parametrize(
    ("user", "password", "creds"),
    [
        ("svc@C", None, {"name": ("svc@C", "principal"), "usage": "initiate", "mechs": ["krb5"]}),
        ("svc@C", "pässword", {"base": ("by password", ("svc@C", "principal"), "pässword".encode())}),
    ],
)
def test_whose_ticket(monkeypatch: pytest.MonkeyPatch, user: str, password: str | None, creds: Any) -> None:
    _sealed, _sent, asked = sign_in(monkeypatch, Context(), b"\x04\x00\xff\xff", user, password)
    assert asked["creds"] == creds


@pytest.mark.parametrize("offer", [b"\x01\x00\x00\x00", b"\x03\x00\xff\xff", b"", b"\x04\x00\x00\x00\x00"])
def test_a_server_that_does_not_encrypt_is_refused(monkeypatch: pytest.MonkeyPatch, offer: bytes) -> None:
    with pytest.raises(errors.AuthenticationError, match="does not offer encryption"):
        sign_in(monkeypatch, Context(), offer)


def test_no_ticket(monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context(steps=[GSSError("Server not found in Kerberos database")])
    with pytest.raises(errors.AuthenticationError, match=r"credential cache in to dc1.*Server not found") as failed:
        sign_in(monkeypatch, context, b"")
    assert "full name" in failed.value.message
    assert failed.value.facts["code"] == "sign_in"
