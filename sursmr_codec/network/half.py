"""Weights in half precision, so that a model is half as large on disk; computing stays in single."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from sursmr_codec.network.base import PairNetwork

MIN_SIZE = 1024
"""Smallest array that is halved, in numbers."""
HALF = ".half"
"""What is put behind the name of a halved array in a graph."""


def round_weights(network: PairNetwork) -> None:
    """Round a network's large weights to half precision, in place.

    What is measured and exported afterwards is then the very network that is shipped, not a better one.
    """
    with torch.no_grad():
        for weights in network.parameters():
            if weights.numel() >= MIN_SIZE:
                weights.copy_(weights.half().float())


def smallest(tensor: Tensor) -> Tensor:
    """The same numbers in half precision where that holds all of them, as it does after `round_weights`."""
    if tensor.dtype != torch.float32 or tensor.numel() < MIN_SIZE:
        return tensor
    half = tensor.half()
    return half if torch.equal(half.float(), tensor) else tensor


def halved(model: Any) -> Any:
    """An ONNX model whose large weights, where half precision holds them exactly, are kept in it.

    Each is cast back before its first use, which ONNX Runtime does once, while it loads.
    """
    import onnx
    from onnx import numpy_helper

    casts = []
    for stored in model.graph.initializer:
        if stored.data_type != onnx.TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(stored)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if values.size < MIN_SIZE or not np.array_equal(half.astype(np.float32), values):
            continue
        name = stored.name
        stored.CopyFrom(numpy_helper.from_array(half, f"{name}{HALF}"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}{HALF}"], [name], to=onnx.TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])
    return model
