# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Registering an agent: sign-in, managed service account, permissions, domain. With the agent's own cmdlets."""

from __future__ import annotations

import re

from ansible_collections.hybrid.exchange.plugins.module_utils._agent import installed as installs
from ansible_collections.hybrid.exchange.plugins.module_utils._agent import product, registered
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.installed import Installed, Module
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.plan import CONNECT, DOMAIN, GMSA, PERMISSIONS
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.ports import Ends
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.wanted import Wanted
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    AuthenticationError,
    HybridError,
    InputError,
    PermissionDenied,
    Refused,
    Timeout,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._run.settle import settle
from ansible_collections.hybrid.exchange.plugins.module_utils._run.waiting import until

# What Entra says when it wants more than a password: a second factor, or what a policy of the tenant asks for.
_MORE_THAN_A_PASSWORD = re.compile(
    r"AADSTS(50072|50074|50076|50079|50158|53000|53001|53003|530003)|multi-?factor|\bMFA\b|interaction_required",
    re.IGNORECASE,
)
_GUEST = re.compile(r"\bguest\b", re.IGNORECASE)


class Registrar:
    """Does the steps of a registration in one session, and signs in again where the session is another one."""

    def __init__(self, ends: Ends, wanted: Wanted, machine: str) -> None:
        self._ends = ends
        self._wanted = wanted
        self._machine = machine
        self._module = Module(ends.host, wanted.names.module)
        self._signed_in = False

    def step(self, name: str) -> None:
        """Do one step of the plan."""
        if name == CONNECT:
            self._connect()
            return
        if not (self._signed_in and self._module.ready):
            self._connect()
        try:
            {GMSA: self._gmsa, PERMISSIONS: self._permissions, DOMAIN: self._domain}[name]()
        except (AuthenticationError, PermissionDenied) as error:
            who = self._wanted.domain_admin
            by = f" as {who.user} (domain_admin_user)" if who is not None else ""
            raise type(error)(f"{self._machine}: {name} failed{by}: {error.message}", **error.facts) from None

    def _connect(self) -> None:
        account = self._wanted.administrator
        if account is None:
            raise InputError("registration_user and registration_password are needed to register the agent.")
        try:
            self._module.run(Cmdlet("Connect-AADCloudSyncAzureAD", {"Credential": account}))
        except HybridError as error:
            raise self._refused(error, account.user) from None
        self._signed_in = True

    def _refused(self, error: HybridError, user: str) -> HybridError:
        if _MORE_THAN_A_PASSWORD.search(error.message):
            return Refused(
                f"{self._machine}: Entra wants more than a password from {user} ({error.message}). The agent's cmdlets "
                "cannot give that without a person. Take an account that is excluded from it, or "
                f"{by_hand(self._wanted, self._machine)}",
                **error.facts,
            )
        if _GUEST.search(error.message):
            return PermissionDenied(
                f"{self._machine}: {user} is a guest of the tenant and cannot register an agent. Take a Hybrid "
                f"Identity Administrator of the tenant itself. {error.message}",
                **error.facts,
            )
        if isinstance(error, (AuthenticationError, PermissionDenied)):
            return type(error)(
                f"{self._machine}: {user} could not sign in to register the agent: {error.message}", **error.facts
            )
        return error

    def _gmsa(self) -> None:
        wanted = self._wanted
        if wanted.creates_gmsa:
            cmdlet = Cmdlet("Add-AADCloudSyncGMSA", {"Credential": wanted.domain_admin})
        else:
            cmdlet = Cmdlet("Add-AADCloudSyncGMSA", {"CustomGMSAName": wanted.gmsa})
        settle(lambda: self._module.run(cmdlet), self._has_account)

    def _has_account(self) -> bool:
        service = installs.read_service(self._ends.host, self._wanted.names.service, with_account=True)
        return service is not None and service.account_name.lower() == self._wanted.account.lower()

    def _permissions(self) -> None:
        for kind in self._wanted.permissions_wanted:
            self._module.run(
                Cmdlet(
                    "Set-AADCloudSyncPermissions",
                    {
                        "PermissionType": kind,
                        "TargetDomain": self._wanted.domain,
                        "TargetDomainCredential": self._wanted.domain_admin,
                    },
                )
            )

    def _domain(self) -> None:
        wanted = self._wanted
        controllers = list(wanted.preferred_domain_controllers)
        cmdlet = Cmdlet(
            "Add-AADCloudSyncADDomain",
            {
                "DomainName": wanted.domain,
                "Credential": wanted.domain_admin,
                **({"PreferredDomainControllers": controllers} if controllers else {}),
            },
        )
        settle(lambda: self._module.run(cmdlet), self._has_domain)

    def _has_domain(self) -> bool:
        domains = installs.read(self._ends.host, self._wanted.names).domains
        return domains is not None and self._wanted.domain in domains


def wait_for_hands(ends: Ends, wanted: Wanted, machine: str) -> None:
    """Wait until somebody has registered the agent; Timeout says what to do on the server."""

    def read() -> tuple[Installed, registered.Registered]:
        return installs.read(ends.host, wanted.names), registered.read(ends.agents)

    def done(state: tuple[Installed, registered.Registered]) -> bool:
        here, known = state
        own = known.on(machine)
        if known.agents is None or own is None or not own.active:
            return False
        return here.domains is None or wanted.domain in here.domains

    def late(state: tuple[Installed, registered.Registered]) -> HybridError:
        here, known = state
        own = known.on(machine)
        seen = (
            "Graph does not tell"
            if known.agents is None
            else f"Graph shows it {own.status}"
            if own
            else "not registered"
        )
        return Timeout(
            f"The agent {here.version or ''} is on {machine}, and has to be registered by hand ({seen}). Please "
            f"{by_hand(wanted, machine)}",
            host=machine,
            last_state=seen,
        )

    until(ends.clock, wanted.registration_timeout, read, done, late, pause=10.0)


def by_hand(wanted: Wanted, machine: str) -> str:
    """What a person does on the server, with its very names; no secret is in it."""
    gmsa = "let it create the service account" if wanted.creates_gmsa else f"give it the service account {wanted.gmsa}"
    further = (
        f" For {wanted.gmsa}, run Set-AADCloudSyncPermissions with {' and '.join(wanted.permissions_wanted)} there, "
        "too."
        if wanted.permissions_wanted
        else ""
    )
    return (
        f"register it by hand: sign in to {machine}, start the agent's configuration wizard (in "
        f"{wanted.names.program_folder}), sign in as a Hybrid Identity Administrator who is no guest, {gmsa}, and add "
        f"the domain {wanted.domain}.{further} Then run again with registration by_hand: it verifies what was done "
        f"and goes on. The same with cmdlets is on Microsoft's page how-to-install-pshell ({product.MODULE})."
    )
