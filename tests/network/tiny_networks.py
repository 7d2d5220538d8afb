"""Networks that are small enough to be tested by the dozen."""

from __future__ import annotations

from typing import Any

import torch

from sursmr_codec.network.config import NetworkConfig


def tiny(**changes: Any) -> NetworkConfig:
    """The paper's model over timm's smallest backbone without batch statistics."""
    values: dict[str, Any] = {"backbone": "test_convnext", "size": 32, "grid": 4, "hidden": 16}
    values |= {"n_queries": 4, "n_heads": 2, "width": 16, "depth": 2}
    return NetworkConfig(**values | changes)


VARIANTS = {
    "paper": tiny(),
    "without_dfrl": tiny(refine=False),
    "without_mhaap": tiny(pooling="conv"),
    "transformer": tiny(regressor="transformer"),
    "mlp": tiny(regressor="mlp"),
    "all_features": tiny(features="all"),
    "sur_only": tiny(ratios=("sur",)),
    "smr_only": tiny(ratios=("smr",)),
    "with_source": tiny(features="with_source"),
    "crops": tiny(n_crops=2, features="with_source"),
    "heads": tiny(ratios=("sur", "smr", "smr_classification", "smr_detection")),
    "machines": tiny(
        ratios=("smr_detection", "sur", "smr", "smr_classification"),
        classifiers=("c0", "c1"),
        detectors=("d0",),
    ),
    "pretraining": tiny(family="pretraining"),
    "moments": tiny(family="moments"),
    "moments_of_crops": tiny(family="moments", n_crops=2, semantic=True, backbone="test_efficientnet"),
    "fidelity": tiny(family="moments", n_crops=1, fidelity=True),
    "teachers": tiny(ratios=("smr", "sur"), teachers=("ssimulacra2", "cvvdp")),
    "sur_featnet": tiny(family="sur_featnet"),
    "smr_net": tiny(family="smr_net"),
}
"""Every variant of the paper, its rivals, and the options beside it."""


def pictures(config: NetworkConfig, n: int, seed: int = 0) -> Any:
    """(n, V, 3, S, S) uint8 noise."""
    generator = torch.Generator().manual_seed(seed)
    shape = (n, config.n_views, 3, config.size, config.size)
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
