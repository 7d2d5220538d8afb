"""Pictures to label, and a zoo small enough to write on the spot, whose networks are functions."""

from __future__ import annotations

import csv
import hashlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_panel import InProcess, make_pictures

from sursmr_codec.labels import annotate
from sursmr_codec.labels.machines.zoo import COLUMNS, MachineRow, read_zoo

WriteZoo = Callable[..., Path]

OWN = {"n_bytes": "", "sha256": "", "input": "own", "preprocess": "own", "fit": "own", "ms_busy_core": ""}
"""Cells of a model of a collection."""


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers of a labelling run are plain calls."""
    monkeypatch.setattr(annotate, "Workers", InProcess)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five pictures to label."""
    make_pictures(tmp_path / "pictures", 5)
    return tmp_path / "pictures"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where a fake panel notes what it is asked."""
    return tmp_path / "log"


@pytest.fixture
def write_zoo(tmp_path: Path) -> WriteZoo:
    """A function that writes a zoo of one machine a dict of cells, and returns its folder.

    Cells that a dict leaves out are those of a classifier. `drop` names columns to leave out of the table.
    """

    def write(*machines: dict[str, str], drop: tuple[str, ...] = ()) -> Path:
        columns = [column for column in COLUMNS if column not in drop]
        with (tmp_path / "zoo.csv").open("w", newline="") as file:
            table = csv.DictWriter(file, columns, extrasaction="ignore")
            table.writeheader()
            for i, cells in enumerate(machines):
                name = cells.get("name", f"machine_{i}")
                weights = tmp_path / f"m{i}" / "model.onnx"
                weights.parent.mkdir(exist_ok=True)
                weights.write_bytes(name.encode() or b"nameless")
                row = {
                    "name": name,
                    "task": "classification",
                    "file": f"m{i}/model.onnx",
                    "n_bytes": str(weights.stat().st_size),
                    "sha256": hashlib.sha256(weights.read_bytes()).hexdigest()[:16],
                    "input": "32x16",
                    "preprocess": "01",
                    "fit": "center crop 0.875",
                    "config": "{}",
                    "ms_busy_core": "1.5",
                    "weights_group": name or "group",
                    "architecture": "MobileNet",
                    "trained_on": "ImageNet-1k",
                    "source": "somewhere",
                    "licence": "MIT",
                }
                table.writerow(row | cells)
        return tmp_path

    return write


@pytest.fixture
def hub_row(write_zoo: WriteZoo) -> Callable[..., MachineRow]:
    """A function that writes a row of a collection's model and reads it back."""

    def read(file: str, **cells: str) -> MachineRow:
        task = "classification" if file.startswith("timm") else "detection"
        return read_zoo(write_zoo({"name": "it", "task": task, "file": file, **OWN, **cells})).rows[0]

    return read


@pytest.fixture
def caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty place for the weights that timm and torchvision fetch."""
    pytest.importorskip("huggingface_hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The network fails, and so does a test that tries it; libraries may swallow the error itself."""
    tried: list[Any] = []

    def refuse(*arguments: Any, **_: Any) -> None:
        tried.append(arguments)
        raise OSError("no network in tests")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    yield
    assert tried == []
