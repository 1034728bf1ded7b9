# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The one place that turns a missing Python library into Ansible's own message, which names the interpreter."""

from __future__ import annotations

from typing import NoReturn

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import MissingLibrary


def fail_for_missing_library(module: AnsibleModule, error: MissingLibrary) -> NoReturn:
    """End the module with the library, the interpreter that lacks it."""
    message = missing_required_lib(error.library)
    module.fail_json(msg=message, exception=error.traceback)
    raise SystemExit(1)
