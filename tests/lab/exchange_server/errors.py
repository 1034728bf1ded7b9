# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors as Exchange's cmdlets report them."""

from __future__ import annotations

import zlib
from typing import Any

from tests.lab.windows.errors import CmdletError

_DATA = "Microsoft.Exchange.Configuration.Tasks"


def failure(message: str, reason: str, category: str = "InvalidData", target: Any = None) -> CmdletError:
    """An error of a cmdlet; ``reason`` is the short name of its .NET exception."""
    mark = f"{zlib.crc32(f'{reason}/{message}'.encode()):08X}"
    identifier = f"[FailureCategory=Cmdlet-{reason}] {mark},Microsoft.Exchange.Management"
    return CmdletError(message, identifier, category, f"{_DATA}.{reason}", target, whole_id=True)


def not_found(identity: Any, controller: str) -> CmdletError:
    """No such object."""
    text = f"The operation couldn't be performed because object '{identity}' couldn't be found on '{controller}'."
    return failure(text, "ManagementObjectNotFoundException", target=identity)


def ambiguous(identity: Any) -> CmdletError:
    """Several objects go by the name."""
    text = f"The operation couldn't be performed because '{identity}' matches multiple entries."
    return failure(text, "ManagementObjectAmbiguousException", target=identity)


def exists(dn: str, controller: str) -> CmdletError:
    """There is such an object already."""
    text = f"Active Directory operation failed on {controller}. The object '{dn}' already exists."
    return failure(text, "ADObjectAlreadyExistsException", "WriteError")


def refused(message: str, target: Any = None) -> CmdletError:
    """The state of things does not allow it."""
    return failure(message, "InvalidOperationException", "InvalidOperation", target)


def not_here(cmdlet: str, why: str = "") -> CmdletError:
    """A cmdlet, or a use of it, that the reference has and the lab has not."""
    what = f"{cmdlet} {why}" if why else cmdlet
    text = f"The rehearsal lab does not have {what}: it is not part of taking the last Exchange server away."
    return failure(text, "NotImplementedException", "NotImplemented")


def must_confirm(cmdlet: str, what: str) -> CmdletError:
    """Nobody can answer the question that a changing cmdlet asks."""
    return CmdletError(
        "A command that prompts the user failed because the host program or the command type does not support user "
        "interaction. The host was attempting to request confirmation with the following message: "
        f"Are you sure you want to perform this action? {cmdlet} {what}".rstrip(),
        f"[FailureCategory=Cmdlet-HostException] 7C1F2A3B,{cmdlet}",
        "NotImplemented",
        "System.Management.Automation.Host.HostException",
        whole_id=True,
        terminating=True,
    )


def unreachable(server: str) -> CmdletError:
    """The server that the question is about does not answer."""
    text = f"The task wasn't able to connect to server '{server}': the RPC server is unavailable (0x800706BA)."
    return failure(text, "LocalizedException", "ReadError", server)
