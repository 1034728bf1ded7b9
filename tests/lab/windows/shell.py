# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shell of a host: one runspace pool of PowerShell remoting, its pipelines, and what waits to be fetched."""

from __future__ import annotations

import math
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import ParseError

from psrpcore import (
    CreatePipelineEvent,
    EndOfPipelineInputEvent,
    GetAvailableRunspacesEvent,
    GetCommandMetadataEvent,
    PipelineInputEvent,
    PSRPCoreError,
    PSRPEvent,
    PSRPPayload,
    ResetRunspaceStateEvent,
    ServerPipeline,
    ServerRunspacePool,
    SetMaxRunspacesEvent,
    SetMinRunspacesEvent,
    StreamType,
)
from psrpcore.types import ErrorRecord, PSInvocationState, PSVersion, RunspacePoolState

from tests.lab.cloud.faults import Fault
from tests.lab.windows import pipeline
from tests.lab.windows.binder import Cmdlet
from tests.lab.windows.call import Session, Stopped
from tests.lab.windows.errors import CmdletError, record
from tests.lab.windows.estate import Estate
from tests.lab.windows.values import remote

PS_VERSION = "5.1.20348.2700"
_FRAGMENT = 32_768
_NO_CMDLET = Cmdlet("", "", ())


class BadData(Exception):
    """What the client sent is no PowerShell remoting."""


class Severed(Exception):
    """A fault cuts the connection of whoever waits for the command's output."""


class Gone(Exception):
    """The shell, or the command in it, does not exist any more."""


@dataclass
class Running:
    """A pipeline of a shell."""

    core: ServerPipeline
    stopped: threading.Event = field(default_factory=threading.Event)
    inputs: list[Any] = field(default_factory=list)
    started: bool = False
    done: bool = False
    severed: bool = False  # once: the connection that waits for output ends


class Shell:
    """One shell; safe to be used by several connections at a time."""

    def __init__(
        self,
        estate: Estate,
        session: Session,
        identifier: str,
        owner: str,
        trouble: Callable[[Fault], None],
        spawn: Callable[[Callable[[], None]], object],
    ) -> None:
        """A new shell of ``session``; ``trouble`` brings about faults of transport, ``spawn`` runs a pipeline."""
        self.id = identifier
        self.owner = owner
        self.session = session
        self.created = time.monotonic()
        self.used = time.monotonic()
        self.idle_s = math.inf  # for how long it stays when nobody asks for it
        self.disconnected = False
        self._estate = estate
        self._trouble = trouble
        self._spawn = spawn
        self._changed = threading.Condition()
        self._closed = False
        version = PSVersion(PS_VERSION)
        table = {"PSVersion": version, "BuildVersion": PSVersion("10.0.20348.2700"), "PSEdition": "Desktop"}
        self._pool = ServerRunspacePool(application_private_data={"PSVersionTable": table})
        self._out: dict[uuid.UUID | None, deque[bytes]] = {None: deque()}
        self._pipelines: dict[uuid.UUID, Running] = {}

    @property
    def commands(self) -> list[str]:
        """Ids of the pipelines."""
        return [str(one).upper() for one in self._pipelines]

    # -- what comes from the client ------------------------------------------------------------------------------

    def feed(self, data: bytes, command: str | None = None) -> None:
        """Take what a client sent, for the pool or a command. Raises :class:`BadData`, :class:`Gone`."""
        with self._changed:
            self._alive()
            self.used = time.monotonic()
            identifier = self._known(command) if command else None
            try:
                self._pool.receive_data(PSRPPayload(data, StreamType.default, identifier))
                while (event := self._pool.next_event()) is not None:
                    self._handle(event)
            except (PSRPCoreError, ParseError, ValueError, KeyError, IndexError, AttributeError) as error:
                raise BadData(str(error)) from error
            self._drain()

    def command(self, identifier: str, data: bytes) -> None:
        """Begin a command; its first fragment may hold all of it."""
        with self._changed:
            self._alive()
            key = uuid.UUID(identifier)
            self._pipelines[key] = Running(ServerPipeline(self._pool, key))
            self._out[key] = deque()
        self.feed(data, identifier)

    def _known(self, command: str) -> uuid.UUID:
        key = uuid.UUID(command)
        if key not in self._pipelines:
            raise Gone
        return key

    def _handle(self, event: PSRPEvent[Any, Any]) -> None:
        if isinstance(event, CreatePipelineEvent):
            running = self._pipelines[event.pipeline_id]
            if event.pipeline.no_input:
                self._start(running)
        elif isinstance(event, PipelineInputEvent):
            self._pipelines[event.pipeline_id].inputs.append(event.data)
        elif isinstance(event, EndOfPipelineInputEvent):
            self._start(self._pipelines[event.pipeline_id])
        elif isinstance(event, GetCommandMetadataEvent):
            running = self._pipelines[event.pipeline_id]
            running.core.start()
            error = CmdletError("Use Get-Command.", "NotSupported", "NotImplemented", terminating=True)
            self._fail(running, record(error, "", ""))
        elif isinstance(event, GetAvailableRunspacesEvent):
            self._pool.runspace_availability_response(event.ci, 1)
        elif isinstance(event, SetMaxRunspacesEvent | SetMinRunspacesEvent | ResetRunspaceStateEvent):
            self._pool.runspace_availability_response(event.ci, True)

    # -- pipelines -----------------------------------------------------------------------------------------------

    def _start(self, running: Running) -> None:
        if not running.started:
            running.started = True
            running.core.start()
            self._spawn(lambda: self._run(running))

    def _run(self, running: Running) -> None:
        commands = list(running.core.metadata.commands)  # type: ignore[union-attr]  # set by the event that starts it
        outlet = _Outlet(self, running)
        failure: ErrorRecord | None = None
        stopped = False
        try:
            pipeline.run(
                self._estate,
                self.session,
                commands,
                running.inputs,
                outlet,
                running.stopped,
                lambda fault: self._bring_about(running, fault),
            )
        except CmdletError as error:
            cmdlet = getattr(error, "cmdlet", _NO_CMDLET)
            failure = record(error, cmdlet.name, cmdlet.module)
        except Stopped:
            stopped = True
        except Exception as error:
            # A fault of the lab itself: the client must not wait for ever for it, and the log must show it.
            self._estate.log(self.session.host, event="lab error", path=repr(error), write=False, status="error")
            text = f"the lab failed: {error!r}"
            failure = record(CmdletError(text, "LabFailure", "NotSpecified", terminating=True), "", "")
        with self._changed:
            if stopped:
                if running.core.state == PSInvocationState.Running:
                    running.core.stop()
            elif failure is not None:
                self._fail(running, failure)
            else:
                running.core.complete()
            running.done = True
            self._drain()

    def _fail(self, running: Running, failure: ErrorRecord) -> None:
        running.core._change_state(PSInvocationState.Failed, error=failure)
        running.done = True

    def _bring_about(self, running: Running, fault: Fault) -> None:
        if fault.kind != "cut":
            self._trouble(fault)
            return
        # Not at once: between two requests nobody would notice, for a client just connects again.
        with self._changed:
            running.severed = True
            self._changed.notify_all()

    def stream(self, running: Running, write: Callable[[ServerPipeline], None]) -> None:
        """Write to one of a pipeline's streams."""
        with self._changed:
            if not self._closed and running.core.state == PSInvocationState.Running:
                write(running.core)
                self._drain()

    def signal(self, command: str, terminate: bool) -> None:
        """Stop a command; ``terminate`` forgets it too, as a client does when it has read all."""
        with self._changed:
            self._alive()
            key = uuid.UUID(command)
            running = self._pipelines.get(key)
            if running is None:
                return
            running.stopped.set()
            if running.core.state == PSInvocationState.Running and not running.done:
                running.core.stop()
                running.done = True
            self._drain()
            if terminate:
                self._pipelines.pop(key, None)
                self._pool.pipeline_table.pop(key, None)
                self._out.pop(key, None)

    # -- what goes to the client ---------------------------------------------------------------------------------

    def _drain(self) -> None:
        while (payload := self._pool.data_to_send(_FRAGMENT)) is not None:
            if payload.pipeline_id in self._out:
                self._out[payload.pipeline_id].append(payload.data)
        self._changed.notify_all()

    def receive(self, command: str | None, seconds: float, limit: int) -> tuple[bytes, bool]:
        """Wait for output: what there is (up to ``limit`` bytes; empty after ``seconds``), and whether it was all."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                self._alive()
                self.used = time.monotonic()
                key = self._known(command) if command else None
                queue = self._out[key]
                running = self._pipelines.get(key) if key is not None else None
                if running is not None and running.severed:
                    running.severed = False
                    raise Severed
                if queue:
                    taken = [queue.popleft()]
                    while queue and sum(map(len, taken)) + len(queue[0]) <= limit:
                        taken.append(queue.popleft())
                    return b"".join(taken), running is not None and running.done and not queue
                if running is not None and running.done:
                    return b"", True
                left = deadline - time.monotonic()
                if left <= 0:
                    return b"", False
                self._changed.wait(left)

    # -- life ----------------------------------------------------------------------------------------------------

    def _alive(self) -> None:
        if self._closed:
            raise Gone

    def disconnect(self) -> None:
        """The client goes, its pipelines go on."""
        with self._changed:
            self._alive()
            self.disconnected = True
            self._pool.disconnect()

    def reconnect(self) -> None:
        """The same client is back."""
        with self._changed:
            self._alive()
            self.disconnected = False
            if self._pool.state == RunspacePoolState.Disconnected:
                self._pool.state = RunspacePoolState.Opened

    def connect(self, data: bytes) -> bytes:
        """Another client takes over: what answers it. The message that the pool is open waits to be fetched."""
        with self._changed:
            self._alive()
            if self._pool.state != RunspacePoolState.Disconnected:
                self._pool.disconnect()
            self._pool.connect()
            self._out[None].clear()
            self._pool.prepare_message(self._pool.our_capability)
        self.feed(data)
        with self._changed:
            self.disconnected = False
            fragments = _fragments(b"".join(self._out[None]))
            self._out[None].clear()
            self._out[None].append(fragments[-1])
            return b"".join(fragments[:-1])

    def close(self) -> None:
        """End it with all its pipelines."""
        with self._changed:
            self._closed = True
            for running in self._pipelines.values():
                running.stopped.set()
            self._changed.notify_all()


def _fragments(data: bytes) -> list[bytes]:
    """The fragments of remoting data, whole: 21 bytes of header, the last four of them the length."""
    found, at = [], 0
    while at < len(data):
        size = 21 + int.from_bytes(data[at + 17 : at + 21], "big")
        found.append(data[at : at + size])
        at += size
    return found


class _Outlet:
    """Streams of a pipeline, towards its client."""

    def __init__(self, shell: Shell, running: Running) -> None:
        self._shell, self._running = shell, running

    def output(self, value: Any) -> None:
        """An object."""
        self._shell.stream(self._running, lambda core: core.write_output(remote(value)))

    def error(self, error: CmdletError, cmdlet: Cmdlet) -> None:
        """A non-terminating error."""
        made = record(error, cmdlet.name, cmdlet.module)
        self._shell.stream(
            self._running,
            lambda core: core.write_error(
                made.Exception, made.CategoryInfo, made.TargetObject, made.FullyQualifiedErrorId
            ),
        )

    def warning(self, message: str) -> None:
        """A warning."""
        self._shell.stream(self._running, lambda core: core.write_warning(message))

    def verbose(self, message: str) -> None:
        """A verbose message."""
        self._shell.stream(self._running, lambda core: core.write_verbose(message))

    def progress(self, activity: str, status: str, percent: int) -> None:
        """Progress."""
        self._shell.stream(
            self._running, lambda core: core.write_progress(activity, 1, status, percent_complete=percent)
        )
