"""SMR-Net, a rival, after its description: the top features of EfficientNet-B4 on both pictures, and an MLP.

Zhang, Wang, Zhang, Jia, Ma, Gao, "Perceptual Video Coding for Machines via Satisfied Machine Ratio Modeling",
TPAMI 2024, https://arxiv.org/abs/2211.06797. The original sees 512x512; arXiv 2412.17477 compares at 224x224.
"""

from __future__ import annotations

from collections.abc import Sequence

import timm
import torch
from torch import Tensor

from sursmr_codec.network.base import PairNetwork
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.network.extractor import Normalise, check_backbone
from sursmr_codec.network.heads import Prediction, RatioHead


class SmrNet(PairNetwork):
    """The backbone's pooled output for both pictures into a three-layer MLP."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        check_backbone(config.backbone)
        self.normalise = Normalise(config.backbone)
        self.body = timm.create_model(config.backbone, num_classes=0, pretrained=False)
        self.head = RatioHead(2 * self.body.num_features, config)

    def embed(self, views: Tensor) -> list[Tensor]:
        """One (B, V, C), V = 1."""
        top: Tensor = self.body(self.normalise(views.flatten(0, 1)))  # (B * V, C)
        return [top.unflatten(0, views.shape[:2])]

    def compare(self, source: Sequence[Tensor], rung: Sequence[Tensor]) -> Prediction:
        f0, fq = source[0][:, 0], rung[0][:, 0]  # (B, C)
        prediction: Prediction = self.head(torch.cat([f0.expand_as(fq), fq], dim=-1))
        return prediction
