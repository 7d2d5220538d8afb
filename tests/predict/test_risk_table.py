"""`risk.json`: read beside the model that it is of, and answers only what was calibrated."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sursmr_codec.asked import Targets
from sursmr_codec.errors import UsageError
from sursmr_codec.predict import load, risk_table, weights
from sursmr_codec.predict.risk_table import RiskTable, kind_of
from sursmr_codec.predict.trained import Trained
from sursmr_codec.risk import Margins, Misses

SAID: dict[str, Any] = {
    "schema": risk_table.SCHEMA,
    "model": {"id": "tiny", "sha256": "abc"},
    "targets": {"sur": [0.5, 0.75, 0.9], "smr": [0.8, 0.9]},
    "margins": [
        {"codec": "jpeg", "kind": "sur", "risk": 0.2, "sur": 2.0, "smr": 1.0, "n_picks": 9, "n_missed": 1},
        {"codec": "jpeg", "kind": "sur", "risk": 0.1, "sur": 8.0, "smr": 1.0, "n_picks": 9, "n_missed": 0},
        {"codec": "jpeg", "kind": "sur+smr", "risk": 0.1, "sur": 2.0, "smr": 8.0},
    ],
    "without_risk": [
        {"codec": "jpeg", "kind": "sur", "n_picks": 160, "missed_percent": 45.0, "mean_shortfall": 0.04}
    ],
}


def written(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps(SAID | changes))
    return path


def table(tmp_path: Path) -> RiskTable:
    found = risk_table.read(written(tmp_path / "risk.json"), "abc")
    assert found is not None
    return found


def test_margins_at_and_between_the_risks(tmp_path: Path) -> None:
    found = table(tmp_path)
    assert found.at("jpeg", "sur", Targets(0.75, 0, 0.1)) == Margins(pytest.approx(8.0), 1.0)
    assert found.at("jpeg", "sur", Targets(0.75, 0, 0.15)).sur == pytest.approx(math.sqrt(16.0))
    assert found.at("jpeg", "sur+smr", Targets(0.75, 0.9, 0.1)).smr == pytest.approx(8.0)
    assert found.misses["jpeg", "sur"] == Misses(160, 45.0, 0.04)


@pytest.mark.parametrize(
    ("codec", "targets", "says"),
    [
        ("jpeg", Targets(0.75, 0, 0.05), r"risk must lie in 0\.1\.\.0\.2"),
        ("jpeg", Targets(0.75, 0, 0.3), r"risk must lie in 0\.1\.\.0\.2"),
        ("jpeg", Targets(0.75, 0.9, 0.2), r"risk must be 0\.1, for which"),
        ("jpeg", Targets(0.95, 0, 0.1), r"SUR must lie in 0\.5\.\.0\.9"),
        ("avif", Targets(0.75, 0, 0.1), r"no margins for avif .* \(there are for: jpeg\)"),
        ("jpeg", Targets(0, 0.9, 0.1), r"no margins for jpeg .* \(there are for: none\)"),
    ],
)
def test_what_was_not_calibrated_is_refused(tmp_path: Path, codec: str, targets: Targets, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        table(tmp_path).at(codec, kind_of(targets, "all"), targets)


@pytest.mark.parametrize(
    ("codec", "targets", "told"),
    [
        ("jpeg", Targets(0.75, 0), ("", 0.1)),
        ("jpeg", Targets(0.6, 0), ("SUR 0.75", 0.1)),
        ("jpeg", Targets(0.95, 0), ("SUR 0.75", None)),
        ("jpeg", Targets(0.75, 0.9), ("", 0.2)),
        ("jpeg", Targets(0.75, 0.8), ("SUR 0.75, SMR 0.9", 0.2)),
        ("hevc", Targets(0.75, 0), ("", None)),
        ("avif", Targets(0.75, 0), None),
    ],
)
def test_misses_are_told_with_their_targets_and_a_risk_that_can_be_asked_for(
    tmp_path: Path, codec: str, targets: Targets, told: tuple[str, float | None] | None
) -> None:
    of = {"n_picks": 160, "missed_percent": 45.0, "mean_shortfall": 0.04}
    kinds = (("jpeg", "sur"), ("jpeg", "sur+smr"), ("hevc", "sur"))
    path = written(
        tmp_path / "risk.json",
        margins=[*SAID["margins"][:2], {**SAID["margins"][2], "risk": 0.2}],
        without_risk=[{"codec": codec, "kind": kind, **of} for codec, kind in kinds],
    )
    found = risk_table.read(path, "abc")
    assert found is not None
    kind = kind_of(targets, "all")
    misses = found.without_risk(codec, kind, targets)
    assert told == (None if misses is None else (misses.at, misses.risk))
    if misses is not None and misses.risk is not None:
        found.at(codec, kind, replace(targets, risk=misses.risk))


def test_kinds() -> None:
    assert kind_of(Targets(0.5, 0.5), "all") == "sur+smr"
    assert kind_of(Targets(0, 0.5), "detection") == "smr_detection"
    assert kind_of(Targets(0.5, 0), "detection") == "sur"
    assert kind_of(Targets(0, 0), "all") == ""


def test_a_table_of_another_model_is_none_and_a_bad_one_an_error(tmp_path: Path) -> None:
    path = written(tmp_path / "risk.json")
    assert risk_table.read(path, "other") is None
    assert risk_table.read(tmp_path / "absent.json", "abc") is None
    for text in (
        "{}",
        "[]",
        json.dumps({**SAID, "targets": []}),
        json.dumps({**SAID, "targets": {"sur": []}}),
    ):
        path.write_text(text)
        with pytest.raises(UsageError, match=r"risk\.json holds no margins"):
            risk_table.read(path, "abc")


def test_a_model_without_margins_says_so(model: Path) -> None:
    trained = Trained(model)
    asked = Targets(0.75, 0.9, 0.1)
    with pytest.raises(UsageError, match=r"model tiny has no margins"):
        trained.margins("jpeg", asked, "all")
    assert trained.misses("jpeg", asked, "all") is None
    assert trained.margins("jpeg", replace(asked, risk=None), "all") == Margins()


def test_margins_belong_to_their_protocol(model: Path) -> None:
    trained = Trained(model, protocol="jpeg-aic")
    trained._risks = RiskTable()
    with pytest.raises(UsageError, match="under protocol calibrated, not jpeg-aic"):
        trained.margins("jpeg", Targets(0.75, 0.9, 0.1), "all")


def test_the_shipped_model_has_margins_of_its_own() -> None:
    files = weights.find()
    found = files.risks()
    assert found is not None, "run benchmarks/risk.py --write"
    predictor = load()
    assert files.trained_codecs() == {codec for codec, _ in found.margins}
    for codec, kind in found.margins:
        asked = Targets(0.75 if "sur" in kind else 0.0, 0.9 if "smr" in kind else 0.0, 0.2)
        jury = "classification" if "class" in kind else "detection" if "detection" in kind else "all"
        margins = predictor.margins(codec, asked, jury)
        assert margins.sur >= 1.0
        assert margins.smr >= 1.0
        misses = predictor.misses(codec, replace(asked, risk=None), jury)
        assert misses is not None
        assert misses.n_picks > 80
