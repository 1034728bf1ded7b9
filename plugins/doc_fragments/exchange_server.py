# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that say where Exchange Server is (module_utils/_module/arguments.py)."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  exchange_server_host:
    description:
      - An Exchange Server, by the name that its certificate holds. The session is PowerShell remoting (PSRP) to its
        PowerShell virtual directory, always over HTTPS; the certificate and its name are always verified.
      - One server tells of the whole organisation. Only cmdlets with typed parameters are sent, never a script, and
        only cmdlets of a fixed table.
    type: str
  exchange_server_port:
    description: The port of the virtual directory.
    type: int
    default: 443
  exchange_server_path:
    description: The path of the virtual directory.
    type: str
    default: powershell
  exchange_server_configuration_name:
    description: The session configuration, the last part of its resource URI.
    type: str
    default: Microsoft.Exchange
  exchange_server_authentication:
    description:
      - How to sign in. V(negotiate) takes Kerberos where it can, and NTLM otherwise.
      - V(kerberos) and V(ntlm) take only that. Kerberos needs the Python libraries of C(pypsrp[kerberos]), and a
        C(krb5.conf) or DNS records that lead to the realm.
      - V(certificate) takes O(exchange_server_certificate), where the virtual directory allows that.
      - V(basic) sends name and password as they are, within TLS, where the virtual directory allows that.
    type: str
    default: negotiate
    choices: [negotiate, kerberos, ntlm, certificate, basic]
  exchange_server_user:
    description:
      - The account, as C(DOMAIN\name) or C(name@domain). It must be enabled for remote PowerShell, and sees only the
        cmdlets that its role groups give.
      - With O(exchange_server_authentication=kerberos) it can be left out where there is a ticket.
    type: str
  exchange_server_password:
    description: The password of O(exchange_server_user).
    type: str
  exchange_server_certificate:
    description:
      - For O(exchange_server_authentication=certificate), a PEM file with the certificate and its private key, which
        must not be encrypted.
    type: path
  exchange_server_ca_path:
    description:
      - A PEM file with the certificate authorities that the server's certificate comes from. Those of the system, if
        not given.
    type: path
  exchange_server_kerberos_host:
    description: The name that Kerberos knows the server by, where it is not O(exchange_server_host).
    type: str
  exchange_server_connect_timeout:
    description: Seconds to wait for a connection.
    type: int
    default: 30
  exchange_server_operation_timeout:
    description:
      - Seconds that the server may keep one request before it answers that it is still at work. The answer itself may
        take 10 seconds longer.
    type: int
    default: 20
  exchange_server_command_timeout:
    description: Seconds after which a command is stopped.
    type: int
    default: 600
requirements:
  - pypsrp 0.8.1 or later for Exchange Server
"""
