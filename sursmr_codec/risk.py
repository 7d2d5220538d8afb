"""What a pick risks: how often picks miss in truth, and by how much a ratio may be lower than predicted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Margins:
    """How many times higher than predicted the odds of being dissatisfied may be; 1: as predicted."""

    sur: float = 1.0
    smr: float = 1.0


@dataclass(frozen=True)
class Misses:
    """How often picks without a risk set miss a target in truth, on pictures that nothing was chosen on."""

    n_picks: int
    percent: float
    shortfall: float
    """By how much those that miss do so, on average."""
    at: str = ""
    """The targets of those picks in words, where they are not the ones that were asked."""
    risk: float | None = None
    """One that can be asked for instead, for fewer misses; None where there is none."""


def lowered(ratio: float | None, factor: float) -> float | None:
    """The ratio 0..1 at which the odds of being dissatisfied are `factor` times those of `ratio`.

    A ratio of 0 or 1 stays as it is; None where there is none.
    """
    if ratio is None:
        return None
    return ratio / (ratio + factor * (1.0 - ratio)) if 0.0 < ratio < 1.0 else ratio
