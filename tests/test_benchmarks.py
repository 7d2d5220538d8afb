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
