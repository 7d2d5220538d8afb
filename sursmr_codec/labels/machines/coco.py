"""COCO's categories: 80 classes, and the 91 numbers by which its files and older networks know them.

Lin et al., "Microsoft COCO: Common Objects in Context", 2014. https://arxiv.org/abs/1405.0312
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

UNUSED_IDS = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
"""COCO's paper names 91 categories by 1..91; its pictures use 80 of them (91 ends outside 1..90)."""
_CLASS_OF_ID = np.full(91, -1, np.int64)
_CLASS_OF_ID[[i for i in range(1, 91) if i not in UNUSED_IDS]] = np.arange(80)

NAMES = (
    *("person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),
    *("traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse"),
    *("sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie"),
    *("suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove"),
    *("skateboard", "surfboard", "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon"),
    *("bowl", "banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut"),
    *("cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse"),
    *("remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "book"),
    *("clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush"),
)
"""Name of every class, by its index 0..79."""


def class_of_id(ids: NDArray[Any]) -> NDArray[np.int64]:
    """(N,) category numbers -> (N,) class indices 0..79; -1 for numbers that no picture uses."""
    whole = ids.astype(np.int64)
    classes: NDArray[np.int64] = _CLASS_OF_ID[np.where((whole >= 0) & (whole < 91), whole, 0)]
    return classes
