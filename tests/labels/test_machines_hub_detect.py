"""Detectors of torchvision, with weights made here and fetched from a file; the network is never touched."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sursmr_codec.errors import UnavailableError
from sursmr_codec.labels.machines import coco, hub_detect
from sursmr_codec.labels.machines.machine import load
from sursmr_codec.labels.machines.output import Boxes
from sursmr_codec.labels.machines.zoo import MachineRow

torch = pytest.importorskip("torch")
detection = pytest.importorskip("torchvision.models.detection")
pytestmark = pytest.mark.usefixtures("no_network", "caches")

Row = Callable[..., MachineRow]

SSDLITE = "torchvision:ssdlite320_mobilenet_v3_large.COCO_V1"
PICTURE = np.random.default_rng(0).integers(0, 256, (120, 200, 3), dtype=np.uint8)


def test_a_detector_finds_boxes_in_the_pictures_own_pixels(
    hub_row: Row, caches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_detector(monkeypatch, caches, category=90)
    before = detection.SSDLite320_MobileNet_V3_Large_Weights.COCO_V1.get_state_dict
    with pytest.raises(UnavailableError, match="--download"):
        load(hub_row(SSDLITE))
    load(hub_row(SSDLITE), download=True)
    machine = load(hub_row(SSDLITE))
    assert machine.weights_file is not None
    assert machine.weights_file.is_relative_to(caches)
    assert detection.SSDLite320_MobileNet_V3_Large_Weights.COCO_V1.get_state_dict == before
    boxes = machine.run(PICTURE)
    assert isinstance(boxes, Boxes)
    assert len(boxes) > 0
    # Category 90 is the last of COCO's 80 classes.
    assert set(boxes.classes.tolist()) == {79}
    assert np.all(np.diff(boxes.scores) <= 0)
    assert boxes.xyxy.min() >= 0
    assert boxes.xyxy[:, [0, 2]].max() == pytest.approx(200, abs=1)
    assert boxes.xyxy[:, [1, 3]].max() == pytest.approx(120, abs=1)


def publish_detector(monkeypatch: pytest.MonkeyPatch, folder: Path, category: int) -> Path:
    """Weights that see one category everywhere, at the address that torchvision knows."""
    state = detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None).state_dict()
    for name, values in state.items():
        if name.startswith("head.classification_head") and name.endswith(".1.bias") and len(values) % 91 == 0:
            values.reshape(-1, 91)[:, category] = 20.0
    return publish(monkeypatch, folder, state)


def publish(monkeypatch: pytest.MonkeyPatch, folder: Path, state: Any) -> Path:
    plain = folder / "plain.pth"
    torch.save(state, plain)
    digest = hashlib.sha256(plain.read_bytes()).hexdigest()
    file = plain.rename(folder / f"ssdlite-{digest[:8]}.pth")
    entry = detection.SSDLite320_MobileNet_V3_Large_Weights.COCO_V1
    monkeypatch.setattr(entry.value, "url", file.as_uri())
    return file


class Trap:
    """Runs a command wherever it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_weights_cannot_run_code(hub_row: Row, caches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, caches, {"weight": Trap(caches / "caught")})
    with pytest.raises(UnavailableError, match="machine it cannot be loaded from torchvision:ssdlite"):
        load(hub_row(SSDLITE), download=True)
    assert not (caches / "caught").exists()


def test_a_detectors_file_must_have_its_published_digest(
    hub_row: Row, caches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = publish_detector(monkeypatch, caches, category=1)
    cached = caches / "torch" / "hub" / "checkpoints" / file.name
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"cut off")
    with pytest.raises(UnavailableError, match="remove it and fetch it anew"):
        load(hub_row(SSDLITE))
    cached.unlink()
    file.write_bytes(b"another file")
    with pytest.raises(UnavailableError, match=r"cannot be fetched from file://.*invalid hash value"):
        load(hub_row(SSDLITE), download=True)
    assert not cached.exists()


def test_boxes_become_cocos_80_classes() -> None:
    found = {
        "boxes": np.array([[-5, -5, 50, 50], [1, 2, 3, 4], [5, 6, 300, 200], [7, 8, 9, 10]], np.float32),
        # 12 is a number that no picture uses; 13 is the stop sign.
        "labels": np.array([1, 12, 13, 90]),
        "scores": np.array([0.2, 0.9, 0.8, 0.04], np.float32),
    }
    boxes = hub_detect.boxes(found, 200, 120)
    assert boxes.classes.tolist() == [coco.NAMES.index("stop sign"), coco.NAMES.index("person")]
    assert boxes.xyxy.tolist() == [[5, 6, 200, 120], [0, 0, 50, 50]]
    assert len(hub_detect.boxes({key: values[:0] for key, values in found.items()}, 9, 9)) == 0


def test_cocos_names_are_torchvisions() -> None:
    names = detection.SSDLite320_MobileNet_V3_Large_Weights.COCO_V1.meta["categories"]
    classes = coco.class_of_id(np.arange(-2, 100))
    known = {int(i): names[n] for n, i in zip(range(-2, 100), classes, strict=True) if i >= 0}
    assert tuple(known[i] for i in range(80)) == coco.NAMES
