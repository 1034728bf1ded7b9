# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Parameters of New- and Set- cmdlets from the properties that Get- showed: by the tables of what each cmdlet takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.kind import RESERVED, Kind
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.hybrid.known import Row, text, texts
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.order import CLOUD
from ansible_collections.hybrid.exchange.plugins.module_utils._model.exchange_cmdlet_table import CMDLETS
from ansible_collections.hybrid.exchange.plugins.module_utils._model.exchange_online_cmdlets import PARAMETERS

# Types of which nothing is sent: switches say how, not what; secrets are not exported.
_NEVER = frozenset({"SwitchParameter", "PSCredential", "PSCredential[]", "SecureString", "Byte[]", "Hashtable[]"})
_HOW = frozenset({"Force", "Confirm", "DomainController", "Server"})


def takes(side: str, cmdlet: str) -> Mapping[str, str]:
    """The parameters of a cmdlet on a side, with their types."""
    return PARAMETERS[cmdlet] if side == CLOUD else CMDLETS[cmdlet].parameters


def given(kind: Kind, cmdlet: str, properties: Row) -> dict[str, Any]:
    """What a cmdlet is given so that its object has these properties. Empty properties are left to its defaults."""
    found = {}
    for parameter, type_name in takes(kind.side, cmdlet).items():
        keep_server = parameter == "Server" and kind.name == "setting_override"
        if parameter in RESERVED or type_name in _NEVER or (parameter in _HOW and not keep_server):
            continue
        value = cast(type_name, _property(kind, parameter, properties))
        if value is not None:
            found[parameter] = value
    return found


def cast(type_name: str, value: Any) -> Any:
    """A property as a parameter of that type; None where there is nothing to give."""
    if type_name == "Boolean":
        word = text(value).lower()
        return {"true": True, "false": False}.get(word)
    if type_name == "Int32":
        try:
            return int(text(value))
        except ValueError:
            return None
    if type_name == "MultiValuedProperty" or type_name.endswith("[]"):
        return list(texts(value)) or None
    return text(value) or None


def same(one: Any, other: Any) -> bool:
    """Whether two values of a parameter mean the same: lists in any order, texts without regard to case."""
    if isinstance(one, list) or isinstance(other, list):
        return sorted(item.casefold() for item in texts(one)) == sorted(item.casefold() for item in texts(other))
    return text(one).casefold() == text(other).casefold()


def _property(kind: Kind, parameter: str, properties: Row) -> Any:
    if kind.name == "transport_rule" and parameter == "Enabled":
        return text(properties.get("State")).lower() != "disabled"
    name = kind.properties.get(parameter, parameter)
    return properties.get(name, properties.get(parameter))
