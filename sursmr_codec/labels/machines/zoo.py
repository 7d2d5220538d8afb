"""The zoo: a folder of pretrained machines and the table `zoo.csv` that says how each one is run.

One row is one machine. A row is checked field by field as it is read, so that a wrong one is a line of text
that names it, and not a strange label weeks later.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from sursmr_codec.errors import UsageError
from sursmr_codec.labels.machines.config import TASKS, check_config, head_of
from sursmr_codec.labels.machines.geometry import YOLO_GREY, Fit
from sursmr_codec.labels.machines.heads import Head
from sursmr_codec.labels.machines.preprocess import NORMALISATIONS
from sursmr_codec.labels.machines.runtimes import RUNTIMES

Task = Literal["classification", "detection", "face", "segmentation"]
T = TypeVar("T")

TABLE = "zoo.csv"
T_CONF = 0.3
"""Least confidence of an opinion that counts, for machines whose row gives no `conf` of its own."""
T_CONF_FACE = 0.5
"""The same for face detectors, which fire on texture below it."""
JURY_TASKS: tuple[Task, ...] = ("classification", "detection")
"""Tasks whose machines vote in `smr`."""
COLUMNS = (
    *("name", "task", "file", "n_bytes", "sha256", "input", "preprocess", "fit", "config", "ms_busy_core"),
    *("architecture", "trained_on", "source", "weights_group", "licence"),
)


@dataclass(frozen=True)
class MachineRow:
    """One machine, as the table describes it."""

    name: str
    """Letters, digits and underscores; the `m_<name>` of stored labels."""
    task: Task
    weights: Path
    """The weight file; its suffix decides the runtime."""
    n_bytes: int
    sha256: str
    """First 16 hex digits of the weight file's digest."""
    width: int
    """Of the network's input."""
    height: int
    """Of the network's input."""
    preprocess: str
    """Name of the normalisation."""
    fit: Fit
    """How a picture is brought to the input size."""
    config: Mapping[str, Any]
    """How outputs are decoded; see `config`."""
    ms_busy_core: float
    """Milliseconds a picture on one busy core, when the zoo was made."""
    architecture: str
    trained_on: str
    source: str
    """Where the weights were published."""
    weights_group: str
    """Machines of one group share their weights, and so one vote."""
    licence: str

    @property
    def conf(self) -> float:
        """T_conf, 0..1: the least confidence of an opinion that counts."""
        return float(self.config.get("conf", T_CONF_FACE if self.task == "face" else T_CONF))

    @property
    def pad(self) -> int:
        """Grey 0..255 of a letterbox's bars; face detectors were trained with black ones."""
        return int(self.config.get("padv", 0 if self.task == "face" else YOLO_GREY))

    @property
    def head(self) -> Head:
        """How boxes are decoded; only for detectors of objects and faces."""
        return head_of(self.task, self.config)


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


def read_zoo(folder: Path | str, *, verify: bool = True) -> Zoo:
    """Read a folder's `zoo.csv` and check that the weights are those it names.

    `verify` also compares digests, about 0.1 s for 80 MB; presence and size are always checked. Raises
    UsageError that names the file, and the line, machine and field where these are known.
    """
    folder = Path(folder)
    table = folder / TABLE
    if not folder.is_dir():
        raise UsageError(f"no folder of machines at {folder}: name one that holds {TABLE} and its weights")
    try:
        text = table.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"{folder} is no zoo: it has no {TABLE}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{table} cannot be read: {error}") from error

    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows: list[MachineRow] = []
    try:
        for column in COLUMNS:
            if column not in (reader.fieldnames or ()):
                raise UsageError(f"{table}, line 1: column {column!r} is missing")
        for cells in reader:
            rows.append(_RowReader(table, reader.line_num, cells).read(verify))
            if any(row.name == rows[-1].name for row in rows[:-1]):
                raise UsageError(f"{table}, line {reader.line_num}, {rows[-1].name}: name is taken already")
    except csv.Error as error:
        raise UsageError(f"{table}, line {reader.line_num}: {error}") from error
    if not rows:
        raise UsageError(f"{table} lists no machines")
    return Zoo(folder, tuple(rows))


class _RowReader:
    """One line of the table on its way to a `MachineRow`; every complaint says where it stands."""

    def __init__(self, table: Path, line: int, cells: dict[str, str | Any]) -> None:
        self._table = table
        self._cells = cells
        self._where = f"{table}, line {line}, {cells.get('name') or 'machine without a name'}"
        if None in cells or None in cells.values():
            raise UsageError(f"{self._where}: the row has not as many cells as the first line")

    def read(self, verify: bool) -> MachineRow:
        task: Task = self._field("task", _one_of(TASKS))
        name = self._field("name", _matching(r"\w+", "letters, digits and underscores"))
        n_bytes = self._field("n_bytes", _positive_int)
        sha256 = self._field("sha256", _matching(r"[0-9a-f]{16}", "16 hex digits"))
        width, height = self._field("input", _size)
        config = self._field("config", lambda text: _config(task, text))
        row = MachineRow(
            name=name,
            task=task,
            weights=self._field("file", lambda text: _weights(self._table.parent, text)),
            n_bytes=n_bytes,
            sha256=sha256,
            width=width,
            height=height,
            preprocess=self._field("preprocess", _one_of(NORMALISATIONS)),
            fit=self._field("fit", Fit.parse),
            config=config,
            ms_busy_core=self._field("ms_busy_core", float),
            weights_group=self._field("weights_group", _matching(r".+", "a name")),
            **{key: self._cells[key] for key in ("architecture", "trained_on", "source", "licence")},
        )
        self._check_weights(row, verify)
        return row

    def _field(self, column: str, parse: Callable[[str], T]) -> T:
        try:
            return parse(self._cells[column])
        except ValueError as error:
            raise UsageError(f"{self._where}, {column}: {error}") from error

    def _check_weights(self, row: MachineRow, verify: bool) -> None:
        n_bytes = row.weights.stat().st_size
        if n_bytes != row.n_bytes:
            raise UsageError(f"{self._where}, n_bytes: {row.weights} has {n_bytes} bytes, not {row.n_bytes}")
        if verify:
            with row.weights.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if not digest.startswith(row.sha256):
                raise UsageError(
                    f"{self._where}, sha256: {row.weights} has {digest[:16]}, not {row.sha256}; fetch it anew"
                )
        remap = row.config.get("remap")
        if remap is not None and not (row.weights.parent / remap).is_file():
            raise UsageError(f"{self._where}, config: remap {row.weights.parent / remap} is missing")


def _one_of(known: Any) -> Callable[[str], Any]:
    def parse(text: str) -> str:
        if text not in known:
            raise ValueError(f"{text!r} is not one of {', '.join(known)}")
        return text

    return parse


def _matching(pattern: str, wanted: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"{text!r} must be {wanted}")
        return text

    return parse


def _positive_int(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{text!r} must be a whole number of at least 1")
    return int(text)


def _size(text: str) -> tuple[int, int]:
    width, by, height = text.partition("x")
    if not by:
        raise ValueError(f"{text!r} must be width x height, as 320x320")
    return _positive_int(width), _positive_int(height)


def _config(task: str, text: str) -> Mapping[str, Any]:
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{text!r} is not JSON: {error}") from error
    check_config(task, config)
    return MappingProxyType(config)


def _weights(folder: Path, text: str) -> Path:
    path = folder / text
    if path.suffix not in RUNTIMES:
        raise ValueError(f"{text!r} must end in {' or '.join(RUNTIMES)}")
    if not path.is_file():
        raise ValueError(f"{path} is missing; copy it there")
    return path
