"""A run that makes a trained model one's own: all that a configuration says, read off a label table.

The machines that the table has votes of take the place of the model's, but for those that it keeps from
training; its SUR takes the place of simulated viewers' where no teacher scored it, and all else starts from
the model's weights. The backbone stays as it is, so that training takes minutes without a GPU.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sursmr_codec.errors import UsageError
from sursmr_codec.labels import store
from sursmr_codec.labels.machine_split import unseen_in
from sursmr_codec.labels.machines.zoo import read_zoo
from sursmr_codec.network.config import RATIOS, NetworkConfig
from sursmr_codec.network.from_graph import load_model
from sursmr_codec.predict import weights
from sursmr_codec.training.config import DataConfig, StageConfig, TrainingConfig
from sursmr_codec.training.data import DOES_NOT_COUNT
from sursmr_codec.training.run import labelled_rungs

VALIDATION_SHARE = 0.2
"""Of the pictures, where the labels have no split of their own to validate on."""
EPOCHS = 10
STEPS = 1500
"""About how many steps are trained, unless that is more than so many passes over the rungs:"""
MOST_PASSES = 40
SMALLEST_BATCH, LARGEST_BATCH = 8, 64
LEARNING_RATE = 3e-4


@dataclass(frozen=True)
class Taught:
    """What a label table can teach."""

    train: str
    """Its split to learn from."""
    validates: bool
    """Whether it has a split `val` beside that."""
    n_rungs: int
    """To learn from."""
    viewers: bool
    """Whether they have SUR."""
    teachers: tuple[str, ...]
    """Teachers that scored any of them."""
    machines: tuple[str, ...]
    """Machines that count for any of them, and are not kept from training."""


def own_config(
    model: str, labels: Sequence[Path | str], images: Path | str, *, name: str, zoo: Path | str | None = None
) -> TrainingConfig:
    """The run that fine-tunes `model` (`default`, an id, or a folder) to label tables of `images`.

    `zoo` is the folder of machines that the labels were made with; it tells classifiers from detectors where
    the model does not know them. A machine that neither knows has a vote in SMR, but in no task's. Raises
    UsageError for what is no model, labels or zoo, and for labels that teach nothing.
    """
    files = weights.find(None if model == "default" else model)
    start = files.for_torch
    base = load_model(start).config
    taught = _taught(labels)
    network = _network(base, taught, _tasks(base, zoo))
    others = {"val", "test"} - {taught.train}
    data = DataConfig(
        images=str(images),
        labels=tuple(map(str, labels)),
        train=taught.train,
        validation="val" if taught.validates else "held out",
        test="test" if "test" in others else "none",
        validation_share=0.0 if taught.validates else VALIDATION_SHARE,
        own_smr=bool(taught.machines),
    )
    stage = _stage(network, taught)
    return _of_defined(
        TrainingConfig(name=name, network=network, stage=(stage,), data=data, initial=str(start.resolve()))
    )


def left_out(config: TrainingConfig) -> tuple[str, ...]:
    """Machines of a run's labels that get no output: nothing can, or must, be learned of them."""
    columns = store.read_labels(config.data.labels).column_names
    voters = (name.removeprefix(store.VOTE_PREFIX) for name in columns if name.startswith(store.VOTE_PREFIX))
    return tuple(name for name in voters if name not in config.network.machines)


def _of_defined(config: TrainingConfig) -> TrainingConfig:
    """The same run, that leaves ratios which no rung to learn from defines to the votes behind them.

    Raises UsageError where no ratio is left.
    """
    rungs = labelled_rungs(config)[config.data.train]
    (stage,) = config.stage
    wanted = {
        ratio: 0.0 if np.isnan(rungs.labels[ratio]).all() else weight
        for ratio, weight in stage.weights.items()
    }
    if not any(wanted.values()):
        raise UsageError(
            "the labels teach nothing: they have no SUR, and on no picture do enough machines count for "
            "an SMR"
        )
    return dataclasses.replace(config, stage=(dataclasses.replace(stage, weights=wanted),))


def _taught(labels: Sequence[Path | str]) -> Taught:
    if not labels:
        raise UsageError("there are no labels to learn from: give --labels")
    table = store.read_labels(list(labels))
    of = np.array(table["split"].to_pylist(), dtype=object)
    splits = sorted(set(of))
    train = "train" if "train" in splits or len(splits) > 1 else splits[0]
    rows = of == train
    if not rows.any():
        raise UsageError(f"the labels have splits {', '.join(splits)}, but none called train to learn from")

    def known(column: str) -> bool:
        values = np.asarray(table[column].to_numpy(zero_copy_only=False), dtype=np.float32)
        return not bool(np.isnan(values[rows]).all())

    unseen = {store.VOTE_PREFIX + name for name in unseen_in(labels)}
    columns = [name for name in table.column_names if name.startswith(store.VOTE_PREFIX)]
    columns = [name for name in columns if name not in unseen]
    voting = [name for name in columns if (table[name].to_numpy()[rows] != DOES_NOT_COUNT).any()]
    taught = Taught(
        train=train,
        validates="val" in splits and train != "val",
        n_rungs=int(rows.sum()),
        viewers=known("sur"),
        teachers=tuple(teacher for teacher, column in store.SCORES.items() if known(column)),
        machines=tuple(name.removeprefix(store.VOTE_PREFIX) for name in voting),
    )
    if not taught.viewers and not taught.machines:
        raise UsageError("the labels teach nothing: they have neither SUR nor a machine that counts")
    return taught


def _tasks(base: NetworkConfig, zoo: Path | str | None) -> Mapping[str, str]:
    """Machine name -> its task, as far as anyone knows."""
    known = dict.fromkeys(base.classifiers, "classification") | dict.fromkeys(base.detectors, "detection")
    if zoo is not None:
        known |= {row.name: row.task for row in read_zoo(zoo, verify=False).rows}
    return known


def _network(base: NetworkConfig, taught: Taught, tasks: Mapping[str, str]) -> NetworkConfig:
    changes: dict[str, Any] = {}
    if taught.viewers:
        # SUR that no teacher scored is of people, for whom the teachers' curves do not speak.
        changes["teachers"] = tuple(teacher for teacher in base.teachers if teacher in taught.teachers)
    if taught.machines:
        changes["classifiers"] = _of(taught.machines, tasks, "classification")
        changes["detectors"] = _of(taught.machines, tasks, "detection")
        placed = {*changes["classifiers"], *changes["detectors"]}
        changes["others"] = tuple(name for name in taught.machines if name not in placed)
    machines = dataclasses.replace(base, ratios=("sur",), **changes)
    said = {"sur": taught.viewers or "sur" in base.ratios}
    for ratio, needed in (
        ("smr", machines.machines),
        ("smr_classification", machines.classifiers),
        ("smr_detection", machines.detectors),
    ):
        said[ratio] = bool(needed) if taught.machines else ratio in base.ratios
    return dataclasses.replace(machines, ratios=tuple(ratio for ratio in RATIOS if said[ratio]))


def _of(machines: Sequence[str], tasks: Mapping[str, str], task: str) -> tuple[str, ...]:
    return tuple(name for name in machines if tasks.get(name) == task)


def _stage(network: NetworkConfig, taught: Taught) -> StageConfig:
    # One side without labels would drift while the other learns, were more than the outputs trained.
    outputs_only = not (taught.viewers and taught.machines)
    wanted = {"sur": 1.0 if taught.viewers else 0.0}
    wanted |= dict.fromkeys(RATIOS[1:], 0.5 if taught.machines else 0.0)
    batch_size = min(max(taught.n_rungs // 16, SMALLEST_BATCH), LARGEST_BATCH)
    n_passes = min(STEPS / math.ceil(taught.n_rungs / batch_size), MOST_PASSES)
    return StageConfig(
        name="own",
        frozen=network.family == "moments",
        outputs_only=outputs_only,
        keep_statistics=True,
        epochs=EPOCHS,
        passes=max(1, round(n_passes / EPOCHS)),
        batch_size=batch_size,
        learning_rate=LEARNING_RATE,
        schedule="cosine",
        warmup_steps=20,
        weight_decay=0.0 if outputs_only else 0.05,
        weights={ratio: wanted[ratio] for ratio in network.ratios},
        votes_weight=0.5 if taught.machines else 0.0,
        teachers_weight=0.2 if taught.viewers and network.teachers else 0.0,
    )
