"""`--machines`: one task's ratio is what is aimed at, reported and named, or else said to be lacking."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_model import TINY, make_model
from typer.testing import CliRunner, Result

from sursmr_codec.cli.app import app
from sursmr_codec.errors import UsageError
from sursmr_codec.labels.smr import Ratios
from sursmr_codec.predict.measured import Measured
from sursmr_codec.predict.voting import Voting


@pytest.fixture(scope="module")
def without_tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that predicts SUR and SMR, and no task's own SMR."""
    folder = tmp_path_factory.mktemp("models") / "whole"
    return make_model(folder, replace(TINY, ratios=("sur", "smr")))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    coarse = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(np.kron(coarse, np.ones((8, 8, 1), np.uint8))).save(tmp_path / "photos" / "a.png")
    return tmp_path / "photos" / "a.png"


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="sursmr-qp")


def record(*arguments: object) -> Any:
    result = invoke(*arguments, "--json", "--quiet")
    assert result.exit_code in (0, 3), result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("task", ["classification", "detection"])
def test_targets_and_binding_are_of_the_task(model: Path, photo: Path, task: str) -> None:
    options = ("--model", model, "--machines", task)
    curve = record("curve", photo, *options, "--step", 10)
    assert curve["machines"] == task
    ratios = [rung[f"smr_{task}"] for rung in curve["rungs"]]
    assert [rung["smr"] for rung in curve["rungs"]] == ratios
    whole = record("curve", photo, "--model", model, "--step", 10)["rungs"]
    assert [rung[f"smr_{task}"] for rung in whole] == ratios != [rung["smr"] for rung in whole]
    # A target between what the rungs reach is met by some of them, and by the task's ratio alone.
    target = (min(ratios) + max(ratios)) / 2
    picked = record("pick", photo, *options, "--sur", 0, "--smr", target, "--search", "exhaustive")
    assert (picked["machines"], picked["targets"]["smr"]) == (task, pytest.approx(target))
    meeting = [probe["qp"] for probe in picked["probes"] if probe[f"smr_{task}"] >= target]
    assert picked["qp"] == max(meeting)
    assert picked["smr"] == picked[f"smr_{task}"] >= target
    assert picked["binding"] == ("range" if max(meeting) == 100 else "smr")
    (scored,) = record("score", photo, photo, *options)
    assert scored["smr"] == scored[f"smr_{task}"]


def test_every_command_says_that_a_model_lacks_the_task(
    without_tasks: Path, photo: Path, tmp_path: Path
) -> None:
    for command in (
        ("pick", photo),
        ("curve", photo),
        ("score", photo, photo),
        ("batch", photo.parent, "-o", tmp_path / "out", "--engine", "serial"),
        ("bench", photo.parent, "--jobs", "1"),
    ):
        result = invoke(*command, "--model", without_tasks, "--machines", "detection")
        assert result.exit_code == 2, (command, result.stderr)
        assert "model whole does not predict SMR over machines of detection alone" in result.stderr, command
        assert result.stdout == ""
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").rglob("*.jpg"))


class _Row:
    def __init__(self, task: str) -> None:
        self.task = task


def test_a_zoo_needs_three_machines_of_the_task() -> None:
    voting = object.__new__(Voting)
    voting._rows = {f"c{i}": _Row("classification") for i in range(3)} | {"d0": _Row("detection")}
    measured = object.__new__(Measured)
    measured._voting = voting
    measured.check_jury("all")
    measured.check_jury("classification")
    with pytest.raises(UsageError, match="needs at least 3 of them, and the zoo has 1; take --machines all"):
        measured.check_jury("detection")
    # Who measures viewers alone may ask for any.
    measured._voting = None
    measured.check_jury("detection")


def test_the_measuring_predictor_aims_at_the_task(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Machines:
        digest = "0"

        def check_task(self, task: str) -> None: ...

        def look(self, rgb: Any) -> dict[str, Any]:
            return {}

        def votes(self, original: Any, compressed: Any) -> dict[str, bool | None]:
            return {}

        def ratios(self, votes: Any) -> Ratios:
            return Ratios(0.9, 0.6, 0.3, None, None, None, None, 5)

        def warnings(self, original: Any) -> tuple[str, ...]:
            return ()

    monkeypatch.setattr("sursmr_codec.predict.measured._load_voting", lambda zoo, threads: Machines())
    for task, ratio in (("all", 0.9), ("classification", 0.6), ("detection", 0.3)):
        found = record(
            *("pick", photo, "--predictor", "measured", "--zoo", "x", "--machines", task),
            *("--sur", 0, "--smr", 0.5, "--min-qp", 50, "--max-qp", 51),
        )
        assert (found["machines"], found["met"]) == (task, ratio >= 0.5)
        assert {probe["smr"] for probe in found["probes"]} == {ratio}
        assert found["binding"] == ("range" if ratio >= 0.5 else "smr")
