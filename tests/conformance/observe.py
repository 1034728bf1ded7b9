# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readers of both sides that share nothing with the collection: ldapsearch, and MSAL with requests."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Mapping
from typing import Any

import msal
import requests

WRITTEN_BACK = (
    "proxyAddresses",
    "mail",
    *(f"extensionAttribute{number}" for number in range(1, 16)),
    *(f"msExchExtensionCustomAttribute{number}" for number in range(1, 6)),
    "msExchRecipientTypeDetails",
    "msExchRecipientDisplayType",
)
OTHERS = ("msExchHideFromAddressLists", "mailNickname", "targetAddress", "msExchRemoteRecipientType", "altRecipient")

Directory = dict[str, dict[str, frozenset[str]]]


def directory(lab: Mapping[str, Any], tenant: str) -> Directory:
    """Every user of the forest by distinguished name, with its Exchange attributes, as ldapsearch prints them."""
    settings = lab["tenants"][tenant]["directory"]
    administrator = settings["administrator"]
    output = subprocess.run(
        [
            "ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-x", "-E", "pr=1000/noprompt",
            "-H", f"ldaps://{settings['dc_host']}", "-D", administrator["user"], "-w", administrator["password"],
            "-b", settings["base_dn"], "(&(objectClass=user)(!(objectClass=computer)))", *WRITTEN_BACK, *OTHERS,
        ],
        env={**os.environ, "LDAPTLS_CACERT": lab["ca"]},
        check=True,
        capture_output=True,
        text=True,
    ).stdout  # fmt: skip
    return _parsed(output)


def _parsed(ldif: str) -> Directory:
    found: Directory = {}
    entry: dict[str, set[str]] = {}
    name = ""
    for line in [*ldif.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line:
            if name:
                found[name] = {attribute: frozenset(values) for attribute, values in entry.items()}
            entry, name = {}, ""
            continue
        attribute, _colon, value = line.partition(":")
        text = base64.b64decode(value[1:].strip()).decode() if value.startswith(":") else value.strip()
        if attribute == "dn":
            name = text
        else:
            entry.setdefault(attribute, set()).add(text)
    return found


def _session(lab: Mapping[str, Any], tenant: str) -> tuple[str, requests.Session]:
    settings = lab["tenants"][tenant]
    session = requests.Session()
    session.trust_env = False  # else REQUESTS_CA_BUNDLE would stand above the lab's own authority
    session.verify = lab["ca"]
    application = msal.ConfidentialClientApplication(
        settings["application"]["client_id"],
        client_credential=settings["application"]["client_secret"],
        authority=f"{lab['login']}/{settings['tenant_id']}",
        instance_discovery=False,
        http_client=session,
    )
    token = application.acquire_token_for_client([f"{lab['exchange']}/.default"])["access_token"]
    session.headers.update({"Authorization": f"Bearer {token}", "Prefer": "odata.maxpagesize=1000"})
    return f"{lab['exchange']}/adminapi/beta/{settings['tenant_id']}/InvokeCommand", session


def invoke(lab: Mapping[str, Any], tenant: str, cmdlet: str, **parameters: Any) -> list[dict[str, Any]]:
    """Runs one cmdlet and returns its rows, all pages of them."""
    url, session = _session(lab, tenant)
    body = {"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}}
    rows: list[dict[str, Any]] = []
    while url:
        answer = session.post(url, json=body, timeout=600)
        answer.raise_for_status()
        page = answer.json() if answer.content else {}
        rows += page.get("value", [])
        url = page.get("@odata.nextLink", "")
    return rows


def mailboxes(lab: Mapping[str, Any], tenant: str) -> dict[str, dict[str, Any]]:
    """Every mailbox of the tenant by its object id, as Exchange Online answers."""
    rows = invoke(lab, tenant, "Get-Mailbox", ResultSize="Unlimited")
    return {row["ExternalDirectoryObjectId"]: row for row in rows}


def settled(lab: Mapping[str, Any], tenant: str) -> tuple[Directory, dict[str, dict[str, Any]]]:
    """Both sides without what moves by itself, to compare two runs."""
    volatile = {"WhenChanged", "WhenChangedUTC", "WhenCreated", "WhenCreatedUTC"}
    rows = mailboxes(lab, tenant)
    return directory(lab, tenant), {
        key: {name: value for name, value in row.items() if name not in volatile} for key, row in rows.items()
    }
