"""Pictures to validate on, taken from those to learn from, for labels that were not split."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from sursmr_codec.training.config import DataConfig
from sursmr_codec.training.data import LabelledRungs


def hold_out(rungs: Mapping[str, LabelledRungs], data: DataConfig, seed: int) -> dict[str, LabelledRungs]:
    """Splits in which `data.validation_share` of the training pictures validate, whole pictures at a time.

    At least one picture validates and at least one is learned from; a single picture is learned from. Which
    ones depends on the seed and their names alone.
    """
    train = rungs[data.train]
    drawn = sorted(
        set(train.images), key=lambda image: hashlib.sha256(f"{seed}\0{image}".encode()).hexdigest()
    )
    n_held = min(max(1, round(data.validation_share * len(drawn))), len(drawn) - 1)
    held = np.isin(np.array(train.images, dtype=object), drawn[: max(n_held, 0)])
    return {**rungs, data.train: train.where(~held), data.validation: train.where(held)}
