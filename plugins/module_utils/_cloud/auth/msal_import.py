# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The one guarded import of MSAL."""

from __future__ import annotations

import traceback
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import MissingLibrary

try:
    import msal  # type: ignore[import-untyped]
except ImportError:
    HAS_MSAL = False
    MSAL_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    HAS_MSAL = True
    MSAL_IMPORT_ERROR = None


def require() -> Any:
    """The msal library, or MissingLibrary."""
    if not HAS_MSAL:
        raise MissingLibrary("msal", MSAL_IMPORT_ERROR)
    return msal
