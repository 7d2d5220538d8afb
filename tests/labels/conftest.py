"""A zoo small enough to write on the spot, whose networks are functions."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from sursmr_codec.labels.machines.zoo import COLUMNS

WriteZoo = Callable[..., Path]


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
