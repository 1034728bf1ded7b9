# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes to a directory object as JSON: what tests ask for when somebody else shall have written it.

``{"extensionAttribute1": ["new"], "mail": [], "proxyAddresses": {"remove": ["smtp:a@x"], "add": ["smtp:b@x"]}}``:
a list takes the place of all values (an empty one clears the attribute); ``add`` and ``remove`` change some of them. A
value is a string, or ``{"base64": "..."}`` for bytes that are no text.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

Values = tuple[bytes, ...]
# Attribute to steps; a step is "replace", "remove" or "add", with its values.
Steps = dict[str, list[tuple[str, Values]]]


def checked_changes(changes: Any) -> Steps:
    """The changes as steps; ValueError says what is wrong with them."""
    if not isinstance(changes, dict) or not changes:
        raise ValueError('changes is an object such as {"mail": ["new@contoso.lab"]}, with an attribute at least.')
    return {str(name): _steps(str(name), wanted) for name, wanted in changes.items()}


def checked_values(name: str, values: Any) -> Values:
    """A list of values as bytes; ValueError where it is none."""
    if not isinstance(values, list):
        raise ValueError(f"The values of {name} are a list, not {values!r}.")
    return tuple(_value(name, one) for one in values)


def _steps(name: str, wanted: Any) -> list[tuple[str, Values]]:
    if isinstance(wanted, list):
        return [("replace", checked_values(name, wanted))]
    if isinstance(wanted, dict) and wanted and set(wanted) <= {"add", "remove"}:
        return [(step, checked_values(name, wanted[step])) for step in ("remove", "add") if step in wanted]
    raise ValueError(f'The change of {name} is a list of values or {{"add": [...], "remove": [...]}}, not {wanted!r}.')


def _value(name: str, value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict) and set(value) == {"base64"}:
        try:
            return base64.b64decode(value["base64"], validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise ValueError(f"A value of {name} is no base64: {error}.") from error
    raise ValueError(f'A value of {name} is a string or {{"base64": "..."}}, not {value!r}.')
