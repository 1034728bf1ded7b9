# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all unit tests share: modules run in this process behave as in a process of their own."""

from __future__ import annotations

import pytest
from ansible.module_utils import _internal
from ansible.module_utils.common import warnings

# Tests of plugins that run on the controller.
CONTROLLER = {"inventory", "filter"}


@pytest.fixture(autouse=True)
def module_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Warnings of a module are returned with its result, and only its own.

    Once any test has imported code of the controller, Ansible takes the process for the controller and prints the
    warnings instead; and it keeps those of earlier modules for the whole life of a process.
    """
    if request.path.parent.name not in CONTROLLER:
        monkeypatch.setattr(_internal, "is_controller", False)
        monkeypatch.setattr(warnings, "_global_warnings", {})
        monkeypatch.setattr(warnings, "_global_deprecations", {})
