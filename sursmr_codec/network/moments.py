"""A predictor for frozen backbones: statistics of the features of both pictures, and an MLP.

Unlike in the paper's model, the magnitude of differences is kept, the content of the source stands beside
them, and a classifier says how its opinion changed. Nothing between backbone and MLP is learned, so the
inputs can be computed once and the MLP trained in minutes. Distances between deep features go back to Zhang
et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018,
https://arxiv.org/abs/1801.03924.
"""

from __future__ import annotations

from collections.abc import Sequence

import timm
import torch
from torch import Tensor, nn

from sursmr_codec.network.base import PairNetwork, per_view
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.network.extractor import Extractor, Normalise, check_backbone
from sursmr_codec.network.fidelity import N_SCALES, N_STATISTICS, Fidelity
from sursmr_codec.network.heads import Prediction, RatioHead

N_TOP = 5
"""Highest probabilities of an opinion that are looked at."""
N_OPINION = 2 * N_TOP + 8
"""Numbers that `opinion` gives."""
VERSION = 1
"""Rises whenever `Moments.describe` says other numbers of the same features, so that no cache outlives it."""
SMALLEST = 1e-3
"""Below what an activation is told apart from none."""


class ClassifyingExtractor(nn.Module):
    """A whole classifier: features of its stages, finest first, and last its logits."""

    def __init__(self, backbone: str) -> None:
        super().__init__()
        check_backbone(backbone)
        self.normalise = Normalise(backbone)
        self.body = timm.create_model(backbone, pretrained=False)
        self.channels = tuple(stage["num_chs"] for stage in self.body.feature_info)

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """(N, 3, H, W) uint8 or float 0..255 RGB to one (N, C_l, H_l, W_l) a stage, and (N, K)."""
        top, features = self.body.forward_intermediates(self.normalise(rgb))
        return [*features, self.body.forward_head(top)]


class Moments(PairNetwork):
    """Per channel the mean of F0, and mean and mean square of |F0 - Fq|, over the whole picture and crops."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        make = ClassifyingExtractor if config.semantic else Extractor
        self.extractor = make(config.backbone)
        n_kinds = 2 if config.n_crops else 1
        self.fidelity = Fidelity(config.size) if config.fidelity else None
        per_kind = 3 * sum(self.extractor.channels) + (N_STATISTICS if config.fidelity else 0)
        n_inputs = n_kinds * per_kind + (N_OPINION if config.semantic else 0)
        # Inputs differ in scale by orders of magnitude; their statistics are learned as buffers.
        self.standardise = nn.BatchNorm1d(n_inputs, affine=False)
        self.drop = nn.Dropout(config.dropout)
        self.head = RatioHead(n_inputs, config, (config.hidden, config.hidden // 2), config.dropout)

    def embed(self, views: Tensor) -> list[Tensor]:
        """Features (B, V, C_l, H_l, W_l) of each layer; with `semantic`, then the logits (B, V, K); with
        `fidelity`, last its maps, coarser from one to the next."""
        seen = per_view(self.extractor, views)
        return seen if self.fidelity is None else seen + per_view(self.fidelity.embed, views)

    def compare(self, source: Sequence[Tensor], rung: Sequence[Tensor]) -> Prediction:
        return self.regress(self.describe(source, rung))

    def describe(self, source: Sequence[Tensor], rung: Sequence[Tensor]) -> Tensor:
        """(B, D) numbers, none of which depends on a weight behind the backbone."""
        n_layers = len(self.extractor.channels)
        each = [_moments(f0.float(), fq.float()) for f0, fq in zip(source[:n_layers], rung, strict=False)]
        if self.fidelity is not None:
            each.append(self._changed(source[-N_SCALES:], rung[-N_SCALES:]))
        views = torch.cat(each, dim=-1)  # (B, V, 3 * sum of C_l and N_STATISTICS)
        numbers = [views[:, 0]]
        if self.config.n_crops:
            numbers.append(views[:, 1:].mean(dim=1))
        if self.config.semantic:
            # Machines look at the whole picture, so the crops' opinions are left aside.
            numbers.append(opinion(source[n_layers][:, 0].float(), rung[n_layers][:, 0].float()))
        return torch.cat(numbers, dim=-1)

    def _changed(self, source: Sequence[Tensor], rung: Sequence[Tensor]) -> Tensor:
        """Maps of both pictures to (B, V, N_STATISTICS)."""
        assert self.fidelity is not None
        n, v = rung[0].shape[:2]
        flat = [one.expand(n, *one.shape[1:]).flatten(0, 1) for one in source]
        statistics = self.fidelity.compare(flat, [one.flatten(0, 1) for one in rung])
        return statistics.unflatten(0, (n, v))

    def regress(self, numbers: Tensor) -> Prediction:
        """(B, D) numbers of `describe` to a prediction of B rungs."""
        prediction: Prediction = self.head(self.drop(self.standardise(numbers)))
        return prediction


def _moments(f0: Tensor, fq: Tensor) -> Tensor:
    """Two maps (B, V, C, H, W) to (B, V, 3 C)."""
    difference = f0 - fq
    content = f0.mean(dim=(-2, -1))
    absolute = difference.abs().mean(dim=(-2, -1))
    square = difference.square().mean(dim=(-2, -1))
    # Differences span decades along a ladder.
    spread = [(absolute + SMALLEST).log(), (square + SMALLEST**2).log()]
    return torch.cat([content.expand_as(absolute), *spread], dim=-1)


def opinion(source: Tensor, rung: Tensor) -> Tensor:
    """How a classifier's opinion changed: logits (1 or B, K) and (B, K) to (B, N_OPINION).

    The highest probabilities on both, sorted; the probability that the rung leaves to the source's class;
    margins, entropies, and how far the two distributions are apart.
    """
    source = source.expand_as(rung)
    p0, pq = source.softmax(dim=-1), rung.softmax(dim=-1)
    top0, best = p0.topk(N_TOP, dim=-1)  # (B, 5)
    topq = pq.topk(N_TOP, dim=-1).values
    kept = pq.gather(1, best)  # (B, 5)
    overlap = (p0 * pq).sqrt().sum(dim=-1, keepdim=True)
    entropy0 = torch.special.entr(p0).sum(dim=-1, keepdim=True)
    entropyq = torch.special.entr(pq).sum(dim=-1, keepdim=True)
    lost = rung.amax(dim=-1, keepdim=True) - rung.gather(1, best[:, :1])  # 0 where the class is kept
    margin0, marginq = top0[:, :1] - top0[:, 1:2], topq[:, :1] - topq[:, 1:2]
    changes = [kept[:, :1], kept.sum(dim=-1, keepdim=True), overlap, lost]
    certainty = [entropy0, entropyq, margin0, marginq]
    return torch.cat([top0, topq, *changes, *certainty], dim=-1)
