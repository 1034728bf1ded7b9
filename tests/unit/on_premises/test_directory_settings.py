# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory_* options, before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.settings import Host, Settings, from_params

GOOD = {"directory_hosts": ["dc1.contoso.lab"], "directory_user": "svc@contoso.lab", "directory_password": "secret"}


def settings(**params: Any) -> Settings:
    return from_params({**GOOD, **params})


@pytest.mark.parametrize(
    ("text", "transport", "host"),
    [
        ("dc1.contoso.lab", "ldaps", Host("dc1.contoso.lab", 636)),
        ("dc1.contoso.lab.", "ldaps", Host("dc1.contoso.lab", 636)),
        ("dc1.contoso.lab", "starttls", Host("dc1.contoso.lab", 389)),
        ("dc1:3269", "ldaps", Host("dc1", 3269)),
        ("ldaps://dc1:1636/", "ldaps", Host("dc1", 1636)),
        ("ldap://dc1", "starttls", Host("dc1", 389)),
        ("dc1.contoso.lab", "kerberos", Host("dc1.contoso.lab", 389)),
        ("ldap://dc1", "kerberos", Host("dc1", 389)),
        ("127.0.0.2", "ldaps", Host("127.0.0.2", 636)),
        ("::1", "ldaps", Host("::1", 636)),
        ("[fd00::1]:1636", "ldaps", Host("fd00::1", 1636)),
    ],
)
def test_hosts(text: str, transport: str, host: Host) -> None:
    assert settings(directory_hosts=[text], directory_transport=transport).hosts == (host,)


def test_a_port_given_holds_for_all_hosts_without_one() -> None:
    found = settings(directory_hosts=["dc1", "dc2:1"], directory_port=2636)
    assert [str(host) for host in found.hosts] == ["dc1:2636", "dc2:1"]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"directory_hosts": ["ldap://dc1"]}, "never sent in plain text"),
        ({"directory_transport": "plaintext"}, "never sent in plain text"),
        ({"directory_hosts": ["ldaps://dc1"], "directory_transport": "starttls"}, "does not fit"),
        ({"directory_hosts": ["https://dc1"]}, "does not fit"),
        ({"directory_hosts": ["dc1 dc2"]}, "not the name of a host"),
        ({"directory_hosts": ["x" * 64]}, "not the name of a host"),
        ({"directory_hosts": []}, "names no domain controller"),
        ({"directory_user": None}, "both needed"),
        ({"directory_password": ""}, "both needed"),
        ({"directory_ca_path": "/nonexistent/ca.pem"}, "directory_ca_path"),
        ({"directory_timeout": 0}, "directory_timeout"),
        ({"directory_global_catalog_port": -1}, "directory_global_catalog_port"),
        ({"directory_connections": 9}, "1 to 8"),
        ({"directory_connections": 0}, "1 to 8"),
        ({"directory_transport": "kerberos", "directory_user": None}, "without directory_user"),
        ({"directory_transport": "kerberos", "directory_user": "CONTOSO\\svc"}, "no Kerberos principal"),
        ({"directory_transport": "kerberos", "directory_user": "CN=svc,DC=contoso"}, "no Kerberos principal"),
    ],
)
def test_wrong_options_are_named(params: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        settings(**params)


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(settings())


@pytest.mark.parametrize(("transport", "port"), [("ldaps", 3269), ("starttls", 3268), ("kerberos", 3268)])
def test_the_port_of_the_global_catalog(transport: str, port: int) -> None:
    assert settings(directory_transport=transport).global_catalog_port == port
    assert settings(directory_transport=transport, directory_global_catalog_port=0).global_catalog_port == 0
    assert settings(directory_transport=transport, directory_global_catalog_port=13269).global_catalog_port == 13269


@pytest.mark.parametrize(
    ("user", "password"), [(None, None), ("svc@CONTOSO.LAB", None), ("svc@CONTOSO.LAB", "secret"), ("svc", None)]
)
def test_kerberos_can_do_without_a_password(user: str | None, password: str | None) -> None:
    found = settings(directory_transport="kerberos", directory_user=user, directory_password=password)
    assert (found.user, found.password) == (user, password)


def test_the_password_is_needed_everywhere_else() -> None:
    with pytest.raises(InputError, match="Only directory_transport kerberos can do without"):
        settings(directory_password=None)
