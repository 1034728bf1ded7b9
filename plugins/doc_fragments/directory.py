# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that say where Active Directory is (module_utils/_module/arguments.py)."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  directory_hosts:
    description:
      - Names of domain controllers of the mailboxes' domain, in the order in which they are tried.
      - A run stays with the first one that answers, so that it reads back what it wrote. Where that one goes away
        before anything was written, what is being read begins again at the next one; after the first write it is waited
        for instead, for O(directory_timeout) seconds.
      - A certificate that cannot be trusted, or a refused sign-in, ends the run and is not tried at the next one.
    type: list
    elements: str
  directory_port:
    description:
      - The port. V(636) for O(directory_transport=ldaps), V(389) for O(directory_transport=starttls) and
        O(directory_transport=kerberos).
    type: int
  directory_transport:
    description:
      - How the connection is protected, and how O(directory_user) signs in. There is no unprotected one.
      - With V(ldaps) and V(starttls) TLS protects it, and the user signs in with a name and a password.
      - With V(kerberos) Kerberos does both (SASL GSSAPI, signed and sealed), on the port without TLS; no certificate is
        needed. Active Directory refuses the two together. It needs the Python library C(gssapi), and a C(krb5.conf) or
        DNS records that lead to the realm. O(directory_hosts) must hold full names, such as V(dc1.contoso.com).
    type: str
    default: ldaps
    choices: [ldaps, starttls, kerberos]
  directory_server_name:
    description:
      - The name that the domain controller's certificate must hold, or that Kerberos knows it by, where it is not the
        name in O(directory_hosts).
    type: str
  directory_user:
    description:
      - The account that signs in, as user principal name, C(DOMAIN\\name) or distinguished name.
      - With O(directory_transport=kerberos) as C(name@REALM). If not given, the account of the Kerberos credential
        cache (E(KRB5CCNAME)) or of the client keytab (E(KRB5_CLIENT_KTNAME)).
    type: str
  directory_password:
    description:
      - The password of O(directory_user).
      - With O(directory_transport=kerberos) it can be left out where there is a ticket or a client keytab.
    type: str
  directory_ca_path:
    description:
      - A PEM file with the certificate authorities that the domain controllers' certificates come from.
        Certificates and names are always verified.
    type: path
  directory_base_dn:
    description: Where searches begin. The domain of the domain controller that answers, if not given.
    type: str
  directory_timeout:
    description: Seconds to wait for a connection or an answer.
    type: int
    default: 30
  directory_global_catalog_port:
    description:
      - The port of the global catalog on the same domain controllers, which is asked whether an address is taken in any
        domain of the forest. V(3269) for O(directory_transport=ldaps), else V(3268).
      - V(0) where no domain controller in O(directory_hosts) is a global catalog, or it is not to be asked.
    type: int
  directory_connections:
    description:
      - How many connections write at the same time, V(1) to V(8). Several requests are under way on each of them in any
        case.
    type: int
    default: 1
requirements:
  - ldap3 2.9.1 or later for Active Directory
  - gssapi 1.8.0 or later for O(directory_transport=kerberos)
"""
