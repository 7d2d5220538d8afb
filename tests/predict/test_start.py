"""The start of a search: what is fitted is found again, and files of other models are left alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_model import TINY, make_model

from sursmr_codec.asked import Targets
from sursmr_codec.errors import UsageError
from sursmr_codec.network import fidelity
from sursmr_codec.predict import start as starts
from sursmr_codec.predict import weights
from sursmr_codec.predict.start import N_MAPS, POWERS, Axis, Start, numbers_of, read
from sursmr_codec.predict.trained import Trained
from sursmr_codec.training.starting import Ridge, RungRatios, fit
from sursmr_codec.types import Source

AXES = {"jpeg": Axis(1, np.linspace(0, 1, 100)), "hevc": Axis(0, np.linspace(0, 1, 52))}


def falling(middles: np.ndarray, qps: np.ndarray, slope: float) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(slope * (qps - middles)))


def test_curves_that_follow_the_numbers_are_found_again() -> None:
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(400, 6))
    middles = 50.0 + 8.0 * numbers[:, 0] - 5.0 * numbers[:, 3]
    pictures = np.repeat(np.arange(400), 3)
    qps = generator.integers(1, 101, len(pictures))
    rungs = RungRatios(pictures, qps, {"sur": falling(middles[pictures], qps, 0.1)})
    start = fit(numbers, {"jpeg": rungs}, AXES)
    for row in range(20):
        expected = middles[row] - np.log(0.75 / 0.25) / 0.1
        assert start.qp(numbers[row], "jpeg", Targets(0.75, 0.0)) == pytest.approx(expected, abs=2.5)


def test_curves_follow_the_numbers_as_freely_as_is_asked() -> None:
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(400, 6))
    middles = 50.0 + 8.0 * numbers[:, 0] - 5.0 * numbers[:, 3]
    pictures, qps = np.repeat(np.arange(400), 3), generator.integers(1, 101, 1200)
    rungs = RungRatios(pictures, qps, {"sur": falling(middles[pictures], qps, 0.1)})

    def error(ridge: Ridge) -> float:
        start = fit(numbers, {"jpeg": rungs}, AXES, ridge)
        expected = middles - np.log(0.75 / 0.25) / 0.1
        found = [start.qp(row, "jpeg", Targets(0.75, 0.0)) for row in numbers]
        return float(np.abs(np.array(found) - expected).mean())

    free = error(Ridge(6, 1.0))
    assert free < 1.5
    assert error(Ridge(1, 1.0)) > 2 * free
    assert error(Ridge(6, 1e4)) > 2 * free


def flat(level: float, ratio: str = "sur") -> Start:
    """Log-odds that fall from `level` by 10 over the range, whatever the picture."""
    weights_ = np.zeros((POWERS, 3))
    weights_[0, -1], weights_[1, -1] = level, -10.0
    return Start(np.zeros(2), {("jpeg", ratio): weights_}, AXES)


def test_the_start_is_the_last_rung_before_the_first_that_fails() -> None:
    numbers = np.ones(2)
    assert flat(5.0).qp(numbers, "jpeg", Targets(0.5, 0.0)) == 50
    assert flat(-5.0).qp(numbers, "jpeg", Targets(0.5, 0.0)) == 1
    assert flat(50.0).qp(numbers, "jpeg", Targets(0.5, 0.0)) == 100
    assert flat(5.0).qp(numbers, "jpeg", Targets(0.0, 0.0)) == 100
    # A parabola that rises again does not count.
    start = flat(5.0)
    start.curves["jpeg", "sur"][:, -1] = (5.0, -40.0, 40.0)
    assert start.qp(numbers, "jpeg", Targets(0.5, 0.0)) == 15


def test_without_curves_there_is_no_start() -> None:
    numbers = np.ones(2)
    assert flat(5.0).qp(numbers, "webp", Targets(0.5, 0.0)) is None
    assert flat(5.0).qp(numbers, "jpeg", Targets(0.5, 0.5)) is None


def test_numbers_are_means_and_local_variances() -> None:
    generator = np.random.default_rng(0)
    maps = generator.random((1, 3, 9, 4, 4), dtype=np.float32)
    layer, logits = generator.random((1, 3, 2, 4, 4), dtype=np.float32), np.zeros((1, 3, 10), np.float32)
    found = numbers_of([layer, logits, maps], 1, 100)
    assert found.shape == (1 + 2 * 2 + 2 * 6,)
    assert found[0] == pytest.approx(np.log(100))
    np.testing.assert_allclose(found[1:3], layer[0, 0].mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(found[3:5], layer[0, 1:].mean(axis=(0, 2, 3)), rtol=1e-5)
    variances = np.maximum(maps[0, 0, 6:] - maps[0, 0, 3:6] ** 2, 0) + 1e-6
    np.testing.assert_allclose(found[5:8], np.log(variances.mean(axis=(1, 2))), rtol=1e-5)
    assert N_MAPS == fidelity.N_SCALES == len(fidelity.Fidelity(32).embed(torch.zeros(1, 3, 32, 32)))


def test_a_model_starts_where_its_file_says(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", TINY)
    rgb = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    without = Trained(folder)
    embedding = without.embed(Source.from_array(rgb))
    assert without.start(embedding, "jpeg", Targets(0.5, 0.0)) is None
    assert without.expected(embedding, "jpeg") == {}
    n = len(without.numbers(embedding))
    row = [[0.0] * n + [value] for value in (5.0, -10.0, 0.0)]
    stored = {
        "schema": starts.SCHEMA,
        "model": {"id": "model", "sha256": without.summary().sha256},
        "axes": {"jpeg": {"low": 1, "places": np.linspace(0, 1, 100).tolist()}},
        "mean": [0.0] * n,
        "curves": [{"codec": "jpeg", "ratio": "sur", "weights": row}],
    }
    path = folder / weights.START
    path.write_text(json.dumps(stored))
    assert Trained(folder).start(embedding, "jpeg", Targets(0.5, 0.0)) == 50
    curves = Trained(folder).expected(embedding, "jpeg")
    assert list(curves) == ["sur"]
    np.testing.assert_allclose(curves["sur"], np.linspace(5, -5, 100), atol=1e-9)
    assert Trained(folder).expected(embedding, "webp") == {}
    path.write_text(json.dumps(stored | {"model": {"id": "model", "sha256": "0"}}))
    assert Trained(folder).start(embedding, "jpeg", Targets(0.5, 0.0)) is None
    path.write_text(json.dumps(stored | {"mean": [0.0]}))
    with pytest.raises(UsageError, match=r"start\.json holds no start"):
        read(path, without.summary().sha256 or "")
