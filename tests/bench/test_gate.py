"""No change may cost bytes: picks of today against the committed bounds."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from sursmr_codec.predict import weights

ROOT = Path(__file__).resolve().parent.parent.parent
GATE = runpy.run_path(str(ROOT / "benchmarks" / "gate.py"))
COMMITTED = json.loads((ROOT / "benchmarks" / "gate.json").read_text())


def held(name: str, folder: Path, limit: int | None) -> dict[str, bool]:
    found, _ = GATE["measure"](folder, limit)
    assert found["n_images"] == COMMITTED["folders"][name]["n_images"]
    return {str(gate): gate.ok for gate in GATE["gates"](name, found, COMMITTED["folders"][name])}


def test_picks_of_the_example_photographs_have_not_grown():
    outcome = held("examples", GATE["EXAMPLES"], None)
    assert all(outcome.values()), outcome


def test_picks_of_the_test_pictures_have_not_grown(shared_data):
    outcome = held("test", shared_data / "images" / "test", GATE["N_TEST"])
    assert all(outcome.values()), outcome


def test_bounds_were_set_with_the_default_model():
    default = weights.find()
    assert COMMITTED["model"] == {"id": default.id, "sha256": default.sha256}, (
        "another model is the default now: SURSMR_DATA=... python benchmarks/gate.py --write"
    )


@pytest.mark.parametrize(
    ("n_bytes", "missed", "ok"),
    [(1010, 5.0, [True, True]), (1011, 5.0, [False, True]), (500, 5.1, [True, False])],
)
def test_growth_and_misses_are_bounded(n_bytes, missed, ok):
    gates = GATE["gates"](
        "x", {"n_bytes": n_bytes, "missed_percent": missed}, {"n_bytes": 1000, "missed_percent": 5.0}
    )
    assert [gate.ok for gate in gates] == ok
