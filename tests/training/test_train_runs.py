"""Whole runs: one at a time in a folder, settings that fit no network, ratios that nobody labelled."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_labels import Labelled, last, stage, tiny_config

from sursmr_codec.errors import UsageError
from sursmr_codec.training.loop import EpochDone
from sursmr_codec.training.run import train
from sursmr_codec.training.run_folder import RunFolder

CPU = torch.device("cpu")


def test_one_process_at_a_time_trains_into_a_folder(labelled: Labelled, tmp_path: Path) -> None:
    config = tiny_config(labelled, cache=tmp_path / "cache")
    out = tmp_path / "out"
    with (
        RunFolder(out).locked(),
        pytest.raises(UsageError, match=r"another process is training into .*out: wait for it"),
    ):
        list(train(config, out, jobs=1, device=CPU))
    assert not (out / "run.json").exists()
    events = train(config, out, jobs=1, device=CPU)
    next(event for event in events if isinstance(event, EpochDone))
    with pytest.raises(UsageError, match="another process is training"):
        list(train(config, out, jobs=1, device=CPU, resume=True))
    events.close()
    list(train(config, out, jobs=1, device=CPU, resume=True))
    with pytest.raises(UsageError, match="holds a run already"):
        list(train(config, out, jobs=1, device=CPU))


@pytest.mark.parametrize(
    ("network", "says"),
    [
        ({"backbone": "test_convnext", "size": 4}, "test_convnext cannot look at views of size 4"),
        ({"backbone": "vit_tiny_patch16_224", "size": 64}, "vit_tiny_patch16_224 cannot look at views of"),
    ],
)
def test_views_that_a_backbone_cannot_take_are_refused(
    labelled: Labelled, tmp_path: Path, network: dict[str, object], says: str
) -> None:
    config = tiny_config(labelled, network={"grid": 2, "n_heads": 2, "width": 16, **network})
    with pytest.raises(UsageError, match=says):
        list(train(config, tmp_path / "out", jobs=1, device=CPU))
    assert not (tmp_path / "out").exists()


def test_a_ratio_that_nothing_was_learned_of_has_no_error(labelled: Labelled, tmp_path: Path) -> None:
    rows = [replace(row, smr=None) if row.split == "train" else row for row in labelled.rows]
    table = labelled.rewritten(tmp_path / "labels.parquet", rows)
    learned = stage(weights={"sur": 1.0})
    config = tiny_config(replace(labelled, labels=table), stage=[learned])
    finished = last(train(config, tmp_path / "out", jobs=1, device=CPU))
    said = json.loads(finished.metrics.read_text())["splits"]["test"]
    assert said["codec_and_qp"]["ratios"]["smr"]["mae"] is None
    assert said["model"]["ratios"]["smr"]["mae"] > 0.0
