# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control of writeback jobs, their agents and mailboxes, past Graph and Exchange Online: what brings a job to grief."""

from __future__ import annotations

from typing import Any

from tests.lab.clock import iso
from tests.lab.cloud import configuration
from tests.lab.cloud.context import Services, find_tenant
from tests.lab.cloud.seed import agents
from tests.lab.cloud.wire import Refused, Reply, Request
from tests.lab.store import Document

AGENT_STATES = ("active", "inactive", "none")
RESET_SCOPES = ("Escrows", "Watermark", "QuarantineState", "Full", "ForceDeletes")


def tenant_of(services: Services, name: str) -> Document:
    """A tenant by its name, id or domain; 404 when there is none."""
    tenant = find_tenant(services.store, name)
    if tenant is None:
        names = ", ".join(doc["name"] for doc in services.store.tenants())
        raise refused(404, f"There is no tenant {name}; there are {names}.")
    return tenant


def refused(status: int, text: str) -> Refused:
    """The control address's way to say no."""
    return Refused(Reply(status, {"error": text}))


def body_of(request: Request) -> Document:
    """The JSON object that a request carries; ValueError where it carries none."""
    body = request.json_object()
    if body is None:
        raise ValueError("The body must be a JSON object.")
    return body


def _job(services: Services, tenant: Document) -> Document:
    job = configuration.the_job(services, tenant)
    if job is None:
        raise refused(404, f"Tenant {tenant['name']} has no writeback job.")
    return job


# -- agents --------------------------------------------------------------------------------------------------------


def show_agents(services: Services, request: Request, tenant: str) -> list[Document]:
    """GET /agent/{tenant}."""
    return services.store.list(tenant_of(services, tenant)["id"], "agent")


def set_agents(services: Services, request: Request, tenant: str) -> list[Document]:
    """PUT /agent/{tenant} with a status for all its agents; ``none`` takes them away, another brings them back."""
    found, status = tenant_of(services, tenant), body_of(request).get("status")
    if status not in AGENT_STATES:
        raise ValueError(f"status is one of {', '.join(AGENT_STATES)}, not {status!r}.")
    with services.engine_lock, services.store.transaction():
        put_agents(services, found, status)
    return services.store.list(found["id"], "agent")


def put_agents(services: Services, tenant: Document, status: str, only_seeded: bool = False) -> None:
    """Set the status of a tenant's agents; ``none`` takes them away, another brings back those of the beginning."""
    store = services.store
    known = agents(tenant) if only_seeded else store.list(tenant["id"], "agent") or agents(tenant)
    for agent in known:
        if status == "none":
            store.delete(tenant["id"], "agent", agent["id"])
        else:
            store.put(tenant["id"], "agent", agent["id"], {**agent, "status": status})


# -- the job -------------------------------------------------------------------------------------------------------


def show_job(services: Services, request: Request, tenant: str) -> Document:
    """GET /job/{tenant}; with ``schema=true`` its schema, whole."""
    found = tenant_of(services, tenant)
    job = _job(services, found)
    shown = _shown(services, found, job)
    return {**shown, "schema": job["_schema"]} if request.query.get("schema", "").lower() == "true" else shown


def _shown(services: Services, tenant: Document, job: Document) -> Document:
    names = {user["id"]: user.get("userPrincipalName") for user in services.store.list(tenant["id"], "user")}
    rule = job["_schema"]["synchronizationRules"][0]
    mapping = rule["objectMappings"][0]
    principal = services.store.get(tenant["id"], "servicePrincipal", job["_servicePrincipal"]) or {}
    status = job["status"]
    return {
        "id": job["id"],
        "displayName": principal.get("displayName"),
        "code": status["code"],
        "state": job["schedule"]["state"],
        "quarantine": status.get("quarantine"),
        "lastExecution": status.get("lastExecution"),
        "provisioned": len(job.get("_linked") or {}),
        "escrows": {names.get(one, one): kept["errorCode"] for one, kept in (job.get("_escrows") or {}).items()},
        "pendingDeletes": [names.get(one, one) for one in job.get("_deletes") or ()],
        "deleteThreshold": configuration.threshold(services, tenant, job),
        "flowTypes": mapping.get("flowTypes"),
        "mappings": len(mapping["attributeMappings"]),
        "organizationalUnits": (rule.get("containerFilter") or {}).get("includedContainers") or [],
        "groups": (rule.get("groupFilter") or {}).get("includedGroups") or [],
        "filters": (mapping.get("scope") or {}).get("groups") or [],
    }


def make_job(services: Services, request: Request, tenant: str) -> Document:
    """POST /job/{tenant}: ``preview``, ``start``, and what configuration.CHANGES names."""
    found, body = tenant_of(services, tenant), body_of(request)
    preview, start = bool(body.pop("preview", False)), bool(body.pop("start", False))
    with services.engine_lock:
        job = configuration.make(services, found, preview, body)
        if start:
            services.engines.start(found["id"], job["id"])
        return _shown(services, found, _job(services, found))


def change_job(services: Services, request: Request, tenant: str) -> Document:
    """PATCH /job/{tenant} with what configuration.CHANGES names."""
    found, body = tenant_of(services, tenant), body_of(request)
    with services.engine_lock:
        return _shown(services, found, configuration.change(services, found, _job(services, found), body))


def remove_job(services: Services, request: Request, tenant: str) -> Document:
    """DELETE /job/{tenant}: with everything that belongs to it."""
    found = tenant_of(services, tenant)
    with services.engine_lock:
        job = _job(services, found)
        configuration.remove(services, found, job)
    return {"removed": job["id"]}


def steer_job(services: Services, request: Request, tenant: str, deed: str) -> Document:
    """POST /job/{tenant}/start, pause or restart (``reset``: what it forgets, comma-joined; none: everything)."""
    found = tenant_of(services, tenant)
    with services.engine_lock:
        job = _job(services, found)
        if deed == "start":
            services.engines.start(found["id"], job["id"])
        elif deed == "pause":
            services.engines.pause(found["id"], job["id"])
        else:
            services.engines.restart(found["id"], job["id"], _reset_scopes(body_of(request).get("reset") or ""))
        return _shown(services, found, _job(services, found))


def _reset_scopes(text: str) -> str:
    known = {scope.lower(): scope for scope in RESET_SCOPES}
    words = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in words if word.lower().replace("_", "") not in known]
    if unknown:
        raise ValueError(f"A restart cannot reset {', '.join(unknown)}; it can reset {', '.join(RESET_SCOPES)}.")
    return ",".join(known[word.lower().replace("_", "")] for word in words)


# -- mailboxes -----------------------------------------------------------------------------------------------------


def set_managed(services: Services, request: Request, tenant: str) -> Document:
    """POST /managed/{tenant}: ``managed``, and ``names``, ``first`` (how many that are not so yet) or ``all``."""
    found, body = tenant_of(services, tenant), body_of(request)
    managed, names, first = body.get("managed"), body.get("names") or [], body.get("first")
    if not isinstance(managed, bool) or bool(names) + (first is not None) + bool(body.get("all")) != 1:
        raise ValueError("The body holds managed (true or false) and one of names, first (a number) and all.")
    with services.engine_lock:
        others = [one for one in _mailboxes(services, found) if one["IsExchangeCloudManaged"] is not managed]
        if names:
            chosen = [_named(services, found, name) for name in names]
        elif first is None:
            chosen = others
        elif len(others) < first:
            raise ValueError(f"Only {len(others)} synchronized mailboxes are {'not ' * managed}cloud-managed.")
        else:
            chosen = others[:first]
        _flag(services, found, chosen, managed)
    return {"managed": managed, "mailboxes": [one["UserPrincipalName"] for one in chosen]}


def _mailboxes(services: Services, tenant: Document) -> list[Document]:
    """Synchronized mailboxes by name."""
    found = [one for one in services.store.list(tenant["id"], "mailbox") if one.get("IsDirSynced")]
    return sorted(found, key=lambda one: str(one["UserPrincipalName"]).lower())


def _named(services: Services, tenant: Document, name: str) -> Document:
    for one in _mailboxes(services, tenant):
        if name.lower() in (str(one["UserPrincipalName"]).lower(), str(one.get("Alias")).lower()):
            return one
    raise ValueError(f"Tenant {tenant['name']} has no synchronized mailbox {name!r}.")


def _flag(services: Services, tenant: Document, mailboxes: list[Document], managed: bool) -> None:
    now = iso(services.clock.now())
    with services.store.transaction():
        for one in mailboxes:
            changed: dict[str, Any] = {"IsExchangeCloudManaged": managed, "WhenChanged": now, "WhenChangedUTC": now}
            changed["_sequence"] = int(one.get("_sequence") or 0) + 1
            services.store.put(tenant["id"], "mailbox", one["ExternalDirectoryObjectId"], {**one, **changed})


# -- too many deletes ----------------------------------------------------------------------------------------------


def bring_about_deletes(services: Services, request: Request, tenant: str) -> Document:
    """POST /deletes/{tenant} with ``count``: that many mailboxes leave the job's scope, which stops it.

    The schema's flow types get Delete, the threshold becomes ``count``, the flag of the first ``count`` mailboxes that
    the job has provisioned becomes false, and a cycle runs.
    """
    found, count = tenant_of(services, tenant), body_of(request).get("count")
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"count is a number of mailboxes, 1 or more, not {count!r}.")
    with services.engine_lock:
        job = _job(services, found)
        provisioned = set(job.get("_linked") or {}) - set(job.get("_escrows") or {})
        inside = [
            one
            for one in _mailboxes(services, found)
            if one["IsExchangeCloudManaged"] and one["ExternalDirectoryObjectId"] in provisioned
        ]
        if len(inside) < count:
            raise ValueError(
                f"The job has provisioned {len(inside)} mailboxes that are still in its scope, fewer than {count}: "
                "make more of them cloud-managed, restart the job, and run a cycle."
            )
        configuration.change(services, found, job, {"flow_types": "Update,Delete", "delete_threshold": count})
        _flag(services, found, inside[:count], managed=False)
        cycle = services.engines.run_cycle(found["id"], job["id"])
        return {"left": [one["UserPrincipalName"] for one in inside[:count]], "cycle": cycle}
