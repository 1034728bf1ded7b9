# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft's reference as data (cmdlets, Graph types): the judge of what the lab takes and gives."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parents[2] / "reference"
CLOUD = "cloud"

# Real properties of types of which the reference holds only a part ("entity (part)").
# Source: the Graph resource pages of user, group, orgContact and organization.
_BEYOND_THE_PART: dict[str, tuple[str, ...]] = {
    "user": (
        "givenName",
        "surname",
        "jobTitle",
        "department",
        "companyName",
        "officeLocation",
        "city",
        "state",
        "country",
        "postalCode",
        "streetAddress",
        "mobilePhone",
    ),
    "group": (
        "description",
        "onPremisesDomainName",
        "onPremisesLastSyncDateTime",
        "onPremisesSamAccountName",
        "onPremisesSecurityIdentifier",
    ),
    "orgContact": ("givenName", "surname"),
}


@cache
def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((_FOLDER / name).read_text(encoding="utf-8"))
    return loaded


def cmdlet(name: str) -> tuple[str, dict[str, Any]] | None:
    """The cmdlet's proper spelling and its reference entry, whatever the case of ``name``; None when unknown."""
    found = _cmdlet_names().get(name.lower())
    return None if found is None else (found, _load("exchange-cmdlets.json")["cmdlets"][found])


@cache
def _cmdlet_names() -> dict[str, str]:
    return {name.lower(): name for name in _load("exchange-cmdlets.json")["cmdlets"]}


@cache
def cloud_parameters(name: str) -> dict[str, tuple[str, str]]:
    """Parameters that a cmdlet has in Exchange Online: lower-case name to (name, type)."""
    found = cmdlet(name)
    if found is None or CLOUD not in found[1]["applies"]:
        return {}
    applies = found[1]["applies"]
    return {
        parameter.lower(): (parameter, facts["type"])
        for parameter, facts in found[1]["parameters"].items()
        if CLOUD in facts.get("applies", applies)
    }


def graph_type(name: str, version: str = "v1.0") -> dict[str, Any] | None:
    """The reference entry of a Graph type, or None."""
    entry: dict[str, Any] | None = _load("graph-types.json")[version]["types"].get(name)
    return entry


@cache
def graph_properties(name: str, version: str = "v1.0") -> dict[str, dict[str, Any]]:
    """Properties of a Graph type, inherited ones included; KeyError for a type that the reference does not hold."""
    if name == "entity":
        return {"id": {"type": "Edm.String"}}
    if name == "directoryObject":
        return {"id": {"type": "Edm.String"}, "deletedDateTime": {"type": "Edm.DateTimeOffset"}}
    entry = graph_type(name, version)
    if entry is None:
        raise KeyError(f"The reference has no Graph type {name} in {version}.")
    inherited = graph_properties(entry["base"], version) if entry.get("base") else {}
    beyond = {property_: {"type": "Edm.String"} for property_ in _BEYOND_THE_PART.get(name, ())}
    return {**inherited, **entry.get("properties", {}), **beyond}


def beyond_the_part() -> dict[str, tuple[str, ...]]:
    """What is taken as real although the reference, holding only a part of the type, lacks it."""
    return dict(_BEYOND_THE_PART)


def expression_functions() -> list[dict[str, Any]]:
    """The functions of attribute mapping expressions."""
    functions = _load("expression-functions.json")["functions"]
    if isinstance(functions, dict):
        return [{"name": name, **facts} for name, facts in functions.items()]
    return list(functions)
