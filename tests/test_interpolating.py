"""The guess between probes: exact on a logistic curve, within the bracket on any, and sane outside it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sursmr_codec.interpolating import FALL, STRANGE, crossing

RUNGS = range(100)
N = len(RUNGS)


def logistic(qp: float, middle: float, slope: float) -> float:
    return 1.0 / (1.0 + math.exp(slope * (qp - middle)))


@pytest.mark.parametrize("probed", [(30, 60), (50, 60), (30, 40)])
def test_a_logistic_curve_is_followed_exactly(probed: tuple[int, int]) -> None:
    curve = {qp: {"sur": logistic(qp, 45.0, 0.1)} for qp in probed}
    expected = 45.0 - math.log(0.75 / 0.25) / 0.1
    assert crossing(curve, {"sur": 0.75}, RUNGS) == pytest.approx(expected)


def test_one_probe_is_continued_with_the_typical_slope() -> None:
    curve = {40: {"sur": logistic(40, 50.0, FALL / N)}}
    assert crossing(curve, {"sur": 0.5}, RUNGS) == pytest.approx(50.0)


def test_what_falls_first_decides() -> None:
    curve = {qp: {"sur": logistic(qp, 60.0, 0.1), "smr": logistic(qp, 40.0, 0.1)} for qp in (20, 80)}
    assert crossing(curve, {"sur": 0.5, "smr": 0.5}, RUNGS) == pytest.approx(40.0)
    assert crossing(curve, {"sur": 0.5}, RUNGS) == pytest.approx(60.0)


def test_more_than_the_target_is_reached_earlier() -> None:
    curve = {qp: {"sur": logistic(qp, 60.0, 0.1)} for qp in (20, 80)}
    assert crossing(curve, {"sur": 0.5}, RUNGS, above=0.1) < crossing(curve, {"sur": 0.5}, RUNGS)


def test_without_targets_the_whole_range_is_left() -> None:
    assert crossing({3: {}}, {}, RUNGS) == N


@given(st.dictionaries(st.integers(0, N - 1), st.floats(0, 1), min_size=1), st.floats(0.05, 1))
def test_it_lies_between_the_last_met_and_the_first_failed(ratios: dict[int, float], target: float) -> None:
    found = crossing({qp: {"sur": ratio} for qp, ratio in ratios.items()}, {"sur": target}, RUNGS)
    failed = [qp for qp, ratio in ratios.items() if ratio < min(target, 0.999)]
    first = min(failed, default=None)
    met = [qp for qp in ratios if first is None or qp < first]
    if first is not None and met:
        assert max(met) - 1e-9 <= found <= first + 1e-9
    elif first is not None:
        assert found <= first
    else:
        # No step is longer than log-odds from one end to the other on the flattest slope that is believed.
        assert max(met) - 1e-9 <= found <= max(met) + 14.0 * STRANGE * N / FALL


def test_before_any_probe_it_is_what_is_expected() -> None:
    expected = {"sur": [math.log(3.0) + 0.5 * (41.5 - qp) for qp in RUNGS], "smr": [9.0] * N}
    assert crossing({}, {"sur": 0.75}, RUNGS, expected=expected) == pytest.approx(41.5)
    assert crossing({}, {"sur": 0.75, "smr": 0.9}, RUNGS, expected=expected) == pytest.approx(41.5)
    assert crossing({}, {"smr": 0.9}, RUNGS, expected=expected) == N
    assert crossing({}, {"smr": 0.9}, RUNGS, expected={"smr": [-9.0] * N}) == -1


def test_expected_curves_are_moved_to_what_was_probed() -> None:
    shape = [6.0 - math.sqrt(qp) for qp in RUNGS]
    probed = {49: {"sur": 1.0 / (1.0 + math.exp(-(shape[49] + 0.5)))}}
    found = crossing(probed, {"sur": 0.5}, RUNGS, expected={"sur": shape})
    assert found == pytest.approx(6.5**2, abs=0.01)


@given(
    st.dictionaries(st.integers(0, N - 1), st.floats(0, 1), min_size=1),
    st.lists(st.floats(-20, 20), min_size=N, max_size=N),
    st.floats(0.05, 1),
)
def test_no_expectation_leads_out_of_the_bracket(
    ratios: dict[int, float], shape: list[float], target: float
) -> None:
    probed = {qp: {"sur": ratio} for qp, ratio in ratios.items()}
    found = crossing(probed, {"sur": target}, RUNGS, expected={"sur": shape})
    first = min((qp for qp, ratio in ratios.items() if ratio < min(target, 0.999)), default=N)
    last = max((qp for qp in ratios if qp < first), default=-1)
    assert last - 1e-9 <= found <= first + 1e-9
