# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Whether two schemas write the same, however they are written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import schema as schemas
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping import source
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.merge import DEFAULTS, SERVICE_MANAGED


def fingerprint(schema: Mapping[str, Any]) -> str:
    """A SHA-256 of what the schema's mappings for users give; the service's own mappings and the scope do not count."""
    rows = {
        json.dumps(
            [
                bool(objects.get("enabled", True)),
                _text(mapping, "targetAttributeName").lower(),
                source.meaning(mapping.get("source")),
                _text(mapping, "flowType") or DEFAULTS["flowType"],
                _text(mapping, "defaultValue"),
            ]
        )
        for objects in schemas.user_mappings(schema)
        for mapping in objects.get("attributeMappings") or ()
        if _text(mapping, "targetAttributeName").lower() not in SERVICE_MANAGED
    }
    return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()


def _text(mapping: Mapping[str, Any], name: str) -> str:
    return str(mapping.get(name) or "")
