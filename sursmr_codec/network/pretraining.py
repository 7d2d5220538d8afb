"""Stage 1: what the extractor is trained with before the predictor, on labels that are cheap.

arXiv 2412.17477 (2024), https://arxiv.org/abs/2412.17477, section on pre-training.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sursmr_codec.network.base import PairNetwork, per_view
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.network.extractor import Extractor
from sursmr_codec.network.heads import Prediction, RatioHead


class Pretraining(PairNetwork):
    """Top features of both pictures and their difference, concatenated, into a three-layer MLP."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.extractor = Extractor(config.backbone)
        self.head = RatioHead(3 * self.extractor.channels[-1], config)

    def embed(self, views: Tensor) -> list[Tensor]:
        """Features of the last layer, averaged over the picture: one (B, V, C)."""
        return [per_view(self.extractor, views)[-1].mean(dim=(-2, -1))]

    def compare(self, source: Sequence[Tensor], rung: Sequence[Tensor]) -> Prediction:
        f0, fq = source[0].mean(dim=1), rung[0].mean(dim=1)  # (B, C)
        prediction: Prediction = self.head(torch.cat([f0.expand_as(fq), fq, f0 - fq], dim=-1))
        return prediction
