"""From predicted scores of teachers to SUR, through the psychometric curves of protocol `calibrated`.

A score is predicted as the probit of the SUR that its curve makes of it: an unbounded number in which equal
steps matter about equally, whatever the teacher's own scale.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sursmr_codec.labels import protocols

PROTOCOL = "calibrated"
HIGHEST = 5.0
"""Probit of a picture that nobody tells from its source; labels are cut off here."""


class Curves(nn.Module):
    """The curves of some teachers, kept with the weights that were trained on them."""

    median: Tensor
    spread: Tensor
    top: Tensor
    of_distance: Tensor

    def __init__(self, teachers: Sequence[str]) -> None:
        super().__init__()
        curves = [protocols.load(PROTOCOL).curves[teacher] for teacher in teachers]
        for name in ("median", "spread", "top"):
            self.register_buffer(name, torch.tensor([float(getattr(curve, name)) for curve in curves]))
        self.register_buffer("of_distance", torch.tensor([curve.kind == "lognormal" for curve in curves]))

    def probits(self, scores: Tensor) -> Tensor:
        """(N, T) scores to probits, at most `HIGHEST`; NaN stays NaN."""
        distance = (self.top - scores).clamp_min(1e-9)
        of_distance = (self.median / distance).log() / self.spread
        of_score = (scores - self.median) / self.spread
        return torch.where(self.of_distance, of_distance, of_score).clamp(-2.0 * HIGHEST, HIGHEST)

    def scores(self, probits: Tensor) -> Tensor:
        """(N, T) probits to scores."""
        of_distance = self.top - self.median * (-self.spread * probits).exp()
        return torch.where(self.of_distance, of_distance, self.median + self.spread * probits)

    def sur(self, probits: Tensor) -> Tensor:
        """(N, T) probits to (N,) SUR: the mean of what the teachers say."""
        each: Tensor = 0.5 * (1.0 + torch.erf(probits / 2.0**0.5))
        return each.mean(dim=1)
