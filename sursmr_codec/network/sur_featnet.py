"""SUR-FeatNet, a rival, after its description: pooled features of many layers of Inception-V3, and an MLP.

Lin, Hosu, Fan, Zhang, Mu, Hamzaoui, Saupe, "SUR-FeatNet: Predicting the Satisfied User Ratio Curve for Image
Compression with Deep Feature Learning", Quality and User Experience 5, 2020, https://arxiv.org/abs/2001.02002.
The authors start from their own trained weights, which are not to be had.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sursmr_codec.network.base import PairNetwork, per_view
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.network.extractor import Extractor
from sursmr_codec.network.heads import Prediction, RatioHead


class SurFeatNet(PairNetwork):
    """Every layer's features of both pictures, averaged over the picture, into a three-layer MLP."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.extractor = Extractor(config.backbone)
        self.head = RatioHead(2 * sum(self.extractor.channels), config)

    def embed(self, views: Tensor) -> list[Tensor]:
        """One (B, V, sum of C_l), V = 1."""
        return [torch.cat([f.mean(dim=(-2, -1)) for f in per_view(self.extractor, views)], dim=-1)]

    def compare(self, source: Sequence[Tensor], rung: Sequence[Tensor]) -> Prediction:
        f0, fq = source[0][:, 0], rung[0][:, 0]  # (B, C)
        prediction: Prediction = self.head(torch.cat([f0.expand_as(fq), fq], dim=-1))
        return prediction
