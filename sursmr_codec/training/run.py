"""A whole run: labels to views, stages, evaluation and export; yields everything that happens on the way."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from sursmr_codec import images
from sursmr_codec.errors import UsageError
from sursmr_codec.labels.machine_split import unseen_in
from sursmr_codec.labels.store import read_labels
from sursmr_codec.network.base import PairNetwork
from sursmr_codec.network.build import build
from sursmr_codec.network.half import round_weights
from sursmr_codec.network.moments import Moments
from sursmr_codec.training.baseline import QpBaseline
from sursmr_codec.training.batches import Feed, FrozenFeed, RepeatedFeed, Targets, ViewFeed
from sursmr_codec.training.config import StageConfig, TrainingConfig
from sursmr_codec.training.data import LabelledRungs, read_rungs, stage_targets, teacher_scores
from sursmr_codec.training.evaluate import Fit, evaluate
from sursmr_codec.training.export import Exported, export
from sursmr_codec.training.frozen import FrozenStatistics
from sursmr_codec.training.holding_out import hold_out
from sursmr_codec.training.inference import forward_of, predict
from sursmr_codec.training.initial import initialise
from sursmr_codec.training.loop import EpochDone, Progress, StageFeeds, Training
from sursmr_codec.training.own_smr import own_smr
from sursmr_codec.training.run_folder import RunFolder
from sursmr_codec.training.rungs import Prepared, RungStore

METRICS_SCHEMA = "sursmr-qp/metrics/1"


@dataclass(frozen=True)
class Described:
    """How many ladders have their statistics of frozen features."""

    split: str
    n_done: int
    n_total: int


@dataclass(frozen=True)
class Finished:
    """The end of a run."""

    exported: Exported
    fits: dict[str, dict[str, Fit]]
    """Split -> `model` and `codec_and_qp` -> how well it does there; only splits that have rungs."""
    metrics: Path


Event = Prepared | Described | Progress | EpochDone | Finished


def train(
    config: TrainingConfig,
    out: Path | str,
    *,
    resume: bool = False,
    jobs: int | None = None,
    device: torch.device | None = None,
) -> Iterator[Event]:
    """Train, evaluate and export; `Finished` comes last, and its files are in `out`/model.

    With `resume`, a run that was stopped is taken up where it was. `jobs` threads encode rungs, one a core by
    default; `device` is a GPU where there is one. Raises UsageError for labels, pictures and settings that do
    not fit, UnavailableError for missing encoders, and what the parts of a run raise.
    """
    device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
    check_networks(config)
    rungs = labelled_rungs(config)
    folder = RunFolder(out)
    labels = digest_of(rungs)
    record = {"config": config.record, "labels": labels}
    folder.check(record, resume=resume)
    cache = Path(config.data.cache or folder.path / "cache")
    store = RungStore(config.data.images, cache, config.network.size, config.network.n_crops)
    for some in rungs.values():
        yield from store.prepare(some, jobs)
    # Not before pictures and encoders are known to be right, so that a mistake in them claims no folder.
    with folder.locked():
        # Another run may have been here since.
        folder.check(record, resume=resume)
        folder.claim(record)
        data = SplitFeeds(config, rungs, store, cache, device)
        yield from _trained(config, folder, data, labels, device)


def _trained(
    config: TrainingConfig, folder: RunFolder, data: SplitFeeds, labels: str, device: torch.device
) -> Iterator[Event]:
    training = Training(config, folder, device)
    yield from training.events(data.feeds, lambda network: initialise(network, config.initial))
    network = cast(PairNetwork, training.network)
    # What is evaluated is what is shipped.
    round_weights(network)
    fits = yield from _fits(config, data, network, device)
    exported = export(network, folder.path / "model")
    metrics = {
        "schema": METRICS_SCHEMA,
        "name": config.name,
        "seed": config.seed,
        "network": dataclasses.asdict(config.network),
        "labels": labels,
        "codecs": sorted(set(data.rungs[config.data.train].codecs)),
        "n_rungs": {split: len(some) for split, some in data.rungs.items()},
        "splits": {split: {name: fit.record() for name, fit in both.items()} for split, both in fits.items()},
        "onnx_largest_difference": exported.largest_difference,
    }
    path = folder.path / "model" / "metrics.json"
    images.write(path, (json.dumps(metrics, indent=2, allow_nan=False) + "\n").encode())
    yield Finished(exported, fits, path)


def check_networks(config: TrainingConfig) -> None:
    """Raise UsageError where the network of a stage does not take the views that it would be given."""
    for stage in config.stage:
        network_config = config.network
        if stage.family:
            network_config = dataclasses.replace(network_config, family=stage.family)
        views = torch.zeros(1, network_config.n_views, 3, *2 * (network_config.size,), dtype=torch.uint8)
        try:
            with torch.inference_mode():
                build(network_config).eval()(views, views)
        # What backbones say of sizes that are not theirs.
        except (RuntimeError, AssertionError, ValueError, IndexError) as error:
            line = " ".join(str(error).split())
            raise UsageError(
                f"network: {network_config.backbone} cannot look at views of size {network_config.size}, as "
                f"set here: {line[:200]}"
            ) from error


def labelled_rungs(config: TrainingConfig) -> dict[str, LabelledRungs]:
    """Split -> the rungs that a run learns from or is judged by; raises UsageError for none to learn from."""
    data, network = config.data, config.network
    splits = (data.train, data.validation, data.test)
    votes = data.own_smr or any(stage.votes_weight for stage in config.stage)
    if votes and (unseen := sorted(unseen_in(data.labels) & {*network.machines})):
        raise UsageError(f"network: {', '.join(unseen)}: the labels keep these machines from training")
    rungs = read_rungs(
        data.labels, splits=splits, codecs=data.codecs, machines=network.machines if votes else ()
    )
    if not len(rungs[data.train]):
        held = ", ".join(map(repr, sorted(set(read_labels(data.labels)["split"].to_pylist()))))
        raise UsageError(
            f"the labels hold no rungs of split {data.train!r}, but of {held}: label pictures in a folder "
            f"{data.train}, or name another split as train in the file's [data]"
        )
    if data.own_smr:
        rungs = {split: own_smr(some, network) for split, some in rungs.items()}
    return hold_out(rungs, data, config.seed) if data.validation_share else rungs


class SplitFeeds:
    """What a run's stages learn from and are judged by, from one store of views."""

    def __init__(
        self,
        config: TrainingConfig,
        rungs: dict[str, LabelledRungs],
        store: RungStore,
        cache: Path,
        device: torch.device,
    ) -> None:
        self._config, self.rungs, self._store = config, rungs, store
        self._cache, self._device = cache, device

    def feeds(self, stage: StageConfig, network: PairNetwork) -> Generator[Event, None, StageFeeds]:
        """What a stage learns from and is judged by."""
        data = self._config.data
        _, train = yield from self.feed(stage, network, data.train)
        _, validation = yield from self.feed(stage, network, data.validation)
        return StageFeeds(RepeatedFeed(train, stage.passes), validation)

    def labelled(
        self, stage: StageConfig, network: PairNetwork, split: str
    ) -> tuple[LabelledRungs, NDArray[np.float32]]:
        """Rungs of a split that have a label of the stage's, and their (N, R) labels."""
        rungs = self.rungs[split]
        ratios = network.config.ratios
        if split == self._config.data.train:
            learned = [ratio for ratio in ratios if not stage.weights or stage.weights.get(ratio)]
            if learned:
                stage_targets(rungs, learned, stage.labels, required=True)
        targets = stage_targets(rungs, ratios, stage.labels, required=False)
        known = np.flatnonzero((~np.isnan(targets)).any(axis=1))
        return rungs.take(known), targets[known]

    def feed(
        self, stage: StageConfig, network: PairNetwork, split: str
    ) -> Generator[Event, None, tuple[LabelledRungs, Feed]]:
        """The labelled rungs of a split, and their feed."""
        rungs, ratios = self.labelled(stage, network, split)
        targets = Targets(ratios, rungs.votes, _probits(network, rungs, self._device))
        if not stage.frozen:
            flips = self._config.data.flips and split == self._config.data.train
            return rungs, ViewFeed(self._store, rungs, targets, flips=flips)
        statistics = FrozenStatistics(cast(Moments, network), self._store, self._cache, self._device)
        n_ladders = len(rungs.ladders())
        for n_done in statistics.prepare(rungs):
            yield Described(split, n_done, n_ladders)
        return rungs, FrozenFeed(statistics.of(rungs), targets)


def _probits(network: PairNetwork, rungs: LabelledRungs, device: torch.device) -> NDArray[np.float32]:
    """(N, T) labels of the teachers' outputs, NaN where a rung was not scored."""
    scores = teacher_scores(rungs, network.config.teachers)
    if not network.config.teachers:
        return scores
    probits = network.head.curves.probits(torch.from_numpy(scores).to(device)).cpu()
    found: NDArray[np.float32] = probits.numpy()
    return found


def _fits(
    config: TrainingConfig, data: SplitFeeds, network: PairNetwork, device: torch.device
) -> Generator[Event, None, dict[str, dict[str, Fit]]]:
    stage, ratios = config.stage[-1], config.network.ratios
    baseline = QpBaseline(*data.labelled(stage, network, config.data.train))
    fits = {}
    for split in (config.data.validation, config.data.test):
        rungs, feed = yield from data.feed(stage, network, split)
        if len(rungs):
            forward = forward_of(network, frozen=stage.frozen)
            predicted, labels = predict(network, forward, feed, stage.batch_size, device)
            fits[split] = {
                "model": evaluate(rungs, ratios, predicted, labels),
                "codec_and_qp": evaluate(rungs, ratios, baseline.predict(rungs), labels),
            }
    return fits


def digest_of(rungs: dict[str, LabelledRungs]) -> str:
    """Hex SHA-256 of everything that is learned from."""
    digest = hashlib.sha256()
    for split, some in rungs.items():
        columns: list[Any] = [split, some.images, some.codecs, some.fingerprints, some.machines]
        digest.update(json.dumps(columns).encode())
        arrays: list[NDArray[Any]] = [some.qps, some.n_bytes, some.votes, *some.labels.values()]
        for array in arrays:
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
