# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What AD cannot or must not hold, seen from the values of one object alone. Nothing here reads or writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ansible_collections.hybrid.exchange.plugins.module_utils._model import addresses, values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute, Syntax, Values

REFUSED = "refused"
OUT_OF_RANGE = "out_of_range"
CASE_TWINS = "case_twins"
TWO_PRIMARIES = "two_primaries"
NO_PRIMARY = "no_primary"
MAIL_NOT_PRIMARY = "mail_not_primary"


class Problem(NamedTuple):
    """Why an object must not be written: one word to count by, and the reason in plain words."""

    outcome: str
    reason: str


def problem(attribute: Attribute, desired: Values) -> Problem | None:
    """Why AD cannot hold these values, other than for their size; None where it can."""
    if attribute.cast == "addresses":
        return _problem_of_addresses(attribute, desired)
    if attribute.multi and attribute.syntax is Syntax.UNICODE:
        seen: dict[str, str] = {}
        for value in desired:
            twin = seen.setdefault(value.casefold(), value)
            if twin != value:
                return Problem(
                    CASE_TWINS,
                    f"{attribute.ldap_name}: {twin!r} and {value!r} differ in case only, which AD takes for one value",
                )
    return None


def _problem_of_addresses(attribute: Attribute, desired: Values) -> Problem | None:
    found = addresses.problems(desired)
    parsed = [addresses.parse(value) for value in desired]
    primaries = sum(item.primary and item.type == "SMTP" for item in parsed)
    if not primaries:
        # Exchange Online shows a primary address for every mailbox; without one the answer was not whole.
        return Problem(NO_PRIMARY, f"{attribute.ldap_name}: {'; '.join(found) or 'the cloud shows no primary address'}")
    if not found:
        return None
    twins = len({value.casefold() for value in desired}) < len(desired)
    word = TWO_PRIMARIES if primaries > 1 else CASE_TWINS if twins else REFUSED
    return Problem(word, f"{attribute.ldap_name}: {'; '.join(found)}")


def out_of_range(attribute: Attribute, added: Values) -> Problem | None:
    """Why the schema refuses these values for their number or size; None where it does not."""
    reason = values.check_range(attribute, added)
    return Problem(OUT_OF_RANGE, reason) if reason else None


def mail_problem(after: Mapping[str, Values], changed: Iterable[str]) -> Problem | None:
    """Why mail would not be the primary address; None where it would, or where a run does not write one of the two."""
    if "mail" not in after or "proxyAddresses" not in after or not {"mail", "proxyAddresses"} & set(changed):
        return None
    primary = addresses.primary(after["proxyAddresses"])
    mail = "".join(after["mail"])
    if primary is None or mail.casefold() == primary.casefold():
        return None
    return Problem(MAIL_NOT_PRIMARY, f"mail would be {mail or 'empty'}, but the primary address {primary}")
