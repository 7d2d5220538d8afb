"""The folder of a labelling run: whose labels it holds, and that one process at a time writes there."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from sursmr_codec.errors import OutputError, UsageError

RUN_FILE = "run.json"
LOCK_FILE = ".lock"
SCHEMA = "sursmr-qp/annotate/1"


class RunFolder:
    """A folder that is claimed for one run while this context lasts."""

    def __init__(self, out: Path, record: Mapping[str, Any]) -> None:
        """`record` says in JSON's terms what decides the labels; it is kept in `run.json`."""
        self._out = out
        self._record = record
        self._lock: sqlite3.Connection | None = None

    def __enter__(self) -> RunFolder:
        """Make the folder, lock it and keep the record.

        Raises UsageError where another process is at work there or it holds labels of another run,
        OutputError where it cannot be written.
        """
        try:
            self._out.mkdir(parents=True, exist_ok=True)
            self._lock = self._locked()
            self._claim()
        except OSError as error:
            self._release()
            raise OutputError(f"{self._out / RUN_FILE} cannot be written: {error}") from error
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    @property
    def parts(self) -> list[Path]:
        """The tables that are there."""
        return sorted(self._out.glob("part-*.parquet"))

    def _locked(self) -> sqlite3.Connection:
        # A database's lock works on every system, and goes with the process however that ends.
        path = self._out / LOCK_FILE
        lock: sqlite3.Connection | None = None
        try:
            lock = sqlite3.connect(path, timeout=0, isolation_level=None)
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if lock is not None:
                lock.close()
            if "locked" not in str(error):
                raise OutputError(f"{path} cannot be written: {error}") from error
            raise UsageError(
                f"another process is labelling into {self._out}: wait for it, or choose another --out"
            ) from error
        return lock

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _claim(self) -> None:
        path = self._out / RUN_FILE
        text = json.dumps(self._record, indent=2, sort_keys=True) + "\n"
        if path.exists():
            earlier, now = _read(path), json.loads(text)
            if earlier == now:
                return
            # A run that ended before its first table has left nothing but its record.
            if self.parts or not isinstance(earlier, dict) or earlier.get("schema") != SCHEMA:
                raise UsageError(
                    f"{self._out} holds labels of another run, which differs in "
                    f"{_difference('run', earlier, now)}: choose another --out"
                )
        elif self.parts:
            raise UsageError(f"{self._out} holds labels but no {RUN_FILE}: choose another --out")
        temporary = path.with_name(f".{RUN_FILE}.tmp")
        temporary.write_text(text, "utf-8")
        temporary.replace(path)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise UsageError(f"{path} is not the record of a run: {error}") from error


def _difference(name: str, before: Any, now: Any) -> str:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in [*before, *now]:
            if before.get(key) != now.get(key):
                return _difference(f"{name}.{key}", before.get(key), now.get(key))
    return f"{name} ({before}, now {now})"
