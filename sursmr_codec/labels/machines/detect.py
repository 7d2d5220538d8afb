"""Detectors of objects and of faces: boxes in the picture's own pixels.

The families differ in their head alone; fitting, suppression and the way back to the picture are one path.
"""

from __future__ import annotations

import numpy as np

from sursmr_codec.labels.machines.geometry import place
from sursmr_codec.labels.machines.heads import InputSize
from sursmr_codec.labels.machines.machine import NetworkMachine
from sursmr_codec.labels.machines.nms import suppress
from sursmr_codec.labels.machines.output import SCORE_FLOOR, Boxes, require_finite
from sursmr_codec.labels.machines.preprocess import NORMALISATIONS
from sursmr_codec.types import Pixels

DEFAULT_IOU = 0.45
"""Overlap above which the weaker of two boxes of a class falls."""


class Detector(NetworkMachine):
    """A machine that says where things are."""

    def run(self, rgb: Pixels) -> Boxes:
        row = self.row
        pixels, placement = place(rgb, row.fit, row.width, row.height, row.pad)
        outputs = self.runtime(NORMALISATIONS[row.preprocess](pixels))
        found = row.head.decode(outputs, row.config, InputSize(row.width, row.height))
        require_finite(found.scores)

        likely = np.flatnonzero(found.scores >= np.float32(SCORE_FLOOR))
        xyxy, scores, classes = found.xyxy[likely], found.scores[likely], found.classes[likely]
        if row.head.suppresses or not row.config.get("nms", True):
            kept = np.argsort(-scores, kind="stable")
        else:
            kept = suppress(xyxy, scores, classes, row.config.get("iou", DEFAULT_IOU))
        return Boxes(placement.to_picture(xyxy[kept]), scores[kept], classes[kept])
