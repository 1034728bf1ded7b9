# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What is wrong or doubtful in an expression, found before the service sees it.

An error is what the service is sure to refuse or can never evaluate. A warning is what the reference advises against,
what is known to fail, or what is beyond the reference: the service's own default mappings have such things too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import lint_calls
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression import syntax as ex
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.evaluate import bare_value
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.functions import FUNCTIONS
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.lint_calls import ERROR, WARNING
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.text_functions import COMPARE_TYPES

SETTINGS = frozenset({"%domainfqdn%"})
"""The job's settings that the service's own mappings use, in lower case."""

_Found = Iterator[tuple[str, str, ex.Node]]


@dataclass(frozen=True)
class Finding:
    """One remark. severity is error or warning; character counts from 1."""

    severity: str
    message: str
    character: int

    @property
    def text(self) -> str:
        """The remark with its place; what the parser says has it already."""
        if f"at character {self.character}:" in self.message:
            return self.message
        return f"{self.message} (character {self.character} of the expression)"


def lint(expression: str | ex.Node, attributes: Collection[str] | None = None) -> tuple[Finding, ...]:
    """All findings in their order. attributes are the known names on the source side; None where they are not known."""
    if isinstance(expression, str):
        try:
            node = ex.parse(expression)
        except InputError as error:
            return (Finding(ERROR, error.message, int(error.facts.get("character", 1))),)
    else:
        node = expression
    known = None if attributes is None else {name.casefold(): name for name in attributes}
    found = [Finding(severity, message, at.at + 1) for severity, message, at in _walk(node, None, 0, False, known)]
    length = len(ex.render(node))
    if length > ex.LONGEST and not isinstance(expression, str):
        found.append(
            Finding(ERROR, f"The expression has {length} characters; the service takes at most {ex.LONGEST}.", 1)
        )
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: finding.character))


def _walk(node: ex.Node, parent: ex.Call | None, index: int, ignoring: bool, known: dict[str, str] | None) -> _Found:
    """Findings of a tree. ignoring says whether a call of IgnoreFlowIfNullOrEmpty stands around it."""
    if isinstance(node, ex.Attribute):
        yield from _attribute(node, known)
    elif isinstance(node, ex.Bare):
        yield from _bare(node, parent, index)
    elif isinstance(node, ex.Comparison):
        yield from _comparison(node, parent, index)
        for side in (node.left, node.right):
            yield from _walk(side, None, -1, ignoring, known)
    elif isinstance(node, ex.Call):
        yield from _call(node, parent, index, ignoring)
        around = ignoring or node.name == "IgnoreFlowIfNullOrEmpty"
        for position, argument in enumerate(node.arguments):
            if argument is not None:
                yield from _walk(argument, node, position, around, known)


def _attribute(node: ex.Attribute, known: dict[str, str] | None) -> _Found:
    if known is None or node.name.casefold() in known:
        return
    near = get_close_matches(node.name.casefold(), known, 1, 0.8)
    hint = f" Is [{known[near[0]]}] meant?" if near else ""
    yield WARNING, f"The source side has no attribute [{node.name}].{hint}", node


def _bare(node: ex.Bare, parent: ex.Call | None, index: int) -> _Found:
    word = node.text
    if word in COMPARE_TYPES:
        if parent is None or parent.name != "InStr" or index != 3:
            yield WARNING, f"{word} has a meaning as the fourth argument of InStr only.", node
    elif word.startswith("%"):
        if word.lower() not in SETTINGS:
            yield WARNING, f"{word} is no setting of the job that is known here.", node
    elif bare_value(word) is None:
        yield ERROR, f"{word} is neither an attribute in square brackets nor a string in quotes.", node


def _comparison(node: ex.Comparison, parent: ex.Call | None, index: int) -> _Found:
    if parent is None or parent.name not in ("IIF", "CBool") or index != 0:
        yield ERROR, "A comparison may stand only in the condition of IIF and in CBool.", node
    elif any(isinstance(side, ex.Text) and not side.value for side in (node.left, node.right)):
        message = "The reference does not support a comparison with an empty string; use Switch with an empty key."
        yield WARNING, message, node


def _call(node: ex.Call, parent: ex.Call | None, index: int, ignoring: bool) -> _Found:
    function = FUNCTIONS.get(node.name)
    if function is None:
        yield from _unknown(node)
        return
    if function.unsupported:
        yield ERROR, f"{node.name} is of no use here: {function.unsupported}.", node
    if node.name == "SelectUniqueValue":
        if parent is not None or index:
            yield ERROR, "SelectUniqueValue must be the outermost function.", node
        yield WARNING, "SelectUniqueValue is meant for provisioning from an HR system, not for writeback.", node
    conditional = parent is not None and parent.name == "IIF" and index == 0
    if node.name == "IgnoreFlowIfNullOrEmpty" and (parent is not None or index) and not conditional:
        yield WARNING, "IgnoreFlowIfNullOrEmpty is meant as a wrapper round the whole mapping.", node
    if node.name == "Switch" and not ignoring and len(node.arguments) > 1 and node.arguments[1] is not None:
        message = (
            "With Entra ID as the source, a Switch with a default is known to write null instead; use IIF, or wrap it "
            "in IgnoreFlowIfNullOrEmpty."
        )
        yield WARNING, message, node
    yield from lint_calls.findings(node, function)


def _unknown(node: ex.Call) -> _Found:
    by_case = {name.lower(): name for name in FUNCTIONS}
    same = by_case.get(node.name.lower())
    if same:
        yield WARNING, f"The reference has no function {node.name}. Is {same} meant? Names are case-sensitive.", node
        return
    near = get_close_matches(node.name.lower(), by_case, 1, 0.7)
    hint = f" Is {by_case[near[0]]} meant?" if near else ""
    yield ERROR, f"Microsoft's reference has no function {node.name}.{hint}", node
