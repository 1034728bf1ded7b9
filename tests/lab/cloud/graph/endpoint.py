# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph's addresses: which call answers which, under which permissions; and ``$batch``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.lab.cloud import shapes
from tests.lab.cloud.context import Services
from tests.lab.cloud.graph import applications, deleted, directory, logs, schema, synchronization
from tests.lab.cloud.graph.call import Call
from tests.lab.cloud.tokens import TokenRefused, audiences, bearer
from tests.lab.cloud.wire import Refused, Reply, Request

BATCH_LIMIT = 20

_DIRECTORY_READ = ("Directory.Read.All", "Directory.ReadWrite.All")
_APPLICATIONS_WRITE = ("Application.ReadWrite.All", "Application.ReadWrite.OwnedBy")
_APPLICATIONS_READ = ("Application.Read.All", *_APPLICATIONS_WRITE, *_DIRECTORY_READ)
_SYNC_WRITE = ("Synchronization.ReadWrite.All", "Application.ReadWrite.OwnedBy")
_SYNC_READ = ("Synchronization.Read.All", *_SYNC_WRITE)
_OBJECTS_READ = {
    "users": ("User.Read.All", "User.ReadWrite.All", *_DIRECTORY_READ),
    "groups": ("Group.Read.All", "GroupMember.Read.All", "Group.ReadWrite.All", *_DIRECTORY_READ),
    "contacts": ("OrgContact.Read.All", *_DIRECTORY_READ),
}
# Reading needs the same permission as writing.
_SYNC_BEHAVIOR = {
    "users": ("User-OnPremisesSyncBehavior.ReadWrite.All",),
    "groups": ("Group-OnPremisesSyncBehavior.ReadWrite.All",),
    "contacts": ("Contacts-OnPremisesSyncBehavior.ReadWrite.All",),
}
_ASSIGNMENTS = ("AppRoleAssignment.ReadWrite.All",)
_LOGS_READ = ("AuditLog.Read.All", "ProvisioningLog.Read.All")
_AGENTS = ("OnPremisesPublishingProfiles.ReadWrite.All",)

SubProcess = Callable[[Services, Request, Callable[[Services, Request], Reply]], Reply]
Handler = Callable[..., Reply]


@dataclass(frozen=True)
class Route:
    """One address: method, pattern, the permissions of which one is needed (none: any token), and what answers."""

    method: str
    pattern: re.Pattern[str]
    permissions: tuple[str, ...]
    handler: Handler
    beta_only: bool = False


def _route(method: str, pattern: str, permissions: tuple[str, ...], handler: Handler, beta_only: bool = False) -> Route:
    expanded = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
    return Route(method, re.compile(f"^{expanded}$", re.IGNORECASE), permissions, handler, beta_only)


def _object_routes(collection: str) -> list[Route]:
    read, behavior = _OBJECTS_READ[collection], _SYNC_BEHAVIOR[collection]
    return [
        _route("GET", f"/{collection}", read, lambda call: directory.list_objects(call, collection)),
        _route("GET", rf"/{collection}/\$count", read, lambda call: directory.count_objects(call, collection)),
        _route(
            "GET",
            f"/{collection}/{{object_id}}",
            read,
            lambda c, object_id: directory.get_object(c, collection, object_id),
        ),
        _route(
            "GET",
            f"/{collection}/{{object_id}}/onPremisesSyncBehavior",
            behavior,
            lambda call, object_id: directory.sync_behavior(call, collection, object_id),
        ),
        _route(
            "PATCH",
            f"/{collection}/{{object_id}}/onPremisesSyncBehavior",
            behavior,
            lambda call, object_id: directory.patch_sync_behavior(call, collection, object_id),
        ),
    ]


_SYNC = "/servicePrincipals/{principal_id}/synchronization"
_JOB = _SYNC + "/jobs/{job_id}"

ROUTES: tuple[Route, ...] = (
    *(route for collection in directory.COLLECTIONS for route in _object_routes(collection)),
    _route("GET", "/groups/{group_id}/members", _OBJECTS_READ["groups"], directory.members),
    _route("GET", "/groups/{group_id}/transitiveMembers", _OBJECTS_READ["groups"], directory.transitive_members),
    _route("GET", "/organization", ("Organization.Read.All", "Organization.ReadWrite.All", *_DIRECTORY_READ),
           directory.organization),
    _route("PATCH", "/organization/{organization_id}", ("Organization.ReadWrite.All",), directory.patch_organization),
    _route("GET", "/applicationTemplates/{template_id}", (), applications.template),
    _route("POST", "/applicationTemplates/{template_id}/(?:microsoft.graph.)?instantiate", _APPLICATIONS_WRITE,
           applications.instantiate),
    _route("GET", "/applications", _APPLICATIONS_READ, applications.list_applications),
    _route("GET", "/applications/{object_id}", _APPLICATIONS_READ, applications.get_application),
    _route("DELETE", "/applications/{object_id}", _APPLICATIONS_WRITE, applications.delete_application),
    _route("GET", "/servicePrincipals", _APPLICATIONS_READ, applications.list_principals),
    _route("GET", "/servicePrincipals/{object_id}", _APPLICATIONS_READ, applications.get_principal),
    _route("PATCH", "/servicePrincipals/{object_id}", _APPLICATIONS_WRITE, applications.patch_principal),
    _route("DELETE", "/servicePrincipals/{object_id}", _APPLICATIONS_WRITE, applications.delete_principal),
    _route("GET", "/servicePrincipals/{object_id}/appRoleAssignments", _APPLICATIONS_READ,
           applications.list_assignments),
    _route("DELETE", "/servicePrincipals/{object_id}/appRoleAssignments/{assignment_id}", _ASSIGNMENTS,
           applications.delete_assignment),
    _route("GET", "/directory/deletedItems/microsoft.graph.{type_name}", _APPLICATIONS_READ, deleted.list_items),
    _route("GET", "/directory/deletedItems/{object_id}", _APPLICATIONS_READ, deleted.get_item),
    _route("POST", "/directory/deletedItems/{object_id}/restore", ("Application.ReadWrite.All",),
           deleted.restore_item),
    _route("DELETE", "/directory/deletedItems/{object_id}", ("Application.ReadWrite.All",), deleted.remove_item),
    _route("GET", _SYNC + "/templates", _SYNC_READ, synchronization.list_templates),
    _route("GET", _SYNC + "/templates/{template_id}/schema", _SYNC_READ, schema.get_template_schema),
    _route("GET", _SYNC + "/secrets", _SYNC_READ, synchronization.get_secrets),
    _route("PUT", _SYNC + "/secrets", _SYNC_WRITE, synchronization.put_secrets),
    _route("GET", _SYNC + "/jobs", _SYNC_READ, synchronization.list_jobs),
    _route("POST", _SYNC + "/jobs", _SYNC_WRITE, synchronization.create_job),
    _route("GET", _JOB, _SYNC_READ, synchronization.get_job),
    _route("DELETE", _JOB, _SYNC_WRITE, synchronization.delete_job),
    _route("POST", _JOB + "/start", _SYNC_WRITE, synchronization.start),
    _route("POST", _JOB + "/pause", _SYNC_WRITE, synchronization.pause),
    _route("POST", _JOB + "/restart", _SYNC_WRITE, synchronization.restart),
    _route("POST", _JOB + "/validateCredentials", _SYNC_WRITE, synchronization.validate_credentials),
    _route("POST", _JOB + "/provisionOnDemand", _SYNC_WRITE, synchronization.provision_on_demand),
    _route("GET", _JOB + "/schema", _SYNC_READ, schema.get_schema),
    _route("PUT", _JOB + "/schema", _SYNC_WRITE, schema.put_schema),
    _route("DELETE", _JOB + "/schema", _SYNC_WRITE, schema.delete_schema),
    _route("GET", _JOB + r"/schema/filterOperators(?:\(\))?", _SYNC_READ, schema.filter_operators),
    _route("GET", _JOB + r"/schema/functions(?:\(\))?", _SYNC_READ, schema.functions),
    _route("POST", _JOB + "/schema/directories/{directory_id}/discover", _SYNC_WRITE, schema.discover),
    _route("GET", "/auditLogs/provisioning", _LOGS_READ, logs.provisioning),
    _route("GET", "/onPremisesPublishingProfiles/{profile}/(?P<collection>agents|agentGroups|publishedResources)",
           _AGENTS, logs.profile_collection, beta_only=True),
)  # fmt: skip


def handle(services: Services, request: Request, sub_process: SubProcess) -> Reply:
    """Answer one request to the Graph address."""
    version, path = _split(request.path)
    if version is None:
        return shapes.graph_error(services, request, 400, "BadRequest", "Invalid version. It must be v1.0 or beta.")
    call = _call(services, request, version)
    if path == "/$batch":
        return _batch(call, sub_process)
    known = [route for route in ROUTES if route.pattern.match(path)]
    if version == "v1.0":
        known = [route for route in known if not route.beta_only]
    if not known:
        segment = path.strip("/").split("/")[-1]
        raise call.bad_request(f"Resource not found for the segment '{segment}'.")
    for route in known:
        if route.method == request.method:
            if route.permissions and not call.roles.intersection(route.permissions):
                raise call.denied()
            matched = route.pattern.match(path)
            return route.handler(call, **(matched.groupdict() if matched else {}))
    raise call.refuse(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")


def _split(path: str) -> tuple[str | None, str]:
    """Version and rest of a path; keys in brackets become segments: users('x') is users/x."""
    version, _slash, rest = path.lstrip("/").partition("/")
    if version not in ("v1.0", "beta"):
        return None, ""
    rest = re.sub(r"\('([^']*)'\)", r"/\1", rest)
    rest = re.sub(r"\(appId='?([^')]*)'?\)", r"/appId=\1", rest)
    return version, "/" + rest.rstrip("/")


def _call(services: Services, request: Request, version: str) -> Call:
    token = bearer(request.headers)
    if token is None:
        raise Refused(shapes.unauthorized(services, request, "Access token is empty."))
    try:
        claims = services.issuer.verify(token, audiences("graph", services.urls))
    except TokenRefused as refused:
        raise Refused(shapes.unauthorized(services, request, str(refused))) from refused
    tenant = services.tenant(claims["tid"])
    if tenant is None:
        raise Refused(shapes.unauthorized(services, request, "Access token validation failure. Unknown tenant."))
    return Call(services, request, version, tenant, claims)


def _batch(call: Call, sub_process: SubProcess) -> Reply:
    parts = call.body().get("requests")
    if call.request.method != "POST" or not isinstance(parts, list) or not 0 < len(parts) <= BATCH_LIMIT:
        raise call.bad_request(f"A batch holds 1 to {BATCH_LIMIT} requests.")
    responses: list[dict[str, Any]] = []
    for part in parts:
        if not isinstance(part, dict) or not all(isinstance(part.get(name), str) for name in ("id", "method", "url")):
            raise call.bad_request("Each request of a batch has an id, a method and a url.")
        reply = sub_process(call.services, _part(call, part), lambda s, r: handle(s, r, sub_process))
        responses.append({"id": part["id"], "status": reply.status, "headers": reply.headers, "body": reply.content})
    return Reply(200, {"responses": responses})


def _part(call: Call, part: dict[str, Any]) -> Request:
    url = urlsplit(part["url"])
    own = {str(name).lower(): str(value) for name, value in (part.get("headers") or {}).items()}
    body = part.get("body")
    return Request(
        service="graph",
        method=part["method"].upper(),
        path=f"/{call.version}/{url.path.lstrip('/')}",
        query_string=url.query,
        headers={"authorization": call.request.headers.get("authorization", ""), **own},
        body=b"" if body is None else json.dumps(body).encode(),
        base=call.request.base,
    )
