# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Graph request on its way: who calls, for which tenant, and how Graph refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.lab.cloud import shapes
from tests.lab.cloud.context import Services
from tests.lab.cloud.wire import Refused, Reply, Request
from tests.lab.store import Document

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """A request whose caller is known."""

    services: Services
    request: Request
    version: str
    tenant: Document
    claims: dict[str, Any]

    @property
    def tenant_id(self) -> str:
        """The tenant's id."""
        return str(self.tenant["id"])

    @property
    def roles(self) -> set[str]:
        """Application permissions in the token."""
        return set(self.claims.get("roles", []))

    def context(self, what: str) -> str:
        """The ``@odata.context`` of an answer."""
        return f"{self.request.base}/{self.version}/$metadata#{what}"

    def refuse(self, status: int, code: str, message: str) -> Refused:
        """A refusal in Graph's shape."""
        return Refused(shapes.graph_error(self.services, self.request, status, code, message))

    def bad_request(self, message: str) -> Refused:
        """400 BadRequest."""
        return self.refuse(400, "BadRequest", message)

    def not_found(self, object_id: str) -> Refused:
        """404 for a directory object."""
        return self.refuse(
            404,
            "Request_ResourceNotFound",
            f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present.",
        )

    def denied(self) -> Refused:
        """403 for a missing permission."""
        return self.refuse(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")

    def body(self) -> dict[str, Any]:
        """The body as a JSON object; refuses anything else."""
        found = self.request.json_object()
        if found is None:
            raise self.bad_request("Unable to read JSON request payload. Please ensure Content-Type header is set and "
                                   "payload is of valid JSON format.")  # fmt: skip
        return found

    def engine(self, run: Callable[[], T]) -> T:
        """Call the engines, one caller at a time; what they refuse becomes Graph's refusal."""
        with self.services.engine_lock:
            try:
                return run()
            except self.services.engine_refusal as refusal:
                status, code = getattr(refusal, "status", 500), getattr(refusal, "code", "InternalServerError")
                message = getattr(refusal, "message", str(refusal))
                raise self.refuse(status, code, message) from refusal

    def seen(self, kind: str, docs: list[Document]) -> list[Document]:
        """``docs`` as readers see them now."""
        return self.services.stale.seen(self.tenant_id, kind, docs)


def no_content() -> Reply:
    """204."""
    return Reply(204)
