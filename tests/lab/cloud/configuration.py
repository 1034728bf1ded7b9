# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A writeback configuration as somebody else made or changed it: the portal, now or in the days of the preview.

Nothing here goes through Graph, so that nothing is left behind that a client of Graph would have left.
"""

from __future__ import annotations

import json
from typing import Any

from tests.lab.cloud.context import Services
from tests.lab.cloud.graph.applications import WRITEBACK_TEMPLATE, made
from tests.lab.cloud.graph.synchronization import JOB_TEMPLATE
from tests.lab.engines import tailoring
from tests.lab.store import Document

PORTAL_THRESHOLD = 500
_NOTIFICATIONS = "SyncNotificationSettings"
# What can be asked of a job's schema and settings; everything is optional.
CHANGES = (
    "custom",
    "delete_threshold",
    "duplicates",
    "filters",
    "flow_types",
    "groups",
    "mail",
    "organizational_units",
)


def the_job(services: Services, tenant: Document) -> Document | None:
    """The tenant's writeback job (the first one, should there be several), or None."""
    return next(iter(services.store.list(tenant["id"], "job")), None)


def make(services: Services, tenant: Document, preview: bool, wanted: Document) -> Document:
    """A configuration with its job, not started, as the portal makes it; ValueError when there is one.

    ``preview``: made before the attribute mail was mapped (23 mappings). ``wanted``: see :data:`CHANGES`.
    """
    if the_job(services, tenant) is not None:
        raise ValueError(f"Tenant {tenant['name']} has a writeback job; remove it first.")
    application, principal = made(WRITEBACK_TEMPLATE, tenant["domain"], {"_owner": None})
    store, tenant_id = services.store, tenant["id"]
    settings = _notifications({}, PORTAL_THRESHOLD, f"admin@{tenant['domain']}")
    pairs = [
        {"key": "Domain", "value": json.dumps({"domain": tenant["domain"]}, separators=(",", ":"))},
        {"key": _NOTIFICATIONS, "value": json.dumps(settings)},
    ]
    with store.transaction():
        store.put(tenant_id, "application", application["id"], application)
        store.put(tenant_id, "servicePrincipal", principal["id"], principal)
        store.put(tenant_id, "secret", principal["id"], {"id": principal["id"], "value": pairs})
        job = services.engines.job_created(
            tenant_id, {"templateId": JOB_TEMPLATE, "_servicePrincipal": principal["id"]}
        )
        if preview:
            job["_schema"] = tailoring.without(job["_schema"], "mail")
        store.put(tenant_id, "job", job["id"], job)
        return change(services, tenant, job, wanted)


def change(services: Services, tenant: Document, job: Document, wanted: Document) -> Document:
    """Change a job's schema and settings as an administrator does in the portal; ValueError when it makes no sense."""
    unknown = sorted(set(wanted) - set(CHANGES))
    if unknown:
        raise ValueError(f"A job has no {', '.join(unknown)}; it has {', '.join(CHANGES)}.")
    schema = job["_schema"]
    if wanted.get("mail") is False:
        schema = tailoring.without(schema, "mail")
    if wanted.get("custom"):
        schema = tailoring.customized(schema)
    for target in wanted.get("duplicates") or ():
        schema = tailoring.duplicated(schema, target)
    groups = wanted.get("groups")
    if groups is not None:
        groups = [_group(services, tenant, name) for name in groups]
    schema = tailoring.scoped(schema, wanted.get("organizational_units"), groups)
    if wanted.get("filters") is not None:
        schema = tailoring.filtered(schema, wanted["filters"])
    if wanted.get("flow_types"):
        schema = tailoring.with_flow_types(schema, wanted["flow_types"])
    changed = {**job, "_schema": schema}
    with services.store.transaction():
        services.store.put(tenant["id"], "job", job["id"], changed)
        if wanted.get("delete_threshold") is not None:
            _set_threshold(services, tenant, job, int(wanted["delete_threshold"]))
    return changed


def remove(services: Services, tenant: Document, job: Document) -> None:
    """Remove the job with its service principal, application and secrets."""
    store, tenant_id, principal_id = services.store, tenant["id"], job["_servicePrincipal"]
    with store.transaction():
        principal = store.get(tenant_id, "servicePrincipal", principal_id) or {}
        for application in store.list(tenant_id, "application"):
            if application["appId"] == principal.get("appId"):
                store.delete(tenant_id, "application", application["id"])
        for kind, identifier in (("servicePrincipal", principal_id), ("secret", principal_id), ("job", job["id"])):
            store.delete(tenant_id, kind, identifier)


def threshold(services: Services, tenant: Document, job: Document) -> int | None:
    """How many deletes stop the job, as its secret says; None when it says nothing, or the protection is off."""
    settings = _settings(services, tenant, job)
    value = settings.get("DeleteThresholdValue") if settings.get("DeleteThresholdEnabled", True) else None
    return int(value) if value is not None else None


def _group(services: Services, tenant: Document, name: str) -> str:
    """The distinguished name of a synchronized group that is named by it, by its display name, account name or id."""
    for group in services.store.list(tenant["id"], "group"):
        known = (group["id"], group.get("displayName"), group.get("onPremisesSamAccountName"))
        if name in (*known, group.get("_distinguishedName")):
            return str(group["_distinguishedName"])
    raise ValueError(f"Tenant {tenant['name']} has no synchronized group {name!r}.")


def _settings(services: Services, tenant: Document, job: Document) -> dict[str, Any]:
    secret = services.store.get(tenant["id"], "secret", job["_servicePrincipal"]) or {}
    text = next((one["value"] for one in secret.get("value") or () if one["key"] == _NOTIFICATIONS), None)
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _notifications(settings: dict[str, Any], count: int, recipients: str = "") -> dict[str, Any]:
    """SyncNotificationSettings with a threshold; 0 switches the protection off."""
    value = {"DeleteThresholdValue": count} if count else {}
    return {"Enabled": True, "Recipients": recipients, **settings, "DeleteThresholdEnabled": count > 0, **value}


def _set_threshold(services: Services, tenant: Document, job: Document, count: int) -> None:
    secret = services.store.get(tenant["id"], "secret", job["_servicePrincipal"]) or {"id": job["_servicePrincipal"]}
    settings = _notifications(_settings(services, tenant, job), count)
    others = [one for one in secret.get("value") or () if one["key"] != _NOTIFICATIONS]
    changed = {**secret, "value": [*others, {"key": _NOTIFICATIONS, "value": json.dumps(settings)}]}
    services.store.put(tenant["id"], "secret", job["_servicePrincipal"], changed)
