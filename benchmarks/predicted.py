"""What the shipped model says of every labelled rung, kept on disk so that several benchmarks share it.

Rungs are encoded anew and scored through the files that ship, as `pick` does it. There is one file a ladder,
by model, so that a run that was stopped goes on, another model never finds them, and a further codec's labels
leave those of the others as they are.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sursmr_codec import codecs, images
from sursmr_codec.ladder import Ladder
from sursmr_codec.network import views
from sursmr_codec.predict.base import Predictor
from sursmr_codec.predict.trained import WINDOW
from sursmr_codec.training.data import LabelledRungs
from sursmr_codec.training.rungs import check_encoders

RATIOS = ("sur", "smr", "smr_classification", "smr_detection")
CACHE = Path(__file__).resolve().parent.parent / ".cache" / "predicted"
"""Ignored by git."""

Values = NDArray[np.float32]


def predicted(folder: Path, rungs: LabelledRungs, predictor: Predictor, cache: Path = CACHE) -> Values:
    """(N, 4) ratios of N labelled rungs of the pictures below `folder`, in the order of RATIOS."""
    check_encoders(rungs)
    place = cache / f"{predictor.summary().sha256}-{views.VERSION}-{WINDOW}"
    place.mkdir(parents=True, exist_ok=True)
    due: dict[str, list[tuple[Path, LabelledRungs]]] = {}
    ladders = [(image, rows, rungs.take(rows)) for (image, _), rows in rungs.ladders().items()]
    paths = [place / f"{_name(image, its)}.json" for image, _, its in ladders]
    for (image, _, its), path in zip(ladders, paths, strict=True):
        if not path.exists():
            due.setdefault(image, []).append((path, its))
    # While one picture's rung is encoded, the network looks at another's.
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        tasks = [workers.submit(_score, folder / image, predictor, of) for image, of in due.items()]
        for n_done, task in enumerate(as_completed(tasks), start=1):
            task.result()
            if n_done % 10 == 0:
                print(f"{n_done} of {len(due)} pictures", flush=True)
    found = np.full((len(rungs), len(RATIOS)), np.nan, np.float32)
    for (_, rows, _), path in zip(ladders, paths, strict=True):
        values = json.loads(path.read_text())
        found[rows] = [[np.nan if one is None else one for one in row] for row in values]
    return found


def _score(path: Path, predictor: Predictor, ladders: Sequence[tuple[Path, LabelledRungs]]) -> None:
    """Keep what is said of a picture's ladders, one file each; it is embedded once for all of them."""
    source = images.read(path)
    embedding = predictor.embed(source)
    for kept, its in ladders:
        (codec,) = set(its.codecs)
        ladder = Ladder(source, codecs.get(codec))
        scores = [predictor.score(embedding, [ladder[qp]])[0] for qp in its.qps.tolist()]
        values = [[getattr(score, name) for name in RATIOS] for score in scores]
        images.write(kept, json.dumps(values).encode())


def _name(image: str, rungs: LabelledRungs) -> str:
    """Which rungs of which picture, as a short name."""
    of = [image, rungs.codecs, rungs.qps.tolist(), rungs.n_bytes.tolist(), rungs.fingerprints]
    return hashlib.sha256(json.dumps(of).encode()).hexdigest()[:24]
