# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of the Windows hosts, and of whoever signs in to them with one."""

from __future__ import annotations

from tests.lab.forest import tls
from tests.lab.settings import FORESTS, Settings
from tests.lab.windows import places


def ensure(settings: Settings) -> None:
    """Make every certificate that is not there yet."""
    authority = tls.authority(settings)
    for host in places.ALL_HOSTS:
        names: tuple[str, ...] = (host.fqdn, host.name)
        if host.exchange:
            names += (f"mail.{host.forest.domain}", f"autodiscover.{host.forest.domain}")
        tls.server_certificate(settings, authority, places.host_certificate(host), names, (host.address,))
    client(settings, authority)


def client(settings: Settings, authority: tls.Authority) -> None:
    """The certificates that clients show."""
    for forest in FORESTS:
        path = places.client_certificate(settings, forest)
        if not path.is_file():
            user = places.certificate_account(places.hosts_of(forest.name)[0]).user
            tls.write_private(path, tls.client_certificate(authority, f"{user}@{forest.domain}"))
