# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login service: tokens for secrets and certificates, and errors in Microsoft's shape."""

from __future__ import annotations

import time
import uuid
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.lab.cloud.login import ASSERTION_TYPE
from tests.lab.cloud.wire import Reply
from tests.lab_tests.cloud_support import CONTOSO, CloudLab, application_certificate, lab

__all__ = ["lab"]


def code(reply: Reply) -> int:
    assert set(reply.content) >= {
        "error",
        "error_description",
        "error_codes",
        "timestamp",
        "trace_id",
        "correlation_id",
    }
    [number] = reply.content["error_codes"]
    assert f"AADSTS{number}: " in reply.content["error_description"]
    return int(number)


def form(lab: CloudLab, application: str = "application", **changes: str) -> dict[str, str]:
    settings = lab.config["tenants"]["contoso"][application]
    fields = {
        "client_id": settings["client_id"],
        "client_secret": settings["client_secret"],
        "scope": "https://graph.microsoft.com/.default",
    }
    return {name: value for name, value in {**fields, **changes}.items() if value}


def test_a_token_states_who_what_for_and_how_long(lab: CloudLab) -> None:
    reply = lab.login("contoso", **form(lab))
    claims = jwt.decode(reply.content["access_token"], options={"verify_signature": False})
    assert reply.content["expires_in"] == 3600
    assert claims["tid"] == CONTOSO
    assert claims["aud"] == "https://graph.microsoft.com"
    assert claims["iss"] == f"https://127.77.0.11:8443/{CONTOSO}/v2.0"
    assert claims["appid"] == form(lab)["client_id"]
    assert "Synchronization.ReadWrite.All" in claims["roles"]
    assert claims["exp"] - time.time() == pytest.approx(3600, abs=5)


def test_the_token_is_signed_by_the_published_key(lab: CloudLab) -> None:
    token = lab.login("contoso", **form(lab)).content["access_token"]
    configuration = lab.send("login", "GET", f"/{CONTOSO}/v2.0/.well-known/openid-configuration").content
    assert configuration["token_endpoint"].endswith(f"/{CONTOSO}/oauth2/v2.0/token")
    keys = lab.send("login", "GET", f"/{CONTOSO}/discovery/v2.0/keys").content
    [key] = [jwt.PyJWK(one) for one in keys["keys"] if one["kid"] == jwt.get_unverified_header(token)["kid"]]
    jwt.decode(token, key.key, algorithms=["RS256"], audience="https://graph.microsoft.com")


@pytest.mark.parametrize(
    ("changes", "status", "number"),
    [
        ({"client_secret": "wrong"}, 401, 7000215),
        ({"client_secret": ""}, 401, 7000218),
        ({"client_id": str(uuid.uuid4())}, 400, 700016),
        ({"client_id": ""}, 400, 900144),
        ({"scope": "https://nowhere.example/.default"}, 400, 500011),
        ({"scope": "https://graph.microsoft.com/User.Read"}, 400, 1002012),
        ({"grant_type": "password"}, 400, 70003),
    ],
)
def test_wrong_requests_get_the_error_of_the_service(
    lab: CloudLab, changes: dict[str, str], status: int, number: int
) -> None:
    reply = lab.login("contoso", **form(lab, **changes))
    assert (reply.status, code(reply)) == (status, number)


def test_an_expired_secret_an_unknown_tenant_and_another_tenants_application(lab: CloudLab) -> None:
    assert code(lab.login("contoso", **form(lab, "expired_application"))) == 7000222
    assert code(lab.login(str(uuid.uuid4()), **form(lab))) == 90002
    assert code(lab.login("fabrikam", **form(lab))) == 700016


def test_the_tenant_may_be_named_by_domain(lab: CloudLab) -> None:
    reply = lab.send("login", "GET", "/contoso.lab/v2.0/.well-known/openid-configuration")
    assert reply.content["issuer"].endswith(f"/{CONTOSO}/v2.0")
    query = "authorization_endpoint=https://127.77.0.11:8443/contoso.lab/oauth2/v2.0/authorize"
    instance = lab.send("login", "GET", f"/common/discovery/instance?api-version=1.1&{query}")
    assert CONTOSO in instance.content["tenant_discovery_endpoint"]


def assertion(lab: CloudLab, path: Any, algorithm: str = "PS256", thumbprint: str = "x5t#S256", **claims: Any) -> str:
    pem = path.read_bytes()
    certificate = x509.load_pem_x509_certificate(pem)
    digest = certificate.fingerprint(hashes.SHA1() if thumbprint == "x5t" else hashes.SHA256())
    client = lab.config["tenants"]["contoso"]["application"]["client_id"]
    now = int(time.time())
    stated = {
        "aud": f"https://127.77.0.11:8443/{CONTOSO}/oauth2/v2.0/token",
        "iss": client, "sub": client, "jti": str(uuid.uuid4()), "nbf": now, "exp": now + 300, **claims,
    }  # fmt: skip
    header = {thumbprint: jwt.utils.base64url_encode(digest).decode()}
    return jwt.encode(
        {name: value for name, value in stated.items() if value is not None}, pem, algorithm=algorithm, headers=header
    )


def by_assertion(lab: CloudLab, text: str, **changes: str) -> Reply:
    fields = {"client_secret": "", "client_assertion": text, "client_assertion_type": ASSERTION_TYPE, **changes}
    return lab.login("contoso", **form(lab, **fields))


@pytest.mark.parametrize(("algorithm", "thumbprint"), [("PS256", "x5t#S256"), ("RS256", "x5t"), ("RS256", "x5t#S256")])
def test_a_certificate_signs_in(lab: CloudLab, algorithm: str, thumbprint: str) -> None:
    path = lab.folder / "app.pem"
    assert by_assertion(lab, assertion(lab, path, algorithm, thumbprint)).status == 200


def test_bad_assertions_are_refused(lab: CloudLab) -> None:
    good, stranger = lab.folder / "app.pem", application_certificate(lab.folder, "stranger")
    hour_ago = int(time.time()) - 3600
    assert code(by_assertion(lab, assertion(lab, stranger))) == 700027
    assert code(by_assertion(lab, "not.a.token")) == 700027
    assert code(by_assertion(lab, assertion(lab, good, aud="https://elsewhere.example"))) == 700027
    assert code(by_assertion(lab, assertion(lab, good, jti=None))) == 700027
    assert code(by_assertion(lab, assertion(lab, good, sub=str(uuid.uuid4())))) == 700027
    assert code(by_assertion(lab, assertion(lab, good, exp=hour_ago))) == 700024
    # Signed with another key, yet naming the registered certificate.
    forged = assertion(lab, stranger)
    registered = jwt.get_unverified_header(assertion(lab, good))["x5t#S256"]
    stolen = jwt.encode(
        jwt.decode(forged, options={"verify_signature": False}),
        stranger.read_bytes(), algorithm="PS256", headers={"x5t#S256": registered},
    )  # fmt: skip
    assert code(by_assertion(lab, stolen)) == 700027
    assert code(by_assertion(lab, assertion(lab, good), client_assertion_type="other")) == 900144


def test_no_secret_reaches_the_log(lab: CloudLab) -> None:
    lab.login("contoso", **form(lab))
    [entry] = lab.store.requests()
    assert entry["service"] == "login"
    assert entry["client_id"] == form(lab)["client_id"]
    assert form(lab)["client_secret"] not in str(entry)
