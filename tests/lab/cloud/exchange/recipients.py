# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get- cmdlets of recipients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.lab.cloud.context import Services
from tests.lab.cloud.exchange import errors, opath, paging
from tests.lab.cloud.exchange.binder import USER_TYPES
from tests.lab.cloud.exchange.identity import (
    ALL_KINDS,
    CONTACT,
    GROUP,
    MAIL_USER,
    MAILBOX,
    SERVER,
    Recipient,
    find,
    in_order,
    public,
)
from tests.lab.cloud.wire import Request
from tests.lab.store import Document

GET_PARAMETERS = ("Identity", "Filter", "RecipientTypeDetails", "ResultSize", "Anr")
GET_KINDS: dict[str, tuple[str, ...]] = {
    "Get-Mailbox": (MAILBOX,),
    "Get-MailUser": (MAIL_USER,),
    "Get-MailContact": (CONTACT,),
    "Get-DistributionGroup": (GROUP,),
    "Get-Recipient": ALL_KINDS,
}
_ANR_PROPERTIES = ("DisplayName", "Name", "Alias", "PrimarySmtpAddress")


@dataclass(frozen=True)
class Call:
    """One cmdlet to run: for which tenant, with which bound parameters, from which request."""

    services: Services
    request: Request
    tenant: Document
    cmdlet: str
    bound: dict[str, Any]

    @property
    def tenant_id(self) -> str:
        """The tenant's id."""
        return str(self.tenant["id"])

    @property
    def what_if(self) -> bool:
        """Whether the cmdlet is only to say what it would do."""
        return self.bound.get("WhatIf") is True


@dataclass
class Result:
    """What a cmdlet gives: rows of this page, the link to the next, and warnings."""

    rows: list[Document] = field(default_factory=list)
    next_link: str | None = None
    warnings: list[str] = field(default_factory=list)


Cmdlet = Callable[[Call], Result]


def get_recipients(call: Call) -> Result:
    """Get-Mailbox and its kin: by -Identity, or all by -Filter, -Anr and -RecipientTypeDetails."""
    kinds = GET_KINDS[call.cmdlet]
    keep = predicate(call.bound)
    if "Identity" in call.bound:
        if "Filter" in call.bound or "Anr" in call.bound:
            raise errors.parameter_sets()
        found = find(call.services, call.tenant_id, kinds, call.bound["Identity"] or "")
        rows = [one.row for one in found if keep(one.row)]
        if not rows:
            raise errors.not_found(call.bound["Identity"] or "", SERVER)
        return Result([public(row) for row in rows])
    began = paging.position(call.services, call.request, call.tenant_id)
    chunk = paging.page_size(call.services, call.request) + 1
    everyone = in_order(call.services, call.tenant_id, kinds, began.after, chunk)
    rows, link, warnings = paging.page(
        call.services, call.request, call.tenant_id, call.bound, _kept(everyone, keep), began
    )
    return Result(rows, link, warnings)


def _kept(everyone: Iterable[tuple[str, Recipient]], keep: opath.Predicate) -> Iterator[tuple[str, Document]]:
    for key, one in everyone:
        if keep(one.row):
            yield key, public(one.row)


def predicate(bound: dict[str, Any], properties: tuple[str, ...] = ()) -> opath.Predicate:
    """What -Filter, -Anr and -RecipientTypeDetails let through.

    ``properties``: what the cmdlet's objects have, when that is less than recipients have; nothing else is filterable.
    """
    by_filter = opath.parse(bound["Filter"], properties) if bound.get("Filter") else None
    kinds = bound.get("RecipientTypeDetails")
    if kinds and not properties and set(kinds) & set(USER_TYPES):
        raise errors.bad_value("RecipientTypeDetails", "RecipientTypeDetails[]", ",".join(kinds))
    start = (bound.get("Anr") or "").lower()

    def keep(row: dict[str, Any]) -> bool:
        return (
            (by_filter is None or by_filter(row))
            and (not kinds or row.get("RecipientTypeDetails") in kinds)
            and (not start or any(str(row.get(name, "")).lower().startswith(start) for name in _ANR_PROPERTIES))
        )

    return keep
