# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stale reads: for a while after a write, reads give what was there before."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from tests.lab.clock import Clock
from tests.lab.scenario import Scenario
from tests.lab.store import Document

Key = tuple[str, str, str]


def document_id(doc: Document) -> str:
    """The id under which a document is kept; Exchange's documents carry it as ExternalDirectoryObjectId."""
    return str(doc.get("id") or doc.get("ExternalDirectoryObjectId", ""))


class StaleReads:
    """Before-images of recent writes, and until when (lab time) they are what readers get."""

    def __init__(self, clock: Clock, scenario: Scenario) -> None:
        """Start with nothing remembered; the switch ``stale_reads_s`` says for how long by default."""
        self._clock = clock
        self._scenario = scenario
        self._lock = threading.Lock()
        self._before: dict[Key, tuple[Document | None, float]] = {}  # None: there was nothing

    def written(self, key: Key, before: Document | None, seconds: float = 0.0) -> None:
        """A document was written, made (``before`` None) or removed.

        ``seconds`` of a fault count when they are more than the switch's.
        """
        lasting = max(seconds, float(self._scenario["stale_reads_s"]))
        if lasting <= 0:
            return
        with self._lock:
            now = self._clock.timestamp()
            kept = self._before.get(key)
            image = kept[0] if kept is not None and kept[1] > now else before
            self._before[key] = (image, now + lasting)

    def _images(self, tenant_id: str, kind: str) -> dict[str, Document | None]:
        """What readers get instead of a kind's documents, by id."""
        with self._lock:
            if not self._before:
                return {}
            now = self._clock.timestamp()
            self._before = {key: kept for key, kept in self._before.items() if kept[1] > now}
            return {key[2]: kept[0] for key, kept in self._before.items() if key[:2] == (tenant_id, kind)}

    def seen(self, tenant_id: str, kind: str, docs: Iterable[Document]) -> list[Document]:
        """``docs`` as a reader sees them now; new ones are seen."""
        images = self._images(tenant_id, kind)
        return [images.get(document_id(doc)) or doc for doc in docs]

    def seen_of_all(self, tenant_id: str, kind: str, docs: Iterable[Document]) -> list[Document]:
        """All documents of a kind as a reader sees them now: new ones not yet, removed ones still."""
        docs = list(docs)
        images = self._images(tenant_id, kind)
        if not images:
            return docs
        shown = [images.get(document_id(doc), doc) for doc in docs]
        there = {document_id(doc) for doc in docs}
        gone = [image for key, image in images.items() if key not in there]
        return [doc for doc in (*shown, *gone) if doc is not None]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._before.clear()
