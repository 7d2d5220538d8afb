"""What would bring the shipped model's errors down, and how much of them is chance?

    python benchmarks/tries.py --images DIR            print
    python benchmarks/tries.py --images DIR --write    also write benchmarks/tries.json

Every try is the first stage of `models/configs/lite.toml` (`regressors.py`) with one thing changed, two seeds
each. One training picture in eight is kept from all of them and says how good they are; the epoch is chosen
on the configuration's validation pictures, and `test` is not looked at.

SMR is a ratio over a dozen machines. How much of an error is in the choice of these few is asked of the
labels of `test`: were the machines drawn from a large population whose ratio is known, by how much would
theirs differ from it? Half of the mean difference between two random halves of those that count estimates
it, since halves of n machines differ by twice what n differ from the population by.

`--train` and `--test` take so many pictures. What was made is kept in `--cache`, so that a run goes on where
it was stopped; a training run's own `cache` may be named there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray
from regressors import ALL, Regressors, answer

from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.training.baseline import QpBaseline
from sursmr_codec.training.config import StageConfig, TrainingConfig
from sursmr_codec.training.data import DOES_NOT_COUNT, LabelledRungs, stage_targets

RESULT = Path(__file__).with_suffix(".json")
SEEDS = (0, 1)
HELD = 8
"""One training picture in so many is judged by."""
N_SPLITS = 20
"""Random halves of the machines that are compared."""

Record = dict[str, Any]


def tries(config: TrainingConfig) -> dict[str, TrainingConfig]:
    """What is tried, in words, and how it is trained; the shipped model's own way first."""
    network, stage = config.network, config.stage[0]
    viewers = replace(network, ratios=("sur",), classifiers=(), detectors=())
    of_machines = {ratio: weight for ratio, weight in stage.weights.items() if ratio != "sur"}
    machines = replace(network, ratios=tuple(of_machines), teachers=())
    changes: dict[str, tuple[NetworkConfig, StageConfig]] = {
        "as shipped": (network, stage),
        "twice as long": (network, replace(stage, epochs=2 * stage.epochs)),
        "a layer twice as wide": (replace(network, hidden=2 * network.hidden), stage),
        "a layer half as wide": (replace(network, hidden=network.hidden // 2), stage),
        "half of the inputs left out at random": (replace(network, dropout=0.5), stage),
        "a tenth left out at random": (replace(network, dropout=0.1), stage),
        "weights that decay ten times as fast": (
            network,
            replace(stage, weight_decay=10 * stage.weight_decay),
        ),
        "ratios without the machines' votes": (network, replace(stage, votes_weight=0.0)),
        "SUR alone": (viewers, replace(stage, weights={"sur": 1.0}, votes_weight=0.0)),
        "SMR alone": (machines, replace(stage, weights=of_machines, teachers_weight=0.0)),
    }
    return {
        what: replace(config, network=network, stage=(stage,)) for what, (network, stage) in changes.items()
    }


def report(regressors: Regressors) -> Record:
    """Every answer, as one JSON object."""
    data = regressors.config.data
    of_test = regressors.rungs[data.test]
    judged = np.array([_held(image) for image in regressors.train.images], bool)
    learned, held = regressors.train.where(~judged), regressors.train.where(judged)
    regressors = replace(regressors, rungs={**regressors.rungs, data.test: held})
    ratios = regressors.config.network.ratios
    baseline = QpBaseline(learned, stage_targets(learned, ratios, {}, required=True))
    return {
        "schema": "sursmr-qp/tries/1",
        "date": datetime.now(UTC).date().isoformat(),
        "stage": regressors.config.stage[0].name,
        "seeds": list(SEEDS),
        "n_images": {"learned": len(set(learned.images)), "held": len(set(held.images))},
        "n_rungs": {"learned": len(learned), "held": len(held)},
        "codec_and_qp": _rounded(regressors.errors(baseline.predict(held), ratios)[ALL]),
        "tries": list(_tried(regressors, learned)),
        "chance": chance(of_test, regressors.config),
    }


def _tried(regressors: Regressors, learned: LabelledRungs) -> Iterator[Record]:
    validation = regressors.rungs[regressors.config.data.validation]
    for what, config in tries(regressors.config).items():
        ratios = config.network.ratios
        values = [regressors.predicted(replace(config, seed=seed), learned, validation) for seed in SEEDS]
        each = [regressors.errors(one, ratios)[ALL] for one in values]
        averaged = regressors.errors(np.mean(values, axis=0), ratios)[ALL]
        row: Record = {"what": what, "ratios": {}}
        for ratio in ratios:
            found = [error for one in each if (error := one[ratio]) is not None]
            if found:
                row["ratios"][ratio] = {
                    "mae": round(fmean(found), 4),
                    "deviation": round(stdev(found), 4),
                    "mae_of_their_mean": round(averaged[ratio] or 0.0, 4),
                }
        print(row, flush=True)
        yield row


def _held(image: str) -> bool:
    return hashlib.sha256(f"held {image}".encode()).digest()[0] % HELD == 0


def chance(rungs: LabelledRungs, config: TrainingConfig) -> Record:
    """Ratio -> by how much a few machines' own differs from a large population's, as a mean over rungs."""
    n = len(config.network.classifiers)
    columns = {
        "smr": slice(None),
        "smr_classification": slice(0, n),
        "smr_detection": slice(n, n + len(config.network.detectors)),
    }
    generator = np.random.default_rng(0)
    found = {}
    for name, some in columns.items():
        votes = rungs.votes[~np.isnan(rungs.labels[name])][:, some]
        if len(votes):
            halves = [_difference(votes, generator) for _ in range(N_SPLITS)]
            n_counting = (votes != DOES_NOT_COUNT).sum(axis=1)
            found[name] = {
                "error": round(fmean(halves) / 2, 4),
                "machines_that_count": round(float(n_counting.mean()), 1),
                "n_rungs": len(votes),
            }
    return found


def _difference(votes: NDArray[np.uint8], generator: np.random.Generator) -> float:
    """Mean absolute difference between the ratios of two random halves of the machines that count."""
    counts = votes != DOES_NOT_COUNT
    places = np.where(counts, generator.random(votes.shape), 2.0).argsort(axis=1).argsort(axis=1)
    half = counts.sum(axis=1, keepdims=True) // 2  # of an odd number, the last is in neither
    satisfied = votes == 1
    one = (satisfied & (places < half)).sum(axis=1)
    other = (satisfied & (places >= half) & (places < 2 * half)).sum(axis=1)
    known = half[:, 0] > 0
    return float((np.abs(one - other)[known] / half[known, 0]).mean())


def _rounded(errors: dict[str, float | None]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in errors.items() if value is not None}


if __name__ == "__main__":
    answer(__doc__, report, RESULT)
