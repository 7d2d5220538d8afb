"""One row of a zoo: what is known of a machine before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sursmr_codec.labels.machines.config import head_of
from sursmr_codec.labels.machines.geometry import YOLO_GREY, Fit
from sursmr_codec.labels.machines.heads import Head
from sursmr_codec.labels.machines.hub import HubModel

Task = Literal["classification", "detection", "face", "segmentation"]

T_CONF = 0.3
"""Least confidence of an opinion that counts, for machines whose row gives no `conf` of its own."""
T_CONF_FACE = 0.5
"""The same for face detectors, which fire on texture below it."""
JURY_TASKS: tuple[Task, ...] = ("classification", "detection")
"""Tasks whose machines vote in `smr`."""
OWN = "own"
"""In `input`, `preprocess` and `fit`: what the model's weights come with. Only for models of a collection."""


@dataclass(frozen=True)
class MachineRow:
    """One machine, as the table describes it."""

    name: str
    """Letters, digits and underscores; the `m_<name>` of stored labels."""
    task: Task
    weights: Path
    """The weight file, whose suffix decides the runtime; for a model of a collection the text of `file`."""
    n_bytes: int
    """Of the weight file; 0 for a model of a collection."""
    sha256: str
    """First 16 hex digits of the weight file's digest, or of a collection's model (`HubModel.identity`)."""
    width: int
    """Of the network's input; 0 where the model has a preparation of its own."""
    height: int
    """Of the network's input; 0 where the model has a preparation of its own."""
    preprocess: str
    """Name of the normalisation, or `own`."""
    fit: Fit
    """How a picture is brought to the input size."""
    config: Mapping[str, Any]
    """How outputs are decoded; see `config`."""
    ms_busy_core: float
    """Milliseconds a picture on one busy core, when the zoo was made; 0 where the table leaves it open."""
    architecture: str
    trained_on: str
    source: str
    """Where the weights were published."""
    weights_group: str
    """Machines of one group share their weights, and so one vote."""
    licence: str
    hub: HubModel | None = None
    """The model in its collection; None where the weights are a file of the zoo."""

    @property
    def conf(self) -> float:
        """T_conf, 0..1: the least confidence of an opinion that counts."""
        return float(self.config.get("conf", T_CONF_FACE if self.task == "face" else T_CONF))

    @property
    def pad(self) -> int:
        """Grey 0..255 of a letterbox's bars; face detectors were trained with black ones."""
        return int(self.config.get("padv", 0 if self.task == "face" else YOLO_GREY))

    @property
    def head(self) -> Head:
        """How boxes are decoded; only for detectors of objects and faces whose weights are a file."""
        return head_of(self.task, self.config)

    @property
    def runtime(self) -> str:
        """What runs the network: `onnx`, `tflite`, `timm` or `torchvision`."""
        return self.hub.library if self.hub else self.weights.suffix.removeprefix(".")

    @property
    def input_size(self) -> str:
        """Width and height of the network's input as text, `224x224` or `own`."""
        return OWN if self.hub else f"{self.width}x{self.height}"
