"""What all networks end in: a three-layer MLP with bounded outputs, and ratios put together from votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sursmr_codec.network.config import NetworkConfig


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network says of B rungs."""

    ratios: Tensor
    """(B, R) in 0..1, in the order of `NetworkConfig.ratios`."""
    satisfied: Tensor | None = None
    """(B, M) logits that each machine, where it counts, is satisfied; None without machines' outputs."""
    counting: Tensor | None = None
    """(B, M) logits that each machine counts; None without machines' outputs."""


class RatioHead(nn.Module):
    """Three layers to the configured outputs, each in 0..1.

    With machines, SUR is an output and every SMR follows from the machines' own: the expected number of
    satisfied ones among the expected number that count.
    """

    def __init__(
        self, channels: int, config: NetworkConfig, hidden: Sequence[int] = (), dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.config = config
        self.direct = [name for name in config.ratios if name == "sur" or not config.machines]
        n_outputs = len(self.direct) + 2 * len(config.machines)
        wide, narrow = hidden or (max(channels // 2, 4), max(channels // 4, 4))
        self.mlp = nn.Sequential(
            *(nn.Linear(channels, wide), nn.GELU(), nn.Dropout(dropout)),
            *(nn.Linear(wide, narrow), nn.GELU(), nn.Dropout(dropout)),
            nn.Linear(narrow, n_outputs),
        )

    def forward(self, token: Tensor) -> Prediction:
        """(B, channels) to a prediction of B rungs."""
        outputs = self.mlp(token).float()
        direct = outputs[:, : len(self.direct)].sigmoid()  # (B, D)
        if not self.config.machines:
            return Prediction(direct)
        satisfied, counting = outputs[:, len(self.direct) :].chunk(2, dim=1)  # (B, M) each
        columns = [
            direct[:, self.direct.index(name)]
            if name in self.direct
            else self._smr(name, satisfied, counting)
            for name in self.config.ratios
        ]
        return Prediction(torch.stack(columns, dim=1), satisfied, counting)

    def _smr(self, name: str, satisfied: Tensor, counting: Tensor) -> Tensor:
        n_classifiers = len(self.config.classifiers)
        of_task = {"smr": slice(None)} | {
            "smr_classification": slice(n_classifiers),
            "smr_detection": slice(n_classifiers, None),
        }
        counts = counting[:, of_task[name]].sigmoid()
        votes = counts * satisfied[:, of_task[name]].sigmoid()
        return votes.sum(dim=1) / counts.sum(dim=1).clamp_min(1e-6)
