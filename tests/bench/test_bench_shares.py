"""Bytes at an equal share, their confidence interval, and the sweep that looks for the setting."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sursmr_codec.bench.bootstrap import interval
from sursmr_codec.bench.shares import Family, bytes_at_share, saved_percent
from sursmr_codec.bench.sweep import AROUND, sweep


def test_between_two_settings_lies_what_a_mix_of_both_costs():
    shares, totals = np.array([1.0, 0.8, 0.2]), np.array([1000.0, 600.0, 100.0])
    assert bytes_at_share(shares, totals, 0.8) == 600
    assert bytes_at_share(shares, totals, 0.9) == pytest.approx(800)
    assert bytes_at_share(shares, totals, 0.35) == pytest.approx(225)
    assert bytes_at_share(shares, totals, 0.0) == 100
    assert math.isnan(bytes_at_share(shares * 0.9, totals, 1.0))


def test_a_share_that_rises_again_counts_for_the_baseline():
    shares, totals = np.array([0.9, 0.5, 0.9, 0.4]), np.array([900.0, 500.0, 300.0, 100.0])
    assert bytes_at_share(shares, totals, 0.9) == 300


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 9)), min_size=6, max_size=30),
    st.floats(0.0, 1.0),
)
def test_never_more_than_any_one_setting_that_reaches_the_share(files, wanted):
    n = len(files) // 3
    table = np.array(files[: 3 * n]).reshape(3, n, 2)
    family = Family((1.0, 2.0, 3.0), table[..., 0].astype(bool).T, table[..., 1].T)
    shares, totals = family.curve()
    reaching = totals[shares >= wanted - 1e-9]
    cost, chosen = family.bytes_at(wanted), family.chosen(wanted)
    if reaching.size:
        assert cost <= reaching.min() + 1e-9
        assert totals[chosen] == reaching.min()
    else:
        assert math.isnan(cost)
        assert chosen is None


def test_weights_count_images_more_than_once():
    family = Family((1.0,), np.array([[True], [False]]), np.array([[10], [1]]))
    shares, totals = family.curve(np.array([3, 1]))
    assert (shares[0], totals[0]) == (0.75, 31)


def test_saved_is_negative_where_there_are_more_bytes():
    assert saved_percent(75, 100) == 25
    assert saved_percent(150, 100) == -50


def test_interval_of_a_mean_has_the_width_that_theory_says():
    values = np.random.default_rng(1).normal(5.0, 2.0, 400)
    found = interval(lambda drawn: float(drawn @ values / drawn.sum()), len(values))
    half = 1.96 * values.std() / math.sqrt(len(values))
    assert found == pytest.approx((values.mean() - half, values.mean() + half), abs=0.05)
    assert found == interval(lambda drawn: float(drawn @ values / drawn.sum()), len(values))


def test_no_interval_for_one_image_or_a_statistic_that_is_hardly_defined():
    assert interval(lambda _: 1.0, 1) is None
    assert interval(lambda drawn: math.nan if drawn[0] else 1.0, 2) is None


def tried_by(n_settings, wanted, start, share_at):
    walk, tried = sweep(n_settings, wanted, start), []
    try:
        index = next(walk)
        while True:
            tried.append(index)
            index = walk.send(share_at(index))
    except StopIteration:
        return tried


@given(st.integers(1, 120), st.data())
def test_sweep_finds_the_last_setting_that_reaches_the_share(n_settings, data):
    last = data.draw(st.integers(-1, n_settings - 1))
    start = data.draw(st.integers(-5, n_settings + 5))
    tried = tried_by(n_settings, 0.9, start, lambda index: 0.95 if index <= last else 0.5)
    assert len(tried) == len(set(tried))
    around = range(max(0, last - AROUND), min(n_settings, last + AROUND + 1))
    assert set(around) <= set(tried)
    assert len(tried) <= 2 * math.log2(n_settings + 1) + 2 + 2 * AROUND + 1


def test_sweep_from_a_good_guess_is_short():
    assert len(tried_by(301, 0.9, 41, lambda index: 1.0 if index <= 40 else 0.0)) <= 6
