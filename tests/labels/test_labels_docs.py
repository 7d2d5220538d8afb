"""docs/labels.md and its pictures show the committed answers, and these are of the committed labels."""

from __future__ import annotations

import hashlib
import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
PAGE = ROOT / "docs" / "labels.md"
RESULT: dict[str, Any] = json.loads((BENCHMARKS / "labels.json").read_text())
AGAIN = "python benchmarks/labels.py models/labels --write"


def test_the_page_says_what_was_measured() -> None:
    generate = runpy.run_path(str(ROOT / "docs" / "generate_labels.py"))
    text = PAGE.read_text("utf-8")
    assert generate["render"](text) == text, "python docs/generate_labels.py"
    assert all(f"<!-- generated: {name} -->" in text for name in generate["BLOCKS"])


def test_answers_are_of_the_labels_that_ship() -> None:
    folder = ROOT / "models" / "labels"
    tables = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.parquet")}
    found = {one["file"]: one["sha256"] for one in RESULT["tables"]}
    assert found == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in tables.items()}, (
        AGAIN
    )


def test_pictures_show_the_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    plot = runpy.run_path(str(BENCHMARKS / "labels_plot.py"))
    for file, answer in plot["PLOTS"].items():
        with Image.open(BENCHMARKS / file) as picture:
            assert picture.info["Description"] == plot["digest"](RESULT[answer]), AGAIN
            assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
        assert (BENCHMARKS / file).stat().st_size < 200_000
        assert f"(../benchmarks/{file})" in PAGE.read_text("utf-8")


def test_commands_of_the_page_are_those_of_the_scripts() -> None:
    for script in ("labels", "labels_repeat"):
        first = (BENCHMARKS / f"{script}.py").read_text("utf-8").split('"""')[1]
        assert f"python benchmarks/{script}.py" in first
        assert f"python benchmarks/{script}.py" in PAGE.read_text("utf-8")


def test_labels_are_exactly_repeatable() -> None:
    found = json.loads((BENCHMARKS / "labels_repeat.json").read_text())
    assert found["n_rungs"] >= 50
    assert (found["n_rungs_that_differ"], found["columns_that_differ"]) == (0, {})
