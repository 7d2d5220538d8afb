"""What a training run does, as a TOML file says it: frozen dataclasses in which nothing goes unread."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from sursmr_codec.errors import UsageError
from sursmr_codec.labels.store import RATIOS as LABELS
from sursmr_codec.network.config import RATIOS, NetworkConfig
from sursmr_codec.training.parsing import parse

Schedule = Literal["constant", "cosine"]
UNSEEN = "smr_unseen"
"""The one ratio of label tables that nothing is learned from."""


@dataclass(frozen=True)
class DataConfig:
    """Where labelled pictures are, and which of them are used; raises UsageError for impossible values."""

    images: str = ""
    """Folder that the labels' images are below; relative to the file's own folder."""
    labels: tuple[str, ...] = ()
    """Label tables, or folders of them; relative to the file's own folder."""
    cache: str = ""
    """Folder of decoded views, which runs may share; in the output folder by default."""
    codecs: tuple[str, ...] = ()
    """Only rungs of these; all by default."""
    train: str = "train"
    """Split that is learned from."""
    validation: str = "val"
    """Split that chooses among epochs."""
    test: str = "test"
    """Split that results are reported on."""
    validation_share: float = 0.0
    """Share of the pictures to learn from that validate instead, where the labels have no such split."""
    own_smr: bool = False
    """Whether every SMR is taken anew over the network's own machines; see `own_smr`."""
    flips: bool = True
    """Whether pictures are mirrored at random, source and rung alike."""

    def __post_init__(self) -> None:
        if len({self.train, self.validation, self.test}) < 3:
            raise UsageError("data: train, validation and test must be three splits")
        if not 0.0 <= self.validation_share < 1.0:
            raise UsageError(
                f"data: validation_share must be at least 0 and below 1, not {self.validation_share}"
            )


@dataclass(frozen=True)
class StageConfig:
    """One round of training; raises UsageError for impossible values."""

    name: str
    family: Literal["", "pretraining"] = ""
    """`pretraining` trains the extractor with a head of its own, which is then dropped."""
    epochs: int = 1
    passes: int = 1
    """Times that an epoch goes over the rungs, where they are too few to validate and save after each."""
    most_steps: int = 0
    """Of an epoch, where going over all rungs would take too long; 0 for no limit."""
    batch_size: int = 72
    learning_rate: float = 1e-4
    schedule: Schedule = "constant"
    """`cosine` falls to zero over the stage."""
    warmup_steps: int = 0
    """Over which the learning rate rises from zero."""
    weight_decay: float = 0.0
    """Decoupled from the gradient; without any, the optimiser is Adam."""
    frozen: bool = False
    """Whether the backbone is left as it is and its statistics are computed once (`moments` only)."""
    mixed_precision: bool = True
    """Whether a GPU, where there is one, works in 16 bits; without one nothing changes."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Ratio -> column of the label tables, where it is not the column of that name."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Ratio -> weight of its absolute error; all alike, adding up to 1, by default (equation 4)."""
    votes_weight: float = 0.0
    """Weight of the cross-entropy of the machines' own outputs."""
    teachers_weight: float = 0.0
    """Weight of the absolute error of the teachers' scores, as probits of the SUR that they stand for."""
    extractor_rate: float = 1.0
    """Learning rate of the extractor, as a share of the others'."""
    keep_statistics: bool = False
    """Whether batch normalisation keeps the means and deviations that the stage begins with."""
    outputs_only: bool = False
    """Whether the last layer alone is trained, so that outputs without labels stay as they are."""

    def __post_init__(self) -> None:
        where = f"stage {self.name}"
        if not re.fullmatch(r"[\w-]+", self.name):
            raise UsageError(
                f"{where}: a stage's name is of letters, digits, _ and -, since files are called so"
            )
        if self.family not in ("", "pretraining"):
            raise UsageError(f"{where}: family must be pretraining or left out, not {self.family!r}")
        if self.schedule not in get_args(Schedule):
            raise UsageError(f"{where}: schedule must be constant or cosine, not {self.schedule!r}")
        if min(self.epochs, self.passes, self.batch_size) < 1:
            raise UsageError(f"{where}: epochs, passes and batch_size must be at least 1")
        if not self.learning_rate > 0.0:
            raise UsageError(f"{where}: learning_rate must be above 0, not {self.learning_rate}")
        if self._smallest() < 0:
            raise UsageError(
                f"{where}: most_steps, warmup_steps, weight_decay and weights must not be negative"
            )
        for ratio in [*self.labels, *self.weights]:
            if ratio not in RATIOS:
                raise UsageError(f"{where}: unknown ratio {ratio}; known: {', '.join(RATIOS)}")
        for column in self.labels.values():
            if column not in LABELS:
                raise UsageError(f"{where}: unknown column {column}; known: {', '.join(LABELS)}")
            if column == UNSEEN:
                raise UsageError(f"{where}: column {column} is of machines that are kept from training")

    def _smallest(self) -> float:
        numbers = (self.warmup_steps, self.weight_decay, self.votes_weight, self.teachers_weight)
        return min(*numbers, self.most_steps, self.extractor_rate, *self.weights.values())


@dataclass(frozen=True)
class TrainingConfig:
    """A whole run; raises UsageError for parts that do not fit each other."""

    name: str
    """Of the model that comes out."""
    network: NetworkConfig
    stage: tuple[StageConfig, ...]
    """In the order they are trained; each starts from the weights of the one before."""
    data: DataConfig = field(default_factory=DataConfig)
    seed: int = 0
    initial: str = ""
    """Weights to start from: a file of this program, or a package that `initial` knows."""
    checkpoint_steps: int = 500
    """Steps between two checkpoints; every epoch ends with one."""

    def __post_init__(self) -> None:
        if not self.stage:
            raise UsageError("there is no [[stage]] to train")
        if len({stage.name for stage in self.stage}) < len(self.stage):
            raise UsageError("two stages have the same name")
        if self.stage[-1].family == "pretraining":
            raise UsageError("the last stage must train the network itself, not its extractor alone")
        if self.checkpoint_steps < 1:
            raise UsageError(f"checkpoint_steps must be at least 1, not {self.checkpoint_steps}")
        for stage in self.stage:
            if stage.frozen and (self.network.family != "moments" or stage.family):
                raise UsageError(f"stage {stage.name}: only a moments network can have frozen = true")
            if self.network.family == "moments" and stage.batch_size < 2 and not stage.keep_statistics:
                raise UsageError(
                    f"stage {stage.name}: batch normalisation cannot be trained on one rung: set batch_size "
                    "to 2 or more"
                )
            if stage.family and self.network.family != "unified":
                raise UsageError(f"stage {stage.name}: only a unified network has a pretraining")
            if stage.outputs_only and (stage.weight_decay or stage.family):
                raise UsageError(
                    f"stage {stage.name}: outputs_only needs weight_decay = 0 and the network's own head"
                )
            if stage.votes_weight and not self.network.machines:
                raise UsageError(f"stage {stage.name}: votes_weight needs a network with machines")
            if stage.teachers_weight and not self.network.teachers:
                raise UsageError(f"stage {stage.name}: teachers_weight needs a network with teachers")
            for ratio in [*stage.labels, *stage.weights]:
                if ratio not in self.network.ratios:
                    raise UsageError(f"stage {stage.name}: the network does not predict {ratio}")

    @property
    def record(self) -> dict[str, Any]:
        """What decides the result, as JSON: the same wherever files lie and however often a run is saved."""
        values = dataclasses.asdict(self)
        del values["checkpoint_steps"]
        for name in ("images", "labels", "cache"):
            del values["data"][name]
        plain: dict[str, Any] = json.loads(json.dumps(values))
        return plain


def read_config(path: Path | str) -> TrainingConfig:
    """The run that a TOML file describes; raises UsageError naming an unknown key or a wrong value.

    Paths in it are taken from the file's own folder.
    """
    path = Path(path)
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    try:
        config = parse(TrainingConfig, values)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    return _resolved(config, path.resolve().parent)


def _resolved(config: TrainingConfig, folder: Path) -> TrainingConfig:
    def beside(name: str) -> str:
        return str(folder / name) if name else ""

    data = dataclasses.replace(
        config.data,
        images=beside(config.data.images),
        labels=tuple(map(beside, config.data.labels)),
        cache=beside(config.data.cache),
    )
    initial = config.initial
    if initial.endswith((".safetensors", ".onnx")):
        initial = beside(initial)
    return dataclasses.replace(config, data=data, initial=initial)
