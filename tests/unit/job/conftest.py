# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules through their real main() and real far ends, down to a service in memory."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud import connect
from job_fakes import TENANT, FakeService

Call = Callable[..., dict[str, Any]]


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def call(
    service: FakeService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Call:
    monkeypatch.setattr(connect, "Transport", lambda ca_path, timeout: service)
    monkeypatch.setattr(connect, "SystemClock", lambda: service.clock)

    def run(name: str, check: bool = False, **options: Any) -> dict[str, Any]:
        module = importlib.import_module(f"ansible_collections.hybrid.exchange.plugins.modules.{name}")
        args = {
            "tenant_id": TENANT,
            "client_id": "app",
            "authentication": "token",
            "access_tokens": {"graph": "token-for-graph-0", "exchange": "token-for-exchange-0"},
            "graph_url": "https://graph.example",
            "exchange_url": "https://outlook.example",
            "artifact_dir": str(tmp_path / "artifacts"),
            "_ansible_check_mode": check,
            "_ansible_diff": True,
            **({"first_start": "accepted"} if name == "writeback_job" else {}),
            **options,
        }
        with patch_module_args(args), pytest.raises(SystemExit) as ended:
            module.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert bool(ended.value.code) == bool(result.get("failed"))
        return result

    return run
