"""Bytes at an equal share of images that meet the targets: pure functions on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]

_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Family:
    """A baseline of which one setting is chosen, at all of its settings that were tried."""

    settings: tuple[float, ...]
    """K of them, from the best quality down."""
    met: Flags
    """(N, K): whether the image's file at the setting meets the targets."""
    n_bytes: Counts
    """(N, K): its size."""

    def bytes_at(self, wanted: float, weights: Counts | None = None) -> float:
        """The fewest bytes in total at which that share of images meets the targets; NaN where none does.

        `weights` (N,) counts each image so many times. See `bytes_at_share`.
        """
        return bytes_at_share(*self.curve(weights), wanted)

    def curve(self, weights: Counts | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Share of images that meet the targets, and bytes in total, each (K,)."""
        chosen = np.ones(len(self.met), np.int64) if weights is None else weights
        return chosen @ self.met / chosen.sum(), (chosen @ self.n_bytes).astype(float)

    def chosen(self, wanted: float) -> int | None:
        """Index of the one setting with the fewest bytes that reaches the share; None where none does."""
        shares, totals = self.curve()
        reaching = np.flatnonzero(shares >= wanted - _ROUNDING)
        return int(reaching[np.argmin(totals[reaching])]) if reaching.size else None


def bytes_at_share(shares: NDArray[np.float64], totals: NDArray[np.float64], wanted: float) -> float:
    """The fewest bytes in total at exactly the share `wanted`, in the baseline's favour.

    `shares` and `totals`, each (K,), are those of K settings from the best quality down. Between a setting
    that reaches the share and a neighbour that does not lies what a mix of both costs, some images at the
    one and some at the other: a single setting would overshoot the share, and so pay for more than is
    compared. NaN where no setting reaches it.
    """
    enough = shares >= wanted - _ROUNDING
    costs = list(totals[enough])
    for k in np.flatnonzero(enough[1:] != enough[:-1]):
        reaching, falling = (k, k + 1) if enough[k] else (k + 1, k)
        part = (shares[reaching] - wanted) / (shares[reaching] - shares[falling])
        costs.append(totals[reaching] + max(0.0, part) * (totals[falling] - totals[reaching]))
    return float(min(costs, default=np.nan))


def saved_percent(n_bytes: float, baseline: float) -> float:
    """Bytes saved against a baseline, in percent; negative where there are more of them."""
    return 100.0 * (1.0 - n_bytes / baseline)
