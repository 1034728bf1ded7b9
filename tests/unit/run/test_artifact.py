# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Artifacts."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import ArtifactWriter


def test_the_file_is_whole_private_and_hashed(tmp_path):
    with ArtifactWriter(tmp_path / "new" / "dir", "plan of contoso.com") as writer:
        writer.write({"b": 1, "a": "ö"})
        writer.write({"c": [None]})
        assert not list((tmp_path / "new" / "dir").glob("*.jsonl")), "no name before it is whole"
    artifact = writer.artifact
    path = Path(artifact.path)
    assert path.read_text("utf-8").splitlines() == ['{"b":1,"a":"ö"}', '{"c":[null]}']
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.name.startswith("plan_of_contoso.com-")
    assert artifact.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert artifact.lines == 2
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_an_error_leaves_nothing_behind(tmp_path):
    with pytest.raises(KeyError), ArtifactWriter(tmp_path, "a") as writer:
        writer.write({"a": 1})
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="not finished"):
        str(writer.artifact)


def test_it_is_synchronized_before_it_has_its_name(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(os, "fsync", lambda handle: calls.append(sorted(p.suffix for p in tmp_path.iterdir())))
    with ArtifactWriter(tmp_path, "a") as writer:
        writer.write({"a": 1})
    assert calls == [[".partial"], [".jsonl"]]


def test_no_artifact_replaces_another(tmp_path):
    paths = set()
    for number in range(50):
        with ArtifactWriter(tmp_path, "a") as writer:
            writer.write({"n": number})
        paths.add(writer.artifact.path)
    assert len(paths) == len(list(tmp_path.glob("*.jsonl"))) == 50
    assert sorted(json.loads(Path(path).read_text())["n"] for path in paths) == list(range(50))


def test_a_directory_that_cannot_be_is_an_input_error(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(InputError, match="another artifact_dir"), ArtifactWriter(blocker / "sub", "a"):
        raise AssertionError("not reached")
