"""From a configuration to its network, and from a file of weights back to both."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from sursmr_codec.errors import UsageError
from sursmr_codec.network.base import PairNetwork
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.network.half import smallest

_KEY = "sursmr-qp/network/1"
"""The only entry of a file's metadata, since the format keeps no order among several."""


def build(config: NetworkConfig) -> PairNetwork:
    """An untrained network; raises UsageError for a backbone that timm does not know."""
    match config.family:
        case "unified":
            from sursmr_codec.network.unified import Unified

            return Unified(config)
        case "pretraining":
            from sursmr_codec.network.pretraining import Pretraining

            return Pretraining(config)
        case "moments":
            from sursmr_codec.network.moments import Moments

            return Moments(config)
        case "sur_featnet":
            from sursmr_codec.network.sur_featnet import SurFeatNet

            return SurFeatNet(config)
        case "smr_net":
            from sursmr_codec.network.smr_net import SmrNet

            return SmrNet(config)


def to_bytes(network: PairNetwork) -> bytes:
    """Weights and buffers as a safetensors file that also holds the configuration."""
    tensors = {name: smallest(tensor.contiguous().cpu()) for name, tensor in network.state_dict().items()}
    config = json.dumps(dataclasses.asdict(network.config), sort_keys=True)
    encoded: bytes = save(tensors, metadata={_KEY: config})
    return encoded


def load(path: Path | str) -> PairNetwork:
    """The network of a file that `to_bytes` made, ready to predict; raises UsageError for any other file."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if _KEY not in metadata:
                raise UsageError(f"{path} holds no network of this program")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        network = build(NetworkConfig.from_record(json.loads(metadata[_KEY])))
        network.load_state_dict(tensors)
    except (OSError, SafetensorError, RuntimeError, TypeError, KeyError, ValueError) as error:
        raise UsageError(f"{path} cannot be loaded: {error}") from error
    network.eval()
    return network
