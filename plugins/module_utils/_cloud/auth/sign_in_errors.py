# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Why a sign-in failed, in plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import AuthenticationError

# The sign-in service's own codes (Microsoft Entra authentication error reference).
ADVICE: Mapping[str, str] = {
    "AADSTS7000222": "The client secret has expired. Make a new one, or use a certificate.",
    "AADSTS7000215": "The client secret is wrong. Give the secret's value, not its id.",
    "AADSTS7000216": "A certificate or secret is required, and none reached the service.",
    "AADSTS700016": "The application does not exist in this tenant. Check client_id and tenant_id, and admin consent.",
    "AADSTS90002": "The tenant does not exist in this cloud. Check tenant_id and cloud.",
    "AADSTS900023": "tenant_id is neither a GUID nor a domain of a tenant.",
    "AADSTS900382": "The tenant lives in another cloud. Check cloud.",
    "AADSTS90038": "The tenant lives in another cloud. Check cloud.",
    "AADSTS900439": "The tenant lives in another cloud. Check cloud.",
    "AADSTS700027": "The certificate is not one of the application's, or its signature is wrong. Upload it to the "
    "application.",
    "AADSTS1000502": "The certificate is outside its time of validity.",
    "AADSTS700024": "The proof of identity is not valid now. Check this machine's clock.",
    "AADSTS700211": "No federated credential of the application trusts this issuer.",
    "AADSTS70021": "No federated credential of the application matches the given token.",
    "AADSTS700213": "No federated credential of the application matches the token's subject.",
    "AADSTS700212": "No federated credential of the application matches the token's audience.",
    "AADSTS500011": "The service has no service principal in this tenant. Check cloud, graph_url and exchange_url.",
    "AADSTS7000112": "The application is disabled.",
    "AADSTS53003": "A Conditional Access policy blocks this sign-in.",
    "AADSTS50076": "A Conditional Access policy wants more than an application can give.",
}


def explain(client_id: str, tenant_id: str, said: str, error: str | None = None) -> AuthenticationError:
    """The error for a text of the sign-in service; facts hold its code and its correlation id."""
    found = re.search(r"AADSTS\d+", said)
    code = found.group(0) if found else None
    trace = re.search(r"Correlation ID: ?([0-9a-fA-F-]{36})", said)
    advice = ADVICE.get(code or "", "Check client_id, tenant_id, cloud and the credential.")
    first = " ".join(said.split("Trace ID:")[0].split())[:300] or error or "no reason given"
    return AuthenticationError(
        f"The application {client_id} could not sign in to the tenant {tenant_id}: {first} {advice}",
        code=code or error,
        request_id=trace.group(1) if trace else None,
    )


def from_result(client_id: str, tenant_id: str, result: Mapping[str, Any]) -> AuthenticationError:
    """The error for an answer of MSAL without an access token."""
    return explain(client_id, tenant_id, str(result.get("error_description") or ""), str(result.get("error") or ""))
