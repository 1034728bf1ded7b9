# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``lab.json``: what clients of the lab need to know, and the environment that points to it."""

from __future__ import annotations

import json
from typing import Any

from tests.lab.dns import places as dns
from tests.lab.exchange_server import handover as exchange_server
from tests.lab.forest.tls import application_certificate, thumbprint_sha256, write_private
from tests.lab.settings import (
    CLOUD_ADDRESSES,
    FORESTS,
    GC_PORT,
    GC_TLS_PORT,
    HTTPS_PORT,
    KERBEROS_PORT,
    LDAP_PORT,
    LDAPS_PORT,
    NETWORK,
    NETWORK_VARIABLE,
    RUN_DIR_VARIABLE,
    TENANTS,
    Settings,
    Tenant,
)
from tests.lab.windows import handover as windows


def url(address: str) -> str:
    """The address of one of the lab's HTTPS services."""
    return f"https://{address}:{HTTPS_PORT}"


def lab_json(settings: Settings) -> dict[str, Any]:
    """The content of ``lab.json``; the certificates must exist."""
    return {
        "ca": str(settings.ca),
        **{name: url(address) for name, address in CLOUD_ADDRESSES.items()},
        "tenants": {tenant.name: _tenant(settings, tenant) for tenant in TENANTS},
    }


def _tenant(settings: Settings, tenant: Tenant) -> dict[str, Any]:
    result: dict[str, Any] = {
        "tenant_id": tenant.tenant_id,
        "domain": tenant.domain,
        "initial_domain": tenant.initial_domain,
        "verified_domains": list(tenant.verified_domains),
    }
    for application in tenant.applications:
        described = {"client_id": application.client_id, "client_secret": application.client_secret}
        if application.certificate:
            path = application_certificate(settings, tenant.name, application.name)
            described |= {"certificate": str(path), "thumbprint_sha256": thumbprint_sha256(path)}
        result[application.name] = described
    forest = tenant.forest
    result["directory"] = {
        "host": forest.relay_address,
        "dc_host": forest.dc_address,
        "server_name": forest.server_name,
        "port": LDAPS_PORT,
        "starttls_port": LDAP_PORT,
        "gc_port": GC_TLS_PORT,
        "gc_starttls_port": GC_PORT,
        "base_dn": forest.base_dn,
        "user": forest.user_principal_name("writer"),
        "password": forest.account("writer").password,
        "reader_user": forest.user_principal_name("reader"),
        "reader_password": forest.account("reader").password,
        "administrator": {
            "user": forest.user_principal_name("administrator"),
            "password": forest.account("administrator").password,
        },
        "kerberos": {
            "config": str(settings.krb5_conf),
            "realm": forest.realm,
            "kdc": f"{forest.dc_address}:{KERBEROS_PORT}",
            "principal": f"{forest.account('writer').name}@{forest.realm}",
            "keytab": str(settings.keytab(forest.name)),
            "services": list(forest.services),
        },
    }
    result |= exchange_server.tenant(tenant)
    result["dns"] = dns.handover(tenant.name)
    result |= windows.tenant(settings, tenant, url(CLOUD_ADDRESSES["control"]))
    return result


def krb5_conf() -> str:
    """Kerberos configuration that asks no DNS, and takes the names of hosts as they are given."""
    realms = "".join(f"    {f.realm} = {{\n        kdc = {f.dc_address}:{KERBEROS_PORT}\n    }}\n" for f in FORESTS)
    domains = "".join(f"    .{f.domain} = {f.realm}\n    {f.domain} = {f.realm}\n" for f in FORESTS)
    hosts = "".join(f"    {host} = {f.realm}\n" for f in FORESTS for host in (f.dc_address, f.relay_address))
    return f"""\
[libdefaults]
    default_realm = {FORESTS[0].realm}
    dns_lookup_realm = false
    dns_lookup_kdc = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1

[realms]
{realms}
[domain_realm]
{domains}{hosts}"""


def write(settings: Settings) -> None:
    """Write ``lab.json``, readable by its owner only, and the Kerberos configuration."""
    write_private(settings.lab_json, json.dumps(lab_json(settings), indent=2).encode() + b"\n")
    write_private(settings.krb5_conf, krb5_conf().encode())


def environment(settings: Settings) -> dict[str, str]:
    """Variables for a shell that works with the lab."""
    return {
        RUN_DIR_VARIABLE: str(settings.run_dir),
        NETWORK_VARIABLE: NETWORK,
        "REQUESTS_CA_BUNDLE": str(settings.ca),
        "SSL_CERT_FILE": str(settings.ca),
        "LDAPTLS_CACERT": str(settings.ca),
        "KRB5_CONFIG": str(settings.krb5_conf),
    }
