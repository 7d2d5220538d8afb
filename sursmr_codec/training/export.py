"""From a trained network to the files that a predictor is run from.

`model.safetensors` is the network for torch. `model.onnx` is the same for ONNX Runtime, as one graph in which
backbone and weights stand once: it looks at the views of rungs, and compares what it sees with features of
the source, which it gave for the source's own views before. So a source is embedded once however many rungs
a search tries; a run that asks for the features alone does no comparing.
"""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sursmr_codec import images
from sursmr_codec.errors import MissingExtra, OutputError, SursmrError
from sursmr_codec.network import views as viewing
from sursmr_codec.network.base import PairNetwork
from sursmr_codec.network.build import to_bytes
from sursmr_codec.network.half import MIN_SIZE, halved
from sursmr_codec.network.heads import named_outputs
from sursmr_codec.predict.onnx import METADATA, OnnxNetwork

GRAPH, WEIGHTS = "model.onnx", "model.safetensors"
LARGEST_DIFFERENCE = 1e-3
"""Between ratios by torch and by ONNX Runtime."""
OPSET = 20


class ParityError(SursmrError):
    """The exported graphs do not give what the network gives."""


@dataclass(frozen=True)
class Exported:
    """What was written, and how well it agrees with the network."""

    graph: Path
    weights: Path
    largest_difference: float
    """Of a ratio, between torch and ONNX Runtime."""


class _Whole(nn.Module):
    """Outputs of `named_outputs`, then the features of the views."""

    def __init__(self, network: PairNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, views: Tensor, source: list[Tensor]) -> tuple[Tensor, ...]:
        features = self.network.embed(views)
        prediction = self.network.compare(source, features)
        return (*named_outputs(self.network, prediction).values(), *features)


def export(network: PairNetwork, folder: Path | str) -> Exported:
    """Write a network's files, after checking that the graph gives what the network gives.

    `model.onnx`: `views` (N, V, 3, S, S) uint8 and `source_0`, ... of one picture to `ratios` (N, R), to
    `teachers` (N, T) scores, `satisfied` and `counting` (N, M) probabilities where the network has them, and
    to `feature_0`, ... (N, V, ...) float32. Raises MissingExtra without onnx, ParityError where a ratio
    differs by more than 0.001, OutputError where files cannot be written.
    """
    folder = Path(folder)
    network = network.to("cpu", memory_format=torch.contiguous_format).eval()
    graph = _graph(network)
    difference = _largest_difference(network, graph)
    if not difference <= LARGEST_DIFFERENCE:
        raise ParityError(f"ratios of the exported graph differ by {difference:.2g} from the network's")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error}") from error
    for name, content in ((GRAPH, graph), (WEIGHTS, to_bytes(network))):
        images.write(folder / name, content)
    return Exported(folder / GRAPH, folder / WEIGHTS, difference)


def _graph(network: PairNetwork) -> bytes:
    config = network.config
    # Not as many crops as rungs, or the graph would take the two for one number.
    n_views = max(config.n_views, 3) if config.any_crops else config.n_views
    views = torch.zeros(2, n_views, 3, config.size, config.size, dtype=torch.uint8)
    with torch.inference_mode():
        features = network.embed(views)
        outputs = named_outputs(network, network.compare([one[:1] for one in features], features))
    n = torch.export.Dim("n")
    v = torch.export.Dim("v", min=2) if config.any_crops else None
    # Clones, since tensors of inference mode cannot be traced.
    return _exported(
        _Whole(network),
        (views, [one[:1].clone() for one in features]),
        ({0: n, 1: v} if v else {0: n}, [{1: v} if v else None] * len(features)),
        ["views", *(f"source_{i}" for i in range(len(features)))],
        [*outputs, *(f"feature_{i}" for i in range(len(features)))],
        config,
    )


def _exported(
    module: nn.Module,
    inputs: tuple[Any, ...],
    dynamic: tuple[Any, ...],
    input_names: Sequence[str],
    output_names: Sequence[str],
    config: Any,
) -> bytes:
    try:
        from onnxscript import optimizer
    except ImportError as error:
        raise MissingExtra("onnxscript", "exporting a network", "torch") from error
    with warnings.catch_warnings():
        # The exporter's own use of what it has deprecated is none of the caller's business.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(),
            inputs,
            dynamo=True,
            verbose=False,
            # This would merge weights, which then no longer fit half precision: ONNX Runtime does it as it
            # loads, provided that all beside them is constant.
            optimize=False,
            opset_version=OPSET,
            dynamic_shapes=dynamic,
            input_names=input_names,
            output_names=output_names,
        )
    optimizer.fold_constants_ir(program.model, input_size_limit=MIN_SIZE)
    optimizer.remove_unused_nodes(program.model)
    proto = halved(program.model_proto)
    _forget_origin(proto.graph)
    entry = proto.metadata_props.add()
    entry.key = METADATA
    entry.value = json.dumps(dataclasses.asdict(config) | {"views_version": viewing.VERSION}, sort_keys=True)
    encoded: bytes = proto.SerializeToString(deterministic=True)
    return encoded


def _forget_origin(graph: Any) -> None:
    """Leave out which lines of which files the exporter came through: paths of the machine that trained."""
    for one in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del one.metadata_props[:]
        one.doc_string = ""


def _largest_difference(network: PairNetwork, graph: bytes) -> float:
    """Over noise and darkened noise, for one rung and for several."""
    config = network.config
    generator = np.random.default_rng(0)
    shape = (config.n_views, 3, config.size, config.size)
    source = generator.integers(0, 256, (1, *shape), dtype=np.uint8)
    rungs = np.concatenate([source // 2, generator.integers(0, 256, (2, *shape), dtype=np.uint8)])
    with torch.inference_mode():
        expected = network.compare(
            network.embed(torch.from_numpy(source)), network.embed(torch.from_numpy(rungs))
        ).ratios.numpy()
    runner = OnnxNetwork(graph)
    features = runner.embed(source)
    found = [runner.compare(features, some)["ratios"] for some in (rungs, rungs[:1])]
    return float(
        max(np.abs(found[0] - expected).max(initial=0.0), np.abs(found[1] - expected[:1]).max(initial=0.0))
    )
