"""A trained network under torch, for GPUs: the same work as `onnx.py` does on CPUs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.errors import MissingExtra, UnavailableError
from sursmr_codec.types import Pixels


class TorchNetwork:
    """The weights of a `model.safetensors` or `model.onnx` on one device, loaded once."""

    def __init__(self, model: Path, device: str = "cuda") -> None:
        """Raises MissingExtra without torch, UnavailableError without GPU, UsageError for other files."""
        try:
            import torch

            from sursmr_codec.network.from_graph import load_model
        except ImportError as error:
            raise MissingExtra("torch", f"predicting on {device}", "torch") from error
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise UnavailableError("torch finds no GPU here; take --device cpu")
        self._torch = torch
        self._device = torch.device(device)
        self._network = load_model(model).to(self._device)
        self.config = self._network.config

    def embed(self, views: Pixels) -> Sequence[Any]:
        """What is kept, on the device, of the source whose (1, V, 3, S, S) views these are."""
        with self._torch.inference_mode():
            features: Sequence[Any] = self._network.embed(self._on_device(views))
        return features

    def arrays(self, source: Sequence[Any]) -> Sequence[NDArray[np.float32]]:
        """What is kept of a source, for numpy."""
        return [one.float().cpu().numpy() for one in source]

    def compare(self, source: Sequence[Any], views: Pixels) -> Mapping[str, NDArray[np.float32]]:
        """As `OnnxNetwork.compare`."""
        from sursmr_codec.network.heads import named_outputs

        with self._torch.inference_mode():
            prediction = self._network.compare(source, self._network.embed(self._on_device(views)))
            outputs = named_outputs(self._network, prediction)
        return {name: one.float().cpu().numpy() for name, one in outputs.items()}

    def _on_device(self, views: Pixels) -> Any:
        return self._torch.from_numpy(np.ascontiguousarray(views)).to(self._device)
