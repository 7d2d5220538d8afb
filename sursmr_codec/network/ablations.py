"""What the paper puts in the place of MHAAP and of the mixer, to see what they are worth.

arXiv 2412.17477 (2024), https://arxiv.org/abs/2412.17477, its ablation study.
"""

from __future__ import annotations

import torch
from timm.models.vision_transformer import Block
from torch import Tensor, nn


class ConvPool(nn.Module):
    """ "Without MHAAP": a 1x1 convolution and global average pooling, to a single token."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        # On tokens, a 1x1 convolution is a linear layer.
        self.conv = nn.Linear(channels, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (B, N, C) to (B, 1, Z)."""
        pooled: Tensor = self.conv(tokens).mean(dim=1, keepdim=True)
        return pooled


class TransformerRegressor(nn.Module):
    """ "Transformer": encoder layers in the mixer's place, with the same regression token."""

    def __init__(self, width: int, depth: int, n_heads: int) -> None:
        super().__init__()
        self.regression_token = nn.Parameter(torch.empty(1, 1, width))
        self.layers = nn.Sequential(*(Block(width, n_heads, qkv_bias=True) for _ in range(depth)))
        nn.init.trunc_normal_(self.regression_token, std=0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, Y, Z) to (B, Z)."""
        token = self.regression_token.expand(tokens.shape[0], -1, -1)
        encoded: Tensor = self.layers(torch.cat([token, tokens], dim=1))  # (B, 1 + Y, Z)
        return encoded[:, 0]


class PlainRegressor(nn.Module):
    """ "MLP": one layer over all Y x Z neurons in the mixer's place."""

    def __init__(self, n_tokens: int, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(n_tokens * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, Y, Z) to (B, Z)."""
        return nn.functional.gelu(self.layer(tokens.flatten(1)))
