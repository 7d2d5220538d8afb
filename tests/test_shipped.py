"""What follows a new model, and its card: steps are taken once, cards say what was found, errors included."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "models" / tomllib.loads((ROOT / "models" / "manifest.toml").read_text())["default"]


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("shipped")


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "docs")
    return importlib.import_module("card_figures")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A model, labels, and a script that appends to its result each time it is run."""
    (tmp_path / "models" / "labels").mkdir(parents=True)
    (tmp_path / "models" / "manifest.toml").write_text('default = "m"\n[models.m]\nsha256 = "new"\n')
    (tmp_path / "models" / "labels" / "train.parquet").write_text("labels")
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "count.py").write_text("open('result.json', 'a').write('1')\n")
    return tmp_path


def test_a_step_is_done_until_model_labels_command_or_file_change(
    shipped: ModuleType, checkout: Path
) -> None:
    step = shipped.Step("count", ("count.py",), ("result.json",))

    def stamps() -> Path:
        return checkout / "stamps" / shipped.subject(checkout)

    def done(one: object = step) -> bool:
        return bool(shipped.is_done(one, stamps(), checkout))

    assert not done()
    shipped.take(step, stamps(), checkout)
    assert done()
    assert (checkout / "result.json").read_text() == "1"
    assert not done(shipped.Step("count", ("count.py", "--again"), ("result.json",)))
    (checkout / "result.json").write_text("changed by hand")
    assert not done()
    shipped.take(step, stamps(), checkout)
    table = checkout / "models" / "labels" / "train.parquet"
    table.write_text("other labels")
    assert not done()
    table.write_text("labels")
    assert done()
    (checkout / "models" / "manifest.toml").write_text('default = "m"\n[models.m]\nsha256 = "newer"\n')
    assert not done()


def test_a_step_that_fails_is_named_and_not_done(shipped: ModuleType, checkout: Path) -> None:
    (checkout / "count.py").write_text("open('result.json', 'w').write('half')\nraise SystemExit(3)\n")
    step = shipped.Step("count", ("count.py",), ("result.json",))
    with pytest.raises(SystemExit, match="count failed"):
        shipped.take(step, checkout / "stamps", checkout)
    assert not shipped.is_done(step, checkout / "stamps", checkout)


def test_results_of_an_earlier_model_are_named_at_any_depth(shipped: ModuleType, checkout: Path) -> None:
    for name, record in {
        "old": {"parts": [{"model": {"id": "m", "sha256": "old"}}]},
        "new": {"model": {"id": "m", "sha256": "new"}},
        "none": {"model": "any", "n": 3},
    }.items():
        (checkout / "benchmarks" / f"{name}.json").write_text(json.dumps(record))
    assert shipped.outdated(checkout) == ["old.json"]


def test_every_step_is_a_script_that_takes_its_options(shipped: ModuleType) -> None:
    found = shipped.steps(Path("pictures"), Path("zoo"), 8, Path("cache"))
    made = [name for step in found for name in step.makes]
    assert len(made) == len(set(made))
    assert {f"{MODEL.relative_to(ROOT)}/{name}.json" for name in ("risk", "novelty", "start")} < set(made)
    for step in found:
        told = subprocess.run(
            [sys.executable, ROOT / step.command[0], "--help"], capture_output=True, text=True
        )
        options = [one for one in step.command if one.startswith("--")]
        assert all(f"{option} " in told.stdout or f"{option}]" in told.stdout for option in options), (
            step.name
        )


def test_training_goes_on_and_is_finished_once_for_labels_and_configuration(
    shipped: ModuleType, checkout: Path
) -> None:
    config, run = checkout / "config.toml", checkout / "run"
    config.write_text("seed = 0")
    training, shipping = shipped.train(config, Path("pictures"), run)
    assert training.command[-1] == "--resume"
    assert shipping.command[1:] == ("--ship", str(run / "model"))

    (run / "model").mkdir(parents=True)
    (checkout / "train.py").write_text("".join(f"open({one!r}, 'w')\n" for one in training.makes))
    training = replace(training, command=("train.py",))

    def done() -> bool:
        return bool(shipped.is_done(training, checkout / shipped.learned(config, checkout), checkout))

    shipped.take(training, checkout / shipped.learned(config, checkout), checkout)
    assert done()
    (checkout / "models" / "labels" / "train.parquet").write_text("other labels")
    assert not done()
    (checkout / "models" / "labels" / "train.parquet").write_text("labels")
    config.write_text("seed = 1")
    assert not done()
    config.write_text("seed = 0")
    assert done()
    Path(training.makes[0]).write_text("another model")
    assert not done()


def test_every_worst_picture_was_looked_at_and_no_other_is_told_of(figures: ModuleType) -> None:
    worst = json.loads((ROOT / "benchmarks" / "worst.json").read_text())
    assert len(worst["pictures"]) == 10
    assert figures.unexplained(MODEL, worst) == []
    for told in tomllib.loads((MODEL / figures.EXPLAINED).read_text()).values():
        assert set(told) == {"shows", "why"}
        assert min(map(len, told.values())) > 20


def test_the_card_shows_its_plots(figures: ModuleType, tmp_path: Path) -> None:
    card = (MODEL / "card.md").read_text()
    reliable, curve = (
        json.loads((ROOT / "benchmarks" / f"{name}.json").read_text())
        for name in ("reliability", "learning_curve")
    )
    figures.draw(tmp_path, reliable, curve)
    for name in (figures.RELIABILITY, figures.LEARNING):
        assert f"]({name})" in card
        assert (MODEL / name).stat().st_size > 5000
        assert (tmp_path / name).stat().st_size > 5000


def test_bins_agree_with_the_errors_of_the_model(figures: ModuleType) -> None:
    reliable = json.loads((ROOT / "benchmarks" / "reliability.json").read_text())
    measured = json.loads((ROOT / "benchmarks" / "model.json").read_text())
    for one in reliable["ratios"]:
        assert sum(row["n_rungs"] for row in one["bins"]) == one["n_rungs"]
        mae = measured["fits"]["model"]["ratios"][one["ratio"]]["mae_by_codec"][one["codec"]]
        assert abs(one["bias"]) <= one["gap"] + 1e-3
        assert one["gap"] <= mae + 1e-3


def test_costs_are_renewed_for_the_same_model_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    script = importlib.import_module("model")
    summary = SimpleNamespace(sha256="own")
    monkeypatch.setattr(script, "_cost", lambda _: (SimpleNamespace(summary=lambda: summary), {"load": 2}))
    earlier = {"model": {"sha256": "own"}, "fits": {"kept": 1}, "cost": {"load": 1}}
    assert script.with_cost(earlier, None) == {**earlier, "cost": {"load": 2}}
    with pytest.raises(SystemExit, match="another model"):
        script.with_cost({**earlier, "model": {"sha256": "other"}}, None)


def test_margins_are_told_by_kind_and_risk_whatever_the_codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs")
    tables = importlib.import_module("risk_tables")
    found = [("smr", 0.1, "vvc"), ("sur", 0.05, "jpeg"), ("smr", 0.1, "bpg"), ("smr", 0.05, "hevc")]
    assert tables.grouped(found) == "smr at 0.05: hevc; smr at 0.1: bpg, vvc; sur at 0.05: jpeg"
    assert tables.grouped([]) == ""


@pytest.mark.parametrize(
    ("codecs", "said"),
    [(["a"], "knows `a`;"), (["a", "b"], "`a` and `b`;"), (["a", "b", "c"], "`a`, `b` and `c`;")],
)
def test_the_card_lists_any_number_of_codecs(figures: ModuleType, codecs: list[str], said: str) -> None:
    parts = importlib.import_module("card_parts")
    assert said in parts.limits({"codecs": codecs})


def test_other_pictures_stand_beside_like_rungs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    model = importlib.import_module("model")

    def rungs(*kinds: tuple[str, int]) -> SimpleNamespace:
        return SimpleNamespace(codecs=[one for one, _ in kinds], qps=np.array([qp for _, qp in kinds]))

    test = rungs(("jpeg", 1), ("jpeg", 28), ("vvc", 28), ("hevc", 17), ("hevc", 28))
    others = rungs(("jpeg", 28), ("hevc", 17), ("hevc", 31))
    assert model.like(test, others).tolist() == [False, True, False, True, False]


def test_a_card_of_another_models_results_is_refused(tmp_path: Path) -> None:
    code = "import model_card; model_card.results('another')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "docs", capture_output=True, text=True)
    assert done.returncode == 1
    assert "model.json is not of the default model: run benchmarks/shipped.py" in done.stderr
