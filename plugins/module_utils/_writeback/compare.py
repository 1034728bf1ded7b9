# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""How one mailbox and its directory object compare, attribute by attribute. Nothing here reads or writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._model import addresses, values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute, Values
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback import plan

EQUAL = "equal"
DIFFERS = "differs"
NOT_WRITTEN_BACK = "not_written_back"
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One attribute of one mailbox. ``at_risk`` are AD's values that a write from the cloud would take away."""

    attribute: Attribute
    status: str
    cloud: Values
    directory: Values
    cloud_only: Values = ()
    directory_only: Values = ()
    at_risk: Values = ()

    def as_result(self) -> dict[str, Any]:
        """For the artifact."""
        return {
            "status": self.status,
            "cloud": sorted(self.cloud),
            "directory": sorted(self.directory),
            "cloud_only": sorted(self.cloud_only),
            "directory_only": sorted(self.directory_only),
        }


def compare(
    attribute: Attribute, cloud: Values | None, directory: Values, *, merge: bool, proven: bool = True
) -> Comparison:
    """Compare the two sides; ``cloud`` is None where the cloud's value is not known.

    With ``merge``, addresses that only AD has do not make a difference, a wrong primary address does. ``proven`` is
    false for attributes that nobody writes back: a difference there is told, but does not fail the proof.
    """
    if cloud is None:
        return Comparison(attribute, UNREADABLE, (), directory)
    if plan.equivalent(attribute, cloud, directory):
        return Comparison(attribute, EQUAL, cloud, directory)
    same = (
        merge and attribute.cast == "addresses" and not plan.change_attribute(attribute, directory, cloud, merge=True)
    )
    status = EQUAL if same else DIFFERS if proven else NOT_WRITTEN_BACK
    return Comparison(
        attribute,
        status,
        cloud,
        directory,
        cloud_only=values.difference(attribute, cloud, directory),
        directory_only=values.difference(attribute, directory, cloud),
        at_risk=at_risk(attribute, cloud, directory),
    )


def at_risk(attribute: Attribute, cloud: Values, directory: Values) -> Values:
    """What is lost when the cloud's values replace AD's: an address that only changes its rank is not."""
    if attribute.cast == "addresses":
        known = {addresses.parse(value).key[:2] for value in cloud}
        return tuple(value for value in directory if addresses.parse(value).key[:2] not in known)
    return values.difference(attribute, directory, cloud)


def compare_all(
    attributes: Sequence[Attribute],
    unproven: frozenset[str],
    cloud: Sequence[Values | None],
    directory: Sequence[Values],
    *,
    merge: bool,
) -> list[Comparison]:
    """Compare all attributes; ``unproven`` names those that nobody writes back.

    Attributes whose values are the same to the letter are left out: they are equal, and most of them are.
    """
    return [
        compare(attribute, left, right, merge=merge, proven=attribute.ldap_name not in unproven)
        for attribute, left, right in zip(attributes, cloud, directory, strict=True)
        if left != right
    ]
