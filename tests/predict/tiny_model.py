"""A trained model that is small enough for a test."""

from __future__ import annotations

from pathlib import Path

import torch

from sursmr_codec.network.build import build
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.network.half import round_weights
from sursmr_codec.training.export import export

TINY = NetworkConfig(
    family="moments",
    backbone="test_efficientnet",
    size=32,
    n_crops=1,
    semantic=True,
    fidelity=True,
    hidden=16,
    ratios=("sur", "smr", "smr_classification", "smr_detection"),
    classifiers=("c0", "c1"),
    detectors=("d0",),
    teachers=("cvvdp", "ssimulacra2"),
)


def make_model(folder: Path, config: NetworkConfig = TINY, seed: int = 0) -> Path:
    """A folder with the files of an untrained network."""
    torch.manual_seed(seed)
    network = build(config)
    round_weights(network)
    export(network, folder)
    return folder
