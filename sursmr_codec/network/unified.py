"""The unified predictor of SUR and SMR: stage 2 of arXiv 2412.17477 (2024).

https://arxiv.org/abs/2412.17477, figure 2. Differences of the features of both pictures are refined layer by
layer (`dfrl`), pooled by learnable queries (`mhaap`), mixed into one token (`mixer`) and read off by a
three-layer head. Every variant of the paper is a configuration.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sursmr_codec.network.ablations import ConvPool, PlainRegressor, TransformerRegressor
from sursmr_codec.network.base import PairNetwork, per_view
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.network.dfrl import DFRL
from sursmr_codec.network.extractor import Extractor
from sursmr_codec.network.heads import Prediction, RatioHead
from sursmr_codec.network.mhaap import MHAAP, to_tokens
from sursmr_codec.network.mixer import Mixer


class Unified(PairNetwork):
    """Extractor, DFRL, MHAAP, mixer and head.

    With native crops, which the paper does not have, the tokens of all views are pooled together; a learnable
    vector tells those of the whole picture from those of crops.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.extractor = Extractor(config.backbone)
        channels = self.extractor.channels
        self.refine = nn.ModuleList(DFRL(c) if config.refine else nn.Identity() for c in channels)
        n_parts = {"difference": 1, "with_source": 2, "all": 3}[config.features]
        width, n_tokens = config.width, config.n_queries if config.pooling == "mhaap" else 1
        self.kinds = nn.Parameter(torch.zeros(2, n_parts * sum(channels))) if config.n_crops else None
        self.pool: nn.Module
        if config.pooling == "mhaap":
            self.pool = MHAAP([sum(channels)] * n_parts, config.n_queries, config.n_heads, width)
        else:
            self.pool = ConvPool(n_parts * sum(channels), width)
        self.regressor: nn.Module
        if config.regressor == "mixer":
            self.regressor = Mixer(n_tokens, width, config.depth)
        elif config.regressor == "transformer":
            self.regressor = TransformerRegressor(width, config.depth, config.n_heads)
        else:
            self.regressor = PlainRegressor(n_tokens, width)
        self.head = RatioHead(width, config)

    def embed(self, views: Tensor) -> list[Tensor]:
        """Features F^l, (B, V, C_l, H_l, W_l) for each layer."""
        return per_view(self.extractor, views)

    def compare(self, source: Sequence[Tensor], rung: Sequence[Tensor]) -> Prediction:
        refined = [
            refine((f0 - fq).flatten(0, 1))  # (B * V, C, H, W)
            for refine, f0, fq in zip(self.refine, source, rung, strict=True)
        ]
        parts = [refined]
        if self.config.features in ("with_source", "all"):
            parts.insert(0, [f0.expand_as(fq).flatten(0, 1) for f0, fq in zip(source, rung, strict=True)])
        if self.config.features == "all":
            parts.insert(1, [fq.flatten(0, 1) for fq in rung])
        tokens = torch.cat([to_tokens(part, self.config.grid) for part in parts], dim=-1)  # (B * V, N, C)
        token = self.regressor(self.pool(self._gather(tokens)))  # (B, Z)
        prediction: Prediction = self.head(token)
        return prediction

    def _gather(self, tokens: Tensor) -> Tensor:
        """Tokens of all views of a picture side by side, (B * V, N, C) to (B, V * N, C)."""
        if self.kinds is None:
            return tokens
        tokens = tokens.unflatten(0, (-1, self.config.n_views))  # (B, V, N, C)
        whole, crops = tokens[:, :1] + self.kinds[0], tokens[:, 1:] + self.kinds[1]
        return torch.cat([whole, crops], dim=1).flatten(1, 2)
