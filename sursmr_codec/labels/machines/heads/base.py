"""What a detection head is, and the arithmetic that the families share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float32]
Config = Mapping[str, Any]


@dataclass(frozen=True)
class InputSize:
    """The network's input, in pixels."""

    width: int
    height: int

    @property
    def corners(self) -> Floats:
        """(4,) width, height, width, height: turns corners in 0..1 into input pixels."""
        return np.array([self.width, self.height] * 2, np.float32)

    def cells(self, stride: int) -> tuple[int, int]:
        """Rows and columns of the grid at a stride; a cell that is cut off counts."""
        return -(-self.height // stride), -(-self.width // stride)


@dataclass(frozen=True, eq=False)
class Candidates:
    """What a head found, before suppression and any threshold."""

    xyxy: Floats
    """(N, 4) left, top, right, bottom in input pixels."""
    scores: Floats
    """(N,) 0..1."""
    classes: NDArray[np.int64]
    """(N,) class indices."""

    @classmethod
    def best_class(cls, xyxy: Array, scores: Array) -> Candidates:
        """Give every box its best class: (N, 4) corners and (N, C) scores; the first of equals wins."""
        classes = scores.argmax(axis=1)
        best = np.take_along_axis(scores, classes[:, None], axis=1)[:, 0]
        return cls(xyxy.astype(np.float32), best.astype(np.float32), classes.astype(np.int64))


@dataclass(frozen=True)
class Head:
    """One family's way of writing boxes into tensors."""

    decode: Callable[[Sequence[Array], Config, InputSize], Candidates]
    """Outputs of the network, the row's config and the input size -> candidates."""
    required: frozenset[str] = frozenset()
    """Config keys that a row of this family must have."""
    optional: frozenset[str] = frozenset()
    """Config keys that a row of this family may have."""
    suppresses: bool = False
    """Whether the network itself has already removed overlapping boxes."""


def sigmoid(x: Array) -> Array:
    """Logistic function; the clip keeps `exp` from overflowing and is far inside saturation."""
    probabilities: Array = 1.0 / (1.0 + np.exp(-np.clip(x, -60.0, 60.0)))
    return probabilities


def softmax(x: Array) -> Array:
    """Softmax over the last axis."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    probabilities: Array = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities


def grid(rows: int, columns: int) -> Floats:
    """(rows * columns, 2) column and row of every cell, row by row."""
    y, x = np.mgrid[:rows, :columns]
    return np.stack([x, y], axis=-1).reshape(-1, 2).astype(np.float32)


def corners_from_centre(centre: Array, size: Array) -> Array:
    """(N, 2) centres and (N, 2) widths and heights -> (N, 4) corners."""
    return np.concatenate([centre - size / 2, centre + size / 2], axis=1)


def corners_from_distances(anchor: Array, distances: Array) -> Array:
    """(N, 2) points and (N, 4) distances to left, top, right, bottom -> (N, 4) corners."""
    return np.concatenate([anchor - distances[:, :2], anchor + distances[:, 2:]], axis=1)
