# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What the options of a task state about a server that is to go, and the far ends that it works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.ports import (
    Artifacts,
    Clock,
    Directory,
    ExchangeOnline,
    ExchangeServer,
    Host,
    Progress,
    Warn,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.setup import product as setup_product
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Credential

LAST_SERVER = ("auto", "yes", "no")


@dataclass(frozen=True)
class Wanted:
    """All that a task states. Times are in seconds. ``setup_path`` None: where the registry of the server says."""

    server: str
    confirm: str
    last_server: str = "auto"
    databases: str = "remove_empty"
    readiness: str | None = None
    readiness_sha256: str | None = None
    tenant_id: str = ""
    setup_path: str | None = None
    setup_arguments: tuple[str, ...] = setup_product.ARGUMENTS
    setup_credential: Credential | None = None
    setup_log: str = setup_product.LOG
    setup_timeout: float = 10800
    setup_quiet_timeout: float = 3600
    setup_hangs: str = "leave"
    poll_interval: float = 10
    wait_timeout: float = 600
    lingering_services: str = "fail"
    artifact_dir: str = "artifacts"

    @property
    def word(self) -> str:
        """What confirm has to be."""
        return f"uninstall {self.server}"


@dataclass(frozen=True)
class Ends:
    """``watch`` opens a second session to the server's host, which looks on while Setup runs in the first."""

    host: Host
    watch: Callable[[], Host]
    server: ExchangeServer | None
    directory: Directory
    online: ExchangeOnline
    clock: Clock
    artifacts: Artifacts
    progress: Progress
    warn: Warn


def from_params(params: Mapping[str, Any]) -> Wanted:
    """What a task's options state; InputError names the option that is wrong."""
    server = str(params["server"]).strip()
    if not server or "." in server or "*" in server:
        raise InputError(f"server must be the name of one server as Exchange knows it, such as EX01, not {server!r}.")
    user, password = params.get("setup_user"), params.get("setup_password")
    wanted = Wanted(
        server=server,
        setup_credential=Credential(str(user), str(password)) if user and password else None,
        confirm=str(params["confirm"]),
        last_server=str(params.get("last_server") or "auto"),
        databases=str(params.get("databases") or "remove_empty"),
        readiness=params.get("readiness"),
        readiness_sha256=params.get("readiness_sha256"),
        tenant_id=str(params.get("tenant_id") or ""),
        setup_path=params.get("setup_path") or None,
        setup_arguments=tuple(params.get("setup_arguments") or setup_product.ARGUMENTS),
        setup_log=str(params.get("setup_log") or setup_product.LOG),
        setup_timeout=_seconds(params, "setup_timeout", 10800),
        setup_quiet_timeout=_seconds(params, "setup_quiet_timeout", 3600),
        setup_hangs=str(params.get("setup_hangs") or "leave"),
        poll_interval=_seconds(params, "poll_interval", 10),
        wait_timeout=_seconds(params, "wait_timeout", 600),
        lingering_services=str(params.get("lingering_services") or "fail"),
        artifact_dir=str(params.get("artifact_dir") or "artifacts"),
    )
    if wanted.confirm != wanted.word:
        raise InputError(f"confirm must be exactly {wanted.word!r}: {wanted.server} is then removed by Setup for good.")
    if not any(argument.lower() in ("/mode:uninstall", "/m:uninstall") for argument in wanted.setup_arguments):
        raise InputError("setup_arguments must have /mode:Uninstall; this module runs Setup for nothing else.")
    return wanted


def _seconds(params: Mapping[str, Any], name: str, default: float) -> float:
    value = params.get(name)
    number = default if value is None else float(value)
    if number < 1:
        raise InputError(f"{name} must be at least 1 second, it is {value}.")
    return number
