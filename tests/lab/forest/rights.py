# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access rights of the service accounts: what each may do, as access control entries on the synchronised root unit.

* ``sync`` stands for the provisioning agent's gMSA and the Connect account. HybridExchangePermissions: read and write
  all properties of descendant user, inetOrgPerson, group and contact objects.
* ``writer`` is the directory writer of a client: it may write the Exchange attributes of the same classes (the
  property set Exchange-Information, ``proxyAddresses`` and ``mail``) and nothing else.
* ``reader`` may read, as every authenticated user may.

Objects that do not inherit (AdminSDHolder) are covered by none of these.
"""

from __future__ import annotations

from tests.lab.forest.schema import EXCHANGE_INFORMATION

CLASS_GUIDS = {
    "user": "bf967aba-0de6-11d0-a285-00aa003049e2",
    "inetOrgPerson": "4828cc14-1437-45bc-9b07-ad6f015e5f28",
    "group": "bf967a9c-0de6-11d0-a285-00aa003049e2",
    "contact": "5cb41ed0-0e4c-11d0-a286-00aa003049e2",
}
PROXY_ADDRESSES = "bf967a06-0de6-11d0-a285-00aa003049e2"
MAIL = "bf967961-0de6-11d0-a285-00aa003049e2"


def entries(sids: dict[str, str]) -> list[str]:
    """Access control entries in SDDL for the accounts' SIDs (by role), inherited by the four classes only."""
    result = []
    for cls in CLASS_GUIDS.values():
        result.append(f"(OA;CIIO;RPWP;;{cls};{sids['sync']})")
        result += [
            f"(OA;CIIO;RPWP;{what};{cls};{sids['writer']})" for what in (EXCHANGE_INFORMATION, PROXY_ADDRESSES, MAIL)
        ]
    return result
