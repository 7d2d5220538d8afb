"""The plan of a run: every source with its target, and which of them still need work.

Made in one transaction before anything is written to OUT's tree, so a plan is there whole or not at all. What
was there before in OUT and is not of this batch is never planned over, unless that is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from sursmr_codec.batch.folder_targets import FolderTargets
from sursmr_codec.batch.journal import FINISHED, NEEDS_CHECK, NEEDS_WORK, Journal, key, text
from sursmr_codec.batch.listing import Found, Listing
from sursmr_codec.batch.names import Names
from sursmr_codec.batch.outcome import Outcome
from sursmr_codec.batch.places import Entry, Tree, sweep
from sursmr_codec.batch.settings import Description, Settings, fingerprint
from sursmr_codec.batch.work import Check, Job, outcome
from sursmr_codec.records import failure_record
from sursmr_codec.types import Targets

_PAGE = 500
_AT_LISTING = ""
"""Fingerprint of outcomes that every plan makes anew."""
_OLD = "name, stamp, status, fingerprint, sha256, source_stamp, output, output_stamp"


@dataclass(frozen=True)
class Planner:
    """All that a plan depends on, but for what the disk holds."""

    settings: Settings
    description: Description
    targets: FolderTargets
    out: Tree
    overwrite: bool = False
    """Plan over files in OUT that this batch has not written."""
    retry_failed: bool = False
    """Plan anew what failed before, though nothing changed."""
    dry: bool = False
    """Leave OUT as it is."""

    def plan(self, journal: Journal, listing: Listing) -> None:
        """Write the plan into the journal; raises UsageError for a bad file of targets."""
        db = journal.db
        with journal.transaction():
            may_keep = self.settings.pick.min_savings is not None
            names = Names(db, self.description.extensions, may_keep=may_keep)
            db.execute("UPDATE source SET number = NULL, todo = 0 WHERE number IS NOT NULL")
            for number, found in enumerate(listing):
                db.execute(
                    "INSERT INTO source (name, number, todo, stamp) VALUES (?, ?, ?, ?) ON CONFLICT (name) "
                    "DO UPDATE SET number = excluded.number, todo = excluded.todo, stamp = excluded.stamp",
                    (key(found.name), number, NEEDS_CHECK if found.status is None else FINISHED, found.stamp),
                )
                if found.status is None:
                    names.add(found.name)
                else:
                    journal.put(self._settled(found, listing.tree), _AT_LISTING)
            names.settle()
            for folder, rows in groupby(_rows(journal), key=lambda row: str(row[0]).rpartition("/")[0]):
                self._plan_folder(journal, names, listing.tree, folder, rows)
            db.execute("DELETE FROM source WHERE number IS NULL AND output IS NULL")

    def _plan_folder(
        self, journal: Journal, names: Names, tree: Tree, folder: str, rows: Iterable[tuple[Any, ...]]
    ) -> None:
        targets = self.targets.of(folder)
        targets_text = json.dumps(asdict(targets))
        asked = fingerprint(self.settings, self.description, targets)
        there = self._there(folder)
        in_front = f"{folder}/" if folder else ""
        for name, *old in rows:
            stem, outputs = names.of(name)
            taken = sorted(one for one in outputs if one.removeprefix(in_front) in there)
            foreign = None if self.overwrite else next((o for o in taken if not _is_ours(journal, o)), None)
            if foreign is not None:
                journal.put(self._in_the_way(name, foreign, targets, tree), _AT_LISTING)
                continue
            for one in outputs:
                journal.db.execute("INSERT OR IGNORE INTO ours VALUES (?)", (key(one),))
            todo = self._todo(old, outputs, asked, there, in_front)
            journal.db.execute(
                "UPDATE source SET stem = ?, targets = ?, asked = ?, todo = ? WHERE name = ?",
                (key(stem), targets_text, asked, todo, key(name)),
            )

    def _todo(
        self, old: list[Any], outputs: set[str], asked: str, there: dict[str, Entry], in_front: str
    ) -> int:
        """How much there is to do for a source, as far as that shows without reading files."""
        stamp, status, by, sha256, source_stamp, output, output_stamp = old
        if status is None or by != asked or (status == "failed" and self.retry_failed):
            return NEEDS_WORK
        same = stamp is not None and stamp == source_stamp
        if output is not None:
            found = there.get(text(output).removeprefix(in_front))
            if found is None or text(output) not in outputs:
                return NEEDS_WORK
            same = same and found.stamp == output_stamp
        if same:
            return FINISHED
        return NEEDS_WORK if sha256 is None else NEEDS_CHECK

    def _there(self, folder: str) -> dict[str, Entry]:
        """What OUT holds in a folder, once drafts of killed workers are gone."""
        try:
            entries = self.out.entries(folder)
        except OSError:
            return {}
        if not self.dry:
            sweep(self.out, folder, entries)
        return {entry.name: entry for entry in entries}

    def _settled(self, found: Found, tree: Tree) -> Outcome:
        assert found.status is not None
        question = self.settings.question(self.targets.of(found.name.rstrip("/").rpartition("/")[0]))
        record = failure_record(tree.path(found.name), found.reason or "", question)
        retry = "mend that and run again" if found.status == "failed" else None
        return outcome(found.name, found.status, found.reason, retry, record)

    def _in_the_way(self, name: str, target: str, targets: Targets, tree: Tree) -> Outcome:
        reason = f"{self.out.path(target)} is there already and not of this batch"
        retry = "move it away and run again, or replace it with --overwrite"
        record = failure_record(tree.path(name), reason, self.settings.question(targets))
        return outcome(name, "failed", reason, retry, record)


def checks(journal: Journal) -> Iterator[Check]:
    """Sources of the plan that may be finished, but have to be looked at."""
    for _, name, sha256, output, output_sha256 in _paged(
        journal, "name, sha256, output, output_sha256", NEEDS_CHECK
    ):
        yield Check(text(name), sha256, None if output is None else text(output), output_sha256)


def jobs(journal: Journal) -> Iterator[Job]:
    """Sources of the plan that need work, in its order."""
    for _, name, stem, targets, asked in _paged(journal, "name, stem, targets, asked", NEEDS_WORK):
        yield Job(text(name), text(stem), Targets(**json.loads(targets)), asked)


def _rows(journal: Journal) -> Iterator[tuple[Any, ...]]:
    for _, name, *old in _paged(journal, _OLD, NEEDS_CHECK):
        yield (text(name), *old)


def _paged(journal: Journal, columns: str, todo: int) -> Iterator[tuple[Any, ...]]:
    """Rows of the plan in its order, read in pages, as others are written in between."""
    last = -1
    while True:
        with journal.translated():
            rows = journal.db.execute(
                f"SELECT number, {columns} FROM source WHERE number > ? AND todo = ? ORDER BY number LIMIT ?",
                (last, todo, _PAGE),
            ).fetchall()
        yield from rows
        if len(rows) < _PAGE:
            return
        last = rows[-1][0]


def _is_ours(journal: Journal, target: str) -> bool:
    found = journal.db.execute("SELECT 1 FROM ours WHERE target = ?", (key(target),)).fetchone()
    return found is not None
