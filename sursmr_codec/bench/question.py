"""What a benchmark is asked: pictures, encoders, targets, who picks, who judges, what to compare with."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sursmr_codec import codecs, images
from sursmr_codec.batch.listing import EXTENSIONS
from sursmr_codec.batch.settings import NamedPredictor
from sursmr_codec.bench.baselines import Baseline, BestFixed
from sursmr_codec.codecs.base import Codec
from sursmr_codec.errors import ImageError, UsageError
from sursmr_codec.predict.base import Predictor
from sursmr_codec.types import Jury, SearchSettings, Targets

if TYPE_CHECKING:
    from sursmr_codec.bench.remembered import Remembered

Truth = Literal["predicted", "measured"]


@dataclass(frozen=True)
class Question:
    """Everything that decides a benchmark's result."""

    folder: str
    """Pictures, those in folders inside it included; or one picture."""
    codec: str = "jpeg"
    """A codec's id, or several with commas between: each is compared with itself."""
    codec_options: Mapping[str, object] = field(default_factory=dict)
    """Each goes to the codecs that take it."""
    targets: Targets = field(default_factory=Targets)
    search: SearchSettings = field(default_factory=SearchSettings)
    jury: Jury = "all"
    reading: images.Reading = field(default_factory=images.Reading)
    load_predictor: Callable[[int], Predictor] = field(default_factory=NamedPredictor)
    """Makes what picks, for a number of cores; sent to workers by pickle."""
    truth: Truth = "predicted"
    """What the judge's word is worth, for the record."""
    load_judge: Callable[[int], Predictor | Remembered] | None = None
    """Makes what says whether targets are met; None: what picks is believed."""
    baselines: tuple[Baseline, ...] = (BestFixed(),)
    oracle_step: int = 1
    """The oracle looks at every so many-th QP, and at the picked one."""
    limit: int | None = None
    """Take this many images, spread evenly over all; None: all."""
    jobs: int = 1
    """Images at a time, each in a process of its own."""

    def __post_init__(self) -> None:
        if self.targets.sur == 0 and self.targets.smr == 0:
            raise UsageError("with both targets off every file meets them; give --sur or --smr")
        if self.oracle_step < 1 or self.jobs < 1 or (self.limit is not None and self.limit < 1):
            raise UsageError("oracle step, jobs and limit must be at least 1")

    def load_codecs(self) -> tuple[Codec, ...]:
        """The codecs; raises UsageError, UnavailableError where one cannot be used as asked."""
        found = codecs.several(self.codec, **self.codec_options)
        for codec in found:
            codec.require()
        return found


def listed(folder: str, limit: int | None = None) -> tuple[str, ...]:
    """Paths of a folder's pictures below it, `/` between their parts, sorted; or `.` for a single picture.

    `limit` takes so many of them, spread evenly. Raises ImageError where there are none.
    """
    if not folder:
        raise ImageError("the folder's name is empty; give a folder of images, . for the current one")
    root = Path(folder)
    if root.is_file():
        return (".",)
    if not root.is_dir():
        raise ImageError(f"{folder}: no such file or folder; check the path")
    paths = (Path(at, name).relative_to(root) for at, _, files in os.walk(root) for name in files)
    names = sorted(
        path.as_posix()
        for path in paths
        if path.suffix.lower() in EXTENSIONS and not any(part.startswith(".") for part in path.parts)
    )
    if not names:
        raise ImageError(f"{folder}: holds no pictures; give a folder of images")
    if limit is None or limit >= len(names):
        return tuple(names)
    return tuple(names[k * len(names) // limit] for k in range(limit))
