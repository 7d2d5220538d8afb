"""What a run comes to, and the sentence about what binds."""

from __future__ import annotations

import fabricated
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sursmr_codec.report.binding import what_binds
from sursmr_codec.report.text import moment, size, unicode_only
from sursmr_codec.report.totals import add_up, histogram


def test_totals_count_only_what_has_a_result():
    totals = add_up(
        [
            fabricated.done("a.png"),
            fabricated.kept("b.png"),
            fabricated.unmet("c.png"),
            fabricated.failed("d.png"),
            fabricated.skipped("e.txt"),
        ]
    )
    assert totals.by_status == {"done": 2, "unmet": 1, "failed": 1, "skipped": 1}
    assert (totals.n_sources, totals.n_results, totals.n_kept) == (5, 2, 1)
    assert totals.source_bytes == 2 * 557_604
    assert totals.result_bytes == 36_354 + 557_604
    assert totals.saved_percent == pytest.approx(100 * (557_604 - 36_354) / (2 * 557_604))
    assert totals.by_binding == {"sur": 1, "smr": 0, "range": 0, "max_bytes": 0}
    assert [one.name for one in totals.histograms] == ["QP", "SUR", "SMR"]
    assert all(one.n_values == 1 for one in totals.histograms)


def test_a_best_effort_has_a_result_though_its_targets_were_missed():
    effort = fabricated.done(
        status="unmet", met=False, binding="smr", targets={"sur": 0.9, "smr": 0.99, "risk": None}
    )
    totals = add_up([effort])
    assert totals.by_status["unmet"] == totals.n_results == totals.by_binding["smr"] == 1
    assert totals.result_bytes == 36_354
    assert what_binds(effort).startswith("Machines: SMR never reaches 0.99")


def test_totals_of_nothing():
    totals = add_up([])
    assert totals.saved_percent is None
    assert totals.histograms == ()


def test_larger_results_are_not_called_saved():
    totals = add_up([fabricated.done(n_bytes=600_000)])
    assert totals.saved_bytes == 557_604 - 600_000
    assert totals.saved_percent < 0


def test_histogram_of_whole_numbers_has_a_bar_for_each():
    bars = histogram("QP", [30, 33, 33, 31], finest=1.0)
    assert bars.edges == (30, 31, 32, 33, 34)
    assert bars.counts == (1, 1, 0, 2)
    assert (bars.low, bars.middle, bars.high) == (30, 32, 33)


def test_a_ratio_of_one_has_no_bar_of_its_own():
    bars = histogram("SUR", [0.98, 0.995, 1.0], finest=0.005, most=1.0)
    assert bars.edges == (0.98, 0.985, 0.99, 0.995, 1.0)
    assert bars.counts == (1, 0, 0, 2)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=60))
def test_every_ratio_is_in_its_bar(thousandths):
    values = [number / 1000 for number in thousandths]
    bars = histogram("SUR", values, finest=0.005, most=1.0)
    assert len(bars.counts) <= 24
    assert bars.n_values == len(values)
    assert bars.edges[0] <= min(values)
    assert max(values) <= bars.edges[-1] <= 1.0
    for low, high, count in zip(bars.edges, bars.edges[1:], bars.counts, strict=False):
        last = high == bars.edges[-1]
        assert count == sum(low <= value < high or (last and value == high == 1.0) for value in values)


def test_what_binds_a_met_pick():
    assert what_binds(fabricated.done()) == "Viewers: at QP 34, the next one tried, SUR is 0.729, below 0.75."
    machines = fabricated.done(binding="smr", targets={"sur": 0.7, "smr": 0.96, "risk": None})
    assert what_binds(machines) == "Machines: at QP 34, the next one tried, SMR is 0.950, below 0.96."
    undefined = fabricated.done(binding="smr")
    undefined["probes"][-1]["smr"] = None
    assert what_binds(undefined) == "Machines: at QP 34, the next one tried, SMR is not defined."


def test_what_binds_with_a_risk_names_no_false_shortfall():
    cautious = fabricated.done(targets={"sur": 0.72, "smr": 0.9, "risk": 0.1})
    assert "SUR is 0.729: too near 0.72" in what_binds(cautious)


def test_what_binds_at_the_end_of_the_range_and_where_the_search_stopped_early():
    assert "QP 50 is the highest" in what_binds(fabricated.done(binding="range", qp=50))
    early = what_binds(fabricated.done(probes=fabricated.done()["probes"][3:4]))
    assert "SUR is 0.751" in early
    assert "within its tolerance" in early


def test_what_binds_where_nothing_could_be_picked():
    assert what_binds(fabricated.unmet()) == (
        "Machines: SMR never reaches 0.99; the best one tried is 0.980, at QP 25."
    )
    undefined = fabricated.unmet(probes=[fabricated.probe(25, 0.85, None, 43_000)])
    assert "SMR is not defined for this picture" in what_binds(undefined)
    crowded = fabricated.unmet(binding="max_bytes")
    crowded["search"]["max_bytes"] = 20_000
    assert what_binds(crowded) == (
        "No rung within 20.0 kB meets the targets; the smallest one tried has 28.0 kB."
    )


def test_what_binds_says_nothing_where_nothing_was_tried():
    assert what_binds(fabricated.failed()) is None
    assert what_binds(fabricated.skipped()) is None
    assert "original was kept" in what_binds(fabricated.kept())


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (-2_500_000, "-2.5 MB"),
        (3_200_000_000_000_000, "3200.0 TB"),
    ],
)
def test_sizes(n_bytes, text):
    assert size(n_bytes) == text


def test_moments_and_names():
    assert moment("2026-11-21T08:12:45+00:00") == "2026-11-21 08:12 UTC"
    assert unicode_only("caf\udce9") == "caf\\udce9"
    assert unicode_only("café") == "café"
