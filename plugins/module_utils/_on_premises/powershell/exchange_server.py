# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Exchange Server's management endpoint: cmdlets in, plain data out, over the whole forest.

Its session is restricted to Exchange's own cmdlets: no Select-Object, no cmdlets of Windows, no scripts. An account
sees only the cmdlets that its role groups give.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._model import exchange_cmdlets
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._model.exchange_cmdlet_table import CMDLETS
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell import errors as failures
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.session import Session
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.settings import Settings

# The parameter that the warning of more objects than were asked for names, in whatever language.
MORE = "ResultSize"
# A session sees its own domain only, unless told otherwise: mailboxes of other domains would be missed.
PREPARE = (Cmdlet("Set-ADServerSettings", {"ViewEntireForest": True}),)


class ExchangeServer:
    """A session that is opened when it is first used. It sends again what only reads; a write it never sends twice."""

    def __init__(self, settings: Settings, **session: Any) -> None:
        """``session`` are further arguments of Session, for tests."""
        self._user = settings.user or "this account"
        self._session = Session(settings, table=exchange_cmdlets, prepare=PREPARE, **session)
        self._expected: set[str] = set()

    @property
    def host(self) -> str:
        """The host as it is named in messages."""
        return self._session.host

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the host warned of, each text once; not that there is more, where only the first was asked for."""
        return tuple(text for text in self._session.warnings if text not in self._expected)

    @property
    def streams(self) -> Mapping[str, tuple[str, ...]]:
        """What else the host said, by stream."""
        return self._session.streams

    @property
    def generation(self) -> int:
        """Grows with each new session."""
        return self._session.generation

    def invoke(self, cmdlet: Cmdlet, timeout: float | None = None) -> Iterator[dict[str, Any]]:
        """Run one cmdlet and yield its objects; ``select`` limits their properties, here and not on the server.

        Errors are those of ``run``.
        """
        for row in self.run(cmdlet, timeout=timeout):
            found = row if isinstance(row, dict) else {"value": row}
            yield {name: found.get(name) for name in cmdlet.select} if cmdlet.select else found

    def run(self, *pipeline: Cmdlet, timeout: float | None = None) -> list[Any]:
        """Run a pipeline of Exchange cmdlets and return the objects of the last.

        Nobody is there to answer a question, so a cmdlet that changes something gets ``-Confirm:$false``.
        PermissionDenied for a cmdlet that the account does not have; NotFound for an object that does not exist;
        Unavailable with the fact ``uncertain`` where a change may have been made and nobody knows.
        """
        sent = [_confirmed(cmdlet) for cmdlet in pipeline]
        before = set(self._session.warnings)
        try:
            rows = self._session.run(*sent, timeout=timeout)
        except errors.HybridError as error:
            if not failures.is_missing_command(error):
                raise
            names = " | ".join(cmdlet.name for cmdlet in pipeline)
            raise errors.PermissionDenied(
                f"{self.host} does not offer {names} to {self._user}: none of its role groups gives the right to it.",
                host=self.host,
                cmdlet=names,
            ) from error
        if str(pipeline[0].parameters.get("ResultSize", "")).isdecimal():
            self._expected |= {text for text in self._session.warnings if text not in before and MORE in text}
        return rows

    def close(self) -> None:
        """Close the session; a later call opens another one."""
        self._session.close()


def _confirmed(cmdlet: Cmdlet) -> Cmdlet:
    known = CMDLETS.get(cmdlet.name)
    if known is None or not known.changes or "Confirm" not in known.parameters or "Confirm" in cmdlet.parameters:
        return cmdlet
    return replace(cmdlet, parameters={**cmdlet.parameters, "Confirm": False})
