# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What answers PowerShell remoting at one port of a host: which sessions it takes, and which cmdlets they see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.lab.windows.binder import Argument, Bound, Cmdlet
from tests.lab.windows.places import SignIn

if TYPE_CHECKING:
    from tests.lab.windows.call import Implementation, Session
    from tests.lab.windows.estate import Estate


@dataclass(frozen=True)
class Endpoint:
    """One kind of endpoint. ``service`` is its name in the request log, ``basic`` the behaviour that allows Basic,
    ``title`` its session configuration, and ``configurations`` all of them in lower case.

    ``open`` looks at a new session, and refuses it with a fault of WS-Management; ``find`` gives what a session runs
    for a command's name, or None; ``bind`` judges its parameters; ``check`` judges a whole pipeline beforehand.
    """

    service: str
    port: int
    path: str
    title: str
    configurations: tuple[str, ...]
    basic: str
    admits: Callable[[SignIn], bool]
    open: Callable[[Estate, Session], None]
    find: Callable[[Estate, Session, str], tuple[Cmdlet, Implementation] | None]
    bind: Callable[[Cmdlet, list[Argument], list[Any] | None], Bound]
    is_write: Callable[[str, list[Argument]], bool]
    check: Callable[[Session, list[str]], None]
