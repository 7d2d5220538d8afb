"""Statistics of a frozen backbone's features, computed once a rung and kept on disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor

from sursmr_codec.errors import OutputError
from sursmr_codec.network import moments
from sursmr_codec.network.moments import Moments
from sursmr_codec.training.data import LabelledRungs
from sursmr_codec.training.rungs import RungStore

_AT_ONCE = 16
"""Rungs that are looked at together."""


class FrozenStatistics:
    """`Moments.describe` of every labelled rung; each source is embedded once for all of its rungs."""

    def __init__(self, network: Moments, store: RungStore, cache: Path | str, device: torch.device) -> None:
        self._network, self._store, self._device = network, store, device
        self._cache = Path(cache)
        tensors = {name: one.contiguous().cpu() for name, one in network.extractor.state_dict().items()}
        config = network.config
        seen = (moments.VERSION, config.backbone, config.semantic, config.fidelity)
        self._digest = hashlib.sha256(save(tensors) + repr(seen).encode()).hexdigest()
        self._numbers: dict[tuple[str, str, int], NDArray[np.float32]] = {}
        self._latest: tuple[str, list[Tensor]] | None = None

    def prepare(self, rungs: LabelledRungs) -> Iterator[int]:
        """Compute what is not on disk; yields how many ladders are done after each."""
        self._network.eval()
        with torch.inference_mode():
            for n_done, ((image, codec), rows) in enumerate(rungs.ladders().items(), start=1):
                qps = rungs.qps[rows].tolist()
                path = self._path(self._store.key(image, codec))
                numbers = self._kept(path, len(qps))
                if numbers is None:
                    numbers = self._describe(image, codec, qps)
                    self._keep(path, numbers)
                self._numbers |= {(image, codec, qp): row for qp, row in zip(qps, numbers, strict=True)}
                yield n_done

    def of(self, rungs: LabelledRungs) -> Tensor:
        """(N, D) statistics of prepared rungs, in order."""
        keys = zip(rungs.images, rungs.codecs, rungs.qps.tolist(), strict=True)
        rows = [self._numbers[key] for key in keys]
        return torch.from_numpy(np.stack(rows) if rows else np.zeros((0, 1), np.float32))

    def _describe(self, image: str, codec: str, qps: list[int]) -> NDArray[np.float32]:
        source = self._source(image)
        parts = []
        for start in range(0, len(qps), _AT_ONCE):
            pictures = [self._store.rung(image, codec, qp) for qp in qps[start : start + _AT_ONCE]]
            rung = self._network.embed(self._on_device(np.stack(pictures)))
            parts.append(self._network.describe(source, rung).cpu().numpy())
        return np.concatenate(parts)

    def _source(self, image: str) -> list[Tensor]:
        # The ladders of one image come one after another.
        if self._latest is None or self._latest[0] != image:
            self._latest = image, self._network.embed(self._on_device(self._store.source(image)[None]))
        return self._latest[1]

    def _on_device(self, views: NDArray[np.uint8]) -> Tensor:
        return torch.from_numpy(views).to(self._device)

    def _path(self, key: str) -> Path:
        name = hashlib.sha256(f"{self._digest}\0{key}".encode()).hexdigest()
        return self._cache / f"{name}.npy"

    def _kept(self, path: Path, n: int) -> NDArray[np.float32] | None:
        try:
            numbers = np.load(path)
        except (OSError, ValueError, EOFError):
            return None
        return numbers if len(numbers) == n else None

    def _keep(self, path: Path, numbers: NDArray[np.float32]) -> None:
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                np.save(file, numbers)
            temporary.replace(path)
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error}") from error
