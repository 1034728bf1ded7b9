# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EmailAddresses of a mailbox: what a new list, or an edit of the list, comes to."""

from __future__ import annotations

import re

from tests.lab.cloud.exchange import errors
from tests.lab.cloud.exchange.binder import Edit

_PREFIX = re.compile(r"^([A-Za-z0-9]{1,9}):(.+)$", re.DOTALL)
_SMTP = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
LIMIT = 1123  # rangeUpper of proxyAddresses


def key(value: str) -> str:
    """Two addresses are the same when their keys are: type and text without regard to case."""
    return value.lower()


def is_primary(value: str) -> bool:
    """Whether ``value`` is a primary SMTP address."""
    return value.startswith("SMTP:")


def primary(values: list[str]) -> str:
    """The primary SMTP address without its prefix, or an empty string."""
    return next((value[5:] for value in values if is_primary(value)), "")


def domain(value: str) -> str | None:
    """The domain of an SMTP address in lower case; None for other types."""
    return value.rpartition("@")[2].lower() if value.lower().startswith("smtp:") else None


def normalized(value: str) -> tuple[str, bool]:
    """``value`` with a type in front, and whether it stated one; a plain address is an alias."""
    matched = _PREFIX.match(value)
    stated = matched is not None
    if matched is None:
        matched = _PREFIX.match(f"smtp:{value}")
    if matched is None or len(value) > LIMIT:
        raise errors.data_validation(f'The address "{value}" is not a valid proxy address.')
    kind, text = matched[1], matched[2]
    if kind.lower() == "smtp":
        if not _SMTP.match(text):
            raise errors.data_validation(f'The address "{value}" is not a valid SMTP address.')
        kind = "SMTP" if kind == "SMTP" else "smtp"
    elif kind.lower() in ("x500", "eum", "spo", "sip", "x400"):
        kind = kind if kind.islower() else kind.upper()
    return f"{kind}:{text}", stated


def whole(values: list[str]) -> list[str]:
    """A whole new list: one primary, no address twice; a first plain address is the primary when none is stated."""
    pairs = [normalized(value) for value in values]
    found = [value for value, _owner in pairs]
    seen: set[str] = set()
    for value in found:
        if key(value) in seen:
            raise errors.data_validation(f'The value "{value}" is already present in the collection.')
        seen.add(key(value))
    primaries = [value for value in found if is_primary(value)]
    if len(primaries) > 1:
        raise errors.data_validation(f"There are multiple primary SMTP addresses: {', '.join(primaries)}.")
    if not primaries:
        if not pairs or pairs[0][1] or not found[0].startswith("smtp:"):
            raise errors.data_validation("There is no primary SMTP address in the list of e-mail addresses.")
        found[0] = f"SMTP:{found[0][5:]}"
    return found


def edited(current: list[str], edit: Edit) -> list[str]:
    """``current`` with values removed, then added; an added primary makes the old one an alias.

    Adding what is there and removing what is not there change nothing.
    """
    gone = {key(normalized(value)[0]) for value in edit.remove}
    kept = [value for value in current if key(value) not in gone]
    for raw in edit.add:
        value = normalized(raw)[0]
        if is_primary(value):
            kept = promoted(kept, value[5:])
        elif key(value) not in map(key, kept):
            kept.append(value)
    if not primary(kept):
        raise errors.data_validation(
            "The primary SMTP address can't be removed. Set another address as the primary SMTP address first."
        )
    return kept


def promoted(values: list[str], address: str) -> list[str]:
    """``values`` with ``address`` as the primary, and the old primary as an alias."""
    wanted = f"SMTP:{address}"
    rest = [f"smtp:{value[5:]}" if is_primary(value) else value for value in values if key(value) != key(wanted)]
    return [wanted, *rest]
