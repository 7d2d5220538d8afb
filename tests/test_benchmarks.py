"""Committed benchmark results: each comes from a script, and keeps its own bounds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.mark.parametrize("result", sorted(BENCHMARKS.glob("*.json")), ids=lambda path: path.stem)
def test_every_result_has_its_script_and_schema(result):
    assert result.with_suffix(".py").exists()
    assert json.loads(result.read_text())["schema"].startswith("sursmr-qp/")


def test_starting_stays_within_its_bounds():
    answers = json.loads((BENCHMARKS / "startup.json").read_text())["answers"]
    assert set(answers) == {"help", "pick_imports"}
    for answer in answers.values():
        assert answer["ratio"] <= answer["bound"]
