"""Batches of views or of frozen statistics, in an order that depends on the seed, stage and epoch alone."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sursmr_codec.training.data import LabelledRungs
from sursmr_codec.training.rungs import RungStore

TOGETHER = 4
"""Most rungs of a source that come one after another in an epoch."""


@dataclass(frozen=True, eq=False)
class Batch:
    """B rungs as a network takes them, and their labels."""

    inputs: tuple[Tensor, ...]
    """Views of U sources and of B rungs, (., V, 3, S, S) uint8, and (B,) which source is each rung's; or one
    (B, D) of frozen statistics."""
    ratios: Tensor
    """(B, R) labels in 0..1, NaN where not defined."""
    votes: Tensor
    """(B, M) uint8: 1 satisfied, 0 not, 2 does not count."""
    teachers: Tensor = field(default_factory=lambda: torch.zeros(0, 0))
    """(B, T) probits of teachers' scores, NaN where not scored; see `network.viewers`."""

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        return Batch(
            tuple(one.to(device, non_blocking=True) for one in self.inputs),
            self.ratios.to(device, non_blocking=True),
            self.votes.to(device, non_blocking=True),
            self.teachers.to(device, non_blocking=True),
        )


class Feed(Protocol):
    """Where batches come from."""

    def __len__(self) -> int:
        """Number of rungs."""
        ...

    def order(self, generator: np.random.Generator) -> NDArray[np.int64]:
        """All rungs, shuffled for an epoch."""
        ...

    def batch(self, rows: NDArray[np.int64], generator: np.random.Generator | None) -> Batch:
        """Those rungs; changed at random where a generator is given."""
        ...


@dataclass(frozen=True, eq=False)
class Targets:
    """What N rungs are to be predicted as."""

    ratios: NDArray[np.float32]
    """(N, R) in 0..1, NaN where not defined."""
    votes: NDArray[np.uint8]
    """(N, M): 1 satisfied, 0 not, 2 does not count."""
    teachers: NDArray[np.float32]
    """(N, T) probits of teachers' scores, NaN where not scored."""

    def batch(self, inputs: tuple[Tensor, ...], rows: NDArray[np.int64]) -> Batch:
        """Those rungs with their inputs."""
        return Batch(
            inputs, *(torch.from_numpy(one[rows]) for one in (self.ratios, self.votes, self.teachers))
        )


class ViewFeed:
    """Views of sources and rungs, mirrored alike when a generator is given.

    A few rungs of one source come one after another, so that it is looked at once for those in a batch; not
    all, where they are many, or a batch would be of hardly any pictures.
    """

    def __init__(self, store: RungStore, rungs: LabelledRungs, targets: Targets, *, flips: bool) -> None:
        self._store, self._rungs, self._flips, self._targets = store, rungs, flips, targets
        by_image: dict[str, list[int]] = {}
        for row, image in enumerate(rungs.images):
            by_image.setdefault(image, []).append(row)
        self._by_image = [np.array(rows) for rows in by_image.values()]

    def __len__(self) -> int:
        return len(self._rungs)

    def order(self, generator: np.random.Generator) -> NDArray[np.int64]:
        few = [
            some
            for rows in self._by_image
            for some in np.array_split(generator.permutation(rows), math.ceil(len(rows) / TOGETHER))
        ]
        return np.concatenate([few[i] for i in generator.permutation(len(few))])

    def batch(self, rows: NDArray[np.int64], generator: np.random.Generator | None) -> Batch:
        numbers: dict[str, int] = {}
        sources: list[NDArray[np.uint8]] = []
        mirrored: list[tuple[bool, bool]] = []
        rungs: list[NDArray[np.uint8]] = []
        for i in rows.tolist():
            image = self._rungs.images[i]
            if image not in numbers:
                numbers[image] = len(numbers)
                across, upside_down = (False, False)
                if self._flips and generator is not None:
                    across, upside_down = (generator.random(2) < 0.5).tolist()
                mirrored.append((across, upside_down))
                sources.append(flipped(self._store.source(image), across, upside_down))
            rung = self._store.rung(image, self._rungs.codecs[i], int(self._rungs.qps[i]))
            rungs.append(flipped(rung, *mirrored[numbers[image]]))
        which = torch.tensor([numbers[self._rungs.images[i]] for i in rows.tolist()])
        views = (torch.from_numpy(np.stack(sources)), torch.from_numpy(np.stack(rungs)), which)
        return self._targets.batch(views, rows)


class FrozenFeed:
    """Statistics of frozen features, computed once; nothing is left to change at random."""

    def __init__(self, numbers: Tensor, targets: Targets) -> None:
        self._numbers, self._targets = numbers, targets

    def __len__(self) -> int:
        return len(self._numbers)

    def order(self, generator: np.random.Generator) -> NDArray[np.int64]:
        return generator.permutation(len(self))

    def batch(self, rows: NDArray[np.int64], generator: np.random.Generator | None) -> Batch:
        return self._targets.batch((self._numbers[rows],), rows)


class RepeatedFeed:
    """Another feed several times over: each time all of its rungs, shuffled anew."""

    def __init__(self, feed: Feed, passes: int) -> None:
        self._feed, self._passes = feed, passes

    def __len__(self) -> int:
        return self._passes * len(self._feed)

    def order(self, generator: np.random.Generator) -> NDArray[np.int64]:
        return np.concatenate([self._feed.order(generator) for _ in range(self._passes)])

    def batch(self, rows: NDArray[np.int64], generator: np.random.Generator | None) -> Batch:
        return self._feed.batch(rows, generator)


def flipped(picture: NDArray[np.uint8], across: bool, upside_down: bool) -> NDArray[np.uint8]:
    """A picture (..., H, W) mirrored left to right, top to bottom, or not at all."""
    return picture[..., :: -1 if upside_down else 1, :: -1 if across else 1]


def seeded(*what: object) -> np.random.Generator:
    """A generator that depends on `what` alone, so that a resumed run draws what it would have drawn."""
    digest = hashlib.sha256("\0".join(map(str, what)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def n_batches(feed: Feed, batch_size: int, most: int = 0) -> int:
    """Batches of an epoch, `most` where that is given and there are more.

    What is left at its end is smaller, or joins none where it is a single rung.
    """
    whole, rest = divmod(len(feed), batch_size)
    # Batch normalisation cannot be trained on one rung.
    n = whole + (rest > 1 or (rest == 1 and not whole))
    return min(n, most) if most else n


def epoch_batches(
    feed: Feed, batch_size: int, seed: int, stage: str, epoch: int, first: int = 0, most: int = 0
) -> Iterator[Batch]:
    """Shuffled batches of one training epoch, from the `first` on; the next is loaded beside each.

    `most` is as for `n_batches`; those that are left out are others in every epoch.
    """
    order = feed.order(seeded(seed, stage, epoch))

    def load(step: int) -> Batch:
        rows = order[step * batch_size : (step + 1) * batch_size]
        return feed.batch(rows, seeded(seed, stage, epoch, step))

    yield from _ahead(load, range(first, n_batches(feed, batch_size, most)))


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
