"""How far off is a predictor on a codec that it was not trained on?

    python benchmarks/unseen_codec.py --images DIR            print
    python benchmarks/unseen_codec.py --images DIR --write    also write benchmarks/unseen_codec.json

For each codec of the labels, the first stage of `models/configs/lite.toml` (`regressors.py`) is trained
twice, with that codec's rungs and without them, and tested on them. The labels leave out nothing else, so the
one without has fewer rungs as well. `--train` and `--test` take so many pictures. What was made is kept in
`--cache`, so that a run goes on where it was stopped; a training run's own `cache` may be named there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from regressors import Regressors, answer

from sursmr_codec.training.data import LabelledRungs

RESULT = Path(__file__).with_suffix(".json")
GOAL = 1.3

Record = dict[str, Any]


def report(regressors: Regressors) -> Record:
    """Every answer, as one JSON object."""
    rungs, data = regressors.rungs, regressors.config.data
    return {
        "schema": "sursmr-qp/unseen-codec/1",
        "date": datetime.now(UTC).date().isoformat(),
        "goal": GOAL,
        "stage": regressors.config.stage[0].name,
        "n_images": {split: len(set(some.images)) for split, some in rungs.items()},
        "n_train_rungs": {
            codec: rungs[data.train].codecs.count(codec) for codec in sorted(set(rungs[data.train].codecs))
        },
        "codecs": list(_codecs(regressors)),
    }


def _codecs(regressors: Regressors) -> Iterator[Record]:
    data = regressors.config.data
    train, validation, test = (regressors.rungs[split] for split in (data.train, data.validation, data.test))
    seen = regressors.tested(train, validation)
    learned = sorted(set(train.codecs))
    if len(learned) < 2:
        raise SystemExit("the labels are of one codec, which cannot be left out")
    for codec in sorted(set(test.codecs) & set(learned)):
        unseen = regressors.tested(_without(train, codec), _without(validation, codec))[codec]
        ratios = {}
        for ratio, one in seen[codec].items():
            other = unseen[ratio]
            if one is not None and other is not None:
                ratios[ratio] = {
                    "seen_mae": round(one, 4),
                    "unseen_mae": round(other, 4),
                    "ratio": round(other / one, 3),
                    "ok": other / one <= GOAL,
                }
        row = {"codec": codec, "n_rungs": test.codecs.count(codec), "ratios": ratios}
        print(row, flush=True)
        yield row


def _without(rungs: LabelledRungs, codec: str) -> LabelledRungs:
    return rungs.where(np.array(rungs.codecs, dtype=object) != codec)


if __name__ == "__main__":
    answer(__doc__, report, RESULT)
