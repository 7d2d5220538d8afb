"""A network from its exported graph, for models that come without a file for torch: it holds every weight."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from sursmr_codec.errors import MissingExtra, UsageError
from sursmr_codec.network.base import PairNetwork
from sursmr_codec.network.build import build, load
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.network.half import HALF
from sursmr_codec.predict.onnx import METADATA

_OF_EXPORT = "network."
"""What the exporter puts before the names of weights."""
_COUNTER = "num_batches_tracked"
"""Batches that a normalisation has seen: left out of graphs, since nothing depends on it."""


def load_model(path: Path | str) -> PairNetwork:
    """The network of a `model.safetensors` or a `model.onnx`; raises UsageError for any other file."""
    return load_graph(path) if Path(path).suffix == ".onnx" else load(path)


def load_graph(path: Path | str) -> PairNetwork:
    """The network of a `model.onnx`, ready to predict; raises UsageError for any other file."""
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise MissingExtra("onnx", "starting from a graph", "torch") from error
    try:
        graph: Any = onnx.load(path)
        (said,) = (json.loads(one.value) for one in graph.metadata_props if one.key == METADATA)
        said.pop("views_version")
        network = build(NetworkConfig.from_record(said))
        tensors = {
            stored.name.removeprefix(_OF_EXPORT).removesuffix(HALF): torch.from_numpy(
                numpy_helper.to_array(stored).copy()
            )
            for stored in graph.graph.initializer
        }
        expected = network.state_dict()
        counters = {name: one for name, one in expected.items() if name.endswith(_COUNTER)}
        network.load_state_dict(
            counters
            | {name: tensors[name].to(one.dtype) for name, one in expected.items() if name in tensors}
        )
    # Files that are no graphs lead the parser to errors without a common base.
    except Exception as error:
        line = " ".join(str(error).split())
        raise UsageError(f"{path} cannot be started from: {line[:200]}") from error
    network.eval()
    return network
