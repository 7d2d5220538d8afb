"""Multi-head attention aggregation and pooling: equation 6 of arXiv 2412.17477 (2024).

https://arxiv.org/abs/2412.17477
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sursmr_codec.errors import UsageError


def to_tokens(features: Sequence[Tensor], grid: int) -> Tensor:
    """Maps of several layers, (B, C_l, H_l, W_l) each, to tokens (B, grid * grid, sum of C_l).

    Larger maps are averaged over the cells of the grid, as taking single points of them would drop most of
    what they say; smaller ones are interpolated.
    """
    resized = [_resize(feature, grid) for feature in features]
    return torch.cat(resized, dim=1).flatten(2).transpose(1, 2)  # (B, N, C)


def _resize(feature: Tensor, grid: int) -> Tensor:
    height, width = feature.shape[-2:]
    if (height, width) == (grid, grid):
        return feature
    if height % grid == 0 and width % grid == 0:
        return F.avg_pool2d(feature, (height // grid, width // grid))
    return F.interpolate(feature, (grid, grid), mode="bilinear", align_corners=False)


class MHAAP(nn.Module):
    """softmax(Q K^T / sqrt(C / h)) V over h heads, with learnable queries Q, then a linear layer.

    `parts` are the channels of what was put beside each other in a token (differences, features of the
    source): each is normalised by itself, since the difference is far smaller than what it is taken of.
    """

    def __init__(self, parts: Sequence[int], n_queries: int, n_heads: int, width: int) -> None:
        super().__init__()
        channels = sum(parts)
        if channels % n_heads:
            raise UsageError(f"{channels} channels cannot be shared by {n_heads} heads")
        self.parts = list(parts)
        self.n_heads = n_heads
        self.norms = nn.ModuleList(nn.LayerNorm(part) for part in parts)
        self.query = nn.Parameter(torch.empty(n_queries, channels))
        # Softmax takes no notice of a bias, which would add the same to every key.
        self.key = nn.Linear(channels, channels, bias=False)
        self.value = nn.Linear(channels, channels)
        self.project = nn.Linear(channels, width)
        nn.init.trunc_normal_(self.query, std=0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (B, N, C) to pooled ones (B, Y, Z)."""
        parts = tokens.split(self.parts, dim=-1)
        tokens = torch.cat([norm(part) for norm, part in zip(self.norms, parts, strict=True)], dim=-1)
        query = self._heads(self.query[None])  # (1, h, Y, C / h)
        key, value = self._heads(self.key(tokens)), self._heads(self.value(tokens))  # (B, h, N, C / h)
        weights = (query @ key.transpose(-2, -1) / math.sqrt(key.shape[-1])).softmax(dim=-1)
        pooled = (weights @ value).transpose(1, 2).flatten(2)  # (B, Y, C)
        projected: Tensor = self.project(pooled)
        return projected

    def _heads(self, tokens: Tensor) -> Tensor:
        return tokens.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
