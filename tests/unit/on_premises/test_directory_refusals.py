# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a change was refused: what the answer leaves open is asked of the directory."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from directory_wire import CHANGE, Step, directory, encoded_filter, entry, lost

SCHEMA = {"schemaNamingContext": [b"CN=Schema"]}
UNKNOWN = [
    Step("replace", "msExchNew", (b"x",)),
    Step("replace", "mail", (b"x",)),
    Step("add", "extensionAttribute1", ()),
]


def refused(*script: Any, changes: Any = None) -> tuple[errors.HybridError, list[Any]]:
    found, servers = directory(list(script))
    ((_key, error),) = found.modify_many([(1, "CN=a", CHANGE if changes is None else changes)])
    assert error is not None
    return error, servers.wires[0].asked


@pytest.mark.parametrize("code", [50, 53])
@pytest.mark.parametrize("value", [b"Cloud", b"cloud"])
def test_an_object_that_the_cloud_owns(code: int, value: bytes) -> None:
    row = entry("CN=a", **{"msDS-ObjectSoa": [value], "adminCount": [b"1"]})
    error, asked = refused((code, [], None), (0, [row], None))
    assert isinstance(error, errors.PermissionDenied)
    assert error.facts["code"] == "object_soa"
    assert "CN=SOA-Policies" in error.message
    assert asked[1].fields["attributes"] == ["adminCount", "msDS-ObjectSoa"]


def test_an_unwilling_server_stays_unwilling_where_nothing_explains_it() -> None:
    error, _asked = refused((53, [], None), (0, [entry("CN=a", adminCount=[b"1"])], None))
    assert isinstance(error, errors.Conflict)
    assert error.facts["code"] == "unwilling"
    assert "AdminSDHolder" not in error.message


@pytest.mark.parametrize(
    ("version", "words"),
    [([b"17003"], "has version 17003 of the Exchange schema"), (None, "never extended for Exchange")],
)
def test_an_attribute_of_exchange_that_the_schema_lacks(version: list[bytes] | None, words: str) -> None:
    error, asked = refused(
        (17, [], None),
        (0, [entry("", **SCHEMA)], None),
        (0, [entry("CN=mail", lDAPDisplayName=[b"MAIL"])], b""),
        (0, [entry("", **SCHEMA)], None),
        (0, [entry("CN=v", rangeUpper=version)], None) if version else (32, [], None),
        changes=UNKNOWN,
    )
    assert error.facts["code"] == "schema_missing"
    assert error.facts["attributes"] == ["msExchNew", "extensionAttribute1"]
    assert error.facts["exchange_schema_version"] == (version[0].decode() if version else None)
    assert "lacks msExchNew, extensionAttribute1" in error.message
    assert words in error.message
    assert "PrepareSchema" in error.message
    names = "(lDAPDisplayName=msExchNew)(lDAPDisplayName=mail)(lDAPDisplayName=extensionAttribute1)"
    assert asked[2].filter == encoded_filter(f"(&(objectClass=attributeSchema)(|{names}))")
    assert asked[4].fields["base"] == "CN=ms-Exch-Schema-Version-Pt,CN=Schema"


def test_an_attribute_of_windows_that_the_schema_lacks() -> None:
    error, _asked = refused(
        (17, [], None),
        (0, [entry("", **SCHEMA)], None),
        (0, [], b""),
        changes=[Step("replace", "msDS-ExternalDirectoryObjectId", (b"x",))],
    )
    assert error.facts["attributes"] == ["msDS-ExternalDirectoryObjectId"]
    assert "adprep" in error.message
    assert "PrepareSchema" not in error.message


def test_the_schema_is_asked_once_for_many_objects() -> None:
    found, servers = directory(
        [
            (65, [], None),
            (65, [], None),
            (0, [entry("", **SCHEMA)], None),
            (0, [entry("CN=m", lDAPDisplayName=[b"mail"])], b""),
        ]
    )
    results = list(found.modify_many([(number, f"CN={number}", CHANGE) for number in (1, 2)]))
    assert [error is not None and error.facts["code"] for _key, error in results] == ["schema_missing"] * 2
    assert [request.kind for request in servers.wires[0].asked].count("searchRequest") == 2


def test_a_refusal_is_kept_where_the_directory_cannot_be_asked() -> None:
    found, _servers = directory([(50, [], None), lost()], errors.AuthenticationError("locked out"))
    ((_key, error),) = found.modify_many([(1, "CN=a", CHANGE)])
    assert isinstance(error, errors.PermissionDenied)
    assert error.facts["code"] == "access_denied"
