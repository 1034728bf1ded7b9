# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Result codes become errors in plain words; the texts are as domain controllers and Samba send them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import ldap_errors, ranges, text_forms
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.messages import Result

SOA_TEXT = "00002098: the object is restricted by its msDS-ObjectSoa"


@pytest.mark.parametrize(
    ("code", "text", "kind", "word", "words"),
    [
        (16, "no matching attribute value", errors.Conflict, "conflict", "is gone"),
        (16, "00000057: LdapErr: DSID-0C090D8A, comment: Error in attribute conversion operation, data 0, v4563",
         errors.Conflict, "schema_missing", "schema has no such attribute"),
        (16, "attribute 'x' on entry 'CN=a' was not found in the schema!",
         errors.Conflict, "schema_missing", "schema has no such"),
        (17, "", errors.Conflict, "schema_missing", "schema has no such"),
        (19, "00002082: AtrErr", errors.Conflict, "constraint", "breaks a rule of the directory"),
        (20, "", errors.Conflict, "conflict", "is there"),
        (21, "", errors.Conflict, "constraint", "form"),
        (32, "", errors.NotFound, "gone", "no such object"),
        (50, "INSUFF_ACCESS_RIGHTS", errors.PermissionDenied, "access_denied", "no permission"),
        (50, SOA_TEXT, errors.PermissionDenied, "object_soa", "ObjectSoa"),
        (53, SOA_TEXT, errors.PermissionDenied, "object_soa", "ObjectSoa"),
        (53, "", errors.Conflict, "unwilling", "unwilling"),
        (65, "", errors.Conflict, "schema_missing", "class"),
        (51, "", errors.Unavailable, "busy", "busy"),
        (52, "", errors.Unavailable, "unavailable", "not available"),
        (8, "", errors.AuthenticationError, "stronger_sign_in", "directory_transport ldaps"),
        (10, "", errors.NotFound, "referral", "not in a domain"),
        (11, "", errors.Unavailable, "limit", "administrative limits"),
        (9999, "", errors.ProtocolError, "protocol", "result 9999"),
    ],
)  # fmt: skip
def test_results(code: int, text: str, kind: type[errors.HybridError], word: str, words: str) -> None:
    error = ldap_errors.result_error("change", "CN=a", Result(code, message=text), host="dc1:636")
    assert error.__class__ is kind
    assert words in error.message
    assert "dc1:636 refused to change CN=a" in error.message
    assert text in error.message
    assert error.facts["ldap_result"] == code
    assert error.facts["code"] == word
    assert error.facts["object"] == "CN=a"


@pytest.mark.parametrize(
    ("data", "words"), [("52e", "password is wrong"), ("532", "expired"), ("533", "disabled"), ("775", "locked out")]
)
def test_a_refused_sign_in_says_why(data: str, words: str) -> None:
    text = f"80090308: LdapErr: DSID-0C090400, comment: AcceptSecurityContext error, data {data}, v1db1"
    error = ldap_errors.sign_in_error("svc@contoso.lab", Result(49, message=text), host="dc1:636")
    assert isinstance(error, errors.AuthenticationError)
    assert words in error.message
    assert "svc@contoso.lab" in error.message


def test_a_sign_in_refused_for_another_reason() -> None:
    error = ldap_errors.sign_in_error("svc", Result(8), host="dc1:389")
    assert "stronger sign-in" in error.message


def test_a_referral_says_where_the_object_is() -> None:
    result = Result(10, referrals=("ldap://child.contoso.lab/CN=a,DC=child",))
    error = ldap_errors.result_error("change", "CN=a", result, host="dc1:636")
    assert "points to ldap://child.contoso.lab/CN=a,DC=child" in error.message
    assert error.facts["referrals"] == ["ldap://child.contoso.lab/CN=a,DC=child"]


@pytest.mark.parametrize(
    ("description", "part"),
    [
        ("proxyAddresses;range=0-1499", ranges.Part("proxyAddresses", 1500)),
        ("proxyAddresses;Range=1500-*", ranges.Part("proxyAddresses", None)),
        ("proxyAddresses", None),
        ("userCertificate;binary", None),
    ],
)
def test_ranges(description: str, part: ranges.Part | None) -> None:
    assert ranges.parse(description) == part


def test_the_domain_of_a_name() -> None:
    assert text_forms.domain_of("OU=DC=x,dc=Emea, DC=contoso,DC=lab") == "emea.contoso.lab"


def test_times() -> None:
    assert text_forms.parse_time("20260803101500.0Z") == datetime(2026, 8, 3, 10, 15, tzinfo=UTC)
    with pytest.raises(errors.ProtocolError, match="not a time"):
        text_forms.parse_time("yesterday")
