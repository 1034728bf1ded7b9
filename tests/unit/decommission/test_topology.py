# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The organisation as Active Directory has it, and what it is told apart by."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology import kinds as topology_kinds
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology import report as topology_report
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.read import identify, read
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.topology import (
    EMT_GROUP,
    exit_hints,
    role_names,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.topology.values import (
    boolean,
    dn_name,
    fqdn,
    guid,
    integer,
    moment,
    name_at,
    name_in,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Unavailable
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import ArtifactWriter
from gate_fakes import GUID, ROOT, SERVERS, Entry, FakeDirectory, entry

QUIET = SimpleNamespace(start=lambda *_given: None, advance=lambda *_given: None)


def test_everything_of_the_organisation_is_there_as_plain_data() -> None:
    topology = read(FakeDirectory(), QUIET)
    assert topology.organization is not None
    assert topology.organization.name == "Contoso"
    assert topology.organization["guid"] == str(GUID)
    assert topology.servers == ("EX01", "EX02")
    first = topology.of("server")[0]
    assert (first["fqdn"], first["role_names"], first["availability_group"]) == (
        "ex01.contoso.lab",
        ["Mailbox"],
        "DAG01",
    )
    assert first["created"] == "2021-03-04T10:11:12Z"
    assert first["site"] is None
    assert topology.of("database")[0]["copies"] == ["EX01", "EX02"]
    assert topology.of("availability_group")[0]["members"] == ["EX01", "EX02"]
    assert topology.of("receive_connector")[0]["server"] == "EX01"
    assert topology.of("service_connection_point")[1]["server"] == "EX02"
    assert topology.of("accepted_domain")[0]["type"] == "authoritative"
    assert topology.schema_version == 17003
    assert [thing.name for thing in topology.of("security_group")] == ["Organization Management"]
    assert len(topology.of("system_mailbox")) == 1
    assert not topology.of("mailbox")
    json.dumps(list(topology_report.lines(topology)))


def test_one_search_reads_each_partition_and_one_the_groups() -> None:
    directory = FakeDirectory()
    read(directory, QUIET)
    bases = [base for base, _wanted in directory.asked]
    assert len(bases) == 4
    assert len(set(bases)) == 4


def test_a_forest_without_exchange_is_no_failure(tmp_path: Path) -> None:
    directory = FakeDirectory(entries=[entry(ROOT, "domainDNS")])
    topology = read(directory, QUIET)
    assert topology.organization is None
    assert topology.servers == ()
    assert topology.schema_version is None
    artifact = topology_report.save(topology, lambda name: ArtifactWriter(tmp_path, name))
    result = topology_report.result(topology, artifact, 5)
    assert result["exchange"] is False
    assert result["organization"] is None
    assert set(result["counts"]) == set(topology_kinds.KINDS)
    assert not any(result["counts"].values())


def test_the_fingerprint_outlives_what_is_removed_and_tells_organisations_apart() -> None:
    whole = read(FakeDirectory(), QUIET).fingerprint
    assert (
        read(FakeDirectory().without("msExchRoutingSMTPConnector", "msExchExchangeServer"), QUIET).fingerprint == whole
    )
    assert identify(FakeDirectory()).fingerprint == whole
    assert identify(FakeDirectory()).servers == ("EX01", "EX02")
    assert read(FakeDirectory().without("msExchOrganizationContainer"), QUIET).fingerprint != whole
    other = FakeDirectory(configuration_dn="CN=Configuration,DC=other,DC=lab")
    assert identify(other).fingerprint != whole


def test_mailboxes_and_archives_of_people_are_told_from_the_systems_own() -> None:
    base = f"CN=DB01,{SERVERS}"
    directory = FakeDirectory()
    directory.entries += [
        entry(
            f"CN=Anna,CN=Users,{ROOT}",
            "user",
            homeMDB=base,
            msExchRecipientTypeDetails=1,
            msExchArchiveDatabaseLink=base,
        ),
        entry(f"CN=HealthMailbox1,CN=Users,{ROOT}", "user", homeMDB=base),
        entry(f"CN=List,CN=Users,{ROOT}", "group", msExchExpansionServerName="EX01"),
        entry(f"CN={EMT_GROUP},CN=Users,{ROOT}", "group"),
    ]
    topology = read(directory, QUIET)
    assert [thing.name for thing in topology.of("mailbox")] == ["Anna"]
    assert [thing.name for thing in topology.of("archive")] == ["Anna"]
    assert len(topology.of("system_mailbox")) == 2
    assert [thing.name for thing in topology.of("expansion_group")] == ["List"]
    assert exit_hints(topology)["exit"] == "management_tools"


@pytest.mark.parametrize("catalog", ["off", "broken", "there"])
def test_other_domains_are_read_in_the_global_catalog_or_said_to_be_unread(catalog: str) -> None:
    directory = FakeDirectory()
    directory.entries.append(
        entry(f"CN=CHILD,CN=Partitions,CN=Configuration,{ROOT}", "crossRef", systemFlags=3, dnsRoot="child.contoso.lab")
    )
    there = [entry(f"CN=Cem,CN=Users,DC=child,{ROOT}", "user", homeMDB="CN=DB01")]

    def search(base: str, wanted: str, names: object) -> list[Entry]:
        if catalog == "broken":
            raise Unavailable("nobody answers")
        return there

    if catalog != "off":
        directory.catalog = SimpleNamespace(base_dn="", search=search, close=lambda: None)
    topology = read(directory, QUIET)
    assert topology.domains == ("child.contoso.lab", "contoso.lab")
    assert bool(topology.unread) == (catalog != "there")
    assert len(topology.of("mailbox")) == (catalog == "there")


def test_values_that_are_not_what_they_should_be_are_none() -> None:
    assert integer((b"x",)) is None
    assert integer(()) is None
    assert boolean((b"maybe",)) is None
    assert guid((b"short",)) is None
    assert moment((b"yesterday",)) is None
    assert fqdn((b"netbios:EX01",)) is None
    assert dn_name(()) is None
    assert name_in("CN=a\\,b\\20,CN=x") == "a,b "
    assert name_at("CN=a,CN=b", 5) == ""


@pytest.mark.parametrize(
    ("roles", "names"), [(54, ["Mailbox"]), (64, ["Edge"]), (None, []), (2, ["Mailbox"]), (4, ["ClientAccess"])]
)
def test_roles_in_words(roles: int | None, names: list[str]) -> None:
    assert role_names(roles) == names
