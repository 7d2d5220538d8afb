"""Bounds on a result, alone and against an earlier one, and what the record and the page say."""

from __future__ import annotations

import copy
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from fake_bench import Sloped

from sursmr_codec import bench
from sursmr_codec.bench import baselines, earlier, gates, summary
from sursmr_codec.bench.gates import Bounds, parse_min_saved
from sursmr_codec.bench.question import Question
from sursmr_codec.bench.record import bench_record
from sursmr_codec.errors import UsageError
from sursmr_codec.types import Targets

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def question(pictures):
    names = ["best-fixed", "quality=75", "oracle"]
    return Question(
        str(pictures),
        targets=Targets(0.6, 0.9),
        load_predictor=lambda _: Sloped(),
        load_judge=lambda _: Sloped(shift=1, blind=(250,)),
        truth="measured",
        baselines=baselines.several(names),
    )


@pytest.fixture(scope="module")
def result(question):
    return bench.run(question)


@pytest.fixture(scope="module")
def record(result):
    return json.loads(json.dumps(bench_record(result, (), {})))


def test_record_has_the_promised_keys_and_adds_up(record):
    promised = ("schema", "version", "machine", "settings", "truth", "images", "totals", "gates")
    assert set(promised) <= set(record)
    assert record["schema"] == "sursmr-qp/bench/1"
    assert record["truth"] == "measured"
    totals = record["totals"]["jpeg"]
    assert (totals["n_images"], totals["n_unjudged"]) == (5, 1)
    picks = [image["codecs"]["jpeg"]["pick"] for image in record["images"]]
    judged = [pick for pick in picks if pick["met"] is not None]
    assert totals["n_bytes"] == sum(pick["n_bytes"] for pick in judged)
    met = sum(pick["met"] for pick in judged)
    assert totals["met_percent"] == pytest.approx(100 * met / 5)
    assert totals["met_percent"] + totals["missed_percent"] == 100
    assert totals["n_encodes_mean"] == sum(pick["n_encodes"] for pick in judged) / 5
    assert totals["shortfall_largest"] == max(pick["shortfall"] for pick in judged) > 0
    fixed = [image["codecs"]["jpeg"]["baselines"] for image in record["images"]]
    assert fixed[5] is None
    total = sum(one["quality=75"]["n_bytes"] for one in fixed[:5])
    assert totals["saved_percent"]["quality=75"] == pytest.approx(100 * (1 - totals["n_bytes"] / total))


def test_misses_are_measured_in_truth_whatever_risk_was_asked(result, record):
    targets = replace(result.question.targets, risk=0.1)
    cautious = bench_record(replace(result, question=replace(result.question, targets=targets)), (), {})
    assert cautious["totals"]["jpeg"]["shortfall_mean"] == record["totals"]["jpeg"]["shortfall_mean"] > 0
    assert cautious["images"][0]["codecs"] == record["images"][0]["codecs"]


def test_misses_of_baselines_are_measured_too(record):
    files = [image["codecs"]["jpeg"]["baselines"]["quality=75"] for image in record["images"][:5]]
    missing = [max(0.6 - file["sur"], 0.9 - file["smr"]) for file in files if not file["met"]]
    found = record["totals"]["jpeg"]["baselines"]
    assert found["quality=75"]["shortfall_mean"] == pytest.approx(sum(missing) / len(missing))
    assert found["oracle"]["shortfall_mean"] is None


def test_every_key_is_documented(record):
    documented = (ROOT / "docs" / "json.md").read_text("utf-8").partition("## `bench --json`")[2]
    image = record["images"][0]
    totals = record["totals"]["jpeg"]
    objects = [record, record["machine"], record["settings"], image, image["codecs"]["jpeg"]["pick"], totals]
    objects += [totals["baselines"]["oracle"], record["settings"]["bootstrap"], record["settings"]["judge"]]
    assert [key for keys in objects for key in keys if f"`{key}`" not in documented] == []


def test_every_bound_is_held_against_what_was_found(result):
    bounds = Bounds({"best-fixed": -1000.0, "quality=75": 1000.0}, max_missed=10.0)
    found = {gate.name: gate for gate in gates.gates(result, bounds, {})}
    assert [gate.ok for gate in found.values()] == [True, False, False]
    missed = found["max-missed jpeg"]
    assert missed.value == gates.missed_percent(result.by_codec["jpeg"])
    assert str(missed) == f"max-missed jpeg: {missed.value:.2f} %, must be at most 10 %"
    assert "at least 1000 %" in str(found["min-saved jpeg quality=75"])


def test_what_has_no_number_meets_no_bound():
    assert not gates._at_least("min-saved jpeg best-fixed", None, -1000.0).ok
    assert "not defined" in str(gates._at_least("min-saved jpeg best-fixed", None, 0.0))


def test_bounds_on_savings():
    names = ["best-fixed", "quality=75", "oracle"]
    assert parse_min_saved(["5"], names) == {"best-fixed": 5, "quality=75": 5}
    assert parse_min_saved(["5", "quality=75=-2"], names) == {"best-fixed": 5, "quality=75": -2}
    assert parse_min_saved([], names) == {}
    with pytest.raises(UsageError, match="not 'much'"):
        parse_min_saved(["much"], names)
    with pytest.raises(UsageError, match="write quality=75=PCT"):
        parse_min_saved(["quality=75"], names)
    with pytest.raises(UsageError, match="add --baseline cvvdp"):
        parse_min_saved(["cvvdp=5"], names)


def test_bounds_that_hold_nothing_are_refused():
    with pytest.raises(UsageError, match="add another --baseline"):
        parse_min_saved(["5"], ["oracle"])
    for bound in (
        {"min_saved": {"x": float("nan")}},
        {"max_missed": float("inf")},
        {"max_regression": float("nan")},
    ):
        with pytest.raises(UsageError, match="number of percent"):
            Bounds(**bound)
    for share in (-1.0, 100.5):
        with pytest.raises(UsageError, match="0 to 100 percent"):
            Bounds(max_missed=share)


@pytest.mark.parametrize(
    "damage",
    [
        lambda old: old.pop("images"),
        lambda old: old.update(images=5),
        lambda old: old["images"][0]["codecs"].update(jpeg={}),
        lambda old: old["images"][0]["codecs"]["jpeg"]["pick"].update(n_bytes=0),
        lambda old: old["images"][0]["codecs"]["jpeg"]["pick"].update(n_bytes=math.nan),
        lambda old: old["images"][0]["codecs"]["jpeg"]["pick"].update(n_bytes=-5),
        lambda old: old["images"][0]["codecs"]["jpeg"]["pick"].update(n_bytes="5"),
    ],
)
def test_a_damaged_result_is_refused(tmp_path, result, record, damage):
    old = copy.deepcopy(record)
    damage(old)
    with pytest.raises(UsageError, match="not a whole result"):
        earlier.growths(result, old, tmp_path / "old.json")


def test_growth_counts_the_images_that_both_have(tmp_path, question, result, record):
    path = tmp_path / "old.json"
    old = copy.deepcopy(record)
    picks = [image["codecs"]["jpeg"]["pick"] for image in old["images"]]
    for pick in picks:
        pick["n_bytes"] /= 2
    picks[0]["met"] = not picks[0]["met"]
    old["images"][1]["sha256"] = "other content"
    old["images"][2]["path"] = "other name"
    path.write_text(json.dumps(old))
    (growth,) = earlier.growths(result, earlier.read(path, question, "calibrated"), path).values()
    assert growth.n_images == 3
    assert growth.bytes_percent == pytest.approx(100)
    assert abs(growth.missed_points) == pytest.approx(100 / 3)
    found = gates.gates(result, Bounds(max_regression=1.0), {"jpeg": growth})
    assert [gate.name for gate in found] == ["max-regression jpeg bytes", "max-regression jpeg missed"]
    assert not found[0].ok


def test_nothing_grew_since_the_same_result(tmp_path, question, result, record):
    path = tmp_path / "old.json"
    path.write_text(json.dumps(record))
    (growth,) = earlier.growths(result, earlier.read(path, question, "calibrated"), path).values()
    assert (growth.bytes_percent, growth.missed_points, growth.n_images) == (0, 0, 5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda old: old["settings"]["targets"].update(sur=0.5), "other targets"),
        (lambda old: old["settings"].update(machines="detection"), "other machines"),
        (lambda old: old.update(truth="predicted"), "other truth"),
        (lambda old: old["settings"]["judge"].update(protocol="flicker/pixel"), "other protocol"),
        (lambda old: old["settings"]["judge"].update(protocol=None), "not a result"),
        (lambda old: old.update(schema="sursmr-qp/bench/9"), "schema"),
        (lambda old: old.pop("settings"), "not a result"),
    ],
)
def test_results_of_other_questions_are_refused(tmp_path, question, record, change, said):
    old = copy.deepcopy(record)
    change(old)
    (tmp_path / "old.json").write_text(json.dumps(old))
    with pytest.raises(UsageError, match=said):
        earlier.read(tmp_path / "old.json", question, "calibrated")


def test_results_without_a_common_image_are_refused(tmp_path, question, result, record):
    with pytest.raises(UsageError, match="in common"):
        earlier.growths(result, {**record, "images": []}, tmp_path)
    with pytest.raises(UsageError, match="No such file"):
        earlier.read(tmp_path / "absent.json", question, "calibrated")


def test_page_has_a_row_for_each_baseline_and_every_gate(result, record):
    bounds = Bounds({"best-fixed": 1000.0}, max_missed=100.0)
    found = gates.gates(result, bounds, {})
    page = summary.markdown(bench_record(result, found, {}), [str(gate) for gate in found])
    assert re.search(r"^\| jpeg \| best-fixed \| \d+ \| [\d.]+ % \|", page, re.MULTILINE)
    assert "- **not met**: min-saved jpeg best-fixed" in page
    assert "- met: max-missed jpeg" in page
    assert "1 more have no truth" in page
    assert "flatters" not in page
    widths = {line.count("|") for line in page.splitlines() if line.startswith("|")}
    assert widths == {len(summary.HEAD) + 1}


def test_the_page_says_where_picks_are_judged_by_who_made_them(record):
    believed = {**record, "truth": "predicted"}
    assert "flatters picks" in summary.markdown(believed, [])
