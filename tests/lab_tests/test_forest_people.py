# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed's data, without a directory."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import uuid
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.utils.dn import parse_dn

from tests.lab.forest.entries import ascii_name, canonical_dn, child, escape_rdn, split_dn
from tests.lab.forest.people import Kind, people
from tests.lab.forest.recipients import REMOTE_TYPES
from tests.lab.forest.schema import ATTRIBUTES, WRITEBACK_ATTRIBUTES
from tests.lab.forest.tree import BIG_GROUP_SIZE, groups, seed
from tests.lab.settings import CHECKOUT, FORESTS, Forest

CONTOSO = FORESTS[0]
FINGERPRINT = """
import hashlib
from tests.lab.forest.tree import seed
print(hashlib.sha256(repr([(e.dn, e.guid, sorted(e.attributes.items())) for f in ("contoso", "fabrikam")
      for e in seed(f)]).encode()).hexdigest())
"""
names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(str.strip)


@pytest.fixture(params=FORESTS, ids=lambda forest: forest.name)
def forest(request: pytest.FixtureRequest) -> Forest:
    chosen: Forest = request.param
    return chosen


def test_the_seed_is_the_same_in_every_process() -> None:
    def fingerprint(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            [sys.executable, "-c", FINGERPRINT], cwd=CHECKOUT, env=environment, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    assert fingerprint("1") == fingerprint("2")
    assert len(fingerprint("3")) == len(hashlib.sha256().hexdigest())


def test_the_forests_differ() -> None:
    contoso, fabrikam = ({entry.guid for entry in seed(forest.name)} for forest in FORESTS)
    assert not contoso & fabrikam
    assert {p.text("displayName") for p in people("contoso")}.isdisjoint(
        {p.text("displayName") for p in people("fabrikam") if p.kind is Kind.USER}
    )


def test_kinds_of_people(forest: Forest) -> None:
    kinds = Counter(person.kind for person in people(forest.name))
    assert sum(kinds.values()) == 300
    assert kinds[Kind.ON_PREMISES] == 2
    assert min(kinds[kind] for kind in Kind) >= 2
    assert sum(person.protected for person in people(forest.name)) == 3


@pytest.mark.parametrize("name", ["sAMAccountName", "userPrincipalName", "mail", "mailNickname", "legacyExchangeDN"])
def test_names_are_unique_without_regard_to_case(forest: Forest, name: str) -> None:
    values = [v[0].lower() for e in seed(forest.name) for n, v in e.attributes.items() if n == name]
    assert values
    assert len(values) == len(set(values))


def test_a_windows_domain_controller_would_take_the_addresses(forest: Forest) -> None:
    addresses: list[bytes] = []
    for entry in seed(forest.name):
        own = entry.attributes.get("proxyAddresses", ())
        if own:
            assert sum(value.startswith(b"SMTP:") for value in own) == 1, entry.dn
            assert f"SMTP:{entry.attributes['mail'][0].decode()}".encode() in own
        addresses += [value.lower() for value in own]
    assert len(addresses) == len(set(addresses))
    assert {value.partition(b":")[0] for value in addresses} == {b"smtp", b"x500", b"sip"}


def test_values_fit_the_schema(forest: Forest) -> None:
    rows = {attribute.name: attribute for attribute in ATTRIBUTES}
    for entry in seed(forest.name):
        for name, values in entry.attributes.items():
            assert all(values), f"{entry.dn} has an empty {name}"
            row = rows.get(name)
            if row is None:
                continue
            assert not row.single or len(values) == 1
            for value in values:
                length = len(value) if row.syntax.name == "Octet" else len(value.decode())
                if row.syntax.name in ("Unicode", "Octet"):
                    assert (row.lower or 0) <= length <= (row.upper or 100_000), (entry.dn, name)


def test_every_writeback_attribute_has_values_somewhere() -> None:
    used = {name for forest in FORESTS for entry in seed(forest.name) for name in entry.attributes}
    assert {"extensionAttribute1", "extensionAttribute15", "msExchExtensionCustomAttribute1"} <= used
    assert {"msExchRecipientTypeDetails", "msExchRecipientDisplayType", "proxyAddresses", "mail"} <= used
    assert len(WRITEBACK_ATTRIBUTES) == len(set(WRITEBACK_ATTRIBUTES)) == 24


def test_half_of_the_people_have_an_anchor_of_their_own(forest: Forest) -> None:
    own = [person for person in people(forest.name) if "mS-DS-ConsistencyGuid" in person.attributes]
    assert 140 <= len(own) <= 160
    for person in people(forest.name):
        assert base64.b64decode(person.immutable_id) == person.anchor
        if person not in own:
            assert person.anchor == uuid.UUID(person.entry.guid).bytes_le


def test_the_conflict_is_in_one_forest_only() -> None:
    first, second = (person for person in people("contoso") if person.conflict)
    assert first.anchor == second.anchor
    others = Counter(p.anchor for name in ("contoso", "fabrikam") for p in people(name) if not p.conflict)
    assert max(others.values()) == 1
    assert not any(person.conflict for person in people("fabrikam"))


def test_remote_types_agree_with_each_other(forest: Forest) -> None:
    for person in people(forest.name):
        expected = REMOTE_TYPES.get(person.kind)
        if expected is None:
            assert person.text("msExchRemoteRecipientType") is None
            continue
        assert person.text("msExchRecipientTypeDetails") == str(expected.details)
        assert person.text("msExchRecipientDisplayType") == str(expected.display)
        archive = 2 if "msExchArchiveGUID" in person.attributes else 0
        assert int(person.text("msExchRemoteRecipientType") or 0) - archive in (expected.provisioned, expected.migrated)


def test_names_need_escaping_and_carry_accents(forest: Forest) -> None:
    text = "".join(entry.dn for entry in seed(forest.name))
    assert "\\," in text
    assert "'" in text
    assert not text.isascii()
    if forest.name == "contoso":
        assert all(sample in text for sample in ('\\"', "\\+", "OU=\\#Field"))
    else:
        assert all(sample in text for sample in ("\\;", "\\=", "\\\\"))


def test_one_group_has_more_members_than_a_server_returns_at_once() -> None:
    sizes = sorted(len(group.attributes.get("member", ())) for group in groups(CONTOSO))
    assert sizes[-1] == BIG_GROUP_SIZE > 1500
    assert any(b"OU=Groups" in value for g in groups(CONTOSO) for value in g.attributes.get("member", ()))


def test_members_and_managers_exist(forest: Forest) -> None:
    known = {canonical_dn(entry.dn) for entry in seed(forest.name)}
    for entry in seed(forest.name):
        for name in ("member", "manager", "homeMDB", "msExchCoexistenceTransportServers"):
            for value in entry.attributes.get(name, ()):
                assert canonical_dn(value.decode()) in known, (entry.dn, name)


def test_parents_come_before_their_children(forest: Forest) -> None:
    there = ("", "CN=Users,", "CN=Services,CN=Configuration,")  # what every forest has
    seen = {canonical_dn(f"{place}{forest.base_dn}") for place in there}
    for entry in seed(forest.name):
        assert canonical_dn(entry.dn)[1:] in seen, entry.dn
        seen.add(canonical_dn(entry.dn))


@given(names, names)
def test_a_dn_can_be_taken_apart_again(outer: str, inner: str) -> None:
    parent = child("DC=contoso,DC=lab", outer.strip(), "OU")
    dn = child(parent, inner.strip())
    assert split_dn(dn) == (f"CN={escape_rdn(inner.strip())}", parent)
    parts = canonical_dn(dn)
    assert [name for name, _unused in parts] == ["cn", "ou", "dc", "dc"]
    assert parts[0][1] == inner.strip().casefold()
    assert parts[1][1] == outer.strip().casefold()
    if "#" not in inner + outer:  # ldap3 wants every # escaped; Windows escapes the first character only
        assert len(parse_dn(dn)) == 4


def test_hexadecimal_escapes_mean_the_same() -> None:
    assert canonical_dn("CN=M\\C3\\BCller\\, J,DC=x") == canonical_dn("cn=MÜLLER\\2c J,dc=X")
    assert canonical_dn("CN=a,DC=x") != canonical_dn("CN=a\\,DC=x,DC=x")


@pytest.mark.parametrize(("text", "plain"), [("Jürgen", "Jurgen"), ("Łukasz", "Lukasz"), ("O'Brien", "O'Brien")])
def test_ascii_names(text: str, plain: str) -> None:
    assert ascii_name(text) == plain
