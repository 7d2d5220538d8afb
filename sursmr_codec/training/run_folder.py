"""The folder of one training run: whose run it is, where it stands, its weights and its log.

| file | content |
|---|---|
| `run.json` | configuration, and digest of the labels: another run does not continue here |
| `checkpoint.pt` | where the run stands |
| `stages/NAME.safetensors` | the best network of a stage |
| `log.jsonl` | one JSON object a line: every 20 steps, every epoch |
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from sursmr_codec import images, locking, run_record
from sursmr_codec.errors import OutputError, UsageError


@dataclass(frozen=True)
class Position:
    """Where a run stands."""

    stage: int = 0
    epoch: int = 0
    step: int = 0
    """Steps of the epoch that are done."""
    loss_sum: float = 0.0
    """Over those steps."""
    best: float | None = None
    """Lowest validation error of the stage so far."""
    log_bytes: int = 0
    """Length of the log."""


class RunFolder:
    """Reads and writes a run's files, each whole or not at all."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def check(self, record: Mapping[str, Any], *, resume: bool) -> None:
        """Raise UsageError where another run has been here, or the same one and it is not to `resume`.

        `record` is JSON that is the same for the same run. Nothing is written.
        """
        try:
            earlier = run_record.read(self.path)
        except OSError as error:
            raise OutputError(f"{self.path} cannot be used: {error}") from error
        if earlier is None:
            return
        if not resume:
            raise UsageError(f"{self.path} holds a run already: give --resume or another --out")
        if earlier != record:
            what = run_record.difference(earlier, record)
            raise UsageError(f"{self.path} holds another run, which differs in {what}: choose another --out")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from training here meanwhile; makes the folder.

        Raises UsageError where another is at work, OutputError where nothing can be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.path} cannot be used: {error}") from error
        busy = f"another process is training into {self.path}: wait for it, or choose another --out"
        handle = locking.hold(self.path / ".lock", busy)
        try:
            yield
        finally:
            os.close(handle)

    def claim(self, record: Mapping[str, Any]) -> None:
        """Begin or go on with a run that `check` let pass; raises OutputError where it cannot be written."""
        try:
            (self.path / "stages").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.path} cannot be used: {error}") from error
        run_record.write(self.path, record)

    def stage_path(self, stage: str) -> Path:
        """Where the best network of a stage is kept."""
        return self.path / "stages" / f"{stage}.safetensors"

    def save(self, position: Position, tensors: Mapping[str, Any]) -> Position:
        """Write a checkpoint; returns the position with what the log has by now."""
        position = Position(**asdict(position) | {"log_bytes": self._log_bytes()})
        buffer = io.BytesIO()
        torch.save({"position": asdict(position), "tensors": dict(tensors)}, buffer)
        images.write(self.path / "checkpoint.pt", buffer.getvalue())
        return position

    def load(self, device: torch.device) -> tuple[Position, dict[str, Any]]:
        """The last checkpoint, (start, nothing) without one; the log is cut back to it.

        Raises UsageError for a file that is no checkpoint.
        """
        path = self.path / "checkpoint.pt"
        position, tensors = Position(), {}
        if path.exists():
            try:
                saved = torch.load(path, map_location=device, weights_only=True)
                position, tensors = Position(**saved["position"]), saved["tensors"]
            # Broken files lead the unpickler to errors of every kind, whose texts help nobody.
            except Exception as error:
                raise UsageError(f"{path} is no checkpoint: choose another --out, or delete it") from error
        if self._log_bytes() > position.log_bytes:
            with self._log_path.open("r+b") as file:
                file.truncate(position.log_bytes)
        return position, tensors

    def log(self, record: Mapping[str, Any]) -> None:
        """Add a line to the log; raises OutputError where it cannot be written."""
        try:
            with self._log_path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record, allow_nan=False) + "\n")
        except OSError as error:
            raise OutputError(f"{self._log_path} cannot be written: {error}") from error

    @property
    def _log_path(self) -> Path:
        return self.path / "log.jsonl"

    def _log_bytes(self) -> int:
        return self._log_path.stat().st_size if self._log_path.exists() else 0
