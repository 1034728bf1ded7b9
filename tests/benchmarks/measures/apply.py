# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applying: the rate of writing to a Samba domain controller, beside ldapmodify; then nothing left to write."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from tests.benchmarks import ldif, link, modules, people, samba
from tests.benchmarks.bench import Bench, fresh
from tests.benchmarks.cloud import process as clouds
from tests.benchmarks.cloud.process import Cloud
from tests.benchmarks.figures import Figure
from tests.benchmarks.modules import Result
from tests.benchmarks.peers import loop as loops
from tests.benchmarks.peers import openldap
from tests.benchmarks.processes import Ran
from tests.benchmarks.samba import DomainController
from tests.benchmarks.settings import BUILD, CATALOG_PORT, LINK_ADDRESS, BenchError

_MODULE = "directory_writeback"
ROUND_TRIP_MS = 1.0


@dataclass
class _Samples:
    check: list[Ran] = field(default_factory=list)
    apply: list[Ran] = field(default_factory=list)
    peer: list[Ran] = field(default_factory=list)
    second_writes: list[int] = field(default_factory=list)
    server_check: list[float] = field(default_factory=list)
    server_apply: list[float] = field(default_factory=list)
    server_peer: list[float] = field(default_factory=list)


def measure(bench: Bench) -> Generator[Figure, None, None]:
    """Every object gets one value replaced and one address added, or back; both writers do both.

    What check mode does as well (start, sign-in, reading and planning) is taken off, because ldapmodify gets its
    changes ready-made: the rest is journaling, writing and reading back. The domain controller's own processor time is
    told beside it: it is one process, so nobody can write faster than it works.

    No domain controller stands on the machine that writes to it. So the figure is taken over a link with a delay, and
    the one without beside it.
    """
    count = bench.size.apply
    bench.say(f"start a domain controller with {count} people")
    with (
        samba.running(count) as controller,
        clouds.serving(count, bench.certificates, parent=controller.parent) as cloud,
    ):
        found = _run(bench, controller).result["counts"]
        if found.get("unchanged") != count:
            raise BenchError(f"{count} objects are as the cloud has them, but the module says {found}.")
        far = replace(controller, host=LINK_ADDRESS)
        ports = (controller.port, CATALOG_PORT)
        with link.between(far.host, controller.host, ports, ROUND_TRIP_MS, BUILD / "link.log"):
            over_link = _rounds(bench, far, cloud, "over the link")
        here = _rounds(bench, controller, cloud, "on this machine")
        yield _figure("apply", bench, over_link)
        yield _figure("apply-loopback", bench, here)
        yield _changed_loop(bench, controller, bench.keep(_MODULE, here.apply) / count)
        second = [*over_link.second_writes, *here.second_writes]
        bench.details["second runs, objects written"] = second
        total = len(second) * count
        yield Figure("second-run-writes", sum(second), "writes", f"{total} in the first runs", sum(second) / total)


def _rounds(bench: Bench, controller: DomainController, cloud: Cloud, where: str) -> _Samples:
    samples = _Samples()
    for number in range(bench.size.apply_rounds):
        bench.say(f"write {bench.size.apply} objects {where}, round {number + 1} of {bench.size.apply_rounds}")
        _there_and_back(bench, controller, cloud, samples)
    return samples


def _figure(name: str, bench: Bench, samples: _Samples) -> Figure:
    count = bench.size.apply
    check_s = bench.keep(f"{name}: {_MODULE} in check mode", samples.check)
    apply_s = bench.keep(f"{name}: {_MODULE}", samples.apply)
    peer_s = bench.keep(f"{name}: ldapmodify", samples.peer)
    writing = [one.seconds - check.seconds for one, check in zip(samples.apply, samples.check, strict=True)]
    turns = [peer.seconds / own for peer, own in zip(samples.peer, writing, strict=True)]
    server_own = median(one - check for one, check in zip(samples.server_apply, samples.server_check, strict=True))
    server_peer = median(samples.server_peer)
    bench.details[f"{name}: domain controller, processor ms per object"] = {
        "directory_writeback": round(1000 * server_own / count, 3),
        "ldapmodify": round(1000 * server_peer / count, 3),
        "ldapmodify, wall ms per object": round(1000 * peer_s / count, 3),
    }
    against = (
        f"ldapmodify {count / peer_s:.1f} objects a second; {apply_s:.2f} s less {check_s:.2f} s in check mode. "
        f"The server works {server_own:.2f} s for it, and {server_peer:.2f} of {peer_s:.2f} s for ldapmodify"
    )
    return Figure(name, count / median(writing), "objects/s", against, median(turns))


def _there_and_back(bench: Bench, controller: DomainController, cloud: Cloud, samples: _Samples) -> None:
    """The collection writes there, ldapmodify back, ldapmodify there, the collection back."""
    count = bench.size.apply
    cloud.change("all", variant=1)
    _write(bench, controller, samples)
    for before, after in ((1, 0), (0, 1)):
        with controller.work(samples.server_peer):
            samples.peer.append(_peer(controller, count, before, after))
    cloud.reset()
    _write(bench, controller, samples)


def _write(bench: Bench, controller: DomainController, samples: _Samples) -> None:
    count = bench.size.apply
    with controller.work(samples.server_check):
        check = _run(bench, controller, check_mode=True)
    if check.result["counts"].get("planned") != count or check.result["changed"] is not True:
        raise BenchError(f"{count} changes were to be planned, but the module says {check.result['counts']}.")
    before = controller.usn()
    with controller.work(samples.server_apply):
        own = _run(bench, controller)
    after = controller.usn()
    written = controller.written(before)
    if own.result["counts"].get("written") != count or written != count:
        raise BenchError(f"{count} objects were to be written, {written} were: {own.result['counts']}")
    second = _run(bench, controller)
    if second.result["changed"] or second.result["counts"].get("unchanged") != count:
        raise BenchError(f"A second run had to find nothing to do, but says {second.result['counts']}.")
    samples.check.append(check.ran)
    samples.apply.append(own.ran)
    samples.second_writes.append(controller.written(after))


def _run(bench: Bench, controller: DomainController, *, check_mode: bool = False) -> Result:
    options: dict[str, Any] = {**modules.tenant(bench.certificates), **controller.options()}
    options |= {**modules.generous(_MODULE), "all_mailboxes": True, "proxy_addresses": "exact"}
    options["journal_dir"] = str(BUILD / "journals")
    return modules.run(_MODULE, options, check_mode=check_mode)


def _peer(controller: DomainController, count: int, variant: int, other: int) -> Ran:
    file = fresh(BUILD / f"changes-{variant}-{other}.ldif")
    content = (
        ldif.difference(people.person(number, variant), people.person(number, other), controller.parent)
        for number in range(count)
    )
    file.write_bytes(b"".join(content))
    return openldap.apply(file, controller.account(controller.writer), controller.environment)


def _changed_loop(bench: Bench, controller: DomainController, own_s: float) -> Figure:
    """What a loop takes for a mailbox that has to change."""
    bench.say("an Ansible loop over changed mailboxes")
    loop = loops.find()
    server = {
        "url": controller.url,
        "user": controller.writer.user,
        "password": controller.writer.password,
        "ca": str(controller.authority),
    }
    sample = [people.person(number, 1) for number in range(bench.size.loop)]
    seconds = loops.run(loop, sample, controller.parent, server, controller.environment, changed=True)
    note = f" ({loop.instead})" if loop.instead else ""
    bench.details["loop over changed mailboxes"] = {"module": loop.module, "seconds": seconds, "note": loop.instead}
    against = f"a loop over {loop.module}{note} {seconds:.3f} s per mailbox over {own_s:.6f} s"
    return Figure("ansible-loop-apply", seconds / own_s, "times", against, seconds / own_s)
