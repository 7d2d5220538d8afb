"""The decoded anchor-free output of Ultralytics models since YOLOv8; also YOLOv5u and YOLO11.

Jocher et al., YOLOv8, 2023. https://github.com/ultralytics/ultralytics
"""

from __future__ import annotations

from collections.abc import Sequence

from sursmr_codec.labels.machines.heads.base import (
    Array,
    Candidates,
    Config,
    Head,
    InputSize,
    corners_from_centre,
)


def decode(outputs: Sequence[Array], config: Config, size: InputSize) -> Candidates:
    """(1, 4 + classes, N): centre, width, height, then one probability a class.

    TFLite exports give lengths as shares of the input; `norm` 0 says that they are in pixels.
    """
    values = outputs[0][0].T
    lengths = values[:, :4] * (size.corners if config.get("norm", 1) else 1.0)
    return Candidates.best_class(corners_from_centre(lengths[:, :2], lengths[:, 2:]), values[:, 4:])


HEAD = Head(decode, optional=frozenset({"norm"}))
