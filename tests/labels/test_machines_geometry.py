"""Fitting, boxes on their way back, suppression and normalisation, against values worked out by hand."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sursmr_codec.errors import MissingExtra, UsageError
from sursmr_codec.labels.machines.geometry import Fit, place
from sursmr_codec.labels.machines.nms import iou_matrix, suppress
from sursmr_codec.labels.machines.output import Boxes, Labels, Output, Segments, output_from_dict
from sursmr_codec.labels.machines.preprocess import NORMALISATIONS


def grey(width: int, height: int, value: int = 200) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def corners(*values: float) -> np.ndarray:
    return np.array([values], np.float32)


def test_centred_letterbox() -> None:
    pixels, placement = place(grey(40, 20), Fit("center"), 20, 20, pad=7)
    assert pixels.shape == (20, 20, 3)
    assert np.all(pixels[:5] == 7)
    assert np.all(pixels[5:15] == 200)
    assert np.all(pixels[15:] == 7)
    assert placement.to_picture(corners(1, 6, 10, 15)).tolist() == [[2, 2, 20, 20]]


def test_letterbox_with_an_odd_bar_starts_at_the_lower_half() -> None:
    pixels, placement = place(grey(40, 18), Fit("center"), 20, 20, pad=7)
    assert np.all(pixels[5:14] == 200)
    assert np.all(pixels[14:] == 7)
    assert placement.to_picture(corners(0, 5, 20, 14)).tolist() == [[0, 0, 40, 18]]


def test_letterbox_in_the_corner() -> None:
    pixels, placement = place(grey(20, 40), Fit("topleft"), 20, 20)
    assert np.all(pixels[:, :10] == 200)
    assert np.all(pixels[:, 10:] == 114)
    assert placement.to_picture(corners(1, 1, 4, 5)).tolist() == [[2, 2, 8, 10]]


def test_squash_scales_each_axis() -> None:
    pixels, placement = place(grey(40, 10), Fit("squash"), 20, 20)
    assert np.all(pixels == 200)
    assert placement.to_picture(corners(1, 2, 10, 20)).tolist() == [[2, 1, 20, 10]]


def test_crop_takes_the_centred_square() -> None:
    picture = grey(40, 20, 0)
    # 0.5 of the shorter side: columns 15..24, rows 5..14.
    picture[5:15, 15:25] = 200
    pixels, placement = place(picture, Fit("crop", 0.5), 5, 5)
    assert np.all(pixels == 200)
    assert placement.to_picture(corners(0, 0, 5, 5)).tolist() == [[15, 5, 25, 15]]


def test_boxes_are_clipped_to_the_picture() -> None:
    _, placement = place(grey(40, 20), Fit("center"), 20, 20)
    assert placement.to_picture(corners(-3, -3, 99, 99)).tolist() == [[0, 0, 40, 20]]


def test_shrinking_averages_and_growing_interpolates() -> None:
    columns = np.tile(np.array([0, 100], np.uint8), 10)
    stripes = np.repeat(np.tile(columns, (20, 1))[:, :, None], 3, axis=2)
    shrunk, _ = place(stripes, Fit("squash"), 10, 10)
    assert np.all(shrunk == 50)
    grown, _ = place(stripes[:1, :2], Fit("squash"), 4, 1)
    assert grown[0, :, 0].tolist() == [0, 25, 75, 100]
    # Narrower but taller: every other column is sampled between its neighbours, not averaged over rows.
    ramp = np.repeat(np.array([[0], [100]], np.uint8)[:, :, None], 3, axis=2)
    mixed, _ = place(np.tile(ramp, (1, 8, 1)), Fit("squash"), 4, 4)
    assert mixed[:, 0, 0].tolist() == [0, 25, 75, 100]


@pytest.mark.parametrize("kind", ["crop", "squash", "center", "topleft"])
@given(width=st.integers(1, 90), height=st.integers(1, 90), side=st.integers(1, 40))
def test_any_picture_fits_and_comes_back(kind: str, width: int, height: int, side: int) -> None:
    fit = Fit(kind, 0.875)  # type: ignore[arg-type]
    pixels, placement = place(grey(width, height), fit, side, side)
    assert pixels.shape == (side, side, 3)
    left, top, right, bottom = placement.to_picture(corners(0, 0, side, side))[0]
    if kind == "crop":
        assert right - left == pytest.approx(bottom - top, abs=1e-3)
    else:
        assert (left, top, right, bottom) == pytest.approx(
            (0, 0, width, height), abs=max(width, height) / side
        )


def test_fit_is_read_from_the_table() -> None:
    assert Fit.parse("center crop 0.875") == Fit("crop", 0.875)
    assert Fit.parse("topleft") == Fit("topleft")
    assert Fit.parse("") == Fit("squash")
    for wrong in ("stretch", "center crop", "crop 0.5"):
        with pytest.raises(ValueError, match=f"'{wrong}' is not squash, center, topleft"):
            Fit.parse(wrong)
    for share in ("1.5", "0", "nan", "x"):
        with pytest.raises(ValueError, match=f"must be a number above 0 and up to 1, not {share}$"):
            Fit.parse(f"center crop {share}")


def test_resizing_without_opencv_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(
        MissingExtra, match=r"needs opencv-python-headless: pip install 'sursmr-qp\[measured\]'"
    ):
        place(grey(4, 4), Fit("squash"), 2, 2)


def test_overlap() -> None:
    a = np.array([[0, 0, 10, 10], [0, 0, 0, 0]])
    b = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10], [3, 3, 3, 9]])
    assert iou_matrix(a, b).tolist() == [[1, pytest.approx(50 / 150), 0, 0], [0, 0, 0, 0]]


def test_suppression_fells_weaker_boxes_of_the_same_class() -> None:
    xyxy = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 8], [50, 0, 60, 10]], np.float32)
    scores = np.array([0.5, 0.9, 0.7, 0.6], np.float32)
    same, other = np.array([1, 1, 1, 1]), np.array([1, 1, 2, 1])
    assert suppress(xyxy, scores, same).tolist() == [1, 3]
    assert suppress(xyxy, scores, other).tolist() == [1, 2, 3]


def test_three_hundred_candidates_are_looked_at() -> None:
    start = np.arange(301.0)[:, None] * 10
    xyxy = np.concatenate([start, start, start + 5, start + 5], axis=1)
    assert len(suppress(xyxy, np.linspace(1, 0.5, 301), np.zeros(301, int))) == 300


def test_a_felled_box_fells_no_other() -> None:
    # Each overlaps the next by 7 / 13, the first and the last by 4 / 16.
    xyxy = np.array([[0, 0, 10, 10], [3, 0, 13, 10], [6, 0, 16, 10]], np.float32)
    assert suppress(xyxy, np.array([0.9, 0.8, 0.7]), np.zeros(3, int)).tolist() == [0, 2]


def test_suppression_at_equality_and_in_order_of_index() -> None:
    xyxy = np.array([[0, 0, 10, 10], [0, 0, 10, 5]], np.float32)
    scores = np.array([0.5, 0.5], np.float32)
    assert suppress(xyxy, scores, np.zeros(2, int), iou=0.5).tolist() == [0, 1]
    assert suppress(xyxy, scores, np.zeros(2, int), iou=0.49).tolist() == [0]
    assert suppress(xyxy, scores, np.zeros(2, int), max_candidates=1).tolist() == [0]
    assert suppress(xyxy[:0], scores[:0], np.zeros(0, int)).tolist() == []


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.9))
def test_a_low_floor_leaves_what_lies_above_alone(seed: int, threshold: float) -> None:
    random = np.random.default_rng(seed)
    start = random.uniform(0, 20, (40, 2))
    xyxy = np.concatenate([start, start + random.uniform(1, 20, (40, 2))], axis=1)
    scores, classes = random.uniform(0, 1, 40), random.integers(0, 2, 40)
    survivors = suppress(xyxy, scores, classes)
    above = np.flatnonzero(scores >= threshold)
    alone = above[suppress(xyxy[above], scores[above], classes[above])]
    assert survivors[scores[survivors] >= threshold].tolist() == alone.tolist()


NORMALISED = {
    "raw": [0, 127.5, 255],
    "01": [0, 0.5, 1],
    "pm1": [-1, 0, 1],
    "imnet": [-0.485 / 0.229, (0.5 - 0.456) / 0.224, (1 - 0.406) / 0.225],
    "bgr_raw": [255, 127.5, 0],
    "bgr_01": [1, 0.5, 0],
    "bgr_norm": [(255 - 103.53) / 57.375, (127.5 - 116.28) / 57.12, -123.675 / 58.395],
    "caffe_bgr": [151, 10.5, -123],
}
"""What each normalisation makes of red 0, green 127.5, blue 255."""


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_normalisation(name: str) -> None:
    # 127.5 is no byte: the mean of 127 and 128 stands for it, as every normalisation is linear.
    low, high = (NORMALISATIONS[name](np.array([[[0, g, 255]]], np.uint8))[0, 0] for g in (127, 128))
    assert low.dtype == np.float32
    assert ((low + high) / 2).tolist() == pytest.approx(NORMALISED[name], abs=1e-4)


BOXES = Boxes(np.array([[0.1, 2, 3.3, 4]], np.float32), np.array([0.3], np.float32), np.array([79], np.int64))
NO_BOXES = Boxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))


@pytest.mark.parametrize(
    "output",
    [
        Labels((3, 1), (0.6, float(np.float32(0.3)))),
        BOXES,
        NO_BOXES,
        Segments(np.arange(12, dtype=np.uint8).reshape(3, 4)),
    ],
)
def test_outputs_survive_storage(output: Output) -> None:
    restored = output_from_dict(json.loads(json.dumps(output.to_dict())))
    assert type(restored) is type(output)
    assert restored.to_dict() == output.to_dict()
    if isinstance(output, Boxes) and isinstance(restored, Boxes):
        assert np.array_equal(output.xyxy, restored.xyxy)
        assert restored.xyxy.dtype == np.float32
    if isinstance(output, Segments) and isinstance(restored, Segments):
        assert np.array_equal(output.labels, restored.labels)


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"kind": "poses"},
        {"kind": "labels", "indices": [1]},
        {"kind": "boxes", "xyxy": [[0, 0, 1, 1]], "scores": [], "classes": []},
        {"kind": "segments", "shape": [1, 1], "labels": "eJw="},
    ],
)
def test_damaged_storage_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"stored machine output|boxes need"):
        output_from_dict(stored)


def test_boxes_at_equality_of_single_precision() -> None:
    # 0.7 in single precision is less than 0.7 in double precision.
    sure = Boxes(np.zeros((2, 4), np.float32), np.array([0.7, 0.69], np.float32), np.zeros(2, np.int64))
    assert len(sure.at_least(0.7)) == 1
