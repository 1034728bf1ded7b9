# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login service: discovery, keys, and tokens for client credentials; errors in the shape of Microsoft's."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.lab.cloud import app_roles
from tests.lab.cloud.context import Services, new_guid
from tests.lab.cloud.tokens import LIFETIME_S, audiences
from tests.lab.cloud.wire import Refused, Reply, Request
from tests.lab.store import Document

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_PATH = re.compile(r"^/(?P<tenant>[^/]+)/(?P<rest>.+)$")
_CLOCK_SKEW_S = 300


def refusal(services: Services, status: int, error: str, number: int, text: str) -> Refused:
    """An error answer as the login service words it."""
    moment = services.clock.now().strftime("%Y-%m-%d %H:%M:%SZ")
    trace, correlation = new_guid(), new_guid()
    description = f"AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {moment}"
    content = {
        "error": error,
        "error_description": description,
        "error_codes": [number],
        "timestamp": moment,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"{services.urls['login']}/error?code={number}",
    }
    return Refused(Reply(status, content))


def handle(services: Services, request: Request) -> Reply:
    """Answer one request to the login address."""
    matched = _PATH.match(request.path)
    rest = matched["rest"] if matched else ""
    if request.path == "/common/discovery/instance" and request.method == "GET":
        return _instance(services, request)
    if rest not in ("v2.0/.well-known/openid-configuration", "discovery/v2.0/keys", "oauth2/v2.0/token"):
        return Reply(404, text="The page cannot be displayed because it does not exist.", content_type="text/html")
    name = matched["tenant"] if matched else ""
    tenant = services.tenant(name)
    if tenant is None:
        raise refusal(
            services,
            400,
            "invalid_tenant",
            90002,
            f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the "
            "correct cloud. Check with your subscription administrator, this may happen if there are no active "
            "subscriptions for the tenant.",
        )
    if rest == "oauth2/v2.0/token":
        if request.method != "POST":
            text = "Endpoint only accepts POST requests. Received a GET request."
            raise refusal(services, 400, "invalid_request", 900561, text)
        return _token(services, request, tenant)
    if request.method != "GET":
        return Reply(405, text="", headers={"Allow": "GET"})
    return Reply(200, services.issuer.key_set() if rest.endswith("keys") else _configuration(services, tenant))


def _configuration(services: Services, tenant: Document) -> dict[str, Any]:
    base = f"{services.urls['login']}/{tenant['id']}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_types_supported": ["code", "id_token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "tenant_region_scope": "EU",
        "msgraph_host": services.urls["graph"].removeprefix("https://"),
    }


def _instance(services: Services, request: Request) -> Reply:
    host = services.urls["login"].removeprefix("https://")
    matched = re.match(r"^https://[^/]+/([^/]+)/", request.query.get("authorization_endpoint", ""))
    tenant = services.tenant(matched[1]) if matched else None
    if tenant is None:
        text = "Unable to find the tenant of authorization_endpoint."
        raise refusal(services, 400, "invalid_instance", 50049, text)
    content = {
        "tenant_discovery_endpoint": f"{services.urls['login']}/{tenant['id']}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }
    return Reply(200, content)


def _token(services: Services, request: Request, tenant: Document) -> Reply:
    form = request.form
    for name in ("grant_type", "client_id"):
        if not form.get(name):
            text = f"The request body must contain the following parameter: '{name}'."
            raise refusal(services, 400, "invalid_request", 900144, text)
    if form["grant_type"] != "client_credentials":
        text = f"The app requested an unsupported grant type '{form['grant_type']}'."
        raise refusal(services, 400, "unsupported_grant_type", 70003, text)
    application = _application(services, tenant, form["client_id"])
    if form.get("client_assertion"):
        _check_assertion(services, tenant, application, form)
    elif form.get("client_secret"):
        _check_secret(services, application, form["client_secret"])
    else:
        text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise refusal(services, 401, "invalid_client", 7000218, text)
    service, resource = _resource(services, tenant, form.get("scope", ""))
    claims = {
        "aud": resource,
        "iss": f"{services.urls['login']}/{tenant['id']}/v2.0",
        "tid": tenant["id"],
        "appid": application["appId"],
        "azp": application["appId"],
        "oid": application["_servicePrincipal"],
        "sub": application["_servicePrincipal"],
        "idtyp": "app",
        "ver": "2.0",
        "uti": base64.urlsafe_b64encode(hashlib.sha256(new_guid().encode()).digest()[:16]).rstrip(b"=").decode(),
        "roles": app_roles.granted(services.store, tenant["id"], application["_servicePrincipal"], service),
        "wids": application.get("_wids", []),
    }
    token = services.issuer.issue(claims)
    content = {"token_type": "Bearer", "expires_in": LIFETIME_S, "ext_expires_in": LIFETIME_S, "access_token": token}
    return Reply(200, content, headers={"Cache-Control": "no-store"})


def _application(services: Services, tenant: Document, client_id: str) -> Document:
    for application in services.store.list(tenant["id"], "application"):
        if application["appId"].lower() == client_id.lower() and "_servicePrincipal" in application:
            return application
    raise refusal(
        services,
        400,
        "unauthorized_client",
        700016,
        f"Application with identifier '{client_id}' was not found in the directory '{tenant['name']}'. This can happen "
        "if the application has not been installed by the administrator of the tenant or consented to by any user in "
        "the tenant. You may have sent your authentication request to the wrong tenant.",
    )


def _check_secret(services: Services, application: Document, secret: str) -> None:
    digest = hashlib.sha256(secret.encode()).hexdigest()
    for kept in application.get("_secrets", []):
        if kept["sha256"] != digest:
            continue
        if kept["expires"] <= time.time():
            raise refusal(
                services,
                401,
                "invalid_client",
                7000222,
                f"The provided client secret keys for app '{application['appId']}' are expired. Visit the Azure portal "
                "to create new keys for your app, or consider using certificate credentials for added security.",
            )
        return
    raise refusal(
        services,
        401,
        "invalid_client",
        7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
        f"the client secret ID, for a secret added to app '{application['appId']}'.",
    )


def _check_assertion(services: Services, tenant: Document, application: Document, form: dict[str, str]) -> None:
    def refused(reason: str) -> Refused:
        text = f"Client assertion failed signature validation or is malformed. Reason - {reason}"
        return refusal(services, 401, "invalid_client", 700027, text)

    if form.get("client_assertion_type") != ASSERTION_TYPE:
        text = f"The client_assertion_type must be '{ASSERTION_TYPE}'."
        raise refusal(services, 400, "invalid_request", 900144, text)
    assertion = form["client_assertion"]
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError as error:
        raise refused("The assertion is not a well-formed JSON web token.") from error
    certificate = _certificate(application, header)
    if certificate is None:
        raise refused("The key was not found; the thumbprint of the key is not registered with the application.")
    if certificate.not_valid_after_utc.timestamp() <= time.time():
        raise refused("The key used is expired.")
    base = f"{services.urls['login']}/{tenant['id']}"
    named = f"{services.urls['login']}/{tenant['domain']}"
    try:
        claims = jwt.decode(
            assertion,
            certificate.public_key(),  # type: ignore[arg-type]  # only RSA certificates are registered
            algorithms=["RS256", "PS256"],
            audience=[f"{base}/oauth2/v2.0/token", f"{base}/v2.0", f"{named}/oauth2/v2.0/token", f"{named}/v2.0"],
            leeway=_CLOCK_SKEW_S,
            options={"require": ["aud", "exp", "iss", "sub", "jti"]},
        )
    except jwt.InvalidSignatureError as error:
        raise refused("The key was found, but use of the key to verify the signature failed.") from error
    except jwt.ExpiredSignatureError as error:
        text = "Client assertion is not within its valid time range."
        raise refusal(services, 401, "invalid_client", 700024, text) from error
    except jwt.InvalidTokenError as error:
        raise refused(f"{error}.") from error
    if not claims["iss"].lower() == claims["sub"].lower() == application["appId"].lower():
        raise refused("The issuer and the subject must be the client_id.")


def _certificate(application: Document, header: dict[str, Any]) -> x509.Certificate | None:
    # MSAL for Python leaves the padding on; others strip it, as RFC 7515 asks.
    told = {name: str(header[name]).rstrip("=") for name in ("x5t", "x5t#S256") if name in header}
    for kept in application.get("_certificates", []):
        certificate = x509.load_pem_x509_certificate(kept.encode())
        sha1 = _thumbprint(certificate.fingerprint(hashes.SHA1()))
        sha256 = _thumbprint(certificate.fingerprint(hashes.SHA256()))
        if told.get("x5t#S256") == sha256 or ("x5t#S256" not in told and told.get("x5t") == sha1):
            return certificate
    return None


def _thumbprint(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _resource(services: Services, tenant: Document, scope: str) -> tuple[str, str]:
    """The service a scope asks for, and its identifier as the client wrote it."""
    if not scope.endswith("/.default"):
        raise refusal(
            services,
            400,
            "invalid_scope",
            1002012,
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
            "/.default suffixed to the resource identifier (application ID URI).",
        )
    resource = scope.removesuffix("/.default").rstrip("/")
    for service in ("graph", "exchange"):
        if resource.lower() in audiences(service, services.urls):
            return service, resource
    raise refusal(
        services,
        400,
        "invalid_resource",
        500011,
        f"The resource principal named {resource} was not found in the tenant named {tenant['name']}. This can happen "
        "if the application has not been installed by the administrator of the tenant or consented to by any user in "
        "the tenant. You might have sent your authentication request to the wrong tenant.",
    )
