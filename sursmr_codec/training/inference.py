"""Asking a network about many rungs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from sursmr_codec.network.base import PairNetwork
from sursmr_codec.network.heads import Prediction
from sursmr_codec.training.batches import Feed, plain_batches

Forward = Callable[..., Prediction]
"""From a batch's inputs to a prediction: the network itself, or its part behind frozen statistics."""


def placed(network: PairNetwork, device: torch.device) -> PairNetwork:
    """The same network on a device, the channels of its weights last: a CPU convolves twice as fast then."""
    network.to(device, memory_format=torch.channels_last)
    return network


def forward_of(network: PairNetwork, *, frozen: bool) -> Forward:
    """What takes a batch's inputs: with `frozen`, statistics of features in place of views."""
    forward: Forward = network.regress if frozen else network
    return forward


def predict(
    network: PairNetwork, forward: Forward, feed: Feed, batch_size: int, device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(N, R) predicted ratios and (N, R) labels, NaN where not defined, of all rungs of a feed in order."""
    network.eval()
    nothing = np.zeros((0, len(network.config.ratios)), np.float32)
    predicted, labels = [nothing], [nothing]
    with torch.inference_mode():
        for batch in plain_batches(feed, batch_size):
            moved = batch.to(device)
            predicted.append(forward(*moved.inputs).ratios.cpu().numpy())
            labels.append(batch.ratios.numpy())
    return np.concatenate(predicted), np.concatenate(labels)


def mean_errors(
    network: PairNetwork, forward: Forward, feed: Feed, batch_size: int, device: torch.device
) -> dict[str, float]:
    """Ratio -> mean absolute error over the rungs of a feed that have a label; no entry where none has."""
    predicted, labels = predict(network, forward, feed, batch_size, device)
    errors = {}
    for i, ratio in enumerate(network.config.ratios):
        known = ~np.isnan(labels[:, i])
        if known.any():
            errors[ratio] = float(np.abs(predicted[known, i] - labels[known, i]).mean())
    return errors
