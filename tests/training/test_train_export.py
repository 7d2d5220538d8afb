"""Exported graphs: they give what the network gives, for any number of rungs, and say what they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from tiny_labels import MACHINES

from sursmr_codec.network.build import build, load
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.training import export as exporting
from sursmr_codec.training.export import METADATA, ParityError, export, run_graphs

TINY = {"backbone": "test_convnext", "size": 32, "grid": 2, "n_queries": 4, "n_heads": 2, "width": 16}
CONFIGS = {
    "crops": NetworkConfig(
        **TINY,
        n_crops=2,
        depth=1,
        features="all",
        ratios=("smr", "sur"),
        classifiers=MACHINES[:2],
        detectors=MACHINES[2:],
    ),
    "moments": NetworkConfig(
        family="moments", backbone="test_efficientnet", size=32, n_crops=1, semantic=True, hidden=16
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_graphs_give_what_the_network_gives(name: str, tmp_path: Path) -> None:
    config = CONFIGS[name]
    torch.manual_seed(0)
    exported = export(build(config), tmp_path / "model")
    assert exported.largest_difference <= 1e-3
    network = load(exported.weights)
    generator = np.random.default_rng(1)
    shape = (config.n_views, 3, config.size, config.size)
    source = generator.integers(0, 256, (1, *shape), dtype=np.uint8)
    embed, score = exported.embed.read_bytes(), exported.score.read_bytes()
    for n in (1, 2, 5):
        rungs = generator.integers(0, 256, (n, *shape), dtype=np.uint8)
        with torch.inference_mode():
            expected = network.compare(
                network.embed(torch.from_numpy(source)), network.embed(torch.from_numpy(rungs))
            )
        found = run_graphs(embed, score, source, rungs)
        assert found.shape == (n, len(config.ratios))
        np.testing.assert_allclose(found, expected.ratios.numpy(), atol=1e-3)
    for path in (exported.embed, exported.score):
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        said = json.loads(session.get_modelmeta().custom_metadata_map[METADATA])
        assert said["views_version"] == 1
        assert tuple(said["ratios"]) == config.ratios
    assert [one.name for one in session.get_outputs()] == ["ratios"]


def test_graphs_that_differ_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_graphs", lambda _: (b"", b""))
    monkeypatch.setattr(exporting, "run_graphs", lambda _, __, ___, rungs: np.zeros((len(rungs), 2)))
    with pytest.raises(ParityError, match=r"differ by 0\.\d"):
        export(build(NetworkConfig(**TINY, depth=1)), tmp_path / "model")
    assert not (tmp_path / "model").exists()
