"""The guides to batches say what the program does, and figures are those that were measured."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

from fake_batch import FakeLoad

from sursmr_codec import predict
from sursmr_codec.batch import engines, status
from sursmr_codec.batch.folder_targets import FILE, KEYS
from sursmr_codec.batch.outcome import EXTRA_KEYS, STATUSES

ROOT = Path(__file__).resolve().parent.parent.parent
GUIDE = (ROOT / "docs" / "batch.md").read_text()
JSON = (ROOT / "docs" / "json.md").read_text()
RESULT = json.loads((ROOT / "benchmarks" / "batch.json").read_text())


def test_every_engine_status_and_file_is_in_the_guide():
    for name in (*engines.ids(), *STATUSES, FILE):
        assert f"`{name}`" in GUIDE
    assert {"sur", "smr"} <= set(KEYS)


def test_every_key_is_documented():
    for key in (*EXTRA_KEYS, *status.RunStatus.__dataclass_fields__):
        assert f"`{key}`" in JSON
    assert status.SCHEMA in JSON


def test_the_example_runs(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(predict, "load", lambda *_, threads, **__: FakeLoad()(threads))
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    folder.rename(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    # In this process, which has the fake predictor.
    exec(
        compile(code.replace("recursive=True", "recursive=True, engine='serial'"), "guide", "exec"),
        {"__name__": "__main__"},
    )
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 18
    assert printed[0].startswith("0000.png done ")


def test_figures_are_those_that_were_measured():
    document = ROOT / "docs" / "scale.md"
    generate = runpy.run_path(str(ROOT / "docs" / "generate_scale.py"))
    assert generate["render"](document.read_text()) == document.read_text()


def test_measured_parts_keep_their_bounds():
    parts, bounds = RESULT["parts"], RESULT["bounds"]
    for name in ("driver_bytes", "growth_bytes", "journal_ms_mean", "seconds_to_first_result"):
        assert parts["scale"][name] <= bounds[name]
    assert parts["scale"]["n_pictures"] >= 20_000
    assert sum(parts["kills"]["kills"].values()) >= bounds["kills"]
    if "throughput" in parts:
        assert parts["throughput"]["speedup"] >= bounds["speedup"]
