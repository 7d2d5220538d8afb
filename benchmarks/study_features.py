"""Frozen features of the study's pictures: seen once, kept on disk, and read by every variant."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from study_variants import Protocol, Variant
from torch import Tensor
from torch.nn import functional as F

from sursmr_codec.network.build import build
from sursmr_codec.network.config import NetworkConfig
from sursmr_codec.network.moments import N_OPINION, Moments
from sursmr_codec.training.data import LabelledRungs
from sursmr_codec.training.initial import initialise
from sursmr_codec.training.rungs import RungStore


@dataclass(frozen=True, eq=False)
class Ladder:
    """What the backbone says of one source and its rungs, in half precision; the source is the first row."""

    maps: tuple[np.ndarray, ...]
    """(1 + K, C_l, H_l, W_l) of each layer, larger maps averaged to the protocol's grid."""
    top: np.ndarray
    """(1 + K, C): the pooled features that a classifier decides on."""
    statistics: np.ndarray
    """(K, D): of rung and source, whole picture, then a native crop, then the opinion."""


class Eyes:
    """A frozen backbone with trained or random weights."""

    def __init__(
        self, protocol: Protocol, *, trained: bool = True, body: Mapping[str, Tensor] | None = None
    ) -> None:
        """`body` are weights of the backbone that take the place of the protocol's."""
        config = NetworkConfig(
            family="moments", backbone=protocol.backbone, size=protocol.size, n_crops=1, semantic=True
        )
        torch.manual_seed(0)
        network = build(config)
        assert isinstance(network, Moments)
        if trained:
            initialise(network, protocol.initial)
        if body is not None:
            # Stage 1 trains a body without a classifier; the classifier's opinion is not asked for then.
            network.extractor.body.load_state_dict({**network.extractor.body.state_dict(), **body})
        self._network, self._protocol = network.eval(), protocol
        self.channels: tuple[int, ...] = network.extractor.channels

    def ladder(self, views: Tensor) -> Ladder:
        """Look at (1 + K, 2, 3, S, S) views of a source and its rungs."""
        network, grid = self._network, self._protocol.grid
        with torch.inference_mode():
            body, flat = network.extractor.body, network.extractor.normalise(views.flatten(0, 1))
            top, features = body.forward_intermediates(flat)
            seen = [one.unflatten(0, views.shape[:2]) for one in (*features, body.forward_head(top))]
            described = network.describe([one[:1] for one in seen], [one[1:] for one in seen])
            pooled = top.unflatten(0, views.shape[:2])[:, 0].mean(dim=(-2, -1))
            maps = [_averaged(one[:, 0], grid) for one in seen[:-1]]
        return Ladder(tuple(map(_half, maps)), _half(pooled), described.numpy())


def _averaged(maps: Tensor, grid: int) -> Tensor:
    return F.adaptive_avg_pool2d(maps, min(grid, maps.shape[-1]))


def _half(tensor: Tensor) -> np.ndarray:
    return tensor.half().numpy()


class Features:
    """Ladders on disk, one file each."""

    def __init__(self, folder: Path, eyes: Eyes, store: RungStore, key: str) -> None:
        self._folder, self._eyes, self._store, self._key = folder, eyes, store, key
        folder.mkdir(parents=True, exist_ok=True)

    def prepare(self, rungs: LabelledRungs) -> Iterator[tuple[int, int]]:
        """Look at what is not on disk; yields how many ladders are done, and of how many."""
        ladders = rungs.ladders()
        for n_done, ((image, codec), rows) in enumerate(ladders.items(), start=1):
            path = self._path(image, codec)
            if not path.exists():
                pictures = [self._store.source(image)]
                pictures += [self._store.rung(image, codec, int(rungs.qps[row])) for row in rows]
                seen = self._eyes.ladder(torch.from_numpy(np.stack(pictures)))
                arrays = {f"map_{i}": one for i, one in enumerate(seen.maps)}
                temporary = path.with_suffix(".tmp.npz")
                np.savez(temporary, top=seen.top, statistics=seen.statistics, **arrays)
                temporary.replace(path)
            yield n_done, len(ladders)

    def ladder(self, image: str, codec: str) -> Ladder:
        """What was seen of a prepared ladder."""
        with np.load(self._path(image, codec)) as kept:
            n_maps = sum(name.startswith("map_") for name in kept.files)
            return Ladder(tuple(kept[f"map_{i}"] for i in range(n_maps)), kept["top"], kept["statistics"])

    def _path(self, image: str, codec: str) -> Path:
        what = f"{self._key}\0{self._store.key(image, codec)}"
        return self._folder / f"{hashlib.sha256(what.encode()).hexdigest()[:32]}.npz"


@dataclass(frozen=True, eq=False)
class Seen:
    """What a variant is given of N rungs: features of each, and of each one's source."""

    source: tuple[np.ndarray, ...]
    """Of U sources; empty for statistics, which are of both."""
    rung: tuple[np.ndarray, ...]
    which: np.ndarray
    """(N,): whose source is whose."""

    def batch(self, rows: np.ndarray) -> tuple[list[Tensor], list[Tensor]]:
        """Features of sources and rungs at those rows, as a network's `compare` takes them."""
        return (
            [torch.from_numpy(one[self.which[rows]]).float() for one in self.source],
            [torch.from_numpy(one[rows]).float() for one in self.rung],
        )


def gather(variant: Variant, rungs: LabelledRungs, features: Features, channels: Sequence[int]) -> Seen:
    """Read what a variant sees of all rungs, in their order."""
    sources: list[tuple[np.ndarray, ...]] = []
    rows_of: dict[int, tuple[np.ndarray, ...]] = {}
    which = np.zeros(len(rungs), np.int64)
    for (image, codec), rows in rungs.ladders().items():
        each = _inputs(variant, features.ladder(image, codec), channels)
        if variant.inputs != "statistics":
            sources.append(tuple(one[0] for one in each))
            each = tuple(one[1:] for one in each)
        which[rows] = max(0, len(sources) - 1)
        for i, row in enumerate(rows.tolist()):
            rows_of[row] = tuple(one[i] for one in each)
    by_row = [rows_of[row] for row in range(len(rungs))]
    return Seen(_stacked(sources), _stacked(by_row), which)


def _stacked(rows: list[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    return tuple(np.stack(one) for one in zip(*rows, strict=True))


def _inputs(variant: Variant, ladder: Ladder, channels: Sequence[int]) -> tuple[np.ndarray, ...]:
    if variant.inputs == "statistics":
        return (ladder.statistics[:, columns(variant, channels)],)
    if variant.inputs == "pooled":
        match variant.network.family:
            case "smr_net":
                return (ladder.top[:, None],)
            case "pretraining":
                return (ladder.maps[-1].mean(axis=(-2, -1))[:, None],)
        pooled = [one.astype(np.float32).mean(axis=(-2, -1)) for one in ladder.maps]
        return (np.concatenate(pooled, axis=1)[:, None],)
    return tuple(one[:, None] for one in ladder.maps)


def columns(variant: Variant, channels: Sequence[int]) -> np.ndarray:
    """Which statistics a variant sees, of those that `Moments` makes of the whole picture and one crop.

    A view has three numbers a channel, layer by layer: the source's mean, then two of the difference. The
    whole picture comes first, then the crop, then the opinion.
    """
    of_source = [np.repeat([True, False, False], n) for n in channels]
    view = np.concatenate(of_source)
    seen = np.ones_like(view) if variant.content else ~view
    parts = [seen, seen if variant.crop else np.zeros_like(seen), np.full(N_OPINION, variant.opinion)]
    return np.flatnonzero(np.concatenate(parts))
