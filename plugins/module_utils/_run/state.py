# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What a run leaves to the next one, so that it reads what changed in between instead of everything.

The file is small whatever the size of the tenant: marks on both sides, what was compared, and the mailboxes that were
not settled. It is for its owner only, and is replaced in one step.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

VERSION = 1
PENDING_AT_MOST = 2000  # mailboxes; with more, reading everything again costs less


class Unusable(Exception):
    """There is no state to go on from; the text says why, as in "there is no state of an earlier run"."""


@dataclass(frozen=True)
class State:
    """What is known after a run.

    ``compared`` says what the run was about; a run about something else cannot go on from here. ``invocation_id``
    (hexadecimal) names the database of the domain controller that was read, in which ``highest_usn`` counts.
    ``changed_before`` is the moment from which mailboxes have to be looked at again, by Exchange Online's clock.
    ``pending`` are the mailboxes that were not settled, by object id, and how they were; None for too many of them.
    ``expected`` mailboxes were to be settled at the last full pass, ``elsewhere`` of them have their objects where
    that run did not look.
    """

    compared: Mapping[str, str]
    host: str
    invocation_id: str
    highest_usn: int
    changed_before: datetime
    full_pass: datetime
    expected: int
    elsewhere: int
    pending: Mapping[str, str] | None = field(default_factory=dict)


def load(path: str | Path) -> State:
    """The state in a file; Unusable where there is none."""
    try:
        found = json.loads(Path(path).read_bytes())
    except FileNotFoundError:
        raise Unusable(f"there is no state of an earlier run in {path}") from None
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Unusable(f"{path} is damaged: it is not JSON") from error
    try:
        return _state(found)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Unusable(f"{path} is not a state that this version of the collection wrote") from error


def _state(found: Any) -> State:
    if found["version"] != VERSION:
        raise ValueError(found["version"])
    pending = found["pending"]
    return State(
        compared={str(name): str(text) for name, text in found["compared"].items()},
        host=str(found["host"]),
        invocation_id=str(found["invocation_id"]),
        highest_usn=int(found["highest_usn"]),
        changed_before=_moment(found["changed_before"]),
        full_pass=_moment(found["full_pass"]),
        expected=int(found["expected"]),
        elsewhere=int(found["elsewhere"]),
        pending=None if pending is None else {str(key): str(status) for key, status in pending.items()},
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)


def save(path: str | Path, state: State) -> None:
    """Replace the file; OSError where that is not possible. More pending mailboxes than fit are not kept."""
    target = Path(path)
    pending = state.pending
    if pending is not None and len(pending) > PENDING_AT_MOST:
        pending = None
    content = {
        "version": VERSION,
        "compared": dict(state.compared),
        "host": state.host,
        "invocation_id": state.invocation_id,
        "highest_usn": state.highest_usn,
        "changed_before": state.changed_before.isoformat(),
        "full_pass": state.full_pass.isoformat(),
        "expected": state.expected,
        "elsewhere": state.elsewhere,
        "pending": None if pending is None else dict(sorted(pending.items())),
    }
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # for its owner only
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)  # the name itself must survive a crash too
    finally:
        os.close(directory)
