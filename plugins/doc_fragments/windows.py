# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that say where a Windows server is (module_utils/_module/arguments.py)."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  windows_host:
    description:
      - The Windows server, by the name that its certificate holds. The session is PowerShell remoting (PSRP), always
        over HTTPS; the certificate and its name are always verified.
      - Only cmdlets with typed parameters are sent, never a script. What is sent to be kept secret is encrypted with
        the session's key besides.
    type: str
  windows_port:
    description: The port of its WinRM listener.
    type: int
    default: 5986
  windows_authentication:
    description:
      - How to sign in. V(negotiate) takes Kerberos where it can, and NTLM otherwise.
      - V(kerberos) and V(ntlm) take only that. Kerberos needs the Python libraries of C(pypsrp[kerberos]), and a
        C(krb5.conf) or DNS records that lead to the realm.
      - V(certificate) takes O(windows_certificate), which the server maps to a local account.
      - V(basic) sends name and password as they are, within TLS. Windows does not allow it by default.
    type: str
    default: negotiate
    choices: [negotiate, kerberos, ntlm, certificate, basic]
  windows_user:
    description:
      - The account, as C(DOMAIN\name) or C(name@domain). It must be an administrator of the server.
      - With O(windows_authentication=kerberos) it can be left out where there is a ticket.
    type: str
  windows_password:
    description: The password of O(windows_user).
    type: str
  windows_certificate:
    description:
      - For O(windows_authentication=certificate), a PEM file with the certificate and its private key, which must not
        be encrypted.
    type: path
  windows_ca_path:
    description:
      - A PEM file with the certificate authorities that the server's certificate comes from. Those of the system, if
        not given.
    type: path
  windows_configuration_name:
    description: The session configuration of the server.
    type: str
    default: Microsoft.PowerShell
  windows_kerberos_host:
    description: The name that Kerberos knows the server by, where it is not O(windows_host).
    type: str
  windows_delegate:
    description:
      - With Kerberos, let the server use the account towards other servers, such as that of a network share. Needs an
        account and a server that are trusted for it.
    type: bool
    default: false
  windows_connect_timeout:
    description: Seconds to wait for a connection.
    type: int
    default: 30
  windows_operation_timeout:
    description:
      - Seconds that the server may keep one request before it answers that it is still at work. The answer itself may
        take 10 seconds longer.
    type: int
    default: 20
  windows_command_timeout:
    description:
      - Seconds after which a command is stopped, where no other option bounds it.
    type: int
    default: 300
requirements:
  - pypsrp 0.8.1 or later for Windows servers
"""
