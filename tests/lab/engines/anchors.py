# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Source anchors: how a cloud object and its AD object know each other."""

from __future__ import annotations

import base64
import binascii
import uuid

from tests.lab.engines.directory import Entry

_NAMESPACE = uuid.UUID("0f5c0a52-62a3-5b7d-9a52-0f5c77ab0002")


def raw_anchor(entry: Entry) -> bytes:
    """mS-DS-ConsistencyGuid when set, else objectGUID: the raw bytes."""
    return entry.first("mS-DS-ConsistencyGuid") or entry.first("objectGUID") or b""


def anchor(entry: Entry) -> str:
    """onPremisesImmutableId of an AD object."""
    return base64.b64encode(raw_anchor(entry)).decode()


def anchor_bytes(immutable_id: str) -> bytes | None:
    """The bytes of an onPremisesImmutableId; None where it is no base64."""
    try:
        return base64.b64decode(immutable_id, validate=True)
    except (binascii.Error, ValueError):
        return None


def object_id(tenant_id: str, immutable_id: str) -> str:
    """The cloud object's id: the same anchor gives the same id in every run, so that runs can be compared."""
    return str(uuid.uuid5(_NAMESPACE, f"{tenant_id.lower()}/{immutable_id}"))


def stable_guid(*parts: str) -> str:
    """A GUID derived from words, for ids that the service would draw at random."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))
