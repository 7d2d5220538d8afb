"""Data sets of human judgements and of pictures, one reader a layout, all into the one label table."""

from __future__ import annotations

from pathlib import Path

from sursmr_codec.datasets.base import DataSet, HumanLadder, Reader
from sursmr_codec.datasets.coco import Coco
from sursmr_codec.datasets.folder import Folder
from sursmr_codec.datasets.konjnd import KonJnd
from sursmr_codec.datasets.mcl_jci import MclJci
from sursmr_codec.datasets.pictures import only_whole
from sursmr_codec.datasets.rows import label_rows
from sursmr_codec.datasets.table import TableStudy
from sursmr_codec.errors import ImageError, UsageError

__all__ = ["READERS", "DataSet", "HumanLadder", "Reader", "label_rows", "only_whole", "read"]

READERS: tuple[Reader, ...] = (TableStudy(), KonJnd(), MclJci(), Coco(), Folder())
"""In the order in which they are asked; the last takes any folder."""


def read(path: Path | str, reader: str | None = None) -> DataSet:
    """The data set at `path`, by the reader of that id or the first that recognises it.

    A folder that holds the data set's own folder and nothing else will do. Raises UsageError for an unknown
    reader or a TOML file with a wrong field, ImageError where nothing can be read.
    """
    path = Path(path)
    if not path.exists():
        raise ImageError(f"nothing at {path}")
    if reader is not None:
        for one in READERS:
            if one.id == reader:
                return one.read(path)
        raise UsageError(f"unknown reader {reader}; known: {', '.join(one.id for one in READERS)}")
    for place in _places(path):
        for one in READERS[:-1]:
            if one.recognises(place):
                return one.read(place)
    if READERS[-1].recognises(path):
        return READERS[-1].read(path)
    known = "; ".join(f"{one.id}: {one.layout}" for one in READERS)
    raise ImageError(f"{path} is no data set that is known. {known}")


def _places(path: Path) -> list[Path]:
    inner = [one for one in path.iterdir() if one.is_dir()] if path.is_dir() else []
    return [path, *inner] if len(inner) == 1 else [path]
