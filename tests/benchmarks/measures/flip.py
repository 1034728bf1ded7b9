# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving authority at the rate that the service permits: a time per cmdlet, so many requests at once, none early."""

from __future__ import annotations

from collections.abc import Generator

from tests.benchmarks import modules
from tests.benchmarks.bench import Bench
from tests.benchmarks.cloud import process as clouds
from tests.benchmarks.figures import Figure
from tests.benchmarks.settings import BenchError

_MODULE = "mailbox_authority"


def measure(bench: Bench) -> Generator[Figure, None, None]:
    """The share of the permitted rate, over all the time from the first write to the last."""
    size = bench.size
    bench.say(f"move {size.flip} mailboxes to the cloud, {size.flip_limit} requests at once")
    serving = clouds.serving(size.flip, bench.certificates, limit=size.flip_limit, cmdlet_s=size.cmdlet_s)
    with serving as cloud:
        cloud.change("all", cloud_managed=False)
        options = {**modules.tenant(bench.certificates), **modules.generous(_MODULE)}
        options |= {"all_mailboxes": True, "authority": "cloud"}
        own = modules.run(_MODULE, options)
        counts = cloud.counts()
        managed = cloud.cloud_managed()
    if own.result["counts"]["changed"] != size.flip or managed != size.flip:
        raise BenchError(f"{size.flip} mailboxes were to be moved, {managed} were: {own.result['counts']}")
    if counts["early"]:
        raise BenchError(f"{counts['early']} requests came before the Retry-After of the service was over.")
    bench.keep(_MODULE, [own.ran])
    bench.details["flip"] = counts
    permitted = size.flip_limit / size.cmdlet_s
    rate = counts["writes"] / (counts["last_write"] - counts["first_write"])
    against = (
        f"{rate:.1f} of {permitted:.1f} cmdlets a second; {counts['throttled']} requests refused, none early, at most "
        f"{counts['most_at_once']} at once"
    )
    yield Figure("flip", rate / permitted, "share", against, rate / permitted)
