# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of a cmdlet: what it was given, the host it runs on, and where its output and errors go."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.lab.windows.binder import Bound, Cmdlet
from tests.lab.windows.endpoint import Endpoint
from tests.lab.windows.errors import CmdletError
from tests.lab.windows.estate import Estate
from tests.lab.windows.places import HostAddress

Document = dict[str, Any]


class Stopped(Exception):
    """The client stopped the pipeline, or the connection's host went away."""


@dataclass
class Session:
    """What a runspace remembers between pipelines."""

    host: HostAddress
    user: str
    endpoint: Endpoint
    delegates: bool = False  # whether the session can go on to another machine with its account
    reads_only: bool = False  # an account that may use remoting, and changes nothing
    memory: Document = field(default_factory=dict)  # what the cmdlets of an endpoint keep for themselves
    modules: set[str] = field(default_factory=set)
    cloud_tenant: str | None = None  # Connect-AADCloudSyncAzureAD was done, with this tenant's name


class Sink(Protocol):
    """The streams of a pipeline."""

    def error(self, error: CmdletError, cmdlet: Cmdlet) -> None:
        """A non-terminating error."""

    def warning(self, message: str) -> None:
        """A warning."""

    def verbose(self, message: str) -> None:
        """A verbose message."""

    def progress(self, activity: str, status: str, percent: int) -> None:
        """How far something is."""


@dataclass
class Call:
    """One call; cmdlets read their parameters here, and write here."""

    estate: Estate
    session: Session
    cmdlet: Cmdlet
    bound: Bound
    sink: Sink
    stopped: threading.Event
    output: list[Any] = field(default_factory=list)

    @property
    def host(self) -> HostAddress:
        """Where it runs."""
        return self.session.host

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter's value."""
        return self.bound.values.get(name, default)

    def many(self, name: str) -> list[Any]:
        """A parameter's values; empty when it was not given."""
        value = self.get(name)
        return [] if value is None else list(value) if isinstance(value, list) else [value]

    @property
    def account(self) -> str:
        """Name of the session's account, without its domain."""
        return self.session.user.rpartition("\\")[2]

    @property
    def what_if(self) -> bool:
        """Whether nothing is to be changed."""
        return bool(self.get("WhatIf"))

    def write(self, value: Any) -> None:
        """An object for the next command or the client."""
        self.output.append(value)

    def error(self, error: CmdletError) -> None:
        """A non-terminating error; raises it where ErrorAction says Stop."""
        action = str(self.bound.common.get("ErrorAction", "Continue"))
        if error.terminating or action == "Stop":
            raise error
        if action not in ("SilentlyContinue", "Ignore"):
            self.sink.error(error, self.cmdlet)

    def warning(self, message: str) -> None:
        """A warning, unless WarningAction silences it."""
        if str(self.bound.common.get("WarningAction", "Continue")) not in ("SilentlyContinue", "Ignore"):
            self.sink.warning(message)

    def verbose(self, message: str) -> None:
        """A message for who asked with -Verbose."""
        if self.bound.common.get("Verbose"):
            self.sink.verbose(message)

    def state(self) -> AbstractContextManager[Document]:
        """The host's document, to look at and to change."""
        return self.estate.change(self.host)

    def wait(self, seconds: float) -> None:
        """Let real time pass; raises :class:`Stopped` when the pipeline is to end."""
        if self.stopped.wait(seconds):
            raise Stopped


Implementation = Callable[[Call], None]
