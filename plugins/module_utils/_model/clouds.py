# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The Microsoft clouds and their hosts: data in one place, every host can be overridden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from urllib.parse import urlsplit

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError


@dataclass(frozen=True)
class Cloud:
    """One cloud. URLs have no path and no trailing slash; an empty one is not public knowledge and must be given.

    ``provision_on_demand`` tells whether the synchronization service offers provisioning on demand there. The last
    three are what DNS records of a domain point at whose mail and Autodiscover are in this cloud: suffixes of hosts in
    MX records, hosts of Autodiscover, and domains that SPF records include. Empty: not public knowledge.
    """

    name: str
    login_url: str
    graph_url: str
    exchange_url: str
    provision_on_demand: bool
    mx_suffixes: tuple[str, ...] = ()
    autodiscover_hosts: tuple[str, ...] = ()
    spf_includes: tuple[str, ...] = ()


_ROWS = (
    Cloud(
        "worldwide",
        "https://login.microsoftonline.com",
        "https://graph.microsoft.com",
        "https://outlook.office365.com",
        True,
        ("mail.protection.outlook.com", "mx.microsoft"),
        ("autodiscover.outlook.com",),
        ("spf.protection.outlook.com",),
    ),
    Cloud(
        "gcc_high",
        "https://login.microsoftonline.us",
        "https://graph.microsoft.us",
        "https://outlook.office365.us",
        True,
        ("mail.protection.office365.us", "mx.microsoft"),
        ("autodiscover.office365.us",),
        ("spf.protection.office365.us",),
    ),
    Cloud(
        "dod",
        "https://login.microsoftonline.us",
        "https://dod-graph.microsoft.us",
        "https://outlook-dod.office365.us",
        True,
        ("mail.protection.office365.us", "mx.microsoft"),
        ("autodiscover-dod.office365.us",),
        ("spf.protection.office365.us",),
    ),
    Cloud(
        "china_21vianet",
        "https://login.partner.microsoftonline.cn",
        "https://microsoftgraph.chinacloudapi.cn",
        "https://partner.outlook.cn",
        False,
        ("mail.protection.partner.outlook.cn", "mx.microsoft"),
        ("autodiscover.partner.outlook.cn",),
        ("spf.protection.partner.outlook.cn",),
    ),
    Cloud("bleu", "", "", "", True),
    Cloud("delos", "", "", "", True),
)

CLOUDS: Mapping[str, Cloud] = MappingProxyType({row.name: row for row in _ROWS})


def cloud(
    name: str, *, login_url: str | None = None, graph_url: str | None = None, exchange_url: str | None = None
) -> Cloud:
    """The cloud of that name with the hosts given; InputError where a host is neither known nor given."""
    known = CLOUDS.get(name)
    if known is None:
        raise InputError(f"There is no cloud named {name!r}. Use one of {', '.join(CLOUDS)}.", cloud=name)
    given = {"login_url": login_url, "graph_url": graph_url, "exchange_url": exchange_url}
    hosts = {option: _url(option, url or getattr(known, option), name) for option, url in given.items()}
    return replace(
        known, login_url=hosts["login_url"], graph_url=hosts["graph_url"], exchange_url=hosts["exchange_url"]
    )


def _url(option: str, value: str, cloud_name: str) -> str:
    if not value:
        raise InputError(
            f"The hosts of the cloud {cloud_name} are not publicly documented. Give login_url, graph_url and "
            f"exchange_url ({option} is missing).",
            cloud=cloud_name,
            option=option,
        )
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.netloc:
        raise InputError(f"{option} must be a URL that begins with https://, not {value!r}.", option=option)
    return value.rstrip("/")
