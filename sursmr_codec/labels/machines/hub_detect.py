"""Detectors of torchvision, trained on COCO.

They take a picture of any size and bring it to theirs themselves; boxes come back in its own pixels.
https://docs.pytorch.org/vision/stable/models.html#object-detection
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.errors import UnavailableError
from sursmr_codec.labels.machines.coco import class_of_id
from sursmr_codec.labels.machines.hub import HubModel
from sursmr_codec.labels.machines.hub_torch import BUILDING, thinking, with_random_weights
from sursmr_codec.labels.machines.hub_weights import from_pytorch, library
from sursmr_codec.labels.machines.machine import HubMachine
from sursmr_codec.labels.machines.output import SCORE_FLOOR, Boxes, require_finite
from sursmr_codec.labels.machines.row import MachineRow
from sursmr_codec.types import Pixels


class TorchvisionDetector(HubMachine):
    """A machine that prepares pictures and suppresses overlapping boxes by itself."""

    def __init__(self, row: MachineRow, hub: HubModel, threads: int, *, download: bool) -> None:
        super().__init__(row)
        self._hub, self._threads = hub, threads
        self._torch = library("torch", hub)
        models = library("torchvision.models", hub)
        entry = _entry(models, hub)
        if not row.config.get("random_weights"):
            self.weights_file = from_pytorch(hub, entry.url, download=download)
        with BUILDING:
            self._model = self._build(models, entry).eval()

    def run(self, rgb: Pixels) -> Boxes:
        # (H, W, 3) uint8 -> (3, H, W) float32 0..1
        planes = np.ascontiguousarray(rgb.transpose(2, 0, 1)).astype(np.float32) / np.float32(255)
        with thinking(self._hub, self._threads):
            (found,) = self._model([self._torch.from_numpy(planes)])
        height, width = rgb.shape[:2]
        return boxes({name: values.numpy() for name, values in found.items()}, width, height)

    def _build(self, models: Any, entry: Any) -> Any:
        if self.weights_file is None:
            return with_random_weights(
                self._hub,
                lambda: models.get_model(self._hub.architecture, weights=None, weights_backbone=None),
            )
        with _weights_from(entry, self.weights_file, self._torch):
            return models.get_model(self._hub.architecture, weights=entry, progress=False)


def boxes(found: Mapping[str, NDArray[Any]], width: int, height: int) -> Boxes:
    """`boxes` (N, 4) in pixels, `labels` (N,) COCO's numbers, `scores` (N,) -> boxes of its 80 classes."""
    classes = class_of_id(found["labels"])
    scores = found["scores"].astype(np.float32)
    require_finite(scores)
    likely = np.flatnonzero((classes >= 0) & (scores >= np.float32(SCORE_FLOOR)))
    kept = likely[np.argsort(-scores[likely], kind="stable")]
    corners = np.clip(found["boxes"][kept], 0, np.array([width, height] * 2)).astype(np.float32)
    return Boxes(corners.reshape(-1, 4), scores[kept], classes[kept])


def _entry(models: Any, hub: HubModel) -> Any:
    """The library's entry for the weights; raises UnavailableError for a name that it does not have."""
    if hub.architecture not in models.list_models(module=models.detection):
        raise UnavailableError(f"{hub}: this torchvision has no detector {hub.architecture!r}")
    entries = models.get_model_weights(hub.architecture)
    if hub.tag and hub.tag not in entries.__members__:
        known = ", ".join(entry.name for entry in entries)
        raise UnavailableError(f"{hub}: this torchvision has no weights {hub.tag!r}; it has {known}")
    return entries[hub.tag] if hub.tag else entries.DEFAULT


@contextmanager
def _weights_from(entry: Any, path: Path, torch: Any) -> Iterator[None]:
    """Let the library's builder read `path` instead of fetching the entry's address.

    The builder also sets what belongs to these very weights (frozen statistics, their epsilon), so that it
    cannot be done without; left alone it would unpickle freely and download what is missing.
    """
    kind = type(entry)
    kind.get_state_dict = lambda *_, **__: torch.load(path, map_location="cpu", weights_only=True)
    try:
        yield
    finally:
        del kind.get_state_dict
