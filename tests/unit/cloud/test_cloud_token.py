# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signing in, through the real MSAL, with every way there is."""

from __future__ import annotations

import base64
import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
import responses
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.auth import sign_in
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.connect import connect
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.token_cache import TokenFile
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import AuthenticationError, InputError
from cloud_cmdlet import GET
from cloud_fakes import FakeClock
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

TENANT = "11111111-2222-4333-8444-555555555555"
LOGIN = "https://login.example"
TOKEN_URL = f"{LOGIN}/{TENANT}/oauth2/v2.0/token"


def params(**more: Any) -> dict[str, Any]:
    return {
        "tenant_id": TENANT,
        "cloud": "worldwide",
        "login_url": LOGIN,
        "graph_url": "https://graph.example",
        "exchange_url": "https://outlook.example",
        "client_id": "app-1",
        "request_timeout": 5,
        "retry_timeout": 60,
        **more,
    }


def unsigned(claims: dict[str, Any]) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{middle}.sig"


@pytest.fixture
def web() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        base = f"{LOGIN}/{TENANT}"
        mock.get(
            f"{base}/v2.0/.well-known/openid-configuration",
            json={
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": TOKEN_URL,
                "issuer": f"{base}/v2.0",
            },
        )
        mock.get("https://graph.example/v1.0/organization", json={"value": [{"id": TENANT}]})
        yield mock


def give(web: Any, token: str = "t-1", lifetime: int = 3600) -> None:
    web.post(TOKEN_URL, json={"access_token": token, "expires_in": lifetime, "token_type": "Bearer"})


def forms(web: Any) -> list[dict[str, list[str]]]:
    return [parse_qs(call.request.body) for call in web.calls if call.request.url == TOKEN_URL]


def used(web: Any) -> list[str]:
    return [call.request.headers["Authorization"] for call in web.calls if "graph.example" in call.request.url]


def ask(options: dict[str, Any], clock: FakeClock | None = None) -> Any:
    ends = connect(options, clock or FakeClock())
    ends.synchronization.organization()
    return ends


def test_a_secret_gets_a_token_once(web: Any) -> None:
    give(web)
    ends = ask(params(client_secret="s3cret"))
    ends.synchronization.organization()
    assert used(web) == ["Bearer t-1", "Bearer t-1"]
    assert len(forms(web)) == 1
    assert forms(web)[0]["scope"] == ["https://graph.example/.default"]
    assert forms(web)[0]["client_secret"] == ["s3cret"]


def test_each_service_has_its_own_token(web: Any) -> None:
    give(web)
    ends = ask(params(client_secret="s3cret"))
    url = f"https://outlook.example/adminapi/beta/{TENANT}/InvokeCommand"
    web.post(url, json={"value": []})
    list(ends.mailboxes._exchange.invoke(GET))
    assert [form["scope"] for form in forms(web)] == [
        ["https://graph.example/.default"],
        ["https://outlook.example/.default"],
    ]


def test_an_expiring_token_is_renewed_early(web: Any) -> None:
    clock = FakeClock()
    give(web, "t-1", 600)
    ends = ask(params(client_secret="s3cret"), clock)
    clock.seconds += 301
    web.replace(responses.POST, TOKEN_URL, json={"access_token": "t-2", "expires_in": 600, "token_type": "Bearer"})
    ends.synchronization.organization()
    assert len(used(web)) == 2


def test_a_refused_token_is_renewed_past_the_cache(web: Any) -> None:
    give(web, "t-1")
    web.replace(responses.GET, "https://graph.example/v1.0/organization", status=401)
    web.get("https://graph.example/v1.0/organization", json={"value": [{"id": TENANT}]})
    ask(params(client_secret="s3cret"))
    assert len(forms(web)) == 2


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AADSTS7000222: The provided client secret keys for app 'app-1' are expired.", "secret has expired"),
        ("AADSTS7000215: Invalid client secret provided.", "client secret is wrong"),
        ("AADSTS700016: Application with identifier 'app-1' was not found.", "does not exist in this tenant"),
        ("AADSTS99999: Something new. Trace ID: x Correlation ID: y", "Something new"),
    ],
)
def test_a_refused_sign_in_is_said_in_plain_words(web: Any, code: str, words: str) -> None:
    web.post(TOKEN_URL, status=401, json={"error": "invalid_client", "error_description": code})
    with pytest.raises(AuthenticationError, match=words) as caught:
        ask(params(client_secret="s3cret"))
    assert caught.value.facts["code"] == code.partition(":")[0]
    assert "s3cret" not in caught.value.message
    assert "Trace ID" not in caught.value.message


def test_a_wrong_tenant_is_said_in_plain_words() -> None:
    with responses.RequestsMock() as mock:
        text = {"error": "invalid_tenant", "error_description": f"AADSTS90002: Tenant '{TENANT}' not found."}
        mock.get(f"{LOGIN}/{TENANT}/v2.0/.well-known/openid-configuration", status=400, json=text)
        with pytest.raises(AuthenticationError, match="tenant does not exist in this cloud") as caught:
            ask(params(client_secret="s3cret"))
    assert caught.value.facts["code"] == "AADSTS90002"


def test_a_throttled_token_endpoint_is_waited_for(web: Any) -> None:
    clock = FakeClock()
    web.post(TOKEN_URL, status=429, headers={"Retry-After": "7"})
    give(web)
    ends = ask(params(client_secret="s3cret"), clock)
    assert 7 <= clock.slept[0] < 8
    assert ends.statistics()["throttled_requests"] == 1


def test_tokens_are_kept_in_a_file_for_their_owner_only(web: Any, tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "tokens.json"
    give(web)
    ask(params(client_secret="s3cret", token_cache=str(cache)))
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    assert "s3cret" not in cache.read_text()
    ask(params(client_secret="s3cret", token_cache=str(cache)))
    assert len(forms(web)) == 1
    cache.write_text("not json")
    ask(params(client_secret="s3cret", token_cache=str(cache)))
    assert len(forms(web)) == 2
    assert list(cache.parent.iterdir()) == [cache]


@pytest.fixture
def cache(web: Any, tmp_path: Path) -> Path:
    """A file with a token that is good for an hour."""
    path = tmp_path / "tokens.json"
    give(web, "t-1")
    ask(params(client_secret="s3cret", token_cache=str(path)))
    web.replace(responses.POST, TOKEN_URL, json={"access_token": "t-2", "expires_in": 3600, "token_type": "Bearer"})
    return path


def test_where_a_kept_token_is_good_no_way_to_sign_in_is_made(cache: Path, web: Any, monkeypatch: Any) -> None:
    monkeypatch.delattr(sign_in, "strategy")
    ask(params(client_secret="s3cret", token_cache=str(cache)))
    assert used(web) == ["Bearer t-1", "Bearer t-1"]


@pytest.mark.parametrize(
    "other", [{"client_secret": "rotated"}, {"client_id": "app-2"}, {"graph_url": "https://graph.example/us"}]
)
def test_a_kept_token_is_not_used_for_another_secret_application_or_service(
    cache: Path, web: Any, other: dict[str, Any]
) -> None:
    web.get("https://graph.example/us/v1.0/organization", json={"value": [{"id": TENANT}]})
    ask(params(**{"client_secret": "s3cret", "token_cache": str(cache), **other}))
    assert len(forms(web)) == 2


@pytest.mark.parametrize(("minutes", "signed_in"), [(54, 1), (56, 2)])
def test_a_kept_token_is_renewed_before_it_expires(cache: Path, web: Any, minutes: int, signed_in: int) -> None:
    clock = FakeClock()
    clock.seconds += minutes * 60
    ask(params(client_secret="s3cret", token_cache=str(cache)), clock)
    assert len(forms(web)) == signed_in


def test_a_kept_token_that_is_refused_is_replaced_in_the_file(cache: Path, web: Any) -> None:
    web.replace(responses.GET, "https://graph.example/v1.0/organization", status=401)
    web.get("https://graph.example/v1.0/organization", json={"value": [{"id": TENANT}]})
    ask(params(client_secret="s3cret", token_cache=str(cache)))
    ask(params(client_secret="s3cret", token_cache=str(cache)))
    assert used(web)[1:] == ["Bearer t-1", "Bearer t-2", "Bearer t-2"]


def test_tokens_of_others_are_kept_and_expired_ones_are_not(tmp_path: Path) -> None:
    file = TokenFile(str(tmp_path / "tokens.json"))
    for name, expires_at in (("gone", 10.0), ("good", 100.0)):
        file.put(name, f"token-{name}", expires_at, now=0.0)
    TokenFile(str(tmp_path / "tokens.json")).put("mine", "token-mine", 200.0, now=50.0)
    assert (file.get("gone"), file.get("good"), file.get("mine")) == (
        None,
        ("token-good", 100.0),
        ("token-mine", 200.0),
    )


@pytest.mark.parametrize(
    "content", ["[]", '{"version": 2, "tokens": {}}', '{"version": 1}', '{"version": 1, "tokens": [1]}']
)
def test_a_file_of_another_shape_counts_as_empty(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(content)
    assert TokenFile(str(path)).get("any") is None


def test_a_place_that_cannot_be_written_is_an_input_error(web: Any, tmp_path: Path) -> None:
    give(web)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"token_cache .* cannot be"):
        ask(params(client_secret="s3cret", token_cache=str(tmp_path / "file" / "tokens.json")))


def pem_file(folder: Path, days: int = 10, password: bytes | None = None) -> tuple[Path, Any]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app")])
    now = FakeClock().now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    path = folder / "app.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path, key.public_key()


@pytest.mark.parametrize("password", [None, "pass"])
def test_a_certificate_signs_the_assertion(web: Any, tmp_path: Path, password: str | None) -> None:
    give(web)
    path, public = pem_file(tmp_path, password=password.encode() if password else None)
    ask(params(client_certificate=str(path), client_certificate_password=password))
    assertion = forms(web)[0]["client_assertion"][0]
    claims = jwt.decode(assertion, public, algorithms=["PS256", "RS256"], audience=TOKEN_URL)
    assert claims["iss"] == claims["sub"] == "app-1"


def test_an_expired_certificate_is_found_before_anything_is_sent(tmp_path: Path) -> None:
    path, _public = pem_file(tmp_path, days=-1)
    with pytest.raises(AuthenticationError, match="expired on 2026-08-26"):
        ask(params(client_certificate=str(path)), FakeClock())


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\x30\x82\xff", "not a PEM file"), (b"hello", "must hold the certificate and its private key")],
)
def test_a_file_that_is_no_certificate_is_an_input_error(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "x.pem"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        ask(params(client_certificate=str(path)), FakeClock())


def test_a_wrong_password_is_an_input_error(tmp_path: Path) -> None:
    path, _public = pem_file(tmp_path, password=b"right")
    for password in ("wrong", None):
        with pytest.raises(InputError, match="client_certificate_password"):
            ask(params(client_certificate=str(path), client_certificate_password=password), FakeClock())


def test_a_federated_token_is_read_each_time(web: Any, tmp_path: Path) -> None:
    give(web)
    path = tmp_path / "token"
    path.write_text("first\n")
    options = params(authentication="workload_identity", federated_token_file=str(path))
    ask(options)
    path.write_text("second")
    ask(options)
    assert [form["client_assertion"] for form in forms(web)] == [["first"], ["second"]]
    path.write_text("")
    with pytest.raises(AuthenticationError, match="is empty"):
        ask(options)


@pytest.mark.parametrize(("client_id", "query"), [("system", None), ("app-1", "app-1")])
def test_a_managed_identity_asks_the_machine(client_id: str, query: str | None, monkeypatch: Any) -> None:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET"):
        monkeypatch.delenv(name, raising=False)
    with responses.RequestsMock() as mock:
        mock.get(
            "http://169.254.169.254/metadata/identity/oauth2/token",
            json={
                "access_token": "t-m",
                "expires_in": "3600",
                "resource": "https://graph.example",
                "token_type": "Bearer",
            },
        )
        mock.get("https://graph.example/v1.0/organization", json={"value": [{"id": TENANT}]})
        ask(params(authentication="managed_identity", client_id=client_id))
        assert mock.calls[0].request.params.get("client_id") == query
        assert mock.calls[0].request.headers["Metadata"] == "true"
        assert mock.calls[1].request.headers["Authorization"] == "Bearer t-m"


def test_ready_tokens_are_used_and_cannot_be_renewed(web: Any) -> None:
    options = params(authentication="token", access_tokens={"graph": "ready", "exchange": None})
    ends = ask(options)
    assert used(web) == ["Bearer ready"]
    with pytest.raises(InputError, match="no token for exchange"):
        ends.mailboxes.count()
    web.replace(responses.GET, "https://graph.example/v1.0/organization", status=401)
    with pytest.raises(AuthenticationError, match=r"refused the token in access_tokens\.graph"):
        ends.synchronization.organization()
    with pytest.raises(InputError, match="access_tokens must hold"):
        ask(params(authentication="token", access_tokens={}), FakeClock())


def test_a_domain_as_tenant_is_addressed_by_the_guid_of_the_token(web: Any) -> None:
    token = unsigned({"tid": TENANT})
    options = params(authentication="token", tenant_id="contoso.com", access_tokens={"exchange": token})
    web.post(f"https://outlook.example/adminapi/beta/{TENANT}/InvokeCommand", json={"value": []})
    assert connect(options, FakeClock()).mailboxes.count() == 0


def test_missing_options_are_named() -> None:
    for option in ("tenant_id", "client_id"):
        with pytest.raises(InputError, match=f"{option} is not given"):
            ask(params(**{option: ""}, client_secret="x"), FakeClock())
    with pytest.raises(InputError, match="client_secret is not given"):
        ask(params(), FakeClock())
    with pytest.raises(InputError, match="hosts"):
        ask(params(cloud="bleu", login_url=None, client_secret="x"), FakeClock())


def test_nothing_is_sent_before_an_end_is_used() -> None:
    with responses.RequestsMock():
        connect(params(client_secret="x"), FakeClock())
