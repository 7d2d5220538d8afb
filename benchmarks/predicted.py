"""What the shipped model says of every labelled rung, kept on disk so that several benchmarks share it.

Rungs are encoded anew and scored through the files that ship, as `pick` does it. There is one file a ladder,
by model, so that a run that was stopped goes on, another model never finds them, and a further codec's labels
leave those of the others as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sursmr_codec import codecs, images
from sursmr_codec.ladder import Ladder
from sursmr_codec.network import views
from sursmr_codec.predict.base import Embedding, Predictor
from sursmr_codec.training.data import LabelledRungs
from sursmr_codec.training.rungs import check_encoders
from sursmr_codec.types import Source

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
    ladders = rungs.ladders()
    seen: _Seen | None = None
    for n_done, ((image, codec), rows) in enumerate(ladders.items(), start=1):
        its = rungs.take(rows)
        path = place / f"{_name(image, its)}.json"
        if path.exists():
            values = json.loads(path.read_text())
        else:
            if seen is None or seen.path != folder / image:
                seen = _Seen(folder / image, predictor)
            values = list(seen.scored(codec, its.qps.tolist()))
            images.write(path, json.dumps(values).encode())
            if n_done % 20 == 0:
                print(f"{n_done} of {len(ladders)} ladders", flush=True)
        found[rows] = [[np.nan if one is None else one for one in row] for row in values]
    return found


class _Seen:
    """A picture that is embedded once for all of its ladders."""

    def __init__(self, path: Path, predictor: Predictor) -> None:
        self.path, self._predictor = path, predictor

    @cached_property
    def _source(self) -> Source:
        return images.read(self.path)

    @cached_property
    def _embedding(self) -> Embedding:
        return self._predictor.embed(self._source)

    def scored(self, codec: str, qps: list[int]) -> Iterator[list[float | None]]:
        """The ratios of rungs at those QPs, in order."""
        ladder = Ladder(self._source, codecs.get(codec))
        for qp in qps:
            (score,) = self._predictor.score(self._embedding, [ladder[qp]])
            yield [getattr(score, name) for name in RATIOS]


def _name(image: str, rungs: LabelledRungs) -> str:
    """Which rungs of which picture, as a short name."""
    of = [image, rungs.codecs, rungs.qps.tolist(), rungs.n_bytes.tolist(), rungs.fingerprints]
    return hashlib.sha256(json.dumps(of).encode()).hexdigest()[:24]
