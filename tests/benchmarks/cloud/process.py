# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud of the benchmarks as a process of its own, and how the benchmarks start and steer it."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.benchmarks import processes
from tests.benchmarks.certificates import Certificates
from tests.benchmarks.cloud import wire
from tests.benchmarks.cloud.pages import Collection
from tests.benchmarks.cloud.service import Service
from tests.benchmarks.cloud.throttle import Throttle
from tests.benchmarks.settings import BUILD, CLOUD_ADDRESS, CLOUD_PORT, PYTHON, ROOT, BenchError

BASE = f"https://{CLOUD_ADDRESS}:{CLOUD_PORT}"
PAGES = BUILD / "pages"
_START_S = 30.0


@dataclass(frozen=True)
class Cloud:
    """A running cloud of ``count`` mailboxes."""

    count: int
    _session: requests.Session

    def change(self, numbers: Sequence[int] | str, **values: Any) -> None:
        """Change mailboxes behind the service's back: variant, when, cloud_managed; numbers "all" for everybody.

        ``reset`` takes all earlier changes back first.
        """
        self._call("changes", {"numbers": numbers if isinstance(numbers, str) else list(numbers), **values})

    def reset(self) -> None:
        """Take all changes back."""
        self.change([], reset=True)

    def forget(self) -> None:
        """Begin to count anew."""
        self._call("forget", {})

    def counts(self) -> dict[str, Any]:
        """What clients did since ``forget``."""
        return dict(self._call("state", {})["counts"])

    def collections(self) -> list[Collection]:
        """What clients read page by page since ``forget``."""
        found = self._call("state", {})["collections"]
        return [Collection(**{**item, "select": tuple(item["select"])}) for item in found]

    def cloud_managed(self) -> int:
        """How many of the mailboxes that were ever changed are cloud-managed."""
        return int(self._call("state", {})["cloud_managed"])

    def _call(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._session.post(f"{BASE}/bench/{what}", json=body, timeout=60)
        answer.raise_for_status()
        return dict(answer.json())


@contextlib.contextmanager
def serving(
    count: int, certificates: Certificates, *, parent: str = "", limit: int = 0, cmdlet_s: float = 0.0
) -> Iterator[Cloud]:
    """The cloud answers within the block. For the rest see rows.user (parent) and throttle.Throttle."""
    command = [str(PYTHON), "-m", "tests.benchmarks.cloud.process", "--count", str(count), "--limit", str(limit)]
    command += ["--cmdlet-s", str(cmdlet_s), "--parent", parent]
    command += ["--certificates", str(certificates.certificate.parent)]
    log = BUILD / "log" / f"cloud-{count}.log"
    session = requests.Session()
    session.trust_env = False
    session.verify = str(certificates.authority)
    with session, processes.server(command, log, {"PYTHONPATH": str(ROOT)}) as pid:
        cloud = Cloud(count, session)
        until = time.monotonic() + _START_S
        while True:
            try:
                cloud.counts()
                break
            except requests.ConnectionError as error:
                if time.monotonic() > until or not Path(f"/proc/{pid}").exists():
                    said = log.read_text(errors="replace")[-1000:]
                    raise BenchError(f"The cloud does not answer at {BASE}: {said or error}") from error
                time.sleep(0.05)
        yield cloud


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--parent", default="")
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--cmdlet-s", type=float, default=0.0)
    parser.add_argument("--certificates", type=Path, required=True)
    options = parser.parse_args()
    folder = options.certificates
    files = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    throttle = Throttle(options.limit, options.cmdlet_s)
    service = Service(BASE, options.count, options.parent, PAGES, throttle)
    wire.serve((CLOUD_ADDRESS, CLOUD_PORT), files, service.handle)


if __name__ == "__main__":
    main()
