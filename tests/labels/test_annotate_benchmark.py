"""`benchmarks/annotate.py`: what it measures of a panel that costs nothing, and the bounds of its result."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from fake_panel import FakeSetup, make_pictures

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import annotate_memory  # noqa: E402


@pytest.mark.skipif(not annotate_memory.STATUS.is_file(), reason="memory is read from Linux's /proc")
def test_memory_of_a_worker_grows_with_the_picture(tmp_path: Path) -> None:
    make_pictures(tmp_path, 1)
    small, large = annotate_memory.peaks(tmp_path / "train" / "000.png", FakeSetup(), (0.05, 2.0))
    assert (small["megapixels"], large["megapixels"]) == (0.05, 2.0)
    for one in (small, large):
        assert 10e6 < one["loaded_bytes"] <= one["peak_bytes"] < 2e9  # type: ignore[operator]
        assert 1e6 < one["shared_bytes"] < one["peak_bytes"]  # type: ignore[operator]
    # Source, rung and the encoder's planes: some 10 bytes a pixel at the very least.
    assert large["peak_bytes"] - small["peak_bytes"] > 20e6  # type: ignore[operator]


def test_a_worker_that_fails_is_no_result(tmp_path: Path) -> None:
    make_pictures(tmp_path, 1)
    with pytest.raises(SystemExit):
        annotate_memory.peaks(tmp_path / "train" / "000.png", FakeSetup(failing=("c1",)), (0.05,))


def test_the_committed_result_keeps_its_bounds() -> None:
    found = json.loads((BENCHMARKS / "annotate.json").read_text())
    assert [run["jobs"] for run in found["runs"]] == [1, 2]
    for run in found["runs"]:
        assert set(run["stage_share"]) >= {"machines", "cvvdp", "ssimulacra2", "encode", "decode"}
        assert sum(run["stage_share"].values()) == pytest.approx(1.0, abs=0.01)
    assert found["speedup"] >= found["bounds"]["speedup"] == 1.8
    own = [one["peak_bytes"] - one["shared_bytes"] for one in found["workers"]]
    assert max(own) <= found["bounds"]["worker_bytes"] == 2.5 * 2**30
