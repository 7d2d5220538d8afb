"""How unlike its training pictures a source is, by a model's own `novelty.json`."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sursmr_codec import images
from sursmr_codec.errors import UsageError
from sursmr_codec.network.views import views
from sursmr_codec.predict import load, novelty, weights
from sursmr_codec.predict.novelty import N_STATISTICS, N_VIEWS, Novelty, fit, statistics
from sursmr_codec.predict.trained import Trained, TrainedEmbedding
from sursmr_codec.types import Source

ROOT = Path(__file__).resolve().parents[2]


def of(seed: int, size: int = 32) -> np.ndarray:
    """Statistics of smooth noise."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    return statistics(views(np.kron(coarse, np.ones((8, 8, 1), np.uint8)), size, 1))


def test_statistics_are_finite_numbers_of_whole_and_middle() -> None:
    for rgb in (np.zeros((40, 50, 3), np.uint8), np.full((1, 1, 3), 255, np.uint8)):
        found = statistics(views(rgb, 32, 1))
        assert found.shape == (N_VIEWS * N_STATISTICS,)
        assert np.isfinite(found).all()
    assert statistics(views(rgb, 32, 4)).shape == found.shape


def test_distance_is_that_of_mahalanobis_in_units_of_how_far_is_far() -> None:
    generator = np.random.default_rng(0)
    training = generator.normal(3.0, [1.0, 10.0], (4000, 2))
    found = fit(training, training, 0.98)
    far = np.sqrt(-2.0 * np.log(0.02) / (1.0 + novelty.SHRINKAGE))
    expected = 2.0 / np.sqrt(1.0 + novelty.SHRINKAGE) / far
    for point in ([5.0, 3.0], [3.0, 23.0]):
        assert found.distance(np.array(point)) == pytest.approx(expected, rel=0.05)
    beyond = np.mean([found.distance(one) > 1.0 for one in training])
    assert beyond == pytest.approx(0.02, abs=0.002)


@given(offset=st.lists(st.floats(-5, 5), min_size=3, max_size=3), further=st.floats(1.0, 10.0))
def test_further_away_is_further(offset: list[float], further: float) -> None:
    training = np.random.default_rng(1).normal(size=(50, 3))
    found = fit(training, training, 0.9)
    near = found.distance(found.mean + np.array(offset))
    assert found.distance(found.mean + further * np.array(offset)) == pytest.approx(further * near)


def test_a_model_warns_of_what_is_far(model: Path, tmp_path: Path) -> None:
    own = shutil.copytree(model, tmp_path / "tiny")
    grey = Source.from_array(np.full((96, 96, 3), 90, np.uint8))
    assert not any("unlike" in line for line in _warnings(Trained(own), grey))
    training = np.stack([of(seed) for seed in range(30)])
    kept = fit(training, training, 1.0)
    digest = hashlib.sha256((own / "model.onnx").read_bytes()).hexdigest()
    said = {"model": {"sha256": digest}, "mean": kept.mean.tolist(), "axes": kept.axes.tolist()}
    (own / "novelty.json").write_text(json.dumps(said))
    assert any(
        "unlike those that model tiny was trained on" in line for line in _warnings(Trained(own), grey)
    )
    coarse = np.random.default_rng(5).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    usual = Source.from_array(np.kron(coarse, np.ones((8, 8, 1), np.uint8)))
    assert not any("unlike" in line for line in _warnings(Trained(own), usual))


def _warnings(trained: Trained, source: Source) -> tuple[str, ...]:
    embedding = trained.embed(source)
    assert isinstance(embedding, TrainedEmbedding)
    return trained.warnings(embedding)


def test_another_models_file_is_none_and_a_bad_one_an_error(tmp_path: Path) -> None:
    path = tmp_path / "novelty.json"
    assert novelty.read(path, "abc") is None
    path.write_text(json.dumps({"model": {"sha256": "abc"}, "mean": [1.0], "axes": [[1.0]]}))
    found = novelty.read(path, "abc")
    assert isinstance(found, Novelty)
    assert found.distance(np.array([3.0])) == 2.0
    assert novelty.read(path, "other") is None
    path.write_text(json.dumps({"model": {"sha256": "abc"}, "mean": [1.0], "axes": [[1.0, 2.0]]}))
    with pytest.raises(UsageError, match="says nothing of a model's training pictures"):
        novelty.read(path, "abc")


def test_the_shipped_model_knows_photographs_from_what_no_camera_takes() -> None:
    assert weights.find().novelty() is not None, "run benchmarks/novelty.py --write"
    shipped = load()
    for photo in sorted((ROOT / "docs" / "examples").glob("*.png")):
        assert not any("unlike" in line for line in shipped.warnings(shipped.embed(images.read(photo))))
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    for rgb in (np.full((300, 400, 3), 128, np.uint8), noise):
        assert any("unlike" in line for line in shipped.warnings(shipped.embed(Source.from_array(rgb))))
