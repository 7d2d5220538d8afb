"""What became of one source of a batch, how far a batch is, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["done", "unmet", "failed", "skipped"]
"""done: targets met, or the original kept, and written. unmet: targets out of reach; written only with best
effort. failed: an image by name or content that could not be done. skipped: not an image."""

STATUSES: tuple[Status, ...] = ("done", "unmet", "failed", "skipped")

EXTRA_KEYS = ("status", "reason", "retry", "source", "target", "finished")
"""What a batch adds to the keys of a pick's record."""


@dataclass(frozen=True)
class Outcome:
    """The end of one source."""

    source: str
    """Path below the batch's base folder, with `/` between its parts."""
    status: Status
    reason: str | None
    """Why it is not simply done, one line; None where it is."""
    retry: str | None
    """What to do to have it tried again; None where there is nothing to try."""
    finished: str
    """When, in ISO 8601, UTC."""
    record: Mapping[str, Any]
    """The pick's JSON record with `EXTRA_KEYS`; see docs/json.md."""
    target: str | None = None
    """Path of the written file below OUT; None where nothing was written."""
    sha256: str | None = None
    """Digest of the source's bytes; None where they could not be read."""
    output_sha256: str | None = None
    source_bytes: int | None = None
    output_bytes: int | None = None
    source_stamp: str | None = None
    """What shows, without reading it, that the source is the same; None where nothing reliable does."""
    output_stamp: str | None = None


@dataclass(frozen=True)
class Progress:
    """How far a batch is, at one moment."""

    n_total: int | None = None
    """Sources of the batch, skipped ones included; None while they are looked for."""
    n_up_to_date: int = 0
    """Of these, what earlier runs finished."""
    n_left: int = 0
    """Not finished yet."""
    counts: Mapping[Status, int] = field(default_factory=dict)
    """Sources that this run finished, by status."""
    source_bytes: int = 0
    """Size of the sources that this run wrote results of."""
    output_bytes: int = 0
    """Size of what it wrote."""
    seconds: float = 0.0
    """Wall time of this run."""
    working_seconds: float = 0.0
    """That part of it since the first picture was handed out."""
    current: tuple[str, ...] = ()
    """Sources that are being worked on."""

    @property
    def n_worked(self) -> int:
        """Pictures that this run finished."""
        return sum(number for status, number in self.counts.items() if status != "skipped")

    @property
    def saved_bytes(self) -> int:
        """What this run's results are smaller by than their sources."""
        return self.source_bytes - self.output_bytes

    @property
    def rate(self) -> float:
        """Pictures a second; 0 before the first."""
        return self.n_worked / self.working_seconds if self.working_seconds > 0 else 0.0

    @property
    def eta_seconds(self) -> float | None:
        """Wall time until the end at this rate; None before the first picture."""
        return self.n_left / self.rate if self.rate else None
