# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's state: JSON documents in one SQLite file that survives restarts.

Reads take no lock of the process (write-ahead log); writes queue behind one lock, so a transaction never meets
"database is locked" from a neighbour thread.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Document = dict[str, Any]
Documents = list[Document]  # a name of its own, for Store has a method ``list``

_SCHEMA = """
CREATE TABLE IF NOT EXISTS object(
    tenant TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, doc TEXT NOT NULL, changed REAL NOT NULL,
    PRIMARY KEY(tenant, kind, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS object_changed ON object(tenant, kind, id, changed);
CREATE TABLE IF NOT EXISTS request(seq INTEGER PRIMARY KEY AUTOINCREMENT, is_write INTEGER NOT NULL, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fault(id INTEGER PRIMARY KEY AUTOINCREMENT, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

# Only rows that differ: writing all of them takes ten times as long, and most restores follow a few changes. Every
# write of a document sets ``changed``, and the index spares reading the documents to see it.
_RESTORE = (
    "DELETE FROM main.object WHERE (tenant, kind, id, changed) NOT IN"
    " (SELECT tenant, kind, id, changed FROM snapshot.object)",
    "INSERT INTO main.object SELECT * FROM snapshot.object WHERE (tenant, kind, id) IN"
    " (SELECT tenant, kind, id FROM snapshot.object EXCEPT SELECT tenant, kind, id FROM main.object)",
    "DELETE FROM main.meta WHERE (key, value) NOT IN (SELECT key, value FROM snapshot.meta)",
    "INSERT INTO main.meta SELECT * FROM snapshot.meta WHERE key NOT IN (SELECT key FROM main.meta)",
)

# The pseudo tenant under which the tenants themselves are kept.
DIRECTORY = "*"


def _parse_all(rows: sqlite3.Cursor) -> Documents:
    # One parse of one array is several times faster than one parse per row.
    parsed: Documents = json.loads("[" + ",".join(row[0] for row in rows.fetchall()) + "]")
    return parsed


class Store:
    """Documents by (tenant id, kind, id); what is handed out is always a copy."""

    def __init__(self, path: Path) -> None:
        """Open or make the file at ``path``; its folder must exist."""
        self.path = Path(path)
        self._writer = threading.RLock()
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._connections_lock = threading.Lock()
        self._connection().executescript(_SCHEMA)

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            self._local.connection = connection
            self._local.depth = 0
            with self._connections_lock:
                self._connections.append(connection)
        return connection

    def close(self) -> None:
        """Close every thread's connection; the store is unusable afterwards."""
        with self._writer, self._connections_lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing for the writes inside; one writer at a time; may be nested in a thread."""
        with self._writer:
            connection = self._connection()
            outermost = self._local.depth == 0
            if outermost:
                connection.execute("BEGIN IMMEDIATE")
            self._local.depth += 1
            try:
                yield
            except BaseException:
                self._local.depth -= 1
                if outermost:
                    connection.execute("ROLLBACK")
                raise
            self._local.depth -= 1
            if outermost:
                connection.execute("COMMIT")

    # -- documents ---------------------------------------------------------------------------------------------

    def tenants(self) -> Documents:
        """The tenants' documents: name, id, domain, initial_domain, verified_domains."""
        return self.list(DIRECTORY, "tenant")

    def put_tenant(self, doc: Document) -> None:
        """Add or replace a tenant's document (key: its ``id``)."""
        self.put(DIRECTORY, "tenant", doc["id"], doc)

    def get(self, tenant_id: str, kind: str, id: str) -> Document | None:
        """One document, or None."""
        row = (
            self._connection()
            .execute("SELECT doc FROM object WHERE tenant=? AND kind=? AND id=?", (tenant_id, kind, id))
            .fetchone()
        )
        if row is None:
            return None
        doc: Document = json.loads(row[0])
        return doc

    def list(self, tenant_id: str, kind: str) -> Documents:
        """All documents of a kind in a tenant, ordered by id."""
        rows = self._connection().execute(
            "SELECT doc FROM object WHERE tenant=? AND kind=? ORDER BY id", (tenant_id, kind)
        )
        return _parse_all(rows)

    def page(self, tenant_id: str, kind: str, after: str = "", limit: int = 1000) -> Documents:
        """Up to ``limit`` documents of a kind whose id comes after ``after``, ordered by id."""
        rows = self._connection().execute(
            "SELECT doc FROM object WHERE tenant=? AND kind=? AND id>? ORDER BY id LIMIT ?",
            (tenant_id, kind, after, limit),
        )
        return _parse_all(rows)

    def search(self, tenant_id: str, kind: str, text: str) -> Documents:
        """Documents of a kind that hold ``text`` anywhere (ASCII case apart): candidates, not answers."""
        pattern = json.dumps(text, ensure_ascii=False)[1:-1]
        for special in ("\\", "%", "_"):
            pattern = pattern.replace(special, "\\" + special)
        rows = self._connection().execute(
            "SELECT doc FROM object WHERE tenant=? AND kind=? AND doc LIKE ? ESCAPE '\\' ORDER BY id",
            (tenant_id, kind, f"%{pattern}%"),
        )
        return _parse_all(rows)

    def count(self, tenant_id: str, kind: str) -> int:
        """How many documents of a kind a tenant has."""
        query = "SELECT count(*) FROM object WHERE tenant=? AND kind=?"
        return int(self._connection().execute(query, (tenant_id, kind)).fetchone()[0])

    def count_true(self, tenant_id: str, kind: str, *names: str) -> tuple[int, ...]:
        """In how many documents of a kind each of these members is true (for a number: not 0)."""
        sums = ",".join(["total(coalesce(json_extract(doc, ?), 0) <> 0)"] * len(names))
        query = f"SELECT {sums} FROM object WHERE tenant=? AND kind=?"
        row = self._connection().execute(query, (*(f"$.{name}" for name in names), tenant_id, kind)).fetchone()
        return tuple(int(one) for one in row)

    def counts(self, tenant_id: str) -> dict[str, int]:
        """Documents per kind of a tenant."""
        query = "SELECT kind, count(*) FROM object WHERE tenant=? GROUP BY kind ORDER BY kind"
        return dict(self._connection().execute(query, (tenant_id,)).fetchall())

    def put(self, tenant_id: str, kind: str, id: str, doc: Document) -> None:
        """Add or replace one document."""
        with self.transaction():
            self._connection().execute(
                "INSERT INTO object VALUES(?,?,?,?,?) "
                "ON CONFLICT DO UPDATE SET doc=excluded.doc, changed=excluded.changed",
                (tenant_id, kind, id, json.dumps(doc, ensure_ascii=False), time.time()),
            )

    def delete(self, tenant_id: str, kind: str, id: str) -> None:
        """Remove one document; it need not exist."""
        with self.transaction():
            self._connection().execute("DELETE FROM object WHERE tenant=? AND kind=? AND id=?", (tenant_id, kind, id))

    # -- meta --------------------------------------------------------------------------------------------------

    def meta(self, key: str, default: Any = None) -> Any:
        """A named JSON value, or ``default``."""
        row = self._connection().execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return default if row is None else json.loads(row[0])

    def set_meta(self, key: str, value: Any) -> None:
        """Set a named JSON value."""
        with self.transaction():
            self._connection().execute(
                "INSERT INTO meta VALUES(?,?) ON CONFLICT DO UPDATE SET value=excluded.value", (key, json.dumps(value))
            )

    # -- request log -------------------------------------------------------------------------------------------

    def log_request(self, doc: Document, is_write: bool) -> int:
        """Append a request to the log; returns its sequence number."""
        with self.transaction():
            cursor = self._connection().execute(
                "INSERT INTO request(is_write, doc) VALUES(?,?)", (int(is_write), json.dumps(doc, ensure_ascii=False))
            )
            return int(cursor.lastrowid or 0)

    def requests(self, after: int = 0, writes: bool = False) -> Documents:
        """The log after a sequence number, oldest first; only requests that change state when ``writes``."""
        query = "SELECT seq, doc FROM request WHERE seq>?" + (" AND is_write=1" if writes else "") + " ORDER BY seq"
        rows = self._connection().execute(query, (after,)).fetchall()
        return [{"seq": seq, **json.loads(doc)} for seq, doc in rows]

    def clear_requests(self) -> None:
        """Forget the log; sequence numbers go on counting."""
        with self.transaction():
            self._connection().execute("DELETE FROM request")

    # -- faults ------------------------------------------------------------------------------------------------

    def faults(self) -> Documents:
        """The armed faults, oldest first, each with its ``id``."""
        rows = self._connection().execute("SELECT id, doc FROM fault ORDER BY id").fetchall()
        return [{"id": id_, **json.loads(doc)} for id_, doc in rows]

    def put_fault(self, doc: Document, fault_id: int | None = None) -> int:
        """Add a fault, or replace the one with ``fault_id``; returns its id."""
        text = json.dumps({key: value for key, value in doc.items() if key != "id"})
        with self.transaction():
            if fault_id is None:
                return int(self._connection().execute("INSERT INTO fault(doc) VALUES(?)", (text,)).lastrowid or 0)
            self._connection().execute("UPDATE fault SET doc=? WHERE id=?", (text, fault_id))
            return fault_id

    def delete_faults(self, fault_id: int | None = None) -> int:
        """Remove one fault or all; returns how many went."""
        with self.transaction():
            if fault_id is None:
                return self._connection().execute("DELETE FROM fault").rowcount
            return self._connection().execute("DELETE FROM fault WHERE id=?", (fault_id,)).rowcount

    # -- snapshots ---------------------------------------------------------------------------------------------

    def snapshot(self, path: Path) -> None:
        """Write documents and meta values, as they are now, to ``path`` (replaced when there)."""
        path = Path(path)
        for leftover in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            leftover.unlink(missing_ok=True)
        with self._writer:
            target = sqlite3.connect(path)
            try:
                self._connection().backup(target)
                target.execute("PRAGMA journal_mode=DELETE")
            finally:
                target.close()

    def restore(self, path: Path) -> None:
        """Put documents and meta values back to what ``path`` holds; log and faults are left alone.

        Raises FileNotFoundError when there is no such snapshot.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f"No snapshot at {path}.")
        with self._writer:
            connection = self._connection()
            connection.execute("ATTACH DATABASE ? AS snapshot", (str(path),))
            try:
                with self.transaction():
                    for statement in _RESTORE:
                        connection.execute(statement)
            finally:
                connection.execute("DETACH DATABASE snapshot")
