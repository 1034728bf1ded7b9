# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds the seed to a forest's database before the domain controller starts. Runs under the system's Python."""

from __future__ import annotations

from typing import Any

import ldb
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack

from tests.lab.forest.entries import Entry
from tests.lab.forest.extend import transaction
from tests.lab.forest.people import root_dn
from tests.lab.forest.rights import entries
from tests.lab.forest.tree import built_in_members, seed, service_accounts, service_unit
from tests.lab.settings import Forest

BATCH = 60


def populate(samdb: Any, forest: Forest) -> dict[str, str]:
    """In small transactions (the cost of an addition grows with the size of its transaction).

    Access rights are set as soon as the accounts they name exist, so that everything later inherits them.

    Returns the security descriptors (hex) of the objects that have an own one, by objectGUID, for a later reset.
    """
    domain_sid = security.dom_sid(forest.domain_sid)
    accounts = {entry.dn for entry in service_accounts(forest)}
    everything = _accounts_first(forest)
    for begin in range(0, len(everything), BATCH):
        with transaction(samdb):
            for entry in everything[begin : begin + BATCH]:
                samdb.add(_message(samdb, entry, domain_sid), ["relax:0"])
                if entry.dn in accounts:
                    accounts.remove(entry.dn)
                    if not accounts:
                        grant(samdb, forest, domain_sid)
                        _join_built_in_groups(samdb, forest)
    return {
        entry.guid: ndr_pack(security.descriptor.from_sddl(entry.sddl, domain_sid)).hex()
        for entry in seed(forest.name)
        if entry.sddl is not None
    }


def _accounts_first(forest: Forest) -> list[Entry]:
    root = root_dn(forest)
    first = {root, service_unit(forest), *(entry.dn for entry in service_accounts(forest))}
    everything = seed(forest.name)
    return [e for e in everything if e.dn in first] + [e for e in everything if e.dn not in first]


def grant(samdb: Any, forest: Forest, domain_sid: Any) -> None:
    """Put the service accounts' access control entries on the root unit."""
    sids = {}
    for account in forest.accounts:
        found = samdb.search(forest.base_dn, ldb.SCOPE_SUBTREE, f"(sAMAccountName={account.name})", ["objectSid"])
        sids[account.role] = str(ndr_unpack(security.dom_sid, found[0]["objectSid"][0]))
    root = root_dn(forest)
    found = samdb.search(root, ldb.SCOPE_BASE, attrs=["nTSecurityDescriptor"])
    descriptor = ndr_unpack(security.descriptor, found[0]["nTSecurityDescriptor"][0])
    sddl = descriptor.as_sddl(domain_sid)
    owner, _mark, dacl = sddl.partition("D:")
    acl, system, audit = dacl.partition("S:")
    changed = security.descriptor.from_sddl(f"{owner}D:{acl}{''.join(entries(sids))}{system}{audit}", domain_sid)
    message = ldb.Message(ldb.Dn(samdb, root))
    message["d"] = ldb.MessageElement(ndr_pack(changed), ldb.FLAG_MOD_REPLACE, "nTSecurityDescriptor")
    samdb.modify(message)


def _join_built_in_groups(samdb: Any, forest: Forest) -> None:
    for group, member in built_in_members(forest):
        message = ldb.Message(ldb.Dn(samdb, group))
        message["m"] = ldb.MessageElement([member.encode()], ldb.FLAG_MOD_ADD, "member")
        samdb.modify(message)


def _message(samdb: Any, entry: Entry, domain_sid: Any) -> Any:
    message = ldb.Message(ldb.Dn(samdb, entry.dn))
    values: dict[str, list[bytes]] = {name: list(value) for name, value in entry.attributes.items()}
    values["objectClass"] = [cls.encode() for cls in entry.classes]
    values["objectGUID"] = [entry.guid_bytes]
    if entry.sddl is not None:
        values["nTSecurityDescriptor"] = [ndr_pack(security.descriptor.from_sddl(entry.sddl, domain_sid))]
    if entry.password is not None:
        values["unicodePwd"] = [f'"{entry.password}"'.encode("utf-16-le")]
    for name, value in values.items():
        message[name] = ldb.MessageElement(value, ldb.FLAG_MOD_ADD, name)
    return message
