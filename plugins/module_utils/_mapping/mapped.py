# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""A mapping that can be computed: what it gives for a mailbox, and what a cycle leaves of AD's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import flow, source
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import schema as schemas
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.casting import cast
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import evaluate
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import syntax as ex
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluation import (
    NOT_FLOWED,
    NOTHING_KNOWN,
    Context,
    EvaluationError,
    NotFlowed,
    Read,
    Undetermined,
    Value,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.functions import FUNCTIONS
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.rule import Rule
from ansible_collections.hybrid.exchange.plugins.module_utils._model import catalogue
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute, Values


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a mapping has no result for a mailbox.

    undetermined: it cannot be known here. Otherwise the service will report an error for the mailbox, or AD refuses
    the value; either way AD keeps what it has.
    """

    reason: str
    undetermined: bool


@dataclass(frozen=True, slots=True)
class Mapped:
    """One mapping of a job. compute is None for the mapping type None: its default fills an empty target, no more.

    constant is the result where it is the same for every mailbox.
    """

    target: Attribute
    compute: evaluate.Compiled | None
    flow_type: str = flow.ALWAYS
    flow_behavior: str = "FlowWhenChanged"
    default: Values = ()
    matching_priority: int = 0
    proxy_addresses: str = flow.OVERWRITE
    case_exact: bool = True
    constant: Values | Problem | None = None

    @property
    def redacted(self) -> bool:
        """Whether its values must not be shown."""
        return self.compute is not None and self.compute.redacted

    @property
    def sources(self) -> frozenset[str]:
        """The source attributes that it reads."""
        return frozenset() if self.compute is None else frozenset(ex.attributes(self.compute.node))

    @property
    def needs(self) -> frozenset[str]:
        """What it needs beside the mailbox, in words; without that in the context it is undetermined."""
        calls = () if self.compute is None else ex.calls(self.compute.node)
        return frozenset(FUNCTIONS[call.name].needs for call in calls if call.name in FUNCTIONS) - {""}

    def desired(
        self, values: Read | Mapping[str, Value], context: Context = NOTHING_KNOWN
    ) -> Values | NotFlowed | Problem:
        """What the mapping gives for a mailbox, as AD would hold it: the default where the source has no value."""
        if self.constant is not None:
            return self.constant
        if self.compute is None:
            return self.default or NOT_FLOWED
        try:
            value = self.compute.run(values if callable(values) else evaluate.reader(values), context)
            if value is NOT_FLOWED:
                return NOT_FLOWED
            return cast(self.target, value) or self.default
        except (EvaluationError, Undetermined) as error:
            # A reason often quotes the value.
            reason = "The reason is hidden, because the mapping calls Redact." if self.redacted else error.message
            return Problem(reason, undetermined=isinstance(error, Undetermined))

    def after(self, current: Values, desired: Values | NotFlowed, object_exists: bool = True) -> Values:
        """What a cycle leaves in AD of the current values."""
        if isinstance(desired, NotFlowed):
            return current
        return flow.after(
            self.target,
            flow.ATTRIBUTE_ADD_ONLY if self.compute is None else self.flow_type,
            current,
            desired,
            object_exists=object_exists,
            proxy_addresses=self.proxy_addresses,
            case_exact=self.case_exact,
        )


def from_graph(mapping: Mapping[str, Any], *, proxy_addresses: str = flow.OVERWRITE, case_exact: bool = True) -> Mapped:
    """A mapping in Graph's shape (attributeMapping).

    InputError for a target that the catalogue does not have, an expression that cannot be read, a default that the
    target cannot hold, or an unknown flow type.
    """
    name = str(mapping.get("targetAttributeName") or "")
    target = catalogue.attribute(name)
    flow_type = str(mapping.get("flowType") or flow.ALWAYS)
    if flow_type not in flow.FLOW_TYPES:
        raise InputError(f"{name}: the flow type {flow_type!r} is unknown; known are {', '.join(flow.FLOW_TYPES)}.")
    if proxy_addresses not in flow.PROXY_ADDRESSES:
        raise InputError(f"proxy_addresses must be one of {', '.join(flow.PROXY_ADDRESSES)}, not {proxy_addresses!r}.")
    try:
        node = source.tree(mapping.get("source"))
        default = cast(target, str(mapping.get("defaultValue") or ""))
    except InputError as error:
        raise InputError(f"{name}: {error.message}", **{**error.facts, "target": name}) from error
    except EvaluationError as error:
        raise InputError(f"The default of the mapping cannot be written: {error.message}", target=name) from error
    mapped = Mapped(
        target=target,
        compute=None if node is None else evaluate.compile(node),
        flow_type=flow_type,
        flow_behavior=str(mapping.get("flowBehavior") or "FlowWhenChanged"),
        default=default,
        matching_priority=int(mapping.get("matchingPriority") or 0),
        proxy_addresses=proxy_addresses,
        case_exact=case_exact,
    )
    if isinstance(node, ex.Text):
        result = mapped.desired({})
        return mapped if isinstance(result, NotFlowed) else replace(mapped, constant=result)
    return mapped


def from_rule(rule: Rule, *, proxy_addresses: str = flow.OVERWRITE, case_exact: bool = True) -> Mapped:
    """A rule as a new mapping would be; where a job has the mapping already, merge the rule over it first."""
    if not rule.source:
        raise InputError(f"{rule.place}: {rule.target} belongs to the directory writer and has no mapping in the job.")
    mapping = {
        "targetAttributeName": rule.target,
        "source": rule.source,
        "flowType": rule.flow_type,
        "flowBehavior": rule.flow_behavior,
        "defaultValue": rule.default,
        "matchingPriority": rule.matching_priority,
    }
    return from_graph(mapping, proxy_addresses=proxy_addresses, case_exact=case_exact)


def from_schema(
    schema: Mapping[str, Any], *, proxy_addresses: str = flow.OVERWRITE
) -> tuple[tuple[Mapped, ...], Mapping[str, str]]:
    """The mappings for users that a job's schema has enabled, and by target why others cannot be computed.

    Of two mappings with one target both are given, as the service does not say which one counts.
    """
    found: list[Mapped] = []
    left_out: dict[str, str] = {}
    ignoring_case = schemas.without_case(schema)
    for objects in schemas.user_mappings(schema):
        if not objects.get("enabled", True):
            continue
        for mapping in objects.get("attributeMappings") or ():
            name = str(mapping.get("targetAttributeName") or "")
            try:
                exact = name.lower() not in ignoring_case
                found.append(from_graph(mapping, proxy_addresses=proxy_addresses, case_exact=exact))
            except InputError as error:
                left_out[name] = error.message
    return tuple(found), left_out
