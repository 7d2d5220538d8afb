"""The mixer that turns pooled tokens into one: equation 7 of arXiv 2412.17477 (2024).

https://arxiv.org/abs/2412.17477, after Tolstikhin et al., "MLP-Mixer: An all-MLP Architecture for Vision",
NeurIPS 2021, https://arxiv.org/abs/2105.01601.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

EXPANSION = 4
"""Width of an MLP's hidden layer, in widths of its ends."""


class MixerLayer(nn.Module):
    """U = X + MLP over tokens of LN(X); then U + MLP over channels of LN(U)."""

    def __init__(self, n_tokens: int, width: int) -> None:
        super().__init__()
        self.token_norm = nn.LayerNorm(width)
        self.token_mlp = _mlp(n_tokens)
        self.channel_norm = nn.LayerNorm(width)
        self.channel_mlp = _mlp(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T, Z) to the same shape."""
        across = self.token_mlp(self.token_norm(tokens).transpose(1, 2))  # (B, Z, T)
        tokens = tokens + across.transpose(1, 2)
        mixed: Tensor = tokens + self.channel_mlp(self.channel_norm(tokens))
        return mixed


class Mixer(nn.Module):
    """A learnable regression token joins the others, and is all that is kept after the last layer."""

    def __init__(self, n_tokens: int, width: int, depth: int) -> None:
        super().__init__()
        self.regression_token = nn.Parameter(torch.empty(1, 1, width))
        self.layers = nn.Sequential(*(MixerLayer(n_tokens + 1, width) for _ in range(depth)))
        nn.init.trunc_normal_(self.regression_token, std=0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, Y, Z) to (B, Z)."""
        token = self.regression_token.expand(tokens.shape[0], -1, -1)
        mixed: Tensor = self.layers(torch.cat([token, tokens], dim=1))  # (B, 1 + Y, Z)
        return mixed[:, 0]


def _mlp(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, EXPANSION * width), nn.GELU(), nn.Linear(EXPANSION * width, width))
