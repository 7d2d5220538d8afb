"""A trained head's weights for a head with other outputs: other machines, other viewers.

What both heads say keeps its weights. A machine that is new begins as the average of the known ones of its
task, and SUR without teachers where the teachers' mean was, so that training starts near the earlier network.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sursmr_codec.network.base import PairNetwork
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.network.heads import Output

LOGITS_A_PROBIT = 1.702
"""Logistic function of this many times x is nearest to the normal distribution's function of x."""
_LAST = "head.mlp.6"
"""The layer whose rows are the outputs."""


def carry_over(network: PairNetwork, earlier: PairNetwork) -> None:
    """Give `network` the weights of an `earlier` one, which may have other outputs.

    Raises RuntimeError where more than the outputs differs.
    """
    tensors = dict(earlier.state_dict())
    known: Sequence[Output] = earlier.head.outputs
    for name in (f"{_LAST}.weight", f"{_LAST}.bias"):
        rows = [
            _row(tensors[name], output, known, earlier.config, network.config)
            for output in network.head.outputs
        ]
        tensors[name] = torch.stack(rows)
    expected = network.state_dict()
    # Constants of psychometric curves come and go with the teachers.
    tensors = {name: one for name, one in tensors.items() if not name.startswith("head.curves.")}
    tensors |= {name: one for name, one in expected.items() if name.startswith("head.curves.")}
    network.load_state_dict(tensors)


def _row(
    rows: Tensor, output: Output, known: Sequence[Output], before: NetworkConfig, now: NetworkConfig
) -> Tensor:
    """The weights that an output begins with."""
    if output in known:
        return rows[known.index(output)]
    part, name = output
    if part == "ratio":
        teachers = [i for i, (other, _) in enumerate(known) if other == "teacher"]
        if name == "sur" and teachers:
            return LOGITS_A_PROBIT * rows[teachers].mean(dim=0)
        return torch.zeros_like(rows[0])
    peers = _of_task(before, _task(now, name)) if part != "teacher" else ()
    alike = [i for i, one in enumerate(known) if one[0] == part and one[1] in peers]
    alike = alike or [i for i, one in enumerate(known) if one[0] == part]
    return rows[alike].mean(dim=0) if alike else torch.zeros_like(rows[0])


def _task(config: NetworkConfig, machine: str) -> str:
    return next(task for task in ("classifiers", "detectors", "others") if machine in getattr(config, task))


def _of_task(config: NetworkConfig, task: str) -> tuple[str, ...]:
    machines: tuple[str, ...] = getattr(config, task)
    return machines
