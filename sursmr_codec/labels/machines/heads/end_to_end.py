"""The final boxes of Ultralytics models that are trained to need no suppression: YOLOv10, YOLO26.

Wang et al., "YOLOv10: Real-Time End-to-End Object Detection", 2024. https://arxiv.org/abs/2405.14458
Ultralytics YOLO26, 2025. https://docs.ultralytics.com/models/yolo26/
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sursmr_codec.labels.machines.heads.base import Array, Candidates, Config, Head, InputSize


def decode(outputs: Sequence[Array], config: Config, size: InputSize) -> Candidates:
    """(1, N, 6): four corners, score, class. `norm` 0 says that corners are in pixels, not shares."""
    values = outputs[0][0]
    corners = values[:, :4] * (size.corners if config.get("norm", 1) else 1.0)
    return Candidates(
        corners.astype(np.float32), values[:, 4].astype(np.float32), values[:, 5].astype(np.int64)
    )


HEAD = Head(decode, optional=frozenset({"norm"}), suppresses=True)
