"""The zoo: a folder of pretrained machines and the table `zoo.csv` that says how each one is run.

One row is one machine. A row is checked field by field as it is read, so that a wrong one is a line of text
that names it, and not a strange label weeks later.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from sursmr_codec.errors import UsageError
from sursmr_codec.labels.machines.row import JURY_TASKS, MachineRow, Task
from sursmr_codec.labels.machines.row_reader import COLUMNS, RowReader

__all__ = [
    "COLUMNS",
    "READY",
    "TABLE",
    "MachineRow",
    "Task",
    "WrongRow",
    "Zoo",
    "read_right_rows",
    "read_zoo",
]

TABLE = "zoo.csv"
READY = "ready"
"""In place of a folder: the table of collections' models that ships with the package."""


@dataclass(frozen=True)
class Zoo:
    """All machines of a folder, in the table's order."""

    folder: Path
    rows: tuple[MachineRow, ...]

    def __getitem__(self, name: str) -> MachineRow:
        """The machine of that name; raises UsageError where there is none."""
        for row in self.rows:
            if row.name == name:
                return row
        raise UsageError(f"{self.folder / TABLE} has no machine {name!r}")

    def of_task(self, *tasks: Task) -> tuple[MachineRow, ...]:
        """The machines of some tasks, in the table's order."""
        return tuple(row for row in self.rows if row.task in tasks)

    @property
    def jury(self) -> tuple[MachineRow, ...]:
        """The machines that vote in `smr`: the first classifier or detector of every weights group."""
        voters: dict[str, MachineRow] = {}
        for row in self.of_task(*JURY_TASKS):
            voters.setdefault(row.weights_group, row)
        return tuple(voters.values())

    @property
    def digest(self) -> str:
        """Hex SHA-256 of everything that decides the jury's answers: weights, input, fit and decoding."""
        facts = [
            [
                row.name,
                row.task,
                row.sha256,
                row.width,
                row.height,
                row.preprocess,
                repr(row.fit),
                dict(row.config),
            ]
            for row in self.jury
        ]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class WrongRow:
    """A row of the table that cannot be read."""

    name: str
    """The machine's, as far as it can be read; empty where the row has none."""
    error: UsageError
    """Names line, machine and field."""


def read_zoo(folder: Path | str, *, verify: bool = True) -> Zoo:
    """Read a folder's `zoo.csv` and check that the weights are those it names.

    `folder` may also be `ready`, unless there is a folder of that name. `verify` also compares digests, about
    0.1 s for 80 MB; presence and size are always checked. Models of collections are checked when they are
    loaded. Raises UsageError that names the file, and the line, machine and field where these are known.
    """
    zoo, wrong = read_right_rows(folder, verify=verify)
    if wrong:
        raise wrong[0].error
    return zoo


def read_right_rows(folder: Path | str, *, verify: bool = True) -> tuple[Zoo, tuple[WrongRow, ...]]:
    """As `read_zoo`, but a wrong row is left out: the others, and why each of these is wrong.

    Raises UsageError only where there is no table or no row can be told from another.
    """
    folder = Path(folder)
    if str(folder) == READY and not folder.is_dir():
        folder = Path(str(resources.files("sursmr_codec.labels.machines"))) / READY
    table = folder / TABLE
    if not folder.is_dir():
        raise UsageError(f"no folder of machines at {folder}: name one that holds {TABLE} and its weights")
    try:
        text = table.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"{folder} is no zoo: it has no {TABLE}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{table} cannot be read: {error}") from error

    n_remarks, text = _without_remarks(text)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows: list[MachineRow] = []
    wrong: list[WrongRow] = []
    try:
        for column in COLUMNS:
            if column not in (reader.fieldnames or ()):
                raise UsageError(f"{table}, line {n_remarks + 1}: column {column!r} is missing")
        for cells in reader:
            line = n_remarks + reader.line_num
            try:
                row = RowReader(table, line, cells).read(verify)
                if any(row.name == other.name for other in rows):
                    raise UsageError(f"{table}, line {line}, {row.name}: name is taken already")
            except UsageError as error:
                wrong.append(WrongRow(cells.get("name") or "", error))
            else:
                rows.append(row)
    except csv.Error as error:
        raise UsageError(f"{table}, line {n_remarks + reader.line_num}: {error}") from error
    if not rows and not wrong:
        raise UsageError(f"{table} lists no machines")
    return Zoo(folder, tuple(rows)), tuple(wrong)


def _without_remarks(text: str) -> tuple[int, str]:
    """How many lines at the top begin with #, and the text after them."""
    n_remarks = 0
    while text.startswith("#"):
        text = text.partition("\n")[2]
        n_remarks += 1
    return n_remarks, text
