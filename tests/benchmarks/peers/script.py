# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The peer of the full reconciliation: what a good engineer writes in an afternoon, and all that is needed.

Reads the mailboxes and the users of the tenant with requests, the users of the directory with ldap3's paged search,
keeps each side in a dictionary, compares the 24 attributes, and modifies what differs, one object after the other. It
shares no code with the collection, and says in JSON what it found.

    script.py OPTIONS.json [--write]
"""

from __future__ import annotations

import base64
import json
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ldap3
import requests

CUSTOM = [f"CustomAttribute{number}" for number in range(1, 16)]
EXTENSION = [f"ExtensionCustomAttribute{number}" for number in range(1, 6)]
SELECT = ["ExternalDirectoryObjectId", "UserPrincipalName", "RecipientTypeDetails", "IsDirSynced"]
SELECT += ["IsExchangeCloudManaged", "EmailAddresses", "WindowsEmailAddress", *CUSTOM, *EXTENSION]
TYPES = {
    "UserMailbox": ("2147483648", "-2147483642"),
    "SharedMailbox": ("34359738368", "-2147483642"),
    "RoomMailbox": ("8589934592", "-2147481850"),
    "EquipmentMailbox": ("17179869184", "-2147481594"),
}
MULTI = {"proxyAddresses", *(f"msExch{name}" for name in EXTENSION)}
ATTRIBUTES = ["proxyAddresses", "mail", *(f"extensionAttribute{number}" for number in range(1, 16))]
ATTRIBUTES += [f"msExch{name}" for name in EXTENSION]
ATTRIBUTES += ["msExchRecipientTypeDetails", "msExchRecipientDisplayType"]


def main() -> None:
    options = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    session = requests.Session()
    session.verify = options["ca_path"]
    session.headers["Authorization"] = f"Bearer {sign_in(session, options)}"
    mailboxes = {row["ExternalDirectoryObjectId"]: row for row in read_mailboxes(session, options)}
    anchors = {user["id"]: user.get("onPremisesImmutableId") for user in read_users(session, options)}
    with connect(options) as directory:
        objects = {anchor_of(entry): entry for entry in read_directory(directory, options)}
        differing = []
        missing = 0
        for object_id, mailbox in mailboxes.items():
            anchor = anchors.get(object_id)
            entry = objects.get(base64.b64decode(anchor)) if anchor else None
            if entry is None:
                missing += 1
                continue
            changes = compare(wanted_values(mailbox), entry["raw_attributes"])
            if changes:
                differing.append(mailbox["UserPrincipalName"])
                if "--write" in sys.argv:
                    directory.modify(entry["dn"], changes)
                    if directory.result["result"] != 0:
                        sys.exit(f"{entry['dn']}: {directory.result}")
    print(json.dumps({"total": len(mailboxes), "missing": missing, "differing": differing}))


def sign_in(session: requests.Session, options: dict[str, Any]) -> str:
    answer = session.post(
        f"{options['login_url']}/{options['tenant_id']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": options["client_id"],
            "client_secret": options["client_secret"],
            "scope": f"{options['exchange_url']}/.default",
        },
    )
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def read_mailboxes(session: requests.Session, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    url = f"{options['exchange_url']}/adminapi/beta/{options['tenant_id']}/InvokeCommand?$select={','.join(SELECT)}"
    body = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"ResultSize": "Unlimited"}}}
    while url:
        answer = session.post(url, json=body, headers={"Prefer": "odata.maxpagesize=1000"})
        answer.raise_for_status()
        page = answer.json()
        yield from page["value"]
        url = page.get("@odata.nextLink", "")


def read_users(session: requests.Session, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    url = f"{options['graph_url']}/v1.0/users?$select=id,onPremisesImmutableId&$top=999"
    while url:
        answer = session.get(url)
        answer.raise_for_status()
        page = answer.json()
        yield from page["value"]
        url = page.get("@odata.nextLink", "")


def connect(options: dict[str, Any]) -> Any:
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=options["directory_ca_path"])
    host, port = options["directory_hosts"][0], options["directory_port"]
    server = ldap3.Server(host, port=port, use_ssl=True, tls=tls, get_info=ldap3.NONE)
    user, password = options["directory_user"], options["directory_password"]
    return ldap3.Connection(server, user=user, password=password, auto_bind=True)


def read_directory(directory: Any, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    found = directory.extend.standard.paged_search(
        options["base_dn"],
        "(&(objectCategory=person)(objectClass=user))",
        attributes=["mS-DS-ConsistencyGuid", "objectGUID", *ATTRIBUTES],
        paged_size=1000,
        generator=True,
    )
    return (entry for entry in found if entry["type"] == "searchResEntry")


def anchor_of(entry: dict[str, Any]) -> bytes:
    raw = entry["raw_attributes"]
    return bytes((raw.get("mS-DS-ConsistencyGuid") or raw["objectGUID"])[0])


def wanted_values(mailbox: dict[str, Any]) -> dict[str, list[str]]:
    details, display = TYPES[mailbox["RecipientTypeDetails"]]
    wanted = {"proxyAddresses": mailbox["EmailAddresses"], "mail": [mailbox["WindowsEmailAddress"]]}
    wanted["msExchRecipientTypeDetails"], wanted["msExchRecipientDisplayType"] = [details], [display]
    for number, name in enumerate(CUSTOM, 1):
        wanted[f"extensionAttribute{number}"] = [mailbox[name]] if mailbox[name] else []
    for name in EXTENSION:
        wanted[f"msExch{name}"] = mailbox[name]
    return wanted


def compare(wanted: dict[str, list[str]], raw: dict[str, list[bytes]]) -> dict[str, Any]:
    """The changes that make the directory's values the wanted ones."""
    changes = {}
    for name in ATTRIBUTES:
        values = [value.encode() for value in wanted[name]]
        held = raw.get(name, [])
        if set(values) != set(held) if name in MULTI else values != held:
            changes[name] = [(ldap3.MODIFY_REPLACE, values)]
    return changes


if __name__ == "__main__":
    main()
