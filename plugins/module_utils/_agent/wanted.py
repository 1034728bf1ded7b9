# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What the options of a task state about the agent on a server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.hybrid.exchange.plugins.module_utils._agent import product
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.product import Endpoint
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.version import Version, parse, required
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Credential
from ansible_collections.hybrid.exchange.plugins.module_utils._run.moments import moment

SOURCES = ("path", "share", "url")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class Names:
    """What is called how on the host; the defaults are those of ``product``."""

    service: str = product.SERVICE
    updater_service: str = product.UPDATER_SERVICE
    program_names: tuple[str, ...] = product.PROGRAM_NAMES
    program_folder: str = product.PROGRAM_FOLDER
    trace_folder: str = product.TRACE_FOLDER
    domains_cmdlet: bool = True

    @property
    def program(self) -> str:
        return rf"{self.program_folder}\{product.PROGRAM}"

    @property
    def module(self) -> str:
        return rf"{self.program_folder}\{product.MODULE}"


@dataclass(frozen=True)
class Installer:
    """Where the setup program lies, by exactly one of path, share and url, and what it must be."""

    path: str | None = None
    share: str | None = None
    url: str | None = None
    sha256: str | None = None
    signer: str = product.SIGNER
    version: str | None = None

    @property
    def source(self) -> str:
        """Where it lies, in the words of the option."""
        return self.path or self.share or self.url or ""

    @property
    def file_name(self) -> str:
        """The name of the file, kept when it is copied."""
        name = re.split(r"[\\/]", self.source if self.url is None else urlsplit(self.url).path)[-1]
        return name if name.lower().endswith(".exe") else product.SETUP


@dataclass(frozen=True)
class Wanted:
    """All that a task states. Times are in seconds."""

    state: str
    domain: str
    tenant_id: str = ""
    cloud: str = "worldwide"
    names: Names = field(default_factory=Names)
    installer: Installer | None = None
    installer_arguments: tuple[str, ...] = product.INSTALLER_ARGUMENTS
    environment_name: str | None = None
    staging_folder: str = product.STAGING_FOLDER
    minimum_version: Version = (1, 1, 1107, 0)
    registration: str = "administrator"
    administrator: Credential | None = None
    domain_admin: Credential | None = None
    gmsa: str = "created"
    permissions: tuple[str, ...] = ()
    preferred_domain_controllers: tuple[str, ...] = ()
    accepted: Mapping[str, str] = field(default_factory=dict)
    last_agent_accepted: bool = False
    reboot: bool = False
    restart_after: str | None = None
    restart_after_schema: bool = True
    outbound: tuple[Endpoint, ...] = ()
    install_timeout: float = 1800
    download_timeout: float = 900
    restart_timeout: float = 1800
    wait_timeout: float = 300
    registration_timeout: float = 0

    @property
    def account(self) -> str:
        """The name of the gMSA, with its dollar sign and without a domain."""
        return product.GMSA if self.gmsa == "created" else self.gmsa

    @property
    def creates_gmsa(self) -> bool:
        return self.gmsa == "created"

    @property
    def permissions_wanted(self) -> tuple[str, ...]:
        """What is granted: what is stated, and for an account of the operator's own what writeback needs."""
        return self.permissions or (() if self.creates_gmsa else (product.WRITEBACK_PERMISSION,))

    @property
    def setup_arguments(self) -> tuple[str, ...]:
        """The arguments of the installer, with the cloud's environment."""
        name = product.ENVIRONMENT_NAMES.get(self.cloud) if self.environment_name is None else self.environment_name
        return (*self.installer_arguments, *((f"ENVIRONMENTNAME={name}",) if name else ()))


def from_params(params: Mapping[str, Any]) -> Wanted:
    """What a task's options state; InputError names the option that is wrong."""
    domain = str(params["domain"]).strip().rstrip(".").lower()
    if "." not in domain or " " in domain:
        raise InputError(f"domain must be the DNS name of an AD domain such as corp.contoso.com, not {domain!r}.")
    gmsa = str(params.get("gmsa") or "created").strip()
    if gmsa != "created":
        gmsa = gmsa.rpartition("\\")[2]
        if not re.fullmatch(r"[^\s@\"/\\\[\]:;|=,+*?<>]{1,19}\$", gmsa):
            raise InputError(
                f"gmsa must be created, or the name of a group managed service account with its dollar sign, such as "
                f"svc-sync$, not {params['gmsa']!r}."
            )
    registration = params.get("registration") or "administrator"
    administrator = credential(params, "registration")
    if registration == "administrator" and params["state"] != "absent" and administrator is None:
        raise InputError(
            "registration is administrator: give registration_user and registration_password, a Hybrid Identity "
            "Administrator who is not asked for a second factor. Where that is not allowed, set registration to "
            "by_hand: the module then installs the agent, says what to do on the server, and verifies it."
        )
    if params.get("restart_after") and moment(params["restart_after"]) is None:
        raise InputError(f"restart_after must be a time such as 2026-08-03T10:15:00Z, not {params['restart_after']!r}.")
    outbound = _outbound(params)
    return Wanted(
        state=params["state"],
        domain=domain,
        tenant_id=str(params.get("tenant_id") or ""),
        cloud=str(params.get("cloud") or "worldwide"),
        names=names(params),
        installer=_installer(params.get("installer")),
        installer_arguments=tuple(params.get("installer_arguments") or ()),
        environment_name=params.get("environment_name"),
        staging_folder=str(params["staging_folder"]).rstrip("\\"),
        minimum_version=required("minimum_version", params["minimum_version"]),
        registration=registration,
        administrator=administrator,
        domain_admin=credential(params, "domain_admin"),
        gmsa=gmsa,
        permissions=tuple(params.get("permissions") or ()),
        preferred_domain_controllers=tuple(params.get("preferred_domain_controllers") or ()),
        accepted=_accepted(params.get("prerequisites_accepted") or ()),
        last_agent_accepted=params.get("last_agent") == "accepted",
        reboot=params.get("reboot") == "when_required",
        restart_after=params.get("restart_after"),
        restart_after_schema=bool(params.get("restart_after_schema")),
        outbound=outbound,
        install_timeout=params["install_timeout"],
        download_timeout=params["download_timeout"],
        restart_timeout=params["restart_timeout"],
        wait_timeout=params["wait_timeout"],
        registration_timeout=params["registration_timeout"],
    )


def names(params: Mapping[str, Any]) -> Names:
    """What is called how on the host, as the options state it."""
    return Names(
        service=params["service_name"],
        updater_service=params["updater_service_name"],
        program_names=tuple(params["program_names"]),
        program_folder=str(params["program_folder"]).rstrip("\\"),
        trace_folder=params["trace_folder"],
        domains_cmdlet=bool(params["domains_cmdlet"]),
    )


def credential(params: Mapping[str, Any], name: str) -> Credential | None:
    """The account of two options, or None where neither is given."""
    user, password = params.get(f"{name}_user"), params.get(f"{name}_password")
    if bool(user) != bool(password):
        raise InputError(f"{name}_user and {name}_password belong together; one of them is missing.")
    return Credential(str(user), str(password)) if user else None


def _installer(given: Mapping[str, Any] | None) -> Installer | None:
    if given is None:
        return None
    sources = [name for name in SOURCES if given.get(name)]
    if len(sources) != 1:
        raise InputError(
            f"installer needs exactly one of {', '.join(SOURCES)}; it has {' and '.join(sources) or 'none'}."
        )
    if given.get("share") and not str(given["share"]).startswith("\\\\"):
        raise InputError(f"installer.share must begin with two backslashes, unlike {given['share']!r}.")
    if given.get("path") and str(given["path"]).startswith("\\\\"):
        raise InputError("installer.path is a path on the server itself; give a network path as installer.share.")
    if given.get("url") and urlsplit(str(given["url"])).scheme != "https":
        raise InputError(f"installer.url must begin with https://, unlike {given['url']!r}.")
    if given.get("sha256") and not _SHA256.fullmatch(str(given["sha256"])):
        raise InputError("installer.sha256 must be the 64 hexadecimal digits of a SHA-256 hash.")
    if given.get("version") and parse(given["version"]) is None:
        raise InputError(f"installer.version must be a version such as 1.1.1107.0, not {given['version']!r}.")
    return Installer(
        path=given.get("path"),
        share=given.get("share"),
        url=given.get("url"),
        sha256=str(given["sha256"]).lower() if given.get("sha256") else None,
        signer=given.get("signer") or product.SIGNER,
        version=given.get("version"),
    )


def _accepted(given: Any) -> dict[str, str]:
    accepted: dict[str, str] = {}
    for item in given:
        reason = str(item.get("reason") or "").strip()
        if not reason:
            raise InputError(f"prerequisites_accepted: say why {item.get('id')} is accepted (reason).")
        accepted[str(item["id"])] = reason
    return accepted


def _outbound(params: Mapping[str, Any]) -> tuple[Endpoint, ...]:
    given = params.get("outbound_hosts")
    if given is None:
        return product.OUTBOUND[str(params.get("cloud") or "worldwide")]
    try:
        return tuple(product.endpoint(str(text)) for text in given)
    except ValueError as error:
        raise InputError(f"outbound_hosts: {error} is no name, or name:port, without wildcards.") from error
