"""The exported graph: it gives what the network gives, for any number of rungs, and says what it is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from tiny_labels import MACHINES

from sursmr_codec.errors import UsageError
from sursmr_codec.network.build import build, load
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.network.half import round_weights
from sursmr_codec.network.heads import named_outputs
from sursmr_codec.predict.onnx import METADATA, OnnxNetwork
from sursmr_codec.training import export as exporting
from sursmr_codec.training.export import ParityError, export

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
        family="moments",
        backbone="test_efficientnet",
        size=32,
        n_crops=1,
        semantic=True,
        fidelity=True,
        hidden=16,
        teachers=("cvvdp", "ssimulacra2"),
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_the_graph_gives_what_the_network_gives(name: str, tmp_path: Path) -> None:
    config = CONFIGS[name]
    torch.manual_seed(0)
    network = build(config)
    round_weights(network)
    exported = export(network, tmp_path / "model")
    assert exported.largest_difference <= 1e-3
    network = load(exported.weights)
    generator = np.random.default_rng(1)
    shape = (config.n_views, 3, config.size, config.size)
    source = generator.integers(0, 256, (1, *shape), dtype=np.uint8)
    graph = OnnxNetwork(exported.graph)
    assert graph.config == config
    features = graph.embed(source)
    for n in (1, 2, 5):
        rungs = generator.integers(0, 256, (n, *shape), dtype=np.uint8)
        with torch.inference_mode():
            expected = named_outputs(
                network,
                network.compare(
                    network.embed(torch.from_numpy(source)), network.embed(torch.from_numpy(rungs))
                ),
            )
        found = graph.compare(features, rungs)
        assert set(found) == set(expected)
        assert found["ratios"].shape == (n, len(config.ratios))
        for output in expected:
            np.testing.assert_allclose(found[output], expected[output].numpy(), rtol=2e-3, atol=2e-3)


def test_large_weights_are_kept_in_half_precision(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = build(CONFIGS["crops"])
    exact = export(network, tmp_path / "exact")
    round_weights(network)
    rounded = export(network, tmp_path / "rounded")
    assert rounded.weights.stat().st_size < 0.6 * exact.weights.stat().st_size
    kept = {one.name: one.data_type for one in onnx.load(rounded.graph).graph.initializer}
    assert onnx.TensorProto.FLOAT16 in kept.values()
    for name, weights in load(rounded.weights).state_dict().items():
        assert torch.equal(weights, network.state_dict()[name]), name


def test_no_file_tells_where_it_was_made(tmp_path: Path) -> None:
    exported = export(build(CONFIGS["moments"]), tmp_path)
    package = Path(exporting.__file__).parents[1]
    for path in (exported.graph, exported.weights):
        content = path.read_bytes()
        assert b"stack_trace" not in content
        assert str(package).encode() not in content


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no graph")
    with pytest.raises(UsageError, match=r"model\.onnx is no model of this program"):
        OnnxNetwork(path)
    graph = export(build(NetworkConfig(**TINY, depth=1)), tmp_path / "model").graph
    changed = onnx.load(graph)
    said = json.loads(changed.metadata_props[0].value)
    assert changed.metadata_props[0].key == METADATA
    changed.metadata_props[0].value = json.dumps(said | {"views_version": 0})
    with pytest.raises(UsageError, match="train it anew"):
        OnnxNetwork(changed.SerializeToString())


def test_a_graph_that_differs_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_largest_difference", lambda *_: 0.5)
    with pytest.raises(ParityError, match=r"differ by 0\.5"):
        export(build(NetworkConfig(**TINY, depth=1)), tmp_path / "model")
    assert not (tmp_path / "model").exists()
