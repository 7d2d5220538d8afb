"""Where a search should begin, from the source alone: `start.json` beside a model's graph.

A ratio of a rung is guessed as the logistic function of `f . (a + b x + c x^2)`: f are numbers that the
network's features of the source come down to, x is the logarithm of the quantiser's step, and a, b, c were
fitted to what the model says of rungs of training pictures, one set a codec and ratio. The start is the QP
at which the first of the guesses falls to its target. It decides where a search begins and how many rungs
it tries, never which of them meets the targets. `benchmarks/start.py` makes the file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.asked import Targets
from sursmr_codec.errors import UsageError
from sursmr_codec.interpolating import crossing, wanted
from sursmr_codec.types import Binding

SCHEMA = "sursmr-qp/start/2"
POWERS = 3
"""Of the step's logarithm: constant, linear, square."""
N_MAPS = 4
"""Arrays that `network.fidelity` adds to what is kept of a source."""
SMALLEST = 1e-6
"""Below what a variance is told apart from none."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Axis:
    """What curves of a codec run over."""

    low: int
    """Lowest QP."""
    places: Vector
    """(Q,) logarithm of the quantiser's step from there on, 0 at the lowest QP and 1 at the highest."""


@dataclass(frozen=True, eq=False)
class Start:
    """Guessed curves of ratios over QP, from D numbers of a source."""

    mean: Vector
    """(D,) of the training pictures."""
    curves: Mapping[tuple[str, Binding], Vector]
    """Codec and ratio -> (POWERS, D + 1) weights of a difference from the mean, and last of 1."""
    axes: Mapping[str, Axis]
    """By codec."""

    def qp(self, numbers: Vector, codec: str, targets: Targets, viewed: Vector | None = None) -> int | None:
        """The highest QP that is guessed to meet the targets; None for a codec without curves.

        `numbers` and `viewed` are as for `expected`.
        """
        if codec not in self.axes:
            return None
        axis = self.axes[codec]
        expected, asked = self.expected(numbers, codec, viewed), wanted(targets)
        if not asked.keys() <= expected.keys():
            return None
        rungs = range(axis.low, axis.low + len(axis.places))
        return min(max(math.floor(crossing({}, asked, rungs, expected=expected)), rungs[0]), rungs[-1])

    def expected(
        self, numbers: Vector, codec: str, viewed: Vector | None = None
    ) -> dict[Binding, list[float]]:
        """Ratio -> guessed log-odds at every QP of a codec; empty for a codec without curves.

        `numbers` are (D,), by `numbers_of`; `viewed` are those of what viewers are thought to look at, where
        that is not the whole picture.
        """
        found = {}
        for of, ratio in self.curves:
            if of == codec:
                its = viewed if viewed is not None and ratio == "sur" else numbers
                found[ratio] = self.logits(its, codec, ratio).tolist()
        return found

    def logits(self, numbers: Vector, codec: str, ratio: Binding) -> Vector:
        """(Q,) guessed log-odds of a ratio at every QP of a codec."""
        coefficients = self.curves[codec, ratio] @ np.append(numbers - self.mean, 1.0)
        odds: Vector = np.vander(self.axes[codec].places, POWERS, increasing=True) @ coefficients
        return odds


def numbers_of(features: Sequence[NDArray[np.float32]], n_maps: int, n_pixels: int) -> Vector:
    """(D,) numbers of a source with `n_pixels`, from what a network keeps of it, arrays (1, V, ...).

    The last `n_maps` are those of `network.fidelity`, (1, V, 9, S, S), of which the local variance counts; of
    others that are maps, means over the whole picture and over its squares; the rest is left aside.
    """
    first_map = len(features) - n_maps
    found = [np.array([math.log(n_pixels)])]
    for i, one in enumerate(features):
        if one.ndim != 5:
            continue
        each = _variances(one[0]) if i >= first_map else one[0].mean(axis=(-2, -1), dtype=np.float64)
        found += [each[0], each[1:].mean(axis=0)] if len(each) > 1 else [each[0]]
    return np.concatenate(found)


def _variances(maps: NDArray[np.float32]) -> Vector:
    """(V, 9, S, S) pictures, local means and mean squares to (V, 6): log mean and mean log of variances."""
    variances = np.maximum(maps[:, 6:] - np.square(maps[:, 3:6]), 0.0) + np.float32(SMALLEST)
    of_means = np.log(variances.mean(axis=(-2, -1), dtype=np.float64))
    return np.concatenate([of_means, np.log(variances).mean(axis=(-2, -1), dtype=np.float64)], axis=1)


def read(path: Path, sha256: str) -> Start | None:
    """The start of the model with that digest; None where the file is absent or another model's.

    Raises UsageError for a file that is none.
    """
    try:
        said: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if said["model"]["sha256"] != sha256:
            return None
        curves = {(row["codec"], row["ratio"]): np.array(row["weights"]) for row in said["curves"]}
        axes = {codec: Axis(int(one["low"]), np.array(one["places"])) for codec, one in said["axes"].items()}
        start = Start(np.array(said["mean"]), curves, axes)
        if any(one.shape != (POWERS, len(start.mean) + 1) for one in curves.values()):
            raise ValueError("shapes do not fit")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} holds no start of a search: {error!r}") from error
    return start
