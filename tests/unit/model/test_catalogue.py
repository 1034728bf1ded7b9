# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalogue against what is publicly known of the attributes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import CLOUD_EDITABLE, Syntax
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import (
    CATALOGUE,
    WRITEBACK,
    attribute,
)

REFERENCE = json.loads(Path(__file__).parents[2].joinpath("reference", "exchange-cmdlets.json").read_text("utf-8"))


def test_the_writeback_set_is_the_published_one():
    expected = {f"extensionAttribute{n}" for n in range(1, 16)}
    expected |= {f"msExchExtensionCustomAttribute{n}" for n in range(1, 6)}
    expected |= {"msExchRecipientDisplayType", "msExchRecipientTypeDetails", "proxyAddresses", "mail"}
    assert set(WRITEBACK) == expected
    assert len(WRITEBACK) == 24
    assert [name for name in WRITEBACK if CATALOGUE[name].written_back_since == "ga"] == ["mail"]


def test_all_rows_are_there_once_and_well_formed():
    assert len(CATALOGUE) == 105
    assert len({row.ldap_name.casefold() for row in CATALOGUE.values()}) == 105
    assert len({row.oid for row in CATALOGUE.values()}) == 105
    for row in CATALOGUE.values():
        assert re.fullmatch(r"\d+(\.\d+)+", row.oid), row
        assert row.cloud_editable in CLOUD_EDITABLE, row


@pytest.mark.parametrize(
    ("name", "oid", "syntax", "multi", "size"),
    [
        ("proxyAddresses", "1.2.840.113556.1.2.210", Syntax.UNICODE, True, (1, 1123)),
        ("mail", "0.9.2342.19200300.100.1.3", Syntax.UNICODE, False, (None, 256)),
        ("extensionAttribute10", "1.2.840.113556.1.2.432", Syntax.UNICODE, False, (1, 1024)),
        ("extensionAttribute11", "1.2.840.113556.1.2.599", Syntax.UNICODE, False, (1, 2048)),
        (
            "msExchExtensionCustomAttribute5",
            "1.2.840.113556.1.4.7000.102.51880",
            Syntax.UNICODE,
            True,
            (None, None),
        ),
        ("msExchRecipientTypeDetails", "1.2.840.113556.1.4.7000.102.50855", Syntax.INT64, False, (None, None)),
        ("msExchRequireAuthToSendTo", "1.2.840.113556.1.4.5062", Syntax.BOOLEAN, False, (None, None)),
    ],
)
def test_schema_facts(name, oid, syntax, multi, size):
    row = attribute(name)
    assert (row.oid, row.syntax, row.multi, (row.range_lower, row.range_upper)) == (oid, syntax, multi, size)


def test_hide_from_address_lists_can_be_edited_but_is_not_written_back():
    row = attribute("msExchHideFromAddressLists")
    assert (row.cloud_editable, row.written_back, row.directory_writable) == ("yes", False, True)


@pytest.mark.parametrize(
    "name",
    ["msExchMailboxGuid", "msExchArchiveGUID", "msExchRemoteRecipientType", "targetAddress", "legacyExchangeDN"],
)
def test_what_must_never_be_cleared_is_not_writable(name):
    assert not attribute(name).directory_writable


def test_every_attribute_written_back_can_be_written_by_this_collection():
    assert all(CATALOGUE[name].directory_writable for name in WRITEBACK)


def test_dn_and_or_names_cannot_be_cast():
    for row in CATALOGUE.values():
        if row.syntax in {Syntax.DN, Syntax.OR_NAME}:
            assert not row.directory_writable, row


def test_properties_that_can_be_set_are_parameters_of_set_mailbox():
    parameters = REFERENCE["cmdlets"]["Set-Mailbox"]["parameters"]
    for row in CATALOGUE.values():
        if row.cloud_editable == "yes" and row.exchange_property and row.cast not in {None, "type_details"}:
            assert row.exchange_property in parameters, row
            assert "cloud" in parameters[row.exchange_property].get("applies", ["cloud"]), row


def test_lookup_ignores_case_and_suggests():
    assert attribute("PROXYADDRESSES") is CATALOGUE["proxyAddresses"]
    with pytest.raises(InputError, match="extensionAttribute1"):
        attribute("CustomAttribute1")
    with pytest.raises(InputError, match="proxyAddresses"):
        attribute("proxyAdresses")
    with pytest.raises(InputError, match="name in Active Directory"):
        attribute("zzzzzz")
