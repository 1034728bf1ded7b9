# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What a Windows host or Exchange Server says went wrong, and what went wrong on the way to it, as our errors."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.settings import Settings

# System.Management.Automation.ErrorCategory by number, [MS-PSRP] 2.2.3.15.
CATEGORIES = (
    *("NotSpecified", "OpenError", "CloseError", "DeviceError", "DeadlockDetected", "InvalidArgument", "InvalidData"),
    *("InvalidOperation", "InvalidResult", "InvalidType", "MetadataError", "NotImplemented", "NotInstalled"),
    *("ObjectNotFound", "OperationStopped", "OperationTimeout", "SyntaxError", "ParserError", "PermissionDenied"),
    *("ResourceBusy", "ResourceExists", "ResourceUnavailable", "ReadError", "WriteError", "FromStdErr"),
    *("SecurityError", "ProtocolError", "ConnectionError", "AuthenticationError", "LimitsExceeded", "QuotaExceeded"),
    "NotEnabled",
)
_CLASSES: Mapping[str, type[errors.HybridError]] = MappingProxyType(
    {
        "ObjectNotFound": errors.NotFound,
        "NotInstalled": errors.NotFound,
        "PermissionDenied": errors.PermissionDenied,
        "SecurityError": errors.PermissionDenied,
        "AuthenticationError": errors.AuthenticationError,
        "OperationTimeout": errors.Timeout,
        "ConnectionError": errors.Unavailable,
        "ResourceUnavailable": errors.Unavailable,
    }
)
# What Exchange's own cmdlets say by the class of the exception, whatever the category.
_REASONS: Mapping[str, type[errors.HybridError]] = MappingProxyType(
    {
        "ManagementObjectNotFoundException": errors.NotFound,
        "ManagementObjectAmbiguousException": errors.Ambiguous,
    }
)
NO_COMMAND = "CommandNotFoundException"
# Faults of WS-Management by number.
_ACCESS_DENIED = 5
_OVER_QUOTA = 0x803381A6


@dataclass(frozen=True)
class ErrorRecord:
    """An error as PowerShell records it."""

    message: str
    category: str = "NotSpecified"
    error_id: str = ""
    target: str = ""
    reason: str = ""


def category_name(number: int | None) -> str:
    """The name of a category by its number."""
    return CATEGORIES[number] if number is not None and 0 <= number < len(CATEGORIES) else CATEGORIES[0]


def of_record(record: ErrorRecord, cmdlet: str, host: str) -> errors.HybridError:
    """The error that a record is; its facts tell category, id and target."""
    cls = _REASONS.get(record.reason) or _CLASSES.get(record.category, errors.Conflict)
    message = " ".join(record.message.split()) or f"an error without a text ({record.error_id or record.category})"
    return cls(
        f"{cmdlet} on {host}: {message}",
        host=host,
        cmdlet=cmdlet,
        category=record.category,
        error_id=record.error_id,
        target=record.target,
        **({"reason": record.reason} if record.reason else {}),
    )


def is_missing_command(error: errors.HybridError) -> bool:
    """Whether the host does not have the cmdlet."""
    return str(error.facts.get("error_id") or "").startswith(NO_COMMAND)


def lost(settings: Settings, what: object, uncertain: bool) -> errors.Unavailable:
    """The error for a connection that was cut. uncertain: something may have been changed; nobody knows."""
    about = " Whether the command was carried out is not known." if uncertain else ""
    return errors.Unavailable(
        f"The connection to {settings.host}:{settings.port} was lost: {short(what)}.{about}",
        host=settings.host,
        uncertain=uncertain,
    )


def of_connecting(settings: Settings, error: BaseException) -> errors.HybridError:
    """The error for a session that could not be opened, whatever the library raised."""
    where, kind = f"{settings.host}:{settings.port}", settings.kind
    facts = {"host": settings.host}
    untrusted = next((item for item in _chain(error) if isinstance(item, ssl.SSLCertVerificationError)), None)
    if untrusted is not None:
        return errors.InputError(
            f"The certificate of {where} cannot be trusted: {untrusted.verify_message}. Give {kind.prefix}_ca_path, "
            f"the authority that it comes from, and in {kind.prefix}_host a name that it holds.",
            **facts,
        )
    if isinstance(error, OSError):
        return errors.Unavailable(
            f"{where} cannot be reached: {short(error)}. {kind.needed}.",
            **facts,
        )
    code = getattr(error, "code", None)
    if code == _ACCESS_DENIED:
        return errors.PermissionDenied(
            f"{where} does not let {settings.user or 'this account'} open a PowerShell session. It must {kind.rights} "
            f"{settings.configuration}.",
            **facts,
        )
    if code is not None and "configuration" in str(error).lower():
        return errors.NotFound(
            f"{where} has no session configuration {settings.configuration} ({kind.prefix}_configuration_name): "
            f"{short(error)}.",
            **facts,
        )
    return errors.ProtocolError(f"{where} opened no PowerShell session: {short(error)}.", **facts)


def refused(settings: Settings, error: BaseException) -> errors.AuthenticationError:
    """The error for a sign-in that the host refused."""
    who = settings.user or settings.certificate or "the account of the Kerberos ticket"
    return errors.AuthenticationError(
        f"{settings.host}:{settings.port} refused the sign-in of {who} ({settings.authentication}): {short(error)}. "
        "Check the account, its password and whether the server allows this kind of sign-in.",
        host=settings.host,
    )


def is_busy(error: BaseException) -> bool:
    """Whether the host refused a request because there were too many, without having worked on it."""
    return getattr(error, "code", None) == _OVER_QUOTA


def busy(settings: Settings) -> errors.Unavailable:
    """The error for a host that stays too busy."""
    return errors.Unavailable(
        f"{settings.host}:{settings.port} refuses requests because there are too many at once (WinRM's quota for a "
        "user). Run again later.",
        host=settings.host,
        uncertain=False,
    )


def is_stopped(record: ErrorRecord) -> bool:
    """Whether a pipeline was stopped by the host, as when its connection is cut, and not by what it ran."""
    return record.category == "OperationStopped"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error with its causes and the errors it wraps; requests and urllib3 wrap without a cause."""
    seen: set[int] = set()
    open_errors: list[BaseException] = [error]
    while open_errors:
        item = open_errors.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        inner = [item.__cause__, item.__context__, getattr(item, "reason", None), *getattr(item, "args", ())]
        open_errors += [other for other in inner if isinstance(other, BaseException)]


def short(what: object) -> str:
    """The innermost words of an error, on one line."""
    if isinstance(what, BaseException):
        chain = list(_chain(what))
        texts = [item.strerror for item in chain if isinstance(item, OSError) and item.strerror]
        reason = getattr(what, "reason", None)
        what = texts[-1] if texts else reason if isinstance(reason, str) else str(chain[-1])
    text = " ".join(str(what).split()).rstrip(".")
    return text if len(text) <= 300 else f"{text[:300]}..."
