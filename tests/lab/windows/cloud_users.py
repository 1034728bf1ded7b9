# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts of a tenant that try to register agents, and how the login service takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
HYBRID_ROLE, GLOBAL_ROLE = "Hybrid Identity Administrator", "Global Administrator"


class SignInFailed(Exception):
    """The login service refuses; the text begins with its code."""


@dataclass(frozen=True)
class CloudUser:
    """An account that can try to register agents."""

    key: str
    local_part: str
    roles: tuple[str, ...] = (HYBRID_ROLE,)
    mfa: bool = False
    guest: bool = False

    def upn(self, initial_domain: str) -> str:
        """Its userPrincipalName."""
        if self.guest:
            return f"{self.local_part}_partner.example#EXT#@{initial_domain}"
        return f"{self.local_part}@{initial_domain}"

    def password(self, tenant: str) -> str:
        """Its password."""
        return f"Lab-{tenant}-{self.key}-1!"


USERS = (
    CloudUser("user", "hybridadmin"),
    CloudUser("global_user", "globaladmin", (GLOBAL_ROLE,)),
    CloudUser("mfa_user", "hybridadmin.mfa", mfa=True),
    CloudUser("guest_user", "guestadmin", guest=True),
    CloudUser("unprivileged_user", "clerk", ()),
)


def sign_in(tenant: Document, user: str, password: str, environment: str, cloud: str) -> CloudUser:
    """Sign in as the agent's module does, without a prompt; :class:`SignInFailed` with the service's code."""
    if environment != cloud:
        raise SignInFailed(
            "AADSTS900439: USGClientNotSupportedOnPublicEndpoint - The tenant is not in the cloud "
            f"({environment}) that the agent was installed for."
        )
    wanted = user.lower()
    account = next((one for one in USERS if one.upn(tenant["initial_domain"]).lower() == wanted), None)
    if account is None:
        raise SignInFailed(
            f"AADSTS50034: The user account {user} does not exist in the {tenant['initial_domain']} directory. To sign "
            "into this application, the account must be added to the directory."
        )
    if password != account.password(tenant["name"]):
        raise SignInFailed("AADSTS50126: Error validating credentials due to invalid username or password.")
    if account.mfa:
        raise SignInFailed(
            "AADSTS50076: Due to a configuration change made by your administrator, or because you moved to a new "
            "location, you must use multi-factor authentication to access '00000003-0000-0000-c000-000000000000'."
        )
    return account
