"""What classifiers and detectors in torch share: threads, randomness, and how outputs leave torch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sursmr_codec.labels.machines.hub import HubModel
from sursmr_codec.labels.machines.hub_weights import library

BUILDING = threading.Lock()
"""Held while a library builds a model: what is set aside for that moment belongs to the whole process."""


@contextmanager
def thinking(hub: HubModel, threads: int) -> Iterator[None]:
    """Run a network without gradients, on so many threads; the caller's own number comes back after."""
    torch = library("torch", hub)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)


def with_random_weights(hub: HubModel, build: Callable[[], Any]) -> Any:
    """What `build` makes, with the same random weights every time; torch's own dice stay as they were."""
    torch = library("torch", hub)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build()
