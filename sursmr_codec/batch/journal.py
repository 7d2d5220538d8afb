"""What a batch knows on disk: one SQLite file in OUT, one row a source, written by the driver alone.

A row's outcome counts for the present plan where the source's content, and the fingerprint of everything that
decides its result, are still the same. Each outcome is one durable transaction, made after the output is
safely in place: a batch that is killed in between finds the output unrecorded and makes the same bytes again.

Names of files that are not valid Unicode are kept as bytes, all others as text.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sursmr_codec.batch.outcome import Outcome, Status
from sursmr_codec.errors import OutputError, UsageError

FILE = "journal.sqlite"
SCHEMA = 1
FINISHED, NEEDS_CHECK, NEEDS_WORK = 0, 1, 2
"""What a source of the plan needs (`todo`): nothing, a look whether it changed, its result."""
_TABLES = """
CREATE TABLE IF NOT EXISTS source (
  name NOT NULL UNIQUE,
  number INTEGER, todo INTEGER NOT NULL DEFAULT 0, stamp TEXT, stem, targets TEXT, asked TEXT,
  status TEXT, reason TEXT, retry TEXT, finished TEXT, fingerprint TEXT,
  sha256 TEXT, source_stamp TEXT, source_bytes INTEGER,
  output, output_sha256 TEXT, output_stamp TEXT, output_bytes INTEGER,
  record TEXT);
CREATE INDEX IF NOT EXISTS progress ON source (number, todo, status, source_bytes, output_bytes);
CREATE TABLE IF NOT EXISTS ours (target NOT NULL PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fact (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);
"""
# What stands before `status` in a row belongs to the present plan, the rest to the last outcome.
_OUTCOME = (
    *("status", "reason", "retry", "finished", "fingerprint", "sha256", "source_stamp", "source_bytes"),
    *("output", "output_sha256", "output_stamp", "output_bytes", "record"),
)


class Journal:
    """Opens or makes the journal of a state folder; use as a context manager."""

    def __init__(self, folder: Path | None, *, copy_of: Path | None = None) -> None:
        """With `folder` None a journal in memory, to plan without writing; `copy_of` fills it.

        Raises OutputError where it cannot be written or is not a journal of this version.
        """
        self._path = None if folder is None else folder / FILE
        with self.translated():
            self.db = sqlite3.connect(self._path or ":memory:", timeout=60.0, isolation_level=None)
            try:
                self._prepare(copy_of)
            except BaseException:
                self.db.close()
                raise

    def _prepare(self, copy_of: Path | None) -> None:
        if copy_of is not None and (copy_of / FILE).exists():
            with reading(copy_of, traceless=True) as there:
                there.backup(self.db)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        found = self.db.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, SCHEMA):
            raise OutputError(f"{self._path} is of another version; choose another output folder")
        if not found:
            with self.transaction():
                for statement in _TABLES.split(";"):
                    self.db.execute(statement)
                self.db.execute(f"PRAGMA user_version = {SCHEMA}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside, or nothing."""
        with self.translated():
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.db.execute("COMMIT")
            except BaseException:
                # A full disk rolls back by itself.
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise

    def record(self, ended: Iterable[tuple[Outcome, str]]) -> None:
        """Note the ends of sources, each with its fingerprint, for good."""
        with self.transaction():
            for outcome, fingerprint in ended:
                self.put(outcome, fingerprint)

    def put(self, outcome: Outcome, fingerprint: str) -> None:
        """`record` within a transaction of the caller's."""
        self.db.execute(
            f"UPDATE source SET todo = 0, {', '.join(f'{column} = ?' for column in _OUTCOME)} WHERE name = ?",
            (
                *(outcome.status, outcome.reason, outcome.retry, outcome.finished, fingerprint),
                *(outcome.sha256, outcome.source_stamp, outcome.source_bytes, key(outcome.target)),
                *(outcome.output_sha256, outcome.output_stamp, outcome.output_bytes),
                json.dumps(dict(outcome.record), allow_nan=False),
                key(outcome.source),
            ),
        )

    def confirm(self, checked: Iterable[tuple[str, bool, str | None, str | None]]) -> None:
        """Note of sources whether their bytes and their outputs' are still those of the row.

        Each with the stamps that show it the next time; those that changed are to be done again.
        """
        with self.transaction():
            for source, same, source_stamp, output_stamp in checked:
                if same:
                    self.db.execute(
                        "UPDATE source SET todo = ?, source_stamp = ?, output_stamp = ? WHERE name = ?",
                        (FINISHED, source_stamp, output_stamp, key(source)),
                    )
                else:
                    self.db.execute("UPDATE source SET todo = ? WHERE name = ?", (NEEDS_WORK, key(source)))

    def note(self, facts: Mapping[str, Any]) -> None:
        """Keep facts of the run, replacing those of the same names."""
        with self.transaction():
            self.db.executemany(
                "INSERT OR REPLACE INTO fact VALUES (?, ?)",
                [(name, json.dumps(value)) for name, value in facts.items()],
            )

    def facts(self) -> dict[str, Any]:
        """All facts of the last run."""
        with self.translated():
            return facts(self.db)

    def finished(self, where: str) -> Iterator[Outcome]:
        """Outcomes of the present plan, in its order, for which the SQL condition `where` holds."""
        yield from outcomes(self.db, f"number IS NOT NULL AND todo = 0 AND ({where})")

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the database's errors into OutputError."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            where = "the journal in memory" if self._path is None else f"the journal {self._path}"
            raise OutputError(
                f"{where} cannot be written: {error}; see that the disk has room and is writable"
            ) from error


@contextmanager
def reading(folder: Path, *, traceless: bool = False) -> Iterator[sqlite3.Connection]:
    """The journal of a state folder, to read, while a batch may be writing it.

    With `traceless` SQLite's own two files beside it are not made where there are none; for short looks, as
    a batch that starts meanwhile goes unnoticed. Raises UsageError where there is no journal.
    """
    path = folder / FILE
    if not path.exists():
        raise UsageError(f"{folder.parent}: holds no batch; give the output folder of one")
    try:
        alone = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        if traceless and not path.with_name(f"{FILE}-wal").exists():
            db = sqlite3.connect(alone, uri=True)
        else:
            db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=60.0)
        try:
            db.execute("SELECT COUNT(*) FROM fact")
        except sqlite3.OperationalError:
            # A folder that cannot be written has no room for the readers' list, and no writer either.
            db.close()
            db = sqlite3.connect(alone, uri=True)
    except sqlite3.Error as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    try:
        yield db
    except sqlite3.Error as error:
        raise UsageError(f"{path}: is not a journal that can be read: {error}") from error
    finally:
        db.close()


@dataclass(frozen=True)
class Count:
    """Sources of a plan that are alike."""

    finished: bool
    status: Status | None
    """None where not finished."""
    written: bool
    n: int
    source_bytes: int
    """Of those that something was written for."""
    output_bytes: int


def facts(db: sqlite3.Connection) -> dict[str, Any]:
    """All facts of the last run."""
    return {name: json.loads(value) for name, value in db.execute("SELECT name, value FROM fact")}


def counts(db: sqlite3.Connection) -> list[Count]:
    """How many sources of the present plan there are of each kind."""
    rows = db.execute(
        "SELECT todo = 0, CASE WHEN todo = 0 THEN status END, output_bytes IS NOT NULL, COUNT(*), "
        "COALESCE(SUM(CASE WHEN output_bytes IS NOT NULL THEN source_bytes END), 0), "
        "COALESCE(SUM(output_bytes), 0) FROM source WHERE number IS NOT NULL GROUP BY 1, 2, 3"
    )
    return [Count(bool(finished), status, bool(written), *rest) for finished, status, written, *rest in rows]


def outcomes(db: sqlite3.Connection, where: str) -> Iterator[Outcome]:
    """Finished sources for which the SQL condition `where` holds, in the plan's order."""
    rows = db.execute(
        "SELECT name, status, reason, retry, finished, record, output, sha256, output_sha256, source_bytes, "
        f"output_bytes FROM source WHERE status IS NOT NULL AND ({where}) "
        "ORDER BY number IS NULL, number, name"
    )
    for source, status, reason, retry, finished, record, target, *rest in rows:
        sha256, output_sha256, source_bytes, output_bytes = rest
        yield Outcome(
            source=text(source),
            status=status,
            reason=reason,
            retry=retry,
            finished=finished,
            record=json.loads(record),
            target=None if target is None else text(target),
            sha256=sha256,
            output_sha256=output_sha256,
            source_bytes=source_bytes,
            output_bytes=output_bytes,
        )


def key(name: str | None) -> str | bytes | None:
    """A file's name as the journal keeps it."""
    if name is None:
        return None
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name)
    return name


def text(stored: str | bytes) -> str:
    """A file's name as Python has it."""
    return os.fsdecode(stored) if isinstance(stored, bytes) else stored
