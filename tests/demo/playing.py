# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a demo plays and tells: playbooks on the demo's estate, shown as they run, and facts that must hold."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.demo.far_ends import ROOT, Lab

HERE = Path(__file__).resolve().parent
ESTATE = HERE / "estate" / "estate.yml"
OUT = Path(os.environ.get("HYBRID_DEMO_DIR", ROOT / "build" / Path(sys.argv[0]).stem)).absolute()

# Of a playbook's output: what it does, what changed or failed, progress (done/total) and the recap.
SHOWN = re.compile(r"^(TASK|PLAY) \[|^(changed|fatal): |\[ERROR\]|, wave \w+: |^\w+: \w.* \d+/\d+|failed=")


@dataclass(frozen=True)
class Play:
    """One run of ansible-playbook and what its recap says."""

    code: int
    output: str
    log: Path

    def changed(self) -> dict[str, int]:
        return {host: int(count) for host, count in re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+)", self.output, re.M)}

    def said(self) -> list[str]:
        """The lines of every list that a task showed."""
        return [json.loads(line) for line in re.findall(r'^ {8}("(?:[^"\\]|\\.)*"),?$', self.output, re.M)]

    def proven(self) -> list[tuple[str, str, int]]:
        """Tenant, wave and number of mailboxes of every proof that was complete for all 24 attributes."""
        words = " ".join(self.output.split())
        found = re.findall(
            r"(\w+), wave (\w+): (\d+) of (\d+) mailboxes \(100\.0 %\) are equal in all 24 attributes, (\d+) are cloud",
            words,
        )
        return [(tenant, wave, int(equal)) for tenant, wave, equal, all_of, moved in found if equal == all_of == moved]


def say(text: str) -> None:
    print(f"\n=== {text}", flush=True)


def check(holds: bool, text: str) -> None:
    """States one fact of the demo; the first that does not hold ends it."""
    print(f"  {'ok ' if holds else 'NOT'} {text}", flush=True)
    if not holds:
        sys.exit(f"The demo deviated: {text}")


def play(
    lab: Lab,
    name: str,
    playbook: str,
    *arguments: str,
    expect_failure: bool = False,
    kill_when: Callable[[], bool] | None = None,
) -> Play:
    """Runs a playbook on the demo estate, shows its tasks as they come, and keeps all of it in a log.

    With ``kill_when``, which is asked over and over, Ansible and all that it started are killed (SIGKILL) once it says
    so; a run that ends by itself before is a deviation.
    """
    log = OUT / f"{name}.log"
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build"),
        "ANSIBLE_CONFIG": str(HERE / "ansible.cfg"),
        "HYBRID_LAB_FILE": str(lab.directory / "lab.json"),
        "HYBRID_DEMO_DIR": str(OUT),
        "PYTHONUNBUFFERED": "1",
    }
    command = ["ansible-playbook", "-i", str(ESTATE), playbook, *arguments]
    print(f"  $ {' '.join(command)}   (all of it: {log})", flush=True)
    began = time.monotonic()
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            command,
            cwd=OUT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if kill_when:
            threading.Thread(target=_kill, args=(process, kill_when), daemon=True).start()
        if process.stdout is None:
            raise RuntimeError("ansible-playbook was started without a pipe")
        for line in process.stdout:
            file.write(line)
            file.flush()
            if SHOWN.search(line):
                print(f"    {line.rstrip()[:160]}", flush=True)
        code = process.wait()
    print(f"    {time.monotonic() - began:.0f} s", flush=True)
    done = Play(code, log.read_text(encoding="utf-8"), log)
    if kill_when:
        check(code == -signal.SIGKILL, "it was killed in the middle")
    elif (code != 0) != expect_failure:
        sys.exit(f"{playbook} {'failed' if code else 'was not refused'} ({code}); its output is {log}")
    return done


def _kill(process: subprocess.Popen[str], when: Callable[[], bool]) -> None:
    while process.poll() is None:
        if when():
            # By their parents, not by their process group: Ansible's workers have sessions of their own.
            for pid in _tree(process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.2)  # between two looks


def _tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            words = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            children.setdefault(int(words[1]), []).append(int(stat.parent.name))
    found = [pid]
    for parent in found:
        found += children.get(parent, ())
    return found
