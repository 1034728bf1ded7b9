# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Samba's configuration of one forest's domain controller."""

from __future__ import annotations

from tests.lab.settings import Forest, Settings

_TEMPLATE = """\
[global]
    workgroup = {netbios}
    realm = {realm}
    netbios name = DC1
    server role = active directory domain controller
    server services = ldap, cldap, kdc
    interfaces = {address}/8
    bind interfaces only = yes
    ldap server require strong auth = yes
    tls enabled = yes
    tls cafile = {tls}/ca.pem
    tls certfile = {tls}/dc-{name}.pem
    tls keyfile = {tls}/dc-{name}.key
    tls verify peer = no_check
    dns update command = /bin/true
    dsdb:schema update allowed = yes
    private dir = {root}/private
    lock directory = {root}
    state directory = {root}/state
    cache directory = {root}/cache
    binddns dir = {root}/bind-dns
    pid directory = {root}/run
    ncalrpc dir = {root}/ncalrpc
    log file = {root}/samba.log
    logging = file
    max log size = 10000
    load printers = no
    disable spoolss = yes

[sysvol]
    path = {root}/state/sysvol
    read only = no

[netlogon]
    path = {root}/state/sysvol/{domain}/scripts
    read only = no
"""


def smb_conf(forest: Forest, settings: Settings) -> str:
    """The text of ``smb.conf``.

    Only the LDAP, CLDAP and Kerberos services run, on the forest's own loopback address. Strong authentication is
    required: a simple bind works inside TLS only. Schema updates are allowed as they are on a schema master after
    Exchange Setup extended the schema.
    """
    return _TEMPLATE.format(
        netbios=forest.netbios,
        realm=forest.realm,
        address=forest.dc_address,
        tls=settings.tls_dir,
        name=forest.name,
        root=settings.forest_dir(forest.name),
        domain=forest.domain,
    )
