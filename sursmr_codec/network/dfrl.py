"""Difference feature residual learning: equation 5 of arXiv 2412.17477 (2024).

https://arxiv.org/abs/2412.17477
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class DFRL(nn.Module):
    """F* = F + Conv3(GELU(Conv2(GELU(Conv1(F))))) on the difference F = F0 - Fq of one layer.

    The paper leaves the kernels open; 3x3 throughout at constant width comes to its number of parameters.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv3 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, difference: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        learned = self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(difference)))))
        return difference + learned
