# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Who keeps an attribute of AD in step with the cloud, and what that means for the applications that read AD."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.rule import CLOUD_SYNC, Rule
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import CATALOGUE, WRITEBACK

NOBODY, ACTIVE_DIRECTORY = "nobody", "active_directory"
_NEAR = 0.85  # how alike an unknown name must be to a known one to be taken for a slip
_BY_FOLDED_NAME = {name.casefold(): row for name, row in CATALOGUE.items()}


@dataclass(frozen=True)
class Application:
    """An application that reads AD. others are what it reads and what is no Exchange attribute: AD masters it."""

    name: str
    attributes: tuple[str, ...]
    others: tuple[str, ...] = ()


def applications(items: Iterable[Mapping[str, Any]]) -> tuple[Application, ...]:
    """The applications of the option; InputError for one without a name, named twice, or with a misspelt attribute."""
    found = [_application(item, f"applications[{index}]") for index, item in enumerate(items)]
    names = [item.name.casefold() for item in found]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise InputError(f"applications[{index}]: an application {found[index].name} came before.")
    return tuple(found)


def _application(fields: Mapping[str, Any], place: str) -> Application:
    name = str(fields.get("name") or "").strip()
    given = [str(item).strip() for item in fields.get("attributes") or ()]
    if not name or not given:
        raise InputError(f"{place}: an application needs a name and the attributes that it reads in Active Directory.")
    known = {item: row.ldap_name for item in given if (row := _BY_FOLDED_NAME.get(item.casefold()))}
    others = [item for item in given if item not in known]
    for item in others:
        near = get_close_matches(item.casefold(), _BY_FOLDED_NAME, 1, _NEAR)
        if near:
            meant = _BY_FOLDED_NAME[near[0]].ldap_name
            raise InputError(f"{place}: {name} reads {item}, which is not known. Is {meant} meant?", attribute=item)
    return Application(name, tuple(dict.fromkeys(known.values())), tuple(dict.fromkeys(others)))


def keepers(rules: Iterable[Rule] | None) -> Mapping[str, str]:
    """Who keeps which attribute in step: the job by its own mappings and by rules, or the directory writer by rules."""
    return {**dict.fromkeys(WRITEBACK, CLOUD_SYNC), **{rule.target: rule.owner for rule in rules or ()}}


def not_kept(kept: Mapping[str, str], read: Collection[str]) -> tuple[Attribute, ...]:
    """The attributes that go their own way in the cloud and that nobody keeps in step.

    Those of read count where Exchange Online may own them at all, and not only where it takes them over from AD.
    """
    return tuple(
        row
        for name, row in CATALOGUE.items()
        if name not in kept
        and (
            row.cloud_editable in {"yes", "expected"}
            or (name in read and row.cloud_editable in {"exchange", "automatic", "unknown"})
        )
    )


def shown(
    application: Application, kept: Mapping[str, str], lost: Collection[str], differs: Mapping[str, int], mailboxes: int
) -> dict[str, Any]:
    """What is said of one application.

    lost are the attributes that nobody keeps in step; differs says of those that were compared in how many mailboxes
    the two sides differ, and mailboxes how many differ in anything that the application reads.
    """
    keeper = {
        name: kept.get(name, NOBODY if name in lost else ACTIVE_DIRECTORY) for name in application.attributes
    } | dict.fromkeys(application.others, ACTIVE_DIRECTORY)
    return {
        "name": application.name,
        "kept_by": keeper,
        "not_kept": [name for name, who in keeper.items() if who == NOBODY],
        "differs": {name: differs[name] for name in application.attributes if name in differs},
        "mailboxes_that_differ": mailboxes,
    }
