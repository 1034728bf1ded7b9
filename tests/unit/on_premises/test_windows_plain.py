# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects of PowerShell as plain data, from the XML that Windows sends."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import ProtocolError
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.plain import (
    from_client,
    unescaped,
)

ENUM = (
    '<Obj N="Status" RefId="1"><TN RefId="1"><T>System.ServiceProcess.ServiceControllerStatus</T><T>System.Enum</T>'
    "<T>System.ValueType</T><T>System.Object</T></TN><ToString>Running</ToString><I32>4</I32></Obj>"
)
SERVICE = (
    '<Obj RefId="0"><TN RefId="0"><T>System.ServiceProcess.ServiceController</T><T>System.Object</T></TN>'
    "<ToString>System.ServiceProcess.ServiceController</ToString><Props>"
    f'<S N="Name">VaultSvc</S><B N="CanStop">true</B>{ENUM}'
    '<Obj N="StartType" RefId="2"><TNRef RefId="1"/><ToString>Manual</ToString><I32>3</I32></Obj>'
    '<Obj N="Dependent" RefId="3"><TN RefId="2"><T>System.String[]</T><T>System.Array</T><T>System.Object</T></TN>'
    "<LST><S>a</S><Nil/></LST></Obj>"
    '<Ref N="Same" RefId="3"/><Nil N="Site"/></Props>'
    '<MS><SS N="Secret">AAAA</SS><S N="Note">two_x000A_lines</S></MS></Obj>'
)


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (None, None),
        (True, True),
        (7, 7),
        ("text", "text"),
        ([1, "a"], [1, "a"]),
        ({"a": b"\x00\x01"}, {"a": "AAE="}),
    ],
)
def test_values(given: Any, plain: Any) -> None:
    assert from_client(given) == plain


def test_an_object_is_a_dict_with_enumerations_by_name_and_without_secrets() -> None:
    assert from_client(SERVICE) == {
        "Name": "VaultSvc",
        "CanStop": True,
        "Status": "Running",
        "StartType": "Manual",
        "Dependent": ["a", None],
        "Same": ["a", None],
        "Site": None,
        "Note": "two\nlines",
    }


@pytest.mark.parametrize(
    ("xml", "plain"),
    [
        (  # a line of Get-Content, which carries notes
            '<Obj RefId="0"><TN RefId="0"><T>System.String</T><T>System.Object</T></TN><S>one line</S>'
            '<MS><S N="PSPath">C:\\x</S></MS></Obj>',
            "one line",
        ),
        (  # Get-Date, likewise
            '<Obj RefId="0"><TN RefId="0"><T>System.DateTime</T></TN><DT>2026-08-03T10:15:00.1234567Z</DT>'
            '<MS><I32 N="DisplayHint">2</I32></MS></Obj>',
            "2026-08-03T10:15:00.1234567Z",
        ),
        (
            '<Obj RefId="0"><TN RefId="0"><T>System.Collections.Hashtable</T></TN><DCT><En><S N="Key">a</S>'
            '<I64 N="Value">5</I64></En><En><S N="Key">b</S><SS N="Value">AAAA</SS></En></DCT></Obj>',
            {"a": 5},
        ),
        ('<Obj RefId="0"><ToString>only a name</ToString></Obj>', "only a name"),
        (
            '<Obj RefId="0"><Props><Db N="d">1.5</Db><C N="c">65</C><G N="g">x</G></Props></Obj>',
            {"d": 1.5, "c": "A", "g": "x"},
        ),
        ("<Obj not xml", "<Obj not xml"),
    ],
)
def test_what_the_library_leaves_as_xml(xml: str, plain: Any) -> None:
    assert from_client(xml) == plain


def test_what_cannot_be_read_is_said() -> None:
    with pytest.raises(ProtocolError, match="cannot be read"):
        from_client('<Obj RefId="0"><Props><I32 N="n">many</I32></Props></Obj>')


@pytest.mark.parametrize(
    ("text", "plain"),
    [("_x005F_x000A_", "_x000A_"), ("a_x0009_b", "a\tb"), ("_xD83D__xDE00_", "\U0001f600"), ("_x1", "_x1")],
)
def test_escapes(text: str, plain: str) -> None:
    assert unescaped(text) == plain
