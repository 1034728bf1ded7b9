# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The errors of this collection.

Every error says in plain words what happened, to which object, why, and what to do. The keyword facts are
JSON-able and become keys of the failed task's result, so that a playbook can act on them.
"""

from __future__ import annotations

from typing import Any


class HybridError(Exception):
    """Base of all errors that are shown to the user as a message and never as a traceback."""

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts: dict[str, Any] = facts


class InputError(HybridError):
    """An option, a file or a selection is wrong: nothing was sent for it."""


class AuthenticationError(HybridError):
    """No token or no bind: wrong or expired credential, wrong tenant."""


class PermissionDenied(HybridError):
    """Known, but not allowed."""


class NotFound(HybridError):
    """The object does not exist."""


class Ambiguous(HybridError):
    """More than one object fits where exactly one may."""


class Conflict(HybridError):
    """The state moved between plan and write, an object exists already, or a value was refused."""


class Refused(HybridError):
    """One of this collection's own guards or limits stopped the run before a write."""


class Unavailable(HybridError):
    """The service throttled or was down until all retries were used up."""


class ProtocolError(HybridError):
    """An answer that makes no sense."""


class Timeout(HybridError):
    """Something awaited did not happen in time; the facts hold the last state seen."""


class PartialFailure(HybridError):
    """Some objects of a set failed; the facts hold the counts and the first failures."""


class MissingLibrary(HybridError):
    """A Python library is missing in the interpreter that runs the module."""

    def __init__(self, library: str, traceback: str | None = None) -> None:
        super().__init__(f"The Python library {library} is missing.")
        self.library = library
        self.traceback = traceback
