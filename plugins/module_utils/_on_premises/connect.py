# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The directory of a task's options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import MissingLibrary
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import connection, kerberos, settings
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.directory import Directory


def connect_directory(params: Mapping[str, Any]) -> Directory:
    """The directory that the directory_* options name; it connects when it is first used."""
    if not connection.HAS_LDAP3:
        raise MissingLibrary("ldap3", connection.LDAP3_IMPORT_ERROR)
    wanted = settings.from_params(params)
    if wanted.transport == "kerberos" and not kerberos.HAS_GSSAPI:
        raise MissingLibrary("gssapi", kerberos.GSSAPI_IMPORT_ERROR)
    return Directory(wanted)
