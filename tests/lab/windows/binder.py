# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters as Windows PowerShell binds them, by Microsoft's reference of the cmdlets (tests/reference).

Names, aliases and unambiguous beginnings; positions; parameter sets; accepted values; types. Whatever does not fit is
refused with PowerShell's own identifiers, so that a client with a wrong parameter never passes here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from psrpcore.types import PSCredential, PSObject, PSSecureString

from tests.lab.settings import CHECKOUT
from tests.lab.windows.errors import CmdletError, binding
from tests.lab.windows.values import Obj, text

REFERENCE = CHECKOUT / "tests" / "reference" / "powershell-cmdlets.json"
Argument = tuple[str | None, Any]
_SWITCH, _CREDENTIAL = "SwitchParameter", "PSCredential"
_INTEGERS = {
    "Int16": (-(2**15), 2**15 - 1),
    "Int32": (-(2**31), 2**31 - 1),
    "Int64": (-(2**63), 2**63 - 1),
    "UInt32": (0, 2**32 - 1),
}
_PLAIN = ("String", "Uri")
_ACTIONS = ("SilentlyContinue", "Stop", "Continue", "Inquire", "Ignore", "Suspend")
# Common parameters of every cmdlet: alias, and whether it is a switch.
_COMMON: dict[str, tuple[str, str]] = {
    "Verbose": ("vb", _SWITCH),
    "Debug": ("db", _SWITCH),
    "ErrorAction": ("ea", "ActionPreference"),
    "WarningAction": ("wa", "ActionPreference"),
    "InformationAction": ("infa", "ActionPreference"),
    "ErrorVariable": ("ev", "String"),
    "WarningVariable": ("wv", "String"),
    "InformationVariable": ("iv", "String"),
    "OutVariable": ("ov", "String"),
    "OutBuffer": ("ob", "Int32"),
    "PipelineVariable": ("pv", "String"),
}


@dataclass(frozen=True)
class Credential:
    """A PSCredential; only its user name may be logged."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a cmdlet, as the reference describes it."""

    name: str
    type: str
    aliases: tuple[str, ...] = ()
    position: int | None = None
    required: bool = False
    sets: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    by_value: bool = False
    by_name: bool = False

    @property
    def many(self) -> bool:
        """Whether it takes several values."""
        return self.type.endswith("[]")

    @property
    def single(self) -> str:
        """The type of one value."""
        return self.type.removesuffix("[]").removesuffix("]")


@dataclass(frozen=True)
class Cmdlet:
    """A cmdlet of the reference."""

    name: str
    module: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True)
class Bound:
    """Parameters that fit: by their real names, values in Python's types."""

    values: dict[str, Any]
    common: dict[str, Any]


Convert = Callable[[Parameter, Any], Any]


@cache
def cmdlets() -> dict[str, Cmdlet]:
    """The cmdlets of the reference, by lower-case name."""
    found = json.loads(REFERENCE.read_text(encoding="utf-8"))["cmdlets"]
    return {name.lower(): _cmdlet(name, entry) for name, entry in found.items()}


def _cmdlet(name: str, entry: dict[str, Any]) -> Cmdlet:
    return Cmdlet(name, entry["module"], tuple(_parameter(one, row) for one, row in entry["parameters"].items()))


def _parameter(name: str, row: dict[str, Any]) -> Parameter:
    pipeline = row.get("pipeline", "")
    position = row.get("position")
    return Parameter(
        name=name,
        type=row["type"],
        aliases=tuple(row.get("aliases", ())),
        position=None if position is None else int(position),
        required=bool(row.get("required")),
        sets=tuple(row.get("sets", ())),
        values=tuple(row.get("values", ())),
        by_value="ByValue" in pipeline,
        by_name="ByPropertyName" in pipeline,
    )


def bind(
    cmdlet: Cmdlet, arguments: list[Argument], piped: list[Any] | None = None, convert: Convert | None = None
) -> Bound:
    """The parameters of a call; ``piped`` is what came through the pipeline, None for the first command.

    ``convert`` brings a value into its parameter's type, for cmdlets with types of their own.
    Raises :class:`CmdletError` as PowerShell does.
    """
    given: dict[str, Any] = {}
    common: dict[str, Any] = {}
    positional = [value for name, value in arguments if not name]
    convert = convert or converted
    for name, value in arguments:
        if name:
            _named(cmdlet, name.lstrip("-").removesuffix(":"), value, given, common, convert)
    _positions(cmdlet, positional, given, convert)
    sets = _possible_sets(cmdlet, given)
    if piped is not None:
        _from_pipeline(cmdlet, piped, given, sets)
        sets = _possible_sets(cmdlet, given)
    missing = [one.name for one in cmdlet.parameters if one.required and not one.sets and one.name not in given]
    if missing:
        raise binding(
            f"Cannot process command because of one or more missing mandatory parameters: {' '.join(missing)}.",
            "MissingMandatoryParameter",
        )
    return Bound(given, common)


def _named(
    cmdlet: Cmdlet, name: str, value: Any, given: dict[str, Any], common: dict[str, Any], convert: Convert
) -> None:
    wanted = name.lower()
    exact = [one for one in cmdlet.parameters if wanted in (one.name.lower(), *map(str.lower, one.aliases))]
    shared = [one for one, (alias, _type) in _COMMON.items() if wanted in (one.lower(), alias)]
    if not exact and not shared:
        exact = [one for one in cmdlet.parameters if one.name.lower().startswith(wanted)]
        shared = [one for one in _COMMON if one.lower().startswith(wanted)]
    if len(exact) + len(shared) > 1:
        possible = " ".join(f"-{one}" for one in [*(one.name for one in exact), *shared])
        raise binding(
            f"Parameter cannot be processed because the parameter name '{name}' is ambiguous. Possible matches "
            f"include: {possible}.",
            "AmbiguousParameter",
        )
    if not exact and not shared:
        raise binding(f"A parameter cannot be found that matches parameter name '{name}'.", "NamedParameterNotFound")
    target, found = (given, exact[0]) if exact else (common, _common(shared[0]))
    if found.name in target:
        raise binding(
            f"Cannot bind parameter because parameter '{found.name}' is specified more than once. To provide multiple "
            "values to parameters that can accept multiple values, use the array syntax.",
            "ParameterAlreadyBound",
        )
    target[found.name] = convert(found, value) if target is given else converted(found, value)


def _common(name: str) -> Parameter:
    values = _ACTIONS if _COMMON[name][1] == "ActionPreference" else ()
    return Parameter(name, _COMMON[name][1], values=values)


def _positions(cmdlet: Cmdlet, values: list[Any], given: dict[str, Any], convert: Convert) -> None:
    open_ones = sorted(
        (one for one in cmdlet.parameters if one.position is not None and one.name not in given),
        key=lambda one: one.position or 0,
    )
    for value in values:
        while open_ones and not _fits_sets(cmdlet, open_ones[0], given):
            open_ones.pop(0)
        if not open_ones:
            raise binding(
                f"A positional parameter cannot be found that accepts argument '{text(plain(value))}'.",
                "PositionalParameterNotFound",
            )
        chosen = open_ones.pop(0)
        given[chosen.name] = convert(chosen, value)


def _fits_sets(cmdlet: Cmdlet, parameter: Parameter, given: dict[str, Any]) -> bool:
    return not parameter.sets or bool(set(parameter.sets) & _sets_of(cmdlet, given))


def _sets_of(cmdlet: Cmdlet, given: dict[str, Any]) -> set[str]:
    possible = {name for one in cmdlet.parameters for name in one.sets} or {"__AllParameterSets"}
    for one in cmdlet.parameters:
        if one.name in given and one.sets:
            possible &= set(one.sets)
    return possible


def _possible_sets(cmdlet: Cmdlet, given: dict[str, Any]) -> set[str]:
    possible = _sets_of(cmdlet, given)
    if not possible:
        raise binding("Parameter set cannot be resolved using the specified named parameters.", "AmbiguousParameterSet")
    return possible


def _from_pipeline(cmdlet: Cmdlet, piped: list[Any], given: dict[str, Any], sets: set[str]) -> None:
    usable = [one for one in cmdlet.parameters if one.name not in given and (not one.sets or set(one.sets) & sets)]
    taken: dict[str, list[Any]] = {}
    for item in piped:
        chosen = next((one for one in usable if one.by_value and _takes(one, item)), None)
        if chosen is not None:
            taken.setdefault(chosen.name, []).append(item)
            continue
        found = _by_property(usable, item)
        if not found:
            raise binding(
                "The input object cannot be bound to any parameters for the command either because the command does "
                "not take pipeline input or the input and its properties do not match any of the parameters that take "
                "pipeline input.",
                "InputObjectNotBound",
                item,
            )
        for name, value in found.items():
            taken.setdefault(name, []).append(value)
    for one in usable:
        if one.name in taken:
            given[one.name] = taken[one.name]


def _takes(parameter: Parameter, item: Any) -> bool:
    if isinstance(item, Obj):
        names = {full.rpartition(".")[2] for full in item.types}
        return parameter.single in names or parameter.single in ("PSObject", "Object")
    return parameter.single in ("String", "PSObject", "Object")


def _by_property(usable: list[Parameter], item: Any) -> dict[str, Any]:
    if not isinstance(item, Obj):
        return {}
    found = {}
    for one in usable:
        if not one.by_name:
            continue
        named = next((hit for name in (one.name, *one.aliases) if (hit := item.get(name)) is not None), None)
        if named is not None and named[1] is not None and not isinstance(named[1], Obj):
            found[one.name] = named[1]
    return {"LiteralPath": found["LiteralPath"]} if "LiteralPath" in found else found


# -- values --------------------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """A value as it came over the wire, in Python's types; a credential keeps its password to itself."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, PSCredential):
        secret = value.Password
        return Credential(str(value.UserName), str(secret.decrypt()) if isinstance(secret, PSSecureString) else "")
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, dict):
        return {plain(name): plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value


def converted(parameter: Parameter, value: Any) -> Any:
    """A value in the type of its parameter; :class:`CmdletError` where it cannot be."""
    given = plain(value)
    if parameter.type == _SWITCH:
        return _switch(parameter, given)
    if given is None:
        if parameter.type in (_CREDENTIAL, "Object", "PSObject"):
            return None
        raise binding(
            f"Cannot bind argument to parameter '{parameter.name}' because it is null.",
            "ParameterArgumentValidationErrorNullNotAllowed",
            exception="ParameterBindingValidationException",
        )
    if parameter.many:
        return [_one(parameter, one) for one in (given if isinstance(given, list) else [given])]
    if isinstance(given, list) and parameter.single not in ("Object", "PSObject"):
        raise _cannot(parameter, "System.Object[]", "Specified method is not supported.")
    return _one(parameter, given)


def _switch(parameter: Parameter, given: Any) -> bool:
    if given is None:
        return True
    if isinstance(given, bool):
        return given
    present = getattr(given, "IsPresent", None)
    if isinstance(present, bool):
        return present
    raise _cannot(
        parameter, text(given), "Cannot convert the value to type System.Management.Automation.SwitchParameter."
    )


def _one(parameter: Parameter, given: Any) -> Any:
    kind = parameter.single
    if kind == _CREDENTIAL:
        if isinstance(given, Credential):
            return given
        raise binding(
            f"Cannot process argument transformation on parameter '{parameter.name}'. A command that prompts the user "
            "failed because the host program or the command type does not support user interaction.",
            "ParameterArgumentTransformationError",
            exception="ParameterBindingArgumentTransformationException",
        )
    if parameter.values:
        return _listed(parameter, given)
    if kind in _INTEGERS:
        return _integer(parameter, given)
    if kind in _PLAIN or kind == "String":
        return _string(parameter, given)
    return given


def _string(parameter: Parameter, given: Any) -> str:
    if isinstance(given, Credential | dict) or (isinstance(given, PSObject) and not isinstance(given, str)):
        raise _cannot(parameter, type(given).__name__, "It is no text.")
    return text(given)


def _integer(parameter: Parameter, given: Any) -> int:
    low, high = _INTEGERS[parameter.single]
    try:
        number = int(given) if isinstance(given, int | str) else None
    except ValueError:
        number = None
    if number is None:
        raise _cannot(parameter, text(given), '"Input string was not in a correct format."')
    if not low <= number <= high:
        raise _cannot(parameter, text(given), f'"Value was either too large or too small for an {parameter.single}."')
    return number


def _listed(parameter: Parameter, given: Any) -> str:
    number = given if isinstance(given, int) and parameter.type != "String" else -1
    if 0 <= number < len(parameter.values):
        return parameter.values[number]
    found = next((one for one in parameter.values if one.lower() == text(given).lower()), None)
    if found is not None:
        return found
    allowed = ",".join(parameter.values)
    if parameter.type == "String":
        raise binding(
            f"Cannot validate argument on parameter '{parameter.name}'. The argument \"{text(given)}\" does not belong "
            f'to the set "{allowed}" specified by the ValidateSet attribute. Supply an argument that is in the set and '
            "then try the command again.",
            "ParameterArgumentValidationError",
            exception="ParameterBindingValidationException",
        )
    raise binding(
        f"Cannot bind parameter '{parameter.name}'. Cannot convert value \"{text(given)}\" to type "
        f'"{parameter.single}". Error: "Unable to match the identifier name {text(given)} to a valid enumerator name. '
        f'Specify one of the following enumerator names and try again: {", ".join(parameter.values)}"',
        "CannotConvertArgumentNoMessage",
    )


def _cannot(parameter: Parameter, shown: str, why: str) -> CmdletError:
    return binding(
        f"Cannot bind parameter '{parameter.name}'. Cannot convert value \"{shown}\" to type "
        f'"System.{parameter.single}". Error: {why}',
        "CannotConvertArgument",
    )


def loggable(arguments: list[Argument]) -> dict[str, Any]:
    """Arguments for the request log: a credential as its user name, other secrets as stars."""
    shown: dict[str, Any] = {}
    for number, (name, value) in enumerate(arguments):
        given = plain(value)
        secret = re.search("credential|password|secret", str(name or ""), re.IGNORECASE) is not None
        hidden = secret and not isinstance(given, Credential | None)
        shown[name or f"#{number}"] = "***" if hidden else _shown(given)
    return shown


def _shown(value: Any) -> Any:
    if isinstance(value, Credential):
        return value.user
    if isinstance(value, PSSecureString):
        return "***"
    if isinstance(value, dict):
        return {str(name): _shown(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_shown(one) for one in value]
    return value if value is None or isinstance(value, str | int | bool) else type(value).__name__
