# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that say where a tenant is and how to sign in (module_utils/_module/arguments.py)."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  tenant_id:
    description:
      - The tenant, as its GUID or one of its verified domains.
      - If not given, the environment variable E(HYBRID_EXCHANGE_TENANT_ID) is used.
    type: str
    required: true
  cloud:
    description:
      - The Microsoft cloud that the tenant lives in. It decides which hosts are asked, unless
        O(login_url), O(graph_url) and O(exchange_url) name others.
      - GCC is part of V(worldwide). The hosts of V(bleu) and V(delos) are not publicly documented and have to be given.
      - If not given, the environment variable E(HYBRID_EXCHANGE_CLOUD) is used.
    type: str
    default: worldwide
    choices: [worldwide, gcc_high, dod, china_21vianet, bleu, delos]
  login_url:
    description: The sign-in service, for example V(https://login.microsoftonline.com). Known from O(cloud).
    type: str
  graph_url:
    description: Microsoft Graph, for example V(https://graph.microsoft.com). Known from O(cloud).
    type: str
  exchange_url:
    description: Exchange Online, for example V(https://outlook.office365.com). Known from O(cloud).
    type: str
  client_id:
    description:
      - The application (client) id of the app registration or managed identity that signs in.
      - With O(authentication=managed_identity), V(system) means the system-assigned managed identity of the machine.
      - If not given, the environment variable E(HYBRID_EXCHANGE_CLIENT_ID) is used.
    type: str
    required: true
  authentication:
    description:
      - How to sign in. V(certificate) if O(client_certificate) is given, else V(secret).
      - V(managed_identity) works on Azure machines and Azure Arc servers, V(workload_identity) where a platform puts a
        token into O(federated_token_file), V(token) takes ready O(access_tokens).
    type: str
    choices: [certificate, secret, managed_identity, workload_identity, token]
  client_secret:
    description:
      - The secret, for O(authentication=secret).
      - If not given, the environment variable E(HYBRID_EXCHANGE_CLIENT_SECRET) is used.
    type: str
  client_certificate:
    description:
      - A PEM file with certificate and private key, for O(authentication=certificate).
      - If not given, the environment variable E(HYBRID_EXCHANGE_CLIENT_CERTIFICATE) is used.
    type: path
  client_certificate_password:
    description: The password of the private key in O(client_certificate).
    type: str
  federated_token_file:
    description: The file with the platform's token, for O(authentication=workload_identity).
    type: path
  access_tokens:
    description: Ready access tokens, for O(authentication=token). They are not renewed.
    type: dict
    suboptions:
      graph:
        description: A token for Microsoft Graph.
        type: str
      exchange:
        description: A token for Exchange Online.
        type: str
  token_cache:
    description:
      - A file that keeps tokens between tasks of a run, readable for its owner only. It is created where it does not
        exist. Without it, each task signs in. A token that was got with another secret or certificate is not used.
      - The inventory P(hybrid.exchange.estate#inventory) sets it to a file that lives as long as the run.
    type: path
  ca_path:
    description:
      - A PEM file with the certificate authorities to trust instead of the usual ones. Certificates are
        always verified.
    type: path
  request_timeout:
    description: Seconds to wait for an answer to one request.
    type: int
    default: 60
  retry_timeout:
    description:
      - Seconds that one request may spend in retries in total, when the service throttles, is unavailable, or the
        connection is lost. The waiting time that the service asks for is always kept.
    type: int
    default: 300
  exchange_concurrency:
    description:
      - The most batches of cmdlets that are under way at once in Exchange Online. How many there are is found out by
        what the service takes; this is only where it ends.
      - V(1) sends one after the other.
    type: int
    default: 32
  mailbox_limit:
    description:
      - How many cloud-managed mailboxes Microsoft supports in a tenant. Nothing goes beyond.
      - Counting them takes a read of the whole tenant. V(0) leaves the check out.
    type: int
    default: 600000
requirements:
  - Python 3.11 or later in the interpreter that runs the module, usually that of the controller
  - requests
  - msal
"""
