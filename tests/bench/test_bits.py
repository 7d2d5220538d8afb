"""The front page's figures: what is kept of a result, its tables and its pictures."""

from __future__ import annotations

import json
import re
import runpy
import time
from pathlib import Path

import pytest
from fake_bench import Sloped
from PIL import Image

from sursmr_codec import bench
from sursmr_codec.bench import baselines
from sursmr_codec.bench.question import Question
from sursmr_codec.types import Targets

BENCHMARKS = Path(__file__).resolve().parent.parent.parent / "benchmarks"
BITS = runpy.run_path(str(BENCHMARKS / "bits.py"))
TABLES = runpy.run_path(str(BENCHMARKS / "bits_tables.py"))
PLOT = runpy.run_path(str(BENCHMARKS / "bits_plot.py"))


def question(pictures, targets):
    return Question(
        str(pictures),
        targets=targets,
        load_predictor=lambda _: Sloped(),
        load_judge=lambda _: Sloped(shift=1),
        truth="measured",
        baselines=baselines.several(["quality=75", "best-fixed", "oracle"]),
    )


@pytest.fixture
def kept(pictures, tmp_path, monkeypatch):
    """Two answers, put into a file as `--write` does."""
    monkeypatch.setitem(BITS["put"].__globals__, "RESULT", tmp_path / "bits.json")
    part = BITS["Part"]("test, 40 pictures", "test", ("jpeg",))
    for targets in (Targets(0.5, 0.8), Targets(0.75, 0), Targets(0.5, 0.8)):
        result = bench.run(question(pictures, targets))
        BITS["put"](part, "jpeg", result, BITS["found"](result, "jpeg"))
    return json.loads((tmp_path / "bits.json").read_text())


def test_each_question_is_kept_once(kept):
    results = kept["parts"]["test, 40 pictures"]["codecs"]["jpeg"]["results"]
    assert [(one["sur"], one["smr"]) for one in results] == [(0.5, 0.8), (0.75, 0)]
    assert kept["model"]["id"] == "sloped"
    curve = results[0]["baselines"]["best-fixed"]["curve"]
    assert [point[0] for point in curve] == sorted(point[0] for point in curve)
    assert results[0]["baselines"]["best-fixed"]["setting"] in {point[0] for point in curve}


def test_another_model_starts_anew(kept, pictures, tmp_path):
    asked = question(pictures, Targets(0.5, 0))
    other = bench.run(Question(**{**asked.__dict__, "load_predictor": lambda _: Sloped(shift=1)}))
    BITS["put"](BITS["Part"]("kodak", "kodak", ("jpeg",)), "jpeg", other, BITS["found"](other, "jpeg"))
    assert list(json.loads((tmp_path / "bits.json").read_text())["parts"]) == ["kodak"]


def test_tables_say_what_was_found(kept):
    page = TABLES["markdown"](kept)
    assert "| jpeg | SUR 0.5, SMR 0.8 |" in page
    assert "| jpeg | SUR 0.75 |" in page
    results = kept["parts"]["test, 40 pictures"]["codecs"]["jpeg"]["results"]
    assert f"{results[0]['saved_percent']['best-fixed']:.1f} % (" in page
    assert f"{results[0]['missed_percent']:.0f} %" in page
    widths = {line.count("|") for line in page.splitlines() if line.startswith("|")}
    assert widths == {len(TABLES["HEAD"]) + 1}
    assert "6 pictures of test, 40 pictures" in TABLES["short"](kept)


def test_the_reading_counts_gains_and_losses(kept):
    results = kept["parts"]["test, 40 pictures"]["codecs"]["jpeg"]["results"]
    text = TABLES["reading"](kept)
    assert "SSIMULACRA2" not in text  # was not asked
    saved = [one["saved_percent"]["best-fixed"] for one in results]
    assert f"the best single QP: as predicted {TABLES['gains'](saved)}." in text
    results.append({**results[0], "risk": 0.2, "saved_percent": {"best-fixed": 50.0}})
    again = TABLES["reading"](kept)
    assert "with a risk 1 of 1 rows are gains, from +50 % to +50 %, +50.0 % at the median." in again
    assert TABLES["gains"]([-99.0, 50.0, 2.0]).startswith(
        "2 of 3 rows are gains, from -99 % to +50 %, +2.0 %"
    )
    assert "knowing the truth of every file would save" in text


def test_a_picture_is_drawn(kept, tmp_path):
    PLOT["draw"](kept, tmp_path)
    with Image.open(tmp_path / "bits-jpeg.png") as drawn:
        assert len(drawn.convert("RGB").getcolors(1 << 20)) > 50


def test_picks_with_a_risk_stand_beside_those_without(kept, tmp_path):
    results = kept["parts"]["test, 40 pictures"]["codecs"]["jpeg"]["results"]
    PLOT["draw"](kept, tmp_path)
    without = (tmp_path / "bits-jpeg.png").read_bytes()
    held_back = {**results[0], "risk": 0.2, "n_bytes": 2 * results[0]["n_bytes"], "met_percent": 100.0}
    results.insert(1, held_back)
    page = TABLES["markdown"](kept)
    assert page.index("| jpeg | SUR 0.5, SMR 0.8 |") < page.index("| jpeg | SUR 0.5, SMR 0.8, risk 0.2 |")
    PLOT["draw"](kept, tmp_path)
    assert (tmp_path / "bits-jpeg.png").read_bytes() != without


def test_time_that_is_over_ends_it(pictures):
    with pytest.raises(BITS["OutOfTime"]):
        BITS["answered"](question(pictures, Targets(0.5, 0)), time.monotonic() - 1)


def test_all_targets_and_codecs_are_asked(monkeypatch, tmp_path):
    monkeypatch.setenv("SURSMR_DATA", str(tmp_path))
    made_by = BITS["Remembering"]("cache", "zoo")
    asked = list(BITS["questions"](BITS["PARTS"], None, made_by, 1))
    targets = {(one.targets.sur, one.targets.smr) for _, _, one in asked}
    assert len(targets) == 9
    assert {one.targets.risk for _, _, one in asked} == {None, 0.2}
    assert {codec for _, codec, _ in asked} == {"jpeg", "hevc", "vvc", "bpg"}
    assert all(one.truth == "measured" for _, _, one in asked)
    with_oracle = {part.name for part, _, one in asked if any(b.name == "oracle" for b in one.baselines)}
    assert "test, 40 pictures" in with_oracle


def test_a_kept_result_is_whole():
    for path in BENCHMARKS.glob("bits.json"):
        record = json.loads(path.read_text())
        assert re.fullmatch(r"[0-9a-f]{64}", record["model"]["sha256"])
        for part in record["parts"].values():
            for one in (one for of_codec in part["codecs"].values() for one in of_codec["results"]):
                assert one["met_percent"] + one["missed_percent"] == pytest.approx(100)
                for name, saved in one["saved_percent"].items():
                    compared = one["baselines"][name]["n_bytes_compared"]
                    assert (saved is None) == (compared is None)
                    if compared is not None:
                        assert saved == pytest.approx(100 * (1 - one["n_bytes"] / compared), abs=0.01)
