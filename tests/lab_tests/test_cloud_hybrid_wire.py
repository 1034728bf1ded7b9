# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clean-up of the cloud over real HTTPS, signed in by MSAL: all of the wizard goes, all else stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.lab import hybrid_facts as facts
from tests.lab.client import Lab
from tests.lab.cloud.hybrid_control import BATCH
from tests.lab_tests.cloud_support import CONTOSO, CloudLab
from tests.lab_tests.hybrid_support import STORY
from tests.lab_tests.test_cloud_server import control, msal_token, running

__all__ = ["control", "running"]


class Client:
    """What a client of the two services needs: a token of each by MSAL, and the wire."""

    def __init__(self, running: CloudLab) -> None:
        self.config = running.config
        self.session = requests.Session()
        self.session.trust_env, self.session.verify = False, running.config["ca"]
        secret = running.config["tenants"]["contoso"]["application"]["client_secret"]
        self.tokens = {one: msal_token(running, one, secret)["access_token"] for one in ("exchange", "graph")}

    def invoke(self, cmdlet: str, **parameters: Any) -> requests.Response:
        """A cmdlet, as the official module sends it."""
        return self.session.post(
            f"{self.config['exchange']}/adminapi/beta/{CONTOSO}/InvokeCommand",
            json={"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}},
            headers={"Authorization": f"Bearer {self.tokens['exchange']}", "X-CmdletName": cmdlet},
            timeout=60,
        )

    def graph(self, method: str, path: str, body: Any = None) -> requests.Response:
        """A request to Graph."""
        headers = {"Authorization": f"Bearer {self.tokens['graph']}"}
        return self.session.request(method, self.config["graph"] + path, json=body, headers=headers, timeout=60)


@pytest.fixture
def client(running: CloudLab, control: Lab) -> Iterator[Client]:
    made = Client(running)
    yield made
    made.session.close()


def test_everything_of_the_wizard_goes_and_everything_else_stays(client: Client, control: Lab) -> None:
    control.hybrid("contoso", batch="Syncing")
    endpoint = STORY["MigrationEndpoint"][0]
    assert client.invoke("Remove-MigrationEndpoint", Identity=endpoint, Confirm=False).status_code == 400
    assert client.invoke("Stop-MigrationBatch", Identity=BATCH, Confirm=False).status_code == 200
    assert client.invoke("Remove-MigrationBatch", Identity=BATCH, Confirm=False).status_code == 200
    for noun, (name, _other) in STORY.items():
        reply = client.invoke(f"Remove-{noun}", Identity=name, Confirm=False)
        assert reply.status_code == 200, reply.text
    path = f"/v1.0/servicePrincipals?$filter=appId eq '{facts.EXCHANGE_ONLINE}'"
    [principal] = client.graph("GET", path).json()["value"]
    own = facts.auth_certificate("contoso")
    rest = [one for one in principal["keyCredentials"] if one["customKeyIdentifier"] != own]
    patched = client.graph("PATCH", f"/v1.0/servicePrincipals/{principal['id']}", {"keyCredentials": rest})
    assert (patched.status_code, patched.content) == (204, b"")
    shown = control.hybrid("contoso")
    assert len(shown["gone"]) == len(STORY)
    assert {one["whose"] for one in shown["objects"]} == {"other"}
    assert [one["thumbprint"] for one in shown["keys"]] == [facts.foreign_certificate("contoso")]
    assert control.state()["violations"] == []
    writes = [one["cmdlet"] or one["method"] for one in control.log(writes=True)]
    assert len(writes) == len(STORY) + 4  # the refused one, the batch's two, the keys
    control.renew_hybrid("contoso")
    assert control.hybrid("contoso")["gone"] == []


def test_the_client_changes_dns(client: Client, control: Lab) -> None:
    control.change_dns("contoso", at_exchange_online=True)
    [status] = client.invoke("Get-DnssecStatusForVerifiedDomain", DomainName="contoso.lab").json()["value"]
    assert status["MxValidation"]["Status"] == "Valid"
    assert control.break_dns("contoso", "servfail", "autodiscover")["external"]["broken"] == {
        "autodiscover.contoso.lab": "servfail"
    }
    control.change_dns("contoso", as_at_the_beginning=True)
    assert control.dns("contoso")["external"]["broken"] == {}
