"""How results are named, so that no two sources of a batch ever write the same file.

`photos/a.png` becomes `photos/a.jpg`. Where two sources would share a name, each of them keeps its own whole
name under the new extension: `a.png.jpg` and `a.jpeg.jpg`. Where even that is taken, part of the name's
digest goes in between. Names that differ in case or Unicode form only count as the same, since many disks
cannot hold both. The names depend on the sources alone, not on their order or on what ran before.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import unicodedata
from collections.abc import Iterable

from sursmr_codec.batch.journal import key, text

_TABLES = """
CREATE TEMP TABLE IF NOT EXISTS held (folded NOT NULL, owner NOT NULL, fixed INTEGER NOT NULL);
CREATE TEMP TABLE IF NOT EXISTS level (owner NOT NULL PRIMARY KEY, level INTEGER NOT NULL);
DELETE FROM temp.held;
DELETE FROM temp.level;
"""
_SHARED = """
SELECT DISTINCT owner FROM temp.held WHERE NOT fixed AND folded IN (
  SELECT folded FROM temp.held GROUP BY folded HAVING COUNT(DISTINCT owner) > 1)
"""


def target_stem(source: str, level: int = 0) -> str:
    """Name of a source's result without its extension; `level` says how often a shorter one was shared."""
    folder, slash, file = source.rpartition("/")
    # As PurePath.stem, whose objects take most of a plan's time.
    dot = file.rfind(".")
    stem = file[:dot] if level == 0 and 0 < dot < len(file) - 1 else file
    if level > 1:
        stem += "." + hashlib.sha256(os.fsencode(source)).hexdigest()[: 8 * (level - 1)]
    return f"{folder}{slash}{stem}"


class Names:
    """Settles the names of all results of a plan, in temporary tables, within its transaction."""

    def __init__(self, db: sqlite3.Connection, extensions: Iterable[str], *, may_keep: bool) -> None:
        """Results end in one of `extensions`, or with `may_keep` have a source's own bytes and name."""
        self._db = db
        self._extensions = tuple(extensions)
        self._may_keep = may_keep
        self._last_folder = ""
        self._any_shared = False
        for statement in _TABLES.split(";"):
            db.execute(statement)

    def add(self, source: str) -> None:
        """Hold the names that a source's result may get; a source that is added twice counts once."""
        self._hold_targets(source, 0)
        if self._may_keep:
            self._hold(source, source, fixed=True)
        folder = source.rpartition("/")[0]
        if folder != self._last_folder:
            self._last_folder = folder
            while folder:
                self._hold(folder, f"{folder}/", fixed=True)
                folder = folder.rpartition("/")[0]

    def settle(self) -> None:
        """Lengthen names that are shared until none is."""
        self._db.execute("CREATE INDEX IF NOT EXISTS temp.by_name ON held (folded, owner)")
        while shared := self._db.execute(_SHARED).fetchall():
            self._any_shared = True
            for (owner,) in shared:
                level = self._level(owner) + 1
                self._db.execute("INSERT OR REPLACE INTO temp.level VALUES (?, ?)", (owner, level))
                self._db.execute("DELETE FROM temp.held WHERE owner = ? AND NOT fixed", (owner,))
                self._hold_targets(text(owner), level)
        self._db.execute("DROP INDEX temp.by_name")
        self._db.execute("DELETE FROM temp.held")

    def of(self, source: str) -> tuple[str, set[str]]:
        """The settled name of a source's result without its extension, and all names that it may get."""
        stem = target_stem(source, self._level(key(source)) if self._any_shared else 0)
        outputs = {stem + extension for extension in self._extensions}
        return stem, outputs | {source} if self._may_keep else outputs

    def _hold_targets(self, source: str, level: int) -> None:
        for extension in self._extensions:
            self._hold(target_stem(source, level) + extension, source)

    def _hold(self, name: str, owner: str, *, fixed: bool = False) -> None:
        folded = name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()
        self._db.execute("INSERT INTO temp.held VALUES (?, ?, ?)", (key(folded), key(owner), fixed))

    def _level(self, owner: str | bytes | None) -> int:
        row = self._db.execute("SELECT level FROM temp.level WHERE owner = ?", (owner,)).fetchone()
        return 0 if row is None else int(row[0])
