"""SMR over one's own machines, taken anew from their votes.

A label table's `smr` is of the machines that its makers let vote, and is not defined where fewer than five
count. A model for a few machines is about their own share instead, and cannot ask for five.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.labels.smr import MIN_COUNTING, MIN_COUNTING_TASK, fewest
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.training.data import DOES_NOT_COUNT, LabelledRungs


def own_smr(rungs: LabelledRungs, network: NetworkConfig) -> LabelledRungs:
    """The same rungs, every SMR the share of `network`'s machines that are satisfied among those that count.

    NaN where fewer count than the labels' definition asks for, or than half of them where that is less.
    """
    of_task = {
        "smr": (network.machines, MIN_COUNTING),
        "smr_classification": (network.classifiers, MIN_COUNTING_TASK),
        "smr_detection": (network.detectors, MIN_COUNTING_TASK),
    }
    taken = {
        ratio: _shares(rungs.votes[:, [rungs.machines.index(name) for name in names]], least)
        for ratio, (names, least) in of_task.items()
    }
    return dataclasses.replace(rungs, labels={**rungs.labels, **taken})


def _shares(votes: NDArray[np.uint8], least: int) -> NDArray[np.float32]:
    n_counting = (votes != DOES_NOT_COUNT).sum(axis=1)
    n_satisfied = (votes == 1).sum(axis=1)
    enough = n_counting >= max(1, fewest(votes.shape[1], least))
    shares = np.full(len(votes), np.nan, np.float32)
    shares[enough] = n_satisfied[enough] / n_counting[enough]
    return shares
