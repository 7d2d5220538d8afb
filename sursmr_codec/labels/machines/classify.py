"""Classifiers: a picture's five most probable classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.labels.machines.geometry import place
from sursmr_codec.labels.machines.heads.base import softmax
from sursmr_codec.labels.machines.machine import NetworkMachine
from sursmr_codec.labels.machines.output import Labels, require_finite
from sursmr_codec.labels.machines.preprocess import NORMALISATIONS
from sursmr_codec.labels.machines.runtimes import Runtime
from sursmr_codec.labels.machines.zoo import MachineRow
from sursmr_codec.types import Pixels

N_BEST = 5


def best_labels(probabilities: NDArray[np.float32]) -> Labels:
    """(C,) probabilities by class index -> the five best; equal ones in order of index.

    Raises UnavailableError for probabilities that are no numbers.
    """
    require_finite(probabilities)
    best = np.argsort(-probabilities, kind="stable")[:N_BEST]
    return Labels(tuple(best.tolist()), tuple(probabilities[best].tolist()))


class Classifier(NetworkMachine):
    """A machine that names what a picture shows."""

    def __init__(self, row: MachineRow, runtime: Runtime) -> None:
        super().__init__(row, runtime)
        remap = row.config.get("remap")
        self._class_of_output = None if remap is None else np.load(row.weights.parent / remap)

    def run(self, rgb: Pixels) -> Labels:
        pixels, _ = place(rgb, self.row.fit, self.row.width, self.row.height)
        raw = self.runtime(NORMALISATIONS[self.row.preprocess](pixels))[0].reshape(-1)
        return best_labels(self._probabilities(raw))

    def _probabilities(self, raw: NDArray[np.generic]) -> NDArray[np.float32]:
        """(C,) network output -> (C,) float32 probabilities by class index."""
        values = raw.astype(np.float32)
        if raw.dtype == np.uint8:
            values /= 255.0
        if self.row.config.get("bg"):
            values = values[1:]
        if self._class_of_output is not None:
            ordered = np.empty_like(values)
            ordered[self._class_of_output] = values
            values = ordered
        return softmax(values) if self.row.config.get("logits") else values
