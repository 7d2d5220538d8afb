"""How near to its end does a search begin, where the start is guessed from the source alone?

    python benchmarks/start.py --images DIR            print, for the default model
    python benchmarks/start.py --images DIR --write    also write benchmarks/start.json, and the model's own

Fits `start.json` of a model (`training.starting`) to what the model itself says of the labelled rungs of
`train`, for every codec that has some, as freely as is best on the half of `val` that chooses, and looks at
the other half: by how many QP is the start off the highest QP that is predicted to meet the targets, beside a
start that knows the codec alone. To be run again after a new model; predictions are kept in `.cache`, and a
model without the file searches from the middle. What it saves in encodes is in `speed.py`.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import asking
import numpy as np
from predicted import CACHE, RATIOS, Values, predicted

from sursmr_codec import codecs, images
from sursmr_codec.asked import Targets
from sursmr_codec.codecs.base import Codec
from sursmr_codec.predict import start as starts
from sursmr_codec.predict import weights
from sursmr_codec.predict.start import Axis, Start, Vector
from sursmr_codec.predict.trained import Trained
from sursmr_codec.training.data import LabelledRungs, read_rungs
from sursmr_codec.training.starting import Ridge, RungRatios, fit

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).with_suffix(".json")
LABELS = ROOT / "models" / "labels"
ASKED = (Targets(0.5, 0.8), Targets(0.75, 0.9), Targets(0.9, 0.95), Targets(0.75, 0.0), Targets(0.0, 0.9))
CHOOSING, HALF = "val/choosing", "val/risk"
RIDGES = (Ridge(96, 5.0), Ridge(192, 5.0), Ridge(192, 1.0), Ridge(400, 2.0))
"""Of which the best is taken."""
DIGITS = 5
"""Of the numbers in the file."""

Record = dict[str, Any]


def report(folder: Path, model: str | None) -> tuple[Record, Record]:
    """The model's `start.json`, and how it does on validation pictures."""
    predictor = Trained(model)
    summary = predictor.summary()
    said = {"id": summary.id, "sha256": summary.sha256}
    train, choosing, held = (
        read_rungs([LABELS / f"{split.split('/')[0]}.parquet"], splits=(split,))[split]
        for split in ("train", CHOOSING, HALF)
    )
    fitted = _fitted(folder, train, predictor)
    tried = {ridge: _share(_errors(folder, choosing, predictor, start)) for ridge, start in fitted.items()}
    start = fitted[min(tried, key=tried.__getitem__)]
    stored = {
        "schema": starts.SCHEMA,
        "model": said,
        "axes": {codec: {"low": one.low, "places": _short(one.places)} for codec, one in start.axes.items()},
        "mean": _short(start.mean),
        "curves": [
            {"codec": codec, "ratio": ratio, "weights": [_short(row) for row in found]}
            for (codec, ratio), found in start.curves.items()
        ],
    }
    result = {
        "schema": "sursmr-qp/start-errors/2",
        "date": datetime.now(UTC).date().isoformat(),
        "model": said,
        "n_pictures": len(set(train.images)),
        "n_rungs": len(train),
        "tried": [asdict(ridge) | {"off_percent": round(100 * off, 3)} for ridge, off in tried.items()],
        "split": HALF,
        "errors": list(_errors(folder, held, predictor, start)),
    }
    return stored, result


def _fitted(folder: Path, rungs: LabelledRungs, predictor: Trained) -> dict[Ridge, Start]:
    pictures = sorted(set(rungs.images))
    row_of = {image: row for row, image in enumerate(pictures)}
    some = {}
    for codec in sorted(set(rungs.codecs)):
        of_codec = rungs.where(np.array(rungs.codecs, dtype=object) == codec)
        values = predicted(folder, of_codec, predictor).astype(float)
        ratios = {name: values[:, RATIOS.index(name)] for name in ("sur", "smr")}
        rows = np.array([row_of[image] for image in of_codec.images])
        some[codec] = RungRatios(rows, of_codec.qps, ratios)
    axes = {codec: _axis(codecs.get(codec)) for codec in some}
    numbers = np.stack([_numbers(folder, image, predictor) for image in pictures])
    return {ridge: fit(numbers, some, axes, ridge) for ridge in RIDGES}


def _share(errors: Sequence[Record]) -> float:
    """Mean over codecs and targets of by what share of its QPs a start is off."""
    return fmean(
        row["from_source"]["mean_absolute"] / len(codecs.get(row["codec"]).qp_range) for row in errors
    )


def _axis(codec: Codec) -> Axis:
    steps = np.array([codec.log_step(qp) for qp in codec.qp_range])
    return Axis(codec.qp_range[0], (steps - steps[0]) / (steps[-1] - steps[0]))


def _numbers(folder: Path, image: str, predictor: Trained) -> Vector:
    """Of a source, kept on disk beside the predictions."""
    path = CACHE.parent / "start" / predictor.summary().sha256 / f"{image.replace('/', '+')}.npy"
    if path.exists():
        kept: Vector = np.load(path)
        return kept
    found = predictor.numbers(predictor.embed(images.read(folder / image)))
    path.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    np.save(content, found)
    images.write(path, content.getvalue())
    return found


def _errors(folder: Path, rungs: LabelledRungs, predictor: Trained, start: Start) -> Sequence[Record]:
    values = predicted(folder, rungs, predictor)
    rows = []
    for codec in sorted(set(rungs.codecs) & set(start.axes)):
        ladders = {image: at for (image, of), at in rungs.ladders().items() if of == codec}
        for targets in ASKED:
            ends = {
                image: end
                for image, at in ladders.items()
                if (end := _end(rungs.qps[np.array(at)], values[np.array(at)], targets)) is not None
            }
            if not ends:
                continue
            middle = float(np.median(list(ends.values())))

            def guess(image: str, codec: str = codec, targets: Targets = targets) -> float:
                found = start.qp(_numbers(folder, image, predictor), codec, targets)
                assert found is not None
                return float(found)

            rows.append(
                {
                    "codec": codec,
                    "sur": targets.sur,
                    "smr": targets.smr,
                    "n_ladders": len(ends),
                    "from_source": _off(ends, guess),
                    "from_codec": _off(ends, lambda _, middle=middle: middle),
                }
            )
    return rows


def _off(ends: Mapping[str, int], guess: Callable[[str], float]) -> Record:
    off = np.array([guess(image) - end for image, end in ends.items()])
    return {
        "mean": round(float(off.mean()), 2),
        "mean_absolute": round(float(np.abs(off).mean()), 2),
        "median_absolute": round(float(np.median(np.abs(off))), 2),
    }


def _end(qps: Any, values: Values, targets: Targets) -> int | None:
    """The highest QP that is predicted to meet the targets, from the labelled rungs; None where none is.

    Between those, log-odds lie on straight lines.
    """
    every = np.arange(qps[0], qps[-1] + 1)
    met = np.ones(len(every), bool)
    for column, target in ((0, targets.sur), (1, targets.smr)):
        if target > 0:
            kept = np.clip(values[:, column].astype(float), 1e-4, 1.0 - 1e-4)
            odds = np.interp(every, qps, np.log(kept / (1.0 - kept)))
            met &= odds >= math.log(target / (1.0 - target))
    n_met = int(np.argmin(np.append(met, False)))
    return int(every[n_met - 1]) if n_met else None


def _short(values: Vector) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]


def main() -> None:
    """Run from the command line."""
    asked = asking.of_model(__doc__).parse_args()
    stored, result = report(asked.images, asked.model)
    asking.tell(result, RESULT, write=asked.write)
    if asked.write:
        place = weights.find(asked.model).folder / weights.START
        place.write_text(json.dumps(stored) + "\n", "utf-8")


if __name__ == "__main__":
    main()
