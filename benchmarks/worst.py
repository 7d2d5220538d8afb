"""On which ten test pictures is the model furthest off, and what is known of them?

    python benchmarks/worst.py --images DIR            print, for the default model
    python benchmarks/worst.py --images DIR --write    also write benchmarks/worst.json

By the mean absolute errors of SUR and SMR together, over a picture's labelled rungs (`predicted.py`). Of each
stand here the errors and their sign by codec, how many machines count, how far labels spread, and how unlike
the training pictures it is. What a person saw there stands in the model's `worst.toml`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asking
import numpy as np
from numpy.typing import NDArray
from predicted import RATIOS, Values, predicted

from sursmr_codec import images, predict
from sursmr_codec.labels import store
from sursmr_codec.predict.novelty import statistics
from sursmr_codec.predict.trained import Trained
from sursmr_codec.predict.weights import find
from sursmr_codec.training.data import LabelledRungs, read_rungs

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).with_suffix(".json")
LABELS = ROOT / "models" / "labels" / "test.parquet"
N_WORST = 10

Record = dict[str, Any]


def report(folder: Path, model: str | None) -> Record:
    """Every answer, as one JSON object."""
    trained = predict.load("trained", model=model)
    assert isinstance(trained, Trained)
    rungs = read_rungs([LABELS], splits=("test",))["test"]
    values = predicted(folder, rungs, trained)
    truth = np.stack([rungs.labels[ratio] for ratio in RATIOS], axis=1)
    errors = np.nan_to_num(np.abs(values[:, :2] - truth[:, :2])).sum(axis=1)
    of = np.array(rungs.images, dtype=object)
    mean = {image: float(errors[of == image].mean()) for image in sorted(set(rungs.images))}
    worst = sorted(mean, key=lambda image: -mean[image])[:N_WORST]
    counting, novelty = _counting(), find(model).novelty()
    pictures = []
    for image in worst:
        its = np.flatnonzero(of == image)
        rgb = images.read(folder / image).rgb
        pictures.append(
            {
                "image": image,
                "width": rgb.shape[1],
                "height": rgb.shape[0],
                "n_rungs": len(its),
                "n_machines_counting": counting[image],
                "novelty": round(novelty.distance(statistics(trained.views(rgb)[0])), 2) if novelty else None,
                "ratios": _ratios(rungs.take(its), values[its], truth[its]),
            }
        )
    return {
        "schema": "sursmr-qp/worst/1",
        "date": datetime.now(UTC).date().isoformat(),
        "model": {"id": trained.id, "sha256": trained.summary().sha256},
        "n_images": len(mean),
        "mean_of_all": round(float(np.mean(list(mean.values()))), 4),
        "median_machines_counting": float(np.median(list(counting.values()))),
        "pictures": pictures,
    }


def _ratios(rungs: LabelledRungs, values: Values, truth: Values) -> dict[str, Record]:
    """Ratio -> error, error by codec with its sign, and how far its labels spread; those that have labels."""
    codecs = np.array(rungs.codecs, dtype=object)
    found: dict[str, Record] = {}
    for i, ratio in enumerate(RATIOS):
        off = values[:, i] - truth[:, i]
        if not np.isnan(off).all():
            found[ratio] = {
                "mae": _mean(np.abs(off)),
                "bias_by_codec": {codec: _mean(off[codecs == codec]) for codec in sorted(set(codecs))},
                "label_lowest": round(float(np.nanmin(truth[:, i])), 4),
                "label_highest": round(float(np.nanmax(truth[:, i])), 4),
            }
    return found


def _mean(values: NDArray[np.float32]) -> float | None:
    known = values[~np.isnan(values)]
    return round(float(known.mean()), 4) if len(known) else None


def _counting() -> dict[str, int]:
    """Test picture -> how many machines have an opinion of it."""
    table = store.read_labels([LABELS])
    return dict(zip(table["image"].to_pylist(), table["n_machines"].to_pylist(), strict=True))


def main() -> None:
    """Run from the command line."""
    asked = asking.of_model(__doc__).parse_args()
    asking.tell(report(asked.images, asked.model), RESULT, write=asked.write)


if __name__ == "__main__":
    main()
