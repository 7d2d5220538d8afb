"""The published rules of satisfaction against plain restatements of them, and thresholds met exactly.

arXiv 2412.17477, equations 1 and 2: a machine is satisfied iff its perception stays, and SMR is the mean of
that over the machines that count. arXiv 2211.06797: detections of at least T_conf = 0.3 are matched at an
overlap of at least 0.5, and the detector is satisfied from a match score of 0.5.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sursmr_codec.labels import smr
from sursmr_codec.labels.machines.classify import best_labels
from sursmr_codec.labels.machines.geometry import Fit
from sursmr_codec.labels.machines.output import Boxes, Labels, Segments
from sursmr_codec.labels.machines.row import T_CONF, MachineRow

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
FACE = replace(CLASSIFIER, task="face", config=MappingProxyType({"kind": "yunet"}))
SEGMENTER = replace(CLASSIFIER, task="segmentation")

Row = tuple[int, int, int, int, float, int]


def boxes(*rows: Row) -> Boxes:
    """Left, top, right, bottom, score, class."""
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Boxes(
        table[:, :4].astype(np.float32), table[:, 4].astype(np.float32), table[:, 5].astype(np.int64)
    )


def labels(*indices: int, confidence: float = 0.9) -> Labels:
    return Labels(indices, (confidence, *[0.01] * (len(indices) - 1)))


def test_the_published_constants() -> None:
    assert (T_CONF, smr.T_IOU, smr.T_SATISFIED) == (0.3, 0.5, 0.5)
    assert (smr.MIN_COUNTING, smr.MIN_COUNTING_TASK) == (5, 3)


def is_sure(row: Row) -> bool:
    return row[4] >= 0.3 and row[2] > row[0] and row[3] > row[1]


def overlap(a: Row, b: Row) -> Fraction:
    """Intersection over union, exactly."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    union = sum((row[2] - row[0]) * (row[3] - row[1]) for row in (a, b)) - shared
    return Fraction(shared, union) if union else Fraction(0)


def matched_by_hand(before: list[Row], after: list[Row]) -> int:
    """Matches, one at a time: of all pairs that are left, the one that overlaps most."""
    pairs = [
        (-overlap(a, b), i, j)
        for i, a in enumerate(before)
        for j, b in enumerate(after)
        if a[5] == b[5] and overlap(a, b) >= Fraction(1, 2)
    ]
    n_matches = 0
    while pairs:
        _, i, j = min(pairs)
        pairs = [pair for pair in pairs if pair[1] != i and pair[2] != j]
        n_matches += 1
    return n_matches


def most_matches(before: list[Row], after: list[Row]) -> int:
    """What the best of all pairings would reach."""
    pairs = [
        (i, j)
        for i, a in enumerate(before)
        for j, b in enumerate(after)
        if a[5] == b[5] and overlap(a, b) >= Fraction(1, 2)
    ]
    for n in range(min(len(before), len(after)), 0, -1):
        for chosen in combinations(pairs, n):
            if len({i for i, _ in chosen}) == n and len({j for _, j in chosen}) == n:
                return n
    return 0


some_rows = st.lists(
    st.builds(
        lambda x, y, w, h, score, kind: (x, y, x + w, y + h, score, kind),
        *(st.integers(0, 4), st.integers(0, 4), st.integers(0, 6), st.integers(0, 6)),
        *(st.sampled_from([0.2, 0.3, 0.6]), st.integers(0, 1)),
    ),
    max_size=4,
).map(lambda rows: sorted(rows, key=lambda row: -row[4]))


@given(some_rows, some_rows)
def test_matching_is_what_the_rule_says(before: list[Row], after: list[Row]) -> None:
    sure0 = [row for row in before if is_sure(row)]
    sure1 = [row for row in after if is_sure(row)]
    n = len(sure0) + len(sure1)
    n_matches = matched_by_hand(sure0, sure1)
    expected = 2 * n_matches / n if n else 1.0
    assert smr.match_score(boxes(*before), boxes(*after), 0.3) == expected
    # Greed never loses more than half of what could be matched.
    assert most_matches(sure0, sure1) <= 2 * n_matches


def test_two_of_three_and_four_boxes() -> None:
    before = [(20 * i, 0, 20 * i + 10, 10, 0.9, 1) for i in range(3)]
    after = [before[0], before[2], (200, 0, 210, 10, 0.9, 1), (300, 0, 310, 10, 0.9, 1)]
    assert smr.match_score(boxes(*before), boxes(*after), 0.3) == 2 * 2 / (3 + 4)


def test_a_box_that_is_unsure_takes_no_match() -> None:
    original = boxes((0, 0, 10, 10, 0.9, 1))
    copy = boxes((0, 0, 10, 6, 0.5, 1), (0, 0, 10, 10, 0.29, 1))
    assert smr.match_score(original, copy, 0.3) == 1.0
    assert smr.match_score(copy, original, 0.3) == 1.0


def test_a_box_without_area_is_no_opinion() -> None:
    flat, box = (3, 0, 9, 0, 0.9, 1), (0, 0, 10, 10, 0.9, 1)
    assert not smr.counts(boxes(flat), DETECTOR)
    assert smr.counts(boxes(flat, box), DETECTOR)
    assert smr.match_score(boxes(flat, box), boxes(box), 0.3) == 1.0


def test_a_box_of_another_class_takes_no_match() -> None:
    original = boxes((0, 0, 10, 10, 0.9, 1))
    copy = boxes((0, 0, 10, 10, 0.9, 2), (0, 0, 10, 6, 0.5, 1))
    assert smr.match_score(original, copy, 0.3) == 2 / 3


@pytest.mark.parametrize("conf", [0.05, 0.1, 0.3, 0.35, 0.4, 0.6, 0.7, 0.9])
def test_a_score_of_exactly_t_conf_is_sure_in_any_decimal(conf: float) -> None:
    row = replace(DETECTOR, config=MappingProxyType({"head": "yolox", "conf": conf}))
    exactly = boxes((0, 0, 10, 10, conf, 1))
    below = Boxes(exactly.xyxy, np.nextafter(exactly.scores, np.float32(0)), exactly.classes)
    assert smr.counts(exactly, row)
    assert not smr.counts(below, row)
    assert smr.satisfied(exactly, exactly, row) is True
    assert smr.satisfied(exactly, below, row) is False


def test_faces_are_matched_among_those_of_a_half() -> None:
    original = boxes((0, 0, 10, 10, 0.5, 0), (50, 0, 60, 10, 0.4, 0))
    assert smr.satisfied(original, boxes((0, 0, 10, 10, 0.5, 0)), FACE) is True
    assert smr.satisfied(original, boxes((0, 0, 10, 10, 0.49, 0)), FACE) is False
    # The second face is no opinion of this machine: whether it stays is the same.
    assert smr.satisfied(original, boxes((50, 0, 60, 10, 0.9, 0)), FACE) is False


def test_only_the_best_class_matters() -> None:
    original = labels(7, 1, 2, 3, 4)
    assert smr.satisfied(original, labels(7, 9, 8, 6, 5), CLASSIFIER) is True
    assert smr.satisfied(original, labels(1, 7, 2, 3, 4), CLASSIFIER) is False


def test_of_equal_probabilities_the_first_class_is_the_best() -> None:
    tied = best_labels(np.array([0.1, 0.4, 0.1, 0.4, 0.0, 0.0], np.float32))
    other_way = best_labels(np.array([0.0, 0.4, 0.1, 0.4, 0.1, 0.0], np.float32))
    assert tied.indices == (1, 3, 0, 2, 4)
    assert (tied.top1, other_way.top1) == (1, 1)
    assert smr.satisfied(tied, other_way, CLASSIFIER) is True


outputs = st.one_of(
    st.builds(
        lambda best, confidence: (labels(best, confidence=confidence), CLASSIFIER),
        st.integers(0, 3),
        st.sampled_from([0.1, 0.3, 0.9]),
    ),
    some_rows.map(lambda rows: (boxes(*rows), DETECTOR)),
    some_rows.map(lambda rows: (boxes(*rows), FACE)),
    st.lists(st.integers(0, 2), min_size=9, max_size=9).map(
        lambda flat: (Segments(np.array(flat, np.uint8).reshape(3, 3)), SEGMENTER)
    ),
)


@given(outputs)
def test_every_machine_that_counts_is_satisfied_with_the_original(case: tuple[Any, MachineRow]) -> None:
    output, row = case
    assert smr.satisfied(output, output, row) is (True if smr.counts(output, row) else None)


@given(some_rows, some_rows)
def test_whether_a_machine_counts_depends_on_the_original_alone(before: list[Row], after: list[Row]) -> None:
    vote = smr.satisfied(boxes(*before), boxes(*after), DETECTOR)
    assert (vote is None) == (not any(is_sure(row) for row in before))


@given(st.lists(st.sampled_from([True, False, None]), max_size=30), st.integers(0, 6))
def test_a_ratio_is_the_mean_over_those_that_count(votes: list[bool | None], minimum: int) -> None:
    counting = [float(vote) for vote in votes if vote is not None]
    expected = np.mean(counting) if counting and len(counting) >= minimum else None
    assert smr.ratio(votes, minimum) == expected


@given(
    st.dictionaries(
        st.tuples(
            st.sampled_from(["classification", "detection", "face", "segmentation"]), st.integers(0, 5)
        ),
        st.tuples(st.sampled_from([True, False, None]), st.booleans(), st.booleans()),
    )
)
def test_every_label_is_over_its_own_machines(
    machines: dict[tuple[str, int], tuple[bool | None, bool, bool]],
) -> None:
    tasks = {f"{task}{i}": task for task, i in machines}
    votes = {f"{task}{i}": vote for (task, i), (vote, _, _) in machines.items()}
    strict = {
        name: other if vote is None and tasks[name] == "classification" else vote
        for (name, vote), (_, other, _) in zip(votes.items(), machines.values(), strict=True)
    }
    unseen = {f"{task}{i}" for (task, i), (_, _, apart) in machines.items() if apart}
    ratios = smr.smr(votes, tasks, strict_votes=strict, unseen=unseen)

    def share(ballot: dict[str, bool | None], minimum: int, apart: bool, *wanted: str) -> float | None:
        counting = [
            vote
            for name, vote in ballot.items()
            if tasks[name] in wanted and (name in unseen) == apart and vote is not None
        ]
        return float(np.mean(counting)) if counting and len(counting) >= minimum else None

    jury = ("classification", "detection")
    assert ratios.smr == share(votes, 5, False, *jury)
    assert ratios.smr_classification == share(votes, 3, False, "classification")
    assert ratios.smr_detection == share(votes, 3, False, "detection")
    assert ratios.smr_strict == share(strict, 5, False, *jury)
    assert ratios.smr_unseen == share(votes, 3, True, *jury)
    assert ratios.smr_face == share(votes, 1, False, "face")
    assert ratios.smr_segmentation == share(votes, 1, False, "segmentation")
    assert ratios.n_counting == sum(
        vote is not None and tasks[name] in jury and name not in unseen for name, vote in votes.items()
    )


@pytest.mark.parametrize(("n_sure", "n_unsure", "strict"), [(4, 1, True), (4, 0, False), (5, 0, True)])
def test_the_strict_ratio_needs_five_as_well(n_sure: int, n_unsure: int, strict: bool) -> None:
    votes: dict[str, bool | None] = {f"c{i}": True for i in range(n_sure)}
    votes |= {f"u{i}": None for i in range(n_unsure)}
    tasks = dict.fromkeys(votes, "classification")
    ratios = smr.smr(votes, tasks, strict_votes=dict.fromkeys(votes, True))
    assert ratios.smr == (1.0 if n_sure >= 5 else None)
    assert ratios.smr_strict == (1.0 if strict else None)
