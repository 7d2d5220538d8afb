"""Who is asked about a rung: teachers and machines, described in the driver and loaded in each worker."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sursmr_codec.labels import teachers
from sursmr_codec.labels.machines.zoo import MachineRow, Task, Zoo, read_zoo
from sursmr_codec.types import Pixels

ADAPTERS = 1
"""Raised whenever code that turns pixels into a machine's output changes what comes out."""
_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
_RUNTIME_PACKAGES = {".onnx": "onnxruntime", ".tflite": "ai-edge-litert"}


class Panel(ABC):
    """Teachers and machines, loaded. Used by one thread."""

    @abstractmethod
    def teacher(self, name: str, reference: Pixels, distorted: Pixels) -> float:
        """A teacher's score of `distorted` against `reference`."""

    @abstractmethod
    def machine(self, name: str, rgb: Pixels) -> dict[str, Any]:
        """A machine's output on a picture, as the JSON object of `Output.to_dict`."""


class PanelSetup(ABC):
    """Describes a panel without loading it; can be sent to another process."""

    @property
    @abstractmethod
    def teachers(self) -> Mapping[str, str]:
        """Teacher id -> a line that changes whenever its scores may."""

    @property
    @abstractmethod
    def rows(self) -> tuple[MachineRow, ...]:
        """The machines, in their order."""

    @abstractmethod
    def load(self) -> Panel:
        """Load everything; raises UnavailableError where something cannot be."""

    @cached_property
    def machines(self) -> Mapping[str, str]:
        """Machine name -> a digest that changes whenever its outputs may."""
        return {row.name: output_digest(row) for row in self.rows}


@dataclass(frozen=True)
class ZooSetup(PanelSetup):
    """The jury of a zoo and some teachers, each process with one thread."""

    zoo: Path
    teacher_ids: tuple[str, ...]
    also: tuple[Task, ...] = ()
    """Tasks without a vote in `smr` whose machines are asked besides."""

    def __post_init__(self) -> None:
        for teacher in self.teacher_ids:
            teachers.get(teacher).require()

    @cached_property
    def read(self) -> Zoo:
        """The zoo, its weights checked against their digests; raises UsageError."""
        return read_zoo(self.zoo)

    @property
    def teachers(self) -> Mapping[str, str]:
        return {name: teachers.get(name).version() for name in self.teacher_ids}

    @property
    def rows(self) -> tuple[MachineRow, ...]:
        return self.rows_of(self.read)

    def rows_of(self, zoo: Zoo) -> tuple[MachineRow, ...]:
        """The machines of `zoo` that are asked."""
        return (*zoo.jury, *zoo.of_task(*self.also))

    def load(self) -> Panel:
        return _ZooPanel(self)

    def __getstate__(self) -> dict[str, Any]:
        # Without what is cached: rows hold a view of a mapping, which cannot be sent.
        return {"zoo": self.zoo, "teacher_ids": self.teacher_ids, "also": self.also}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


class _ZooPanel(Panel):
    def __init__(self, setup: ZooSetup) -> None:
        from sursmr_codec.labels.machines.jury import Jury

        _one_thread()
        self._teachers = {name: teachers.get(name) for name in setup.teacher_ids}
        zoo = read_zoo(setup.zoo, verify=False)
        self._jury = Jury(zoo, rows=setup.rows_of(zoo))

    def teacher(self, name: str, reference: Pixels, distorted: Pixels) -> float:
        try:
            return self._teachers[name].score(reference, distorted)
        finally:
            _give_back_memory()

    def machine(self, name: str, rgb: Pixels) -> dict[str, Any]:
        output: dict[str, Any] = _single(self._jury.machine(name).run(rgb).to_dict())
        return output


def _single(value: Any) -> Any:
    # Nine digits are all that a float32 has; the double's other eight would double the cache.
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [_single(one) for one in value]
    if isinstance(value, dict):
        return {key: _single(one) for key, one in value.items()}
    return value


def output_digest(row: MachineRow) -> str:
    """Hex digest of all that decides a machine's raw outputs; thresholds on these are no part of it."""
    package = _RUNTIME_PACKAGES.get(row.weights.suffix, "")
    try:
        runtime = f"{package} {version(package)}" if package else ""
    except PackageNotFoundError:
        runtime = package
    config = {key: value for key, value in row.config.items() if key != "conf"}
    facts = [row.task, row.sha256, row.width, row.height, row.preprocess, repr(row.fit), row.pad, config]
    text = json.dumps([ADAPTERS, runtime, *facts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _give_back_memory() -> None:
    # glibc keeps freed arrays of some megabytes, in pieces that the next teacher's do not fit.
    if _TRIM is not None:
        _TRIM(0)


def _one_thread() -> None:
    # Several workers share the cores; libraries that each take all of them slow one another down.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
        os.environ[variable] = "1"
    try:
        import cv2

        cv2.setNumThreads(1)
    except ImportError:
        pass
    try:
        import torch

        torch.set_num_threads(1)
        torch.set_num_interop_threads(1)
    except ImportError:
        pass
