"""Names of classes, for people: COCO's and VOC's are known; ImageNet's stand in a file beside the table."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from sursmr_codec.errors import UsageError
from sursmr_codec.labels.machines import coco
from sursmr_codec.labels.machines.row import MachineRow

IMAGENET_FILES = "imagenet_labels*.txt"
"""One name a line in ImageNet-1k's order; with 1001 lines the first is background and is dropped."""
N_IMAGENET = 1000
VOC = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("dining table", "dog", "horse", "motorbike", "person", "potted plant", "sheep", "sofa", "train"),
    "tv monitor",
)
"""Pascal VOC's classes by their label 0..20. http://host.robots.ox.ac.uk/pascal/VOC/voc2012/"""


class ClassNames:
    """The names that a zoo's folder can give to its machines' classes."""

    def __init__(self, folder: Path) -> None:
        """Raises UsageError for a file of ImageNet's names that cannot hold them."""
        self._imagenet = _imagenet_names(folder)

    def name(self, row: MachineRow, index: int) -> str | None:
        """Name of a class of a machine; None where it is not known.

        A row's `trained_on` says whose classes they are: `ImageNet-1k`, `COCO` or `VOC`. All that a face
        detector finds is faces.
        """
        if row.task == "face":
            return "face"
        names: Sequence[str] = ()
        if row.task == "classification" and "imagenet-1k" in row.trained_on.lower():
            names = self._imagenet or (_timms() if row.hub else ())
        elif row.task == "detection" and "coco" in row.trained_on.lower():
            names = coco.NAMES
        elif row.task == "segmentation" and "voc" in row.trained_on.lower():
            names = VOC
        return names[index] if 0 <= index < len(names) else None


@cache
def _timms() -> tuple[str, ...]:
    """ImageNet's names, as timm knows them: a model of it has been asked, so it is here."""
    from timm.data import ImageNetInfo

    return tuple(ImageNetInfo("imagenet-1k").label_descriptions())


def _imagenet_names(folder: Path) -> tuple[str, ...]:
    files = sorted(folder.glob(IMAGENET_FILES))
    if not files:
        return ()
    try:
        names = files[0].read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{files[0]} cannot be read: {error}") from error
    if len(names) == N_IMAGENET + 1:
        names = names[1:]
    if len(names) != N_IMAGENET:
        raise UsageError(f"{files[0]} has {len(names)} lines, not {N_IMAGENET} or {N_IMAGENET + 1}")
    return tuple(names)
