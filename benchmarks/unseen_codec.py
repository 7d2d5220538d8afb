"""How far off is a predictor on a codec that it was not trained on?

    python benchmarks/unseen_codec.py --images DIR            print
    python benchmarks/unseen_codec.py --images DIR --write    also write benchmarks/unseen_codec.json

For each codec of the labels, the first stage of `models/configs/lite.toml` (a regressor on features of the
backbone as ImageNet left it) is trained twice, with that codec's rungs and without them, and tested on them.
The labels leave out nothing else, so the one without has fewer rungs as well. `--train` and `--test` take so
many pictures, spread evenly; features are kept in `.cache`, so that a run goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from sursmr_codec.network.base import PairNetwork
from sursmr_codec.training.config import TrainingConfig, read_config
from sursmr_codec.training.data import LabelledRungs, read_rungs
from sursmr_codec.training.inference import forward_of, predict
from sursmr_codec.training.initial import initialise
from sursmr_codec.training.loop import Training
from sursmr_codec.training.run import SplitFeeds
from sursmr_codec.training.run_folder import RunFolder
from sursmr_codec.training.rungs import RungStore

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).with_suffix(".json")
CONFIG = ROOT / "models" / "configs" / "lite.toml"
CACHE = ROOT / ".cache" / "unseen_codec"
GOAL = 1.3
DEVICE = torch.device("cpu")

Rungs = dict[str, LabelledRungs]
"""Split -> its rungs."""
Record = dict[str, Any]


def report(folder: Path, n_train: int | None, n_test: int | None) -> Record:
    """Every answer, as one JSON object."""
    config = read_config(CONFIG)
    config = dataclasses.replace(config, stage=(config.stage[0],))
    data = config.data
    splits = {data.train: n_train, data.validation: n_test, data.test: n_test}
    rungs = read_rungs(data.labels, splits=tuple(splits), machines=config.network.machines)
    rungs = {split: _fewer(some, splits[split]) for split, some in rungs.items()}
    store = RungStore(folder, CACHE, config.network.size, config.network.n_crops)
    for some in rungs.values():
        for done in store.prepare(some, 1):
            if done.n_done % 50 == 0:
                print(f"{done.n_done} of {done.n_total} ladders", flush=True)
    codecs = sorted(set(rungs[data.train].codecs))
    seen = _trained(config, rungs, store)
    found = []
    for codec in codecs:
        others = {split: _of(some, codec, keep=False) for split, some in rungs.items()}
        unseen = _trained(config, others, store)
        tested = {**rungs, data.test: _of(rungs[data.test], codec, keep=True)}
        row = {"codec": codec, "n_rungs": len(tested[data.test]), "ratios": {}}
        errors = [_errors(config, network, tested, store) for network in (seen, unseen)]
        for ratio, (one, other) in {name: [some[name] for some in errors] for name in errors[0]}.items():
            row["ratios"][ratio] = {
                "seen_mae": round(one, 4),
                "unseen_mae": round(other, 4),
                "ratio": round(other / one, 3),
                "ok": other / one <= GOAL,
            }
        print(row, flush=True)
        found.append(row)
    return {
        "schema": "sursmr-qp/unseen-codec/1",
        "date": datetime.now(UTC).date().isoformat(),
        "goal": GOAL,
        "stage": config.stage[0].name,
        "n_images": {split: len(set(some.images)) for split, some in rungs.items()},
        "n_train_rungs": {codec: rungs[data.train].codecs.count(codec) for codec in codecs},
        "codecs": found,
    }


def _trained(config: TrainingConfig, rungs: Rungs, store: RungStore) -> PairNetwork:
    with tempfile.TemporaryDirectory() as out:
        training = Training(config, RunFolder(out), DEVICE)
        feeds = SplitFeeds(config, rungs, store, CACHE, DEVICE)
        for _ in training.events(feeds.feeds, lambda network: initialise(network, config.initial)):
            pass
    return cast(PairNetwork, training.network)


def _errors(config: TrainingConfig, network: PairNetwork, rungs: Rungs, store: RungStore) -> dict[str, float]:
    """Ratio -> mean absolute error on the rungs of the test split."""
    stage, feeds = config.stage[0], SplitFeeds(config, rungs, store, CACHE, DEVICE)
    feed = feeds.feed(stage, network, config.data.test)
    try:
        while True:
            next(feed)
    except StopIteration as end:
        _, tested = end.value
    forward = forward_of(network, frozen=True)
    values, labels = predict(network, forward, tested, stage.batch_size, DEVICE)
    return {
        ratio: float(np.nanmean(np.abs(values[:, i] - labels[:, i])))
        for i, ratio in enumerate(network.config.ratios)
    }


def _fewer(rungs: LabelledRungs, n: int | None) -> LabelledRungs:
    names = sorted(set(rungs.images))
    if n is None or n >= len(names):
        return rungs
    return rungs.where(np.isin(rungs.images, [names[k * len(names) // n] for k in range(n)]))


def _of(rungs: LabelledRungs, codec: str, *, keep: bool) -> LabelledRungs:
    return rungs.where((np.array(rungs.codecs, dtype=object) == codec) == keep)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--train", type=int, metavar="N", help="training pictures, for a smaller run")
    parser.add_argument("--test", type=int, metavar="N", help="validation and test pictures, likewise")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    text = json.dumps(report(asked.images, asked.train, asked.test), indent=1, allow_nan=False) + "\n"
    print(text, end="")
    if asked.write:
        RESULT.write_text(text)


if __name__ == "__main__":
    main()
