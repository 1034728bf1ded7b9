# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes over the wire, free of any web framework: a request, a reply, and a refusal that carries a reply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

JSON_TYPE = "application/json; charset=utf-8"


@dataclass
class Request:
    """One HTTP request to one of the lab's services; header names are lower case."""

    service: str
    method: str
    path: str
    query_string: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base: str = ""

    @cached_property
    def query(self) -> dict[str, str]:
        """Query parameters; the last of equal names counts."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @cached_property
    def json(self) -> Any:
        """The body as JSON; ValueError when it is none."""
        return json.loads(self.body.decode("utf-8"))

    @cached_property
    def form(self) -> dict[str, str]:
        """The body as an HTML form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def canonical_body(self) -> bytes:
        """The body in a form that is the same for the same JSON, however it is spelled; as it came when it is none."""
        value = self.json_object()
        return self.body if value is None else json.dumps(value, sort_keys=True).encode()

    def json_object(self) -> dict[str, Any] | None:
        """The body as a JSON object, or None when it is something else."""
        try:
            value = self.json
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


@dataclass
class Reply:
    """One HTTP answer: ``content`` is sent as JSON, ``text`` and ``data`` as they are (one of the three, or none)."""

    status: int
    content: Any = None
    text: str | None = None
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    data: bytes | None = None

    def body(self) -> bytes:
        """The bytes of the body."""
        if self.data is not None:
            return self.data
        if self.text is not None:
            return self.text.encode()
        if self.content is None:
            return b""
        return json.dumps(self.content, ensure_ascii=False).encode()


class Refused(Exception):
    """A request that a service refuses; ``reply`` says how."""

    def __init__(self, reply: Reply) -> None:
        """Carry ``reply`` up to where it is sent."""
        super().__init__(f"refused with status {reply.status}")
        self.reply = reply
