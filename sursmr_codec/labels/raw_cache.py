"""Raw answers on disk: what teachers and machines said of pictures, free of thresholds and protocols.

One SQLite file, written by one process. A picture is an original or a rung, by its source's digest, the
codec's fingerprint and the QP; an answer belongs to a picture and to a question, which names a machine or
teacher with everything that may change its answers.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from sursmr_codec.errors import OutputError

FILE = "raw.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS picture (
  id INTEGER PRIMARY KEY, source TEXT NOT NULL, fingerprint TEXT NOT NULL, qp INTEGER NOT NULL,
  facts TEXT NOT NULL, UNIQUE (source, fingerprint, qp));
CREATE TABLE IF NOT EXISTS question (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS answer (
  picture INTEGER NOT NULL, question INTEGER NOT NULL, answer BLOB NOT NULL,
  PRIMARY KEY (picture, question)) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class PictureKey:
    """An original (no fingerprint) or a rung."""

    source: str
    """Hex SHA-256 of the source file's bytes."""
    fingerprint: str = ""
    """The codec's; empty for the original."""
    qp: int = -1
    """-1 for the original."""


@dataclass(frozen=True)
class Stored:
    """What is known of a picture."""

    facts: Mapping[str, Any]
    answers: Mapping[str, Any]
    """Question -> answer, for those that were asked for and are known."""


class RawCache:
    """Opens or makes the cache in a folder; use as a context manager."""

    def __init__(self, folder: Path | str) -> None:
        """Raises OutputError where the folder cannot be written."""
        self._path = Path(folder) / FILE
        with self._translated():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self._path, timeout=60.0)
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = NORMAL")
                self._db.executescript(_SCHEMA)
            except sqlite3.Error:
                self._db.close()
                raise
        self._questions: dict[str, int] = {}

    def __enter__(self) -> RawCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def get(self, key: PictureKey, questions: Iterable[str]) -> Stored | None:
        """What is known of a picture; None for one that was never seen."""
        with self._translated():
            row = self._db.execute(
                "SELECT id, facts FROM picture WHERE source = ? AND fingerprint = ? AND qp = ?",
                (key.source, key.fingerprint, key.qp),
            ).fetchone()
            if row is None:
                return None
            picture, facts = row
            found = self._db.execute("SELECT question, answer FROM answer WHERE picture = ?", (picture,))
            blobs = dict(found.fetchall())
            ids = {name: self._question(name) for name in questions}
        answers = {name: _unpacked(blobs[number]) for name, number in ids.items() if number in blobs}
        return Stored(json.loads(facts), answers)

    def put(self, pictures: Mapping[PictureKey, Stored]) -> None:
        """Add what was learnt, all or nothing; answers that are known already are replaced."""
        with self._translated():
            self._add_questions({name for stored in pictures.values() for name in stored.answers})
        with self._translated(), self._db:
            for key, stored in pictures.items():
                (picture,) = self._db.execute(
                    "INSERT INTO picture (source, fingerprint, qp, facts) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET facts = excluded.facts RETURNING id",
                    (key.source, key.fingerprint, key.qp, json.dumps(dict(stored.facts), sort_keys=True)),
                ).fetchone()
                self._db.executemany(
                    "INSERT OR REPLACE INTO answer VALUES (?, ?, ?)",
                    [
                        (picture, self._question(name), _packed(answer))
                        for name, answer in stored.answers.items()
                    ],
                )

    def _question(self, name: str) -> int | None:
        if name not in self._questions:
            row = self._db.execute("SELECT id FROM question WHERE name = ?", (name,)).fetchone()
            if row is None:
                return None
            self._questions[name] = row[0]
        return self._questions[name]

    def _add_questions(self, names: set[str]) -> None:
        # A transaction of its own, so that numbers remembered here are never rolled back.
        unknown = sorted(name for name in names if self._question(name) is None)
        if unknown:
            with self._db:
                self._db.executemany(
                    "INSERT OR IGNORE INTO question (name) VALUES (?)", [(name,) for name in unknown]
                )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise OutputError(f"the cache {self._path} cannot be used: {error}") from error


def _packed(answer: Any) -> bytes:
    return zlib.compress(json.dumps(answer, separators=(",", ":"), sort_keys=True).encode(), 6)


def _unpacked(blob: bytes) -> Any:
    return json.loads(zlib.decompress(blob))
