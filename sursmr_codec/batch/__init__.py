"""Many images at once: a folder of any size, stopped and taken up again at any moment.

    from sursmr_codec import batch
    for outcome in batch.run("photos", "smaller", targets={"sur": 0.75, "smr": 0}, recursive=True):
        print(outcome.source, outcome.status, outcome.output_bytes)

`driver.Batch` is the same with progress and a way to stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sursmr_codec.batch.outcome import Outcome
    from sursmr_codec.images import Reading
    from sursmr_codec.picking import PickSettings
    from sursmr_codec.predict import Predictor

__all__ = ["records", "run"]

STATE_FOLDER = ".sursmr-qp"
"""In OUT: journal, lock and report."""


def run(
    inputs: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    targets: Mapping[str, float] | None = None,
    codec: str = "jpeg",
    codec_options: Mapping[str, object] | None = None,
    predictor: str | Callable[[int], Predictor] | None = None,
    settings: PickSettings | None = None,
    reading: Reading | None = None,
    recursive: bool = False,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    **others: Any,
) -> Iterator[Outcome]:
    """Pick and write for every image behind `inputs`, with the tree mirrored in `out`.

    Yields what became of each source, once it is in the journal; what earlier runs finished is not yielded
    again. `inputs` and `out` may also be addresses on object storage, `s3://bucket/folder`.

    `predictor` is a name that `predict.load` takes, or a function that makes one for a number of threads and
    that pickle can send to workers. `others` are further fields of `request.Request`: `engine`,
    `engine_options`, `jobs`, `limit`, `overwrite`, `retry_failed`, `base`, `state`.

    Unless `engine` is "serial", worker processes import the calling script: what it does must stand below
    `if __name__ == "__main__":`. Raises as `driver.Batch` does.
    """
    from sursmr_codec.batch.driver import Batch
    from sursmr_codec.batch.listing import Selection
    from sursmr_codec.batch.request import Request
    from sursmr_codec.batch.settings import NamedPredictor, Settings

    given = [inputs] if isinstance(inputs, str | Path) else inputs
    chosen: dict[str, Any] = {"pick": settings, "reading": reading, "codec_options": codec_options}
    chosen["load_predictor"] = NamedPredictor(predictor) if isinstance(predictor, str) else predictor
    request = Request(
        tuple(str(one) for one in given),
        str(out),
        Settings(codec, **{name: value for name, value in chosen.items() if value is not None}),
        targets=dict(targets or {}),
        selection=Selection(recursive, tuple(include), tuple(exclude)),
        **others,
    )
    yield from Batch(request)


def records(out: str | Path) -> Iterator[dict[str, Any]]:
    """What became of each source of the batch in `out`, finished or still running.

    One object a source, in the order of the listing: the record of `pick --json` (docs/json.md) with the
    keys `status` ("done", "unmet", "failed", "skipped"), `reason` and `retry` (text or None), `source` and
    `target` (paths below the input and the output folder, `/` between their parts; the target is None where
    nothing was written) and `finished` (ISO 8601, UTC).

    Raises UsageError where `out` holds no batch.
    """
    from sursmr_codec.batch import addresses, journal

    with journal.reading(addresses.state_folder(str(out))) as db:
        for outcome in journal.outcomes(db, "1"):
            yield dict(outcome.record)
