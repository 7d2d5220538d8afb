"""What a batch run comes to: counts, bytes, and how QP, SUR and SMR are spread."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from sursmr_codec.records import Record

STATUSES = ("done", "unmet", "failed", "skipped")
BINDINGS = ("sur", "smr", "range", "max_bytes")
_MOST_BARS = 24


@dataclass(frozen=True)
class Histogram:
    """How often the values of one quantity fall between rising edges."""

    name: str
    edges: tuple[float, ...]
    """One more than bars; a bar holds its lower edge, and a ratio of 1 stands in the bar below it."""
    counts: tuple[int, ...]
    low: float
    middle: float
    """Median."""
    high: float

    @property
    def n_values(self) -> int:
        """Pictures that have a value."""
        return sum(self.counts)


@dataclass(frozen=True)
class Totals:
    """A whole run."""

    n_sources: int
    by_status: dict[str, int]
    """Every status, also those that none has."""
    by_binding: dict[str, int]
    """What binds the picks; every binding, also those that none has."""
    n_results: int
    """Sources with a result: a rung, or the original kept."""
    n_kept: int
    """Originals kept as they are."""
    source_bytes: int
    """Of the sources with a result."""
    result_bytes: int
    histograms: tuple[Histogram, ...]

    @property
    def saved_bytes(self) -> int:
        """Negative where the results are larger."""
        return self.source_bytes - self.result_bytes

    @property
    def saved_percent(self) -> float | None:
        """Of the sources with a result; None without any."""
        return 100.0 * self.saved_bytes / self.source_bytes if self.source_bytes else None


def add_up(records: Sequence[Record]) -> Totals:
    """The totals of a run's records."""
    statuses = Counter(record["status"] for record in records)
    results = [record for record in records if record["n_bytes"] is not None]
    picks = [record for record in results if not record["kept_original"]]
    bindings = Counter(record["binding"] for record in picks)
    spread = {
        "QP": [record["qp"] for record in picks],
        "SUR": [record["sur"] for record in picks if record["sur"] is not None],
        "SMR": [record["smr"] for record in picks if record["smr"] is not None],
    }
    return Totals(
        n_sources=len(records),
        by_status={status: statuses[status] for status in STATUSES},
        by_binding={binding: bindings[binding] for binding in BINDINGS},
        n_results=len(results),
        n_kept=len(results) - len(picks),
        source_bytes=sum(record["input"]["n_bytes"] or 0 for record in results),
        result_bytes=sum(record["n_bytes"] for record in results),
        histograms=tuple(
            histogram(name, values, **({"finest": 1.0} if name == "QP" else {"finest": 0.005, "most": 1.0}))
            for name, values in spread.items()
            if values
        ),
    )


def histogram(name: str, values: Sequence[float], *, finest: float, most: float = math.inf) -> Histogram:
    """Bars of one round width (1, 2 or 5 times a power of ten, at least `finest`), few enough to be read.

    No bar begins at `most`, the largest value there can be.
    """
    low, high = min(values), max(values)
    width = finest
    while (n_bars := _bar(high, width, most) - _bar(low, width, most) + 1) > _MOST_BARS:
        width = _wider(width)
    first = _bar(low, width, most)
    counts = Counter(_bar(value, width, most) - first for value in values)
    return Histogram(
        name=name,
        edges=tuple(round((first + bar) * width, 6) for bar in range(n_bars + 1)),
        counts=tuple(counts[bar] for bar in range(n_bars)),
        low=low,
        middle=median(values),
        high=high,
    )


def _bar(value: float, width: float, most: float) -> int:
    # 0.15 / 0.05 is a little below 3.
    bar = math.floor(value / width + 1e-9)
    return min(bar, math.ceil(most / width - 1e-9) - 1) if math.isfinite(most) else bar


def _wider(width: float) -> float:
    power = 10.0 ** math.floor(math.log10(width) + 1e-9)
    return {1: 2.0, 2: 5.0, 5: 10.0}[round(width / power)] * power
