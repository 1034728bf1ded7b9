# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The prerequisites of the agent: what is asserted, how it is judged by what was read, and how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.hybrid.exchange.plugins.module_utils._agent import product, version
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.forest import ForestFacts
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.host_facts import HostFacts, Machine
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.source import Source
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.wanted import Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._run.moments import shown

PASSED, FAILED, CANNOT_TELL = "passed", "failed", "cannot_tell"


@dataclass(frozen=True)
class Evidence:
    """All that was read. ``source`` is None where nothing is going to be installed; ``now`` is the clock."""

    wanted: Wanted
    machine: Machine
    host: HostFacts
    forest: ForestFacts
    source: Source | None
    now: datetime


@dataclass(frozen=True)
class Judged:
    """A verdict and what it rests on."""

    verdict: str
    evidence: str


@dataclass(frozen=True)
class Prerequisite:
    """One row of the table. What is not ``acceptable`` cannot be taken over by the operator."""

    id: str
    asserted: str
    judge: Callable[[Evidence], Judged | None]
    fix: str
    acceptable: bool = True


def passed_if(condition: bool, evidence: str) -> Judged:
    """Passed or failed, with its evidence."""
    return Judged(PASSED if condition else FAILED, evidence)


def cannot_tell(reason: str) -> Judged:
    """Nothing could be read, for this reason."""
    return Judged(CANNOT_TELL, reason)


def _windows_server(found: Evidence) -> Judged:
    machine = found.machine
    if machine.build is None or machine.product_type is None:
        return cannot_tell("Win32_OperatingSystem does not say its BuildNumber and ProductType.")
    good = machine.product_type in (2, 3) and machine.build >= product.LOWEST_BUILD
    return passed_if(good, f"{machine.caption}, build {machine.build}, product type {machine.product_type}")


def _server_core(found: Evidence) -> Judged:
    kind = found.host.installation_type
    if kind is None:
        return cannot_tell(found.host.unknown.get("installation_type", "The registry has no InstallationType."))
    return passed_if(kind == "Server", f"InstallationType is {kind}")


def _domain_member(found: Evidence) -> Judged:
    domain = found.machine.domain
    return passed_if(domain is not None, f"member of {domain}" if domain else "member of a workgroup")


def _memory(found: Evidence) -> Judged:
    memory = found.machine.memory
    if memory is None:
        return cannot_tell("Win32_ComputerSystem does not say its TotalPhysicalMemory.")
    return passed_if(memory >= product.MEMORY, f"{memory / 2**30:.1f} GiB")


def _dotnet(found: Evidence) -> Judged:
    release = found.host.net_release
    if "dotnet" in found.host.unknown:
        return cannot_tell(found.host.unknown["dotnet"])
    return passed_if((release or 0) >= product.NET_RELEASE, f"Release is {release}")


def _tls12_dotnet(found: Evidence) -> Judged:
    if "tls12_dotnet" in found.host.unknown:
        return cannot_tell(found.host.unknown["tls12_dotnet"])
    wrong = [
        f"{path} is {'not set' if value is None else value}"
        for path, value in found.host.net_strong.items()
        if value != 1
    ]
    return passed_if(not wrong, "; ".join(wrong) or "all four values are 1")


def _tls12_schannel(found: Evidence) -> Judged:
    if "tls12_schannel" in found.host.unknown:
        return cannot_tell(found.host.unknown["tls12_schannel"])
    wrong = [
        f"{side}\\{name} is {value}"
        for side, values in found.host.schannel.items()
        for name, value in values.items()
        if value is not None and (value == 0) == (name == "Enabled")
    ]
    return passed_if(not wrong, "; ".join(wrong) or "TLS 1.2 is not turned off")


def _execution_policy(found: Evidence) -> Judged:
    if not found.host.policies:
        return cannot_tell(found.host.unknown.get("execution_policy", "Get-ExecutionPolicy lists nothing."))
    # That of the process is the session's own.
    scopes = {scope: policy for scope, policy in found.host.policies.items() if scope != "Process"}
    wrong = [f"{scope} is {policy}" for scope, policy in scopes.items() if policy not in product.EXECUTION_POLICIES]
    return passed_if(not wrong, "; ".join(wrong) or ", ".join(f"{scope}: {policy}" for scope, policy in scopes.items()))


def _vault_service(found: Evidence) -> Judged:
    if found.host.vault is None:
        return cannot_tell(found.host.unknown.get("vault_service", f"There is no service {product.VAULT_SERVICE}."))
    return passed_if(found.host.vault != "Disabled", f"its start type is {found.host.vault}")


def _reboot_pending(found: Evidence) -> Judged:
    if "reboot_pending" in found.host.unknown:
        return cannot_tell(found.host.unknown["reboot_pending"])
    pending = found.host.pending
    if pending and found.wanted.reboot:
        return Judged(PASSED, "a restart is pending, and is done first (reboot: when_required)")
    return passed_if(not pending, "; ".join(pending) or "none is pending")


def _outbound(found: Evidence) -> Judged | None:
    if not found.wanted.outbound:
        return None
    if "outbound" in found.host.unknown:
        return cannot_tell(found.host.unknown["outbound"])
    closed = [str(endpoint) for endpoint, reached in found.host.outbound.items() if not reached]
    reached = [str(endpoint) for endpoint in found.host.outbound]
    return passed_if(not closed, f"not reached: {', '.join(closed)}" if closed else f"reached: {', '.join(reached)}")


def _schema_attribute(found: Evidence) -> Judged:
    if found.forest.schema_attribute is None:
        return cannot_tell(found.forest.unknown.get("schema_attribute", ""))
    return passed_if(
        found.forest.schema_attribute,
        f"the schema {'has' if found.forest.schema_attribute else 'does not have'} {product.SCHEMA_ATTRIBUTE}",
    )


def _exchange_schema(found: Evidence) -> Judged:
    forest = found.forest
    if forest.exchange_version is None:
        return cannot_tell(forest.unknown.get("exchange_schema", ""))
    if not forest.exchange_version:
        return Judged(FAILED, "the schema has no ms-Exch-Schema-Version-Pt")
    return Judged(PASSED, f"version {forest.exchange_version}, changed {shown(forest.exchange_changed) or 'once'}")


def _kds_root_key(found: Evidence) -> Judged | None:
    if not found.wanted.creates_gmsa:
        return None
    keys = found.forest.root_keys
    if keys is None:
        return cannot_tell(found.forest.unknown.get("root_keys", ""))
    if not keys:
        return Judged(FAILED, "no KDS root key was seen; only administrators of the forest see them")
    first = min(keys)
    return passed_if(first <= found.now, f"a KDS root key is good from {shown(first)}")


def _gmsa(found: Evidence) -> Judged | None:
    if found.wanted.creates_gmsa:
        return None
    forest, account = found.forest, found.wanted.gmsa
    # The server's own test comes first: the account may be of another domain than the one that was asked.
    if forest.account_usable is not None:
        return passed_if(forest.account_usable, f"Test-ADServiceAccount {account} says {forest.account_usable}")
    if forest.account is False:
        return Judged(FAILED, f"there is no group managed service account {account} in the domain")
    reason = forest.unknown.get("account_usable", "")
    if forest.account:
        return Judged(
            PASSED, f"{account} exists; whether the server may use it shows when the service starts. {reason}"
        )
    return cannot_tell(f"{forest.unknown.get('account', '')} {reason}".strip())


def _installer_found(found: Evidence) -> Judged | None:
    source = found.source
    if source is None or source.readable is None:
        return None
    return passed_if(source.readable, source.evidence or f"{source.shown} is there")


def _installer_hash_stated(found: Evidence) -> Judged | None:
    installer = found.wanted.installer
    if found.source is None or installer is None:
        return None
    if installer.sha256:
        return Judged(PASSED, "installer.sha256 is stated")
    is_ = f"; that of {found.source.shown} is {found.source.sha256}" if found.source.sha256 else ""
    return Judged(FAILED, f"installer.sha256 is not stated{is_}")


def _installer_hash(found: Evidence) -> Judged | None:
    installer, source = found.wanted.installer, found.source
    if source is None or installer is None or not installer.sha256 or not source.readable:
        return None
    return passed_if(source.sha256 == installer.sha256, f"the SHA-256 of {source.shown} is {source.sha256}")


def _installer_signature(found: Evidence) -> Judged | None:
    installer, source = found.wanted.installer, found.source
    if source is None or installer is None or not source.readable:
        return None
    return passed_if(source.is_signed_by(installer.signer), source.signature_in_words)


def _installer_version(found: Evidence) -> Judged | None:
    source = found.source
    if source is None or not source.version:
        return None
    number = version.parse(source.version)
    lowest = ".".join(map(str, found.wanted.minimum_version))
    return passed_if(
        number is not None and number >= found.wanted.minimum_version, f"{source.version}, wanted {lowest}"
    )


TABLE: tuple[Prerequisite, ...] = (
    Prerequisite(
        "windows_server",
        f"The server runs {product.LOWEST_BUILD_NAME} or later.",
        _windows_server,
        f"Take a server with {product.LOWEST_BUILD_NAME} or later.",
    ),
    Prerequisite(
        "server_core",
        "The server has the desktop experience; Server Core is not supported.",
        _server_core,
        "Take a server with the desktop experience.",
    ),
    Prerequisite("domain_member", "The server is a member of a domain.", _domain_member, "Join it to the domain."),
    Prerequisite("memory", "The server has 4 GB of memory.", _memory, "Give it more memory."),
    Prerequisite("dotnet", ".NET Framework 4.7.1 or later is installed.", _dotnet, "Install .NET Framework 4.7.1."),
    Prerequisite(
        "tls12_dotnet",
        "TLS 1.2 is on for .NET.",
        _tls12_dotnet,
        f"Set {' and '.join(product.NET_STRONG_VALUES)} to 1 in both keys, and restart the server.",
    ),
    Prerequisite(
        "tls12_schannel",
        "TLS 1.2 is not turned off in SChannel.",
        _tls12_schannel,
        "Set Enabled to 1 and DisabledByDefault to 0 there, and restart the server.",
    ),
    Prerequisite(
        "execution_policy",
        f"The execution policy of PowerShell is {' or '.join(product.EXECUTION_POLICIES)}.",
        _execution_policy,
        "Set it to RemoteSigned, in the group policy where it comes from there.",
    ),
    Prerequisite(
        "vault_service",
        f"Credential Manager ({product.VAULT_SERVICE}) is not disabled.",
        _vault_service,
        "Set its start type to Manual.",
    ),
    Prerequisite(
        "reboot_pending",
        "No restart of the server is pending.",
        _reboot_pending,
        "Restart the server, or set reboot to when_required.",
    ),
    Prerequisite(
        "outbound",
        "The server reaches the names of the tenant's cloud.",
        _outbound,
        "Open the firewall or the proxy for them, without inspecting TLS.",
    ),
    Prerequisite(
        "schema_attribute",
        f"The schema of AD has {product.SCHEMA_ATTRIBUTE} (Windows Server 2016).",
        _schema_attribute,
        "Extend the schema with adprep of Windows Server 2016 or later.",
    ),
    Prerequisite(
        "exchange_schema",
        "The schema of AD is extended for Exchange.",
        _exchange_schema,
        "Extend it with the setup of Exchange Server (PrepareSchema).",
    ),
    Prerequisite(
        "kds_root_key",
        "The forest has a KDS root key that is in effect, so that a managed service account can be made.",
        _kds_root_key,
        "Make one with Add-KdsRootKey and wait ten hours, or give a gmsa that exists.",
    ),
    Prerequisite(
        "gmsa",
        "The managed service account exists, and the server may use it.",
        _gmsa,
        "Make it with New-ADServiceAccount, with the server in PrincipalsAllowedToRetrieveManagedPassword.",
    ),
    Prerequisite(
        "installer_found", "The installer is there.", _installer_found, "Put it there, or correct installer.", False
    ),
    Prerequisite(
        "installer_hash_stated",
        "The hash that the installer must have is stated.",
        _installer_hash_stated,
        "State it as installer.sha256, after comparing it with a source that you trust.",
    ),
    Prerequisite(
        "installer_hash",
        "The installer has the hash that is stated.",
        _installer_hash,
        "Get the file again, and correct installer.sha256 only if you know why it differs.",
        False,
    ),
    Prerequisite(
        "installer_signature",
        "The installer is signed, and by the signer that is stated.",
        _installer_signature,
        "Get the file from the Microsoft Entra admin center.",
        False,
    ),
    Prerequisite(
        "installer_version",
        "The installer is of the minimum version or later.",
        _installer_version,
        "Get a newer one from the Microsoft Entra admin center, or lower minimum_version.",
        False,
    ),
)
