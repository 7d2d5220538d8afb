"""From raw answers to labels: monotone curves, the proxy of equation 3, votes; against hand-made numbers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from fake_panel import machine_row
from hypothesis import given
from hypothesis import strategies as st

from sursmr_codec.labels import protocols
from sursmr_codec.labels.isotonic import interpolate, non_increasing
from sursmr_codec.labels.measuring import Answers
from sursmr_codec.labels.proxy import proxy
from sursmr_codec.labels.rows import LabelRow, Scale, label_rows, scored_qps

ratios = st.floats(0, 1)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([0.5], [0.5]),
        ([0.9, 0.5, 0.5, 0.1], [0.9, 0.5, 0.5, 0.1]),
        ([0.2, 0.8], [0.5, 0.5]),
        ([1.0, 0.4, 0.6, 0.1], [1.0, 0.5, 0.5, 0.1]),
        # The last value pulls a pool of two below the one before it.
        ([0.6, 0.5, 0.7, 0.75], [0.6375, 0.6375, 0.6375, 0.6375]),
        ([0.0, 0.3, 0.9], [0.4, 0.4, 0.4]),
    ],
)
def test_pool_adjacent_violators_by_hand(values: list[float], expected: list[float]) -> None:
    assert non_increasing(values) == pytest.approx(expected)


@given(st.lists(ratios, min_size=1, max_size=12))
def test_isotonic_never_rises_keeps_the_mean_and_settles(values: list[float]) -> None:
    smooth = non_increasing(values)
    assert all(after <= before + 1e-12 for before, after in pairwise(smooth))
    assert sum(smooth) == pytest.approx(sum(values))
    assert non_increasing(smooth) == pytest.approx(smooth)
    if all(after <= before for before, after in pairwise(values)):
        assert smooth == values


@given(st.lists(ratios, min_size=2, max_size=6), st.lists(ratios, min_size=2, max_size=6))
def test_isotonic_is_nearest_of_all_that_never_rise(values: list[float], other: list[float]) -> None:
    rival = sorted((other * len(values))[: len(values)], reverse=True)
    target = np.array(values)
    assert np.sum((non_increasing(values) - target) ** 2) <= np.sum((rival - target) ** 2) + 1e-12


def test_interpolation_keeps_known_points_and_goes_no_further() -> None:
    found = interpolate([0, 1, 2, 3, 4, 5], [(1, 9.0), (3, 5.0), (4, 1.0)])
    assert found[0] is None
    assert found[5] is None
    assert (found[1], found[3], found[4]) == (9.0, 5.0, 1.0)
    assert found[2] is not None
    assert 5.0 < found[2] < 9.0
    assert interpolate([1, 2], [(1, 3.0)]) == [3.0, None]
    assert interpolate([1], []) == [None]


@given(st.lists(st.floats(-50, 100), min_size=3, max_size=6))
def test_interpolation_of_a_falling_curve_never_rises(values: list[float]) -> None:
    falling = sorted(values, reverse=True)
    found = interpolate(range(10 * len(falling) - 9), [(10 * i, v) for i, v in enumerate(falling)])
    numbers = [value for value in found if value is not None]
    assert len(numbers) == 10 * len(falling) - 9
    assert all(after <= before + 1e-9 for before, after in pairwise(numbers))


def test_twelve_rungs_of_a_long_ladder_are_scored_with_both_ends() -> None:
    assert scored_qps(list(range(5, 17))) == tuple(range(5, 17))
    chosen = scored_qps(list(range(52)))
    assert (len(chosen), chosen[0], chosen[-1]) == (12, 0, 51)


def test_proxy_is_equation_3_by_hand() -> None:
    curves = {"a": {1: 10.0, 50: 8.0, 100: 2.0}, "b": {1: 90.0, 50: 40.0, 100: -10.0}}
    # a: (8 - 2) / (10 - 2) = 0.75; b: (40 + 10) / (90 + 10) = 0.5; their mean is 0.625.
    assert proxy(curves, range(1, 101)) == {1: 1.0, 50: 0.625, 100: 0.0}


def test_proxy_reverses_scores_that_fall_with_quality() -> None:
    curves = {"good": {0: 9.0, 1: 7.0, 2: 1.0}, "bad": {0: 0.0, 1: 0.75, 2: 1.0}}
    # good: 6 / 8 = 0.75; bad: 1 - 0.75 = 0.25; their mean is 0.5.
    assert proxy(curves, range(3), {"bad"}) == {0: 1.0, 1: 0.5, 2: 0.0}


def test_proxy_takes_the_extremes_of_the_ladder_and_not_its_ends() -> None:
    assert proxy({"a": {0: 4.0, 1: 5.0, 2: 1.0}}, range(3)) == {0: 0.75, 1: 1.0, 2: 0.0}


@pytest.mark.parametrize(
    "curve",
    [{1: 9.0, 50: 5.0}, {50: 5.0, 100: 1.0}, {1: 9.0, 50: 5.0, 100: None}, {1: 9.0, 50: 9.0, 100: 9.0}],
)
def test_no_proxy_without_both_ends_or_any_difference(curve: dict[int, float | None]) -> None:
    whole = {qp: float(qp) for qp in curve}
    assert proxy({"whole": whole, "a": curve}, range(1, 101)) == dict.fromkeys(curve)


def test_no_proxy_only_where_one_score_is_missing() -> None:
    found = proxy({"a": {0: 9.0, 1: None, 2: 1.0}, "b": {0: 9.0, 1: 5.0, 2: 1.0}}, range(3))
    assert found == {0: 1.0, 1: None, 2: 0.0}


ROWS = (
    *(machine_row(f"c{i}", "classification") for i in range(4)),
    *(machine_row(f"d{i}", "detection") for i in range(4)),
    *(machine_row(f"u{i}", "classification") for i in range(3)),
)
SCALE = Scale(
    protocol=protocols.load("calibrated"),
    rows=ROWS,
    unseen=frozenset({"u0", "u1", "u2"}),
    qp_ranges={"jpeg": range(1, 101)},
    fingerprints={"jpeg": "jpeg 1"},
)


def opinions(**changes: Any) -> dict[str, Any]:
    """What machines say: surely class 7, or a box of it; `changes` names other classes, None: unsure."""
    said: dict[str, Any] = {}
    for row in ROWS:
        opinion = changes.get(row.name, 7)
        sure = 0.9 if opinion is not None else 0.1
        if row.task == "classification":
            said[row.name] = {"kind": "labels", "indices": [opinion or 7], "scores": [sure]}
        else:
            box = {"xyxy": [[0.0, 0.0, 9.0, 9.0]], "scores": [sure], "classes": [opinion or 7]}
            said[row.name] = {"kind": "boxes", **box}
    return said


def rung(cvvdp: float | None = 9.55, ssimulacra2: float | None = 64.0, **changes: Any) -> Answers:
    scores = {"cvvdp": cvvdp, "ssimulacra2": ssimulacra2}
    known = {name: score for name, score in scores.items() if score is not None}
    return Answers({"n_bytes": 100, "identical": False}, known, opinions(**changes))


def labelled(ladder: dict[int, Answers | None], **original: Any) -> list[LabelRow]:
    source = Answers({"width": 20, "height": 10}, machines=opinions(**original))
    return label_rows("a.png", "train", source, {"jpeg": ladder}, SCALE)


def test_votes_and_ratios_by_hand() -> None:
    (row,) = labelled({40: rung(c0=3, d0=3, u0=3, c1=3)}, c1=None, d1=None)
    # c1 and d1 do not count: of c0 c2 c3 and d0 d2 d3 two of three each are satisfied, of u0 u1 u2 two.
    assert (row.smr, row.smr_classification, row.smr_detection) == pytest.approx((4 / 6, 2 / 3, 2 / 3))
    assert row.smr_unseen == pytest.approx(2 / 3)
    # Strictly c1 counts too, and is not satisfied; d1 saw nothing still.
    assert row.smr_strict == pytest.approx(4 / 7)
    assert row.n_machines == 6
    votes = [row.votes[name] for name in ("c0", "c1", "c2", "d0", "d1", "d2", "u0", "u1")]
    assert votes == [0, 2, 1, 0, 2, 1, 0, 1]
    assert (row.n_bytes, row.bpp, row.fingerprint) == (100, 4.0, "jpeg 1")


def test_a_machine_without_an_answer_does_not_count() -> None:
    answers = rung()
    partial = Answers(
        answers.facts, answers.teachers, {k: v for k, v in answers.machines.items() if k != "c0"}
    )
    (row,) = labelled({40: partial})
    assert (row.votes["c0"], row.votes["c1"], row.n_machines) == (2, 1, 7)


def test_sur_is_calibrated_and_never_rises() -> None:
    rows = labelled({60: rung(9.7, 76.0), 40: rung(9.55, 64.0), 80: rung(8.0, 20.0)})
    assert [row.qp for row in rows] == [40, 60, 80]
    # At both medians SUR is 0.5; QP 60 scores better, and the two are pooled.
    better = 0.5 * (_phi(np.log(0.45 / 0.3) / 0.6) + _phi(1.0))
    assert rows[0].sur == rows[1].sur == pytest.approx((0.5 + better) / 2)
    assert rows[2].sur is not None
    assert rows[2].sur < 0.01
    assert (rows[1].cvvdp_jod, rows[1].ssimulacra2) == (9.7, 76.0)


def _phi(x: float) -> float:
    from statistics import NormalDist

    return NormalDist().cdf(float(x))


def test_identical_pixels_satisfy_everyone() -> None:
    same = Answers({"n_bytes": 9, "identical": True}, {"cvvdp": 9.9, "ssimulacra2": 99.0}, opinions())
    assert labelled({1: same})[0].sur == 1.0


def test_no_sur_from_half_of_the_teachers() -> None:
    rows = labelled({40: rung(cvvdp=None), 50: rung()})
    assert (rows[0].sur, rows[0].cvvdp_jod, rows[0].ssimulacra2) == (None, None, 64.0)
    assert rows[1].sur == pytest.approx(0.5)


def test_a_rung_that_was_not_encoded_gives_no_row() -> None:
    assert [row.qp for row in labelled({40: None, 50: rung()})] == [50]


def test_a_long_ladder_is_interpolated_whatever_else_is_known() -> None:
    qps = list(range(1, 101, 3))
    chosen = scored_qps(qps)

    def ladder(known: list[int]) -> dict[int, Answers | None]:
        return {
            qp: rung(10 - qp / 50, 100 - qp) if qp in known else rung(cvvdp=None, ssimulacra2=None)
            for qp in qps
        }

    rows = labelled(ladder(list(chosen)))
    assert [row.qp for row in rows if row.cvvdp_jod is not None] == list(chosen)
    assert all(row.sur is not None for row in rows)
    assert rows[-1].sur_proxy == 0.0
    # More scores than were planned for, as another run may have left in the cache, change nothing.
    assert labelled(ladder(qps)) == rows
    # One that was planned for and failed stays without labels.
    missing = chosen[5]
    failed = labelled(ladder([qp for qp in chosen if qp != missing]))
    assert [row.qp for row in failed if row.sur is None] == [missing]
