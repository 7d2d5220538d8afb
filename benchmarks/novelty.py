"""Which pictures does `warnings` call unlike those of training, and are their ratios further off?

    python benchmarks/novelty.py --images DIR --zoo DIR            print, for the default model
    python benchmarks/novelty.py --images DIR --zoo DIR --write    also write novelty.json, and the model's

The model's `novelty.json` says what its training pictures are like (`predict.novelty`), and how far is far:
the distance that one validation picture in fifty exceeds. `test`, kodak and the large pictures should rarely
be beyond it; pictures that no camera takes should be. Of the test pictures beyond it and of the others, the
mean absolute errors are compared; of some of the made ones, predictions are held against the real metrics and
machines at three QPs of jpeg. Without --zoo, machines are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import asking
import numpy as np
from novelty_pictures import CHANGED, MADE
from PIL import Image
from predicted import RATIOS, predicted

from sursmr_codec import codecs, images, predict
from sursmr_codec.ladder import Ladder
from sursmr_codec.predict import weights
from sursmr_codec.predict.base import Predictor
from sursmr_codec.predict.novelty import SCHEMA, Novelty, Vector, fit, statistics
from sursmr_codec.predict.trained import Trained
from sursmr_codec.training.data import read_rungs
from sursmr_codec.types import Pixels, Source

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).with_suffix(".json")
LABELS = ROOT / "models" / "labels"
QUANTILE = 0.98
"""Of validation pictures are at most as far as far is."""
N_OF_KIND, N_MEASURED = 12, 3
"""Made pictures of each kind, and how many of them are measured."""
QPS = (30, 60, 85)
OTHERS = {"kodak": "kodak", "large": "large/test"}

Record = dict[str, Any]


def report(folder: Path, model: str | None, zoo: Path | None) -> tuple[Record, Record]:
    """The model's `novelty.json`, and how often and how rightly it warns."""
    trained = predict.load("trained", model=model)
    assert isinstance(trained, Trained)
    head: Record = {
        "date": datetime.now(UTC).date().isoformat(),
        "model": {"id": trained.id, "sha256": trained.summary().sha256},
        "quantile": QUANTILE,
    }
    names = {
        split: sorted(set(read_rungs([LABELS / f"{split}.parquet"], splits=(split,))[split].images))
        for split in ("train", "val", "test")
    }
    of = {split: _statistics(trained, folder, some) for split, some in names.items()}
    novelty = fit(of["train"], of["val"], QUANTILE)
    kept = {
        "schema": SCHEMA,
        **head,
        "n_images": len(names["train"]),
        "mean": [float(f"{one:.6g}") for one in novelty.mean],
        "axes": [[float(f"{one:.5g}") for one in row] for row in novelty.axes],
    }
    for name, below in OTHERS.items():
        paths = sorted(path.relative_to(folder).as_posix() for path in (folder / below).iterdir())
        of[name] = _statistics(trained, folder, paths)
    rates = {name: _rate(novelty, some) for name, some in of.items() if name != "train"}
    print(rates, flush=True)
    result = {
        "schema": "sursmr-qp/novelty-check/1",
        **head,
        "rates": rates,
        "test": _test_errors(folder, trained, novelty, of["test"], names["test"]),
        "made": list(_made(folder, trained, novelty, names["val"], zoo)),
    }
    return kept, result


def _statistics(trained: Trained, folder: Path, paths: list[str]) -> Vector:
    return np.stack([_of(trained, images.read(folder / path).rgb) for path in paths])


def _of(trained: Trained, rgb: Pixels) -> Vector:
    seen: Pixels = trained.views(rgb)[0]
    return statistics(seen)


def _rate(novelty: Novelty, of: Vector) -> Record:
    distances = [novelty.distance(one) for one in of]
    beyond = sum(one > 1.0 for one in distances)
    return {
        "n_pictures": len(of),
        "warned_percent": round(100 * beyond / len(of), 1),
        "median_distance": round(float(np.median(distances)), 2),
    }


def _test_errors(
    folder: Path, trained: Trained, novelty: Novelty, of: Vector, names: list[str]
) -> Mapping[str, Record]:
    """Mean absolute errors on test pictures that are warned of, and on the others."""
    rungs = read_rungs([LABELS / "test.parquet"], splits=("test",))["test"]
    values = predicted(folder, rungs, trained)
    warned = {name for name, one in zip(names, of, strict=True) if novelty.distance(one) > 1.0}
    far = np.array([image in warned for image in rungs.images])
    return {
        name: {
            "n_pictures": len(warned) if some is far else len(names) - len(warned),
            **{
                f"{ratio}_mae": round(
                    float(np.nanmean(np.abs(values[some, i] - rungs.labels[ratio][some]))), 4
                )
                for i, ratio in enumerate(RATIOS[:2])
            },
        }
        for name, some in (("warned", far), ("others", ~far))
    }


def _made(
    folder: Path, trained: Trained, novelty: Novelty, photos: list[str], zoo: Path | None
) -> Iterator[Record]:
    measured = predict.load("measured", zoo=zoo)
    for kind, pictures in _pictures(folder, photos):
        record = {"kind": kind, **_rate(novelty, np.stack([_of(trained, one) for one in pictures]))}
        if max(one.size for one in pictures) < 3_000_000:
            record |= _errors(trained, measured, pictures[:N_MEASURED])
        print(record, flush=True)
        yield record


def _pictures(folder: Path, photos: list[str]) -> Iterator[tuple[str, list[Pixels]]]:
    for kind, make in MADE.items():
        yield kind, [make(np.random.default_rng(seed)) for seed in range(N_OF_KIND)]
    chosen = [images.read(folder / path).rgb for path in photos[:: len(photos) // N_OF_KIND][:N_OF_KIND]]
    yield "photographs", chosen
    for kind, change in CHANGED.items():
        yield kind, [np.asarray(change(Image.fromarray(one))) for one in chosen]


def _errors(trained: Predictor, measured: Predictor, pictures: list[Pixels]) -> Record:
    found: dict[str, list[float]] = {"sur": [], "smr": []}
    for rgb in pictures:
        source = Source.from_array(rgb)
        ladder = Ladder(source, codecs.get("jpeg"))
        said, true = trained.embed(source), measured.embed(source)
        for qp in QPS:
            scores = trained.score(said, [ladder[qp]])[0], measured.score(true, [ladder[qp]])[0]
            for ratio, errors in found.items():
                one, other = (getattr(score, ratio) for score in scores)
                if one is not None and other is not None:
                    errors.append(abs(one - other))
    return {f"{ratio}_mae": round(fmean(some), 4) if some else None for ratio, some in found.items()}


def main() -> None:
    """Run from the command line."""
    parser = asking.of_model(__doc__)
    parser.add_argument("--zoo", type=Path)
    asked = parser.parse_args()
    kept, result = report(asked.images, asked.model, asked.zoo)
    if asked.write:
        RESULT.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n")
        (weights.find(asked.model).folder / weights.NOVELTY).write_text(
            json.dumps(kept, allow_nan=False) + "\n"
        )
    else:
        print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
