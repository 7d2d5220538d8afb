"""Human ladders as rows of the one label table, beside those that `annotate` makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sursmr_codec.datasets.base import DataSet, HumanLadder
from sursmr_codec.errors import ImageError
from sursmr_codec.labels.rows import LabelRow

FINGERPRINT = "file:"
"""What begins the fingerprint of a rung that no encoder here can make again: the rest is its file's path."""


def label_rows(data: DataSet) -> Iterator[LabelRow]:
    """One row a rung whose compressed picture and source are there, QPs rising.

    `n_bytes` is the size of that file: for a codec whose decoded pictures are published (BPG in KonJND-1k)
    it is not what the codec wrote. Raises ImageError for a source that cannot be opened.
    """
    for ladder in data.ladders:
        if ladder.image in data.images:
            yield from _ladder_rows(data.root, ladder)


def _ladder_rows(root: Path, ladder: HumanLadder) -> Iterator[LabelRow]:
    n_pixels = _n_pixels(root / ladder.image)
    for qp in sorted(ladder.files.keys() & ladder.sur.keys()):
        n_bytes = (root / ladder.files[qp]).stat().st_size
        yield LabelRow(
            image=ladder.image,
            split=ladder.split,
            codec=ladder.codec,
            qp=qp,
            n_bytes=n_bytes,
            bpp=8.0 * n_bytes / n_pixels,
            fingerprint=FINGERPRINT + ladder.files[qp],
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


def _n_pixels(path: Path) -> int:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return int(image.width * image.height)
    except (OSError, UnidentifiedImageError) as error:
        raise ImageError(f"{path} is no readable picture: {error}") from error
