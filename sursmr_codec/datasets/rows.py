"""Human ladders as rows of the one label table, beside those that `annotate` makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from sursmr_codec.datasets.base import DataSet, HumanLadder
from sursmr_codec.datasets.pictures import picture_size
from sursmr_codec.errors import ImageError, UsageError
from sursmr_codec.labels.rows import LabelRow

FINGERPRINT = "file:"
"""What begins the fingerprint of a rung that no encoder here can make again: the rest is its file's path."""


def label_rows(data: DataSet, below: Path | str | None = None) -> Iterator[LabelRow]:
    """One row a rung whose compressed picture and source are there, QPs rising.

    Paths are those below the data set, or below the folder `below` that holds it and others, so that tables
    of several data sets have one folder of images. `n_bytes` is the size of the compressed picture's file:
    for a codec whose decoded pictures are published (BPG in KonJND-1k) it is not what the codec wrote. Raises
    ImageError for a source that cannot be opened, UsageError for a data set that does not lie in `below`.
    """
    prefix = _prefix(data.root, below)
    for ladder in data.ladders:
        if ladder.image in data.images:
            yield from _ladder_rows(data.root, ladder, prefix)


def _prefix(root: Path, below: Path | str | None) -> PurePosixPath:
    if below is None:
        return PurePosixPath()
    try:
        return PurePosixPath(root.resolve().relative_to(Path(below).resolve()).as_posix())
    except ValueError:
        raise UsageError(f"{root} does not lie in {below}: name a folder that holds it") from None


def _ladder_rows(root: Path, ladder: HumanLadder, prefix: PurePosixPath) -> Iterator[LabelRow]:
    size = picture_size(root / ladder.image)
    if isinstance(size, str):
        raise ImageError(f"{root / ladder.image} {size}")
    for qp in sorted(ladder.files.keys() & ladder.sur.keys()):
        n_bytes = (root / ladder.files[qp]).stat().st_size
        yield LabelRow(
            image=str(prefix / ladder.image),
            split=ladder.split,
            codec=ladder.codec,
            qp=qp,
            n_bytes=n_bytes,
            bpp=8.0 * n_bytes / (size[0] * size[1]),
            fingerprint=FINGERPRINT + str(prefix / ladder.files[qp]),
            cvvdp_jod=None,
            ssimulacra2=None,
            sur=ladder.sur[qp],
            sur_proxy=None,
            smr=None,
            smr_classification=None,
            smr_detection=None,
            smr_strict=None,
            smr_unseen=None,
            n_machines=0,
            votes={},
        )
