# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Why an identity that was asked for has no mailbox: asked only for those that were not found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Ambiguous, HybridError, NotFound
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet

_USER_PROPERTIES = ("RecipientType", "RecipientTypeDetails", "UserPrincipalName")
_MAIL_USER_PROPERTIES = ("ExternalDirectoryObjectId", "ExchangeGuid")
_ID_PROPERTIES = ("Guid", "ExternalDirectoryObjectId")
# Up to here each user is asked for; beyond, one read of all mail users costs less.
_FEW = 400
_NO_GUID = "00000000-0000-0000-0000-000000000000"


class Batches(Protocol):
    """Runs many cmdlets in Exchange Online."""

    def batch(self, cmdlets: Sequence[Cmdlet]) -> Iterator[tuple[Cmdlet, list[dict[str, Any]] | HybridError]]:
        """The rows or the error of each cmdlet."""

    def invoke(self, cmdlet: Cmdlet) -> Iterator[dict[str, Any]]:
        """The rows that a cmdlet returns."""


class ExchangeRecipients:
    """Asks Exchange Online what an identity is that is no mailbox."""

    def __init__(self, exchange: Batches) -> None:
        self._exchange = exchange

    def __call__(self, identities: Sequence[str]) -> Mapping[str, str]:
        """The key of a reason by identity; an identity that is no user and no recipient either is left out."""
        users = self._ask("Get-User", identities, _USER_PROPERTIES)
        mail_users = [name for name, row in users.items() if row.get("RecipientType") == "MailUser"]
        guids = self._ask("Get-MailUser", mail_users, _MAIL_USER_PROPERTIES)
        reasons: dict[str, str] = {}
        for name, row in users.items():
            if row.get("RecipientType") == "MailUser":
                reasons[name] = _reason_of_mail_user(guids.get(name, {}))
            else:
                reasons[name] = "no_mailbox"
        others = [name for name in identities if name not in users]
        reasons.update(dict.fromkeys(self._ask("Get-Recipient", others, ("RecipientType",)), "not_a_user"))
        return reasons

    def of_users(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The key of a reason by object id, for users that are known to have no mailbox in Exchange Online."""
        if len(ids) <= _FEW:
            mail_users = self._ask("Get-MailUser", ids, _MAIL_USER_PROPERTIES)
        else:
            everybody = Cmdlet("Get-MailUser", {"ResultSize": "Unlimited"}, _MAIL_USER_PROPERTIES)
            rows = self._exchange.invoke(everybody)
            mail_users = {str(row.get("ExternalDirectoryObjectId") or "").lower(): row for row in rows}
        return {key: _reason_of_mail_user(mail_users[key]) if key in mail_users else "no_mailbox" for key in ids}

    def ids(self, identities: Sequence[str]) -> Mapping[str, str]:
        """The Guid, else the object id, of the recipient that an identity names; no recipient, or several: left out."""
        rows = self._ask("Get-Recipient", identities, _ID_PROPERTIES, ignored=(NotFound, Ambiguous))
        keys = {name: str(row.get("Guid") or row.get("ExternalDirectoryObjectId") or "") for name, row in rows.items()}
        return {name: key.lower() for name, key in keys.items() if key}

    def _ask(
        self,
        cmdlet: str,
        identities: Sequence[str],
        select: tuple[str, ...],
        ignored: tuple[type[HybridError], ...] = (NotFound,),
    ) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        if not identities:
            return found
        for asked, answer in self._exchange.batch([Cmdlet(cmdlet, {"Identity": name}, select) for name in identities]):
            if isinstance(answer, ignored):
                continue
            if isinstance(answer, HybridError):
                raise answer
            if answer:
                found[str(asked.parameters["Identity"])] = answer[0]
        return found


def _reason_of_mail_user(row: Mapping[str, Any]) -> str:
    """msExchMailboxGuid of AD arrives as ExchangeGuid: it tells an on-premises mailbox from a mail user."""
    return "mail_user" if str(row.get("ExchangeGuid") or _NO_GUID) == _NO_GUID else "on_premises_mailbox"
