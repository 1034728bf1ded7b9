# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The management endpoint: a restricted runspace in which only Exchange's cmdlets exist, as far as the account may.

Which cmdlets and parameters there are, Microsoft's reference says; which of them the lab carries out, the tables of
:mod:`tests.lab.exchange_server.cmdlets`. The others are refused in plain words.
"""

from __future__ import annotations

from tests.lab.exchange_server import binder, errors, rights
from tests.lab.exchange_server.cmdlets import (
    certificates,
    databases,
    federation,
    generic,
    mailbox_changes,
    migration,
    organization,
    recipients,
    roles,
    servers,
    transport,
    xml_kinds,
)
from tests.lab.exchange_server.directory import Refused
from tests.lab.forest.access import DirectoryUnavailable
from tests.lab.windows import places, soap
from tests.lab.windows.binder import Argument, Cmdlet
from tests.lab.windows.call import Call, Implementation, Session
from tests.lab.windows.endpoint import Endpoint
from tests.lab.windows.estate import Estate

SERVICE = "exchange_server"
CMDLETS: dict[str, Implementation] = {
    **generic.CMDLETS,
    **servers.CMDLETS,
    **organization.CMDLETS,
    **databases.CMDLETS,
    **recipients.CMDLETS,
    **mailbox_changes.CMDLETS,
    **federation.CMDLETS,
    **certificates.CMDLETS,
    **transport.CMDLETS,
    **migration.CMDLETS,
    **roles.CMDLETS,
    **xml_kinds.CMDLETS,
}
_READS = ("Get-", "Test-", "Export-")
_OF_THE_SESSION = ("Set-ADServerSettings",)


def is_write(cmdlet: str, arguments: list[Argument]) -> bool:
    """Whether a command changes something of the organisation: by its verb, unless it runs with -WhatIf."""
    shown = {str(name or "").lower().lstrip("-").rstrip(":"): value for name, value in arguments}
    if shown.get("whatif", shown.get("wi", False)) is not False:
        return False
    name = cmdlet.lower()
    return not name.startswith(tuple(one.lower() for one in _READS)) and name not in (
        one.lower() for one in _OF_THE_SESSION
    )


def _open(estate: Estate, session: Session) -> None:
    if estate.exchange is None:
        raise soap.access_denied()
    account = session.user.rpartition("\\")[2]
    try:
        right = rights.of(estate.exchange.organization(session.host.tenant), account)
    except DirectoryUnavailable as error:
        raise soap.bad_request(f"Exchange cannot reach a domain controller ({error}).", "w:InternalError") from error
    if right == rights.NOTHING:
        domain = session.host.forest.domain
        raise soap.Fault(
            5, "w:AccessDenied", f'The user "{domain}/{account}" isn\'t assigned to any management roles. '
        )
    session.memory["right"] = right
    session.reads_only = False  # an account that may only look does not see the other cmdlets at all


def _find(estate: Estate, session: Session, name: str) -> tuple[Cmdlet, Implementation] | None:
    cmdlet = binder.cmdlets().get(name.lower())
    if cmdlet is None:
        return None
    looks = cmdlet.name.startswith("Get-") or cmdlet.name in _OF_THE_SESSION
    if session.memory.get("right") != rights.FULL and not looks:
        return None
    return cmdlet, _guarded(cmdlet)


def _guarded(cmdlet: Cmdlet) -> Implementation:
    """What carries a cmdlet out, once nobody has to be asked."""
    implementation = CMDLETS.get(cmdlet.name)

    def run(call: Call) -> None:
        if implementation is None:
            raise errors.not_here(cmdlet.name)
        asks = any(one.name == "Confirm" for one in cmdlet.parameters) and is_write(cmdlet.name, [])
        if asks and not call.what_if and cmdlet.name not in _OF_THE_SESSION and call.get("Confirm") is not False:
            raise errors.must_confirm(cmdlet.name, str(call.get("Identity") or call.get("Name") or ""))
        try:
            implementation(call)
        except Refused as error:
            raise errors.refused(f"Active Directory operation failed: {error}") from error
        except DirectoryUnavailable as error:
            text = f"An Active Directory error 0x51 occurred when trying to reach the domain controller: {error}"
            raise errors.failure(text, "ADTransientException", "ResourceUnavailable") from error

    return run


ENDPOINT = Endpoint(
    service=SERVICE,
    port=places.EXCHANGE_PORT,
    path="/powershell",
    title="Microsoft.Exchange",
    configurations=("microsoft.exchange",),
    basic="exchange_basic",
    admits=lambda account: account.administrator or account.remote,
    open=_open,
    find=_find,
    bind=binder.bind,
    is_write=is_write,
    check=lambda _session, _names: None,
)
