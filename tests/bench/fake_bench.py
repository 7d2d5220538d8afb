"""A predictor whose scores follow from QP and the picture's first pixel, and pictures for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from sursmr_codec.predict.base import Embedding, Predictor
from sursmr_codec.types import PredictorSummary, Score

SENSITIVITIES = (80, 100, 120, 160, 200, 250)
"""Of the pictures: how fast their SUR falls."""


@dataclass
class Pixel(Embedding):
    """The first pixel's red."""

    red: int


class Sloped(Predictor):
    """SUR is 1 at QP 0 and falls by red / 10000 a QP; with `shift`, as if QP were that much higher.

    SMR is 0.95 throughout, or not defined for pictures whose red is in `blind`.
    """

    id = "sloped"

    def __init__(self, shift: int = 0, blind: tuple[int, ...] = ()) -> None:
        self.shift, self.blind = shift, blind
        self.scored: list[tuple[int, int]] = []

    def embed(self, source):
        return Pixel(int(source.rgb[0, 0, 0]))

    def score(self, embedding, rungs):
        self.scored += [(embedding.red, rung.qp) for rung in rungs]
        smr = None if embedding.red in self.blind else 0.95
        return [Score(max(0.0, 1 - (rung.qp + self.shift) * embedding.red / 10000), smr) for rung in rungs]

    def summary(self):
        return PredictorSummary("sloped", f"{self.shift}", "calibrated/pixel")


def highest(red: int, sur: float, shift: int = 0) -> int:
    """The true highest JPEG QP of a picture at a target."""
    return max(qp for qp in range(1, 101) if 1 - (qp + shift) * red / 10000 >= sur)


def make_pictures(folder: Path) -> Path:
    """Noisy pictures of 32x24, one for each of `SENSITIVITIES`."""
    folder.mkdir(exist_ok=True)
    for number, red in enumerate(SENSITIVITIES):
        pixels = np.random.default_rng(red).integers(0, 256, (24, 32, 3), dtype=np.uint8)
        pixels[0, 0, 0] = red
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder
