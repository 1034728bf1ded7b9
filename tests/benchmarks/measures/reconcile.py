# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The full reconciliation: time against ldapsearch and against a script, memory, and how it grows."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator

from tests.benchmarks import ldif, modules, people, processes, slapd
from tests.benchmarks.bench import Bench, proven, ratio
from tests.benchmarks.cloud import process as clouds
from tests.benchmarks.figures import Figure
from tests.benchmarks.peers import loop as loops
from tests.benchmarks.peers import openldap
from tests.benchmarks.processes import Ran
from tests.benchmarks.settings import BUILD, COLLECTIONS, DIRECTORY_PASSWORD, PYTHON, BenchError

_MODULE = "roundtrip_info"
_LOOK_S = 0.02
_LOOK_LARGE_S = 0.2


def measure(bench: Bench) -> Generator[Figure, None, None]:
    """All figures of the full reconciliation, and the Ansible loop over unchanged mailboxes beside it."""
    count = bench.size.reconcile
    loaded = bench.load(count)
    with slapd.serving(loaded, bench.certificates), clouds.serving(count, bench.certificates):
        bench.say("warm up")
        openldap.search(bench.certificates)
        proven(modules.run(_MODULE, bench.options()).result, count)
        searches, ours, scripts = _rounds(bench, count)
        search_s, own_s = bench.keep("ldapsearch", searches), bench.keep(_MODULE, ours)
        script_s = bench.keep("script", scripts)
        yield Figure("reconcile-100k", own_s, "s", f"ldapsearch {search_s:.3f} s", ratio(ours, searches))
        against = f"the script {script_s:.3f} s over {own_s:.3f} s"
        faster = ratio(scripts, ours)
        yield Figure("reconcile-script", faster, "times", against, faster)
        yield _peak(bench, "reconcile-100k-peak-mb", count, 400)
        _find_planted(bench)
        _through_playbook(bench)
        yield _unchanged_loop(bench, own_s / count)
    yield from _large(bench)


def _rounds(bench: Bench, count: int) -> tuple[list[Ran], list[Ran], list[Ran]]:
    """The peers in turns, so that whatever else the machine does meets them alike."""
    searches: list[Ran] = []
    ours: list[Ran] = []
    scripts: list[Ran] = []
    for number in range(bench.size.rounds):
        bench.say(f"reconcile {count} mailboxes, round {number + 1} of {bench.size.rounds}")
        searches.append(openldap.search(bench.certificates))
        own = modules.run(_MODULE, bench.options())
        proven(own.result, count)
        ours.append(own.ran)
        scripts.append(bench.script())
        said = json.loads(scripts[-1].output)
        if said != {"total": count, "missing": 0, "differing": []}:
            raise BenchError(f"The script did not find {count} equal mailboxes: {str(said)[:300]}")
    return searches, ours, scripts


def _peak(bench: Bench, name: str, count: int, limit_mb: int) -> Figure:
    """The peak of memory, in a run of its own, because looking takes time."""
    own = modules.run(_MODULE, bench.options(), memory_every_s=_LOOK_S)
    proven(own.result, count)
    return _peak_figure(name, own.ran, limit_mb)


def _peak_figure(name: str, ran: Ran, limit_mb: int) -> Figure:
    if ran.peak_mb is None:
        raise BenchError(f"{name}: memory was not looked at.")
    return Figure(name, ran.peak_mb, "MB", f"a limit of {limit_mb} MB", ran.peak_mb / limit_mb)


def _find_planted(bench: Bench) -> None:
    """A fast answer must be a right one: both readers have to find exactly the differences that are planted."""
    bench.say("find planted differences")
    step = bench.size.reconcile // bench.size.planted
    chosen = [people.person(number) for number in range(step // 2, bench.size.reconcile, step)]
    names = sorted(person.user_principal_name for person in chosen)
    there, back = [], []
    for person in chosen:
        other = people.person(person.number, 1)
        there.append(ldif.difference(person, other))
        back.append(ldif.difference(other, person))
    slapd.modify(b"".join(there), bench.certificates)
    try:
        options = {**bench.options(), "proxy_addresses": "exact", "report_limit": len(names) + 10}
        own = modules.run(_MODULE, options)
        found = sorted(item["object"] for item in own.result["differing"])
        if own.result["proven"] or found != names:
            raise BenchError(f"{len(names)} differences were planted; the module found {len(found)}: {found[:5]}")
        by_script = json.loads(bench.script().output)["differing"]
        if sorted(by_script) != names:
            raise BenchError(f"{len(names)} differences were planted; the script found {len(by_script)}.")
        bench.details["planted differences found"] = len(found)
        bench.keep(f"{_MODULE} with differences", [own.ran])
    finally:
        slapd.modify(b"".join(back), bench.certificates)


def _through_playbook(bench: Bench) -> None:
    """The same through ansible-playbook, for the record: what a user waits for."""
    bench.say("the same through ansible-playbook")
    options = {**bench.options(), "fail_on_difference": True}
    play = [
        {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": str(PYTHON)},
            "tasks": [{"name": "Prove the round trip", "hybrid.exchange.roundtrip_info": options}],
        }
    ]
    playbook = BUILD / "roundtrip.yml"
    playbook.touch(mode=0o600)
    playbook.write_text(json.dumps(play), encoding="utf-8")
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_LOCALHOST_WARNING": "false"}
    command = [PYTHON.parent / "ansible-playbook", playbook]
    bench.keep(
        "roundtrip_info through ansible-playbook", [processes.run(command, what="A play", environment=environment)]
    )


def _unchanged_loop(bench: Bench, own_s: float) -> Figure:
    """What a loop takes for a mailbox that is as it should be."""
    bench.say("an Ansible loop over unchanged mailboxes")
    loop = loops.find()
    server = {
        "url": slapd.URL,
        "user": slapd.USER,
        "password": DIRECTORY_PASSWORD,
        "ca": str(bench.certificates.authority),
    }
    sample = list(people.people(bench.size.loop))
    variables = slapd.environment(bench.certificates.authority)
    seconds = loops.run(loop, sample, "", server, variables, changed=False)
    note = f" ({loop.instead})" if loop.instead else ""
    bench.details["loop over unchanged mailboxes"] = {"module": loop.module, "seconds": seconds, "note": loop.instead}
    against = f"a loop over {loop.module}{note} {seconds:.3f} s per mailbox over {own_s:.6f} s"
    return Figure("ansible-loop", seconds / own_s, "times", against, seconds / own_s)


def _large(bench: Bench) -> Iterator[Figure]:
    """Memory and growth at the largest number that Microsoft supports."""
    small, large = bench.size.reconcile, bench.size.large
    runs: dict[int, list[Ran]] = {small: [], large: []}
    for number in range(bench.size.large_rounds):
        for count, kept in runs.items():
            bench.say(f"reconcile {count} mailboxes, round {number + 1} of {bench.size.large_rounds}")
            kept.append(_served(bench, count))
    bench.say(f"reconcile {large} mailboxes and look at the memory")
    yield _peak_figure("reconcile-600k-peak-mb", _served(bench, large, memory_every_s=_LOOK_LARGE_S), 1000)
    large_s = bench.keep(f"{_MODULE} of {large}", runs[large])
    small_s = bench.keep(f"{_MODULE} of {small} beside it", runs[small])
    growth = ratio(runs[large], runs[small]) * small / large
    against = f"{large} mailboxes {large_s:.3f} s, {small} {small_s:.3f} s"
    yield Figure("reconcile-scaling", growth, "times", against, growth)


def _served(bench: Bench, count: int, memory_every_s: float | None = None) -> Ran:
    """One reconciliation of a tenant of that size, whose servers were warmed up."""
    loaded = bench.load(count)
    with slapd.serving(loaded, bench.certificates), clouds.serving(count, bench.certificates):
        openldap.search(bench.certificates)
        own = modules.run(_MODULE, bench.options(), memory_every_s=memory_every_s)
        proven(own.result, count)
        return own.ran
