"""What all networks end in: a three-layer MLP with bounded outputs, and ratios put together from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.network.viewers import Curves

Part = Literal["ratio", "teacher", "satisfied", "counting"]
Output = tuple[Part, str]
"""What one number of a head's last layer says, and of whom."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network says of B rungs."""

    ratios: Tensor
    """(B, R) in 0..1, in the order of `NetworkConfig.ratios`."""
    satisfied: Tensor | None = None
    """(B, M) logits that each machine, where it counts, is satisfied; None without machines' outputs."""
    counting: Tensor | None = None
    """(B, M) logits that each machine counts; None without machines' outputs."""
    teachers: Tensor | None = None
    """(B, T) teachers' scores as probits, see `viewers`; None without teachers' outputs."""


class RatioHead(nn.Module):
    """Three layers to the configured outputs, each ratio in 0..1.

    With teachers, SUR follows from their predicted scores. With machines, every SMR follows from the
    machines' own outputs: the expected number of satisfied ones among the expected number that count.
    """

    def __init__(
        self, channels: int, config: NetworkConfig, hidden: Sequence[int] = (), dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.config = config
        self.direct = [
            name for name in config.ratios if not (config.teachers if name == "sur" else config.machines)
        ]
        self.curves = Curves(config.teachers) if config.teachers else None
        self._parts = [len(self.direct), len(config.teachers), len(config.machines), len(config.machines)]
        wide, narrow = hidden or (max(channels // 2, 4), max(channels // 4, 4))
        self.mlp = nn.Sequential(
            *(nn.Linear(channels, wide), nn.GELU(), nn.Dropout(dropout)),
            *(nn.Linear(wide, narrow), nn.GELU(), nn.Dropout(dropout)),
            nn.Linear(narrow, sum(self._parts)),
        )

    @property
    def outputs(self) -> tuple[Output, ...]:
        """What each number of the last layer is about, in order."""
        machines = self.config.machines
        parts: dict[Part, Sequence[str]] = {
            "ratio": self.direct,
            "teacher": self.config.teachers,
            "satisfied": machines,
            "counting": machines,
        }
        return tuple((part, name) for part, names in parts.items() for name in names)

    def forward(self, token: Tensor) -> Prediction:
        """(B, channels) to a prediction of B rungs."""
        outputs = self.mlp(token).float().split(self._parts, dim=1)
        direct, teachers, satisfied, counting = outputs
        columns = []
        for name in self.config.ratios:
            if name in self.direct:
                columns.append(direct[:, self.direct.index(name)].sigmoid())
            elif name == "sur" and self.curves is not None:
                columns.append(self.curves.sur(teachers))
            else:
                columns.append(self._smr(name, satisfied, counting))
        ratios = torch.stack(columns, dim=1)
        if not self.config.machines:
            satisfied = counting = None
        return Prediction(ratios, satisfied, counting, teachers if self.config.teachers else None)

    def _smr(self, name: str, satisfied: Tensor, counting: Tensor) -> Tensor:
        n_classifiers, n_detectors = len(self.config.classifiers), len(self.config.detectors)
        of_task = {
            "smr": slice(None),
            "smr_classification": slice(n_classifiers),
            "smr_detection": slice(n_classifiers, n_classifiers + n_detectors),
        }
        counts = counting[:, of_task[name]].sigmoid()
        votes = counts * satisfied[:, of_task[name]].sigmoid()
        return votes.sum(dim=1) / counts.sum(dim=1).clamp_min(1e-6)


def named_outputs(network: nn.Module, prediction: Prediction) -> dict[str, Tensor]:
    """What a user of a trained network is given of B rungs, by name.

    `ratios` (B, R); with teachers `teachers` (B, T), their scores; with machines `satisfied` and `counting`
    (B, M), probabilities.
    """
    found = {"ratios": prediction.ratios}
    if prediction.teachers is not None:
        found["teachers"] = network.head.curves.scores(prediction.teachers)
    if prediction.satisfied is not None and prediction.counting is not None:
        found |= {"satisfied": prediction.satisfied.sigmoid(), "counting": prediction.counting.sigmoid()}
    return found
