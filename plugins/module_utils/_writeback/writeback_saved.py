# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Saved plans of directory_writeback: what is written into them, and what of them may be applied later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute
from ansible_collections.hybrid.exchange.plugins.module_utils._run import change as changes
from ansible_collections.hybrid.exchange.plugins.module_utils._run import saved_plan
from ansible_collections.hybrid.exchange.plugins.module_utils._run.saved_plan import Planned, Saved, SavedPlan
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import planning
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.desired import Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.planning import ObjectPlan
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.source import Source
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.writeback_again import Reader


def cloud_digest(source: Source, attributes: Sequence[Attribute]) -> str:
    """A fingerprint of what the cloud holds of the attributes of one mailbox."""
    held = {
        attribute.ldap_name: _comparable(values) for attribute, values in zip(attributes, source.values, strict=True)
    }
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()


def _comparable(values: Wanted) -> list[str] | str | None:
    return sorted(values) if isinstance(values, tuple) else None if values is None else values.value


def save(
    path: str,
    about: Mapping[str, Any],
    plans: Iterable[ObjectPlan],
    attributes: Sequence[Attribute],
    counts: Mapping[str, int],
) -> Saved:
    """Write the plans that change something, each with what it rests on."""
    objects = [
        Planned(item.object_change(), cloud_digest(item.source, attributes))
        for item in plans
        if item.outcome == planning.CHANGE
    ]
    kinds = changes.as_result(changes.kinds(item.change for item in objects))
    return saved_plan.write(path, {**about, "counts": dict(counts), "changes": kinds}, objects)


def fitting(plan: SavedPlan, about: Mapping[str, Any]) -> None:
    """Refused where a plan was made for something else than this run."""
    for name, value in about.items():
        if plan.about.get(name) != value:
            raise Refused(
                f"The plan {plan.path} was made for {name} {_text(plan.about.get(name))}, and this run is about "
                f"{_text(value)}. Nothing was changed.",
                file=plan.path,
                option=name,
            )


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "none")


def plans_of(plan: SavedPlan, reader: Reader) -> list[ObjectPlan]:
    """The plans of a saved one, object by object: what moved since is refused, what is done already is unchanged."""
    found = reader.plans([item.change for item in plan.objects])
    return [_plan_of(item, found[item.change.guid], reader) for item in plan.objects]


def _plan_of(planned: Planned, found: ObjectPlan | HybridError, reader: Reader) -> ObjectPlan:
    if isinstance(found, HybridError):
        return _moved(planned, _stand_in(planned), found.message)
    if found.outcome not in {planning.CHANGE, planning.UNCHANGED}:
        return found
    if cloud_digest(found.source, reader.desired.attributes) != planned.cloud:
        return _moved(planned, found, "the mailbox was changed in the cloud since the plan was made")
    if found.outcome == planning.UNCHANGED:
        return found
    now = {change.attribute: change for change in found.object_change().changes}
    then = {change.attribute: change for change in planned.change.changes}
    differing = sorted(name for name in now.keys() | then.keys() if not _same(now.get(name), then.get(name)))
    if differing:
        what = ", ".join(differing)
        return _moved(planned, found, f"{what} was changed in the directory since the plan was made")
    return found


def _same(one: changes.ValueChange | None, other: changes.ValueChange | None) -> bool:
    if one is None or other is None:
        return False
    return changes.same(one.before, other.before) and changes.same(one.after, other.after)


def _moved(planned: Planned, found: ObjectPlan, reason: str) -> ObjectPlan:
    return replace(
        found, outcome=planning.MOVED, reason=reason, dn=found.dn or planned.change.dn, changes=(), raw=(), kept=()
    )


def _stand_in(planned: Planned) -> ObjectPlan:
    """For a mailbox or an object that is gone."""
    change = planned.change
    source = Source(change.id, change.name, True, True, change.anchor, "", change.dn, ())
    return ObjectPlan(source, planning.MOVED, dn=change.dn, guid=change.guid)
