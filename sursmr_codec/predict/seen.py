"""What a trained network keeps of a source: features of the whole, and of parts that viewers look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.predict.base import Embedding
from sursmr_codec.types import Source


@dataclass(frozen=True, eq=False)
class Window:
    """A part of a source that viewers are thought to look at."""

    place: tuple[slice, slice]
    """Rows and columns."""
    features: Sequence[Any]

    @property
    def n_pixels(self) -> int:
        """Its area."""
        rows, columns = self.place
        area: int = (rows.stop - rows.start) * (columns.stop - columns.start)
        return area


class TrainedEmbedding(Embedding):
    """The source, its features, and how many machines its latest rungs were expected to count."""

    def __init__(self, source: Source, features: Sequence[Any]) -> None:
        self.source, self.features = source, features
        self.windows: tuple[Window, ...] = ()
        """Of a large picture; viewers see a small one whole."""
        self.numbers: NDArray[np.float64] | None = None
        """What a guess of its ratios rests on, once that was asked for."""
        self.viewed: NDArray[np.float64] | None = None
        """The same of its windows."""
        self.n_counting: float | None = None
        self.distance: float | None = None
        """From the training pictures: beyond 1 it is unlike them; None where nothing is known of these."""
