"""Classifiers of timm, prepared for as the configuration that comes with their weights says.

Wightman, "PyTorch Image Models", 2019. https://github.com/huggingface/pytorch-image-models
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from sursmr_codec.errors import UnavailableError
from sursmr_codec.labels.machines.classify import best_labels
from sursmr_codec.labels.machines.heads.base import softmax
from sursmr_codec.labels.machines.hub import HubModel
from sursmr_codec.labels.machines.hub_torch import BUILDING, thinking, with_random_weights
from sursmr_codec.labels.machines.hub_weights import from_hugging_face, library
from sursmr_codec.labels.machines.machine import HubMachine
from sursmr_codec.labels.machines.output import Labels
from sursmr_codec.labels.machines.row import MachineRow
from sursmr_codec.types import Pixels


class TimmClassifier(HubMachine):
    """A machine whose size, crop, interpolation, mean and deviation are timm's for its weights."""

    def __init__(self, row: MachineRow, hub: HubModel, threads: int, *, download: bool) -> None:
        super().__init__(row)
        self._hub, self._threads = hub, threads
        library("torch", hub)
        timm = library("timm", hub)
        self.weights_file = None if row.config.get("random_weights") else _weights(timm, hub, download)
        with BUILDING:
            self._model = self._build(timm).eval()
        preparation = timm.data.resolve_model_data_config(self._model)
        self._prepare = timm.data.create_transform(**preparation, is_training=False)

    def run(self, rgb: Pixels) -> Labels:
        with thinking(self._hub, self._threads):
            # (H, W, 3) uint8 -> (1, 3, h, w) float32 -> (C,) logits
            logits = self._model(self._prepare(Image.fromarray(rgb))[None])[0].float().numpy()
        return best_labels(softmax(np.asarray(logits, np.float32)))

    def _build(self, timm: Any) -> Any:
        if self.weights_file is None:
            _check_name(timm, self._hub)
            return with_random_weights(self._hub, lambda: timm.create_model(self._hub.name))
        # The file takes the place of every address that timm knows for these weights. Loaders for other
        # formats than state dictionaries have no part in it.
        overlay = {"file": str(self.weights_file), "custom_load": False}
        return timm.create_model(self._hub.name, pretrained=True, pretrained_cfg_overlay=overlay)


def _weights(timm: Any, hub: HubModel, download: bool) -> Any:
    _check_name(timm, hub)
    settings = timm.get_pretrained_cfg(hub.name)
    if settings is None or not settings.hf_hub_id:
        raise UnavailableError(f"{hub}: timm has no weights for this model on Hugging Face")
    return from_hugging_face(hub, settings.hf_hub_id, settings.hf_hub_filename, download=download)


def _check_name(timm: Any, hub: HubModel) -> None:
    if not timm.is_model(hub.architecture):
        raise UnavailableError(f"{hub}: this timm has no model {hub.architecture!r}")
    tags = timm.list_pretrained(f"{hub.architecture}.*") if hub.tag else [hub.name]
    if hub.name not in tags:
        known = ", ".join(name.partition(".")[2] for name in tags) or "none"
        raise UnavailableError(f"{hub}: this timm has no weights {hub.tag!r}; it has {known}")
