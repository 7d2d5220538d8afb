"""The committed count of parameters and operations is that of the networks as they are."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "complexity.py"


@pytest.mark.parametrize("name", ["unified", "sur_featnet", "smr_net"])
def test_committed_count_is_current(name: str) -> None:
    script = runpy.run_path(str(SCRIPT))
    committed = json.loads(SCRIPT.with_suffix(".json").read_text())["networks"][name]
    counted = script["count"](script["NETWORKS"][name])
    assert counted == {key: committed[key] for key in counted}


def test_the_papers_model_is_near_what_was_published() -> None:
    unified = json.loads(SCRIPT.with_suffix(".json").read_text())["networks"]["unified"]
    for name, published in unified["published"].items():
        assert unified[name] == pytest.approx(published, rel=0.06)
