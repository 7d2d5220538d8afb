"""Stage 1 of the paper in small: the backbone learns proxy labels and SMR, and is then frozen again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from study_variants import Protocol

from sursmr_codec import codecs, images
from sursmr_codec.labels.proxy import DEFAULT_METRICS, Curves, falling, measure, proxy
from sursmr_codec.ladder import Ladder
from sursmr_codec.network.build import load
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.training.config import DataConfig, StageConfig, TrainingConfig
from sursmr_codec.training.data import LabelledRungs
from sursmr_codec.training.initial import initialise
from sursmr_codec.training.loop import EpochDone, Progress, Training
from sursmr_codec.training.run import SplitFeeds, digest_of
from sursmr_codec.training.run_folder import RunFolder
from sursmr_codec.training.rungs import RungStore

STAGE = "pretrain"
SPLITS = ("train", "val")
"""What is learned from, and what chooses the epoch; nothing of `test` is seen."""


@dataclass(frozen=True)
class StageOne:
    """How the backbone is trained before it is frozen: the same for every proxy."""

    epochs: int = 2
    batch_size: int = 48
    learning_rate: float = 1e-4
    """The paper's."""


class Proxies:
    """Scores of the metrics behind proxy labels, one JSON file a ladder, and what proxies they make."""

    def __init__(self, pictures: Path, folder: Path) -> None:
        self._pictures, self._folder = pictures, folder
        folder.mkdir(parents=True, exist_ok=True)

    def prepare(self, rungs: LabelledRungs) -> Iterator[tuple[int, int]]:
        """Score what is not on disk; yields how many ladders are done, and of how many."""
        ladders = rungs.ladders()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            work = [(image, codec, rungs.qps[rows].tolist()) for (image, codec), rows in ladders.items()]
            for n_done, _ in enumerate(pool.map(lambda one: self._scores(*one), work), start=1):
                yield n_done, len(ladders)

    def learned(self, rungs: LabelledRungs, metrics: tuple[str, ...]) -> LabelledRungs:
        """The same rungs with `sur_proxy` made of these metrics over each codec's whole range of QPs."""
        values = np.full(len(rungs), np.nan, np.float32)
        for (image, codec), rows in rungs.ladders().items():
            curves = self._scores(image, codec, rungs.qps[rows].tolist())
            chosen = {name: curves[name] for name in metrics}
            ratios = proxy(chosen, codecs.get(codec).qp_range, falling(metrics))
            found = [ratios[qp] for qp in rungs.qps[rows].tolist()]
            values[rows] = [np.nan if one is None else one for one in found]
        return replace(rungs, labels={**rungs.labels, "sur_proxy": values})

    def _scores(self, image: str, codec_id: str, qps: Iterable[int]) -> Curves:
        codec = codecs.get(codec_id)
        asked = sorted({*qps, codec.qp_range[0], codec.qp_range[-1]})
        what = json.dumps([image, codec.fingerprint(), asked, DEFAULT_METRICS])
        path = self._folder / f"{hashlib.sha256(what.encode()).hexdigest()[:32]}.json"
        if not path.exists():
            ladder = Ladder(images.read(self._pictures / image), codec)
            temporary = path.with_suffix(".tmp")
            temporary.write_text(json.dumps(measure(ladder, asked).scores))
            temporary.replace(path)
        kept = json.loads(path.read_text())
        return {name: {int(qp): score for qp, score in curve.items()} for name, curve in kept.items()}


def pretrained(
    protocol: Protocol,
    stage: StageOne,
    rungs: dict[str, LabelledRungs],
    pictures: Path,
    work: Path,
    run: Path,
) -> Iterator[str]:
    """Train the backbone end to end on rungs whose `sur_proxy` is set; yields lines about what is done.

    The best epoch on `val` is kept in the folder `run`, from which a run that was stopped goes on.
    """
    config = TrainingConfig(
        name=run.name,
        initial=protocol.initial,
        network=NetworkConfig(family="pretraining", backbone=protocol.backbone, size=protocol.size),
        data=DataConfig(images=str(pictures)),
        stage=(
            StageConfig(
                name=STAGE,
                labels={"sur": "sur_proxy"},
                schedule="cosine",
                keep_statistics=True,
                **asdict(stage),
            ),
        ),
    )
    folder = RunFolder(run)
    record = {"config": config.record, "labels": digest_of(rungs)}
    folder.check(record, resume=True)
    folder.claim(record)
    store = RungStore(pictures, work / "views", protocol.size, 0)
    for split, some in rungs.items():
        for done in store.prepare(some):
            if done.n_done % 100 == 0 or done.n_done == done.n_total:
                yield f"whole views of {split}: {done.n_done} of {done.n_total}"
    device = torch.device("cpu")
    feeds = SplitFeeds(config, rungs, store, work, device)
    events = Training(config, folder, device).events(
        feeds.feeds, lambda network: initialise(network, config.initial)
    )
    for event in events:
        if isinstance(event, Progress | EpochDone):
            yield f"{run.name}: {event}"


def body_of(run: Path) -> dict[str, torch.Tensor]:
    """The backbone's weights after stage 1, by name."""
    weights: dict[str, torch.Tensor] = load(RunFolder(run).stage_path(STAGE)).extractor.body.state_dict()
    return weights
