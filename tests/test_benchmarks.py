"""Committed benchmark results: each comes from a script, and keeps its own bounds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sursmr_codec import codecs

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.mark.parametrize("result", sorted(BENCHMARKS.glob("*.json")), ids=lambda path: path.stem)
def test_every_result_has_its_script_and_schema(result):
    assert result.with_suffix(".py").exists()
    assert json.loads(result.read_text())["schema"].startswith("sursmr-qp/")


def test_sizes_wobble_no_more_than_codecs_state():
    measured = json.loads((BENCHMARKS / "wobble.json").read_text())["codecs"]
    assert list(measured) == list(codecs.ids())
    for codec_id, found in measured.items():
        assert found["wobble"] == codecs.codec_class(codec_id).wobble
        assert found["largest_growth"] <= found["wobble"]
        assert found["largest_growth"] == max(one["largest_growth"] for one in found["pictures"].values())


def test_starting_stays_within_its_bounds():
    answers = json.loads((BENCHMARKS / "startup.json").read_text())["answers"]
    assert set(answers) == {"help", "pick_imports"}
    for answer in answers.values():
        assert answer["ratio"] <= answer["bound"]


def test_a_report_opens_within_its_bound():
    result = json.loads((BENCHMARKS / "report.json").read_text())
    assert result["n_images"] >= 1000
    assert result["seconds"]["open"]["median"] <= result["bound_seconds"] == 3.0


def test_a_jpeg_pick_of_100_megapixels_stays_within_its_memory():
    picks = json.loads((BENCHMARKS / "large.json").read_text())["picks"]
    assert {row["format"] for row in picks if row["width"] * row["height"] >= 1e8} == {"jpg", "png"}
    for row in picks:
        assert row["bound_bytes"] == 12 * row["width"] * row["height"] + 500_000_000
        assert row["peak_bytes"] <= row["bound_bytes"]


def test_every_codec_was_asked_for_large_pictures():
    rungs = json.loads((BENCHMARKS / "large.json").read_text())["rungs"]
    assert {row["codec"] for row in rungs} == set(codecs.ids())
    for row in rungs:
        assert row["psnr_db"] > 25
    for codec_id in codecs.ids():
        assert max(row["width"] * row["height"] for row in rungs if row["codec"] == codec_id) >= 1e8


def test_time_goes_into_encoding_decoding_and_scoring():
    times = json.loads((BENCHMARKS / "large.json").read_text())["times"]
    assert {round(row["width"] * row["height"] / 1e6, 1) for row in times} == {0.4, 2.0, 12.0, 50.0}
    for row in times:
        stages = row["ratios"]
        assert sum(stages[name] for name in ("read", "encode", "decode", "predict")) <= stages["total"] * 1.01


def test_codecs_are_compared_on_the_same_pictures():
    result = json.loads((BENCHMARKS / "codecs.json").read_text())
    settings = result["settings"]
    assert {row["codec"] for row in settings} == set(codecs.ids())
    assert settings[0] | {"name": "jpeg", "bytes_ratio": 1.0, "encode_ratio": 1.0} == settings[0]
    for row in settings:
        assert row["bytes_ratio_lowest"] <= row["bytes_ratio"] <= row["bytes_ratio_highest"]
        assert row["fingerprint"].startswith(f"{row['codec']} ")
    for picture in result["pictures"]:
        assert not picture["name"].startswith(("test/", "kodak/", "train/"))
        assert set(picture["settings"]) == {row["name"] for row in settings}
        for found in picture["settings"].values():
            assert not found["met"] or found["sur"] >= result["target_sur"]
