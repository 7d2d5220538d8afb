"""How good is a trained model on pictures that nothing was chosen on, and what does it cost?

    python benchmarks/model.py --images DIR --labels TABLE            print, for the default model
    python benchmarks/model.py --images DIR --labels TABLE --write    also write benchmarks/model.json
    python benchmarks/model.py --images DIR --labels TABLE --cost     what it costs alone; the rest is kept

Every labelled rung of a split is encoded anew and scored by the shipped files (`predicted.py`). Beside the
mean absolute errors of the codec-and-QP predictor stand three questions: do the predictions hold for machines
that the model never learned from, what share of picks misses its targets in truth, and how many milliseconds
a rung takes. Where `models/labels` has tables of other pictures (`kodak.parquet`, `large_test.parquet`),
errors on these follow, beside those on the split's rungs of the same codecs and QPs. A pick here is the
highest labelled QP such that it and all below it are predicted to meet the targets; the oracle knows the
labels.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import asking
import numpy as np
from numpy.typing import NDArray
from predicted import RATIOS, Values
from predicted import predicted as predicted_ratios

from sursmr_codec import codecs, predict
from sursmr_codec.labels import store
from sursmr_codec.ladder import Ladder
from sursmr_codec.predict.base import Predictor
from sursmr_codec.training.baseline import QpBaseline
from sursmr_codec.training.data import LabelledRungs, read_rungs, stage_targets
from sursmr_codec.training.evaluate import evaluate
from sursmr_codec.types import Source

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).with_suffix(".json")
TABLES = ROOT / "models" / "labels"
TRAIN = TABLES / "train.parquet"
OTHERS = ("large_test", "kodak")
"""Tables of pictures of other kinds, where they are there."""
TARGETS = ((0.5, 0.8), (0.75, 0.9), (0.9, 0.95), (0.75, 0.0), (0.0, 0.9))
SIDES = ((768, 512), (1632, 1224), (4000, 3000))
"""Width and height of the pictures whose rungs are timed."""
N_TIMED = 5


def report(folder: Path, table: Path, split: str, model: str | None, limit: int | None) -> dict[str, object]:
    """Every answer, as one JSON object."""
    predictor, costs = _cost(model)
    rungs = read_rungs([table], splits=(split,))[split]
    if limit is not None:
        rungs = rungs.where(np.isin(rungs.images, sorted(set(rungs.images))[:limit]))
    labels = stage_targets(rungs, RATIOS, {}, required=False)
    train = read_rungs([TRAIN], splits=("train",))["train"]
    baseline = QpBaseline(train, stage_targets(train, RATIOS, {}, required=True))
    predicted = predicted_ratios(folder, rungs, predictor)
    guessed = baseline.predict(rungs)
    fits = {
        name: evaluate(rungs, RATIOS, values, labels).record()
        for name, values in (("model", predicted), ("codec_and_qp", guessed))
    }
    summary = predictor.summary()
    return {
        "schema": "sursmr-qp/model/1",
        "date": datetime.now(UTC).date().isoformat(),
        "model": {"id": summary.id, "sha256": summary.sha256},
        "split": split,
        "n_images": len(set(rungs.images)),
        "n_rungs": len(rungs),
        "fits": fits,
        "unseen_machines": _unseen(rungs, predicted, labels),
        "others": dict(_others(folder, predictor, rungs, predicted, labels)) if limit is None else {},
        "picks": [_misses(rungs, predicted, labels, targets) for targets in TARGETS],
        "cost": costs,
    }


def _unseen(rungs: LabelledRungs, predicted: Values, labels: Values) -> Mapping[str, object]:
    """MAE against the machines that were kept apart, beside the seen machines' own true ratio."""
    truth = rungs.labels["smr_unseen"]
    smr = RATIOS.index("smr")
    known = ~np.isnan(truth) & ~np.isnan(labels[:, smr])
    model = float(np.abs(predicted[known, smr] - truth[known]).mean())
    oracle = float(np.abs(labels[known, smr] - truth[known]).mean())
    return {
        "n_rungs": int(known.sum()),
        "model_mae": round(model, 4),
        "oracle_mae": round(oracle, 4),
        "ratio": round(model / oracle, 3),
    }


def _others(
    folder: Path, predictor: Predictor, rungs: LabelledRungs, predicted: Values, labels: Values
) -> Iterator[tuple[str, dict[str, object]]]:
    """Errors on pictures of other kinds, and how many times those on like rungs of the split they are."""
    for name in OTHERS:
        table = TABLES / f"{name}.parquet"
        if table.exists():
            (split,) = set(store.read_labels([table])["split"].to_pylist())
            its = read_rungs([table], splits=(split,))[split]
            truth = stage_targets(its, RATIOS, {}, required=False)
            found = evaluate(its, RATIOS, predicted_ratios(folder, its, predictor), truth)
            alike = like(rungs, its)
            there = evaluate(rungs.where(alike), RATIOS, predicted[alike], labels[alike])
            ratios = {
                ratio: {"mae": round(one.mae, 4), "times_test": round(one.mae / there.ratios[ratio].mae, 3)}
                for ratio, one in found.ratios.items()
                if one.mae is not None and there.ratios[ratio].mae
            }
            yield name, {"n_images": len(set(its.images)), "n_rungs": len(its), "ratios": ratios}


def like(rungs: LabelledRungs, others: LabelledRungs) -> NDArray[np.bool_]:
    """(N,): which of N rungs have a codec and a QP that one of the others has too."""
    kinds = set(zip(others.codecs, others.qps.tolist(), strict=True))
    return np.array([kind in kinds for kind in zip(rungs.codecs, rungs.qps.tolist(), strict=True)], bool)


def _misses(
    rungs: LabelledRungs, predicted: Values, labels: Values, targets: tuple[float, float]
) -> dict[str, object]:
    """What share of picks misses in truth and by how much, and how far they are from the oracle's."""
    shortfalls, gaps, bytes_ = [], [], [0, 0]
    n_unmet = 0
    for chosen, best, ladder in _chosen(rungs, predicted, labels, targets):
        if chosen is None or best is None:
            n_unmet += chosen is None
            continue
        row = ladder[chosen]
        wanted = [(labels[row, 0], targets[0]), (labels[row, 1], targets[1])]
        shortfalls.append(max(0.0, *(target - float(have) for have, target in wanted if target > 0)))
        gaps.append(best - chosen)
        bytes_[0] += int(rungs.n_bytes[row])
        bytes_[1] += int(rungs.n_bytes[ladder[best]])
    missed = [one for one in shortfalls if one > 1e-6]
    return {
        "sur": targets[0],
        "smr": targets[1],
        "n_picks": len(shortfalls),
        "not_reachable_as_predicted": n_unmet,
        "missed_percent": round(100 * len(missed) / len(shortfalls), 1) if shortfalls else None,
        "mean_shortfall_of_missed": round(fmean(missed), 4) if missed else 0.0,
        "rungs_below_oracle_mean": round(fmean(gaps), 2) if gaps else None,
        "bytes_against_oracle": round(bytes_[0] / bytes_[1], 4) if bytes_[1] else None,
    }


def _chosen(
    rungs: LabelledRungs, predicted: Values, labels: Values, targets: tuple[float, float]
) -> Iterator[tuple[int | None, int | None, NDArray[np.int64]]]:
    """Of every ladder on which SMR is defined: the pick's place, the oracle's, and the ladder's rows."""
    for ladder in rungs.ladders().values():
        if targets[1] > 0 and np.isnan(labels[ladder, 1]).any():
            continue
        places = []
        for values in (predicted, labels):
            met = (values[ladder, 0] >= targets[0]) & ((values[ladder, 1] >= targets[1]) | (targets[1] == 0))
            n_met = int(np.argmin(np.append(met, False)))
            places.append(n_met - 1 if n_met else None)
        yield places[0], places[1], ladder


def with_cost(earlier: Mapping[str, Any], model: str | None) -> dict[str, object]:
    """An earlier report of the same model, with what it costs here and now."""
    predictor, costs = _cost(model)
    if earlier["model"]["sha256"] != predictor.summary().sha256:
        raise SystemExit(f"{RESULT} is of another model: leave out --cost")
    return {**earlier, "cost": costs}


def _cost(model: str | None) -> tuple[Predictor, dict[str, object]]:
    """The predictor, and what it costs to load it, to embed sources and to score rungs."""
    load_average = os.getloadavg()[0]
    began = time.perf_counter()
    predictor = predict.load("trained", model=model)
    load_seconds = time.perf_counter() - began
    return predictor, {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load_average": round(load_average, 2),
        "load_seconds": round(load_seconds, 3),
        "rungs": [_of_size(predictor, *side) for side in SIDES],
    }


def _cpu() -> str:
    """The processor's name, as Linux tells it; elsewhere its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _of_size(predictor: Predictor, width: int, height: int) -> dict[str, object]:
    """Milliseconds to embed a source and to score a rung, the least of a few."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    rgb = np.ascontiguousarray(np.kron(coarse, np.ones((8, 8, 1), np.uint8))[:height, :width])
    source = Source.from_array(rgb)
    rung = Ladder(source, codecs.get("jpeg"))[60]
    embed, score = [], []
    for _ in range(N_TIMED):
        began = time.perf_counter()
        embedding = predictor.embed(source)
        embed.append(time.perf_counter() - began)
        began = time.perf_counter()
        predictor.score(embedding, [rung])
        score.append(time.perf_counter() - began)
    return {
        "width": width,
        "height": height,
        "embed_ms": round(1000 * min(embed), 1),
        "score_ms": round(1000 * min(score), 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """Run from the command line."""
    parser = asking.of_model(__doc__)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--limit", type=int, help="pictures, for a trial")
    parser.add_argument("--cost", action="store_true", help=f"renew only that part of {RESULT.name}")
    asked = parser.parse_args()
    if asked.cost:
        found = with_cost(json.loads(RESULT.read_text("utf-8")), asked.model)
    else:
        found = report(asked.images, asked.labels, asked.split, asked.model, asked.limit)
    text = json.dumps(found, indent=2, allow_nan=False) + "\n"
    print(text, end="")
    if asked.write:
        RESULT.write_text(text)


if __name__ == "__main__":
    main()
