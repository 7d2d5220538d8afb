"""Many images at once: a folder of any size, stopped and taken up again at any moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["records"]

STATE_FOLDER = ".sursmr-qp"
"""In OUT: journal, lock and report."""


def records(out: str | Path) -> Iterator[dict[str, Any]]:
    """What became of each source of the batch in the folder `out`, finished or still running.

    One object a source, in the order of the listing: the record of `pick --json` (docs/json.md) with the
    keys `status` ("done", "unmet", "failed", "skipped"), `reason` and `retry` (text or None), `source` and
    `target` (paths below the input and the output folder, `/` between their parts; the target is None where
    nothing was written) and `finished` (ISO 8601, UTC).

    Raises UsageError where `out` holds no batch.
    """
    from sursmr_codec.batch import journal

    with journal.reading(Path(out) / STATE_FOLDER) as db:
        for outcome in journal.outcomes(db, "1"):
            yield dict(outcome.record)
