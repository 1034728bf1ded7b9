# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What was predicted, as the last line of a prediction's artifact says it, so that a first start can rely on it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError

KEY = "prediction"
# A last line is shorter than this many bytes.
_LAST = 1 << 20


@dataclass(frozen=True)
class Prediction:
    """Of which job it is, when it was made (RFC 3339), by which mappings and for whom, and what it found.

    ``mappings`` is the fingerprint of the job's mappings, ``organizational_units`` and ``groups`` are the job's scope
    (empty: everything), ``selection`` says in words which mailboxes were looked at. ``at_risk`` counts mailboxes that
    stand against ``safe``.
    """

    tenant: str
    domain: str
    made_at: str
    mappings: str
    organizational_units: tuple[str, ...]
    groups: tuple[str, ...]
    selection: str
    mailboxes: int
    at_risk: int
    safe: bool

    def line(self) -> dict[str, Any]:
        """For the artifact."""
        return {KEY: asdict(self)}

    def age(self, now: datetime) -> float:
        """Hours since it was made."""
        return (now - datetime.fromisoformat(self.made_at)).total_seconds() / 3600


def moment() -> str:
    """Now, as ``made_at`` has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def read(path: str) -> Prediction:
    """The prediction of an artifact; InputError for a file that cannot be read or is none."""
    try:
        with Path(path).expanduser().open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _LAST))
            lines = file.read().splitlines()
    except OSError as error:
        raise InputError(
            f"prediction {path} cannot be read: {error.strerror}. Nothing was changed.", path=path
        ) from error
    found = _parsed(lines[-1] if lines else b"")
    if found is None:
        raise InputError(
            f"prediction {path} is no artifact of a prediction: its last line does not say what was predicted. Give "
            "the path in artifact of hybrid.exchange.writeback_prediction_info. Nothing was changed.",
            path=path,
        )
    return found


def _parsed(line: bytes) -> Prediction | None:
    try:
        value = json.loads(line)
        stated: Mapping[str, Any] = value[KEY]
        lists = {name: tuple(stated[name]) for name in ("organizational_units", "groups")}
        found = Prediction(**{**stated, **lists})
        aware = datetime.fromisoformat(found.made_at).tzinfo is not None
    except (ValueError, KeyError, TypeError):
        return None
    return found if aware else None
