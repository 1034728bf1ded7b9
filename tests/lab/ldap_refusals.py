# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals of a Windows domain controller: result codes with texts of the kind that it sends.

A text begins with the Windows error in eight hexadecimal digits (winerror.h: 0x200E is ERROR_DS_BUSY), then names
the kind of error and the problem (MS-ADTS 3.1.1.3.1.9). What stands behind DSID tells a place in Microsoft's source
and differs between versions: clients must not look at it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_DSID = "DSID-031A120C"


@dataclass(frozen=True)
class Refusal:
    """One way to refuse: the result code, its name in RFC 4511, and the text that comes with it."""

    code: int
    name: str
    text: str
    referrals: tuple[str, ...] = ()


def _service(code: int, name: str, error: str, problem: str) -> Refusal:
    return Refusal(code, name, f"{error}: SvcErr: {_DSID}, problem {problem}, data 0\n\x00")


_ALL = (
    _service(1, "operationsError", "000020EF", "5012 (DIR_ERROR)"),
    Refusal(3, "timeLimitExceeded", f"00002022: LdapErr: {_DSID}, comment: Time limit exceeded, data 0, v4f7c\x00"),
    Refusal(4, "sizeLimitExceeded", f"00002023: LdapErr: {_DSID}, comment: Size limit exceeded, data 0, v4f7c\x00"),
    Refusal(
        8,
        "strongerAuthRequired",
        f"00002028: LdapErr: {_DSID}, comment: The server requires binds to turn on integrity checking if SSL\\TLS are"
        " not already active on the connection, data 0, v4f7c\x00",
    ),
    Refusal(
        10,
        "referral",
        f"0000202B: RefErr: {_DSID}, data 0, 1 access points\n\tref 1: 'other.lab'\n\x00",
        ("ldap://other.lab/DC=other,DC=lab",),
    ),
    _service(11, "adminLimitExceeded", "00002024", "5008 (ADMIN_LIMIT_EXCEEDED)"),
    Refusal(
        16,
        "noSuchAttribute",
        f"00000057: LdapErr: {_DSID}, comment: Error in attribute conversion operation, data 0, v4f7c\x00",
    ),
    Refusal(17, "undefinedAttributeType", f"00000057: LdapErr: {_DSID}, comment: Attribute unknown, data 0, v4f7c\x00"),
    Refusal(
        19,
        "constraintViolation",
        f"00002082: AtrErr: {_DSID}, #1:\n\t0: 00002082: {_DSID}, problem 1005 (CONSTRAINT_ATT_TYPE), data 0\n\x00",
    ),
    Refusal(
        20,
        "attributeOrValueExists",
        f"00002083: AtrErr: {_DSID}, #1:\n\t0: 00002083: {_DSID}, problem 1006 (ATT_OR_VALUE_EXISTS), data 0\n\x00",
    ),
    Refusal(
        32, "noSuchObject", f"0000208D: NameErr: {_DSID}, problem 2001 (NO_OBJECT), data 0, best match of:\n\t''\n\x00"
    ),
    Refusal(
        49,
        "invalidCredentials",
        f"8009030C: LdapErr: {_DSID}, comment: AcceptSecurityContext error, data 52e, v4f7c\x00",
    ),
    Refusal(
        50,
        "insufficientAccessRights",
        f"00002098: SecErr: {_DSID}, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n\x00",
    ),
    _service(51, "busy", "0000200E", "5001 (BUSY)"),
    _service(52, "unavailable", "0000200F", "5002 (UNAVAILABLE)"),
    _service(53, "unwillingToPerform", "00002035", "5003 (WILL_NOT_PERFORM)"),
    _service(80, "other", "000020EF", "5012 (DIR_ERROR)"),
)
_BY_CODE = {refusal.code: refusal for refusal in _ALL}
_BY_NAME = {refusal.name.lower(): refusal for refusal in _ALL}

# What a domain controller says of an object whose source of authority is the cloud, where that is enforced: an error
# "distinct from access denied" that says that a cloud policy manages the object. Code and text are published nowhere.
_SOA = "the object is managed by a cloud source of authority policy (CN=Cloud,CN=SOA-Policies,CN=System)"
CLOUD_SOA = {
    "unwilling": Refusal(53, "unwillingToPerform", f"000020E7: SvcErr: {_DSID}, problem 5003, {_SOA}, data 0\n\x00"),
    "access_denied": Refusal(
        50, "insufficientAccessRights", f"000020E7: SecErr: {_DSID}, problem 4003, {_SOA}, data 0\n\x00"
    ),
    "constraint": Refusal(19, "constraintViolation", f"000020E7: AtrErr: {_DSID}, problem 1005, {_SOA}, data 0\n\x00"),
}


def refusal(parameters: dict[str, Any]) -> Refusal:
    """The refusal that a fault asks for by ``code`` (a number, or the code's name), ``text`` and ``referrals``.

    Raises ValueError when ``code`` is neither; an unusual number (1 to 255) goes with an empty text.
    """
    wanted, text, referrals = parameters.get("code"), parameters.get("text"), parameters.get("referrals")
    if isinstance(wanted, int) and not isinstance(wanted, bool) and 1 <= wanted <= 255:
        found = _BY_CODE.get(wanted, Refusal(wanted, f"code {wanted}", ""))
    elif isinstance(wanted, str) and wanted.lower() in _BY_NAME:
        found = _BY_NAME[wanted.lower()]
    else:
        names = ", ".join(f"{one.code} ({one.name})" for one in _ALL)
        raise ValueError(f"code is a result code of LDAP, such as {names}; not {wanted!r}.")
    if referrals is not None and not (
        isinstance(referrals, list) and referrals and all(isinstance(one, str) for one in referrals)
    ):
        raise ValueError(f"referrals is a list of LDAP URLs, not {referrals!r}.")
    return Refusal(
        found.code,
        found.name,
        found.text if text is None else str(text),
        found.referrals if referrals is None else tuple(referrals),
    )
