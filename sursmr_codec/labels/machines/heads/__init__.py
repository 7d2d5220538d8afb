"""Detection heads by the name that zoo.csv gives them: one file a family, one line here."""

from __future__ import annotations

from sursmr_codec.labels.machines.heads import (
    blazeface,
    end_to_end,
    fastestdet,
    nanodet,
    retinaface,
    ssd,
    ssd_tflite,
    yolo3,
    yolo_fastest_v2,
    yolov5,
    yolov6_lite,
    yolov8,
    yolox,
    yunet,
)
from sursmr_codec.labels.machines.heads.base import Candidates, Head, InputSize

__all__ = ["FACE_HEADS", "OBJECT_HEADS", "Candidates", "Head", "InputSize"]

OBJECT_HEADS: dict[str, Head] = {
    "e2e": end_to_end.HEAD,
    "fastest": fastestdet.HEAD,
    "fastestv2": yolo_fastest_v2.HEAD,
    "nanodet": nanodet.HEAD,
    "ssd_st": ssd.HEAD,
    "tflite_ssd": ssd_tflite.HEAD,
    "v5raw": yolov5.HEAD,
    "v8": yolov8.HEAD,
    "y6lite": yolov6_lite.HEAD,
    "yolo3": yolo3.HEAD,
    "yolox": yolox.HEAD,
}
FACE_HEADS: dict[str, Head] = {
    "blaze": blazeface.HEAD,
    "retina": retinaface.HEAD,
    "yunet": yunet.HEAD,
}
