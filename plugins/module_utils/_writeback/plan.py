# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What to change in one directory object so that it holds what the cloud holds. Nothing here reads or writes.

A change names the old values that go and the new ones that come, in one request: if somebody changed the object in
between, AD refuses the request as a whole instead of losing that edit (see _run/change.py, which is about the bytes).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.hybrid.exchange.plugins.module_utils._model import addresses, recipient_types, values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute, Syntax, Values
from ansible_collections.hybrid.exchange.plugins.module_utils._run.change import Raw, ValueChange


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """What happens to one attribute of one object; ``kept`` are values that only AD has and that stay."""

    attribute: Attribute
    before: Values
    after: Values
    remove: Values
    add: Values
    kept: Values = ()

    def __bool__(self) -> bool:
        return bool(self.remove or self.add)


def change_attribute(attribute: Attribute, current: Values, desired: Values, *, merge: bool) -> AttributeChange:
    """The smallest change that makes ``current`` mean the same as ``desired``.

    ``merge`` is for proxyAddresses only: addresses that only AD has stay, but for a second primary one, which becomes
    a secondary one.
    """
    if attribute.cast == "addresses":
        edit = addresses.minimal_change(current, desired, merge=merge)
        return _change(attribute, current, edit.delete, edit.add, edit.kept)
    if equivalent(attribute, current, desired):
        return AttributeChange(attribute, current, current, (), ())
    if not attribute.multi:
        return _change(attribute, current, current, desired)
    remove = values.difference(attribute, current, desired)
    add = tuple(dict.fromkeys(values.difference(attribute, desired, current)))
    return _change(attribute, current, remove, add)


def _change(
    attribute: Attribute, current: Values, remove: Sequence[str], add: Sequence[str], kept: Sequence[str] = ()
) -> AttributeChange:
    after = tuple(value for value in current if value not in remove) + tuple(add)
    return AttributeChange(attribute, current, after, tuple(remove), tuple(add), tuple(kept))


def equivalent(attribute: Attribute, one: Values, other: Values) -> bool:
    """Whether two values mean the same, so that writing one over the other is not worth a write.

    A display type may also say that the mailbox can stand in permissions. AD knows, the cloud does not tell: it stays.
    A switch that AD has no value for is off.
    """
    if attribute.syntax is Syntax.BOOLEAN:
        return (one or ("FALSE",)) == (other or ("FALSE",))
    if attribute.cast == "display_type" and len(one) == len(other) == 1:
        return recipient_types.same_display_type(int(one[0]), int(other[0]))
    return values.equal(attribute, one, other)


def value_change(change: AttributeChange, held: Raw) -> ValueChange:
    """The change in bytes; ``held`` are the bytes that ``change.before`` was read from, in its order.

    InputError for a value that AD's syntax cannot hold.
    """
    stay = tuple(raw for value, raw in zip(change.before, held, strict=True) if value not in change.remove)
    return ValueChange(
        change.attribute.ldap_name, held, stay + tuple(values.to_directory(change.attribute, change.add))
    )


def as_text(changes: Iterable[AttributeChange], side: str) -> dict[str, list[str]]:
    """One side (``before`` or ``after``) of the changes of an object, for artifacts and diffs; sorted."""
    return {change.attribute.ldap_name: sorted(getattr(change, side)) for change in changes}


def current_values(attributes: Iterable[Attribute], raw: Mapping[str, tuple[bytes, ...]]) -> list[Values]:
    """What AD holds of the attributes; ProtocolError for bytes that are no text."""
    return [values.from_directory(attribute, raw.get(attribute.ldap_name, ())) for attribute in attributes]
