"""The search: its promises hold for every curve, monotone or not."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sursmr_codec.errors import UsageError
from sursmr_codec.search import margins, meets, most_encodes, rungs_of, search
from sursmr_codec.types import Probe, Score, SearchSettings, Targets

TARGETS = Targets(sur=0.75, smr=0.9)
RATIO = st.floats(0, 1) | st.none()


@dataclass
class Curves:
    """A ladder as three lists, counting how often each rung is asked for."""

    sur: list[float | None]
    smr: list[float | None]
    n_bytes: list[int]
    first_qp: int = 0
    asked: list[int] = field(default_factory=list)

    @property
    def qp_range(self) -> range:
        return range(self.first_qp, self.first_qp + len(self.sur))

    def at(self, qp: int) -> Probe:
        self.asked.append(qp)
        i = qp - self.first_qp
        return Probe(qp, Score(self.sur[i], self.smr[i]), self.n_bytes[i])

    def met(self, qp: int, targets: Targets = TARGETS) -> bool:
        i = qp - self.first_qp
        return meets(Score(self.sur[i], self.smr[i]), targets)


@st.composite
def any_curves(draw: st.DrawFn) -> Curves:
    n = draw(st.integers(1, 110))
    ratios = st.lists(RATIO, min_size=n, max_size=n)
    sizes = sorted(draw(st.lists(st.integers(1, 10_000), min_size=n, max_size=n)), reverse=True)
    return Curves(draw(ratios), draw(ratios), sizes, draw(st.integers(0, 20)))


@st.composite
def monotone_curves(draw: st.DrawFn) -> Curves:
    curves = draw(any_curves())
    curves.sur = sorted((r or 0.0 for r in curves.sur), reverse=True)
    curves.smr = sorted((r or 0.0 for r in curves.smr), reverse=True)
    return curves


starts = st.none() | st.integers(-5, 140)


@given(any_curves(), starts, st.sampled_from(["binary", "exhaustive"]), st.floats(0, 0.5), st.booleans())
def test_answer_is_a_probed_met_rung_or_nothing(curves, start, method, tolerance, best_effort):
    settings = SearchSettings(method=method, tolerance=tolerance)
    answer = search(curves.at, curves.qp_range, TARGETS, settings, start=start, best_effort=best_effort)
    assert len(curves.asked) == len(set(curves.asked))
    assert [probe.qp for probe in answer.probes] == curves.asked
    if answer.met:
        assert answer.chosen in answer.probes
        assert curves.met(answer.chosen.qp)
    elif best_effort:
        assert answer.chosen in answer.probes
    else:
        assert answer.chosen is None
    if not answer.met:
        assert not any(curves.met(qp) for qp in curves.asked)


@given(any_curves(), starts)
def test_binary_search_stays_within_its_encodes(curves, start):
    search(curves.at, curves.qp_range, TARGETS, start=start)
    assert len(curves.asked) <= most_encodes(len(curves.sur))


@given(monotone_curves(), starts)
def test_binary_equals_exhaustive_on_monotone_curves(curves, start):
    binary = search(curves.at, curves.qp_range, TARGETS, start=start)
    exhaustive = search(curves.at, curves.qp_range, TARGETS, SearchSettings(method="exhaustive"))
    assert (binary.chosen, binary.met, binary.binding) == (
        exhaustive.chosen,
        exhaustive.met,
        exhaustive.binding,
    )


@given(any_curves(), starts)
def test_next_probed_rung_above_the_answer_fails(curves, start):
    answer = search(curves.at, curves.qp_range, TARGETS, start=start)
    if answer.met:
        above = [qp for qp in curves.asked if qp > answer.chosen.qp]
        assert not above or not curves.met(min(above))
        assert above or answer.binding == "range"


@given(any_curves())
def test_exhaustive_returns_the_true_highest(curves):
    answer = search(curves.at, curves.qp_range, TARGETS, SearchSettings(method="exhaustive"))
    met = [qp for qp in curves.qp_range if curves.met(qp)]
    assert (answer.chosen.qp if answer.chosen else None) == (max(met) if met else None)
    assert sorted(curves.asked) == list(curves.qp_range)


@given(any_curves(), st.integers(1, 10_000), st.sampled_from(["binary", "exhaustive"]), st.booleans())
def test_nothing_above_the_byte_limit_is_chosen(curves, max_bytes, method, best_effort):
    settings = SearchSettings(method=method, max_bytes=max_bytes)
    answer = search(curves.at, curves.qp_range, TARGETS, settings, best_effort=best_effort)
    assert len(curves.asked) == len(set(curves.asked))
    if answer.chosen is not None:
        assert answer.chosen.n_bytes <= max_bytes
        assert answer.met == curves.met(answer.chosen.qp) or not answer.met
    elif best_effort:
        assert min(curves.n_bytes) > max_bytes


@given(
    monotone_curves(),
    starts,
    st.integers(0, 109),
    st.sampled_from(["binary", "exhaustive"]),
    st.none() | st.integers(1, 10_000),
    st.booleans(),
)
def test_rungs_too_large_to_be_made_do_not_hide_those_above(
    curves, start, n_unmade, method, max_bytes, best_effort
):
    first = curves.qp_range[0] + min(n_unmade, len(curves.sur) - 1)
    settings = SearchSettings(method=method, max_bytes=max_bytes)
    asked = []

    def at(qp):
        asked.append(qp)
        return curves.at(qp) if qp >= first else None

    answer = search(at, curves.qp_range, TARGETS, settings, start=start, best_effort=best_effort)
    assert len(asked) == len(set(asked))
    assert answer.probes
    rest = SearchSettings(method=method, max_bytes=max_bytes, min_qp=first)
    among_others = search(curves.at, curves.qp_range, TARGETS, rest, start=start)
    assert answer.met == among_others.met
    if answer.met:
        assert answer.chosen == among_others.chosen
    elif answer.chosen is not None:
        assert best_effort
        assert answer.chosen in answer.probes


@pytest.mark.parametrize("method", ["binary", "exhaustive"])
@pytest.mark.parametrize("best_effort", [True, False])
def test_without_any_rung_that_can_be_made_nothing_is_found(method, best_effort):
    settings = SearchSettings(method=method)
    answer = search(lambda qp: None, range(52), TARGETS, settings, best_effort=best_effort)
    assert (answer.probes, answer.chosen, answer.met, answer.binding) == ((), None, False, "range")


@pytest.mark.parametrize("n", [1, 2, 3, 5, 52, 64, 100])
def test_most_encodes_is_the_stated_bound(n):
    assert most_encodes(n) == {1: 1, 2: 2, 3: 3, 5: 5, 52: 9, 64: 9, 100: 10}[n]


def falling(n: int, last_met: int) -> Curves:
    """SUR 1 up to and at `last_met`, 0 above; SMR always 1; bytes 1000 - 10 qp."""
    sur = [1.0 if qp <= last_met else 0.0 for qp in range(n)]
    return Curves(sur, [1.0] * n, [1000 - 10 * qp for qp in range(n)])


def test_a_perfect_start_costs_two_encodes():
    for last in range(51):
        curves = Curves(
            [1 / (1 + math.exp(0.25 * (qp - last) - 1.2)) for qp in range(52)], [1.0] * 52, [1] * 52
        )
        answer = search(curves.at, curves.qp_range, TARGETS, start=last)
        assert (answer.chosen.qp, len(curves.asked)) == (last, 2)


@st.composite
def guesses(draw: st.DrawFn, n: int) -> dict[str, list[float]]:
    """Expected log-odds of n rungs, right or wrong, of some ratios."""
    odds = st.lists(st.floats(-20, 20), min_size=n, max_size=n)
    return {name: draw(odds) for name in ("sur", "smr") if draw(st.booleans())}


@given(st.data(), any_curves(), starts, st.sampled_from([0.0, 0.02, 0.3]))
def test_wrong_expectations_cost_encodes_at_most(data, curves, start, tolerance):
    expected = data.draw(guesses(len(curves.sur)))
    settings = SearchSettings(tolerance=tolerance)
    answer = search(curves.at, curves.qp_range, TARGETS, settings, start=start, expected=expected)
    assert len(curves.asked) == len(set(curves.asked)) <= most_encodes(len(curves.sur))
    assert answer.met == any(curves.met(qp) for qp in curves.asked)
    if answer.met and not tolerance:
        above = [qp for qp in curves.asked if qp > answer.chosen.qp]
        assert curves.met(answer.chosen.qp)
        assert above or answer.binding == "range"


def test_curves_that_are_off_by_the_same_everywhere_cost_three_encodes_at_most():
    # Steep at first and flat then, as no straight line is.
    shape = [8.0 - 2.2 * math.sqrt(qp) for qp in range(100)]
    for off in (-3.0, -1.0, 0.0, 1.0, 3.0):
        ratios = [1 / (1 + math.exp(-odds - off)) for odds in shape]
        curves = Curves(ratios, [1.0] * 100, [1] * 100)
        expected = {"sur": shape, "smr": [9.0] * 100}
        answer = search(curves.at, curves.qp_range, TARGETS, expected=expected)
        assert answer.chosen.qp == max(qp for qp in range(100) if curves.met(qp))
        assert len(curves.asked) <= 3, off


def test_a_ratio_exactly_at_its_target_is_met():
    curves = Curves([0.75], [0.9], [10])
    assert search(curves.at, curves.qp_range, TARGETS).met


def test_undefined_ratio_never_meets_its_target():
    curves = Curves([1.0], [None], [10])
    answer = search(curves.at, curves.qp_range, TARGETS)
    assert (answer.met, answer.binding) == (False, "smr")
    assert search(curves.at, curves.qp_range, Targets(sur=0.75, smr=0)).met


def test_without_targets_the_last_rung_is_picked():
    curves = falling(52, 3)
    answer = search(curves.at, curves.qp_range, Targets(sur=0, smr=0))
    assert (answer.chosen.qp, answer.binding) == (51, "range")


def test_binding_names_the_target_the_next_rung_misses_most():
    curves = Curves([1.0, 0.7], [1.0, 0.5], [10, 9])
    assert search(curves.at, curves.qp_range, TARGETS).binding == "smr"
    curves = Curves([1.0, 0.1], [1.0, 0.89], [10, 9])
    assert search(curves.at, curves.qp_range, TARGETS).binding == "sur"


def test_tolerance_stops_early_but_never_below_a_target():
    sur = [1 - qp / 100 for qp in range(100)]
    curves = Curves(sur, [1.0] * 100, [1] * 100)
    settings = SearchSettings(tolerance=0.1)
    answer = search(curves.at, curves.qp_range, Targets(0.75, 0), settings, start=20)
    assert (answer.chosen.qp, curves.asked) == (20, [20])
    assert answer.binding == "sur"


def test_best_effort_takes_the_smallest_shortfall():
    curves = Curves([0.5, 0.7, 0.6], [1.0, 1.0, 1.0], [30, 20, 10])
    answer = search(
        curves.at, curves.qp_range, TARGETS, SearchSettings(method="exhaustive"), best_effort=True
    )
    assert (answer.chosen.qp, answer.met, answer.binding) == (1, False, "sur")


def test_best_effort_under_a_byte_limit_takes_the_lowest_qp_that_fits():
    for method in ("binary", "exhaustive"):
        curves = falling(52, 20)
        settings = SearchSettings(method=method, max_bytes=700)
        assert search(curves.at, curves.qp_range, TARGETS, settings).chosen is None
        answer = search(curves.at, curves.qp_range, TARGETS, settings, best_effort=True)
        assert (answer.chosen.qp, answer.met, answer.binding) == (30, False, "max_bytes")


def test_best_effort_writes_nothing_when_no_rung_fits():
    curves = falling(52, 20)
    answer = search(curves.at, curves.qp_range, TARGETS, SearchSettings(max_bytes=1), best_effort=True)
    assert answer.chosen is None


def test_risk_judges_the_lower_end():
    score = Score(sur=0.8, smr=0.95, sur_low=0.7, smr_low=0.93)
    assert meets(score, TARGETS)
    assert not meets(score, Targets(0.75, 0.9, risk=0.1))
    assert margins(score, Targets(0.75, 0, risk=0.1)) == pytest.approx({"sur": -0.05})


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(None, None, range(52)), (10, 20, range(10, 21)), (51, None, range(51, 52))]
)
def test_rungs_of(low, high, expected):
    assert rungs_of(range(52), SearchSettings(min_qp=low, max_qp=high)) == expected


@pytest.mark.parametrize(("low", "high"), [(-1, None), (None, 52), (20, 10)])
def test_rungs_outside_the_codec_are_refused(low, high):
    with pytest.raises(UsageError):
        rungs_of(range(52), SearchSettings(min_qp=low, max_qp=high))
