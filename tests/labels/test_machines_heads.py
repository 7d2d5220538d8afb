"""Every detection head on tensors with one box in them, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sursmr_codec.labels.machines.heads import FACE_HEADS, OBJECT_HEADS, InputSize

HEADS = OBJECT_HEADS | FACE_HEADS
SIZE = InputSize(64, 64)
Case = tuple[list[np.ndarray], dict[str, Any], tuple[float, ...], float, int]
"""Outputs, config, expected corners, score and class of the strongest candidate."""

LOGIT_09 = float(np.log(9.0))
"""Its sigmoid is 0.9."""


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


def yolo3() -> Case:
    # Two scales, strides 32 and 16; the cell in column 1, row 2 of the second, its second anchor of 20 x 10.
    coarse, fine = zeros(1, 2 * 85, 2, 2), zeros(1, 2 * 85, 4, 4)
    coarse[:, :] = fine[:, :] = -50
    fine[0, 85 : 85 + 2, 2, 1] = 0
    fine[0, 85 + 2 : 85 + 4, 2, 1] = np.log(2.0), 0
    fine[0, 85 + 4, 2, 1] = fine[0, 85 + 5 + 7, 2, 1] = LOGIT_09
    anchors = [[[1, 1], [2, 2]], [[3, 3], [20, 10]]]
    # Centre (1.5, 2.5) * 16 = (24, 40), size 40 x 10.
    return [coarse, fine], {"anchors": anchors}, (4, 35, 44, 45), 0.81, 7


def v5raw() -> Case:
    maps = [np.full((1, 3, (64 // stride) ** 2, 85), -50, np.float32) for stride in (8, 16, 32)]
    # Stride 16, third anchor 59 x 119, column 3, row 1: cell 1 * 4 + 3.
    maps[1][0, 2, 7, :4] = 0
    maps[1][0, 2, 7, [4, 5 + 11]] = LOGIT_09
    # Centre (2 * 0.5 - 0.5 + 3) * 16 = 56 and 24; size (2 * 0.5) ** 2 of the anchor.
    return maps, {}, (56 - 29.5, 24 - 59.5, 56 + 29.5, 24 + 59.5), 0.81, 11


def v8() -> Case:
    values = zeros(1, 84, 5)
    values[0, :4, 3] = 0.5, 0.25, 0.25, 0.125
    values[0, 4 + 79, 3] = 0.7
    return [values], {}, (24, 12, 40, 20), 0.7, 79


def e2e() -> Case:
    values = zeros(1, 3, 6)
    values[0, 1] = 0.25, 0.5, 0.75, 1.0, 0.6, 14
    return [values], {}, (16, 32, 48, 64), 0.6, 14


def yolox() -> Case:
    values = zeros(1, 64 + 16 + 4, 85)
    # Stride 32, column 0, row 1: the third of the last four.
    values[0, 64 + 16 + 2] = 0
    values[0, 64 + 16 + 2, :4] = 0.5, -0.5, np.log(0.5), 0
    values[0, 64 + 16 + 2, 4] = 0.8
    values[0, 64 + 16 + 2, 5 + 3] = 0.5
    # Centre (0.5, 0.5) * 32, size 16 x 32.
    return [values], {}, (8, 0, 24, 32), 0.4, 3


def edge_logits(*distances: int) -> np.ndarray:
    """Logits whose expected distance is a whole number of strides."""
    logits = np.full((4, 8), -50, np.float32)
    logits[range(4), distances] = 50
    return logits.reshape(-1)


def nanodet() -> Case:
    classes = [zeros(1, 64, 80), zeros(1, 16, 80)]
    edges = [zeros(1, 64, 32), zeros(1, 16, 32)]
    # Stride 16, column 2, row 1; anchor point (2.5, 1.5) * 16 = (40, 24).
    classes[1][0, 6, 5] = 0.9
    edges[1][0, 6] = edge_logits(1, 0, 1, 2)
    config = {"strides": [8, 16], "ci": [0, 1], "di": [2, 3]}
    return [*classes, *edges], config, (24, 24, 56, 56), 0.9, 5


def nanodet_plus() -> Case:
    values = zeros(1, 64 + 16, 112)
    values[0, 64 + 6, 5] = 0.9
    values[0, 64 + 6, 80:] = edge_logits(1, 0, 1, 2)
    # With the anchor point in the cell's corner, (2, 1) * 16 = (32, 16).
    return [values], {"strides": [8, 16], "off": 0}, (16, 16, 48, 48), 0.9, 5


def y6lite() -> Case:
    maps = [zeros(1, 84, n, n) for n in (1, 2, 4, 8)]
    # Stride 16, column 3, row 0; anchor point (56, 8).
    maps[2][0, 21, 0, 3] = 0.6
    maps[2][0, 80:, 0, 3] = 1, 0.5, 0.25, 2
    return maps, {}, (40, 0, 60, 40), 0.6, 21


def fastest() -> Case:
    values = zeros(1, 85, 4, 4)
    # Column 1, row 3: centre (16 + 16 * tanh x, 48 + 16 * tanh y), size a share of the input.
    values[0, :5, 3, 1] = 0.5, np.arctanh(0.5), np.arctanh(-0.5), 0, -np.log(3.0)
    values[0, 5 + 62, 3, 1] = 0.5
    return [values], {}, (24 - 16, 40 - 8, 24 + 16, 40 + 8), 0.5, 62


def fastestv2() -> Case:
    fine, coarse = zeros(1, 4, 4, 95), zeros(1, 2, 2, 95)
    # Stride 32, column 1, row 0, second anchor 131.57 x 214.55; 0.25 halves each side of a doubled unit.
    coarse[0, 0, 1, 4:8] = 0.5, 0.5, 0.5, 0.25
    coarse[0, 0, 1, 12 + 1] = 0.8
    coarse[0, 0, 1, 15 + 9] = 0.5
    width, height = 131.57, 214.55 / 4
    return [fine, coarse], {}, (48 - width / 2, 16 - height / 2, 48 + width / 2, 16 + height / 2), 0.4, 9


def ssd_st() -> Case:
    classes, offsets, anchors = zeros(1, 2, 81), zeros(1, 2, 4), zeros(1, 2, 4)
    classes[0, :, 0] = 0.99
    classes[0, 1, 1 + 75] = 0.5
    anchors[0, 1] = 0.25, 0.25, 0.75, 0.5
    offsets[0, 1] = 0.5, 0, -0.5, 1
    # Corners moved by half a width to the right and to the left, and a height down.
    return (
        [classes, offsets, anchors],
        {"mode": "corner", "var": [1, 1, 1, 1]},
        (32, 16, 32, 48),
        0.5,
        75,
    )


def ssd_st_centre() -> Case:
    [classes, offsets, anchors], *_ = ssd_st()
    offsets[0, 1] = 5, 0, 5 * np.log(2.0), 0
    # Centre half a width to the right, twice as wide.
    return [classes, offsets, anchors], {}, (16, 16, 80, 32), 0.5, 75


def tflite_ssd() -> Case:
    corners, categories, scores = zeros(1, 4, 4), zeros(1, 4), zeros(1, 4)
    corners[0, 1] = 0.25, 0.5, 0.75, 1.0
    # Category 90 (counted from 0: 89) is the last of COCO's 80 in use; 11 (category 12) is not in use.
    categories[0] = 11, 89, 0, 0
    scores[0] = 0.99, 0.6, 0.1, 0.98
    # The fourth row does not hold: three count.
    return [corners, categories, scores, np.array([3.0], np.float32)], {}, (32, 16, 64, 48), 0.6, 79


def yunet() -> Case:
    per_kind = [[zeros(1, (64 // s) ** 2, n) for s in (8, 16, 32)] for n in (1, 1, 4, 10)]
    per_kind[0][2][0, 3] = 0.9
    per_kind[1][2][0, 3] = 0.4
    per_kind[2][2][0, 3] = -0.5, 0, np.log(0.5), 0
    # Stride 32, column 1, row 1: centre (16, 32), size 16 x 32, score the root of 0.36.
    return [part for kind in per_kind for part in kind], {}, (8, 16, 24, 48), 0.6, 0


def retina() -> Case:
    # Two sizes a cell at strides 16 and 32: 32 + 8 priors.
    offsets, probabilities = zeros(1, 40, 4), zeros(1, 40, 2)
    probabilities[0, :, 0] = 1
    # Stride 32, column 0, row 1, second size 20: centre (16, 48).
    probabilities[0, 32 + 2 * 2 + 1] = 0.3, 0.7
    offsets[0, 32 + 2 * 2 + 1] = 5, -5, 5 * np.log(2.0), 0
    anchors = [[16, 32], [[4, 8], [10, 20]]]
    # Centre moved by half a size, twice as wide.
    return [offsets, probabilities], {"anc": anchors}, (6, 28, 46, 48), 0.7, 0


def blaze() -> Case:
    n = 2 * 64 + 6 * 16
    values, logits = zeros(1, n, 16), np.full((1, n, 1), -50, np.float32)
    # Stride 16, column 1, row 0, last of six: anchor point (24, 8).
    i = 2 * 64 + 6 * 1 + 5
    values[0, i, :4] = 4, -2, 10, 6
    logits[0, i] = LOGIT_09
    return [values, logits], {}, (23, 3, 33, 9), 0.9, 0


CASES: list[tuple[str, Callable[[], Case]]] = [
    ("yolo3", yolo3),
    ("v5raw", v5raw),
    ("v8", v8),
    ("e2e", e2e),
    ("yolox", yolox),
    ("nanodet", nanodet),
    ("nanodet", nanodet_plus),
    ("y6lite", y6lite),
    ("fastest", fastest),
    ("fastestv2", fastestv2),
    ("ssd_st", ssd_st),
    ("ssd_st", ssd_st_centre),
    ("tflite_ssd", tflite_ssd),
    ("yunet", yunet),
    ("retina", retina),
    ("blaze", blaze),
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_head(name: str, case: Callable[[], Case]) -> None:
    outputs, config, corners, score, kind = case()
    found = HEADS[name].decode(outputs, config, SIZE)
    best = int(found.scores.argmax())
    assert found.xyxy[best].tolist() == pytest.approx(corners, abs=1e-3)
    assert found.scores[best] == pytest.approx(score, abs=1e-5)
    assert found.classes[best] == kind
    assert (found.xyxy.dtype, found.scores.dtype, found.classes.dtype) == (np.float32, np.float32, np.int64)
    assert np.count_nonzero(found.scores > score / 2) == 1


def test_every_head_has_a_case() -> None:
    assert {name for name, _ in CASES} == HEADS.keys()


def test_lengths_in_pixels() -> None:
    for name, case in (("v8", v8), ("e2e", e2e)):
        outputs, *_ = case()
        shares = HEADS[name].decode(outputs, {}, SIZE)
        pixels = HEADS[name].decode(outputs, {"norm": 0}, SIZE)
        assert np.allclose(shares.xyxy, pixels.xyxy * 64)


def test_order_of_maps_does_not_matter() -> None:
    outputs, config, *_ = y6lite()
    first = HEADS["y6lite"].decode(outputs, config, SIZE)
    second = HEADS["y6lite"].decode(outputs[::-1], config, SIZE)
    assert first.xyxy.tolist() == second.xyxy.tolist()
    assert len(first.xyxy) == 1 + 4 + 16 + 64


def test_given_anchors_replace_the_usual_ones() -> None:
    outputs, _, corners, *_ = v5raw()
    anchors = [[[1, 1]] * 3, [[1, 1], [1, 1], [2, 4]], [[1, 1]] * 3]
    found = HEADS["v5raw"].decode(outputs, {"anchors": anchors}, SIZE)
    assert found.xyxy[found.scores.argmax()].tolist() == [55, 22, 57, 26]
    assert corners != (55, 22, 57, 26)
