# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""A session to a Windows or Exchange endpoint: pipelines of cmdlets in, plain data out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._model import windows_cmdlets
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet, Credential
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell import errors as failures
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell import pool as pools
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.pool import (
    Answer,
    Busy,
    Lost,
    TooLong,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.settings import Settings

HIDDEN = "********"
# Texts kept of each stream, the newest: a long run must not fill the memory with a host's progress.
STREAM_LIMIT = 500


class Table(Protocol):
    """The cmdlets that may be sent to one kind of endpoint."""

    def check(self, pipeline: Sequence[Cmdlet], /) -> None:
        """InputError for what is not among them."""

    def changes(self, pipeline: Sequence[Cmdlet], /) -> bool:
        """Whether a pipeline may change anything."""


class OpenedPool(Protocol):
    """What a session needs of a runspace pool."""

    def invoke(self, pipeline: list[Cmdlet], timeout: float, monotonic: Callable[[], float]) -> Answer: ...

    def close(self) -> None: ...


class Session:
    """One runspace pool, opened when it is first used and closed with the session.

    A pipeline that changes nothing is sent again, once, when its connection is cut. One that may change something
    never is: its error has the fact ``uncertain``, and the state has to be read. A new pool knows nothing of what the
    one before imported; ``generation`` counts them.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        open_pool: Callable[[Settings], OpenedPool] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        table: Table = windows_cmdlets,
        prepare: Sequence[Cmdlet] = (),
    ) -> None:
        """``prepare`` are cmdlets that each new pool begins with; they change nothing but the session itself."""
        self._settings = settings
        self._table = table
        self._prepare = tuple(prepare)
        self._open_pool = open_pool or pools.open_pool
        self._monotonic = monotonic
        self._pool: OpenedPool | None = None
        self._secrets: set[str] = {settings.password} if settings.password else set()
        self._streams: dict[str, dict[str, None]] = {name: {} for name in pools.STREAMS}
        self.generation = 0

    @property
    def host(self) -> str:
        """The host as it is named in messages."""
        return self._settings.name

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the host warned of, each text once."""
        return tuple(self._streams["warning"])

    @property
    def streams(self) -> Mapping[str, tuple[str, ...]]:
        """What the host said beside objects and errors, by stream (warning, information, verbose, debug, progress):
        each text once, the newest of them, streams without any left out."""
        return {name: tuple(texts) for name, texts in self._streams.items() if texts}

    def invoke(self, cmdlet: Cmdlet) -> Iterator[dict[str, Any]]:
        """Run one cmdlet and yield its objects, as Exchange Online does it; ``select`` limits their properties."""
        selected = (Cmdlet("Select-Object", {"Property": list(cmdlet.select)}),) if cmdlet.select else ()
        for row in self.run(cmdlet, *selected):
            yield row if isinstance(row, dict) else {"value": row}

    def run(self, *pipeline: Cmdlet, timeout: float | None = None, partial: bool = False) -> list[Any]:
        """Run cmdlets, each with the objects of the one before as its input, and return the objects of the last.

        timeout: seconds for the whole. The first error that the host records is raised; with ``partial`` only where
        there are no objects, and it is a warning otherwise. Timeout, with the fact
        ``uncertain`` where something may have been changed, when it took too long; the pipeline was stopped then.
        """
        self._table.check(pipeline)
        self._secrets |= {
            value.password
            for cmdlet in pipeline
            for value in cmdlet.parameters.values()
            if isinstance(value, Credential) and value.password
        }
        changes = self._table.changes(pipeline)
        limit = self._settings.command_timeout if timeout is None else timeout
        try:
            answer = self._send(pipeline, limit)
        except Lost as first:
            self.close()
            if changes:
                raise failures.lost(self._settings, self._clean(str(first)), True) from None
            try:
                answer = self._send(pipeline, limit)
            except Lost as second:
                self.close()
                raise failures.lost(self._settings, self._clean(str(second)), False) from None
        for name, texts in answer.streams.items():
            self._keep(name, texts)
        if answer.errors:
            error = self._error(answer, pipeline)
            if not (partial and answer.objects):
                raise error
            self._keep("warning", [error.message])
        return answer.objects

    def close(self) -> None:
        """Close the pool that is open; a later call opens another one."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            pool.close()

    def _send(self, pipeline: tuple[Cmdlet, ...], limit: float) -> Answer:
        if self._pool is None:
            self._pool = self._open_pool(self._settings)
            self.generation += 1
            for cmdlet in self._prepare:
                self._begin_with(cmdlet)
        return self._invoke(self._pool, pipeline, limit)

    def _begin_with(self, cmdlet: Cmdlet) -> None:
        """Run one of the cmdlets that a new pool begins with; a pool that cannot be prepared is not used."""
        if self._pool is None:
            return
        try:
            answer = self._invoke(self._pool, (cmdlet,), self._settings.command_timeout)
            if answer.errors:
                raise self._error(answer, (cmdlet,))
        except errors.HybridError:
            self.close()
            raise

    def _invoke(self, pool: OpenedPool, pipeline: tuple[Cmdlet, ...], limit: float) -> Answer:
        try:
            answer = pool.invoke(list(pipeline), limit, self._monotonic)
        except Busy as error:
            raise failures.busy(self._settings) from error
        except TooLong:
            names = " | ".join(cmdlet.name for cmdlet in pipeline)
            raise errors.Timeout(
                f"{names} on {self._settings.name} did not end within {limit:g} seconds and was stopped.",
                host=self._settings.name,
                cmdlet=names,
                uncertain=self._table.changes(pipeline),
            ) from None
        if answer.errors and failures.is_stopped(answer.errors[0]):
            raise Lost("the host stopped the pipeline")
        return answer

    def _keep(self, stream: str, texts: Sequence[str]) -> None:
        kept = self._streams[stream]
        for text in texts:
            kept[self._clean(text)] = None
        while len(kept) > STREAM_LIMIT:
            del kept[next(iter(kept))]

    def _error(self, answer: Answer, pipeline: Sequence[Cmdlet]) -> errors.HybridError:
        record = answer.errors[0]
        clean = failures.ErrorRecord(
            self._clean(record.message), record.category, record.error_id, self._clean(record.target), record.reason
        )
        return failures.of_record(clean, " | ".join(cmdlet.name for cmdlet in pipeline), self._settings.name)

    def _clean(self, text: str) -> str:
        """A text of the host without a password that was sent to it."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return text
