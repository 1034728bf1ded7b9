# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""How long a regular expression may take: patterns that could try the same text in endless ways are refused.

Both .NET and Python go back and try again. Where each choice is settled by the next character, a match takes time in
proportion to the text. Where it is not, each such choice multiplies the time by the length of the text, and such a
choice within a repetition doubles it with every character. Nothing can stop Python once it has begun to match, so the
bound is found first, from the sets of characters that can come next. It errs on the side of more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.character_classes import ALL, Charset
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.expression.pattern import (
    Anchor,
    Back,
    Choice,
    Group,
    Item,
    One,
    Repeat,
    Tree,
)

MOST_STEPS = 10_000_000
"""A second of matching in Python, at the very worst."""

_NONE = Charset(0)


@dataclass(frozen=True)
class _Cost:
    """Ways to try a text: at most 2 ** doublings, times its length ** lengths."""

    lengths: float = 0
    doublings: float = 0

    def __add__(self, other: _Cost) -> _Cost:
        return _Cost(self.lengths + other.lengths, self.doublings + other.doublings)


_FREE, _ENDLESS = _Cost(), _Cost(math.inf)


def longest_text(tree: Tree) -> int:
    """The longest text that the pattern is sure to be done with in MOST_STEPS; 0 where there is none."""
    folded = "i" in tree.options or _any_case(tree.body)
    cost = _Analysis(folded).choice(tree.body, _NONE)
    anchored = all(branch and branch[0] in (Anchor("^"), Anchor("\\A")) for branch in tree.body.branches)
    # One for the way through the text, one for each place where a match may begin.
    lengths = cost.lengths + (1 if anchored and "m" not in tree.options else 2)
    if math.isinf(lengths):
        return 0
    # The places of the choices in the text stand in order, so the ways to place them are fewer by the factorial.
    steps = math.log2(MOST_STEPS) - cost.doublings + math.lgamma(lengths + 1) / math.log(2)
    return int(2 ** min(steps / lengths, 40)) if steps > 0 else 0


def _any_case(choice: Choice) -> bool:
    return any(
        (isinstance(item, Group) and ("i" in item.kind or _any_case(item.body)))
        or (isinstance(item, Repeat) and _any_case(Choice(((item.item,),))))
        for branch in choice.branches
        for item in branch
    )


class _Analysis:
    def __init__(self, folded: bool) -> None:
        self._folded = folded

    def choice(self, choice: Choice, follow: Charset) -> _Cost:
        cost = _FREE
        firsts = [self._sequence_first(branch) | (follow if _nullable(branch) else _NONE) for branch in choice.branches]
        if len(firsts) > 1 and any(one.bits & other.bits for one, other in combinations(firsts, 2)):
            cost = _Cost(0, math.log2(len(firsts)))
        for branch in choice.branches:
            cost += self._sequence(branch, follow)
        return cost

    def _sequence(self, items: tuple[Item, ...], follow: Charset) -> _Cost:
        cost = _FREE
        for item in reversed(items):
            cost += self._item(item, follow)
            first = self._first(item)
            follow = first | follow if _may_be_empty(item) else first
        return cost

    def _item(self, item: Item, follow: Charset) -> _Cost:
        if isinstance(item, Group):
            # A look at what follows, or an atomic group, is done once it has matched.
            return self.choice(item.body, _NONE if item.kind[1:] in ("=", "!", "<=", "<!", ">") else follow)
        if not isinstance(item, Repeat):
            return _FREE
        first = self._first(item.item)
        open_end = item.low != item.high and bool(first.bits & follow.bits)
        own = _FREE
        if open_end:
            own = _Cost(1) if item.high is None else _Cost(0, math.log2(item.high - item.low + 1))
        if isinstance(item.item, One) or item.high == 0:
            return own
        inner = self._item(item.item, first | follow if item.high != 1 else follow)
        if item.high == 1 or (inner == _FREE and not _may_be_empty(item.item)):
            return own + inner
        if item.high is None:
            return _ENDLESS
        return own + _Cost(inner.lengths * item.high, max(inner.doublings, 1) * item.high)

    def _first(self, item: Item) -> Charset:
        """The characters with which an item may begin."""
        if isinstance(item, One):
            return item.chars.folded() if self._folded else item.chars
        if isinstance(item, Back):
            return ALL
        if isinstance(item, Repeat):
            return self._first(item.item) if item.high != 0 else _NONE
        if isinstance(item, Group) and item.kind[1:] not in ("=", "!", "<=", "<!"):
            found = _NONE
            for branch in item.body.branches:
                found |= self._sequence_first(branch)
            return found
        return _NONE

    def _sequence_first(self, items: tuple[Item, ...]) -> Charset:
        found = _NONE
        for item in items:
            found |= self._first(item)
            if not _may_be_empty(item):
                break
        return found


def _nullable(items: tuple[Item, ...]) -> bool:
    return all(_may_be_empty(item) for item in items)


def _may_be_empty(item: Item) -> bool:
    """Whether an item may match without a character, so that what follows it decides."""
    if isinstance(item, One):
        return False
    if isinstance(item, Anchor):
        return not item.seals
    if isinstance(item, Back):
        return True
    if isinstance(item, Repeat):
        return item.low == 0 or _may_be_empty(item.item)
    if item.kind[1:] in ("=", "!", "<=", "<!"):
        return True
    return any(_nullable(branch) for branch in item.body.branches)
