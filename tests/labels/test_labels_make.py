"""`benchmarks/labels_make.py`: the plan of the labels that ship, and tables merged from its runs."""

from __future__ import annotations

import importlib
import tomllib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from fake_panel import FakeSetup, finish, make_run
from typer.testing import CliRunner

from sursmr_codec import codecs
from sursmr_codec.cli.app import app
from sursmr_codec.labels import store
from sursmr_codec.labels.plan import Rungs

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("in_process")

RUNS = tomllib.loads((ROOT / "models" / "labels" / "plan.toml").read_text())["run"]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("labels_make")


def test_the_plan_asks_annotate_for_what_it_can_do(make: ModuleType) -> None:
    shown = CliRunner().invoke(app, ["annotate", "--help"]).output
    known = {word for word in shown.split() if word.startswith("--")}
    for run in RUNS:
        assert {one for one in make.options(run, Path()) if one.startswith("--")} <= known
        for codec in run["codec"]:
            assert set(run.get("qps", ())) <= set(codecs.get(codec).qp_range)


def test_labels_are_made_before_others_focus_on_them(make: ModuleType) -> None:
    order = list(make.tables(RUNS))
    assert sorted(place for places in make.tables(RUNS).values() for place in places) == list(
        range(len(RUNS))
    )
    for run in RUNS:
        if "focus" in run:
            assert order.index(run["focus"]) < order.index(run["table"])


def test_the_tables_that_ship_are_those_of_the_plan(make: ModuleType) -> None:
    folder = ROOT / "models" / "labels"
    assert {str(path.relative_to(folder)) for path in folder.rglob("*.parquet")} == set(make.tables(RUNS))
    for name, places in make.tables(RUNS).items():
        table = store.read_labels(folder / name)
        assert set(table["codec"].to_pylist()) == {
            codec for place in places for codec in RUNS[place]["codec"]
        }
        assert set(table["split"].to_pylist()) == {s for place in places for s in RUNS[place]["splits"]}
        found = list(zip(table["codec"].to_pylist(), table["qp"].to_pylist(), strict=True))
        for place in places:
            for codec in RUNS[place]["codec"]:
                for qp in RUNS[place].get("qps", ()):
                    assert found.count((codec, qp)) == len(set(table["image"].to_pylist())), (name, codec, qp)


def test_runs_become_one_table_that_says_what_failed(make: ModuleType, folder: Path, tmp_path: Path) -> None:
    for place, rungs in enumerate((Rungs(qps=(40,)), Rungs(qps=(60, 80)))):
        run = make_run(folder, FakeSetup(failing=("c1",)), rungs)
        finish(run, tmp_path / str(place))
    path = tmp_path / "made" / "one.parquet"
    make.merge([tmp_path / "0", tmp_path / "1"], path)
    assert sorted(store.read_labels(path)["qp"].to_pylist()) == sorted(5 * [40, 60, 80])
    assert store.read_origin(path) == run.origin
    assert {failure.what for failure in store.read_failures(path)} == {"machine c1"}


def test_runs_with_other_machines_are_not_merged(make: ModuleType, folder: Path, tmp_path: Path) -> None:
    for name in ("d1", "d2"):
        finish(replace(make_run(folder, FakeSetup()), unseen=frozenset({name})), tmp_path / name)
    with pytest.raises(SystemExit, match="other machines"):
        make.merge([tmp_path / "d1", tmp_path / "d2"], tmp_path / "one.parquet")
    assert not (tmp_path / "one.parquet").exists()
