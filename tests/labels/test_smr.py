"""The rules of satisfaction, each on opinions small enough to count by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sursmr_codec.errors import UsageError
from sursmr_codec.labels import smr
from sursmr_codec.labels.machines.geometry import Fit
from sursmr_codec.labels.machines.output import Boxes, Labels, Segments
from sursmr_codec.labels.machines.zoo import MachineRow

CLASSIFIER = MachineRow(
    name="c",
    task="classification",
    weights=Path("c/model.onnx"),
    n_bytes=1,
    sha256="0" * 16,
    width=8,
    height=8,
    preprocess="raw",
    fit=Fit("squash"),
    config=MappingProxyType({}),
    ms_busy_core=1.0,
    architecture="",
    trained_on="",
    source="",
    weights_group="c",
    licence="",
)
DETECTOR = replace(CLASSIFIER, task="detection", config=MappingProxyType({"head": "yolox"}))
PICKY = replace(CLASSIFIER, task="detection", config=MappingProxyType({"head": "fastest", "conf": 0.5}))
FACE = replace(CLASSIFIER, task="face", config=MappingProxyType({"kind": "yunet"}))
SEGMENTER = replace(CLASSIFIER, task="segmentation")


def boxes(*rows: tuple[float, float, float, float, float, int]) -> Boxes:
    """Left, top, right, bottom, score, class."""
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Boxes(
        table[:, :4].astype(np.float32), table[:, 4].astype(np.float32), table[:, 5].astype(np.int64)
    )


def labels(top1: int, confidence: float) -> Labels:
    return Labels((top1, 998), (confidence, 0.0))


ONE = boxes((0, 0, 10, 10, 0.9, 1))
NONE = boxes()


@pytest.mark.parametrize(
    ("before", "after", "score"),
    [
        pytest.param(ONE, ONE, 1.0, id="same"),
        pytest.param(NONE, NONE, 1.0, id="nothing on either side"),
        pytest.param(ONE, NONE, 0.0, id="lost"),
        pytest.param(NONE, ONE, 0.0, id="invented"),
        pytest.param(ONE, boxes((0, 0, 10, 10, 0.9, 2)), 0.0, id="another class"),
        pytest.param(ONE, boxes((0, 0, 10, 5, 0.9, 1)), 1.0, id="overlap of exactly 0.5"),
        pytest.param(ONE, boxes((0, 0, 10, 4.9, 0.9, 1)), 0.0, id="overlap just below 0.5"),
        pytest.param(ONE, boxes((0, 0, 10, 10, 0.3, 1)), 1.0, id="confidence of exactly 0.3"),
        pytest.param(ONE, boxes((0, 0, 10, 10, 0.2999, 1)), 0.0, id="confidence just below 0.3"),
        pytest.param(
            ONE, boxes((0, 0, 10, 10, 0.9, 1), (20, 20, 30, 30, 0.8, 1)), 2 / 3, id="one kept, one invented"
        ),
        pytest.param(
            ONE, boxes((0, 0, 10, 10, 0.9, 1), (0, 0, 10, 9, 0.8, 1)), 2 / 3, id="a box matches only once"
        ),
        pytest.param(ONE, boxes((5, 5, 5, 5, 0.9, 1)), 0.0, id="box without area"),
    ],
)
def test_match_score(before: Boxes, after: Boxes, score: float) -> None:
    assert smr.match_score(before, after, 0.3) == pytest.approx(score)
    assert smr.match_score(after, before, 0.3) == pytest.approx(score)


@pytest.mark.parametrize("scores", [(0.9, 0.8), (0.8, 0.9)])
def test_best_overlap_is_matched_first(scores: tuple[float, float]) -> None:
    # Overlaps A-X 9/11, B-X 8/12, A-Y 7/13, B-Y 4/16. A-X goes first and leaves nothing for B and Y; in order
    # of score, or in the best of all pairings, B-X and A-Y would both match.
    before = boxes((0, 0, 10, 10, scores[0], 0), (3, 0, 13, 10, scores[1], 0))
    after = boxes((1, 0, 11, 10, 0.9, 0), (-3, 0, 7, 10, 0.8, 0))
    assert smr.match_score(before, after, 0.3) == pytest.approx(0.5)


def test_equal_overlaps_are_matched_in_order_of_score() -> None:
    # Overlaps A-X, B-X and A-Y 8/12, B-Y 4/16: B first matches two pairs, A first only one.
    a, b = (2, 0, 12, 10), (-2, 0, 8, 10)
    after = boxes((0, 0, 10, 10, 0.9, 0), (4, 0, 14, 10, 0.8, 0))
    assert smr.match_score(boxes((*a, 0.9, 0), (*b, 0.8, 0)), after, 0.3) == 0.5
    assert smr.match_score(boxes((*b, 0.9, 0), (*a, 0.8, 0)), after, 0.3) == 1.0


@st.composite
def some_boxes(draw: st.DrawFn) -> Boxes:
    rows = draw(
        st.lists(st.tuples(*[st.integers(0, 9)] * 4, st.sampled_from([0.1, 0.3, 0.9]), st.integers(0, 1)))
    )
    return boxes(*[(x, y, x + w, y + h, score, kind) for x, y, w, h, score, kind in rows])


@given(some_boxes(), some_boxes())
def test_match_score_is_a_share_and_symmetric(before: Boxes, after: Boxes) -> None:
    score = smr.match_score(before, after, 0.3)
    assert 0.0 <= score <= 1.0
    sure = [side.at_least(0.3).xyxy for side in (before, after)]
    n = sum(np.count_nonzero(np.all(xyxy[:, 2:] > xyxy[:, :2], axis=1)) for xyxy in sure)
    assert n == 0 or score * n / 2 == pytest.approx(round(score * n / 2))


@pytest.mark.parametrize(
    ("original", "row", "expected"),
    [
        pytest.param(labels(1, 0.3), CLASSIFIER, True, id="classifier at exactly 0.3"),
        pytest.param(labels(1, float(np.float32(0.3))), CLASSIFIER, True, id="0.3 in single precision"),
        pytest.param(labels(1, 0.2999), CLASSIFIER, False, id="classifier just below"),
        pytest.param(boxes((0, 0, 1, 1, 0.3, 0)), DETECTOR, True, id="detector at exactly 0.3"),
        pytest.param(boxes((0, 0, 1, 1, 0.2999, 0)), DETECTOR, False, id="detector just below"),
        pytest.param(NONE, DETECTOR, False, id="no box"),
        pytest.param(boxes((0, 0, 1, 1, 0.5, 0)), PICKY, True, id="the row's own threshold"),
        pytest.param(boxes((0, 0, 1, 1, 0.4999, 0)), PICKY, False, id="below the row's own threshold"),
        pytest.param(boxes((0, 0, 1, 1, 0.4999, 0)), FACE, False, id="faces need 0.5"),
        pytest.param(Segments(np.eye(100, dtype=np.uint8)), SEGMENTER, True, id="one pixel in a hundred"),
        pytest.param(Segments(np.eye(101, dtype=np.uint8)), SEGMENTER, False, id="fewer"),
    ],
)
def test_counts(original: Boxes | Labels | Segments, row: MachineRow, expected: bool) -> None:
    assert smr.counts(original, row) is expected


def test_raw_score_of_77_counts_and_76_does_not() -> None:
    assert smr.counts(labels(1, float(np.float32(77 / 255))), CLASSIFIER)
    assert not smr.counts(labels(1, float(np.float32(76 / 255))), CLASSIFIER)


@pytest.mark.parametrize(
    ("original", "compressed", "vote", "strict"),
    [
        pytest.param(labels(7, 0.9), labels(7, 0.9), True, True, id="same class"),
        pytest.param(labels(7, 0.9), labels(7, 0.01), True, True, id="same class, unsure on the rung"),
        pytest.param(labels(7, 0.9), labels(8, 0.9), False, False, id="another class"),
        pytest.param(labels(7, 0.29), labels(7, 0.9), None, True, id="unsure on the original, kept"),
        pytest.param(labels(7, 0.29), labels(8, 0.9), None, False, id="unsure on the original, lost"),
    ],
)
def test_classifier(original: Labels, compressed: Labels, vote: bool | None, strict: bool) -> None:
    assert smr.satisfied(original, compressed, CLASSIFIER) is vote
    assert smr.satisfied(original, compressed, CLASSIFIER, strict=True) is strict


THREE_KEPT_ONE = boxes((0, 0, 10, 10, 0.9, 1), (50, 0, 60, 10, 0.9, 1), (90, 0, 99, 9, 0.9, 1))


@pytest.mark.parametrize(
    ("original", "compressed", "row", "vote"),
    [
        pytest.param(ONE, ONE, DETECTOR, True, id="kept"),
        pytest.param(ONE, THREE_KEPT_ONE, DETECTOR, True, id="match score of exactly 0.5"),
        pytest.param(
            ONE,
            boxes(*[(i * 20, 0, i * 20 + 10, 10, 0.9, 1) for i in range(4)]),
            DETECTOR,
            False,
            id="match score of 0.4",
        ),
        pytest.param(ONE, NONE, DETECTOR, False, id="lost"),
        pytest.param(NONE, ONE, DETECTOR, None, id="does not count"),
        pytest.param(ONE, boxes((0, 0, 10, 10, 0.4, 1)), DETECTOR, True, id="0.4 is enough at 0.3"),
        pytest.param(ONE, boxes((0, 0, 10, 10, 0.4, 1)), PICKY, False, id="0.4 is not enough at 0.5"),
    ],
)
def test_detector(original: Boxes, compressed: Boxes, row: MachineRow, vote: bool | None) -> None:
    assert smr.satisfied(original, compressed, row) is vote
    assert smr.satisfied(original, compressed, row, strict=True) is vote


def test_segmenter() -> None:
    original = np.zeros((10, 10), np.uint8)
    original[:4] = 3
    half, moved = original.copy(), original.copy()
    half[2:4] = 5
    moved[1:4] = 5
    assert smr.segment_score(Segments(original), Segments(half)) == 0.5
    assert smr.satisfied(Segments(original), Segments(half), SEGMENTER) is True
    assert smr.segment_score(Segments(original), Segments(moved)) == 0.25
    assert smr.satisfied(Segments(original), Segments(moved), SEGMENTER) is False
    empty = Segments(np.zeros((10, 10), np.uint8))
    assert smr.segment_score(empty, empty) == 1.0
    assert smr.satisfied(empty, Segments(original), SEGMENTER) is None
    with pytest.raises(UsageError, match="cannot be compared"):
        smr.segment_score(empty, Segments(np.zeros((9, 10), np.uint8)))


def test_opinions_of_two_kinds_are_refused() -> None:
    with pytest.raises(UsageError, match="machine c: Boxes and Labels"):
        smr.satisfied(ONE, labels(1, 1.0), DETECTOR)


def ballot(**votes: list[bool | None]) -> tuple[dict[str, bool | None], dict[str, str]]:
    """Votes by task -> votes by machine, and the machines' tasks."""
    named = {f"{task}{i}": vote for task, cast in votes.items() for i, vote in enumerate(cast)}
    return named, {name: name.rstrip("0123456789") for name in named}


def test_every_machine_has_one_vote() -> None:
    votes, tasks = ballot(
        classification=[True, True, False, None], detection=[True, False, False, False, None, None]
    )
    ratios = smr.smr(votes, tasks)
    assert ratios.smr == pytest.approx(3 / 7)
    assert ratios.smr_classification == pytest.approx(2 / 3)
    assert ratios.smr_detection == pytest.approx(1 / 4)
    assert ratios.n_counting == 7
    assert (ratios.smr_strict, ratios.smr_unseen, ratios.smr_face, ratios.smr_segmentation) == (None,) * 4


@pytest.mark.parametrize(
    ("classification", "detection", "defined"),
    [
        (3, 2, (True, True, False)),
        (2, 3, (True, False, True)),
        (2, 2, (False, False, False)),
        (4, 0, (False, True, False)),
        (0, 5, (True, False, True)),
        (0, 0, (False, False, False)),
    ],
)
def test_ratios_need_five_and_three(
    classification: int, detection: int, defined: tuple[bool, bool, bool]
) -> None:
    votes, tasks = ballot(
        classification=[True] * classification + [None] * 9, detection=[True] * detection + [None] * 9
    )
    ratios = smr.smr(votes, tasks)
    seen = (ratios.smr, ratios.smr_classification, ratios.smr_detection)
    assert seen == tuple(1.0 if there else None for there in defined)


def test_faces_and_segmentation_have_labels_of_their_own() -> None:
    votes, tasks = ballot(
        classification=[True] * 5, face=[False, True, None], segmentation=[False], detection=[]
    )
    ratios = smr.smr(votes, tasks)
    assert (ratios.smr, ratios.n_counting) == (1.0, 5)
    assert (ratios.smr_face, ratios.smr_segmentation) == (0.5, 0.0)


def test_unseen_machines_vote_apart() -> None:
    votes, tasks = ballot(classification=[True] * 5 + [False], detection=[False, False, True])
    unseen = {"classification5", "detection0", "detection2"}
    ratios = smr.smr(votes, tasks, unseen=unseen)
    assert ratios.smr == pytest.approx(5 / 6)
    assert ratios.smr_unseen == pytest.approx(1 / 3)
    assert ratios.smr_detection is None
    assert smr.smr(votes, tasks, unseen={"classification5", "detection0"}).smr_unseen is None


def test_strict_lets_unsure_classifiers_count() -> None:
    votes, tasks = ballot(classification=[True, None, None], detection=[True, True, True, None])
    strict = {**votes, "classification1": False, "classification2": False}
    ratios = smr.smr(votes, tasks, strict_votes=strict)
    assert ratios.smr is None
    assert ratios.smr_strict == pytest.approx(4 / 6)


def test_a_voter_needs_a_task() -> None:
    with pytest.raises(UsageError, match="machine stray has a vote but no task"):
        smr.smr({"stray": True}, {})
