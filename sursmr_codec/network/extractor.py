"""The extractor: features of several layers of any timm backbone, on pixels as they are in a picture.

Backbone of the paper: CAFormer, Yu et al., "MetaFormer Baselines for Vision", TPAMI 2024,
https://arxiv.org/abs/2210.13452, convolution in its first two stages and attention in the last two.
"""

from __future__ import annotations

import timm
import torch
from torch import Tensor, nn

from sursmr_codec.errors import UsageError


class Normalise(nn.Module):
    """Pixels 0..255 to what a backbone was made for; its mean and deviation are kept with the weights."""

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: str) -> None:
        super().__init__()
        known = timm.get_pretrained_cfg(backbone)
        if known is None:
            raise UsageError(f"timm does not say which pixels backbone {backbone} was made for")
        for name, value in (("mean", known.mean), ("std", known.std)):
            self.register_buffer(name, 255.0 * torch.tensor(value).view(1, 3, 1, 1))

    def forward(self, rgb: Tensor) -> Tensor:
        """(N, 3, H, W) uint8 or float 0..255 to float of about zero mean and unit deviation."""
        return (rgb.to(self.mean.dtype) - self.mean) / self.std


class Extractor(nn.Module):
    """A backbone that gives the features at the end of each of its stages, finest first."""

    def __init__(self, backbone: str) -> None:
        super().__init__()
        check_backbone(backbone)
        self.normalise = Normalise(backbone)
        self.body = timm.create_model(backbone, features_only=True, pretrained=False)
        if getattr(self.body, "output_fmt", "NCHW") != "NCHW":
            raise UsageError(f"backbone {backbone} gives its channels last, which is not supported")
        self.channels: tuple[int, ...] = tuple(self.body.feature_info.channels())
        """Of every layer."""

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """(N, 3, H, W) uint8 or float 0..255 RGB to one (N, C_l, H_l, W_l) a layer."""
        features: list[Tensor] = self.body(self.normalise(rgb))
        return features


def check_backbone(name: str) -> None:
    """Raise UsageError unless timm knows a model of that name."""
    if not timm.is_model(name):
        raise UsageError(f"timm has no model {name!r}")
