# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading and writing LDAP's bytes, against ldap3's own reading and writing of them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import ber, entries, filters, messages
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.ber import Malformed
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.channel import Answer, Channel, Lost
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.entries import EntryReader
from directory_wire import (
    PAGED,
    Step,
    encoded_filter,
    entry_operation,
    message,
    read_request,
    referral_row,
    result_operation,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from ldap3.operation.search import raw_attributes_to_dict_fast
from ldap3.utils.asn1 import decode_message_fast, encode

NAMES = st.sampled_from(
    [
        "mail",
        "proxyAddresses",
        "objectGUID",
        "extensionAttribute1",
        "proxyAddresses;range=0-1499",
        "cn;lang-de",
        "x" * 200,
    ]
)
VALUES = st.lists(st.one_of(st.binary(max_size=40), st.binary(min_size=120, max_size=300)), max_size=4)
ROWS = st.tuples(st.text(max_size=150), st.dictionaries(NAMES, VALUES, max_size=6))
READER_NAMES = ("mail", "PROXYADDRESSES", "objectGUID", "extensionAttribute1")


def in_long_form(data: bytes) -> bytes:
    """The same elements with the lengths of sequences and sets in five bytes, as Active Directory writes them."""
    out, position = b"", 0
    while position < len(data):
        tag, start, position = ber.header(data, position, len(data))
        content = data[start:position]
        if tag in (ber.SEQUENCE, ber.SET):
            content = in_long_form(content)
            out += bytes((tag, 0x84)) + len(content).to_bytes(4, "big") + content
        else:
            out += ber.tlv(tag, content)
    return out


def operation_of(data: bytes) -> bytes:
    """The content of the operation of a message."""
    start, end = ber.expect(data, 0, len(data), ber.SEQUENCE)
    _start, at = ber.expect(data, start, end, ber.INTEGER)
    _tag, start, stop = ber.header(data, at, end)
    return data[start:stop]


def theirs(data: bytes) -> tuple[str, dict[str, tuple[bytes, ...]]]:
    """An entry as ldap3 reads it, less the attributes without a value."""
    (_class, _constructed, _tag, name), attributes = decode_message_fast(data)["payload"]
    raw = raw_attributes_to_dict_fast(attributes[3])
    return name.decode("utf-8"), {key: tuple(values) for key, values in raw.items() if values}


def ours(reader: EntryReader, body: bytes) -> tuple[str, dict[str, tuple[bytes, ...]]]:
    dn, values, others = reader.read(body)
    asked = {name.lower(): name for name in READER_NAMES}
    assert not [name for name in values if name.lower() in asked and name != asked[name.lower()]]
    assert all(";" in name for name in others)
    proper = {"PROXYADDRESSES": "proxyAddresses"}
    return dn, {proper.get(name, name): found for name, found in {**values, **others}.items()}


@given(st.lists(ROWS, min_size=1, max_size=6))
def test_entries_are_read_as_ldap3_reads_them(rows: list[tuple[str, dict[str, list[bytes]]]]) -> None:
    reader, long_reader = EntryReader(READER_NAMES), EntryReader(READER_NAMES)
    for dn, values in rows * 2:
        data = message(7, "searchResEntry", entry_operation(dn, values))
        body = operation_of(data)
        assert ours(reader, body) == theirs(data)
        assert ours(long_reader, in_long_form(body)) == theirs(data)


@given(ROWS, st.data())
def test_bytes_that_are_no_entry_are_an_error(row: tuple[str, dict[str, list[bytes]]], data: st.DataObject) -> None:
    """Whatever was changed: either it still is an entry, or Malformed (a ValueError); nothing else, and no hang."""
    reader = EntryReader(READER_NAMES)
    body = operation_of(message(7, "searchResEntry", entry_operation(*row)))
    reader.read(body)
    for changed in (body, in_long_form(body)):
        broken = bytearray(changed)
        for _time in range(data.draw(st.integers(1, 3))):
            broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
        cut = bytes(broken[: data.draw(st.integers(0, len(broken)))])
        for bad in (bytes(broken), cut):
            try:
                dn, values, others = reader.read(bad)
            except ValueError:
                continue
            assert isinstance(dn, str)
            assert all(
                isinstance(value, bytes) for found in (values, others) for raw in found.values() for value in raw
            )


@given(ROWS, st.integers(0))
def test_a_cut_entry_is_always_an_error(row: tuple[str, dict[str, list[bytes]]], where: int) -> None:
    reader = EntryReader(READER_NAMES)
    body = operation_of(message(7, "searchResEntry", entry_operation(*row)))
    reader.read(body)
    with pytest.raises(ValueError):
        reader.read(body[: where % len(body)])


def test_the_order_of_attributes_is_learned_and_not_relied_on() -> None:
    reader = EntryReader(("a", "b", "c"))
    for names in ("abc", "ac", "cba", "b", "bdac", "", "abcd"):
        rows = {name: [name.encode(), b"2"] for name in names}
        _dn, values, _others = reader.read(bytes(ber.octets(b"CN=x")) + attributes(rows))
        assert values == {name: (name.encode(), b"2") for name in names}


@pytest.mark.parametrize("first", [("ac", "abc"), ("c", "bc", "abc"), ("a", "c", "b"), ("abd", "acd")])
def test_an_order_that_was_seen_once_is_expected_from_then_on(
    first: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the first objects lack some attributes: what is not expected takes twice the time."""
    reader = EntryReader(("a", "b", "c", "d"))
    unexpected: list[int] = []
    without_expectation = reader._any

    def counted(*arguments: Any) -> tuple[int, int]:
        unexpected.append(1)
        return without_expectation(*arguments)

    monkeypatch.setattr(reader, "_any", counted)
    for names in (*first, "abcd", "abcd", "acd", "bd", "abcd"):
        before = len(unexpected)
        reader.read(bytes(ber.octets(b"CN=x")) + attributes({name: [b"1"] for name in names}))
    assert len(unexpected) == before
    assert len(unexpected) <= 8, "each attribute once to know it, and once to learn its place"


def attributes(rows: dict[str, list[bytes]]) -> bytes:
    return ber.tlv(
        ber.SEQUENCE,
        b"".join(
            ber.tlv(ber.SEQUENCE, ber.octets(name.encode()) + ber.tlv(ber.SET, b"".join(map(ber.octets, raw))))
            for name, raw in rows.items()
        ),
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x04\x01a",
        b"\x04\x01a\x30\x00\x00",
        b"\x04\x01\xff\x30\x00",
        b"\x02\x01a\x30\x00",
        ber.octets(b"a") + ber.tlv(ber.SEQUENCE, ber.tlv(ber.SET, b"")),
        ber.octets(b"a") + ber.tlv(ber.SEQUENCE, ber.tlv(ber.SEQUENCE, ber.octets(b"mail") + ber.octets(b"x"))),
        ber.octets(b"a") + ber.tlv(ber.SEQUENCE, ber.tlv(ber.SEQUENCE, ber.octets(b"mail") + b"\x31\x03\x04\x05x")),
        ber.octets(b"a") + ber.tlv(ber.SEQUENCE, ber.tlv(ber.SEQUENCE, ber.octets(b"mail") + b"\x31\x80\x00\x00")),
        ber.octets(b"a") + ber.tlv(ber.SEQUENCE, ber.tlv(ber.SEQUENCE, ber.octets(b"mail") + b"\x31\x00\x04\x00")),
    ],
)  # fmt: skip
def test_malformed_entries(body: bytes) -> None:
    fresh, taught = EntryReader(("mail",)), EntryReader(("mail",))
    taught.read(ber.octets(b"a") + attributes({"mail": [b"x"]}))
    for reader in (fresh, taught):
        with pytest.raises(ValueError):
            reader.read(body)


class Pieces:
    """A stream that gives what comes in pieces of the given sizes."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self.data, self.sizes, self.sent = data, sizes, b""

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def recv(self, size: int) -> bytes:
        take = min(size, self.sizes.pop(0) if self.sizes else size)
        piece, self.data = self.data[:take], self.data[take:]
        return piece

    def close(self) -> None: ...


def received(channel: Channel, message_id: int) -> Answer:
    return channel.wait(message_id)


@settings(max_examples=60)
@given(
    st.lists(st.one_of(ROWS, st.none()), max_size=5),
    st.lists(st.integers(1, 60), max_size=400),
    st.binary(max_size=20),
    st.integers(0, 80),
)
def test_messages_are_put_together_however_they_are_cut(rows: Any, sizes: list[int], cookie: bytes, code: int) -> None:
    """Entries, references and the end of two searches, mixed, cut at any byte."""
    first, second, expected = b"", b"", []
    for row in rows:
        if row is None:
            first += message(1001, *referral_row())
        else:
            data = message(1001, "searchResEntry", entry_operation(*row))
            expected.append(theirs(data))
            first += data + message(1002, "searchResEntry", entry_operation(*row))
    first += message(1001, "searchResDone", result_operation("searchResDone", code, "text"), cookie)
    second = message(1002, "searchResDone", result_operation("searchResDone", 0))
    channel = Channel(Pieces(first + second, sizes))
    ids = [channel.send(messages.search_request("", "base", filters.encode("(a=b)"), ())) for _time in range(2)]
    assert ids == [1001, 1002]
    answer = channel.wait(1001)
    assert [ours(EntryReader(READER_NAMES), body) for body in answer.entries] == expected
    assert answer.result() == messages.Result(code, "", "text", (), cookie)
    other = channel.wait(1002)
    assert other.entries == answer.entries
    assert other.result().code == 0


@given(st.binary(min_size=1, max_size=60), st.lists(st.integers(1, 5), max_size=60))
def test_noise_is_never_taken_for_an_answer_and_never_waited_for(noise: bytes, sizes: list[int]) -> None:
    channel = Channel(Pieces(noise, sizes))
    channel.send(messages.modify_request("CN=a", []))
    try:
        channel.wait(1001)
    except (Malformed, Lost):
        assert channel.lost


@pytest.mark.parametrize(
    "data", [b"\x30\x80\x00\x00", b"\x30\xff" + bytes(200), b"\x30\x84\xff\xff\xff\xff", b"HTTP/1.1"]
)
def test_a_length_that_cannot_be_is_not_waited_for(data: bytes) -> None:
    channel = Channel(Pieces(data, []))
    with pytest.raises(Malformed):
        channel.receive()
    with pytest.raises(Lost, match="no LDAP"):
        channel.send(b"")


def test_an_answer_to_nothing_is_an_error() -> None:
    channel = Channel(Pieces(message(1003, "modifyResponse", result_operation("modifyResponse", 0)), []))
    channel.send(messages.modify_request("CN=a", []))
    with pytest.raises(Malformed, match="1003"):
        channel.receive()


def test_a_server_that_says_good_bye() -> None:
    """Notice of disconnection (RFC 4511, 4.4.1)."""
    notice = ber.integer(52, ber.ENUMERATED) + ber.octets(b"") + ber.octets(b"going down")
    notice += ber.tlv(0x8A, b"1.3.6.1.4.1.1466.20036")
    channel = Channel(Pieces(messages.message(0, ber.tlv(messages.EXTENDED_RESPONSE, notice)), []))
    channel.send(messages.modify_request("CN=a", []))
    with pytest.raises(Lost, match="result 52 going down"):
        channel.receive()
    assert channel.lost


def test_a_referral_names_its_server() -> None:
    body = ber.integer(10, ber.ENUMERATED) + ber.octets(b"") + ber.octets("größe".encode()[:4])
    body += ber.tlv(0xA3, ber.octets(b"ldap://child.contoso.lab/DC=child"))
    assert messages.read_result(body).referrals == ("ldap://child.contoso.lab/DC=child",)


@given(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
def test_integers(number: int, size: int) -> None:
    request = read_request(messages.message(number, messages.modify_request("CN=a", [])))
    assert request.id == number
    paged = messages.message(
        1, messages.search_request("", "base", filters.encode("(a=b)"), ()), messages.paged_control(size, b"c")
    )
    request = read_request(paged)
    assert (request.paged_size, request.cookie) == (size, b"c")
    assert PAGED == messages.PAGED


@given(
    st.text(max_size=300),
    st.lists(
        st.tuples(st.sampled_from(["add", "delete", "replace"]), st.lists(st.binary(max_size=300), max_size=3)),
        max_size=4,
    ),
)
def test_modify_requests_are_what_ldap3_reads(dn: str, steps: list[tuple[str, list[bytes]]]) -> None:
    changes = [Step(op, "mail", tuple(values)) for op, values in steps]
    request = read_request(messages.message(5, messages.modify_request(dn, changes)))
    assert request.fields["entry"] == dn
    numbers = {"add": 0, "delete": 1, "replace": 2}
    assert [
        (change["operation"], change["attribute"]["type"]) for change in request.fields["changes"]
    ] == [(numbers[op], "mail") for op, _values in steps]  # fmt: skip
    raw = messages.modify_request(dn, changes)
    assert all(value in raw for _op, values in steps for value in values)


ESCAPED = st.binary(max_size=20).map(lambda raw: "".join(f"\\{byte:02x}" for byte in raw))
# ldap3 strips white space from values, which RFC 4515 does not ask for.
PLAIN = st.text(
    st.characters(blacklist_characters="()*\\:", blacklist_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=20
)
VALUE = st.one_of(PLAIN, ESCAPED.filter(bool))
ATTRIBUTE = st.sampled_from(["mail", "proxyAddresses", "mS-DS-ConsistencyGuid", "cn;lang-de", "1.2.840.113556.1.4.7"])
ITEM = st.one_of(
    st.builds("({}={})".format, ATTRIBUTE, VALUE),
    st.builds("({}>={})".format, ATTRIBUTE, VALUE),
    st.builds("({}<={})".format, ATTRIBUTE, VALUE),
    st.builds("({}~={})".format, ATTRIBUTE, VALUE),
    st.builds("({}=*)".format, ATTRIBUTE),
    st.builds("({}={}*{}*{})".format, ATTRIBUTE, VALUE, VALUE, VALUE),
    st.builds("({}=*{})".format, ATTRIBUTE, VALUE),
    st.builds("({}={}*)".format, ATTRIBUTE, VALUE),
)
FILTER = st.recursive(
    ITEM,
    lambda inner: st.one_of(
        st.builds("(&{}{})".format, inner, inner),
        st.builds("(|{})".format, st.lists(inner, min_size=1, max_size=4).map("".join)),
        st.builds("(!{})".format, inner),
    ),
    max_leaves=8,
)


@given(FILTER)
def test_filters_are_what_ldap3_makes_of_them(text: str) -> None:
    assert filters.encode(text) == encoded_filter(text)


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("(userAccountControl:1.2.840.113556.1.4.803:=2)",
         "a9 2f 81 16 312e322e3834302e3131333535362e312e342e383033 82 12 75736572416363"
         "6f756e74436f6e74726f6c 83 01 32"),
        ("(cn:dn:2.4.6:=x)", "a9 11 81 05 322e342e36 82 02 636e 83 01 78 84 01 ff"),
        ("(:dn:2.4.6:=x)", "a9 0d 81 05 322e342e36 83 01 78 84 01 ff"),
        ("(cn:=x)", "a9 07 82 02 636e 83 01 78"),
        ("(objectClass=*)", "87 0b 6f626a656374436c617373"),
    ],
)  # fmt: skip
def test_filters_by_hand(text: str, encoded: str) -> None:
    """RFC 4515, 4, and RFC 4511, 4.5.1.7.7: ldap3 writes matching rules another way."""
    expected = bytearray.fromhex(encoded)
    expected[1] = len(expected) - 2
    assert filters.encode(text) == bytes(expected)


@pytest.mark.parametrize(
    "text",
    ["", "a=b", "(a=b", "(a=b))", "(a=b)x", "(=b)", "(a>b)", "(&(a=b)", "(!(a=b)(c=d))", "(!)", "(a=b\\4)", "(a=\\zz)",
     "(a>=*b)", "(a=**)", "(a:b:c:=d)", "(:=d)", "(a:1:>=d)", "(!" * 60 + "(a=b)" + ")" * 60, "(a=(b))", "(a b=c)"],
)  # fmt: skip
def test_wrong_filters_are_named(text: str) -> None:
    with pytest.raises(errors.InputError, match="The search filter is wrong at character"):
        filters.encode(text)


def test_what_ldap3_writes_is_what_is_read() -> None:
    """The fixtures themselves: an entry from ldap3 holds what was put in."""
    data = bytes(encode(entry_operation("CN=a", {"mail": [b"x"]})))
    _tag, start, _stop = ber.header(data, 0, len(data))
    assert entries.EntryReader(()).read(data[start:]) == ("CN=a", {"mail": (b"x",)}, {})
