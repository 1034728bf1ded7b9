# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines against real domain controllers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import ldap3
import pytest

from tests.lab import settings
from tests.lab.clock import Clock
from tests.lab.engines import Engines, tailoring
from tests.lab.engines.directory import Directory, opened
from tests.lab.engines.schema import TEMPLATE_ID
from tests.lab.forest import access
from tests.lab.forest.people import Kind, people
from tests.lab.forest.reset import reset
from tests.lab.scenario import Scenario
from tests.lab.store import Store

TENANT = settings.tenant("contoso")


@pytest.fixture(scope="module")
def administrator(forests: settings.Settings) -> Iterator[ldap3.Connection]:
    connection = access.open_directory(TENANT.name, "administrator", forests.run_dir)
    yield connection
    connection.unbind()


@pytest.fixture
def store(tmp_path: Path, administrator: ldap3.Connection) -> Iterator[Store]:
    made = Store(tmp_path / "state.sqlite")
    made.put_tenant(
        {
            "name": TENANT.name,
            "id": TENANT.tenant_id,
            "domain": TENANT.domain,
            "initial_domain": TENANT.initial_domain,
            "verified_domains": list(TENANT.verified_domains),
        }
    )
    made.put(TENANT.tenant_id, "agent", "a", {"id": "a", "status": "active"})
    pairs = [{"key": "Domain", "value": json.dumps({"domain": TENANT.domain})}]
    made.put(TENANT.tenant_id, "secret", "sp", {"value": pairs})
    yield made
    made.close()
    reset(TENANT.name)


def _engines(store: Store) -> Engines:
    clock = Clock(store)
    clock.reset()
    return Engines(store, clock, Scenario(store), access.open_directory, access.base_dn)


def _read(connection: ldap3.Connection, dn: str, name: str) -> list[str]:
    connection.search(dn, "(objectClass=*)", ldap3.BASE, attributes=[name])
    return [value.decode() for value in connection.response[0]["raw_attributes"].get(name, [])]


def test_a_round_trip_of_the_whole_forest(store: Store, administrator: ldap3.Connection) -> None:
    engines, tenant_id = _engines(store), TENANT.tenant_id
    engines.connect_sync(tenant_id, initial=True)
    seeded = people(TENANT.name)
    remote = [one for one in seeded if one.kind not in (Kind.PLAIN, Kind.ON_PREMISES)]
    mailboxes = store.list(tenant_id, "mailbox")
    assert len(mailboxes) == len(remote) - sum(one.conflict for one in remote) // 2
    by_anchor = {user["onPremisesImmutableId"]: user for user in store.list(tenant_id, "user")}
    for mailbox in mailboxes:
        changed = {**mailbox, "IsExchangeCloudManaged": True, "CustomAttribute15": "engine test"}
        store.put(tenant_id, "mailbox", mailbox["ExternalDirectoryObjectId"], changed)
    job = engines.job_created(tenant_id, {"templateId": TEMPLATE_ID, "_servicePrincipal": "sp"})
    engines.start(tenant_id, job["id"])
    summary = engines.run_cycle(tenant_id, job["id"])
    protected = [one for one in remote if one.protected]
    assert summary["state"] == "EntryLevelErrors"
    assert summary["failed"] == len(protected) + 1
    assert summary["exported"] == len(mailboxes) - summary["failed"]
    ordinary = next(one for one in remote if not one.protected and not one.conflict)
    assert _read(administrator, ordinary.dn, "extensionAttribute15") == ["engine test"]
    assert _read(administrator, protected[0].dn, "extensionAttribute15") != ["engine test"]
    held_back = {by_anchor[one.immutable_id]["id"] for one in protected}
    assert held_back < set((store.get(tenant_id, "job", job["id"]) or {})["_escrows"])

    assert engines.run_cycle(tenant_id, job["id"])["exported"] == 0

    for mailbox in store.list(tenant_id, "mailbox"):
        changed = {**mailbox, "IsExchangeCloudManaged": False, "CustomAttribute1": "only in the cloud"}
        store.put(tenant_id, "mailbox", mailbox["ExternalDirectoryObjectId"], changed)
    engines.connect_sync(tenant_id)
    values = {mailbox["CustomAttribute1"] for mailbox in store.list(tenant_id, "mailbox")}
    assert "only in the cloud" not in values


def test_custom_mappings_over_the_whole_forest(store: Store, administrator: ldap3.Connection) -> None:
    engines, tenant_id = _engines(store), TENANT.tenant_id
    engines.connect_sync(tenant_id, initial=True)
    mailboxes = store.list(tenant_id, "mailbox")
    for mailbox in mailboxes:
        flagged = {**mailbox, "IsExchangeCloudManaged": True}
        store.put(tenant_id, "mailbox", mailbox["ExternalDirectoryObjectId"], flagged)
    job = engines.job_created(tenant_id, {"templateId": TEMPLATE_ID, "_servicePrincipal": "sp"})
    store.put(tenant_id, "job", job["id"], {**job, "_schema": tailoring.customized(job["_schema"])})
    with opened(access.open_directory, TENANT.name, access.base_dn(TENANT.name)) as directory:
        had = directory.search("(msExchArchiveName=*)", ["msExchArchiveName"])
        before = {entry.dn: entry.texts("msExchArchiveName") for entry in had}
    engines.start(tenant_id, job["id"])
    engines.run_cycle(tenant_id, job["id"])
    escrows = set((store.get(tenant_id, "job", job["id"]) or {})["_escrows"])
    users = {user["id"]: user for user in store.list(tenant_id, "user")}
    names = ["description", "adminDescription", "info", "msExchRetentionComment", "msExchArchiveName"]
    written = {}
    with opened(access.open_directory, TENANT.name, access.base_dn(TENANT.name)) as directory:
        for entry in directory.search("(adminDescription=*)", names):
            written[entry.dn] = {name: sorted(entry.texts(name)) for name in names}
    expected = {}
    for mailbox in mailboxes:
        user = users[mailbox["ExternalDirectoryObjectId"]]
        if user["id"] not in escrows:
            expected[user["onPremisesDistinguishedName"]] = {
                "description": [mailbox["WindowsEmailAddress"].lower()],
                "adminDescription": ["Exchange attributes come from the cloud"],
                "info": [f"{user.get('department') or ''} (cloud)"],
                "msExchRetentionComment": [user.get("officeLocation") or "no office"],
                "msExchArchiveName": sorted(
                    {*before.get(user["onPremisesDistinguishedName"], ()), user["displayName"]}
                ),
            }
    assert len(expected) > 200
    assert written == expected


def test_values_beyond_a_range_are_fetched(administrator: ldap3.Connection) -> None:
    with opened(access.open_directory, TENANT.name, access.base_dn(TENANT.name)) as directory:
        groups = directory.search("(objectClass=group)", ["member"])
        largest = max(groups, key=lambda entry: len(entry.all("member")))
        assert len(largest.all("member")) > 1500
        assert _ranged(directory, largest.dn) == largest.all("member")


def _ranged(directory: Directory, dn: str) -> list[bytes]:
    """The members, when the first answer holds a hundred of them only."""
    (entry,) = directory.search("(objectClass=group)", ["member;range=0-99"], base=dn)
    return entry.all("member")
