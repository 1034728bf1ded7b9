# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab from outside: what tests and the command line use to look at it and to steer it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import requests

from tests.lab import ldif
from tests.lab.settings import run_dir

Document = dict[str, Any]


class LabError(Exception):
    """The lab refused, or could not be reached; the text says what to do."""


class Lab:
    """Control of a running lab; every method is one request to its control address."""

    def __init__(self, config: Document, timeout_s: float = 600.0) -> None:
        """``config`` is the content of lab.json."""
        self.config = config
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = config["ca"]

    @classmethod
    def from_run_dir(cls, path: Path | str | None = None) -> Lab:
        """The lab of a run directory (default: HYBRID_LAB_DIR or the checkout's build/lab)."""
        folder = Path(path) if path is not None else run_dir()
        file = folder / "lab.json"
        try:
            return cls(json.loads(file.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise LabError(f"There is no lab in {folder}; start one with: python -m tests.lab up") from error
        except ValueError as error:
            raise LabError(f"{file} is not readable ({error}); run: python -m tests.lab up --fresh") from error

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def __enter__(self) -> Lab:
        """Use as a context manager."""
        return self

    def __exit__(self, *_details: object) -> None:
        """Close the connections."""
        self.close()

    def _call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        url = self.config["control"].rstrip("/") + path
        try:
            answer = self._session.request(method, url, json=body, params=query or None, timeout=self._timeout_s)
        except requests.RequestException as error:
            raise LabError(
                f"The lab at {url} does not answer ({error}); is it up? python -m tests.lab status"
            ) from error
        try:
            content = answer.json()
        except ValueError as error:
            raise LabError(f"The lab answered {method} {path} with {answer.status_code} and no JSON.") from error
        if answer.status_code >= 400:
            text = content.get("error") if isinstance(content, dict) else content
            raise LabError(f"{method} {path}: {text}")
        return content

    def state(self) -> Document:
        """Tenants, clock, jobs, faults, scenario, counts, violations."""
        return self._object(self._call("GET", "/state"))

    def advance(self, seconds: float) -> Document:
        """Move the clock; everything that falls due runs before this returns."""
        return self._object(self._call("POST", "/clock", {"advance_seconds": seconds}))

    def set_rate(self, rate: float) -> Document:
        """Lab seconds per real second."""
        return self._object(self._call("POST", "/clock", {"rate": rate}))

    def scenario(self, **changes: Any) -> Document:
        """The switches; those given are set first."""
        return self._object(self._call("PUT", "/scenario", changes) if changes else self._call("GET", "/scenario"))

    def faults(self) -> list[Document]:
        """The armed faults."""
        return self._list(self._call("GET", "/faults"))

    def add_fault(self, kind: str, target: str, times: int = 1, **parameters: Any) -> Document:
        """Arm a fault; further parameters: match, after, tenant, seconds, retry_after, status, point, code, ..."""
        return self._object(
            self._call("POST", "/faults", {"kind": kind, "target": target, "times": times, **parameters})
        )

    def clear_faults(self, fault_id: int | None = None) -> Document:
        """Disarm one fault, or all."""
        return self._object(self._call("DELETE", "/faults" if fault_id is None else f"/faults/{fault_id}"))

    def log(self, writes: bool = False, after: int = 0) -> list[Document]:
        """The request log after a sequence number; only requests that change state when ``writes``."""
        return self._list(self._call("GET", "/log", after=after, writes=str(writes).lower()))

    def clear_log(self) -> None:
        """Forget the request log."""
        self._call("DELETE", "/log")

    def sync(self, tenant: str) -> Document:
        """Run Connect Sync now; returns its counts."""
        return self._object(self._call("POST", f"/sync/{tenant}"))

    def cycle(self, tenant: str) -> Document:
        """Run a cycle of each writeback job of a tenant now."""
        return self._object(self._call("POST", f"/cycle/{tenant}"))

    def agents(self, tenant: str, status: str | None = None) -> list[Document]:
        """The provisioning agents; ``status`` (active, inactive, none) is set first."""
        if status is None:
            return self._list(self._call("GET", f"/agent/{tenant}"))
        return self._list(self._call("PUT", f"/agent/{tenant}", {"status": status}))

    def windows(self, tenant: str, host: str | None = None, exchange: bool = False) -> Any:
        """The tenant's Windows hosts in short (a list), with its Exchange servers too, or everything about one."""
        if host is None:
            return self._list(self._call("GET", f"/windows/{tenant}", exchange=str(exchange).lower()))
        return self._object(self._call("GET", f"/windows/{tenant}/{host}"))

    def set_windows(self, tenant: str, host: str, **conditions: str) -> Document:
        """Set what is wrong with a host, such as ``server_core="yes"`` or ``installer="1603"``."""
        return self._object(self._call("PATCH", f"/windows/{tenant}/{host}", conditions))

    def steer_windows(self, tenant: str, host: str, deed: str) -> Document:
        """``restart`` a host, switch it ``off`` or ``on``, or ``renew`` it: as it was at the beginning."""
        return self._object(self._call("POST", f"/windows/{tenant}/{host}/{deed}"))

    def exchange(self, tenant: str) -> Document:
        """The tenant's Exchange servers: what blocks Setup, which hybrid objects are there, what was removed."""
        return self._object(self._call("GET", f"/exchange/{tenant}"))

    def set_exchange(self, tenant: str, **conditions: str) -> Document:
        """Put something in the way of removing Exchange, such as ``queue="held"``, or take it away."""
        return self._object(self._call("PATCH", f"/exchange/{tenant}", conditions))

    def exchange_ready(self, tenant: str) -> Document:
        """Mailboxes moved, relaying stopped: nothing is left that others have to move first."""
        return self._object(self._call("POST", f"/exchange/{tenant}/ready"))

    def steer_exchange(self, tenant: str, deed: str, server: str = "all") -> Document:
        """Switch Exchange servers ``off`` or ``on``, or ``restart`` them."""
        return self._object(self._call("POST", f"/exchange/{tenant}/{server}/{deed}"))

    def windows_forest(self, tenant: str) -> Document:
        """What the hosts of a forest share: KDS root keys, group managed service accounts with their permissions."""
        return self._object(self._call("GET", f"/windows-forest/{tenant}"))

    def schema_extended(self, tenant: str) -> Document:
        """As if the forest's schema was just extended: agents know of it when they were restarted."""
        return self._object(self._call("POST", f"/windows-forest/{tenant}/schema"))

    def hybrid(self, tenant: str, **conditions: str) -> Document:
        """The hybrid set-up in the tenant's cloud; conditions (``batch="Syncing"``) are set first."""
        if not conditions:
            return self._object(self._call("GET", f"/hybrid/{tenant}"))
        return self._object(self._call("PATCH", f"/hybrid/{tenant}", conditions))

    def renew_hybrid(self, tenant: str) -> Document:
        """The hybrid set-up in the tenant's cloud as it was at the beginning."""
        return self._object(self._call("POST", f"/hybrid/{tenant}/renew"))

    def dns(self, tenant: str) -> Document:
        """Records and breakages of the tenant's resolvers, by view."""
        return self._object(self._call("GET", f"/dns/{tenant}"))

    def change_dns(self, tenant: str, view: str = "both", **changes: Any) -> Document:
        """Change a view (``internal``, ``external`` or ``both``) of the tenant's DNS.

        ``set``: ``[{"name": "@", "type": "MX", "values": ["10 mail.contoso.lab"]}]``, instead of all of that name and
        type; ``remove``: ``[{"name": ..., "type": ..., "value": ...}]``; ``at_exchange_online`` (with ``keep_mx``);
        ``as_at_the_beginning``; see also :meth:`break_dns`.
        """
        return self._object(self._call("PATCH", f"/dns/{tenant}", {"view": view, **changes}))

    def break_dns(self, tenant: str, mode: str, name: str | None = None, view: str = "both") -> Document:
        """Let a view answer ``servfail``, ``timeout``, ``truncated``, ``nxdomain`` or ``refused``; ``none`` mends it.

        ``name``: only this name and what is below it.
        """
        about = {} if name is None else {"name": name}
        return self.change_dns(tenant, view, **{"break": mode, **about})

    def job(self, tenant: str, schema: bool = False) -> Document:
        """The tenant's writeback job in short; with its whole schema when asked for."""
        return self._object(self._call("GET", f"/job/{tenant}", schema=str(schema).lower()))

    def make_job(self, tenant: str, preview: bool = False, start: bool = False, **wanted: Any) -> Document:
        """Make a configuration with a job as the portal does, past Graph; in ``preview`` without the mapping of mail.

        ``wanted``: custom, duplicates, organizational_units, groups, filters, flow_types, delete_threshold.
        """
        return self._object(self._call("POST", f"/job/{tenant}", {"preview": preview, "start": start, **wanted}))

    def change_job(self, tenant: str, **wanted: Any) -> Document:
        """Change the job's schema and settings past Graph; see :meth:`make_job`, and ``mail`` False: not mapped."""
        return self._object(self._call("PATCH", f"/job/{tenant}", wanted))

    def steer_job(self, tenant: str, deed: str, reset: str = "") -> Document:
        """``start``, ``pause`` or ``restart`` the job; ``reset``: what a restart forgets, everything when empty."""
        return self._object(self._call("POST", f"/job/{tenant}/{deed}", {"reset": reset}))

    def remove_job(self, tenant: str) -> Document:
        """Remove the job with everything that belongs to it."""
        return self._object(self._call("DELETE", f"/job/{tenant}"))

    def set_managed(self, tenant: str, managed: bool, **which: Any) -> Document:
        """Set the flag of mailboxes: ``names``, ``first`` (that many which are not so yet), or ``all``."""
        return self._object(self._call("POST", f"/managed/{tenant}", {"managed": managed, **which}))

    def bring_about_deletes(self, tenant: str, count: int) -> Document:
        """Let ``count`` mailboxes leave the scope of a job that may delete, which stops it with TooManyDeletes."""
        return self._object(self._call("POST", f"/deletes/{tenant}", {"count": count}))

    def checkpoint(self) -> Document:
        """Keep the cloud as it is now, for ``reset(to="checkpoint")``; the directories are not part of it."""
        return self._object(self._call("POST", "/checkpoint"))

    def reset(self, to: str = "start") -> Document:
        """Everything as it was right after the first start: cloud, directories, clock, scenario, faults, log.

        With ``to="checkpoint"`` the cloud goes back to the last checkpoint, all else to the first start.
        """
        return self._object(self._call("POST", "/reset", to=to))

    def restart_dc(self, tenant: str) -> Document:
        """Restart the domain controller of a tenant's forest."""
        return self._object(self._call("POST", f"/dc/{tenant}/restart"))

    def highest_committed_usn(self, tenant: str) -> int:
        """A number that grows with every write to the tenant's directory."""
        return int(self._object(self._call("GET", f"/directory/{tenant}"))["highestCommittedUSN"])

    def traffic(self, tenant: str) -> Document:
        """What passed through the tenant's LDAP relay since its start: connections, bytes, operations by name."""
        return self._object(self._object(self._call("GET", f"/directory/{tenant}"))["traffic"])

    def edit_directory(
        self, tenant: str, name: str | None, changes: Document, before_write: int | None = None, times: int = 1
    ) -> Document:
        """Be another writer: change an object (a DN, userPrincipalName or sAMAccountName) past the relay.

        ``changes``: ``{"mail": ["new"], "proxyAddresses": {"add": [...], "remove": [...]}}``; a list takes the place
        of all values. At once, or with ``before_write`` = n right before the n-th modify request from now on reaches
        the directory, ``times`` times in a row; then ``name`` None means the object that the request is about.
        """
        if before_write is None:
            return self._object(self._call("POST", f"/directory/{tenant}/edit", {"object": name, "changes": changes}))
        if before_write < 1:
            raise LabError(f"before_write is the number of a modify request, 1 or more, not {before_write}.")
        wanted: Document = {"changes": changes, "after": before_write - 1, "tenant": tenant}
        if name is not None:
            wanted["object"] = name
        return self.add_fault("other_writer", "ldap", times, **wanted)

    def add_to_directory(self, tenant: str, dn: str, classes: list[str], attributes: Document) -> Document:
        """Add an object anywhere in the tenant's forest (values in lists); a reset removes it."""
        body = {"dn": dn, "classes": classes, "attributes": attributes}
        return self._object(self._call("POST", f"/directory/{tenant}/add", body))

    def directory(self, tenant: str, *attributes: str, configuration: bool = False) -> ldif.Objects:
        """Every object of the tenant's domain as ``ldapsearch`` reads it: attributes and sorted values by DN.

        Without what the server changes by itself. ``attributes``: only these (default: all). ``configuration``: the
        configuration partition as well.
        """
        where = self.config["tenants"][tenant]["directory"]
        bases = [where["base_dn"], *([f"CN=Configuration,{where['base_dn']}"] if configuration else [])]
        try:
            return ldif.read(where, self.config["ca"], bases, attributes or ("*",))
        except ldif.ReaderFailed as error:
            raise LabError(str(error)) from error

    def ldif(self, tenant: str, *attributes: str, configuration: bool = False) -> str:
        """The same as LDIF: equal directories give equal texts."""
        return ldif.text(self.directory(tenant, *attributes, configuration=configuration))

    def objects(self, tenant: str, kind: str) -> list[Document]:
        """All documents of a kind, as the lab keeps them."""
        return self._list(self._call("GET", f"/object/{tenant}/{kind}"))

    def object(self, tenant: str, kind: str, object_id: str) -> Document:
        """One document, as the lab keeps it."""
        return self._object(self._call("GET", f"/object/{tenant}/{kind}/{object_id}"))

    def patch_object(self, tenant: str, kind: str, object_id: str, **changes: Any) -> Document:
        """Change a document behind the services' back, WhenChanged included (it stays as it is); returns it."""
        return self._object(self._call("PATCH", f"/object/{tenant}/{kind}/{object_id}", changes))

    def patch_objects(self, tenant: str, kind: str, changes: dict[str, Document], touch: bool = True) -> Document:
        """Change many documents at once, by id; with ``touch``, as if somebody had set them: WhenChanged is now."""
        return self._object(self._call("PATCH", f"/object/{tenant}/{kind}", changes, touch=str(touch).lower()))

    def put_object(self, tenant: str, kind: str, object_id: str, doc: Document) -> Document:
        """Add or replace a document behind the services' back."""
        return self._object(self._call("PUT", f"/object/{tenant}/{kind}/{object_id}", doc))

    def delete_object(self, tenant: str, kind: str, object_id: str) -> None:
        """Remove a document behind the services' back."""
        self._call("DELETE", f"/object/{tenant}/{kind}/{object_id}")

    @staticmethod
    def _object(content: Any) -> Document:
        if not isinstance(content, dict):
            raise LabError(f"The lab answered with {type(content).__name__} where an object was expected.")
        return content

    @staticmethod
    def _list(content: Any) -> list[Document]:
        if not isinstance(content, list):
            raise LabError(f"The lab answered with {type(content).__name__} where a list was expected.")
        return content
