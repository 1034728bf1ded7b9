# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Which attributes a run writes: by option, by the owner that the rules give them, less what a running job writes."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.rule import Rule, of_directory, of_job
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import listing
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.source import attributes_named


def wanted(names: Sequence[str] | None, rules: Sequence[Rule] | None) -> tuple[Attribute, ...]:
    """The attributes to write; InputError naming file, line and column where a rule gives one to Cloud Sync.

    Without names these are what the rules give to the directory, and without rules what Cloud Sync writes back. With
    both, the names say which and the rules how.
    """
    if rules is None:
        return attributes_named(names)
    ours = of_directory(rules)
    if names is None and not ours:
        raise InputError("No rule has the owner directory, so there is nothing to write.")
    stated = frozenset(rule.target for rule in ours if rule.source)
    found = attributes_named([rule.target for rule in ours] if names is None else names, stated)
    asked = {attribute.ldap_name for attribute in found}
    for rule in of_job(rules):
        if rule.target in asked:
            raise InputError(
                f"{rule.place}: this rule gives {rule.target} to Cloud Sync, and attributes names it for the directory "
                "writer. An attribute has one writer: leave it out of attributes, or give it the owner directory.",
                target=rule.target,
            )
    return found


def without_owned(
    attributes: Sequence[Attribute], targets: frozenset[str], on_owned: str, domain: str
) -> tuple[list[Attribute], list[str]]:
    """The attributes that are this collection's to write, and the names of those that a running job owns."""
    owned_names = {name.casefold() for name in targets}
    owned = [attribute.ldap_name for attribute in attributes if attribute.ldap_name.casefold() in owned_names]
    if owned and on_owned != "skip":
        raise Refused(
            f"A running Cloud Sync job writes {listing(owned)} in {domain}, and an attribute has one writer. Leave "
            "these out of attributes, say on_owned: skip, or pause the job.",
            owned_attributes=owned,
            domain=domain,
        )
    return [attribute for attribute in attributes if attribute.ldap_name not in owned], owned
