"""Batches of views or of frozen statistics, in an order that depends on the seed, stage and epoch alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sursmr_codec.training.data import LabelledRungs
from sursmr_codec.training.rungs import RungStore


@dataclass(frozen=True, eq=False)
class Batch:
    """B rungs as a network takes them, and their labels."""

    inputs: tuple[Tensor, ...]
    """Views of sources and of rungs, (B, V, 3, S, S) uint8 each; or one (B, D) of frozen statistics."""
    ratios: Tensor
    """(B, R) labels in 0..1, NaN where not defined."""
    votes: Tensor
    """(B, M) uint8: 1 satisfied, 0 not, 2 does not count."""

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        return Batch(
            tuple(one.to(device, non_blocking=True) for one in self.inputs),
            self.ratios.to(device, non_blocking=True),
            self.votes.to(device, non_blocking=True),
        )


class Feed(Protocol):
    """Where batches come from."""

    def __len__(self) -> int:
        """Number of rungs."""
        ...

    def batch(self, rows: NDArray[np.int64], generator: np.random.Generator | None) -> Batch:
        """Those rungs; changed at random where a generator is given."""
        ...


class ViewFeed:
    """Views of sources and rungs, mirrored alike when a generator is given."""

    def __init__(
        self, store: RungStore, rungs: LabelledRungs, targets: NDArray[np.float32], *, flips: bool
    ) -> None:
        self._store, self._rungs, self._flips = store, rungs, flips
        self._targets = torch.from_numpy(targets)
        self._votes = torch.from_numpy(rungs.votes)

    def __len__(self) -> int:
        return len(self._rungs)

    def batch(self, rows: NDArray[np.int64], generator: np.random.Generator | None) -> Batch:
        sources, rungs = [], []
        for i in rows.tolist():
            image = self._rungs.images[i]
            source = self._store.source(image)
            rung = self._store.rung(image, self._rungs.codecs[i], int(self._rungs.qps[i]))
            if self._flips and generator is not None:
                source, rung = flipped(source, rung, *(generator.random(2) < 0.5).tolist())
            sources.append(source)
            rungs.append(rung)
        return Batch(
            (torch.from_numpy(np.stack(sources)), torch.from_numpy(np.stack(rungs))),
            self._targets[rows],
            self._votes[rows],
        )


class FrozenFeed:
    """Statistics of frozen features, computed once; nothing is left to change at random."""

    def __init__(self, numbers: Tensor, targets: NDArray[np.float32], votes: NDArray[np.uint8]) -> None:
        self._numbers = numbers
        self._targets, self._votes = torch.from_numpy(targets), torch.from_numpy(votes)

    def __len__(self) -> int:
        return len(self._numbers)

    def batch(self, rows: NDArray[np.int64], generator: np.random.Generator | None) -> Batch:
        return Batch((self._numbers[rows],), self._targets[rows], self._votes[rows])


def flipped(
    source: NDArray[np.uint8], rung: NDArray[np.uint8], across: bool, upside_down: bool
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Both pictures (..., H, W) mirrored left to right, top to bottom, or not at all."""
    step = (..., slice(None, None, -1 if upside_down else 1), slice(None, None, -1 if across else 1))
    return source[step], rung[step]


def seeded(*what: object) -> np.random.Generator:
    """A generator that depends on `what` alone, so that a resumed run draws what it would have drawn."""
    digest = hashlib.sha256("\0".join(map(str, what)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def n_batches(feed: Feed, batch_size: int) -> int:
    """Batches of an epoch; what is left at its end is smaller, or joins none where it is a single rung."""
    whole, rest = divmod(len(feed), batch_size)
    # Batch normalisation cannot be trained on one rung.
    return whole + (rest > 1 or (rest == 1 and not whole))


def epoch_batches(
    feed: Feed, batch_size: int, seed: int, stage: str, epoch: int, first: int = 0
) -> Iterator[Batch]:
    """Shuffled batches of one training epoch, from the `first` on; the next is loaded beside each."""
    order = seeded(seed, stage, epoch).permutation(len(feed))

    def load(step: int) -> Batch:
        rows = order[step * batch_size : (step + 1) * batch_size]
        return feed.batch(rows, seeded(seed, stage, epoch, step))

    yield from _ahead(load, range(first, n_batches(feed, batch_size)))


def plain_batches(feed: Feed, batch_size: int) -> Iterator[Batch]:
    """Every rung once, in order and unchanged."""

    def load(start: int) -> Batch:
        return feed.batch(np.arange(start, min(start + batch_size, len(feed))), None)

    yield from _ahead(load, range(0, len(feed), batch_size))


def _ahead(load: Callable[[int], Batch], steps: range) -> Iterator[Batch]:
    with ThreadPoolExecutor(1) as beside:
        upcoming = None
        for step in steps:
            current = upcoming or beside.submit(load, step)
            upcoming = beside.submit(load, step + steps.step) if step + steps.step in steps else None
            yield current.result()
