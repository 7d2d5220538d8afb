"""One unit of the study: one variant, one seed, trained on frozen features and tested once."""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from study_features import Seen
from study_variants import Protocol, Variant
from torch import Tensor, nn

from sursmr_codec.network.build import build
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.network.heads import Prediction, RatioHead
from sursmr_codec.training.batches import Targets
from sursmr_codec.training.data import LabelledRungs, stage_targets
from sursmr_codec.training.evaluate import evaluate
from sursmr_codec.training.losses import loss
from sursmr_codec.training.measures import mean_absolute_error

FROZEN = ("extractor", "body")
"""Parts of a network that features were computed with."""


@dataclass(frozen=True, eq=False)
class Split:
    """Labelled rungs, and what a variant sees of them."""

    rungs: LabelledRungs
    seen: Seen


class OfStatistics(nn.Module):
    """An MLP over statistics of features, each brought to zero mean and unit deviation."""

    def __init__(self, n_inputs: int, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.standardise = nn.BatchNorm1d(n_inputs, affine=False)
        self.drop = nn.Dropout(config.dropout)
        self.head = RatioHead(n_inputs, config, (config.hidden, config.hidden // 2), config.dropout)

    def compare(self, source: Sequence[Tensor], rung: Sequence[Tensor]) -> Prediction:
        """From (B, D) statistics, which are of source and rung both."""
        prediction: Prediction = self.head(self.drop(self.standardise(rung[0])))
        return prediction


def unit(
    variant: Variant,
    seed: int,
    protocol: Protocol,
    splits: dict[str, Split],
    say: Callable[[str], None] = print,
) -> dict[str, object]:
    """Train on `train`, keep the epoch that is best on `val`, look at `test` once; a JSON object."""
    began = time.perf_counter()
    torch.manual_seed(int.from_bytes(hashlib.sha256(f"{variant.name} {seed}".encode()).digest()[:6], "big"))
    network = _network(variant, splits["train"])
    learned = [value for name, value in network.named_parameters() if name.split(".")[0] not in FROZEN]
    rate = protocol.learning_rate
    optimiser = torch.optim.AdamW(learned, lr=rate, weight_decay=0.01)
    train = splits["train"]
    labels = _labels(train.rungs, network)
    weights = torch.full((labels.shape[1],), 1.0 / labels.shape[1])
    targets = Targets(labels, np.zeros((len(labels), 0), np.uint8), np.zeros((len(labels), 0), np.float32))
    generator = np.random.default_rng(seed)
    of_maps = variant.inputs in ("maps", "random maps")
    steps = protocol.steps if of_maps else protocol.steps_of_numbers
    n_batches = -(-len(labels) // protocol.batch_size)
    epochs = max(1, round(steps / n_batches))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, rate, total_steps=epochs * n_batches, pct_start=0.1
    )
    best: tuple[float, int, dict[str, Tensor]] | None = None
    for epoch in range(1, epochs + 1):
        network.train()
        losses = []
        order = generator.permutation(len(labels))
        for start in range(0, len(order), protocol.batch_size):
            rows = order[start : start + protocol.batch_size]
            with torch.autocast("cpu", torch.bfloat16, enabled=of_maps and protocol.mixed_precision):
                prediction = network.compare(*train.seen.batch(rows))
            value = loss(prediction, targets.batch((), rows), weights)
            optimiser.zero_grad(set_to_none=True)
            value.backward()
            optimiser.step()
            schedule.step()
            losses.append(float(value.detach()))
        error = _error(network, splits["val"], protocol)
        if best is None or error < best[0]:
            best = error, epoch, copy.deepcopy(network.state_dict())
        say(f"{variant.name} {seed}: epoch {epoch} of {epochs}  loss {fmean(losses):.4f}  val {error:.4f}")
    assert best is not None
    network.load_state_dict(best[2])
    test = splits["test"]
    fit = evaluate(
        test.rungs,
        network.config.ratios,
        _predict(network, test.seen, len(test.rungs), protocol),
        _labels(test.rungs, network),
    )
    return {
        "variant": variant.name,
        "seed": seed,
        "best_epoch": best[1],
        "epochs": epochs,
        "validation_error": best[0],
        "n_learned": sum(one.numel() for one in learned),
        "seconds": round(time.perf_counter() - began, 1),
        "test": fit.record(),
    }


def _network(variant: Variant, train: Split) -> nn.Module:
    if variant.inputs == "statistics":
        return OfStatistics(train.seen.rung[0].shape[1], variant.network)
    return build(variant.network)


def _labels(rungs: LabelledRungs, network: nn.Module) -> np.ndarray:
    return stage_targets(rungs, network.config.ratios, {}, required=False)


def _predict(network: nn.Module, seen: Seen, n: int, protocol: Protocol) -> np.ndarray:
    network.eval()
    with torch.inference_mode():
        parts = [
            network.compare(*seen.batch(np.arange(start, min(start + protocol.batch_size, n)))).ratios.numpy()
            for start in range(0, n, protocol.batch_size)
        ]
    return np.concatenate(parts)


def _error(network: nn.Module, split: Split, protocol: Protocol) -> float:
    labels = _labels(split.rungs, network)
    predicted = _predict(network, split.seen, len(labels), protocol)
    errors = [mean_absolute_error(predicted[:, i], labels[:, i]) for i in range(labels.shape[1])]
    return fmean(error for error in errors if error is not None)
