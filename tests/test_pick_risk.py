"""`risk` of a pick: the lowered ratios decide, everywhere alike."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_picking import PICTURE, CountingCodec, FallingPredictor

from sursmr_codec import SearchSettings, Targets, pick
from sursmr_codec.bench.work import whether_met
from sursmr_codec.cli.tables import pick_tables, print_table
from sursmr_codec.errors import TargetNotReachable, UsageError
from sursmr_codec.interpolating import log_odds
from sursmr_codec.picking import PickSettings, pick_events
from sursmr_codec.records import pick_record
from sursmr_codec.risk import Margins, Misses, lowered
from sursmr_codec.types import Pick, Score


class Cautious(FallingPredictor):
    """Knows margins, and what picks without a risk do."""

    def __init__(self, sur: float = 2.0, smr: float = 1.5) -> None:
        super().__init__()
        self.asked: list[tuple[str, float | None, str]] = []
        self._margins = Margins(sur, smr)

    def margins(self, codec, targets, jury):
        self.asked.append((codec, targets.risk, jury))
        return self._margins

    def misses(self, codec, targets, jury):
        return Misses(160, 45.0, 0.04)


def picked(targets: Targets, predictor: FallingPredictor | None = None, **settings: object) -> Pick:
    of = PickSettings(best_effort=True, **settings)
    *_, found = pick_events(
        PICTURE, targets, codec=CountingCodec(), predictor=predictor or Cautious(), settings=of
    )
    assert isinstance(found, Pick)
    return found


def test_the_lower_end_decides_and_stands_in_the_record():
    found = picked(Targets(0.75, 0, risk=0.1))
    # Odds of 1:3 at 0.75, doubled: 1:6 is 0.857, which QP 14 has and QP 15 has not.
    assert found.qp == 14
    record = pick_record(found)
    assert record["targets"]["risk"] == 0.1
    assert record["sur_low"] == lowered(0.86, 2.0) >= 0.75
    assert record["smr_low"] == lowered(0.95, 1.5)
    assert found.misses is None


class Expecting(Cautious):
    """Knows SUR from the source alone."""

    def expected(self, embedding, codec):
        return {"sur": [log_odds(1 - qp / 100) for qp in CountingCodec.qp_range]}


@pytest.mark.parametrize("risk", [None, 0.1])
def test_expected_ratios_are_lowered_as_the_predicted_ones_are(risk):
    targets = Targets(0.755, 0, risk=risk)
    found = picked(targets, Expecting())
    assert found.qp == picked(targets).qp
    assert found.n_encodes == 2


def test_without_a_risk_there_is_no_lower_end_and_the_misses_are_told():
    found = picked(Targets(0.75, 0))
    assert found.qp == 25
    assert (pick_record(found)["sur_low"], pick_record(found)["smr_low"]) == (None, None)
    assert found.misses == Misses(160, 45.0, 0.04)


@pytest.mark.parametrize(
    ("targets", "misses", "told"),
    [
        (Targets(0.75, 0), Misses(160, 45.0, 0.04, risk=0.2), "of such picks miss .*; --risk 0.2 asks"),
        (
            Targets(0.5, 0),
            Misses(160, 45.0, 0.04, at="SUR 0.75"),
            "45 % of picks at SUR 0.75 miss .* average$",
        ),
        (Targets(0.75, 0, risk=0.1), None, "margins that let at most 10 % of such picks miss a target"),
    ],
)
def test_the_table_says_whose_misses_and_no_more_than_is_known(targets, misses, told, capsys):
    print_table(pick_tables(replace(picked(targets), misses=misses)))
    (line,) = [one for one in capsys.readouterr().out.splitlines() if one.startswith("risk")]
    assert re.search(told, line)


def test_margins_are_asked_for_codec_risk_and_machines():
    predictor = Cautious()
    picked(Targets(0.5, 0.1, risk=0.05), predictor, jury="classification")
    assert set(predictor.asked) == {("counting", 0.05, "classification")}


def test_a_predictor_without_margins_is_told_before_anything_is_encoded():
    codec = CountingCodec()
    with pytest.raises(UsageError, match="predictor falling has no margins"):
        pick(PICTURE, Targets(0.75, 0, risk=0.1), codec=codec, predictor=FallingPredictor())
    assert codec.encoded == []


def test_an_unreachable_target_is_told_with_its_risk():
    with pytest.raises(
        TargetNotReachable, match=r"cannot meet SMR 0\.9: it reaches 0\.655 .* with risk 0\.1"
    ):
        pick(PICTURE, Targets(0, 0.9, risk=0.1), codec=CountingCodec(), predictor=Cautious(smr=10.0))


def test_a_kept_original_has_no_margin():
    record = pick_record(replace(picked(Targets(0.75, 0, risk=0.1)), kept_original=True))
    assert (record["sur"], record["sur_low"], record["smr_low"]) == (1.0, 1.0, 1.0)


def test_truth_is_held_against_the_targets_themselves():
    assert whether_met(Score(0.76, 0.9), Targets(0.75, 0.9, risk=0.1))
    assert not whether_met(Score(0.74, 0.9), Targets(0.75, 0.9, risk=0.1))


@settings(max_examples=60)
@given(
    sur=st.floats(1, 50),
    smr=st.floats(1, 50),
    target=st.floats(0.05, 0.95),
    method=st.sampled_from(["binary", "exhaustive"]),
)
def test_a_pick_at_a_risk_meets_both_its_lower_ends_and_the_prediction(sur, smr, target, method):
    search = SearchSettings(method)
    cautious = picked(Targets(target, 0.3, risk=0.1), Cautious(sur, smr), search=search)
    plain = picked(Targets(target, 0.3), search=search)
    assert plain.met
    assert cautious.qp <= plain.qp
    for probe in cautious.probes:
        assert probe.score.sur_low <= probe.score.sur
        assert probe.score.smr_low <= probe.score.smr
    record = pick_record(cautious)
    assert cautious.met == (record["sur_low"] >= target and record["smr_low"] >= 0.3)
