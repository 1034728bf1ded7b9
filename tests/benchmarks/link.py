# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network between a client and a server that both stand here: what is sent arrives later, in order, at any rate.

Only delay, no loss and no limit: the time that light and switches take to a server in another building. It is a relay
of bytes in a process of its own (``python -m tests.benchmarks.link``), so TLS goes through it untouched.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.benchmarks import processes
from tests.benchmarks.settings import PYTHON, ROOT, BenchError

_CHUNK = 1 << 16
_START_S = 10.0


@contextlib.contextmanager
def between(listen: str, server: str, ports: Sequence[int], round_trip_ms: float, log: Path) -> Iterator[None]:
    """For the time of the block, ``listen`` leads to ``server`` with half the round trip added on each way."""
    command = [PYTHON, "-m", "tests.benchmarks.link", listen, server, round_trip_ms, *ports]
    with processes.server([str(part) for part in command], log, {"PYTHONPATH": str(ROOT)}):
        for port in ports:
            _wait((listen, port))
        yield


def _wait(address: tuple[str, int]) -> None:
    ends = time.monotonic() + _START_S
    while True:
        try:
            socket.create_connection(address, 1).close()
        except OSError as error:
            if time.monotonic() > ends:
                raise BenchError(f"Nothing listens at {address[0]}:{address[1]}: {error}") from error
            time.sleep(0.05)
        else:
            return


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter, delay: float) -> None:
    """Reading and writing are apart, so that much can be on the way at once."""
    on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    clock = asyncio.get_running_loop().time

    async def deliver() -> None:
        while True:
            due, data = await on_the_way.get()
            await asyncio.sleep(max(0.0, due - clock()))
            if not data:
                break
            target.write(data)
        with contextlib.suppress(OSError):
            await target.drain()
            target.close()

    delivering = asyncio.create_task(deliver())
    with contextlib.suppress(OSError):
        while data := await source.read(_CHUNK):
            on_the_way.put_nowait((clock() + delay, data))
    on_the_way.put_nowait((clock() + delay, b""))
    await delivering


async def _serve(listen: str, server: str, port: int, delay: float) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(server, port)
        for end in (writer, there_writer):
            end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(_pass_on(reader, there_writer, delay), _pass_on(there_reader, writer, delay))

    async with await asyncio.start_server(connected, listen, port) as listening:
        await listening.serve_forever()


def main() -> None:
    """Entry point: the address to listen at, that of the server, the round trip in milliseconds, and the ports."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, kind in (("listen", str), ("server", str), ("round_trip_ms", float)):
        parser.add_argument(name, type=kind)
    parser.add_argument("ports", type=int, nargs="+")
    given = parser.parse_args()

    async def serve() -> None:
        delay = given.round_trip_ms / 2000
        await asyncio.gather(*(_serve(given.listen, given.server, port, delay) for port in given.ports))

    asyncio.run(serve())


if __name__ == "__main__":
    main()
