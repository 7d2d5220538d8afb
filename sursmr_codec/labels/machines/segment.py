"""Segmenters: the class of every pixel, at the network's own resolution."""

from __future__ import annotations

import numpy as np

from sursmr_codec.labels.machines.geometry import place
from sursmr_codec.labels.machines.machine import NetworkMachine
from sursmr_codec.labels.machines.output import Segments
from sursmr_codec.labels.machines.preprocess import NORMALISATIONS
from sursmr_codec.types import Pixels


class Segmenter(NetworkMachine):
    """A machine that names what every pixel belongs to; the network itself takes the best class."""

    def run(self, rgb: Pixels) -> Segments:
        pixels, _ = place(rgb, self.row.fit, self.row.width, self.row.height)
        labels = self.runtime(NORMALISATIONS[self.row.preprocess](pixels))[0][0]
        return Segments(labels.astype(np.uint8))
