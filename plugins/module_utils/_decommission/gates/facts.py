# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What was read for the gates: each reading once, with its end and when, and its error where it could not be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.ends import EXCHANGE_SERVER, Ends
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.wanted import Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.topology import Topology
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    AuthenticationError,
    HybridError,
    MissingLibrary,
    NotFound,
    Unavailable,
)

# After so many failures in a row an end counts as gone, so that not every reading waits for it anew.
_GONE_AFTER = 2


@dataclass(frozen=True)
class Reading:
    """One thing to read: where, and how. ``words`` are for the progress."""

    name: str
    end: str
    words: str
    read: Callable[[Facts], Any]


class Facts:
    """Reads when asked, and remembers."""

    def __init__(
        self, readings: Mapping[str, Reading], ends: Ends, wanted: Wanted, now: Callable[[], datetime]
    ) -> None:
        self.ends = ends
        self.wanted = wanted
        self._readings = readings
        self._now = now
        self._values: dict[str, Any] = {}
        self._errors: dict[str, HybridError] = {}
        self._at: dict[str, datetime] = {}
        self._gone: dict[str, list[HybridError]] = {}

    def value(self, name: str) -> Any:
        """What a reading gave. The error that it gave, again and again; MissingLibrary ends the run."""
        if name in self._errors:
            raise self._errors[name]
        if name not in self._values:
            self._read(self._readings[name])
        return self._values[name]

    def topology(self) -> Topology | None:
        """The organisation as Active Directory has it; None where that cannot be read."""
        try:
            found: Topology = self.value("topology")
        except MissingLibrary:
            raise
        except HybridError:
            return None
        return found

    def now(self) -> datetime:
        """The time by the service's clock."""
        return self._now()

    def at(self, name: str) -> datetime | None:
        """When a reading was taken, None where it was not."""
        return self._at.get(name)

    def end(self, name: str) -> str:
        """Where a reading comes from."""
        return self._readings[name].end

    def _read(self, reading: Reading) -> None:
        gone = self._gone.setdefault(reading.end, [])
        self.ends.progress.start(reading.words)
        try:
            if reading.end == EXCHANGE_SERVER and (known := self.topology()) is not None and not known.servers:
                raise NotFound(
                    "Active Directory has no Exchange Server any more, so that none can be asked. The phases before "
                    "its removal are over."
                )
            if len(gone) >= _GONE_AFTER:
                raise gone[-1]
            self._values[reading.name] = reading.read(self)
            gone.clear()
        except MissingLibrary:
            raise
        except HybridError as error:
            # What a reading that this one builds upon met says nothing of this one's own end.
            own = all(error is not other for other in self._errors.values())
            self._errors[reading.name] = error
            if not own:
                raise
            if isinstance(error, AuthenticationError):
                gone += [error] * _GONE_AFTER
            elif isinstance(error, Unavailable):
                gone.append(error)
            raise
        finally:
            self._at[reading.name] = self._now()
