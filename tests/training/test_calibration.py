"""Margins from outcomes of picks: they keep their promise, and cost nothing where nothing misses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sursmr_codec.asked import Targets
from sursmr_codec.risk import Margins, lowered
from sursmr_codec.training.calibration import (
    PickLadder,
    binomial_cdf,
    calibrate,
    interval,
    on_average,
    outcome,
    sure,
)

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
VIEWERS = [Targets(0.75, 0.0)]


def ladder_of(predicted: float, true: float, n: int = 20) -> PickLadder:
    """SUR falls to 0.5 at one place as predicted, at another in truth; SMR is 1 throughout."""
    qps = np.arange(n)

    def curve(middle: float) -> np.ndarray:
        return np.stack([1.0 / (1.0 + np.exp((qps - middle) / 2.0)), np.ones(n)], axis=1)

    return PickLadder(curve(predicted), curve(true), 1000.0 / (1.0 + qps))


def ladders(n: int, error: float, seed: int = 0) -> list[PickLadder]:
    """Pictures whose predictions are off by `error` QP, one standard deviation."""
    generator = np.random.default_rng(seed)
    truth = generator.uniform(6.0, 14.0, n)
    return [ladder_of(one + error * generator.normal(), one) for one in truth]


def missed_share(of: list[PickLadder], targets: Targets, margins: Margins) -> float:
    found = [outcome(one, targets, margins) for one in of]
    return float(np.mean([one.missed for one in found if one is not None]))


@given(ratio=st.floats(0, 1), factor=st.floats(1, 1e4), more=st.floats(1, 10))
def test_lowered_falls_as_the_factor_grows_and_stays_a_ratio(
    ratio: float, factor: float, more: float
) -> None:
    low = lowered(ratio, factor)
    lower = lowered(ratio, factor * more)
    assert low is not None
    assert lower is not None
    assert 0.0 <= lower <= low + 1e-12 <= ratio + 2e-12
    assert lowered(ratio, 1.0) == pytest.approx(ratio)


def test_lowered_multiplies_the_odds_of_being_dissatisfied() -> None:
    assert lowered(0.9, 2.0) == pytest.approx(0.9 / 1.1)
    assert lowered(1.0, 50.0) == 1.0
    assert lowered(None, 2.0) is None


def test_an_outcome_is_of_the_highest_rung_that_meets_lowered() -> None:
    ladder = ladder_of(10.0, 9.0)
    plain = outcome(ladder, VIEWERS[0], Margins())
    assert plain is not None
    # 0.75 is reached 2 ln 3 below the middle: at QP 7 as predicted, where truth is lower.
    assert plain.n_bytes == pytest.approx(1000 / 8)
    assert plain.shortfall == pytest.approx(0.75 - ladder.truth[7, 0])
    assert plain.missed
    cautious = outcome(ladder, VIEWERS[0], Margins(sur=3.0))
    assert cautious is not None
    assert not cautious.missed
    assert cautious.n_bytes > plain.n_bytes


def test_nothing_is_counted_without_a_pick_or_a_truth() -> None:
    ladder = ladder_of(10.0, 10.0)
    assert outcome(ladder, Targets(0.75, 0.0), Margins(sur=1e9)) is None
    undefined = PickLadder(ladder.predicted, np.full_like(ladder.truth, np.nan), ladder.n_bytes)
    assert outcome(undefined, VIEWERS[0], Margins()) is None


def test_every_qp_lies_on_lines_between_the_labelled_ones() -> None:
    ladder = PickLadder(
        np.array([[1.0, 1.0], [0.0, 0.5]]), np.array([[1.0, 1.0], [0.5, 0.0]]), np.array([8, 2])
    )
    every = ladder.every_qp(np.array([10, 12]))
    assert every.predicted.tolist() == [[1.0, 1.0], [0.5, 0.75], [0.0, 0.5]]
    assert every.truth[1].tolist() == [0.75, 0.5]
    assert every.n_bytes.tolist() == pytest.approx([8, 4, 2])


@settings(max_examples=8, deadline=None)
@given(error=st.floats(0.3, 1.5), seed=st.integers(0, 1000))
def test_margins_hold_on_the_pictures_they_were_made_on(error: float, seed: int) -> None:
    made = ladders(40, error, seed)
    found = calibrate(made, VIEWERS, (0.1, 0.2))
    assert set(found) == {0.1, 0.2}
    assert found[0.1].margins.sur >= found[0.2].margins.sur >= 1.0
    for risk, one in found.items():
        assert missed_share(made, VIEWERS[0], one.margins) == one.n_missed / one.n_picks
        assert sure(one.n_missed, one.n_picks, risk)
    less = calibrate(made, VIEWERS, (0.1,), on_average)[0.1]
    assert less.margins.sur <= found[0.1].margins.sur
    assert (less.n_missed + 1) / (less.n_picks + 1) <= 0.1


def test_the_promise_holds_on_average_over_other_pictures() -> None:
    shares = []
    for seed in range(5):
        found = calibrate(ladders(60, 1.0, seed), VIEWERS, (0.1,), on_average)
        shares.append(missed_share(ladders(100, 1.0, 1000 + seed), VIEWERS[0], found[0.1].margins))
    assert 0.03 < float(np.mean(shares)) <= 0.1


def test_no_margin_where_nothing_misses_and_none_for_too_few_pictures() -> None:
    exact = [ladder_of(one.item(), one.item()) for one in np.linspace(6, 14, 30)]
    assert calibrate(exact, VIEWERS, (0.05, 0.1), on_average)[0.1].margins == Margins()
    assert calibrate(exact, VIEWERS, (0.01,)) == {}


def test_both_targets_get_one_margin() -> None:
    found = calibrate(ladders(40, 1.0), [Targets(0.75, 0.9)], (0.1,))[0.1].margins
    assert found.smr == found.sur > 1.0


def test_bytes_of_a_way_to_share_margins_are_those_of_its_picks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import margins

    some = ladders(30, 1.0)
    known = [(one, margins._odds(one.predicted)) for one in some]
    met, n_bytes = margins._curve(known, (0.75, 0.9), 1.0)
    for place in (0, 10, 20):
        factor = float(np.exp(margins.STEP * place))
        picks = [outcome(one, Targets(0.75, 0.9), Margins(factor, factor)) for one in some]
        assert n_bytes[place] == pytest.approx(sum(one.n_bytes for one in picks if one is not None))
        assert met[place] == np.mean([one is not None and not one.missed for one in picks])
    # SMR, which is 1 throughout, costs nothing however its margin is.
    assert margins._fewest(*margins._curve(known, (0.75, 0.9), 0.0), 0.9) == margins._fewest(
        met, n_bytes, 0.9
    )
    assert margins._fewest(met, n_bytes, 1.1) == np.inf


def test_binomial_against_known_values() -> None:
    assert binomial_cdf(1, 3, 0.5) == pytest.approx(0.5)
    assert binomial_cdf(3, 3, 0.2) == pytest.approx(1.0)
    # Clopper and Pearson, 1934, and every table since: 0 of 10, and 5 of 10.
    assert interval(0, 10) == pytest.approx((0.0, 0.3085), abs=1e-4)
    assert interval(5, 10) == pytest.approx((0.1871, 0.8129), abs=1e-4)
    assert interval(10, 10)[1] == 1.0
