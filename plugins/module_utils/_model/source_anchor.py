# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The source anchor: the 16 bytes that join a cloud user with its AD object.

Entra shows them in base64 (``onPremisesImmutableId``), AD as ``mS-DS-ConsistencyGuid`` or ``objectGUID`` in the
little-endian byte order of a GUID as stored. Connect can be told to use another attribute, of any length.
"""

from __future__ import annotations

import base64
import binascii
import uuid

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError

LENGTH = 16


def from_base64(text: str, *, length: int | None = LENGTH) -> bytes:
    """The bytes of an ``onPremisesImmutableId``; ``length=None`` for an anchor that is no GUID."""
    try:
        anchor = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"The source anchor {text!r} is not base64.", source_anchor=text) from error
    if length is not None and len(anchor) != length:
        raise InputError(
            f"The source anchor {text!r} has {len(anchor)} bytes, not {length}. If Connect was set up with another "
            "source anchor attribute, name it in source_anchor_attribute.",
            source_anchor=text,
        )
    return anchor


def to_base64(anchor: bytes) -> str:
    """As Entra shows it."""
    return base64.b64encode(anchor).decode("ascii")


def from_guid(text: str) -> bytes:
    """The bytes that AD stores for a GUID in its usual text form."""
    try:
        return uuid.UUID(text).bytes_le
    except ValueError as error:
        raise InputError(f"{text!r} is not a GUID.", source_anchor=text) from error


def to_guid(anchor: bytes) -> str:
    """The GUID in its usual text form."""
    return str(uuid.UUID(bytes_le=anchor))


def filter_escape(value: bytes) -> str:
    """The bytes for an LDAP filter, each as backslash and two hexadecimal digits (RFC 4515)."""
    return "".join(f"\\{byte:02x}" for byte in value)
