# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The synchronization jobs of a tenant (Cloud Sync), over Graph. Objects are Graph's own JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.graph import Graph, literal, segment
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import ProtocolError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import schema as schemas
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import templates

NEEDS_READ = "the application permission Synchronization.Read.All"
NEEDS_WRITE = "the application permission Synchronization.ReadWrite.All"
NEEDS_APPLICATIONS = "the application permission Application.ReadWrite.All (or Application.ReadWrite.OwnedBy)"
NEEDS_LOG = "the application permission AuditLog.Read.All"
NEEDS_AGENTS = "the permission OnPremisesPublishingProfiles.ReadWrite.All"
NEEDS_ORGANIZATION = "the application permission Organization.Read.All"
# Tells the service that an object id is a user's, as this kind of job wants it.
SUBJECT_PREFIX = "User_"
SUBJECT_TYPE = "User"
SERVICE_PRINCIPAL_SELECT = "id,appId,displayName,applicationTemplateId,tags"


class Synchronization:
    """Configurations (service principals), jobs, secrets, schemas, cycles and logs."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def service_principals(self, application_template_id: str) -> list[dict[str, Any]]:
        """The configurations made from an application template."""
        query = {
            "$filter": f"applicationTemplateId eq {literal(application_template_id)}",
            "$select": SERVICE_PRINCIPAL_SELECT,
        }
        return list(
            self._graph.pages("/servicePrincipals", query, needs="the application permission Application.Read.All")
        )

    def service_principal(self, service_principal_id: str) -> dict[str, Any]:
        """One configuration. NotFound while a new one is not yet replicated."""
        return self._graph.get(
            f"/servicePrincipals/{segment(service_principal_id)}", {"$select": SERVICE_PRINCIPAL_SELECT}
        )

    def organization(self) -> dict[str, Any]:
        """The tenant: whether it is synchronized from AD, and its domains."""
        query = {"$select": "id,displayName,onPremisesSyncEnabled,verifiedDomains"}
        for row in self._graph.pages("/organization", query, needs=NEEDS_ORGANIZATION):
            return row
        raise ProtocolError("Graph returned no organization.")

    def instantiate(self, application_template_id: str, display_name: str) -> dict[str, Any]:
        """Make a configuration; answers its application and servicePrincipal. Never sent twice."""
        return self._graph.post(
            f"/applicationTemplates/{segment(application_template_id)}/instantiate",
            {"displayName": display_name},
            needs=NEEDS_APPLICATIONS,
            repeatable=False,
        )

    def set_tags(self, service_principal_id: str, tags: Sequence[str]) -> None:
        """Replace the tags of a configuration."""
        self._graph.patch(
            f"/servicePrincipals/{segment(service_principal_id)}", {"tags": list(tags)}, needs=NEEDS_APPLICATIONS
        )

    def delete_configuration(self, service_principal_id: str, application_id: str) -> None:
        """Delete a configuration: its application, then its service principal where that is left.

        In this order, because it is found by its service principal: a run that ends in between can be run again.
        """
        if application_id:
            query = {"$filter": f"appId eq {literal(application_id)}", "$select": "id,appId"}
            for application in list(self._graph.pages("/applications", query, needs=NEEDS_APPLICATIONS)):
                self._graph.delete(f"/applications/{segment(str(application['id']))}", needs=NEEDS_APPLICATIONS)
        self._graph.delete(f"/servicePrincipals/{segment(service_principal_id)}", needs=NEEDS_APPLICATIONS)

    def jobs(self, service_principal_id: str) -> list[dict[str, Any]]:
        """The jobs of a configuration."""
        return list(self._graph.pages(f"{_base(service_principal_id)}/jobs", needs=NEEDS_READ))

    def job(self, service_principal_id: str, job_id: str) -> dict[str, Any]:
        """One job with its schedule and status."""
        return self._graph.get(_job(service_principal_id, job_id), needs=NEEDS_READ)

    def create_job(self, service_principal_id: str, template_id: str) -> dict[str, Any]:
        """Make a job; it does not run yet. Never sent twice."""
        return self._graph.post(
            f"{_base(service_principal_id)}/jobs", {"templateId": template_id}, needs=NEEDS_WRITE, repeatable=False
        )

    def delete_job(self, service_principal_id: str, job_id: str) -> bool:
        """Delete a job; False if it was gone."""
        return self._graph.delete(_job(service_principal_id, job_id), needs=NEEDS_WRITE)

    def start(self, service_principal_id: str, job_id: str) -> None:
        """Let a job run."""
        self._graph.post(f"{_job(service_principal_id, job_id)}/start", needs=NEEDS_WRITE)

    def pause(self, service_principal_id: str, job_id: str) -> None:
        """Stop a job for now; it keeps its place."""
        self._graph.post(f"{_job(service_principal_id, job_id)}/pause", needs=NEEDS_WRITE)

    def restart(self, service_principal_id: str, job_id: str, reset_scope: Sequence[str]) -> None:
        """Begin again; reset_scope names what the job forgets (Graph's names), none means as the portal does it."""
        criteria = {"resetScope": ", ".join(reset_scope)} if reset_scope else {}
        self._graph.post(f"{_job(service_principal_id, job_id)}/restart", {"criteria": criteria}, needs=NEEDS_WRITE)

    def secrets(self, service_principal_id: str) -> dict[str, str | None]:
        """The settings of a configuration; None for a value that the service keeps to itself."""
        answer = self._graph.get(f"{_base(service_principal_id)}/secrets", needs=NEEDS_WRITE)
        return {str(pair["key"]): pair.get("value") for pair in answer.get("value") or ()}

    def put_secrets(self, service_principal_id: str, secrets: Mapping[str, str]) -> None:
        """Write the settings of a configuration. This replaces all of them."""
        pairs = [{"key": key, "value": value} for key, value in secrets.items()]
        self._graph.put(f"{_base(service_principal_id)}/secrets", {"value": pairs}, needs=NEEDS_WRITE)

    def schema(self, service_principal_id: str, job_id: str) -> dict[str, Any]:
        """The schema of a job: directories, rules, mappings, scope."""
        return self._graph.get(f"{_job(service_principal_id, job_id)}/schema", needs=NEEDS_READ)

    def template_schema(self, service_principal_id: str, template_id: str) -> dict[str, Any]:
        """The service's default schema for the jobs of a template."""
        return self._graph.get(
            f"{_base(service_principal_id)}/templates/{segment(template_id)}/schema", needs=NEEDS_READ
        )

    def put_schema(self, service_principal_id: str, job_id: str, schema: Mapping[str, Any]) -> None:
        """Replace the whole schema of a job."""
        body = {name: value for name, value in schema.items() if not name.startswith("@odata.")}
        self._graph.put(f"{_job(service_principal_id, job_id)}/schema", body, needs=NEEDS_WRITE)

    def provision_on_demand(self, service_principal_id: str, job_id: str, rule_id: str, user_id: str) -> dict[str, Any]:
        """Provision one user now. Answers key and value of Graph's pair, both read from their JSON text."""
        subject = {"objectId": f"{SUBJECT_PREFIX}{user_id}", "objectTypeName": SUBJECT_TYPE}
        pair = self._graph.post(
            f"{_job(service_principal_id, job_id)}/provisionOnDemand",
            {"parameters": [{"subjects": [subject], "ruleId": rule_id}]},
            needs=NEEDS_WRITE,
        )
        return {name: _from_text(pair.get(name)) for name in ("key", "value")}

    def log(
        self, job_id: str, status: str | None = None, since: datetime | None = None, limit: int = 1000
    ) -> Iterator[dict[str, Any]]:
        """The newest entries of the provisioning log of a job, newest first."""
        conditions = [f"jobId eq {literal(job_id)}"]
        if status:
            conditions.append(f"provisioningStatusInfo/status eq {literal(status)}")
        if since:
            conditions.append(f"activityDateTime gt {since.strftime('%Y-%m-%dT%H:%M:%SZ')}")
        query = {"$filter": " and ".join(conditions), "$orderby": "activityDateTime desc"}
        return islice(self._graph.pages("/auditLogs/provisioning", query, needs=NEEDS_LOG), limit)

    def owned_targets(
        self, domain: str, application_template_id: str = templates.APPLICATION_TEMPLATE
    ) -> frozenset[str]:
        """The AD attributes that running writeback jobs write in a domain; empty where none runs."""
        return frozenset(
            target
            for principal in self.service_principals(application_template_id)
            for job in self.jobs(str(principal["id"]))
            if _runs(job) and _writes_to(principal, job, domain)
            for target in schemas.targets(self.schema(str(principal["id"]), str(job["id"])))
        )

    def agents(self) -> list[dict[str, Any]]:
        """The provisioning agents of the tenant (beta; it does not tell their versions)."""
        path = "/onPremisesPublishingProfiles('provisioning')/agents"
        return list(self._graph.pages(path, version="beta", needs=NEEDS_AGENTS))

    def agent_groups(self) -> list[dict[str, Any]]:
        """The groups of provisioning agents, each with its agents (beta)."""
        path = "/onPremisesPublishingProfiles('provisioning')/agentGroups"
        return list(self._graph.pages(path, {"$expand": "agents"}, version="beta", needs=NEEDS_AGENTS))

    def service_time(self) -> datetime:
        """The service's clock now, to the second."""
        self.organization()
        now = self._graph.service_time()
        if now is None:
            raise ProtocolError("Graph answered without a Date header, so its clock is not known. Give since.")
        return now


def _base(service_principal_id: str) -> str:
    return f"/servicePrincipals/{segment(service_principal_id)}/synchronization"


def _job(service_principal_id: str, job_id: str) -> str:
    return f"{_base(service_principal_id)}/jobs/{segment(job_id)}"


def _from_text(text: Any) -> Any:
    """Graph puts JSON into a string here; what is not JSON stays as it is."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _writes_to(principal: Mapping[str, Any], job: Mapping[str, Any], domain: str) -> bool:
    """Whether a job writes to a domain: by what it shows, else by the name that the portal gives a configuration."""
    settings = {item.get("name"): item.get("value") for item in job.get("synchronizationJobSettings") or ()}
    shown = settings.get(templates.DOMAIN_SETTING) or principal.get("displayName") or ""
    return str(shown).lower() == domain.lower()


def _runs(job: Mapping[str, Any]) -> bool:
    schedule, status = job.get("schedule") or {}, job.get("status") or {}
    return schedule.get("state") == "Active" and status.get("code") != "Paused"
