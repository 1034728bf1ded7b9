# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Selections and the files they name."""

from __future__ import annotations

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import (
    Selection,
    from_params,
    read_identities,
)


def file(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", "anna@x\n# a comment\n\n  bert@x  # beside\nANNA@X\n", ("anna@x", "bert@x")),
        ("a.txt", b"\xef\xbb\xbfanna@x\r\nbert@x", ("anna@x", "bert@x")),
        ("a.txt", "anna@x\n".encode("utf-16"), ("anna@x",)),
        ("a.txt", "j#1@x\n", ("j#1@x",)),
        ("a.csv", "UserPrincipalName,Name\nanna@x,Anna\nbert@x,\n\n", ("anna@x", "bert@x")),
        ("a.csv", b"\xef\xbb\xbfName;userprincipalname\r\n\xc3\x84nne;anna@x\r\n", ("anna@x",)),
        ("a.csv", 'Name,PrimarySmtpAddress\n"B, Bert",bert@x\n', ("bert@x",)),
        ("a.csv", 'UserPrincipalName,Note\nanna@x,"two\nlines"\nbert@x,n\n', ("anna@x", "bert@x")),
        ("a.tsv", "id\tx\n1\t2\n", ("1",)),
        ("a.yml", "- anna@x\n- UserPrincipalName: bert@x\n  Name: B\n", ("anna@x", "bert@x")),
        ("a.yaml", "- 2b3c4d5e-0000-4000-8000-000000000001\n", ("2b3c4d5e-0000-4000-8000-000000000001",)),
        ("a.json", '["anna@x", {"mail": "bert@x"}]', ("anna@x", "bert@x")),
    ],
)
def test_read_identities(tmp_path, name, content, expected):
    assert read_identities(file(tmp_path, name, content)) == expected


def test_a_named_column_wins(tmp_path):
    path = file(tmp_path, "a.csv", "UserPrincipalName,Other\nanna@x,1\n")
    assert read_identities(path, "other") == ("1",)
    path = file(tmp_path, "a.yml", "- {mail: a@x, upn: b@x}\n")
    assert read_identities(path, "UPN") == ("b@x",)


@pytest.mark.parametrize(
    ("name", "content", "place", "message"),
    [
        ("a.txt", "anna@x\nbert@x, carl@x\n", "2:7", "one identity per line"),
        ("a.txt", b"anna@x\nb\xe4rt@x\n", "2:2", "not UTF-8"),
        ("a.csv", "UserPrincipalName,Name\nanna@x\n", "2", "1 cells, the header row has 2 columns"),
        ("a.csv", "UserPrincipalName,Name\n\nx@x,X\n,Bert\n", "4:1", "the column UserPrincipalName is empty"),
        ("a.csv", "Name,Age\nAnna,3\n", "1", "it has Name, Age"),
        ("a.csv", 'UserPrincipalName\n"anna@x\n', "2", "not well-formed CSV"),
        ("a.yml", "- anna@x\n- [bert@x]\n", "2:3", "an identity is expected"),
        ("a.yml", "- anna@x\n-\n", "2:2", "an identity is expected"),
        ("a.yml", "- anna@x\n- Name: Bert\n", "2:3", "this entry has no UserPrincipalName"),
        ("a.yml", "users:\n- anna@x\n", "1:1", "a list of identities is expected"),
        ("a.yml", "- anna@x\n- 'bert\n", "3:1", "not well-formed YAML"),
        ("a.yml", "- anna@x\n- a: b: c\n", "2:7", "not well-formed YAML"),
    ],
)
def test_bad_files_name_the_place(tmp_path, name, content, place, message):
    path = file(tmp_path, name, content)
    with pytest.raises(InputError) as caught:
        read_identities(path)
    assert caught.value.message.startswith(f"{path}:{place}: ")
    assert message in caught.value.message
    assert caught.value.facts["file"] == str(path)
    line, _colon, column = place.partition(":")
    assert caught.value.facts["line"] == int(line)
    assert caught.value.facts.get("column") == (int(column) if column else None)


def test_a_missing_column_is_named(tmp_path):
    path = file(tmp_path, "a.csv", "UserPrincipalName\nanna@x\n")
    with pytest.raises(InputError, match="no column Nope; it has UserPrincipalName"):
        read_identities(path, "Nope")
    with pytest.raises(InputError, match="has no columns"):
        read_identities(file(tmp_path, "a.txt", "anna@x"), "Nope")


@pytest.mark.parametrize(("name", "content"), [("a.txt", "# none\n"), ("a.csv", ""), ("a.csv", "id\n"), ("a.yml", "")])
def test_an_empty_file_is_an_error_unless_meant(tmp_path, name, content):
    path = file(tmp_path, name, content)
    with pytest.raises(InputError, match="no identity in this file"):
        read_identities(path)
    assert read_identities(path, allow_empty=True) == ()


def test_an_unreadable_file_is_an_error(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_identities(tmp_path / "none.txt")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"identities": ["a@x", " A@X ", "b@x"]}, Selection("identities", ("a@x", "b@x"))),
        ({"identities": ["a@x", "b@x"], "exclude": ["B@X"]}, Selection("identities", ("a@x",), frozenset({"b@x"}))),
        ({"group": " wave 1 "}, Selection("group", "wave 1")),
        ({"filter": "a -eq 'b'", "all_mailboxes": False}, Selection("filter", "a -eq 'b'")),
        ({"organizational_unit": "OU=a"}, Selection("organizational_unit", "OU=a")),
        (
            {"all_mailboxes": True, "exclude": ["A@X", " "], "allow_empty": True},
            Selection("all", None, frozenset({"a@x"}), True),
        ),
        ({"identities": [], "allow_empty": True}, Selection("identities", (), frozenset(), True)),
    ],
)
def test_from_params(params, expected):
    assert from_params(params) == expected


def test_from_params_reads_the_file(tmp_path):
    path = file(tmp_path, "w.csv", "upn,x\na@x,1\nb@x,2\n")
    found = from_params({"identities_file": str(path), "identities_column": "upn", "exclude": ["a@x"]})
    assert found.value == ("b@x",)
    assert found.describe() == "1 identities"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "none is given"),
        ({"all_mailboxes": False}, "none is given"),
        ({"identities": ["a"], "group": "g"}, "not identities and group"),
        ({"filter": "x", "all_mailboxes": True}, "not filter and all_mailboxes"),
        ({"identities": []}, "it is an empty list"),
        ({"identities": ["a"], "exclude": ["A"]}, "exclude leaves nothing"),
    ],
)
def test_from_params_wants_exactly_one_way(params, message):
    with pytest.raises(InputError, match=message):
        from_params(params)
