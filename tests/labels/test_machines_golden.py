"""The 31 machines of the zoo on real pictures, against the values that came with them.

Needs `machines/` and `images/` in the folder that SURSMR_DATA names.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sursmr_codec.labels import smr
from sursmr_codec.labels.machines.jury import Jury
from sursmr_codec.labels.machines.machine import load
from sursmr_codec.labels.machines.nms import iou_matrix
from sursmr_codec.labels.machines.output import Boxes, Labels, Segments, output_from_dict
from sursmr_codec.labels.machines.zoo import Zoo, read_zoo
from sursmr_codec.types import Pixels

DATA = Path(os.environ.get("SURSMR_DATA", "no-data"))
pytestmark = pytest.mark.skipif(
    not (DATA / "machines" / "zoo.csv").is_file(),
    reason="the environment variable SURSMR_DATA names no folder with machines/ and images/",
)
N_LISTED = 10
"""Only so many boxes of a picture are stored."""


@cache
def zoo() -> Zoo:
    return read_zoo(DATA / "machines")


@cache
def picture(name: str) -> Pixels:
    return np.array(Image.open(DATA / "images" / name).convert("RGB"))


@cache
def expected() -> dict[str, dict[str, Any]]:
    stored: dict[str, dict[str, Any]] = json.loads((DATA / "machines" / "expected.json").read_text())
    return stored


def machine_names() -> list[str]:
    return sorted(expected()) if (DATA / "machines" / "expected.json").is_file() else ["none"]


@pytest.mark.parametrize("name", machine_names())
def test_machine_says_what_it_said(name: str) -> None:
    machine = load(zoo()[name])
    assert len(expected()[name]) == 5
    for path, stored in expected()[name].items():
        output = machine.run(picture(path))
        match output:
            case Labels():
                check_labels(output, stored)
            case Boxes():
                check_boxes(output.at_least(machine.row.conf), stored)
            case Segments():
                indices, n_pixels = np.unique(output.labels, return_counts=True)
                counted = dict(zip(map(str, indices.tolist()), n_pixels.tolist(), strict=True))
                assert counted == stored["label_pixels"]
                assert list(output.labels.shape) == stored["shape"]


def check_labels(labels: Labels, stored: dict[str, Any]) -> None:
    assert labels.scores == pytest.approx(stored["score"], abs=0.02)
    # Quantised networks give equal scores, and which of those comes first is a matter of sorting.
    ties = [
        i for i, score in zip(stored["top5"], stored["score"], strict=True) if score == stored["score"][0]
    ]
    assert labels.top1 in ties
    by_class = dict(zip(stored["top5"], stored["score"], strict=True))
    for index, score in zip(labels.indices, labels.scores, strict=True):
        if score > stored["score"][-1] + 0.02:
            assert score == pytest.approx(by_class[index], abs=0.02)


def check_boxes(boxes: Boxes, stored: dict[str, Any]) -> None:
    table = np.array(stored["boxes"], np.float64).reshape(-1, 6)
    assert min(len(boxes), N_LISTED) == len(table)
    overlap = iou_matrix(table[:, :4], boxes.xyxy)
    overlap[table[:, 5, None] != boxes.classes[None, :]] = 0
    for i, score in enumerate(table[:, 4]):
        best = int(overlap[i].argmax())
        assert overlap[i, best] >= 0.98
        assert boxes.scores[best] == pytest.approx(score, abs=0.02)
        overlap[:, best] = 0


def test_every_machine_has_stored_values() -> None:
    assert {row.name for row in zoo().rows} == set(expected())
    tasks = [row.task for row in zoo().rows]
    assert [tasks.count(task) for task in ("classification", "detection", "face", "segmentation")] == [
        13,
        14,
        3,
        1,
    ]
    assert len(zoo().jury) == 27


@pytest.fixture(scope="module")
def jury() -> Iterator[Jury]:
    with Jury(zoo(), workers=2) as loaded:
        yield loaded


def ratios(jury: Jury, original: Pixels, compressed: Pixels) -> smr.Ratios:
    before, after = jury.run_all(original), jury.run_all(compressed)
    votes = {row.name: smr.satisfied(before[row.name], after[row.name], row) for row in jury.rows}
    return smr.smr(votes, {row.name: row.task for row in jury.rows})


def test_the_jury_is_satisfied_with_the_original_and_not_with_ruins(jury: Jury) -> None:
    original = picture("kodak/23.png")
    same = ratios(jury, original, original)
    assert (same.smr, same.smr_classification, same.smr_detection) == (1.0, 1.0, 1.0)
    # All 13 classifiers answer macaw and all 14 detectors find the birds.
    assert same.n_counting == 27
    file = io.BytesIO()
    Image.fromarray(original).save(file, "JPEG", quality=1)
    ruined = ratios(jury, original, np.array(Image.open(file)))
    assert ruined.smr is not None
    assert ruined.smr < 0.7


def test_workers_do_not_change_an_answer(jury: Jury) -> None:
    alone = Jury(zoo())
    shown = picture("kodak/14.png")
    together, one_by_one = jury.run_all(shown), alone.run_all(shown)
    assert {name: output.to_dict() for name, output in together.items()} == {
        name: output.to_dict() for name, output in one_by_one.items()
    }


def test_stored_outputs_give_the_same_votes(jury: Jury) -> None:
    before, after = (jury.run_all(picture(f"kodak/{i}.png")) for i in (14, 5))
    for row in jury.rows:
        restored = [output_from_dict(json.loads(json.dumps(o[row.name].to_dict()))) for o in (before, after)]
        assert smr.satisfied(*restored, row) is smr.satisfied(before[row.name], after[row.name], row)
