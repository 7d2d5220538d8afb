"""From one line of `zoo.csv` to a `MachineRow`, field by field."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from sursmr_codec.errors import UsageError
from sursmr_codec.labels.machines.config import TASKS, check_config
from sursmr_codec.labels.machines.geometry import Fit
from sursmr_codec.labels.machines.hub import LIBRARIES, HubModel, is_hub, parse_hub
from sursmr_codec.labels.machines.preprocess import NORMALISATIONS
from sursmr_codec.labels.machines.row import OWN, MachineRow, Task
from sursmr_codec.labels.machines.runtimes import RUNTIMES

T = TypeVar("T")

COLUMNS = (
    *("name", "task", "file", "n_bytes", "sha256", "input", "preprocess", "fit", "config", "ms_busy_core"),
    *("architecture", "trained_on", "source", "weights_group", "licence"),
)


class RowReader:
    """One line of the table; every complaint is a UsageError that says where it stands."""

    def __init__(self, table: Path, line: int, cells: dict[str, str | Any]) -> None:
        self._table = table
        self._cells = cells
        self._where = f"{table}, line {line}, {cells.get('name') or 'machine without a name'}"
        if None in cells or None in cells.values():
            raise UsageError(f"{self._where}: the row has not as many cells as the first line")

    def read(self, verify: bool) -> MachineRow:
        """The row, and its weights where they are a file: there, and as large as the table says.

        `verify` also compares the file's digest.
        """
        if is_hub(self._cells["file"]):
            return self._read_hub()
        task: Task = self._field("task", _one_of(TASKS))
        name = self._name()
        n_bytes = self._field("n_bytes", _positive_int)
        sha256 = self._field("sha256", _digest)
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
            ms_busy_core=self._field("ms_busy_core", _milliseconds),
            weights_group=self._weights_group(),
            **self._notes(),
        )
        self._check_weights(row, verify)
        return row

    def _read_hub(self) -> MachineRow:
        task: Task = self._field("task", _one_of(TASKS))
        name = self._name()
        wanted = self._field("sha256", _or_empty(_digest, ""))
        hub: HubModel = self._field("file", lambda text: parse_hub(text, task, wanted))
        for column in ("input", "preprocess", "fit"):
            self._field(column, _own)
        self._field("n_bytes", _nothing)
        return MachineRow(
            name=name,
            task=task,
            weights=Path(str(hub)),
            n_bytes=0,
            sha256=hub.identity,
            width=0,
            height=0,
            preprocess=OWN,
            fit=Fit("own"),
            config=self._field("config", lambda text: _config(task, text, hub=True)),
            ms_busy_core=self._field("ms_busy_core", _or_empty(_milliseconds, 0.0)),
            weights_group=self._weights_group(),
            hub=hub,
            **self._notes(),
        )

    def _notes(self) -> dict[str, Any]:
        return {key: self._cells[key] for key in ("architecture", "trained_on", "source", "licence")}

    def _name(self) -> str:
        return self._field("name", _matching(r"\w+", "letters, digits and underscores"))

    def _weights_group(self) -> str:
        return self._field("weights_group", _matching(r".+", "a name"))

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


_digest = _matching(r"[0-9a-f]{16}", "16 hex digits")


def _or_empty(parse: Callable[[str], T], empty: T) -> Callable[[str], T]:
    return lambda text: parse(text) if text else empty


def _own(text: str) -> str:
    if text != OWN:
        raise ValueError(f"{text!r} must be {OWN!r} for a model of a collection, which knows it itself")
    return text


def _nothing(text: str) -> None:
    if text:
        raise ValueError(f"{text!r} must be empty for a model of a collection; sha256 can name its weights")


def _positive_int(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{text!r} must be a whole number of at least 1")
    return int(text)


def _milliseconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ValueError(f"{text!r} must be a number of at least 0")
    return value


def _size(text: str) -> tuple[int, int]:
    width, by, height = text.partition("x")
    if not by:
        raise ValueError(f"{text!r} must be width x height, as 320x320")
    return _positive_int(width), _positive_int(height)


def _config(task: str, text: str, *, hub: bool = False) -> Mapping[str, Any]:
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{text!r} is not JSON: {error}") from error
    check_config(task, config, hub=hub)
    return MappingProxyType(config)


def _weights(folder: Path, text: str) -> Path:
    path = folder / text
    if path.suffix not in RUNTIMES:
        names = (*RUNTIMES, *(f"{library}:NAME" for library in LIBRARIES))
        raise ValueError(f"{text!r} must end in {' or '.join(names[:2])}, or be {' or '.join(names[2:])}")
    if not path.is_file():
        raise ValueError(f"{path} is missing; copy it there")
    return path
