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
      - A run stays with the first one that answers, so that it reads back what it wrote.
    type: list
    elements: str
  directory_port:
    description: The port. V(636) for O(directory_transport=ldaps), V(389) for O(directory_transport=starttls).
    type: int
  directory_transport:
    description:
      - How the connection is protected. There is no unprotected one.
    type: str
    default: ldaps
    choices: [ldaps, starttls]
  directory_server_name:
    description:
      - The name that the domain controller's certificate must hold, where it is not the name in O(directory_hosts).
    type: str
  directory_user:
    description: The account that binds, as user principal name, C(DOMAIN\\name) or distinguished name.
    type: str
  directory_password:
    description: The password of O(directory_user).
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
requirements:
  - ldap3 2.9.1 or later for Active Directory
"""
