"""The training loop: stages, epochs and steps, resumable at any moment.

Whatever is drawn at random (weights, order, mirroring, dropout) depends on the seed and the place in the run
alone: on a CPU, a resumed run gives the very network that an uninterrupted one gives, bit for bit.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, TypeVar

import torch

from sursmr_codec import images
from sursmr_codec.errors import SursmrError
from sursmr_codec.network.base import PairNetwork
from sursmr_codec.network.build import build, load, to_bytes
from sursmr_codec.training.batches import Feed, epoch_batches, n_batches, seeded
from sursmr_codec.training.config import StageConfig, TrainingConfig
from sursmr_codec.training.inference import forward_of, mean_errors, placed
from sursmr_codec.training.initial import take_over
from sursmr_codec.training.losses import loss
from sursmr_codec.training.run_folder import Position, RunFolder

LOG_STEPS = 20

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """Some steps later."""

    stage: str
    epoch: int
    """From 1."""
    n_epochs: int
    step: int
    """Steps of the epoch that are done."""
    n_steps: int
    loss: float
    """Mean over the epoch so far."""
    learning_rate: float


@dataclass(frozen=True)
class EpochDone:
    """The end of an epoch."""

    stage: str
    epoch: int
    """From 1."""
    n_epochs: int
    loss: float
    """Mean over the epoch."""
    validation: Mapping[str, float]
    """Ratio -> mean absolute error; empty without rungs to validate on."""
    kept: bool
    """Whether this is the stage's best network so far."""


@dataclass(frozen=True, eq=False)
class StageFeeds:
    """What a stage learns from and is judged by, as its network takes it."""

    train: Feed
    validation: Feed


class DivergedError(SursmrError):
    """The loss is no longer a number."""


class Training:
    """One run; `events` trains, `network` is then its result."""

    def __init__(self, config: TrainingConfig, folder: RunFolder, device: torch.device) -> None:
        self.config, self.folder, self.device = config, folder, device
        self.network: PairNetwork | None = None

    def events(
        self,
        feeds_of: Callable[[StageConfig, PairNetwork], Generator[T, None, StageFeeds]],
        initialise: Callable[[PairNetwork], None],
    ) -> Iterator[Progress | EpochDone | T]:
        """Train every stage from where the run's folder stands.

        `initialise` sets the first stage's weights; `feeds_of` gives the data of a stage, and
        may have something to tell while it prepares them. Raises
        DivergedError where the loss is not finite, and OutputError where files cannot be written.
        """
        position, tensors = self.folder.load(self.device)
        for number, stage in enumerate(self.config.stage):
            if number < position.stage:
                continue
            network = self._stage_network(number, initialise)
            feeds = yield from feeds_of(stage, network)
            yield from self._stage(stage, network, feeds, position, tensors)
            position = replace(position, stage=number + 1, epoch=0, step=0, loss_sum=0.0, best=None)
            position, tensors = self.folder.save(position, {}), {}
        self.network = placed(load(self.folder.stage_path(self.config.stage[-1].name)), self.device)

    def _stage_network(self, number: int, initialise: Callable[[PairNetwork], None]) -> PairNetwork:
        stage = self.config.stage[number]
        config = self.config.network
        if stage.family:
            config = dataclasses.replace(config, family=stage.family)
        self._seed("network", stage.name)
        network = build(config)
        if number == 0:
            initialise(network)
        else:
            take_over(network, load(self.folder.stage_path(self.config.stage[number - 1].name)))
        return placed(network, self.device)

    def _stage(
        self,
        stage: StageConfig,
        network: PairNetwork,
        feeds: StageFeeds,
        position: Position,
        tensors: Mapping[str, Any],
    ) -> Iterator[Progress | EpochDone]:
        forward = forward_of(network, frozen=stage.frozen)
        optimiser = torch.optim.AdamW(
            _parameters(stage, network), lr=stage.learning_rate, weight_decay=stage.weight_decay
        )
        precision = _Precision(self.device, stage.mixed_precision)
        if tensors:
            network.load_state_dict(tensors["network"])
            optimiser.load_state_dict(tensors["optimiser"])
            precision.scaler.load_state_dict(tensors["scaler"])
        weights = _ratio_weights(stage, network.config.ratios).to(self.device)
        n_steps = n_batches(feeds.train, stage.batch_size, stage.most_steps)
        while position.epoch < stage.epochs:
            network.train()
            if stage.frozen:
                network.extractor.eval()
            if stage.keep_statistics:
                _keep_statistics(network)
            total = torch.tensor(position.loss_sum, dtype=torch.float64, device=self.device)
            place = (self.config.seed, stage.name, position.epoch, position.step)
            for batch in epoch_batches(feeds.train, stage.batch_size, *place, stage.most_steps):
                rate = learning_rate(stage, position.epoch * n_steps + position.step, stage.epochs * n_steps)
                for group in optimiser.param_groups:
                    group["lr"] = rate * group["share"]
                self._seed("step", stage.name, position.epoch, position.step)
                batch = batch.to(self.device)
                with precision.autocast():
                    prediction = forward(*batch.inputs)
                value = loss(prediction, batch, weights, stage.votes_weight, stage.teachers_weight)
                optimiser.zero_grad(set_to_none=True)
                precision.scaler.scale(value).backward()
                precision.scaler.step(optimiser)
                precision.scaler.update()
                total += value.detach()
                position = replace(position, step=position.step + 1)
                if position.step % LOG_STEPS == 0 or position.step == n_steps:
                    yield self._progress(stage, position, n_steps, float(total), rate)
                if position.step % self.config.checkpoint_steps == 0 and position.step < n_steps:
                    position = self._save(position, float(total), network, optimiser, precision)
            validation = mean_errors(network, forward, feeds.validation, stage.batch_size, self.device)
            position, done = self._epoch_done(stage, position, network, float(total) / n_steps, validation)
            position = self._save(position, 0.0, network, optimiser, precision)
            yield done

    def _epoch_done(
        self,
        stage: StageConfig,
        position: Position,
        network: PairNetwork,
        mean_loss: float,
        validation: Mapping[str, float],
    ) -> tuple[Position, EpochDone]:
        error = fmean(validation.values()) if validation else None
        kept = error is None or position.best is None or error < position.best
        if kept:
            images.write(self.folder.stage_path(stage.name), to_bytes(network))
        done = EpochDone(stage.name, position.epoch + 1, stage.epochs, mean_loss, validation, kept)
        self.folder.log({"event": "epoch", **dataclasses.asdict(done)})
        best = error if kept else position.best
        return replace(position, epoch=position.epoch + 1, step=0, best=best), done

    def _progress(
        self, stage: StageConfig, position: Position, n_steps: int, total: float, rate: float
    ) -> Progress:
        mean = total / position.step
        if not math.isfinite(mean):
            raise DivergedError(
                f"stage {stage.name}, epoch {position.epoch + 1}: the loss is no longer a number; "
                "lower learning_rate or set mixed_precision = false"
            )
        at = Progress(stage.name, position.epoch + 1, stage.epochs, position.step, n_steps, mean, rate)
        self.folder.log({"event": "steps", **dataclasses.asdict(at)})
        return at

    def _save(
        self,
        position: Position,
        loss_sum: float,
        network: PairNetwork,
        optimiser: torch.optim.Optimizer,
        precision: _Precision,
    ) -> Position:
        states = {"network": network, "optimiser": optimiser, "scaler": precision.scaler}
        return self.folder.save(
            replace(position, loss_sum=loss_sum), {name: one.state_dict() for name, one in states.items()}
        )

    def _seed(self, *what: object) -> None:
        torch.manual_seed(int(seeded(self.config.seed, *what).integers(2**63)))


class _Precision:
    """16 bits on a GPU that is to use them, with scaled gradients where their range needs it."""

    def __init__(self, device: torch.device, wanted: bool) -> None:
        self._on = wanted and device.type == "cuda"
        self._dtype = torch.bfloat16 if self._on and torch.cuda.is_bf16_supported() else torch.float16
        self.scaler = torch.amp.GradScaler(enabled=self._on and self._dtype is torch.float16)

    def autocast(self) -> AbstractContextManager[None]:
        return torch.autocast("cuda", self._dtype) if self._on else nullcontext()


def learning_rate(stage: StageConfig, step: int, n_steps: int) -> float:
    """At a step of a stage, counted from 0."""
    rate = stage.learning_rate * min(1.0, (step + 1) / (stage.warmup_steps + 1))
    if stage.schedule == "cosine":
        rate *= 0.5 * (1.0 + math.cos(math.pi * step / n_steps))
    return rate


def _parameters(stage: StageConfig, network: PairNetwork) -> list[dict[str, Any]]:
    """What a stage trains, in groups with their `share` of the learning rate."""
    if stage.outputs_only:
        return [{"params": list(network.head.mlp[-1].parameters()), "share": 1.0}]
    if stage.frozen:
        return [{"params": list(network.head.parameters()), "share": 1.0}]
    extractor = list(network.extractor.parameters()) if hasattr(network, "extractor") else []
    known = set(map(id, extractor))
    others = [one for one in network.parameters() if id(one) not in known]
    groups = [(others, 1.0), (extractor, stage.extractor_rate)]
    return [{"params": some, "share": share} for some, share in groups if some]


def _keep_statistics(network: PairNetwork) -> None:
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.eval()


def _ratio_weights(stage: StageConfig, ratios: Sequence[str]) -> torch.Tensor:
    """(R,) weights of equation 4."""
    if not stage.weights:
        return torch.full((len(ratios),), 1.0 / len(ratios))
    return torch.tensor([stage.weights.get(ratio, 0.0) for ratio in ratios])
