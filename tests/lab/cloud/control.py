# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control address: look at the lab, move its clock, set switches, arm faults, run the engines, reset."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ldap3.core.exceptions import LDAPException

from tests.lab.clock import iso
from tests.lab.cloud import hybrid_control, steer
from tests.lab.cloud.context import Services
from tests.lab.cloud.wire import Reply, Request
from tests.lab.dns import control as dns
from tests.lab.exchange_server import control as exchange_server
from tests.lab.forest.access import DirectoryUnavailable
from tests.lab.forest.edit import EditRefused
from tests.lab.store import Document
from tests.lab.windows import control as windows
from tests.lab.windows.directory import ADDED
from tests.lab.windows.software import DOWNLOAD_PATH

Handler = Callable[..., Any]


def handle(services: Services, request: Request) -> Reply:
    """Answer one request to the control address; errors are {"error": "plain words"}."""
    for method, pattern, handler in _ROUTES:
        matched = pattern.match(request.path)
        if matched and method == request.method:
            try:
                answer = handler(services, request, **matched.groupdict())
                return answer if isinstance(answer, Reply) else Reply(200, answer)
            except ValueError as error:
                return Reply(400, {"error": str(error)})
            except (services.engine_refusal, DirectoryUnavailable, EditRefused, LDAPException, OSError) as error:
                return Reply(502, {"error": f"{type(error).__name__}: {error}"})
    raise steer.refused(404, f"The control address has no {request.method} {request.path}.")


def _state(services: Services, request: Request) -> Document:
    return {
        "clock": _clock(services),
        "tenants": [_tenant_state(services, tenant) for tenant in services.store.tenants()],
        "scenario": services.scenario.all(),
        "faults": _faults(services, request),
        "violations": [entry for entry in services.store.requests() if entry.get("violation")],
        "engine_errors": services.store.meta("engine_errors") or [],
    }


def _clock(services: Services) -> Document:
    return {
        "now": iso(services.clock.now()),
        "offset_seconds": round(services.clock.offset(), 1),
        "rate": services.clock.rate,
    }


def _tenant_state(services: Services, tenant: Document) -> Document:
    synchronized, managed = services.store.count_true(tenant["id"], "mailbox", "IsDirSynced", "IsExchangeCloudManaged")
    return {
        "name": tenant["name"],
        "id": tenant["id"],
        "domain": tenant["domain"],
        "counts": {
            **services.store.counts(tenant["id"]),
            "synchronizedMailboxes": synchronized,
            "cloudManagedMailboxes": managed,
        },
        "jobs": [_job_state(job) for job in services.store.list(tenant["id"], "job")],
    }


def _job_state(job: Document) -> Document:
    status = job.get("status") or {}
    return {
        "id": job["id"],
        "servicePrincipal": job.get("_servicePrincipal"),
        "code": status.get("code"),
        "schedule": job.get("schedule"),
        "lastExecution": status.get("lastExecution"),
        "quarantine": status.get("quarantine"),
    }


def _move_clock(services: Services, request: Request) -> Document:
    body = steer.body_of(request)
    if set(body) - {"advance_seconds", "rate"} or not body:
        raise ValueError("The body holds advance_seconds or rate, or both.")
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in body.values()):
        raise ValueError("advance_seconds and rate are numbers.")
    with services.engine_lock:
        if "rate" in body:
            services.clock.set_rate(body["rate"])
        if "advance_seconds" in body:
            services.clock.advance(body["advance_seconds"])
        if services.windows is not None:
            services.windows.tick()
        services.engines.tick()
    return _clock(services)


def _scenario(services: Services, request: Request) -> Document:
    return services.scenario.all()


def _set_scenario(services: Services, request: Request) -> Document:
    changes = steer.body_of(request)
    values = services.scenario.set(changes)
    windows.apply_scenario(services, changes)
    return values


def _faults(services: Services, request: Request) -> list[Document]:
    return [_fault(fault) for fault in services.faults.all()]


def _fault(fault: Any) -> Document:
    shown: Document = asdict(fault)
    return {**shown, **shown.pop("parameters")}


def _add_fault(services: Services, request: Request) -> Document:
    return _fault(services.faults.add(steer.body_of(request)))


def _clear_faults(services: Services, request: Request) -> Document:
    return {"removed": services.faults.remove()}


def _remove_fault(services: Services, request: Request, fault_id: str) -> Document:
    if not services.faults.remove(int(fault_id)):
        raise steer.refused(404, f"There is no fault {fault_id}; it may have fired already.")
    return {"removed": 1}


def _log(services: Services, request: Request) -> list[Document]:
    after = request.query.get("after", "0")
    if not after.isdigit():
        raise ValueError(f"after is a sequence number of the log, not {after!r}.")
    writes = request.query.get("writes", "").lower() in ("true", "1", "yes")
    return services.store.requests(int(after), writes)


def _clear_log(services: Services, request: Request) -> Document:
    services.store.clear_requests()
    return {}


def _sync(services: Services, request: Request, tenant: str) -> Document:
    found = steer.tenant_of(services, tenant)
    with services.engine_lock:
        return services.engines.connect_sync(found["id"])


def _cycle(services: Services, request: Request, tenant: str) -> Document:
    found = steer.tenant_of(services, tenant)
    jobs = services.store.list(found["id"], "job")
    if not jobs:
        raise steer.refused(404, f"Tenant {tenant} has no writeback job.")
    with services.engine_lock:
        return {job["id"]: services.engines.run_cycle(found["id"], job["id"]) for job in jobs}


def _checkpoint(services: Services, request: Request) -> Document:
    with services.engine_lock:
        services.store.snapshot(_checkpoint_path(services))
    return {"checkpoint": True}


def _checkpoint_path(services: Services) -> Path:
    return services.snapshot.with_name("checkpoint.sqlite")


def _reset(services: Services, request: Request) -> Document:
    names = [tenant["name"] for tenant in services.store.tenants()]
    snapshot = services.snapshot
    if request.query.get("to") == "checkpoint":
        snapshot = _checkpoint_path(services)
        if not snapshot.is_file():
            raise steer.refused(404, "There is no checkpoint to go back to: set one first.")
    with services.engine_lock:
        if services.windows is not None:
            services.windows.forget()
            if services.windows.directory is not None:
                services.windows.directory.undo()
        for name, dns in (services.store.meta(ADDED) or {}).items():
            services.forests.remove(name, dns)
        with ThreadPoolExecutor(max(1, len(names))) as pool:
            list(pool.map(services.forests.reset, names))
        services.store.restore(snapshot)
        services.faults.remove()
        services.store.clear_requests()
        services.clock.reload()
        services.clock.reset()
        services.scenario.reset()
        services.stale.clear()
        services.waits.clear()
        services.on_demand_calls.clear()
        if services.windows is not None:
            services.windows.forget()
    return {"reset": names}


def _restart_dc(services: Services, request: Request, tenant: str) -> Document:
    found = steer.tenant_of(services, tenant)
    services.forests.restart_dc(found["name"])
    return {"restarted": found["name"]}


def _directory(services: Services, request: Request, tenant: str) -> Document:
    found = steer.tenant_of(services, tenant)
    name = found["name"]
    return {
        "highestCommittedUSN": services.forests.highest_committed_usn(name),
        "traffic": services.forests.traffic(name),
    }


def _edit_directory(services: Services, request: Request, tenant: str) -> Document:
    body = steer.body_of(request)
    if set(body) != {"object", "changes"} or not isinstance(body["object"], str):
        raise ValueError("The body holds object (a DN or a name) and changes.")
    return {"dn": services.forests.edit(steer.tenant_of(services, tenant)["name"], body["object"], body["changes"])}


def _add_to_directory(services: Services, request: Request, tenant: str) -> Document:
    body, name = steer.body_of(request), steer.tenant_of(services, tenant)["name"]
    dn, classes, attributes = body.get("dn"), body.get("classes"), body.get("attributes", {})
    if not isinstance(dn, str) or not isinstance(classes, list) or not isinstance(attributes, dict):
        raise ValueError("The body holds dn, classes (a list) and attributes (an object with a list for each).")
    services.forests.add(name, dn, [str(one) for one in classes], attributes)
    with services.store.transaction():
        added = services.store.meta(ADDED) or {}
        services.store.set_meta(ADDED, {**added, name: [*added.get(name, []), dn]})
    return {"dn": dn}


def _objects(services: Services, request: Request, tenant: str, kind: str) -> list[Document]:
    return services.store.list(steer.tenant_of(services, tenant)["id"], kind)


def _object(services: Services, request: Request, tenant: str, kind: str, object_id: str) -> Document:
    doc = services.store.get(steer.tenant_of(services, tenant)["id"], kind, object_id)
    if doc is None:
        raise steer.refused(404, f"Tenant {tenant} has no {kind} {object_id}.")
    return doc


def _patch_object(services: Services, request: Request, tenant: str, kind: str, object_id: str) -> Document:
    changes = steer.body_of(request)
    with services.engine_lock, services.store.transaction():
        return _patched(services, request, tenant, kind, object_id, changes)


def _patch_objects(services: Services, request: Request, tenant: str, kind: str) -> Document:
    """Many at once: the body is an object of changes by id."""
    changes = steer.body_of(request)
    if not all(isinstance(one, dict) for one in changes.values()):
        raise ValueError("The body holds the changes of each object under its id.")
    with services.engine_lock, services.store.transaction():
        for object_id, one in changes.items():
            _patched(services, request, tenant, kind, object_id, one)
    return {"changed": len(changes)}


def _patched(
    services: Services, request: Request, tenant: str, kind: str, object_id: str, changes: Document
) -> Document:
    """Changed behind the services' back: without a new WhenChanged, unless the query says ``touch=true``."""
    before = _object(services, request, tenant, kind, object_id)
    doc = {**before, **changes}
    if request.query.get("touch", "").lower() == "true" and doc != before:
        now = iso(services.clock.now())
        doc |= {"WhenChanged": now, "WhenChangedUTC": now, "_sequence": int(before.get("_sequence") or 0) + 1}
    services.store.put(steer.tenant_of(services, tenant)["id"], kind, object_id, doc)
    return doc


def _put_object(services: Services, request: Request, tenant: str, kind: str, object_id: str) -> Document:
    doc = steer.body_of(request)
    with services.engine_lock:
        services.store.put(steer.tenant_of(services, tenant)["id"], kind, object_id, doc)
    return doc


def _delete_object(services: Services, request: Request, tenant: str, kind: str, object_id: str) -> Document:
    _object(services, request, tenant, kind, object_id)
    with services.engine_lock:
        services.store.delete(steer.tenant_of(services, tenant)["id"], kind, object_id)
    return {}


def _route(method: str, pattern: str, handler: Handler) -> tuple[str, re.Pattern[str], Handler]:
    return method, re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern) + "$"), handler


_OBJECT = "/object/{tenant}/{kind}/{object_id}"
_ROUTES = (
    _route("GET", "/state", _state),
    _route("POST", "/clock", _move_clock),
    _route("GET", "/scenario", _scenario),
    _route("PUT", "/scenario", _set_scenario),
    _route("GET", "/faults", _faults),
    _route("POST", "/faults", _add_fault),
    _route("DELETE", "/faults", _clear_faults),
    _route("DELETE", r"/faults/(?P<fault_id>\d+)", _remove_fault),
    _route("GET", "/log", _log),
    _route("DELETE", "/log", _clear_log),
    _route("POST", "/sync/{tenant}", _sync),
    _route("POST", "/cycle/{tenant}", _cycle),
    _route("POST", "/checkpoint", _checkpoint),
    _route("POST", "/reset", _reset),
    _route("POST", "/dc/{tenant}/restart", _restart_dc),
    _route("GET", "/agent/{tenant}", steer.show_agents),
    _route("PUT", "/agent/{tenant}", steer.set_agents),
    _route("GET", "/job/{tenant}", steer.show_job),
    _route("POST", "/job/{tenant}", steer.make_job),
    _route("PATCH", "/job/{tenant}", steer.change_job),
    _route("DELETE", "/job/{tenant}", steer.remove_job),
    _route("POST", r"/job/{tenant}/(?P<deed>start|pause|restart)", steer.steer_job),
    _route("POST", "/managed/{tenant}", steer.set_managed),
    _route("POST", "/deletes/{tenant}", steer.bring_about_deletes),
    _route("GET", "/exchange/{tenant}", exchange_server.show),
    _route("PATCH", "/exchange/{tenant}", exchange_server.change),
    _route("POST", "/exchange/{tenant}/ready", exchange_server.ready),
    _route("POST", r"/exchange/{tenant}/{server}/(?P<deed>on|off|restart)", exchange_server.steer_server),
    _route("GET", "/windows/{tenant}", windows.show_hosts),
    _route("GET", "/windows/{tenant}/{name}", windows.show_host),
    _route("PATCH", "/windows/{tenant}/{name}", windows.set_host),
    _route("POST", r"/windows/{tenant}/{name}/(?P<deed>restart|renew|on|off)", windows.steer_host),
    _route("GET", "/windows-forest/{tenant}", windows.show_forest),
    _route("POST", "/windows-forest/{tenant}/schema", windows.extend_schema),
    _route("GET", DOWNLOAD_PATH, windows.download),
    _route("GET", "/hybrid/{tenant}", hybrid_control.show),
    _route("PATCH", "/hybrid/{tenant}", hybrid_control.change),
    _route("POST", "/hybrid/{tenant}/renew", hybrid_control.renew),
    _route("GET", "/dns/{tenant}", dns.show),
    _route("PATCH", "/dns/{tenant}", dns.change),
    _route("GET", "/directory/{tenant}", _directory),
    _route("POST", "/directory/{tenant}/edit", _edit_directory),
    _route("POST", "/directory/{tenant}/add", _add_to_directory),
    _route("GET", "/object/{tenant}/{kind}", _objects),
    _route("PATCH", "/object/{tenant}/{kind}", _patch_objects),
    _route("GET", _OBJECT, _object),
    _route("PATCH", _OBJECT, _patch_object),
    _route("PUT", _OBJECT, _put_object),
    _route("DELETE", _OBJECT, _delete_object),
)
