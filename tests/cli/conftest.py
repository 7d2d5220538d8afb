"""Running the command line in this process, with viewers judged by SSIMULACRA2 alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli import tiny_zoo
from cli.disks import mounted
from PIL import Image
from typer.testing import CliRunner

from sursmr_codec.cli.app import app
from sursmr_codec.labels.machines import runtimes
from sursmr_codec.labels.teachers import Cvvdp


@dataclass(frozen=True)
class Ran:
    """What one run of the command line gave."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def record(self) -> Any:
        """The one JSON value on stdout."""
        return json.loads(self.stdout)

    @property
    def error_lines(self) -> list[str]:
        """Lines on stderr that report a failure."""
        return [line for line in self.stderr.splitlines() if line.lower().startswith("error")]


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `sursmr-qp` with some arguments; CVVDP counts as not installed, for speed."""
    monkeypatch.setattr(Cvvdp, "installed", classmethod(lambda _: False))

    def run_cli(*arguments: object) -> Ran:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="sursmr-qp")
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run_cli


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory, kodim23: Path) -> Path:
    """A real photograph, cut to 128x96 so that it is scored in milliseconds."""
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    with Image.open(kodim23) as whole:
        whole.crop((300, 100, 428, 196)).save(path)
    return path


@pytest.fixture
def noise() -> np.ndarray:
    """(64, 64, 3) uint8 noise, which no codec at a low quality keeps."""
    return np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    with mounted(folder) as disk:
        yield disk


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write a zoo of some tiny networks and return its folder; more cells of a machine by its name."""
    networks = tiny_zoo.NETWORKS
    monkeypatch.setitem(runtimes.RUNTIMES, ".onnx", lambda weights, threads: networks[weights.read_text()])
    return partial(tiny_zoo.write, tmp_path / "zoo")


@pytest.fixture
def bright(tmp_path: Path) -> Path:
    """A light grey picture."""
    path = tmp_path / "bright.png"
    Image.new("RGB", (64, 48), (200, 200, 200)).save(path)
    return path


@pytest.fixture
def dark(tmp_path: Path) -> Path:
    """A nearly black picture of the same size."""
    path = tmp_path / "dark.png"
    Image.new("RGB", (64, 48), (2, 2, 2)).save(path)
    return path
