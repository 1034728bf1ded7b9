# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""LDAP result codes (RFC 4511, appendix A) as errors in plain words, with what Active Directory adds to them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.messages import Result

SUCCESS = 0
BUSY = 51

# What kind of refusal it is, for counting and for playbooks: the fact ``code`` of every error from here.
ACCESS_DENIED = "access_denied"
PROTECTED_OBJECT = "protected_object"
OBJECT_SOA = "object_soa"
SCHEMA_MISSING = "schema_missing"
CONSTRAINT = "constraint"
CONFLICT = "conflict"
BUSY_CODE = "busy"
UNAVAILABLE = "unavailable"
REFERRAL = "referral"
GONE = "gone"
STRONGER_SIGN_IN = "stronger_sign_in"
SIGN_IN = "sign_in"
LIMIT = "limit"
UNWILLING = "unwilling"
INPUT = "input"
PROTOCOL = "protocol"

OBJECT_SOA_ATTRIBUTE = "msDS-ObjectSoa"

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

# How a domain controller words the refusal where the cloud is the object's source of authority is not known yet
# (preview of August 2026), only that it differs from access denied: these are the names that it can be expected to use.
_ENFORCEMENT = re.compile(r"ObjectSoa|SOA[- ]?Polic|source of authority", re.IGNORECASE)

_MEANINGS: Mapping[int, tuple[type[errors.HybridError], str, str]] = {
    1: (errors.ProtocolError, PROTOCOL, "the directory server could not process the request; is the user signed in?"),
    3: (errors.Unavailable, LIMIT, "the directory server ran out of the time it allows for one search"),
    4: (errors.ProtocolError, LIMIT, "the directory server would return more objects than it allows"),
    7: (errors.AuthenticationError, SIGN_IN, "the directory server does not take this way of signing in"),
    8: (
        errors.AuthenticationError,
        STRONGER_SIGN_IN,
        "the directory server asks for a stronger sign-in; use directory_transport ldaps, starttls or kerberos",
    ),
    10: (errors.NotFound, REFERRAL, "the object is not in a domain that this directory server holds"),
    11: (errors.Unavailable, LIMIT, "the directory server reached one of its administrative limits"),
    12: (errors.ProtocolError, PROTOCOL, "the directory server does not know a control that this collection needs"),
    13: (
        errors.AuthenticationError,
        STRONGER_SIGN_IN,
        "the directory server asks for an encrypted connection; use directory_transport ldaps, starttls or kerberos",
    ),
    16: (
        errors.Conflict,
        CONFLICT,
        "a value that should be removed is gone, so somebody changed the object since it was read",
    ),
    17: (errors.Conflict, SCHEMA_MISSING, "the schema has no such attribute"),
    19: (errors.Conflict, CONSTRAINT, "a value breaks a rule of the directory, such as its length or that it be alone"),
    20: (
        errors.Conflict,
        CONFLICT,
        "a value that should be added is there, or another one where one may be, so somebody changed the object since "
        "it was read",
    ),
    21: (errors.Conflict, CONSTRAINT, "a value has not the form that the attribute takes"),
    32: (errors.NotFound, GONE, "there is no such object"),
    34: (errors.InputError, INPUT, "this is not a distinguished name"),
    49: (errors.AuthenticationError, SIGN_IN, "the directory server refused the sign-in"),
    50: (errors.PermissionDenied, ACCESS_DENIED, "directory_user has no permission"),
    51: (errors.Unavailable, BUSY_CODE, "the directory server is busy"),
    52: (errors.Unavailable, UNAVAILABLE, "the directory server is not available"),
    53: (errors.Conflict, UNWILLING, "the directory server is unwilling to do this"),
    65: (errors.Conflict, SCHEMA_MISSING, "an object of this class cannot hold one of the attributes"),
    80: (errors.ProtocolError, PROTOCOL, "the directory server had an internal error"),
}
_UNKNOWN_RESULT = (errors.ProtocolError, PROTOCOL)

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

ENFORCED_SOA = (
    f"The cloud is the source of authority of this object ({OBJECT_SOA_ATTRIBUTE} is Cloud), and the forest enforces "
    "it: domain controllers refuse changes from every account but those that the policy in CN=SOA-Policies names. "
    "Change the object in Microsoft Entra ID or Exchange Online, or have directory_user added to that policy."
)


def result_error(what: str, target: str, result: Result, *, host: str) -> errors.HybridError:
    """The error for a result other than success; ``what`` is what was tried, ``target`` the object or filter."""
    kind, code, meaning = _MEANINGS.get(
        result.code, (*_UNKNOWN_RESULT, f"the directory server answered with result {result.code}")
    )
    text = result.message.strip().strip("\x00")
    said = f" The server said: {text.rstrip('.')}." if text else ""
    if result.code == 16 and _UNKNOWN_ATTRIBUTE.search(text):
        kind, code, meaning = _MEANINGS[17]
    if what == "change" and _ENFORCEMENT.search(text):
        kind, code = errors.PermissionDenied, OBJECT_SOA
    facts = {"object": target, "code": code, "ldap_result": result.code, "ldap_message": text}
    if result.referrals:
        facts["referrals"] = list(result.referrals)
        said += f" It points to {', '.join(result.referrals)}."
    return kind(f"{host} refused to {what} {target}: {meaning}.{said}", **facts)


def sign_in_error(user: str, result: Result, *, host: str) -> errors.HybridError:
    """The error for a refused bind."""
    found = _SIGN_IN.search(result.message)
    reason = _SIGN_IN_REASONS.get(found.group(1).lower()) if found else None
    if result.code != 49 or reason is None:
        return result_error("sign in", user, result, host=host)
    return errors.AuthenticationError(
        f"{host} refused the sign-in of {user}: {reason}. Check directory_user and directory_password.",
        object=user,
        code=SIGN_IN,
        ldap_result=49,
        ldap_message=result.message,
    )
