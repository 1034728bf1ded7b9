# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What a topology comes to in the result of a task: small, with everything in the artifact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.ports import Artifacts, Writer
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.kinds import KINDS
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.topology import (
    Thing,
    Topology,
    exit_hints,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import Artifact
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import first

_SERVER_KEYS = ("fqdn", "version", "role_names", "site", "availability_group", "created")


def save(topology: Topology, artifacts: Artifacts) -> Artifact:
    """Every object as one line of an artifact, the forest first."""
    with artifacts(f"topology-{topology.forest}") as writer:
        write(topology, writer)
    return writer.artifact


def write(topology: Topology, writer: Writer) -> None:
    """The lines of a topology."""
    for line in lines(topology):
        writer.write(line)


def lines(topology: Topology) -> Iterator[dict[str, Any]]:
    """A line about the forest, then one for each object."""
    yield {
        "kind": "forest",
        "name": topology.forest,
        "dn": topology.configuration_dn,
        "domains": list(topology.domains),
        "schema_version": topology.schema_version,
        "fingerprint": topology.fingerprint,
        "unread": dict(topology.unread),
    }
    for kind in KINDS:
        for thing in topology.of(kind):
            yield thing.line()


def result(topology: Topology, artifact: Artifact, limit: int) -> dict[str, Any]:
    """The keys of a task's result."""
    organization = topology.organization
    return {
        "exchange": organization is not None,
        "organization": None if organization is None else {"name": organization.name, **organization.properties},
        "forest": topology.forest,
        "domains": list(topology.domains),
        "domains_unread": dict(topology.unread),
        "schema_version": topology.schema_version,
        "servers": [_server(thing) for thing in first(topology.of("server"), limit)],
        "exit_hints": exit_hints(topology),
        "fingerprint": topology.fingerprint,
        "counts": {kind: len(topology.of(kind)) for kind in KINDS},
        "directory_host": topology.host,
        "artifact": artifact,
    }


def _server(thing: Thing) -> dict[str, Any]:
    return {"name": thing.name, **{key: thing[key] for key in _SERVER_KEYS}}
