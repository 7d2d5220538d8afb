"""Results as pictures, pages and tables.

`write_report` makes the page of a batch run, `write_table` its Parquet or CSV table; `plots` draws the curve
of one image.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

__all__ = ["write_report", "write_table"]


def write_report(
    out: Path, *, n_previews: int = 100, progress: Callable[[int, int], None] | None = None
) -> Path:
    """Write the page of the batch run in the folder `out` and return its path.

    Every source is on it; of the pictures that browsers cannot show, at most `n_previews` get copies to look
    at. `progress` is told how many of how many of these have been made.

    Raises as `batch.records` does, MissingExtra without the page's libraries, and OutputError where the page
    cannot be written.
    """
    from sursmr_codec import batch
    from sursmr_codec.report.html import write_page

    return write_page(batch.records(out), out, n_previews=n_previews, progress=progress)


def write_table(out: Path, path: Path) -> Path:
    """Write the results of the batch run in the folder `out` to `path`, a .parquet or .csv file.

    Raises as `batch.records` does, UsageError for another suffix, MissingExtra without the table's library,
    and OutputError where it cannot be written.
    """
    from sursmr_codec import batch
    from sursmr_codec.report import table

    table.check(path)
    return table.write(batch.records(out), path)
