# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo looks with, not the collection's code: Exchange by HTTP, AD by ldapsearch, the lab's CLI."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[2]
BINARY = {"nTSecurityDescriptor"}


@dataclass(frozen=True)
class Lab:
    """The running lab: its hand-over file and its command line."""

    directory: Path
    config: dict[str, Any]

    @classmethod
    def find(cls) -> Lab:
        """Reads the hand-over file; SystemExit with one sentence where there is none."""
        path = Path(os.environ.get("HYBRID_LAB_FILE", ROOT / "build" / "lab" / "lab.json")).absolute()
        if not path.exists():
            sys.exit(f"The lab is not up: {path} is missing. Run 'make lab' first.")
        return cls(path.parent, json.loads(path.read_text(encoding="utf-8")))

    def command(self, *arguments: str) -> str:
        """Runs one command of the lab and returns what it printed."""
        environment = {**os.environ, "HYBRID_LAB_DIR": str(self.directory)}
        done = subprocess.run(
            [sys.executable, "-m", "tests.lab", *arguments],
            check=False,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            sys.exit(f"'tests.lab {' '.join(arguments)}' failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def requests_after(self, sequence: int, *, writes: bool) -> list[dict[str, Any]]:
        """The requests that the lab's services logged after a sequence number."""
        arguments = ["log", "--json", "--after", str(sequence), *(["--writes"] if writes else [])]
        found = json.loads(self.command(*arguments))
        rows: list[dict[str, Any]] = found["requests"] if isinstance(found, dict) else found
        return rows

    def jobs(self, tenant: str) -> list[dict[str, Any]]:
        """The synchronization jobs of a tenant with their state."""
        state = json.loads(self.command("status", "--json"))["state"]
        return [job for row in state["tenants"] if row["name"] == tenant for job in row["jobs"]]

    def last_request(self) -> int:
        """The sequence number of the newest request."""
        return max((int(row["seq"]) for row in self.requests_after(0, writes=False)), default=0)


def sign_in(session: requests.Session, lab: Lab, tenant: str, audience: str) -> None:
    """Lets a session speak to a service of the lab as the tenant's application."""
    session.trust_env = False
    session.verify = lab.config["ca"]
    settings = lab.config["tenants"][tenant]
    answer = session.post(
        f"{lab.config['login']}/{settings['tenant_id']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": settings["application"]["client_id"],
            "client_secret": settings["application"]["client_secret"],
            "scope": f"{audience}/.default",
        },
        timeout=600,
    )
    answer.raise_for_status()
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


def move_to_the_cloud(lab: Lab, tenant: str, collection: str) -> None:
    """Moves the source of authority of all synchronized groups or contacts, by Graph."""
    with requests.Session() as session:
        sign_in(session, lab, tenant, "https://graph.microsoft.com")
        url: str | None = f"{lab.config['graph']}/v1.0/{collection}?$select=id,onPremisesSyncEnabled"
        rows: list[dict[str, Any]] = []
        while url:
            answer = session.get(url, timeout=600)
            answer.raise_for_status()
            rows += answer.json()["value"]
            url = answer.json().get("@odata.nextLink")
        for row in rows:
            if row["onPremisesSyncEnabled"]:
                one = f"{lab.config['graph']}/v1.0/{collection}/{row['id']}/onPremisesSyncBehavior"
                session.patch(one, json={"isCloudManaged": True}, timeout=600).raise_for_status()


@dataclass
class Exchange:
    """Exchange Online of one tenant, as an administrator uses it."""

    lab: Lab
    tenant: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.tenant_id = self.lab.config["tenants"][self.tenant]["tenant_id"]
        sign_in(self.session, self.lab, self.tenant, "https://outlook.office365.com")
        self.session.headers["X-AnchorMailbox"] = (
            f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{self.tenant_id}"
        )

    def invoke(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """Runs one cmdlet and returns all its rows; SystemExit with the service's words where it is refused."""
        url: str | None = f"{self.lab.config['exchange']}/adminapi/beta/{self.tenant_id}/InvokeCommand"
        rows: list[dict[str, Any]] = []
        while url:
            answer = self.session.post(
                url, json={"CmdletInput": {"CmdletName": name, "Parameters": parameters}}, timeout=600
            )
            if answer.status_code >= 400:
                sys.exit(f"{name} was refused with {answer.status_code}: {answer.text[:500]}")
            body = answer.json() if answer.content else {}
            rows += body.get("value", [])
            url = body.get("@odata.nextLink")
        return rows

    def mailbox(self, identity: str) -> dict[str, Any]:
        """All properties of one mailbox."""
        return self.invoke("Get-Mailbox", Identity=identity)[0]


def hash_table(*, add: list[str] | None = None, remove: list[str] | None = None) -> dict[str, Any]:
    """The JSON form of PowerShell's @{Add=...; Remove=...}."""
    return {"@odata.type": "#Exchange.GenericHashTable", "Add": add or [], "Remove": remove or []}


def ldapsearch(
    lab: Lab, tenant: str, filter_text: str, *attributes: str, base: str = "", administrator: bool = False
) -> dict[str, dict[str, list[str]]]:
    """Searches a forest with the ldapsearch of the system; attributes by DN, values as text, sorted.

    Values of BINARY attributes are in base64.
    """
    settings = lab.config["tenants"][tenant]["directory"]
    reader = {"user": settings["reader_user"], "password": settings["reader_password"]}
    account = settings["administrator"] if administrator else reader
    done = subprocess.run(
        [
            *("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-x", "-E", "pr=500/noprompt"),
            *(
                "-H",
                f"ldaps://{settings['dc_host']}:{settings['port']}",
                "-D",
                account["user"],
                "-w",
                account["password"],
            ),
            *("-b", base or settings["base_dn"], filter_text, *attributes),
        ],
        check=False,
        env={**os.environ, "LDAPTLS_CACERT": lab.config["ca"]},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        sys.exit(f"ldapsearch failed: {done.stderr}")
    return _parse_ldif(done.stdout)


def ldapmodify(lab: Lab, tenant: str, dn: str, change: str, kind: str = "modify") -> None:
    """Changes an object as the forest's administrator would, with the ldapmodify of the system; ``change`` is LDIF.

    ``kind`` is the changetype: modify, add or delete.
    """
    settings = lab.config["tenants"][tenant]["directory"]
    administrator = settings["administrator"]
    done = subprocess.run(
        [
            *("ldapmodify", "-x", "-H", f"ldaps://{settings['dc_host']}:{settings['port']}"),
            *("-D", administrator["user"], "-w", administrator["password"]),
        ],
        input=f"dn:: {base64.b64encode(dn.encode()).decode()}\nchangetype: {kind}\n{change}\n",
        check=False,
        env={**os.environ, "LDAPTLS_CACERT": lab.config["ca"]},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        sys.exit(f"ldapmodify failed: {done.stderr}")


def _parse_ldif(text: str) -> dict[str, dict[str, list[str]]]:
    entries: dict[str, dict[str, list[str]]] = {}
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        if ": " not in line or line.startswith("#"):
            continue
        name, _colon, value = line.partition(": ")
        if name.endswith(":"):
            name = name[:-1]
            value = value if name in BINARY else base64.b64decode(value).decode("utf-8", "backslashreplace")
        if name == "dn":
            values = entries.setdefault(value, {})
        else:
            values.setdefault(name, []).append(value)
    return {dn: {name: sorted(found) for name, found in sorted(held.items())} for dn, held in entries.items()}
