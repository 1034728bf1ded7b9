# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""One writing run at a time per domain and journal directory.

The lock is the operating system's (flock): it is free by itself when its holder dies, however it dies. The file stays
and says who holds it, or who held it last. It is per domain and not per tenant, because a restore writes to the same
objects and need not know the tenant.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import getpass
import json
import os
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError, Refused

_held: set[int] = set()


def _forget() -> None:
    """A child must not keep the lock of a parent that died."""
    for handle in _held:
        with contextlib.suppress(OSError):
            os.close(handle)
    _held.clear()


os.register_at_fork(after_in_child=_forget)


def who() -> dict[str, Any]:
    """Who runs this: user, host and process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())  # a user without an entry in passwd, as in some containers
    return {"user": user, "host": socket.gethostname(), "pid": os.getpid()}


def now() -> str:
    """This moment, in UTC (RFC 3339)."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def lock_path(directory: str | Path, domain: str) -> Path:
    """The lock of a domain."""
    return Path(directory) / f".directory-{re.sub(r'[^A-Za-z0-9._-]', '_', domain.casefold())}.lock"


@contextlib.contextmanager
def hold(directory: str | Path, domain: str, run: str) -> Iterator[None]:
    """Hold the lock while the context lasts; Refused at once where another run holds it."""
    path = lock_path(directory, domain)
    try:
        Path(directory).mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in {errno.EAGAIN, errno.EACCES}:
                raise _unusable(path, error) from error
            raise _taken(path, domain, handle) from error
        _held.add(handle)
        _describe(handle, {"run": run, **who(), "since": now(), "domain": domain})
        yield
    finally:
        _held.discard(handle)
        os.close(handle)


def _describe(handle: int, holder: dict[str, Any]) -> None:
    """Say who holds the lock. On a full disk nobody is told, and the lock holds all the same."""
    with contextlib.suppress(OSError):
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(holder).encode() + b"\n", 0)


def _taken(path: Path, domain: str, handle: int) -> Refused:
    try:
        holder = json.loads(os.pread(handle, 4096, 0))
    except (OSError, ValueError):
        holder = {}
    if not isinstance(holder, dict):
        holder = {}
    told = (
        f"{holder['user']} on {holder.get('host')} (process {holder.get('pid')}) since {holder.get('since')}"
        if holder.get("user")
        else "somebody who left no name"
    )
    return Refused(
        f"Another run writes to {domain}: {told}. Nothing was changed. Wait until it ends; if it hangs, end its "
        f"process, which frees the lock ({path}).",
        domain=domain,
        lock=str(path),
        holder=holder,
    )


def _unusable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"The lock {path} cannot be used: {error.strerror}. Give another journal_dir, on a file system that has locks.",
        journal_dir=str(path.parent),
    )
