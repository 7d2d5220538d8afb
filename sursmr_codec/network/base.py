"""What all networks share: they look at source and rung with the same eyes, then compare what they saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.network.heads import Prediction


class PairNetwork(nn.Module):
    """A network in two halves, so that a source is embedded once for all of its rungs.

    Views are (B, V, 3, S, S), uint8 or float 0..255 RGB, as `views.views` makes them: V = 1 + n_crops, S =
    `size`. Normalisation to what the backbone expects happens inside, with constants kept as buffers.
    """

    config: NetworkConfig

    def embed(self, views: Tensor) -> list[Tensor]:
        """What is kept of a picture: tensors that begin with (B, V)."""
        raise NotImplementedError

    def compare(self, source: Sequence[Tensor], rung: Sequence[Tensor]) -> Prediction:
        """Predict from two embeddings; the source's may have B = 1 and then stands for every rung."""
        raise NotImplementedError

    def forward(self, source: Tensor, rung: Tensor, which: Tensor | None = None) -> Prediction:
        """Predict from the views of sources and of B rungs; (B,) `which` says whose source is whose."""
        # One pass over both, so that batch normalisation, where there is any, treats them alike.
        both = self.embed(torch.cat([source, rung]))
        sources, rungs = [one[: len(source)] for one in both], [one[len(source) :] for one in both]
        if which is not None:
            # Not `one[which]`, whose gradient adds up in an order that changes from run to run.
            sources = [one.index_select(0, which) for one in sources]
        return self.compare(sources, rungs)


def per_view(module: Callable[[Tensor], list[Tensor]], views: Tensor) -> list[Tensor]:
    """Features (B, V, ...) of every view, from a module that takes (N, 3, S, S) and gives a list."""
    features: list[Tensor] = module(views.flatten(0, 1))  # (B * V, C, H, W) each
    return [feature.unflatten(0, views.shape[:2]) for feature in features]
