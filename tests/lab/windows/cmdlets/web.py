# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Web sites of a host that has IIS."""

from __future__ import annotations

from typing import Any

from tests.lab.exchange_server import machine
from tests.lab.windows import paths
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.values import Obj, int64

Document = dict[str, Any]
_SITE = ("Microsoft.IIs.PowerShell.Framework.ConfigurationElement#site", "System.Object")
_IIS_SITE = ("Microsoft.Web.Administration.Site", "Microsoft.Web.Administration.ConfigurationElement", "System.Object")
_APPLICATION = ("Microsoft.IIs.PowerShell.Framework.ConfigurationElement#site#application", "System.Object")


def _sites(call: Call) -> list[tuple[str, Document]]:
    wanted = [str(one) for one in call.many("Name")]
    with call.state() as document:
        found = sorted(document["sites"].items(), key=lambda pair: int(pair[1]["Id"]))
    return [pair for pair in found if not wanted or any(paths.matches(pair[0], one) for one in wanted)]


def _bindings(site: Document) -> list[str]:
    return [f"{'https' if port in (443, 444) else 'http'} *:{port}:" for port in site["ports"]]


def get_website(call: Call) -> None:
    """Get-Website."""
    for name, site in _sites(call):
        own = {"name": name, "id": int64(site["Id"]), "state": site["State"], "physicalPath": site["Path"]}
        call.write(Obj(_SITE, {**own, "serverAutoStart": True, "bindings": _bindings(site)}, name, key=name))


def get_iis_site(call: Call) -> None:
    """Get-IISSite."""
    for name, site in _sites(call):
        own = {"Name": name, "Id": int64(site["Id"]), "State": site["State"], "Bindings": _bindings(site)}
        call.write(Obj(_IIS_SITE, own, name, key=name))


def get_web_application(call: Call) -> None:
    """Get-WebApplication [-Site] [-Name]: what Exchange put into a site."""
    site, wanted = call.get("Site"), call.get("Name")
    with call.state() as document:
        sites = dict(document["sites"])
    for name, one in sites.items():
        if one.get("bare") or (site and name.lower() != str(site).lower()):
            continue
        for application in machine.APPLICATIONS:
            if wanted and not paths.matches(application, str(wanted)):
                continue
            own = {"path": f"/{application}", "applicationPool": f"MSExchange{application}AppPool", "site": name}
            call.write(Obj(_APPLICATION, own, f"/{application}"))


CMDLETS: dict[str, Implementation] = {
    "Get-Website": get_website,
    "Get-IISSite": get_iis_site,
    "Get-WebApplication": get_web_application,
}
