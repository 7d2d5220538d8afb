"""From a trained network to the files that a predictor is run from.

`model.safetensors` is the network for torch. For ONNX Runtime it is cut where a source and its rungs part:
`embed.onnx` looks at one picture, `score.onnx` compares what was seen of a source with what was seen of its
rungs. So a source is embedded once however many rungs a search tries, and the backbone, which source and rung
share, is stored once; one graph for both pictures would run or hold it twice.
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

EMBED, SCORE, WEIGHTS = "embed.onnx", "score.onnx", "model.safetensors"
METADATA = "sursmr-qp/network"
"""Key of both graphs' metadata; its value is JSON: the network's configuration, and `views_version`."""
LARGEST_DIFFERENCE = 1e-3
"""Between ratios by torch and by ONNX Runtime."""
OPSET = 20


class ParityError(SursmrError):
    """The exported graphs do not give what the network gives."""


@dataclass(frozen=True)
class Exported:
    """What was written, and how well it agrees with the network."""

    embed: Path
    score: Path
    weights: Path
    largest_difference: float
    """Of a ratio, between torch and ONNX Runtime."""


class _Embed(nn.Module):
    def __init__(self, network: PairNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, views: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network.embed(views))


class _Score(nn.Module):
    def __init__(self, network: PairNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, source: list[Tensor], rung: list[Tensor]) -> Tensor:
        ratios: Tensor = self.network.compare(source, rung).ratios
        return ratios


def export(network: PairNetwork, folder: Path | str) -> Exported:
    """Write a network's three files, after checking that the graphs give what it gives.

    `embed.onnx`: `views` (N, V, 3, S, S) uint8 to `feature_0`, `feature_1`, ... (N, V, ...) float32.
    `score.onnx`: `source_0`, ... of one picture and `rung_0`, ... of N rungs to `ratios` (N, R). Raises
    MissingExtra without onnx, ParityError where a ratio differs by more than 0.001, OutputError where files
    cannot be written.
    """
    folder = Path(folder)
    network = network.cpu().eval()
    embed, score = _graphs(network)
    difference = _largest_difference(network, embed, score)
    if not difference <= LARGEST_DIFFERENCE:
        raise ParityError(f"ratios of the exported graphs differ by {difference:.2g} from the network's")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error}") from error
    for name, content in ((EMBED, embed), (SCORE, score), (WEIGHTS, to_bytes(network))):
        images.write(folder / name, content)
    return Exported(folder / EMBED, folder / SCORE, folder / WEIGHTS, difference)


def _graphs(network: PairNetwork) -> tuple[bytes, bytes]:
    config = network.config
    views = torch.zeros(2, config.n_views, 3, config.size, config.size, dtype=torch.uint8)
    with torch.inference_mode():
        features = network.embed(views)
    n = torch.export.Dim("n")
    embed = _graph(
        _Embed(network),
        (views,),
        ({0: n},),
        ["views"],
        [f"feature_{i}" for i in range(len(features))],
        config,
    )
    # Clones, since tensors of inference mode cannot be traced.
    source, rung = [one[:1].clone() for one in features], [one.clone() for one in features]
    score = _graph(
        _Score(network),
        (source, rung),
        ([None] * len(source), [{0: n}] * len(rung)),
        [f"{of}_{i}" for of in ("source", "rung") for i in range(len(features))],
        ["ratios"],
        config,
    )
    return embed, score


def _graph(
    module: nn.Module,
    inputs: tuple[Any, ...],
    dynamic: tuple[Any, ...],
    input_names: Sequence[str],
    output_names: Sequence[str],
    config: Any,
) -> bytes:
    try:
        import onnxscript  # noqa: F401
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
            opset_version=OPSET,
            dynamic_shapes=dynamic,
            input_names=input_names,
            output_names=output_names,
        )
    proto = program.model_proto
    entry = proto.metadata_props.add()
    entry.key = METADATA
    entry.value = json.dumps(dataclasses.asdict(config) | {"views_version": viewing.VERSION}, sort_keys=True)
    encoded: bytes = proto.SerializeToString(deterministic=True)
    return encoded


def _largest_difference(network: PairNetwork, embed: bytes, score: bytes) -> float:
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
    found = [run_graphs(embed, score, source, some) for some in (rungs, rungs[:1])]
    return float(
        max(np.abs(found[0] - expected).max(initial=0.0), np.abs(found[1] - expected[:1]).max(initial=0.0))
    )


def run_graphs(embed: bytes, score: bytes, source: Any, rungs: Any) -> Any:
    """(N, R) ratios by ONNX Runtime of N rungs' views, given the (1, V, 3, S, S) views of their source."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    embedder = onnxruntime.InferenceSession(embed, options, providers=["CPUExecutionProvider"])
    scorer = onnxruntime.InferenceSession(score, options, providers=["CPUExecutionProvider"])
    seen = {"source": embedder.run(None, {"views": source}), "rung": embedder.run(None, {"views": rungs})}
    feed = {f"{of}_{i}": one for of, features in seen.items() for i, one in enumerate(features)}
    # What a network does not compare, its graph does not ask for.
    return scorer.run(None, {one.name: feed[one.name] for one in scorer.get_inputs()})[0]
