"""Where the model says 0.8, is it 0.8?

    python benchmarks/reliability.py --images DIR            print, for the default model
    python benchmarks/reliability.py --images DIR --write    also write benchmarks/reliability.json

Predictions of the labelled test rungs (`predicted.py`) fall into twenty bins of equal width; of the rungs in
each, the mean prediction stands beside the mean label and the labels' middle half. `bias` is the mean of
prediction less label, `gap` the mean distance of a bin's two means, weighted by rungs.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asking
import numpy as np
from predicted import RATIOS, Values, predicted

from sursmr_codec import predict
from sursmr_codec.training.data import read_rungs

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).with_suffix(".json")
LABELS = ROOT / "models" / "labels" / "test.parquet"
N_BINS = 20

Record = dict[str, Any]


def report(folder: Path, model: str | None) -> Record:
    """Every answer, as one JSON object."""
    predictor = predict.load("trained", model=model)
    summary = predictor.summary()
    rungs = read_rungs([LABELS], splits=("test",))["test"]
    values = predicted(folder, rungs, predictor)
    codecs = np.array(rungs.codecs, dtype=object)
    return {
        "schema": "sursmr-qp/reliability/1",
        "date": datetime.now(UTC).date().isoformat(),
        "model": {"id": summary.id, "sha256": summary.sha256},
        "n_images": len(set(rungs.images)),
        "ratios": [
            {"ratio": ratio, "codec": codec, **_binned(values[its, i], rungs.labels[ratio][its])}
            for i, ratio in enumerate(RATIOS)
            for codec in sorted(set(rungs.codecs))
            for its in [codecs == codec]
        ],
    }


def _binned(said: Values, true: Values) -> Record:
    known = ~np.isnan(said) & ~np.isnan(true)
    said, true = said[known].astype(float), true[known].astype(float)
    bins = list(_bins(said, true))
    gaps = sum(row["n_rungs"] * abs(row["predicted"] - row["label"]) for row in bins)
    return {
        "n_rungs": len(said),
        "bias": round(float((said - true).mean()), 4) if len(said) else None,
        "gap": round(gaps / len(said), 4) if len(said) else None,
        "bins": bins,
    }


def _bins(said: Values, true: Values) -> Iterator[Record]:
    of = np.minimum((said * N_BINS).astype(int), N_BINS - 1)
    for number in sorted(set(of.tolist())):
        here = of == number
        low, high = np.quantile(true[here], (0.25, 0.75))
        yield {
            "from": number / N_BINS,
            "n_rungs": int(here.sum()),
            "predicted": round(float(said[here].mean()), 4),
            "label": round(float(true[here].mean()), 4),
            "middle_half": [round(float(low), 4), round(float(high), 4)],
        }


def main() -> None:
    """Run from the command line."""
    asked = asking.of_model(__doc__).parse_args()
    asking.tell(report(asked.images, asked.model), RESULT, write=asked.write)


if __name__ == "__main__":
    main()
