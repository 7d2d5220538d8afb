"""Regressors on features of a frozen backbone, as the first stage of `models/configs/lite.toml` trains them.

What benchmarks about the labels share: cheap to train over and over, since views and features are kept on
disk. So is what every regressor predicts, by what it was trained and tested on, and a run that was stopped
goes on.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import asking
import numpy as np
import torch
from numpy.typing import NDArray

from sursmr_codec import images
from sursmr_codec.network import views
from sursmr_codec.network.base import PairNetwork
from sursmr_codec.training import measures
from sursmr_codec.training.config import TrainingConfig, read_config
from sursmr_codec.training.data import LabelledRungs, read_rungs, stage_targets
from sursmr_codec.training.inference import forward_of, predict
from sursmr_codec.training.initial import initialise
from sursmr_codec.training.loop import Training
from sursmr_codec.training.run import SplitFeeds, digest_of
from sursmr_codec.training.run_folder import RunFolder
from sursmr_codec.training.rungs import RungStore

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "models" / "configs" / "lite.toml"
CACHE = ROOT / ".cache" / "regressors"
DEVICE = torch.device("cpu")
ALL = "all"

Rungs = dict[str, LabelledRungs]
"""Split -> its rungs."""
Errors = dict[str, dict[str, float | None]]
"""Codec, or `all` -> ratio -> mean absolute error on test rungs; None where none has a label."""


@dataclass(frozen=True, eq=False)
class Regressors:
    """Labelled rungs whose views are there, and how regressors are trained on them."""

    config: TrainingConfig
    rungs: Rungs
    store: RungStore
    cache: Path

    @property
    def train(self) -> LabelledRungs:
        """What may be learned from."""
        return self.rungs[self.config.data.train]

    def tested(
        self, train: LabelledRungs, validation: LabelledRungs, *, seed: int = 0, passes: int = 1
    ) -> Errors:
        """Train on some rungs, choose the epoch on others, and test on all rungs of the test split."""
        stage = dataclasses.replace(self.config.stage[0], passes=passes)
        config = dataclasses.replace(self.config, seed=seed, stage=(stage,))
        return self.errors(self.predicted(config, train, validation), config.network.ratios)

    def predicted(
        self, config: TrainingConfig, train: LabelledRungs, validation: LabelledRungs
    ) -> NDArray[np.float32]:
        """(N, R): the ratios of all rungs of the test split, by a regressor that a configuration trains.

        NaN for rungs that have no label of any of them.
        """
        data = config.data
        rungs = {**self.rungs, data.train: train, data.validation: validation}
        key = json.dumps([config.record, digest_of(rungs), views.VERSION])
        path = self.cache / "predicted" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npy"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            buffer = io.BytesIO()
            np.save(buffer, self._predicted(config, rungs))
            images.write(path, buffer.getvalue())
        kept: NDArray[np.float32] = np.load(path)
        return kept

    def errors(self, predicted: NDArray[np.float32], ratios: Sequence[str]) -> Errors:
        """Of (N, R) `ratios` of the test split's rungs."""
        tested = self.rungs[self.config.data.test]
        labels = stage_targets(tested, ratios, {}, required=False)
        codecs = np.array(tested.codecs, dtype=object)
        some = {ALL: np.ones(len(tested), bool), **{codec: codecs == codec for codec in sorted(set(codecs))}}
        return {
            name: {
                ratio: measures.mean_absolute_error(predicted[its, i], labels[its, i])
                for i, ratio in enumerate(ratios)
            }
            for name, its in some.items()
        }

    def _predicted(self, config: TrainingConfig, rungs: Rungs) -> NDArray[np.float32]:
        feeds = SplitFeeds(config, rungs, self.store, self.cache, DEVICE)
        with tempfile.TemporaryDirectory() as out:
            folder = RunFolder(out)
            folder.claim(config.record)
            training = Training(config, folder, DEVICE)
            for _ in training.events(feeds.feeds, lambda network: initialise(network, config.initial)):
                pass
        network, stage = cast(PairNetwork, training.network), config.stage[0]
        feed = feeds.feed(stage, network, config.data.test)
        try:
            while True:
                next(feed)
        except StopIteration as end:
            _, its_feed = end.value
        forward = forward_of(network, frozen=True)
        values, _ = predict(network, forward, its_feed, stage.batch_size, DEVICE)
        # Rungs without any label of what the network predicts are passed over.
        labels = stage_targets(rungs[config.data.test], network.config.ratios, stage.labels, required=False)
        found = np.full(labels.shape, np.nan, np.float32)
        found[(~np.isnan(labels)).any(axis=1)] = values
        return found


def answer(doc: str | None, report: Callable[[Regressors], dict[str, Any]], result: Path) -> None:
    """Answer a question from the command line; `doc` is the script's own text."""
    parser = asking.parser(doc)
    parser.add_argument("--train", type=int, metavar="N", help="training pictures, for a smaller run")
    parser.add_argument("--test", type=int, metavar="N", help="validation and test pictures, likewise")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of views and features")
    asked = parser.parse_args()
    found = report(prepare(asked.images, asked.cache, asked.train, asked.test))
    asking.tell(found, result, write=asked.write)


def prepare(folder: Path, cache: Path, n_train: int | None, n_test: int | None) -> Regressors:
    """Make the views of labelled rungs below `folder`; of so many pictures a split, where given."""
    config = read_config(CONFIG)
    config = dataclasses.replace(config, stage=(config.stage[0],))
    data = config.data
    splits = {data.train: n_train, data.validation: n_test, data.test: n_test}
    rungs = read_rungs(data.labels, splits=tuple(splits), machines=config.network.machines)
    rungs = {split: fewer(some, splits[split]) for split, some in rungs.items()}
    store = RungStore(folder, cache, config.network.size, config.network.n_crops)
    for split, some in rungs.items():
        for done in store.prepare(some, 1):
            if done.n_done % 50 == 0:
                print(f"{split}: {done.n_done} of {done.n_total} ladders", flush=True)
    return Regressors(config, rungs, store, cache)


def fewer(rungs: LabelledRungs, n: int | None) -> LabelledRungs:
    """Those of `n` pictures, by the digest of their names, so that a smaller choice lies in a larger."""
    names = sorted(set(rungs.images), key=lambda image: hashlib.sha256(image.encode()).hexdigest())
    return rungs if n is None else rungs.where(np.isin(rungs.images, names[:n]))
