# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A synchronization service in memory, behind the wire: real far ends talk to it, and every request is logged."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.answer import Answer

TENANT = "11111111-2222-4333-8444-555555555555"
TEMPLATE = "3b99513e-0cee-4291-aea8-84356239fb82"
JOB_TEMPLATE = "Entra2ADExchangeOnlineAttributeWriteback"
START = datetime(2026, 8, 27, 9, 0, tzinfo=UTC)
READS = ("GET", "HEAD")


@dataclass
class FakeClock:
    """Time passes by sleeping, and a little with each request."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    json: Any


def default_schema(*more: str) -> dict[str, Any]:
    def mapping(name: str) -> dict[str, Any]:
        return {
            "targetAttributeName": name,
            "source": {"type": "Attribute", "name": name, "expression": f"[{name}]", "parameters": []},
            "flowType": "Always",
            "flowBehavior": "FlowWhenChanged",
            "defaultValue": None,
            "matchingPriority": 0,
            "exportMissingReferences": False,
        }

    names = [*(f"extensionAttribute{number}" for number in range(1, 16)), *more]
    return {
        "@odata.context": "metadata",
        "id": "schema",
        "version": "1",
        "directories": [],
        "synchronizationRules": [
            {
                "id": "rule-1",
                "sourceDirectoryName": "Entra",
                "targetDirectoryName": "AD",
                "objectMappings": [
                    {
                        "sourceObjectName": "User",
                        "targetObjectName": "user",
                        "enabled": True,
                        "flowTypes": "Add, Update",
                        "attributeMappings": [mapping(name) for name in names],
                    }
                ],
            }
        ],
    }


@dataclass
class FakeService:
    """State, a log of all requests, and faults: a fault gets a request and may answer in its place.

    lag is the number of reads for which a new object is still unknown.
    """

    clock: FakeClock = field(default_factory=FakeClock)
    synced: bool = True
    lag: int = 0
    interval: float = 1200.0
    principals: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    schemas: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    mailboxes: list[dict[str, Any]] = field(default_factory=list)
    provisioned: dict[str, Any] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    faults: list[Callable[[Request], Any]] = field(default_factory=list)
    cycle_state: str = "Succeeded"
    tell: Callable[[str], str | None] = field(default=lambda value: None)
    cycle_counts: dict[str, int] = field(default_factory=dict)
    agents: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {"id": "a1", "machineName": "sync1", "status": "active", "externalIp": "192.0.2.1"},
        ]
    )
    made: int = 0

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        token: str | None = None,
        form: Any = None,
        params: Any = None,
    ) -> Answer:
        parts = urlsplit(url)
        path = unquote(parts.path) + (f"?{unquote(parts.query)}" if parts.query else "")
        request = Request(method, path, json.loads(body) if body else None)
        self.requests.append(request)
        reply = None
        for fault in list(self.faults):
            reply = reply if reply is not None else fault(request)
        if isinstance(reply, Exception):
            raise reply
        status, content = reply if reply is not None else self.answer(request)
        sent = {"date": format_datetime(self.clock.now(), usegmt=True), "request-id": "r-1"}
        raw = b"" if content is None else json.dumps(content).encode()
        return Answer(method, url, status, sent, raw)

    def writes(self) -> list[str]:
        """What was sent that changes something, as method and last part of the path."""
        return [
            f"{request.method} {request.path.partition('?')[0].rsplit('/', 1)[-1]}"
            for request in self.requests
            if request.method not in READS and "InvokeCommand" not in request.path and "$batch" not in request.path
        ]

    def answer(self, request: Request) -> tuple[int, Any]:
        path = request.path.partition("?")[0].split("/")[2:]
        if "adminapi" in request.path:
            return 200, {"value": self.mailboxes}
        if path[0] == "organization":
            return 200, {"value": [{"id": TENANT, "onPremisesSyncEnabled": self.synced or None}]}
        if path[0] == "applications":
            return 200, {"value": []}
        if path[0] == "applicationTemplates":
            return 201, {"servicePrincipal": self.make_principal(request.json["displayName"]), "application": {}}
        if path[0] == "auditLogs":
            return 200, {"value": self.log_answer(request.path)}
        if path[0].startswith("onPremisesPublishingProfiles"):
            return 200, {"value": self.agents}
        if path[0] == "servicePrincipals":
            return self.principal_answer(request, path[1:])
        return 404, error("ResourceNotFound", request.path)

    def log_answer(self, path: str) -> list[dict[str, Any]]:
        """The entries that the filter asks for, newest first."""
        status = re.search(r"provisioningStatusInfo/status eq '(\w+)'", path)
        since = re.search(r"activityDateTime gt (\S+?)Z", path)
        found = [
            entry
            for entry in self.log
            if (not status or entry["provisioningStatusInfo"]["status"] == status[1])
            and (not since or entry["activityDateTime"] > since[1])
        ]
        return sorted(found, key=lambda entry: str(entry["activityDateTime"]), reverse=True)

    def principal_answer(self, request: Request, path: list[str]) -> tuple[int, Any]:
        if not path:
            return 200, {"value": list(self.principals.values())}
        principal = self.principals.get(path[0])
        if principal is None:
            return 404, error("Request_ResourceNotFound", path[0])
        if self.lag and self.made:
            self.lag -= 1
            return 404, error("Request_ResourceNotFound", "not yet")
        if len(path) == 1:
            if request.method == "DELETE":
                del self.principals[path[0]]
                return 204, None
            if request.method == "PATCH":
                principal.update(request.json)
                return 204, None
            return 200, principal
        if path[2] == "secrets" and request.method == "GET":
            kept = self.secrets.get(path[0], {})
            pairs = [{"key": key, "value": self.tell(value)} for key, value in kept.items()]
            return 200, {"value": pairs}
        if path[2] == "secrets":
            self.secrets[path[0]] = {pair["key"]: pair["value"] for pair in request.json["value"]}
            for job in self.jobs.get(path[0], {}).values():
                domain = json.loads(self.secrets[path[0]]["Domain"])["domain"]
                job["synchronizationJobSettings"] = [{"name": "DomainFQDN", "value": domain}]
            return 204, None
        if path[2] == "templates":
            return 200, default_schema("mail")
        return self.job_answer(request, path[0], path[3:])

    def job_answer(self, request: Request, principal_id: str, path: list[str]) -> tuple[int, Any]:
        jobs = self.jobs.setdefault(principal_id, {})
        if not path:
            if request.method == "POST":
                return 201, self.make_job(principal_id, request.json["templateId"])
            return 200, {"value": [self.shown(job) for job in jobs.values()]}
        job = jobs.get(path[0])
        if job is None:
            return 404, error("SynchronizationJobNotFound", path[0])
        if len(path) == 1:
            if request.method == "DELETE":
                del jobs[path[0]]
                return 204, None
            return 200, self.shown(job)
        if path[1] == "schema":
            if request.method == "PUT":
                self.schemas[path[0]] = {**request.json, "@odata.context": "metadata"}
                return 204, None
            return 200, copy.deepcopy(self.schemas[path[0]])
        if path[1] == "provisionOnDemand":
            user = request.json["parameters"][0]["subjects"][0]["objectId"].removeprefix("User_")
            return 200, self.provisioned[user]
        return self.switch(job, path[1])

    def switch(self, job: dict[str, Any], action: str) -> tuple[int, Any]:
        if action == "pause":
            job["schedule"]["state"], job["status"]["code"] = "Disabled", "Paused"
        elif action in ("start", "restart"):
            job["schedule"]["state"], job["status"]["code"] = "Active", "Active"
            job["began"] = self.clock.seconds + 2
            job["status"].pop("quarantine", None)
        else:
            return 404, error("NoSuchAction", action)
        return 204, None

    def make_principal(self, name: str, **more: Any) -> dict[str, Any]:
        self.made += 1
        key = f"sp-{self.made}"
        self.principals[key] = {
            "id": key,
            "appId": f"app-{self.made}",
            "displayName": name,
            "applicationTemplateId": TEMPLATE,
            "tags": ["HideApp"],
            **more,
        }
        return self.principals[key]

    def make_job(self, principal_id: str, template: str = JOB_TEMPLATE, domain: str | None = None) -> dict[str, Any]:
        key = f"{template}.{TENANT.replace('-', '')}.{len(self.jobs.get(principal_id, {}))}"
        self.jobs.setdefault(principal_id, {})[key] = job = {
            "id": key,
            "templateId": template,
            "schedule": {"state": "Disabled", "interval": "PT20M"},
            "status": {"code": "NotRun"},
            "synchronizationJobSettings": [{"name": "DomainFQDN", "value": domain}] if domain else [],
        }
        self.schemas[key] = default_schema()
        return copy.deepcopy(job)

    def ready(self, domain: str = "contoso.lab", running: bool = True, **more: Any) -> dict[str, Any]:
        """A finished job, as the portal leaves it."""
        principal = self.make_principal(domain, **more)
        job = self.make_job(principal["id"], domain=domain)
        live = self.jobs[principal["id"]][job["id"]]
        if running:
            live["schedule"]["state"], live["status"]["code"] = "Active", "Active"
            live["began"] = -600.0
        return live

    def shown(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job with the last cycle that is complete by now; a cycle takes 5 seconds."""
        shown = copy.deepcopy({name: value for name, value in job.items() if name != "began"})
        began = job.get("began")
        if began is None or job["schedule"]["state"] != "Active" or self.clock.seconds < began + 5:
            return shown
        last = began + self.interval * ((self.clock.seconds - 5 - began) // self.interval)
        shown["status"]["lastExecution"] = execution(last, self.cycle_state, **self.cycle_counts)
        return shown


def execution(second: float, state: str = "Succeeded", seconds: float = 5, **counts: int) -> dict[str, Any]:
    return {
        "activityIdentifier": f"cycle-{second:g}",
        "state": state,
        "timeBegan": stamp(second),
        "timeEnded": stamp(second + seconds),
        "countExported": 3,
        **counts,
    }


def stamp(second: float) -> str:
    """Graph's times have seven digits."""
    return (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def once(status: int, content: Any, when: str, method: str = "POST", apply: FakeService | None = None) -> Any:
    """A fault that strikes the first fitting request; with apply the request is carried out all the same."""
    left = [1]

    def fault(request: Request) -> Any:
        if left[0] and request.method == method and request.path.partition("?")[0].endswith(when):
            left[0] = 0
            if apply is not None:
                apply.answer(request)
            return status, content
        return None

    return fault


def answer(outcome: str, **more: Any) -> dict[str, Any]:
    """An answer of provision on demand."""
    steps = [{"name": "EntryImport", "type": "Import", "status": "Success", "details": {}}]
    status = "Success"
    changes = []
    if outcome == "exported":
        steps.append({"name": "EntryExportUpdate", "type": "Export", "status": "Success", "details": {}})
        changes = [{"displayName": "extensionAttribute1", "oldValue": None, "newValue": "x"}]
    elif outcome == "failed":
        status = "Failure"
        steps.append({"name": "EntryExportUpdate", "type": "Export", "status": "Failure", "description": "LDAP 50"})
    else:
        status = "Skipped"
        steps.append(
            {
                "name": "EntrySynchronizationSkip",
                "type": "Export",
                "status": "Skipped",
                "details": {"SkipReason": outcome},
            }
        )
    value = {"provisioningSteps": steps, "modifiedProperties": changes, "statusInfo": {"status": status, **more}}
    return {"key": json.dumps({"result": status, "details": {}}), "value": json.dumps(value)}


def mailbox(name: str) -> dict[str, Any]:
    return {
        "ExternalDirectoryObjectId": f"id-{name}",
        "UserPrincipalName": f"{name}@contoso.com",
        "RecipientTypeDetails": "UserMailbox",
        "IsDirSynced": True,
        "IsExchangeCloudManaged": True,
    }


def log_entry(
    name: str,
    second: float,
    status: str,
    info: dict[str, Any] | None = None,
    action: str = "update",
    cycle: str = "c",
    skip: str = "",
    changes: list[str] | None = None,
) -> dict[str, Any]:
    """An entry of the provisioning log."""
    step = {"name": "EntrySynchronizationSkip", "status": "skipped", "details": {"SkipReason": skip}}
    return {
        "id": f"{name}{second}",
        "activityDateTime": stamp(second),
        "cycleId": cycle,
        "provisioningAction": action,
        "sourceIdentity": {
            "id": f"id-{name}",
            "displayName": name,
            "details": {"userPrincipalName": f"{name}@contoso.com"},
        },
        "targetIdentity": {"displayName": f"CN={name}"},
        "provisioningStatusInfo": {"status": status, "errorInformation": info},
        "provisioningSteps": [step] if skip else [],
        "modifiedProperties": [{"displayName": item, "oldValue": "a", "newValue": "b"} for item in changes or ()],
    }
