"""Damaged files do no harm: a short run, the harness itself, and the committed long run."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from sursmr_codec import codecs

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
CONTAINERS = {"jpeg", "png", "webp", "avif", "heif", "tiff", "bmp", "gif", "ppm"}


@pytest.fixture
def fuzz(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("fuzz")


@pytest.fixture
def fuzz_files(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("fuzz_files")


def test_500_damaged_files(tmp_path):
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "fuzz.py"), "--files", "500", "--seed", "500"],
        capture_output=True,
        text=True,
        timeout=600,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["findings"] == []
    assert result["n_leaked_files"] == 0
    assert sum(result["totals"].values()) == 500
    assert result["totals"]["picture"] > 50
    assert result["totals"]["refused"] > 200
    assert set(result["formats"]) == CONTAINERS | {f"decode:{name}" for name in codecs.available_ids()}
    assert list(tmp_path.iterdir()) == []


CHILD = """
import os, sys, time, tempfile
first, stop = int(sys.argv[2]), int(sys.argv[3])
for number in range(first, stop):
    print(number, "kind", flush=True)
    if number == 3:
        {does}
    print("picture", flush=True)
"""


@pytest.mark.parametrize(
    ("does", "outcome"),
    [
        ("os.abort()", "crash"),
        ("os.kill(os.getpid(), 11)", "crash"),
        ("sys.exit(0)", "crash"),
        ("time.sleep(600)", "hang"),
        ("print('foreign KeyError()', flush=True); continue", "foreign"),
    ],
)
def test_the_harness_sees_harm_and_goes_on(fuzz, monkeypatch, tmp_path, capsys, does: str, outcome: str):
    child = tmp_path / "child.py"
    child.write_text(CHILD.replace("{does}", does))
    monkeypatch.setattr(fuzz, "CHILD", child)
    monkeypatch.setattr(fuzz, "SECONDS_A_FILE", 2.0)
    tally = fuzz.run(8, seed=0)
    assert tally.by_format["kind"] == {"picture": 7, outcome: 1}
    assert [(found["file"], found["outcome"]) for found in tally.findings] == [(3, outcome)]


def test_the_harness_sees_what_is_left_behind(fuzz, monkeypatch, tmp_path, capsys):
    child = tmp_path / "child.py"
    child.write_text(CHILD.replace("{does}", "tempfile.mkstemp(prefix='left')"))
    monkeypatch.setattr(fuzz, "CHILD", child)
    (left,) = fuzz.run(5, seed=0).leaked
    assert left.startswith("left")


def test_damage_follows_from_seed_and_number(fuzz_files):
    kind = fuzz_files.Format("bmp", (bytes(range(200)) * 3, b"BM" + bytes(100)))
    copies = [fuzz_files.damaged(kind, 1, number) for number in range(200)]
    assert copies == [fuzz_files.damaged(kind, 1, number) for number in range(200)]
    assert copies != [fuzz_files.damaged(kind, 2, number) for number in range(200)]
    assert len(set(copies) - set(kind.whole)) > 180


def test_the_committed_run_is_long_and_clean():
    result = json.loads((BENCHMARKS / "fuzz.json").read_text())
    assert result["n_files"] >= 20_000
    assert sum(result["totals"].values()) == result["n_files"]
    assert {kind: result["totals"][kind] for kind in ("crash", "hang", "foreign")} == {
        "crash": 0,
        "hang": 0,
        "foreign": 0,
    }
    assert result["n_leaked_files"] == 0
    assert set(result["formats"]) == CONTAINERS | {f"decode:{name}" for name in codecs.ids()}
