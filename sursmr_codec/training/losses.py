"""What training makes small: equation 4 of arXiv 2412.17477 (2024), https://arxiv.org/abs/2412.17477."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from sursmr_codec.network.heads import Prediction
from sursmr_codec.training.batches import Batch
from sursmr_codec.training.data import DOES_NOT_COUNT

MOST = 2.0
"""Largest error of a probit that is learned from: beyond, SUR is 0 or 1 whatever the score."""


def loss(
    prediction: Prediction,
    batch: Batch,
    weights: Tensor,
    votes_weight: float = 0.0,
    teachers_weight: float = 0.0,
) -> Tensor:
    """Weighted sum of the mean absolute errors of the ratios, (R,) `weights`; scalar, never NaN.

    A ratio's mean is over the rungs for which it is defined. With machines, `votes_weight` times the
    cross-entropy of "counts", over all votes, and of "satisfied", over those that count, is added; with
    teachers, `teachers_weight` times the mean absolute error of their probits.
    """
    known = ~batch.ratios.isnan()  # (B, R)
    # An unknown label is taken as predicted, for a NaN would pass any mask on its way back.
    labels = torch.where(known, batch.ratios, prediction.ratios.detach())
    errors = (prediction.ratios - labels).abs().sum(dim=0) / known.sum(dim=0).clamp_min(1)
    total = (weights * errors).sum()
    if votes_weight and prediction.counting is not None and prediction.satisfied is not None:
        counts = (batch.votes != DOES_NOT_COUNT).float()  # (B, M)
        satisfied = (batch.votes == 1).float()
        counting = F.binary_cross_entropy_with_logits(prediction.counting, counts)
        each = F.binary_cross_entropy_with_logits(prediction.satisfied, satisfied, reduction="none")
        total = total + votes_weight * (counting + (each * counts).sum() / counts.sum().clamp_min(1))
    if teachers_weight and prediction.teachers is not None:
        scored = ~batch.teachers.isnan()  # (B, T)
        probits = torch.where(scored, batch.teachers, prediction.teachers.detach())
        off = (prediction.teachers - probits).abs().clamp_max(MOST)
        total = total + teachers_weight * off.sum() / scored.sum().clamp_min(1)
    return total
