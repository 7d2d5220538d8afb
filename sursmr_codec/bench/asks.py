"""What is asked of one image, and what is answered: small values that travel between processes."""

from __future__ import annotations

from dataclasses import dataclass

from sursmr_codec.types import Score


@dataclass(frozen=True)
class AskPick:
    """Pick, and judge the picked file."""

    image: str
    codec: str


@dataclass(frozen=True)
class AskRung:
    """Judge the file at a QP."""

    image: str
    codec: str
    qp: int


@dataclass(frozen=True)
class AskHighest:
    """Judge the files at some QPs, from the highest down, until one meets the targets."""

    image: str
    codec: str
    qps: tuple[int, ...]
    """In rising order."""


@dataclass(frozen=True)
class AskSearch:
    """Search the highest QP at which a metric is no worse than a threshold, and judge that file."""

    image: str
    codec: str
    metric: str
    threshold: float


@dataclass(frozen=True)
class AskMetric:
    """A metric's score of the file at a QP."""

    image: str
    codec: str
    metric: str
    qp: int


Ask = AskPick | AskRung | AskHighest | AskSearch | AskMetric


@dataclass(frozen=True)
class Judged:
    """A file, and what is true of it."""

    qp: int
    n_bytes: int
    truth: Score
    """Of this very file: it was encoded, decoded and scored at its own QP."""
    met: bool | None
    """Whether it meets the targets; None where a ratio that is asked for is not defined for the image."""
    n_encodes: int = 1
    """Files that were encoded to find it."""


@dataclass(frozen=True)
class Picked:
    """A pick, with what was promised and what is true."""

    file: Judged
    promised: Score
    """What the predictor said."""
    reachable: bool
    """Whether it said that the targets are met; if not, the file is its best effort."""
    seconds: float
    """Wall time of the pick, reading included."""
    sha256: str | None
    """Of the source file."""
    width: int
    height: int
    source_bytes: int | None


Answer = Picked | Judged | float | None
"""None where no QP of an AskHighest meets the targets; a number for an AskMetric."""
