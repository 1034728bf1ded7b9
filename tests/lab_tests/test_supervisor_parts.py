# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding and ending processes, checks of the machine, the command line."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab import __main__ as command_line
from tests.lab import handover, machine, output, processes, supervisor
from tests.lab.forest import kept, tls
from tests.lab.processes import Running
from tests.lab.settings import CLOUD_ADDRESSES, MARKER_VARIABLE, TENANTS, Settings
from tests.lab_tests.waiting import eventually

SLEEPER = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)


@pytest.fixture
def config(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "run")


def spawn(config: Settings, name: str, code: str = SLEEPER) -> Running:
    processes.spawn(config, name, [sys.executable, "-c", code], Path("/"))
    found = processes.find(config, name)
    assert found is not None
    return found


def test_a_started_process_is_found_detached_and_ended(config: Settings) -> None:
    running = spawn(config, "one")
    assert os.getsid(running.pid) == running.pid
    assert processes.recorded(config) == [running]
    assert running.pid in {process.pid for process in processes.swept(config)}
    assert processes.end([running]) == []
    assert not running.alive
    assert processes.recorded(config) == []


def test_a_started_process_can_be_swept_at_once(config: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel shows no environment for a moment after exec closed what Popen waits for."""
    real, early = processes._environment, [b"", b""]
    monkeypatch.setattr(processes, "_environment", lambda entry: early.pop() if early else real(entry))
    running = spawn(config, "one")
    assert running.pid in {process.pid for process in processes.swept(config)}
    assert processes.end([running]) == []


def test_a_process_without_its_pid_file_is_swept(config: Settings) -> None:
    running = spawn(config, "lost")
    processes.forget(config, "lost")
    assert processes.recorded(config) == []
    (found,) = processes.swept(config)
    assert (found.pid, found.started) == (running.pid, running.started)
    supervisor.stop_all(config)
    assert not running.alive


def test_another_run_is_left_alone(config: Settings, tmp_path: Path) -> None:
    other = Settings(tmp_path / "run-2")
    running = spawn(other, "theirs")
    supervisor.stop_all(config)
    assert running.alive
    supervisor.stop_all(other)
    assert not running.alive


def test_a_process_that_ignores_term_is_killed(config: Settings) -> None:
    running = spawn(config, "deaf", STUBBORN)
    log = config.log_dir / "deaf.log"
    assert eventually(lambda: "deaf" in log.read_text()), f"{log} does not say that the process ignores TERM"
    began = time.monotonic()
    assert processes.end([running], term_seconds=0.3) == []
    assert time.monotonic() - began >= 0.3
    assert not running.alive


def test_a_recycled_pid_is_not_ours(config: Settings) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEPER]) as stranger:
        started = processes.started_at(stranger.pid)
        assert started is not None
        processes.record(config, Running("dc-contoso", stranger.pid, started - 1))
        assert processes.recorded(config) == []
        supervisor.stop_all(config)
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "started": 1}', "null"])
def test_a_damaged_pid_file_does_no_harm(config: Settings, content: str) -> None:
    config.pid_dir.mkdir(parents=True)
    (config.pid_dir / "dc-contoso.json").write_text(content)
    assert processes.recorded(config) == []
    supervisor.stop_all(config)
    assert not list(config.pid_dir.iterdir())


def test_a_zombie_does_not_run() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert eventually(lambda: processes.started_at(child) is None), f"process {child} did not end"
    assert Path(f"/proc/{child}").exists()
    assert processes.started_at(child) is None
    os.waitpid(child, 0)


def test_a_process_without_its_first_thread_still_runs() -> None:
    program = (
        "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(600,)).start();"
        "print('second', flush=True); ctypes.CDLL(None).pthread_exit(None)"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        stat = Path(f"/proc/{child.pid}/stat")
        assert eventually(lambda: stat.read_text().rpartition(")")[2].split()[0] == "Z"), "the first thread goes on"
        assert processes.started_at(child.pid) is not None
    finally:
        child.kill()
        child.communicate()
    assert processes.started_at(child.pid) is None


def test_the_caller_and_its_parents_are_never_swept(config: Settings) -> None:
    config.run_dir.mkdir()
    script = f"from tests.lab import processes, settings; import pathlib; print(len(processes.everything(settings.Settings(pathlib.Path({str(config.run_dir)!r})))))"  # noqa: E501
    environment = {**os.environ, MARKER_VARIABLE: str(config.run_dir)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_the_holder_of_a_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert processes.port_in_use("127.0.0.1", port)
        assert f"(pid {os.getpid()})" in processes.holder("127.0.0.1", port)
    assert not processes.port_in_use("127.0.0.1", port)
    assert "cannot be seen" in processes.holder("127.0.0.1", port)


def test_a_taken_address_is_refused_with_its_holder(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setattr(machine, "all_ports", lambda only: [("127.0.0.1", port)])
        with pytest.raises(machine.LabError, match=f"127.0.0.1:{port} is in use by .*pid {os.getpid()}"):
            machine.check_ports(set(), None)
        machine.check_ports({"127.0.0.1"}, None)


def test_not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(machine.LabError, match="needs root"):
        machine.check_machine()


@pytest.mark.parametrize("name", ["SAMBA", "SYSTEM_PYTHON"])
def test_samba_is_missing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(machine, name, Path("/nowhere/samba"))
    with pytest.raises(machine.LabError, match=r"/nowhere/samba .*apt-get install --yes samba"):
        machine.check_machine()


def test_another_directory_is_not_taken_over(tmp_path: Path) -> None:
    config = Settings(tmp_path)
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(machine.LabError, match="not empty and no run directory"):
        machine.claim(config)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_wipe_keeps_what_a_start_needs(config: Settings) -> None:
    machine.claim(config)
    (config.run_dir / "state.sqlite").touch()
    (config.forests_dir / "contoso").mkdir(parents=True)
    with machine.locked(config):
        machine.wipe(config)
        left = {path.name for path in config.run_dir.iterdir()}
    assert left == {".rehearsal-lab", "lock", "pid"}
    machine.claim(config)


def test_two_starts_at_once(config: Settings) -> None:
    machine.claim(config)
    with machine.locked(config), pytest.raises(machine.LabError, match="another start"), machine.locked(config):
        pass
    with machine.locked(config):
        pass


def test_lab_json_is_private_and_complete(config: Settings) -> None:
    tls.ensure(config)
    handover.write(config)
    assert config.lab_json.stat().st_mode & 0o777 == 0o600
    content = json.loads(config.lab_json.read_text())
    assert set(content) == {"ca", "control", "login", "graph", "exchange", "tenants"}
    assert set(content["tenants"]) == {"contoso", "fabrikam"}
    for tenant in content["tenants"].values():
        for application in ("application", "limited_application"):
            pem = Path(tenant[application]["certificate"])
            assert pem.stat().st_mode & 0o777 == 0o600
            assert b"BEGIN CERTIFICATE" in pem.read_bytes()
            assert b"BEGIN PRIVATE KEY" in pem.read_bytes()
            assert tenant[application]["thumbprint_sha256"] == tls.thumbprint_sha256(pem)
        assert set(tenant["expired_application"]) == {"client_id", "client_secret"}
        directory = tenant["directory"]
        assert directory["user"] == f"svc-writeback@{tenant['domain']}"
        assert directory["host"] != directory["dc_host"]
        assert (directory["gc_port"], directory["gc_starttls_port"]) == (3269, 3268)
        kerberos = directory["kerberos"]
        assert kerberos["principal"] == f"svc-writeback@{tenant['domain'].upper()}"
        assert f"ldap/{directory['host']}" in kerberos["services"]
        told = Path(kerberos["config"]).read_text()
        assert f"kdc = {kerberos['kdc']}" in told
        assert directory["password"] != directory["reader_password"] != directory["administrator"]["password"]
    for path in config.tls_dir.rglob("*"):
        assert path.is_dir() or path.stat().st_mode & 0o077 == 0, path


def test_certificates_are_kept(config: Settings) -> None:
    tls.ensure(config)
    before = {path: path.read_bytes() for path in config.tls_dir.rglob("*") if path.is_file()}
    tls.ensure(config)
    assert before == {path: path.read_bytes() for path in config.tls_dir.rglob("*") if path.is_file()}


def test_a_copy_at_other_addresses_gets_server_certificates_for_them(
    config: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls.ensure(config)
    before = {path.name: path.read_bytes() for path in config.tls_dir.rglob("*.pem")}
    elsewhere = {name: address.replace("127.", "127.1", 1) for name, address in CLOUD_ADDRESSES.items()}
    monkeypatch.setattr(tls, "CLOUD_ADDRESSES", elsewhere)
    tls.ensure(config)
    after = {path.name: path.read_bytes() for path in config.tls_dir.rglob("*.pem")}
    assert [name for name in before if after[name] != before[name]] == ["cloud.pem"]


def test_a_kept_forest_is_copied_and_not_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []

    def build(directory: Path) -> None:
        built.append(directory.name)
        directory.mkdir()
        (directory / "sam.ldb").write_text("people")

    def have(directory: str) -> str:
        kept.build_or_copy("contoso", tmp_path / directory, lambda: build(tmp_path / directory))
        return (tmp_path / directory / "sam.ldb").read_text()

    monkeypatch.delenv(kept.FOLDER_VARIABLE, raising=False)
    assert have("alone") == "people"
    monkeypatch.setenv(kept.FOLDER_VARIABLE, str(tmp_path / "forests"))
    assert have("first") == "people"
    (tmp_path / "first" / "sam.ldb").write_text("changed in the first lab")
    assert have("second") == "people"
    assert built == ["alone", "first"]
    monkeypatch.setattr(kept, "_version", lambda: "another version of the lab")
    assert have("third") == "people"
    assert built == ["alone", "first", "third"]


def test_identifiers_differ_between_tenants() -> None:
    values = [item.tenant_id for item in TENANTS] + [a.client_id for t in TENANTS for a in t.applications]
    assert len(set(values)) == len(values) == 8


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("20m", 1200), ("1h30m", 5400), ("2d", 172800), ("0.5h", 1800)]
)
def test_durations(text: str, seconds: float) -> None:
    assert command_line.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "3x", "-5m", "20 m", "1h 3m", "1e3"])
def test_no_durations(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="no duration"):
        command_line.duration(text)


def test_pairs() -> None:
    assert command_line.pair("seconds=2.5") == ("seconds", 2.5)
    assert command_line.pair("proxy_addresses=merge") == ("proxy_addresses", "merge")
    assert command_line.pair("path_regex=a=b") == ("path_regex", "a=b")
    for wrong in ("x", "=x"):
        with pytest.raises(argparse.ArgumentTypeError, match="key=value"):
            command_line.pair(wrong)


def test_a_failure_shows_the_end_of_the_log(config: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "CLOUD_SECONDS", 60.0)
    processes.spawn(config, "cloud", [sys.executable, "-c", "raise SystemExit('no such state')"], Path("/"))
    with pytest.raises(machine.LabError, match=r"(?s)cloud ended while starting.*cloud\.log:.*no such state"):
        supervisor.wait_for_cloud(config)


def test_status_and_down_of_a_lab_that_never_was(config: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        assert command_line.main(["--json", "--run-dir", str(config.run_dir), "status"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["running"] is False
        assert command_line.main(["--run-dir", str(config.run_dir), "down"]) == 0
        assert "Nothing of" in capsys.readouterr().out
        assert command_line.main(["--run-dir", str(config.run_dir), "sync", "contoso"]) == 1
        assert "start one with" in capsys.readouterr().err
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def test_env_can_be_evaluated_by_a_shell(tmp_path: Path) -> None:
    config = Settings(tmp_path / "a 'quoted' place")
    line = command_line._text(argparse.Namespace(command="env"), handover.environment(config))
    done = subprocess.run(
        ["bash", "-c", f'{line}\nprintf %s "$HYBRID_LAB_DIR"'], capture_output=True, text=True, check=True
    )
    assert done.stdout == str(config.run_dir)


def test_lines_of_the_log() -> None:
    entry = {
        "seq": 7,
        "lab_time": "2026-08-03T10:00:00Z",
        "service": "exchange",
        "cmdlet": "Set-Mailbox",
        "parameters": {"Identity": "a"},
        "status": 429,
        "write": True,
        "fault": "throttle",
        "violation": "too early",
    }
    line = output.log_line(entry)
    for part in ("7", "Set-Mailbox", "429", "WRITE", "fault=throttle", "VIOLATION: too early", '"Identity": "a"'):
        assert part in line
    assert "WRITE" not in output.log_line({**entry, "write": False})
    assert output.log([]) == "nothing is logged"
