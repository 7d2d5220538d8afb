"""What the shipped model says of every labelled rung, kept on disk so that several benchmarks share it.

Rungs are encoded anew and scored through the files that ship, as `pick` does it. There is one file a picture,
by model, so that a run that was stopped goes on, and another model never finds them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sursmr_codec import codecs, images
from sursmr_codec.ladder import Ladder
from sursmr_codec.network import views
from sursmr_codec.predict.base import Predictor
from sursmr_codec.training.data import LabelledRungs
from sursmr_codec.training.rungs import check_encoders

RATIOS = ("sur", "smr", "smr_classification", "smr_detection")
CACHE = Path(__file__).resolve().parent.parent / ".cache" / "predicted"
"""Ignored by git."""

Values = NDArray[np.float32]


def predicted(folder: Path, rungs: LabelledRungs, predictor: Predictor, cache: Path = CACHE) -> Values:
    """(N, 4) ratios of N labelled rungs of the pictures below `folder`, in the order of RATIOS."""
    check_encoders(rungs)
    place = cache / f"{predictor.summary().sha256}-{views.VERSION}"
    place.mkdir(parents=True, exist_ok=True)
    found = np.full((len(rungs), len(RATIOS)), np.nan, np.float32)
    by_image: dict[str, list[int]] = {}
    for row, image in enumerate(rungs.images):
        by_image.setdefault(image, []).append(row)
    for n_done, (image, rows) in enumerate(sorted(by_image.items()), start=1):
        some = rungs.take(rows)
        path = place / f"{_name(image, some)}.json"
        if path.exists():
            values = json.loads(path.read_text())
        else:
            values = list(_scored(folder / image, some, predictor))
            temporary = path.with_suffix(f".{os.getpid()}.tmp")
            temporary.write_text(json.dumps(values))
            temporary.replace(path)
            if n_done % 10 == 0:
                print(f"{n_done} of {len(by_image)} pictures", flush=True)
        found[rows] = [[np.nan if one is None else one for one in row] for row in values]
    return found


def _scored(path: Path, rungs: LabelledRungs, predictor: Predictor) -> Iterator[list[float | None]]:
    """The ratios of one picture's rungs, in order."""
    source = images.read(path)
    embedding = predictor.embed(source)
    ladders = {codec: Ladder(source, codecs.get(codec)) for codec in set(rungs.codecs)}
    for codec, qp in zip(rungs.codecs, rungs.qps.tolist(), strict=True):
        (score,) = predictor.score(embedding, [ladders[codec][qp]])
        yield [getattr(score, name) for name in RATIOS]


def _name(image: str, rungs: LabelledRungs) -> str:
    """Which rungs of which picture, as a short name."""
    of = [image, rungs.codecs, rungs.qps.tolist(), rungs.n_bytes.tolist(), rungs.fingerprints]
    return hashlib.sha256(json.dumps(of).encode()).hexdigest()[:24]
