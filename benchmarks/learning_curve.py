"""Would more labelled pictures make the model better?

    python benchmarks/learning_curve.py --images DIR            print
    python benchmarks/learning_curve.py --images DIR --write    also write benchmarks/learning_curve.json

The first stage of `models/configs/lite.toml` (`regressors.py`) is trained on an eighth, a quarter, a half and
all of the training pictures, each choice within the next, with as many steps and three seeds each. The epoch
is chosen on the configuration's validation pictures; `test` only reports. `--train` and `--test` take so many
pictures. What was made is kept in `--cache`, so that a run goes on where it was stopped; a training run's own
`cache` may be named there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from regressors import ALL, Errors, Regressors, answer, fewer

RESULT = Path(__file__).with_suffix(".json")
PARTS = (8, 4, 2, 1)
"""One in so many training pictures."""
SEEDS = (0, 1, 2)

Record = dict[str, Any]


def report(regressors: Regressors) -> Record:
    """Every answer, as one JSON object."""
    rungs = regressors.rungs
    points = list(_points(regressors))
    return {
        "schema": "sursmr-qp/learning-curve/1",
        "date": datetime.now(UTC).date().isoformat(),
        "stage": regressors.config.stage[0].name,
        "n_images": {split: len(set(some.images)) for split, some in rungs.items()},
        "codecs": sorted(set(regressors.train.codecs)),
        "seeds": list(SEEDS),
        "points": points,
        "last_doubling_percent": _gains(points),
    }


def _points(regressors: Regressors) -> Iterator[Record]:
    n_images = len(set(regressors.train.images))
    validation = regressors.rungs[regressors.config.data.validation]
    for part in PARTS:
        some = fewer(regressors.train, max(1, n_images // part))
        # As many steps whatever the share, so that fewer pictures are not also fewer steps.
        found = [regressors.tested(some, validation, seed=seed, passes=part) for seed in SEEDS]
        point = {
            "n_images": len(set(some.images)),
            "n_rungs": len(some),
            "ratios": {
                name: _summed(found, name) for name, value in found[0][ALL].items() if value is not None
            },
        }
        print(point, flush=True)
        yield point


def _summed(found: list[Errors], ratio: str) -> Record:
    """Mean absolute error of the seeds, and their standard deviation."""
    values = [value for one in found if (value := one[ALL][ratio]) is not None]
    return {"mae": round(fmean(values), 4), "deviation": round(stdev(values), 4)}


def _gains(points: list[Record]) -> dict[str, float]:
    """By how much of itself each error fell when the pictures were doubled for the last time, in percent."""
    half, whole = (point["ratios"] for point in points[-2:])
    return {name: round(100 * (1 - one["mae"] / half[name]["mae"]), 1) for name, one in whole.items()}


if __name__ == "__main__":
    answer(__doc__, report, RESULT)
