# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""keyCredentials in a PATCH: the array takes the place of all; what is there already may come without its key.

That an entry without ``key`` stays when its keyId is known is what reading, filtering and writing back relies on
everywhere, but is documented nowhere: the switch ``key_without_value`` refuses it.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.lab.clock import iso
from tests.lab.cloud.context import new_guid
from tests.lab.cloud.graph.call import Call
from tests.lab.store import Document


def patched(call: Call, before: list[Document], wanted: list[Any]) -> list[Document]:
    """The keyCredentials that a PATCH leaves; refuses doubled ids, and new entries without a certificate."""
    known = {str(one["keyId"]).lower(): one for one in before}
    result: list[Document] = []
    seen: set[str] = set()
    for one in wanted:
        key_id = str(one.get("keyId") or new_guid()).lower()
        if key_id in seen:
            raise call.bad_request(f"There is more than one key credential with the keyId '{key_id}'.")
        seen.add(key_id)
        if one.get("key"):
            result.append(_new(call, one, key_id))
        elif key_id not in known:
            raise call.bad_request("The key credential is new, and has no 'key': a certificate is needed.")
        elif call.services.scenario["key_without_value"] == "refused":
            raise call.bad_request(f"The key credential '{key_id}' has no 'key'.")
        else:
            result.append(known[key_id])
    return result


def _new(call: Call, one: Document, key_id: str) -> Document:
    if not one.get("type") or not one.get("usage"):
        raise call.bad_request("A key credential needs 'type' and 'usage'.")
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(one["key"], validate=True))
    except (ValueError, binascii.Error) as error:
        raise call.bad_request("The 'key' of a key credential must be a certificate in base64.") from error
    return {
        "customKeyIdentifier": one.get("customKeyIdentifier") or certificate.fingerprint(hashes.SHA1()).hex().upper(),
        "displayName": one.get("displayName") or certificate.subject.rfc4514_string(),
        "endDateTime": one.get("endDateTime") or iso(certificate.not_valid_after_utc),
        "key": None,
        "keyId": key_id,
        "startDateTime": one.get("startDateTime") or iso(certificate.not_valid_before_utc),
        "type": one["type"],
        "usage": one["usage"],
    }
