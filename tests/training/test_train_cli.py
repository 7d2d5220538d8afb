"""`sursmr-qp train`: from labels to a model that ONNX Runtime runs, and what it says when it cannot."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny_labels import QPS, Labelled
from typer.testing import CliRunner, Result

from sursmr_codec import codecs, images
from sursmr_codec.cli.app import app
from sursmr_codec.ladder import Ladder
from sursmr_codec.network.build import load
from sursmr_codec.network.views import views
from sursmr_codec.predict.onnx import OnnxNetwork
from sursmr_codec.training import run as running
from sursmr_codec.training.export import Exported

TINY = Path(__file__).resolve().parents[2] / "models" / "configs" / "tiny.toml"


@pytest.fixture
def run(labelled: Labelled) -> Callable[..., Result]:
    """Run `sursmr-qp train` on the tiny labels."""

    def run_cli(config: Path, *arguments: object) -> Result:
        given = ["train", config, "--data", labelled.images, "--labels", labelled.labels, *arguments]
        return CliRunner().invoke(app, [str(argument) for argument in given], prog_name="sursmr-qp")

    return run_cli


def test_labels_become_a_model(run: Callable[..., Result], labelled: Labelled, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(TINY, "--out", out, "--jobs", 1)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert " ".join(lines[0].split()) == "split ratio rungs MAE MAE of codec and QP SROCC PLCC"
    assert [line.split()[:3] for line in lines[1:]] == [
        ["val", "sur", "12"],
        ["val", "smr", "6"],
        ["test", "sur", "12"],
        ["test", "smr", "6"],
    ]
    assert result.stderr.splitlines()[-1] == f"model: {out / 'model'}"
    assert "train: epoch 2 of 2 done" in result.stderr

    model = out / "model"
    assert {path.name for path in model.iterdir()} == {*("model.onnx", "model.safetensors", "metrics.json")}
    metrics = json.loads((model / "metrics.json").read_text())
    assert metrics["schema"] == "sursmr-qp/metrics/1"
    assert metrics["n_rungs"] == {"train": 36, "val": 12, "test": 12}
    assert set(metrics["splits"]["test"]) == {"model", "codec_and_qp"}
    assert metrics["onnx_largest_difference"] <= 1e-3

    # The metrics can be had again from the files alone.
    graph = OnnxNetwork(model / "model.onnx")
    config = load(model / "model.safetensors").config
    assert graph.config == config
    errors = []
    for image in ("test/0.png", "test/1.png"):
        source = images.read(labelled.images / image)
        ladder = Ladder(source, codecs.get("jpeg"))
        rungs = np.stack([views(ladder[qp].decoded, config.size, config.n_crops) for qp in QPS])
        seen = graph.embed(views(source.rgb, config.size, config.n_crops)[None])
        ratios = graph.compare(seen, rungs)["ratios"]
        truth = [row.sur for row in labelled.rows if row.image == image]
        errors.append(np.abs(ratios[:, config.ratios.index("sur")] - truth).mean())
    said = metrics["splits"]["test"]["model"]["ratios"]["sur"]["mae"]
    assert np.mean(errors) == pytest.approx(said, abs=1e-3)


@pytest.fixture
def without_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    """Export in no time, and nothing of use."""

    def export(_: object, folder: Path) -> Exported:
        folder.mkdir(exist_ok=True)
        return Exported(folder / "model.onnx", folder / "model.safetensors", 0.0)

    monkeypatch.setattr(running, "export", export)


@pytest.mark.usefixtures("without_onnx")
def test_a_run_is_only_taken_up_when_asked(run: Callable[..., Result], tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run(TINY, "--out", out, "--resume")
    assert first.exit_code == 0, first.stderr
    metrics = (out / "model" / "metrics.json").read_bytes()
    again = run(TINY, "--out", out)
    assert again.exit_code == 2
    assert "give --resume" in again.stderr
    resumed = run(TINY, "--out", out, "--resume", "--quiet")
    assert (resumed.exit_code, resumed.stdout) == (0, first.stdout)
    assert resumed.stderr.splitlines() == [f"model: {out / 'model'}"]
    assert (out / "model" / "metrics.json").read_bytes() == metrics


@pytest.mark.parametrize("library", ["torch", "timm", "safetensors", "onnx", "onnxscript"])
def test_a_missing_library_is_named_before_anything_else(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    result = run(TINY, "--out", tmp_path / "out")
    assert result.exit_code == 5
    assert result.stderr == f"error: training needs {library}: pip install 'sursmr-qp[torch]'\n"
    assert not (tmp_path / "out").exists()


def test_what_is_wrong_is_said_in_one_line(
    run: Callable[..., Result], labelled: Labelled, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(TINY.read_text() + "epoch = 1\n")
    for arguments, exit_code, message in (
        ((bad,), 2, "unknown key stage[1].epoch"),
        ((tmp_path / "none.toml",), 2, "cannot be read"),
        ((TINY, "--labels", tmp_path / "none.parquet"), 2, "no table of labels"),
        ((TINY, "--labels", labelled.labels), 2, "is there twice"),
        ((TINY, "--data", tmp_path / "none"), 2, "no folder of images"),
        ((TINY, "--data", tmp_path), 4, "no such file"),
        ((TINY, "--jobs", "0"), 2, "jobs"),
    ):
        result = run(*arguments, "--out", tmp_path / "out", "--quiet")
        assert result.exit_code == exit_code, (arguments, result.stderr)
        assert message in result.stderr
        assert result.stdout == ""
        assert not (tmp_path / "out" / "run.json").exists()


def test_labels_without_a_split_to_learn_from(run: Callable[..., Result], tmp_path: Path) -> None:
    config = tmp_path / "other.toml"
    config.write_text(TINY.read_text() + '[data]\ntrain = "other"\n')
    result = run(config, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "no rungs of split 'other', but of 'test', 'train', 'val': label pictures in" in result.stderr


@pytest.mark.usefixtures("without_onnx")
def test_no_split_to_judge_by_is_no_hindrance(run: Callable[..., Result], tmp_path: Path) -> None:
    config = tmp_path / "other.toml"
    config.write_text(TINY.read_text() + '[data]\nvalidation = "a"\ntest = "b"\n')
    result = run(config, "--out", tmp_path / "out", "--quiet")
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout.splitlines()) == 1
    assert json.loads((tmp_path / "out" / "model" / "metrics.json").read_text())["splits"] == {}
