# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What a refusal of Exchange Online means.

Its texts are often three parts joined by "|": a code, the name of an exception, and the sentence for people. Some
failures are plain text or HTML instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud import retry
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.answer import Answer
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Ambiguous,
    AuthenticationError,
    Conflict,
    HybridError,
    InputError,
    NotFound,
    PermissionDenied,
    ProtocolError,
    Unavailable,
)

# Exceptions that pass by themselves: the directory behind Exchange was busy, or a budget was used up for a moment.
TRANSIENT = (
    "UnableToWriteToAadException",
    "ServerBusyException",
    "OverBudgetException",
    "ADTransientException",
    "MailboxStoreTransientException",
    "DataSourceTransientException",
    "TransientException",
    "ADServerNotSuitableException",
)
CLASSES: tuple[tuple[type[HybridError], tuple[str, ...]], ...] = (
    (NotFound, ("ManagementObjectNotFoundException", "RecipientNotFoundException")),
    (Ambiguous, ("ManagementObjectAmbiguousException", "NonUniqueRecipientException")),
    (
        Conflict,
        (
            "ProxyAddressExistsException",
            "ObjectAlreadyExists",
            "ADObjectAlreadyExistsException",
            "DuplicateExternalEmailAddress",
            "DataValidationException",
            "NonUniqueProxyAddress",
        ),
    ),
    (PermissionDenied, ("CmdletAccessDeniedException", "UnauthorizedAccessException", "AccessDenied")),
    (InputError, ("ParameterBinding", "ParsingException", "InvalidFilter")),
)
# Exchange's refusal to edit what AD masters; the wording has stayed for years, the exception's name has not.
WRITE_SCOPE = "out of the current user's write scope"
NOT_A_CMDLET = ("is not recognized as", "isn't recognized as", "CommandNotFoundException")
NO_PARAMETER = "A parameter cannot be found that matches parameter name"
NEEDS = (
    "the application permission Exchange.ManageAsApp of Office 365 Exchange Online, and a directory role (Exchange "
    "Administrator or Exchange Recipient Administrator) for its service principal"
)


@dataclass(frozen=True)
class Said:
    """What an answer said: the code, the exception's short name, and the sentence."""

    code: str
    exception: str
    text: str


def read(body: Any, headers: Mapping[str, str], plain: str) -> Said:
    """Find the reason in the body of a refusing answer."""
    error = body.get("error") if isinstance(body, Mapping) else None
    candidates: list[str] = []
    code = ""
    if isinstance(error, Mapping):
        code = str(error.get("code") or "")
        details = [detail for detail in error.get("details") or () if isinstance(detail, Mapping)]
        candidates.extend(str(detail["message"]) for detail in details if detail.get("message"))
        inner = error.get("innererror") or error.get("innerError")
        internal = (
            inner.get("internalException") or inner.get("internalexception") if isinstance(inner, Mapping) else None
        )
        if isinstance(internal, Mapping) and internal.get("message"):
            candidates.append(str(internal["message"]))
        if error.get("message"):
            candidates.append(str(error["message"]))
    elif isinstance(error, str):
        candidates.append(error)
    text = candidates[0] if candidates else plain
    parts = text.split("|", 2)
    exception = headers.get("x-exceptiontype", "")
    if len(parts) == 3:
        code, exception, text = parts[0] or code, parts[1] or exception, parts[2]
    return Said(code, exception.rsplit(".", 1)[-1].strip(), " ".join(text.split())[:500])


def is_transient(answer: Answer) -> bool:
    """Whether the same cmdlet may succeed later."""
    if retry.is_transient(answer):
        return True
    return answer.status >= 400 and read(answer.json(), answer.headers, answer.text).exception.endswith(TRANSIENT)


def from_answer(answer: Answer, needs: str = "") -> HybridError:
    """The error for a refusing answer; the object and the cmdlet are added by who knows them."""
    said = read(answer.json(), answer.headers, answer.text)
    facts: dict[str, Any] = {
        "http_status": answer.status,
        "request_id": answer.request_id,
        "code": said.code or None,
        "exception_type": said.exception or None,
    }
    host = urlsplit(answer.url).netloc
    if 300 <= answer.status < 400:
        return ProtocolError(
            f"{host} answered with a redirect to {answer.headers.get('location', 'nowhere')}, which is not followed. "
            "Check cloud and exchange_url.",
            **facts,
        )
    sentence = said.text or "no text"
    kind = classify(said, answer.status)
    return kind(f"Exchange Online answered {answer.status}: {sentence}{_advice(kind, said, answer.status)}", **facts)


def classify(said: Said, status: int) -> type[HybridError]:
    """The class of error: by the exception where it is known, else by the wording, else by the status."""
    for kind, names in CLASSES:
        if any(name in said.exception for name in names):
            return kind
    if WRITE_SCOPE in said.text or "on-premises organization" in said.text:
        return Conflict
    if NO_PARAMETER in said.text or any(text in said.text or text in said.exception for text in NOT_A_CMDLET):
        return PermissionDenied
    if status == 404 and "couldn't be found" in said.text:
        return NotFound
    by_status: Mapping[int, type[HybridError]] = {401: AuthenticationError, 403: PermissionDenied, 404: NotFound}
    if status in by_status:
        return by_status[status]
    return Unavailable if status >= 500 and not said.exception else Conflict


def _advice(kind: type[HybridError], said: Said, status: int) -> str:
    if NO_PARAMETER in said.text or any(text in said.text for text in NOT_A_CMDLET):
        return " Exchange hides what a role does not allow: give the application's service principal the role."
    if kind is PermissionDenied:
        return f" The application may not do this. It needs {NEEDS}."
    if kind is AuthenticationError:
        return f" A fresh token was refused too. The application needs {NEEDS}."
    if WRITE_SCOPE in said.text:
        return " AD is the source of authority of this mailbox: make it cloud-managed first, or change it in AD."
    if said.exception.endswith(TRANSIENT):
        return " This passes by itself: run again."
    return ""
