# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The peers of OpenLDAP: ldapsearch over the same entries, and ldapmodify with a ready-made LDIF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.benchmarks import ldif, processes, slapd
from tests.benchmarks.certificates import Certificates
from tests.benchmarks.people import BASE_DN
from tests.benchmarks.processes import Ran

PAGE = 1000


def search(certificates: Certificates) -> Ran:
    """Print the anchors and the compared attributes of all users, in the pages that the collection asks for, into
    nothing."""
    return processes.run(
        [
            "ldapsearch",
            *slapd.account(),
            "-LLL",
            "-o",
            "ldif-wrap=no",
            "-E",
            f"pr={PAGE}/noprompt",
            "-b",
            BASE_DN,
            ldif.USERS,
            *ldif.ANCHORS,
            *ldif.COMPARED,
        ],
        what="ldapsearch",
        environment=slapd.environment(certificates.authority),
        keep_output=False,
    )


def apply(changes: Path, account: Sequence[str], environment: Mapping[str, str]) -> Ran:
    """Apply a file of change records over one connection."""
    return processes.run(
        ["ldapmodify", *account, "-f", changes], what="ldapmodify", environment=environment, keep_output=False
    )
