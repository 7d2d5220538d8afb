"""What is asked of a compressed picture, and how the answer is to be looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sursmr_codec.errors import UsageError

SearchMethod = Literal["binary", "exhaustive"]


@dataclass(frozen=True)
class Targets:
    """What a compressed picture must keep."""

    sur: float = 0.75
    """Least satisfied user ratio, 0..1; 0 switches the target off."""
    smr: float = 0.9
    """Least satisfied machine ratio, 0..1; 0 switches the target off."""
    risk: float | None = None
    """Largest share of picks that may miss in truth; None: the point prediction decides."""

    def __post_init__(self) -> None:
        for name in ("sur", "smr"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise UsageError(f"target {name} must lie in 0..1, not {value}")
        if self.risk is not None and not 0.0 < self.risk < 1.0:
            raise UsageError(f"risk must lie between 0 and 1, not {self.risk}")


@dataclass(frozen=True)
class SearchSettings:
    """How the highest QP is looked for."""

    method: SearchMethod = "binary"
    tolerance: float = 0.0
    """Stop early at a met rung that overshoots its binding ratio by no more than this."""
    min_qp: int | None = None
    """Lowest QP that may be picked; None: the codec's own."""
    max_qp: int | None = None
    """Highest QP that may be picked; None: the codec's own."""
    max_bytes: int | None = None
    """Largest file that may be picked."""

    def __post_init__(self) -> None:
        if self.method not in ("binary", "exhaustive"):
            raise UsageError(f"search must be binary or exhaustive, not {self.method}")
        if not 0.0 <= self.tolerance <= 1.0:
            raise UsageError(f"tolerance must lie in 0..1, not {self.tolerance}")
        if self.max_bytes is not None and self.max_bytes < 1:
            raise UsageError(f"max bytes must be at least 1, not {self.max_bytes}")
