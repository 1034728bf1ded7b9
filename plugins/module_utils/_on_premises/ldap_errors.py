# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""LDAP result codes (RFC 4511, appendix A) as errors in plain words, with what Active Directory adds to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors

SUCCESS = 0
OPERATIONS_ERROR = 1
BUSY = 51

_SIGN_IN = re.compile(r"\bdata ([0-9a-f]+)\b", re.IGNORECASE)

# AD and Samba answer noSuchAttribute both for a missing value and for an attribute that the schema does not know.
_UNKNOWN_ATTRIBUTE = re.compile(r"Error in attribute conversion operation|not found in the schema", re.IGNORECASE)

# The "data" code in the text of a refused bind is a Win32 error.
_SIGN_IN_REASONS: Mapping[str, str] = {
    "525": "there is no such account",
    "52e": "the user name or the password is wrong",
    "530": "the account may not sign in at this time of day",
    "531": "the account may not sign in from this machine",
    "532": "the password has expired",
    "533": "the account is disabled",
    "701": "the account has expired",
    "773": "the password must be changed before the first sign-in",
    "775": "the account is locked out",
}

_MEANINGS: Mapping[int, tuple[type[errors.HybridError], str]] = {
    1: (errors.ProtocolError, "the directory server could not process the request; is the user signed in?"),
    3: (errors.Unavailable, "the directory server ran out of the time it allows for one search"),
    4: (errors.ProtocolError, "the directory server would return more objects than it allows"),
    7: (errors.AuthenticationError, "the directory server does not take this way of signing in"),
    8: (errors.AuthenticationError, "the directory server asks for a stronger sign-in, so use LDAPS or StartTLS"),
    10: (errors.NotFound, "the object is not in a domain that this directory server holds"),
    11: (errors.Unavailable, "the directory server reached one of its administrative limits"),
    12: (errors.ProtocolError, "the directory server does not know a control that this collection needs"),
    16: (errors.Conflict, "a value that should be removed is gone, so somebody changed the object since it was read"),
    17: (errors.Conflict, "the schema has no such attribute; extend it for Exchange first"),
    19: (errors.Conflict, "a value breaks a rule of the schema, such as its length"),
    20: (errors.Conflict, "a value that should be added is there, so somebody changed the object since it was read"),
    21: (errors.Conflict, "a value has not the form that the attribute takes"),
    32: (errors.NotFound, "there is no such object"),
    34: (errors.InputError, "this is not a distinguished name"),
    49: (errors.AuthenticationError, "the directory server refused the sign-in"),
    50: (errors.PermissionDenied, "directory_user has no permission"),
    51: (errors.Unavailable, "the directory server is busy"),
    52: (errors.Unavailable, "the directory server is not available"),
    53: (errors.Conflict, "the directory server is unwilling to do this"),
    65: (errors.Conflict, "an object of this class cannot hold the attribute; extend the schema for Exchange first"),
    80: (errors.ProtocolError, "the directory server had an internal error"),
}

ADMIN_SD_HOLDER = (
    "The object is or was a member of a protected group (adminCount is 1): AdminSDHolder resets its permissions "
    "every hour, so rights delegated on an organizational unit do not hold. Take the account out of the protected "
    "group, clear adminCount and let permissions inherit again, or grant the rights on AdminSDHolder itself."
)


NO_ADMIN_COUNT = (
    "There are two possible causes. Either directory_user lacks write permission where the object is: grant it on the "
    "organizational unit. Or the object does not inherit permissions, so rights granted on the organizational unit do "
    "not reach it: AdminSDHolder switches inheritance off for members of protected groups, and it stays off after they "
    "leave, even where adminCount was cleared. Then enable inheritance on the object, after making sure that it is in "
    "no protected group any more."
)


def result_error(what: str, target: str, result: Mapping[str, Any], *, host: str) -> errors.HybridError:
    """The error for a result other than success; ``what`` is what was tried, ``target`` the object or filter."""
    code = int(result.get("result", 80))
    kind, meaning = _MEANINGS.get(code, (errors.ProtocolError, f"the directory server answered with result {code}"))
    text = str(result.get("message") or "").strip().strip("\x00")
    said = f" The server said: {text.rstrip('.')}." if text else ""
    if code == 16 and _UNKNOWN_ATTRIBUTE.search(text):
        kind, meaning = _MEANINGS[17]
    return kind(
        f"{host} refused to {what} {target}: {meaning}.{said}",
        object=target,
        ldap_result=code,
        ldap_description=str(result.get("description") or ""),
        ldap_message=text,
    )


def sign_in_error(user: str, result: Mapping[str, Any], *, host: str) -> errors.HybridError:
    """The error for a refused bind."""
    text = str(result.get("message") or "")
    found = _SIGN_IN.search(text)
    reason = _SIGN_IN_REASONS.get(found.group(1).lower()) if found else None
    if int(result.get("result", 80)) != 49 or reason is None:
        return result_error("sign in", user, result, host=host)
    return errors.AuthenticationError(
        f"{host} refused the sign-in of {user}: {reason}. Check directory_user and directory_password.",
        object=user,
        ldap_result=49,
        ldap_message=text,
    )
