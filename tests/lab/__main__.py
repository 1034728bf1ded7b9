# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.lab``: the rehearsal lab's command line. See README.md beside this file."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from tests.lab import handover, job_commands, output, supervisor
from tests.lab.cloud import hybrid_commands
from tests.lab.dns import commands as dns_commands
from tests.lab.exchange_server import commands as exchange_commands
from tests.lab.machine import LabError
from tests.lab.settings import TENANTS, Settings, settings
from tests.lab.windows import commands as windows_commands

Arguments = argparse.Namespace
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FOLLOW_SECONDS = 1.0


class Interrupted(BaseException):
    """A signal asked the command to end."""

    def __init__(self, number: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.number = number


def duration(text: str) -> float:
    """Seconds of ``90``, ``90s``, ``20m``, ``1h30m`` or ``2d``."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: write 90s, 20m, 1h30m or 2d")
    return sum(float(number) * _UNITS[unit or "s"] for number, unit in parts)


def pair(text: str) -> tuple[str, Any]:
    """``key=value``; a value that is JSON (a number, true) is taken as such."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form key=value")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m tests.lab", description="A tenant and its forest on one machine.")
    top.add_argument("--json", action="store_true", help="answer in JSON")
    top.add_argument("--run-dir", type=Path, help="run directory (default: HYBRID_LAB_DIR, else build/lab)")
    commands = top.add_subparsers(dest="command", required=True)

    def command(name: str, what: str, action: Callable[[Settings, Arguments], Any]) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=what, description=what)
        added.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer in JSON")
        added.set_defaults(action=action)
        return added

    started = command("up", "start the lab; go on with the state it had", _up)
    started.add_argument("--fresh", action="store_true", help="discard the state and build everything anew")
    started.add_argument("--only", choices=["forests"], help="the directories alone")
    command("down", "stop everything; the state stays", _down)
    command("status", "what runs, and how it is", _status)

    clock = command("clock", "show or move the lab's clock", _clock)
    moves = clock.add_subparsers(dest="move")
    moves.add_parser("show")
    moves.add_parser("advance").add_argument("by", type=duration, help="20m, 1h, 90s")
    moves.add_parser("rate").add_argument("rate", type=float, help="lab seconds per second")

    fault = command("fault", "list, add or clear faults", _fault)
    deeds = fault.add_subparsers(dest="deed")
    deeds.add_parser("list")
    added = deeds.add_parser("add")
    added.add_argument("kind", help="throttle, unavailable, cut, slow, dc_restart, refuse, ...")
    added.add_argument("--target", required=True, help="login, graph, exchange, ldap, job or windows")
    added.add_argument("--times", type=int, default=1, help="how often; -1: until cleared")
    added.add_argument("--after", type=int, default=0, metavar="N", help="let N requests that fit go by first")
    added.add_argument("--tenant", help="for this tenant only")
    added.add_argument(
        "--match", type=pair, action="append", default=[], metavar="KEY=VALUE", help="cmdlet=Set-Mailbox"
    )
    added.add_argument("--set", type=pair, action="append", default=[], metavar="KEY=VALUE", help="seconds=3")
    deeds.add_parser("clear").add_argument("id", nargs="?", type=int, help="one fault; default: all")

    log = command("log", "the request log", _log)
    log.add_argument("--writes", action="store_true", help="only requests that change state")
    log.add_argument("--after", type=int, default=0, metavar="N", help="after this sequence number")
    log.add_argument("--follow", action="store_true", help="go on until interrupted")
    log.add_argument("--clear", action="store_true", help="forget the log")

    scenario = command("scenario", "show or set switches", _scenario)
    scenario.add_argument("changes", nargs="*", type=pair, metavar="KEY=VALUE")
    job_commands.add(command)
    windows_commands.add(command)
    hybrid_commands.add(command)
    dns_commands.add(command)
    exchange_commands.add(command)
    names = [tenant.name for tenant in TENANTS]
    command("sync", "run Connect Sync now", _sync).add_argument("tenant", choices=names)
    command("cycle", "run a writeback cycle now", _cycle).add_argument("tenant", choices=names)
    restart = command("restart-dc", "restart a tenant's domain controller", _restart_dc)
    restart.add_argument("tenant", choices=names)
    command("reset", "everything as it was after the first start", _reset)
    command("env", "shell variables that point to the lab", _env)
    return top


def _up(config: Settings, arguments: Arguments) -> Any:
    started = time.monotonic()
    stages = supervisor.up(config, fresh=arguments.fresh, only=arguments.only)
    answer = supervisor.status(config)
    return {
        **answer,
        "only": arguments.only,
        "seconds": {**stages.seconds, "all": round(time.monotonic() - started, 2)},
    }


def _down(config: Settings, arguments: Arguments) -> Any:
    found = supervisor.down(config)
    return {"run_dir": str(config.run_dir), "stopped": [{"name": item.name, "pid": item.pid} for item in found]}


def _status(config: Settings, arguments: Arguments) -> Any:
    return supervisor.status(config)


def _clock(config: Settings, arguments: Arguments) -> Any:
    with job_commands.lab(config) as lab:
        if arguments.move == "advance":
            return lab.advance(arguments.by)
        if arguments.move == "rate":
            return lab.set_rate(arguments.rate)
        return lab.state()["clock"]


def _fault(config: Settings, arguments: Arguments) -> Any:
    with job_commands.lab(config) as lab:
        if arguments.deed == "add":
            extra: dict[str, Any] = dict(arguments.set)
            if arguments.match:
                extra["match"] = dict(arguments.match)
            if arguments.tenant:
                extra["tenant"] = arguments.tenant
            if arguments.after:
                extra["after"] = arguments.after
            return lab.add_fault(arguments.kind, arguments.target, arguments.times, **extra)
        if arguments.deed == "clear":
            return lab.clear_faults(arguments.id)
        return lab.faults()


def _log(config: Settings, arguments: Arguments) -> Any:
    with job_commands.lab(config) as lab:
        if arguments.clear:
            lab.clear_log()
            return {"log": "cleared"}
        entries = lab.log(writes=arguments.writes, after=arguments.after)
        after = arguments.after
        while arguments.follow:
            for entry in entries:
                print(json.dumps(entry) if arguments.json else output.log_line(entry), flush=True)
                after = max(after, entry["seq"])
            time.sleep(_FOLLOW_SECONDS)
            entries = lab.log(writes=arguments.writes, after=after)
        return entries


def _scenario(config: Settings, arguments: Arguments) -> Any:
    with job_commands.lab(config) as lab:
        return lab.scenario(**dict(arguments.changes))


def _sync(config: Settings, arguments: Arguments) -> Any:
    with job_commands.lab(config) as lab:
        return lab.sync(arguments.tenant)


def _cycle(config: Settings, arguments: Arguments) -> Any:
    with job_commands.lab(config) as lab:
        return lab.cycle(arguments.tenant)


def _restart_dc(config: Settings, arguments: Arguments) -> Any:
    return {"tenant": arguments.tenant, "seconds": supervisor.restart_dc(config, arguments.tenant)}


def _reset(config: Settings, arguments: Arguments) -> Any:
    with job_commands.lab(config) as lab:
        return lab.reset()


def _env(config: Settings, arguments: Arguments) -> Any:
    return handover.environment(config)


def _text(arguments: Arguments, answer: Any) -> str:
    if arguments.command == "env":
        return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in answer.items())
    shapes: dict[str, Callable[[Any], str]] = {
        "up": output.up,
        "down": output.down,
        "status": output.status,
        "log": output.log,
        "fault": output.faults,
        "windows": windows_commands.text,
        "hybrid": hybrid_commands.text,
        "dns": dns_commands.text,
        "exchange": exchange_commands.text,
    }
    return shapes.get(arguments.command, output.plain)(answer)


def _raise_interrupted(number: int, frame: FrameType | None) -> None:
    for again in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(again, signal.SIG_IGN)  # cleaning up must not be interrupted in its turn
    raise Interrupted(number)


def main(arguments: list[str] | None = None) -> int:
    """Run one command. 0: done; 1: not possible, with the reason on standard error; 128 + n: ended by a signal."""
    from tests.lab.client import LabError as ClientError
    from tests.lab.forest.access import DirectoryUnavailable

    given = parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _raise_interrupted)
    try:
        answer = given.action(settings(given.run_dir), given)
        print(json.dumps(answer, indent=2) if given.json else _text(given, answer))
        sys.stdout.flush()
    except (LabError, ClientError, DirectoryUnavailable, LookupError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except Interrupted as error:
        if not getattr(given, "follow", False):
            print(f"error: {error}", file=sys.stderr)
        return 128 + error.number
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
