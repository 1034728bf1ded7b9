# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""A runspace pool on a Windows host, over pypsrp: the only file that knows this library."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet, Credential
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell import errors as failures
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.errors import ErrorRecord
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.plain import from_client
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.settings import Settings

PYPSRP_IMPORT_ERROR: str | None = None
try:
    from pypsrp.complex_objects import PSCredential, PSInvocationState
    from pypsrp.exceptions import AuthenticationError, WinRMError
    from pypsrp.powershell import PowerShell, RunspacePool
    from pypsrp.wsman import WSMan
    from spnego.exceptions import SpnegoError

    HAS_PYPSRP = True
except ImportError:
    PYPSRP_IMPORT_ERROR = traceback.format_exc()
    HAS_PYPSRP = False

# The streams beside output and errors, by the names that the library has for them.
STREAMS = ("warning", "information", "verbose", "debug", "progress")
# Seconds that the library waits for an answer longer than the host may take for it.
_READ_MARGIN = 10
# No flag of RemoteStreamOptions: error records then do not bring the parameters of the call back.
_NO_INVOCATION_INFO = 0
# WinRM counts the requests of a user in windows of some seconds, and says so when there are too many.
_BUSY_PAUSE = 6.0
_BUSY_TRIES = 4
Result = TypeVar("Result")


@dataclass(frozen=True)
class Answer:
    """What a pipeline gave: objects as plain data, errors, and the texts of the other streams by the stream's name."""

    objects: list[Any]
    errors: list[ErrorRecord]
    streams: Mapping[str, Sequence[str]]


class Lost(Exception):
    """The pool cannot be used any more: the connection was cut, or the host has forgotten the session."""


class Busy(Exception):
    """The host refuses requests because there are too many; the refused one was not carried out."""


class TooLong(Exception):
    """A pipeline was stopped because it took too long."""


class Pool:
    """One opened runspace pool."""

    def __init__(
        self, connection: Any, pool: Any, operation_timeout: int, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._connection = connection
        self._pool = pool
        self._operation_timeout = operation_timeout
        self._sleep = sleep

    def invoke(self, pipeline: Sequence[Cmdlet], timeout: float, monotonic: Callable[[], float]) -> Answer:
        """Run one pipeline. Raises Lost, TooLong and Busy."""
        try:
            return self._invoke(pipeline, timeout, monotonic)
        except OSError as error:
            raise Lost(failures.short(error)) from error
        except WinRMError as error:
            raise Lost(failures.short(error)) from error

    def _invoke(self, pipeline: Sequence[Cmdlet], timeout: float, monotonic: Callable[[], float]) -> Answer:
        if any(isinstance(value, Credential) for cmdlet in pipeline for value in cmdlet.parameters.values()):
            patiently(self._pool.exchange_keys, self._sleep)
        ends = monotonic() + timeout
        shell = patiently(lambda: self._begin(pipeline), self._sleep)
        while shell.state == PSInvocationState.RUNNING:
            left = ends - monotonic()
            if left <= 0:
                shell.stop()
                raise TooLong
            wait = max(1, min(self._operation_timeout, int(left) + 1))
            patiently(partial(shell.poll_invoke, timeout=wait), self._sleep)
        terminate = getattr(shell, "close", None)
        if terminate is not None:  # since pypsrp 0.9; before, what the host keeps of a pipeline goes with the pool
            terminate()
        found = [_record(item) for item in shell.streams.error]
        if shell.state != PSInvocationState.COMPLETED and not found:
            found = [ErrorRecord("The pipeline was stopped on the host.", "OperationStopped")]
        return Answer(
            [from_client(item) for item in shell.output],
            found,
            {name: [_text(item) for item in getattr(shell.streams, name)] for name in STREAMS},
        )

    def _begin(self, pipeline: Sequence[Cmdlet]) -> Any:
        shell = PowerShell(self._pool)
        for cmdlet in pipeline:
            shell.add_cmdlet(cmdlet.name)
            for name, value in cmdlet.parameters.items():
                shell.add_parameter(name, _sent(value))
        shell.begin_invoke(remote_stream_options=_NO_INVOCATION_INFO)
        return shell

    def close(self) -> None:
        """Close the pool; one that the host has lost already counts as closed."""
        try:
            self._pool.close()
        except (OSError, WinRMError):
            return
        finally:
            self._connection.close()


def open_pool(settings: Settings) -> Pool:
    """Open a runspace pool: the certificate is verified, with the host's name, and the account signed in."""
    trusted: Any = settings.ca_path or True  # a path, as for requests, which the library hands it on to
    connection = WSMan(
        settings.host,
        port=settings.port,
        path=settings.path,
        username=settings.user,
        password=settings.password,
        ssl=True,
        auth=settings.authentication,
        cert_validation=trusted,
        no_proxy=True,
        connection_timeout=settings.connect_timeout,
        operation_timeout=settings.operation_timeout,
        read_timeout=settings.operation_timeout + _READ_MARGIN,
        reconnection_backoff=0.5,
        certificate_pem=settings.certificate,
        certificate_key_pem=settings.certificate,
        negotiate_hostname_override=settings.kerberos_host,
        negotiate_delegate=settings.delegate,
    )

    def opened() -> Any:
        pool = RunspacePool(connection, configuration_name=settings.configuration)
        pool.open()
        return pool

    try:
        pool = patiently(opened, time.sleep)
    except Busy as error:
        connection.close()
        raise failures.busy(settings) from error
    except (AuthenticationError, SpnegoError) as error:
        connection.close()
        raise failures.refused(settings, error) from error
    except (OSError, WinRMError) as error:
        connection.close()
        raise failures.of_connecting(settings, error) from error
    except ImportError as error:  # what Kerberos needs besides
        connection.close()
        raise errors.MissingLibrary("pypsrp[kerberos]", traceback.format_exc()) from error
    except ValueError as error:  # the host offers another kind of sign-in than the one asked for
        connection.close()
        raise failures.refused(settings, error) from error
    return Pool(connection, pool, settings.operation_timeout)


def patiently(action: Callable[[], Result], sleep: Callable[[float], None]) -> Result:
    """Do something, and again while the host is too busy to begin with it. Raises Busy in the end."""
    for attempt in range(_BUSY_TRIES):
        if attempt:
            sleep(_BUSY_PAUSE)
        try:
            return action()
        except WinRMError as error:
            if not failures.is_busy(error):
                raise
    raise Busy


def require() -> None:
    """MissingLibrary where pypsrp is not there."""
    if not HAS_PYPSRP:
        raise errors.MissingLibrary("pypsrp", PYPSRP_IMPORT_ERROR)


def _sent(value: Any) -> Any:
    """A parameter's value as the library serializes it."""
    if isinstance(value, Credential):
        make: Any = PSCredential
        return make(username=value.user, password=value.password)
    return value


def _text(item: Any) -> str:
    """A record of a stream as one text: its message, or what it is about and how far that is."""
    if hasattr(item, "activity"):  # progress
        parts = (item.activity, item.description, item.current_operation)
        told = ": ".join(str(part) for part in parts if part)
        percent = item.percent_complete
        return f"{told} ({percent} %)" if percent is not None and percent >= 0 else told
    data = item.message_data if hasattr(item, "message_data") else getattr(item, "message", None)
    plain = from_client(data)
    if isinstance(plain, Mapping) and "Message" in plain:  # what Write-Host says comes in an object of its own
        plain = plain["Message"]
    return str(plain if plain is not None else item)


def _record(item: Any) -> ErrorRecord:
    return ErrorRecord(
        message=str(item) if item is not None else "",
        category=failures.category_name(getattr(item, "category", None)),
        error_id=str(getattr(item, "fq_error", None) or ""),
        target=str(getattr(item, "target_name", None) or ""),
        reason=str(getattr(item, "reason", None) or ""),
    )
