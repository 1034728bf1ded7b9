# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud over real HTTPS, on free ports: MSAL, paging, cut connections, the client, several at a time."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msal
import pytest
import requests

from tests.lab.client import Lab, LabError
from tests.lab.cloud.server import first_start, listen
from tests.lab_tests.cloud_support import CONTOSO, SERVICES, CloudLab, tls_files
from tests.lab_tests.waiting import eventually

ADDRESS = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server((ADDRESS, 0)) for _unused in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudLab]:
    """A cloud that listens; its lab.json lies in its folder."""
    folder = tmp_path_factory.mktemp("cloud")
    urls = {name: f"https://{ADDRESS}:{port}" for name, port in zip(SERVICES, free_ports(4), strict=True)}
    lab = CloudLab(folder, urls)
    tls = tls_files(folder, ADDRESS)
    lab.config["ca"] = str(tls / "ca.pem")
    (folder / "lab.json").write_text(json.dumps(lab.config))
    server, sockets = listen(lab.services, tls)
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
    thread.start()
    assert eventually(lambda: server.started), "the server did not start"
    yield lab
    server.should_exit = True
    thread.join(60)
    for one in sockets:
        one.close()
    lab.store.close()
    assert not thread.is_alive()


@pytest.fixture
def control(running: CloudLab) -> Iterator[Lab]:
    with Lab.from_run_dir(running.folder) as lab:
        lab.reset()
        yield lab


def msal_token(running: CloudLab, resource: str, credential: Any) -> dict[str, Any]:
    with requests.Session() as session:
        session.verify = running.config["ca"]
        session.trust_env = False
        application = msal.ConfidentialClientApplication(
            running.config["tenants"]["contoso"]["application"]["client_id"],
            authority=f"{running.config['login']}/{CONTOSO}",
            client_credential=credential,
            instance_discovery=False,
            http_client=session,
        )
        result: dict[str, Any] = application.acquire_token_for_client([f"{running.config[resource]}/.default"])
        return result


def session_for(running: CloudLab, resource: str) -> requests.Session:
    session = requests.Session()
    session.verify = running.config["ca"]
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {running.token(resource)}"
    return session


def test_msal_signs_in_by_secret_and_by_certificate(running: CloudLab, control: Lab) -> None:
    settings = running.config["tenants"]["contoso"]["application"]
    by_secret = msal_token(running, "graph", settings["client_secret"])
    assert by_secret.get("token_type") == "Bearer", by_secret
    pem = Path(settings["certificate"]).read_text()
    key, certificate = pem[pem.index("-----BEGIN PRIVATE") :], pem[: pem.index("-----BEGIN PRIVATE")]
    by_certificate = msal_token(running, "exchange", {"private_key": key, "public_certificate": certificate})
    assert by_certificate.get("token_type") == "Bearer", by_certificate
    thumbprint = running.store.list(CONTOSO, "application")
    [sha1] = [doc["keyCredentials"][0]["customKeyIdentifier"] for doc in thumbprint if doc["keyCredentials"]]
    by_sha1 = msal_token(running, "exchange", {"private_key": key, "thumbprint": sha1})
    assert by_sha1.get("token_type") == "Bearer", by_sha1
    wrong = msal_token(running, "graph", "wrong")
    assert wrong["error_codes"] == [7000215]


def test_services_answer_at_their_own_address_only(running: CloudLab, control: Lab) -> None:
    with session_for(running, "graph") as session:
        good = session.get(f"{running.config['graph']}/v1.0/users", timeout=60)
        assert good.status_code == 200
        assert good.headers["Content-Type"].startswith("application/json")
        assert session.get(f"{running.config['exchange']}/v1.0/users", timeout=60).status_code == 404
        assert session.get(f"{running.config['login']}/v1.0/users", timeout=60).status_code == 404


def test_a_cut_connection_is_cut_and_the_change_is_there(running: CloudLab, control: Lab) -> None:
    control.add_fault("cut", "exchange")
    body = {"CmdletInput": {"CmdletName": "Set-Mailbox",
                            "Parameters": {"Identity": "ada", "IsExchangeCloudManaged": True}}}  # fmt: skip
    url = f"{running.config['exchange']}/adminapi/beta/{CONTOSO}/InvokeCommand"
    with session_for(running, "exchange") as session:
        with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
            session.post(url, json=body, timeout=60)
        assert session.post(url, json=body, timeout=60).status_code == 200
    assert running.mailbox("ada")["IsExchangeCloudManaged"] is True
    assert [entry["fault"] for entry in control.log(writes=True)] == ["cut", None]


def test_a_204_has_no_body(running: CloudLab, control: Lab) -> None:
    control.add_fault("no_content", "graph")
    with session_for(running, "graph") as session:
        reply = session.get(f"{running.config['graph']}/v1.0/users", timeout=60)
    assert (reply.status_code, reply.content) == (204, b"")


def test_more_than_the_limit_at_a_time_is_refused_in_plain_text(running: CloudLab, control: Lab) -> None:
    control.scenario(concurrency_limit=2)
    url = f"{running.config['exchange']}/adminapi/beta/{CONTOSO}/InvokeCommand"
    body = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {}}}
    # Two held places stand for two requests that take long.
    gate = running.services.gate
    with gate.running(CONTOSO), session_for(running, "exchange") as session, ThreadPoolExecutor(4) as pool:
        with gate.running(CONTOSO):
            replies = list(pool.map(lambda _: session.post(url, json=body, timeout=60), range(4)))
        assert {reply.status_code for reply in replies} == {429}
        assert replies[0].text.startswith("You have reached the maximum number of concurrent requests")
        assert session.post(url, json=body, timeout=60).status_code == 200


def test_the_client_looks_and_steers(running: CloudLab, control: Lab) -> None:
    assert {tenant["name"] for tenant in control.state()["tenants"]} == {"contoso", "fabrikam"}
    assert control.advance(600)["offset_seconds"] == pytest.approx(600, abs=3)
    assert control.set_rate(1)["rate"] == 1
    assert control.scenario()["type_values"] == "remote"
    fault = control.add_fault("slow", "ldap", tenant="contoso", seconds=2)
    assert [one["id"] for one in control.faults()] == [fault["id"]]
    control.clear_faults(fault["id"])
    assert control.faults() == []
    assert control.sync("contoso") == {"created": 3}
    assert control.highest_committed_usn("contoso") == 4711
    mailbox_id = running.mailbox_id("ada")
    assert control.patch_object("contoso", "mailbox", mailbox_id, CustomAttribute1="x")["CustomAttribute1"] == "x"
    assert control.object("contoso", "mailbox", mailbox_id)["Alias"] == "ada"
    assert len(control.objects("contoso", "mailbox")) == 9
    with pytest.raises(LabError, match="no writeback job"):
        control.cycle("contoso")
    control.clear_log()
    assert control.log() == []


def test_the_client_says_what_is_wrong(tmp_path: Path, running: CloudLab) -> None:
    with pytest.raises(LabError, match="There is no lab in"):
        Lab.from_run_dir(tmp_path)
    (tmp_path / "lab.json").write_text("{")
    with pytest.raises(LabError, match="not readable"):
        Lab.from_run_dir(tmp_path)
    nobody = {"ca": running.config["ca"], "control": f"https://{ADDRESS}:{free_ports(1)[0]}"}
    with Lab(nobody, timeout_s=60) as lab, pytest.raises(LabError, match="does not answer"):
        lab.state()


def test_a_second_start_keeps_what_there_is(running: CloudLab, control: Lab) -> None:
    running.manage("ada")
    running.engines.calls.clear()
    first_start(running.services, running.config)
    assert running.engines.calls == []
    assert running.mailbox("ada")["IsExchangeCloudManaged"] is True
