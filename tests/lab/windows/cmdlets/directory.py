# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The KDS root key and group managed service accounts, as RSAT's modules show them."""

from __future__ import annotations

import re
import uuid
from typing import Any

from tests.lab.windows import paths
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.cmdlets.items import when
from tests.lab.windows.errors import CmdletError
from tests.lab.windows.values import Obj

Document = dict[str, Any]
_NOT_FOUND = "Microsoft.ActiveDirectory.Management.ADIdentityNotFoundException"
_SERVICE_ACCOUNT = "Microsoft.ActiveDirectory.Management.ADServiceAccount"
_FILTER = re.compile(r"^\s*(\w+)\s+-(eq|like)\s+['\"]?([^'\"]*)['\"]?\s*$", re.IGNORECASE)


def get_kds_root_key(call: Call) -> None:
    """Get-KdsRootKey: the keys of the forest, effective or not."""
    with call.estate.forest(call.host.tenant) as forest:
        for key in forest["kdsKeys"]:
            own = {
                "AttributeOfWrongFormat": None,
                "KeyValue": b"\x00" * 64,  # the lab has no key material; who may read it sees bytes
                "EffectiveTime": when(key["EffectiveTime"]),
                "CreationTime": when(key["CreationTime"]),
                "IsFormatValid": True,
                "DomainController": f"CN=DC1,OU=Domain Controllers,{call.host.forest.base_dn}",
                "ServerConfiguration": "Microsoft.KeyDistributionService.Cmdlets.KdsServerConfiguration",
                "KeyId": uuid.UUID(key["KeyId"]),
                "VersionNumber": 1,
            }
            call.write(Obj(("Microsoft.KeyDistributionService.Cmdlets.KdsRootKey", "System.Object"), own))


def effective(forest: Document, now: float) -> bool:
    """Whether one of the forest's KDS root keys can be used."""
    return any(when(key["EffectiveTime"]).timestamp() <= now for key in forest["kdsKeys"])


def _member(call: Call) -> None:
    with call.state() as document:
        if not document["computer"]["PartOfDomain"]:
            raise CmdletError(
                "Unable to find a default server with Active Directory Web Services running.",
                "ActiveDirectoryServer:1355",
                "ResourceUnavailable",
                "Microsoft.ActiveDirectory.Management.ADServerDownException",
                terminating=True,
            )


def account_object(call: Call, name: str, account: Document) -> Obj:
    """The object for a group managed service account."""
    plain, base = name.removesuffix("$"), call.host.forest.base_dn
    distinguished = f"CN={plain},CN=Managed Service Accounts,{base}"
    own: dict[str, Any] = {
        "DistinguishedName": distinguished,
        "Enabled": True,
        "Name": plain,
        "ObjectClass": "msDS-GroupManagedServiceAccount",
        "ObjectGUID": uuid.uuid5(uuid.NAMESPACE_DNS, f"{plain}.{call.host.forest.domain}"),
        "SamAccountName": f"{plain}$",
        "SID": f"{call.host.forest.domain_sid}-{2000 + sum(plain.encode()) % 1000}",
        "UserPrincipalName": None,
    }
    asked = {str(one).lower() for one in call.many("Properties")}
    if asked & {"*", "principalsallowedtoretrievemanagedpassword"}:
        own["PrincipalsAllowedToRetrieveManagedPassword"] = [
            f"CN={one.upper()},CN=Computers,{base}" for one in account["hosts"]
        ]
    types = (_SERVICE_ACCOUNT, "Microsoft.ActiveDirectory.Management.ADAccount", "System.Object")
    return Obj(types, own, distinguished, key=name)


def _name(call: Call, identity: Any) -> str:
    given = str(identity.key if isinstance(identity, Obj) else identity)
    plain = given.rpartition("\\")[2]
    if plain.lower().startswith("cn="):
        plain = plain[3:].partition(",")[0]
    return plain.removesuffix("$").lower() + "$"


def _found(call: Call, forest: Document, identity: Any) -> str | None:
    wanted = _name(call, identity)
    return next((one for one in forest["gmsas"] if one.lower() == wanted), None)


def _missing(call: Call, identity: Any) -> CmdletError:
    return CmdletError(
        f"Cannot find an object with identity: '{identity}' under: '{call.host.forest.base_dn}'.",
        "ActiveDirectoryCmdlet:Microsoft.ActiveDirectory.Management.ADIdentityNotFoundException",
        "ObjectNotFound",
        _NOT_FOUND,
        str(identity),
        "ADServiceAccount",
        terminating=True,
    )


def get_ad_service_account(call: Call) -> None:
    """Get-ADServiceAccount by -Identity, or by a -Filter of one comparison."""
    _member(call)
    with call.estate.forest(call.host.tenant) as forest:
        identity = call.get("Identity")
        if identity is not None:
            name = _found(call, forest, identity)
            if name is None:
                raise _missing(call, identity)
            call.write(account_object(call, name, forest["gmsas"][name]))
            return
        condition = str(call.get("Filter") or "*")
        compared = _FILTER.match(condition)
        if condition != "*" and compared is None:
            raise CmdletError(
                f"Error parsing query: '{condition}'",
                "ActiveDirectoryServer:0",
                "ParserError",
                "Microsoft.ActiveDirectory.Management.ADFilterParsingException",
                terminating=True,
            )
        for name, account in sorted(forest["gmsas"].items()):
            made = account_object(call, name, account)
            hit = made.get(compared[1]) if compared else None
            if compared is None or (hit is not None and paths.matches(str(hit[1]), compared[3])):
                call.write(made)


def test_ad_service_account(call: Call) -> None:
    """Test-ADServiceAccount: whether this host may use the account."""
    _member(call)
    identity = call.get("Identity")
    with call.estate.forest(call.host.tenant) as forest:
        name = _found(call, forest, identity)
        if name is None:
            raise _missing(call, identity)
        allowed = call.host.name in forest["gmsas"][name]["hosts"]
    if not allowed:
        call.warning(
            f"Test failed for Managed Service Account {name}. If standalone Managed Service Account, the "
            "account is linked to another computer object in the Active Directory. If group Managed Service "
            "Account, either this computer does not have permission to use the group MSA or this computer "
            "does not support all the Kerberos encryption types required for the gMSA."
        )
    call.write(allowed)


CMDLETS: dict[str, Implementation] = {
    "Get-KdsRootKey": get_kds_root_key,
    "Get-ADServiceAccount": get_ad_service_account,
    "Test-ADServiceAccount": test_ad_service_account,
}
