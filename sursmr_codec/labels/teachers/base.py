"""The contract of a teacher: a full-reference metric that stands in for viewers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib.util import find_spec
from typing import ClassVar

import numpy as np

from sursmr_codec.errors import MissingExtra
from sursmr_codec.types import Pixels


class Teacher(ABC):
    """Scores how far a distorted picture is from its reference, on the metric's own scale."""

    id: ClassVar[str]
    higher_is_better: ClassVar[bool]
    score_range: ClassVar[tuple[float, float]]
    """Worst and best score that occur; the best is that of an identical picture."""
    library: ClassVar[str]
    """Import name of the library that computes it."""
    extra: ClassVar[str]
    """The optional part of this package that brings the library."""

    @abstractmethod
    def score(self, reference: Pixels, distorted: Pixels) -> float:
        """Score of `distorted` against `reference`, both (H, W, 3) uint8 sRGB of one shape.

        Pictures below 16 pixels a side are edge-padded, as the metrics are not defined there.
        """

    @abstractmethod
    def version(self) -> str:
        """Library and version, with every setting that changes scores."""

    @classmethod
    def installed(cls) -> bool:
        """Whether the library can be imported; does not import it."""
        return find_spec(cls.library) is not None

    @classmethod
    def require(cls) -> None:
        """Raise MissingExtra where the library is not installed."""
        if not cls.installed():
            raise MissingExtra(cls.library, f"teacher {cls.id}", cls.extra)


def pad_to(pixels: Pixels, smallest: int) -> Pixels:
    """`pixels` edge-padded at the right and bottom to at least `smallest` a side."""
    height, width = pixels.shape[:2]
    below, right = max(0, smallest - height), max(0, smallest - width)
    if not below and not right:
        return pixels
    return np.pad(pixels, ((0, below), (0, right), (0, 0)), mode="edge")
