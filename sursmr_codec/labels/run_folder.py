"""The folder of a labelling run: whose labels it holds, and that one process at a time writes there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from sursmr_codec import locking, run_record
from sursmr_codec.errors import OutputError, UsageError

LOCK_FILE = ".lock"
SCHEMA = "sursmr-qp/annotate/1"


class RunFolder:
    """A folder that is claimed for one run while this context lasts."""

    def __init__(self, out: Path, record: Mapping[str, Any]) -> None:
        """`record` says in JSON's terms what decides the labels; it is kept in `run.json`."""
        self._out = out
        self._record = json.loads(json.dumps(record))  # as it will be read again
        self._handle: int | None = None

    def __enter__(self) -> RunFolder:
        """Make the folder, lock it and keep the record.

        Raises UsageError where another process is at work there or it holds labels of another run,
        OutputError where it cannot be written.
        """
        try:
            self._out.mkdir(parents=True, exist_ok=True)
            self._lock()
            self._claim()
        except OSError as error:
            self._release()
            raise OutputError(f"{self._out / run_record.FILE} cannot be written: {error}") from error
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

    def _lock(self) -> None:
        busy = f"another process is labelling into {self._out}: wait for it, or choose another --out"
        self._handle = locking.hold(self._out / LOCK_FILE, busy)

    def _release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _claim(self) -> None:
        earlier = run_record.read(self._out)
        if earlier is None:
            if self.parts:
                raise UsageError(f"{self._out} holds labels but no {run_record.FILE}: choose another --out")
        elif earlier == self._record:
            return
        # A run that ended before its first table has left nothing but its record.
        elif self.parts or not isinstance(earlier, dict) or earlier.get("schema") != SCHEMA:
            what = run_record.difference(earlier, self._record)
            raise UsageError(
                f"{self._out} holds labels of another run, which differs in {what}: choose another --out"
            )
        run_record.write(self._out, self._record)
