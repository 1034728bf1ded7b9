# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Whether a TCP port takes connections."""

from __future__ import annotations

import socket

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import NotFound

TIMEOUT = 5.0
"""Seconds after which a port that does not answer counts as closed."""


def is_open(host: str, port: int, timeout: float = TIMEOUT) -> bool:
    """Whether a connection is taken; a refusal and no answer are both no. NotFound for a name without an address."""
    try:
        with socket.create_connection((host, port), timeout=timeout):
            return True
    except socket.gaierror as error:
        raise NotFound(f"The name {host} has no address: {error.strerror or error}.", host=host) from error
    except OSError:
        return False
