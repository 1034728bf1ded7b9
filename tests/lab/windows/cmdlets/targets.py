# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the paths of a cmdlet lead to: files, registry keys, and the share on another machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.lab.windows import paths, places, software, state
from tests.lab.windows.call import Call
from tests.lab.windows.errors import CmdletError, access_denied, binding, path_not_found

Document = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """One thing: where it lies (``area``), its path, and its document."""

    area: str
    path: str
    document: Any

    @property
    def folder(self) -> bool:
        """Whether other things can lie in it."""
        return self.area == paths.REGISTRY or bool(self.document.get("folder"))


def given_paths(call: Call) -> list[tuple[str, bool]]:
    """The paths that a cmdlet was given, and whether wildcards count in them."""
    found = [(str(one), True) for one in call.many("Path")] + [(str(one), False) for one in call.many("LiteralPath")]
    if not found:
        raise binding(
            "Cannot process command because of one or more missing mandatory parameters: Path.",
            "MissingMandatoryParameter",
        )
    if any(not path for path, _wild in found):
        raise binding(
            "Cannot bind argument to parameter 'Path' because it is an empty string.",
            "ParameterArgumentValidationErrorEmptyStringNotAllowed",
            exception="ParameterBindingValidationException",
        )
    return found


def found(call: Call, document: Document, path: str, wild: bool) -> list[Target]:
    """What lies at a path; empty where nothing does. Raises access denied for a machine that is out of reach."""
    area, whole = paths.located(path)
    things = reachable_share(call, document, whole) if area == paths.SHARE else document[area]
    if wild and paths.has_wildcard(whole):
        hits = [one for one in paths.keys_matching(things, whole) if _kept(call, one)]
        return [Target(area, one, things[one]) for one in hits]
    real = paths.key_of(things, whole)
    return [] if real is None else [Target(area, real, things[real])]


def _kept(call: Call, path: str) -> bool:
    name = paths.name_of(path)
    include, exclude = call.many("Include"), call.many("Exclude")
    if include and not any(paths.matches(name, str(one)) for one in include):
        return False
    return not any(paths.matches(name, str(one)) for one in exclude)


def each(call: Call, document: Document) -> Iterator[Target]:
    """Everything that the given paths lead to; an error for each path that leads nowhere."""
    for path, wild in given_paths(call):
        try:
            hits = found(call, document, path, wild)
        except CmdletError as error:
            call.error(error)
            continue
        if not hits and not (wild and paths.has_wildcard(path)):
            call.error(path_not_found(path))
        yield from hits


def reachable_share(call: Call, document: Document, path: str) -> Document:
    """The files of the software share, if the session gets there: the second hop needs delegation."""
    if document["behaviour"].get("share") == "unreachable" or not path.lower().startswith(
        places.share(call.host.forest).lower()
    ):
        return {}
    if call.estate.scenario["second_hop"] == "refused" and not call.session.delegates:
        raise access_denied(path)
    share = places.share(call.host.forest)
    return {share: state.folder(), rf"{share}\{places.SETUP}": state.file(software.content(software.NEWEST))}
