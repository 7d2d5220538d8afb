"""How a picture of any size is brought to a network's input size, and how boxes find their way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.errors import MissingExtra, UsageError
from sursmr_codec.types import Pixels

YOLO_GREY = 114
"""Grey of a letterbox's bars that most of the YOLO family was trained with."""


@dataclass(frozen=True)
class Fit:
    """One way to bring a picture to the input size."""

    kind: Literal["crop", "squash", "center", "topleft", "own"]
    """`crop`: a centred square; `squash`: the whole picture, aspect ratio lost; `center` and `topleft`: the
    whole picture with its aspect ratio, between bars or in the corner; `own`: as the model's weights say,
    which only models of a collection do."""
    fraction: float = 1.0
    """Side of the centred square over the picture's shorter side; only for `crop`."""

    @classmethod
    def parse(cls, text: str) -> Fit:
        """Read `center crop 0.875`, `squash`, `center` or `topleft`; empty is `squash`. Raises ValueError."""
        match text.split():
            case []:
                return cls("squash")
            case ["squash" | "center" | "topleft" as kind]:
                return cls(kind)
            case ["center", "crop", number]:
                try:
                    fraction = float(number)
                except ValueError:
                    fraction = 0.0
                if not 0.0 < fraction <= 1.0:
                    raise ValueError(f"the cropped share must be a number above 0 and up to 1, not {number}")
                return cls("crop", fraction)
        raise ValueError(f"{text!r} is not squash, center, topleft or 'center crop 0.875'")


@dataclass(frozen=True)
class Placement:
    """Where the input's pixels lie in the picture: `picture = input * scale + shift`, per axis."""

    scale_x: float
    scale_y: float
    shift_x: float
    shift_y: float
    width: int
    """Of the picture."""
    height: int
    """Of the picture."""

    def to_picture(self, xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 4) corners in input pixels -> (N, 4) corners in picture pixels, clipped to the picture."""
        scale = np.array([self.scale_x, self.scale_y] * 2)
        shift = np.array([self.shift_x, self.shift_y] * 2)
        limit = np.array([self.width, self.height] * 2, np.float64)
        corners: NDArray[np.float32] = np.clip(xyxy * scale + shift, 0.0, limit).astype(np.float32)
        return corners


def place(rgb: Pixels, fit: Fit, width: int, height: int, pad: int = YOLO_GREY) -> tuple[Pixels, Placement]:
    """Bring `rgb` to (height, width, 3) uint8 the way `fit` says; `pad` 0..255 fills a letterbox's bars.

    Raises MissingExtra without OpenCV, and UsageError for `own`, which only the model itself knows.
    """
    if fit.kind == "own":
        raise UsageError("a picture cannot be placed for a model that prepares it itself")
    picture_height, picture_width = rgb.shape[:2]
    if fit.kind == "crop":
        side = max(1, int(min(picture_height, picture_width) * fit.fraction))
        top, left = (picture_height - side) // 2, (picture_width - side) // 2
        pixels = _resize(rgb[top : top + side, left : left + side], width, height)
        return pixels, Placement(side / width, side / height, left, top, picture_width, picture_height)
    if fit.kind == "squash":
        pixels = _resize(rgb, width, height)
        scale_x, scale_y = picture_width / width, picture_height / height
        return pixels, Placement(scale_x, scale_y, 0.0, 0.0, picture_width, picture_height)

    ratio = min(height / picture_height, width / picture_width)
    inner_width = max(1, round(picture_width * ratio))
    inner_height = max(1, round(picture_height * ratio))
    left, top = 0, 0
    if fit.kind == "center":
        left, top = (width - inner_width) // 2, (height - inner_height) // 2
    pixels = np.full((height, width, 3), pad, np.uint8)
    pixels[top : top + inner_height, left : left + inner_width] = _resize(rgb, inner_width, inner_height)
    return pixels, Placement(1 / ratio, 1 / ratio, -left / ratio, -top / ratio, picture_width, picture_height)


def _resize(rgb: Pixels, width: int, height: int) -> Pixels:
    try:
        import cv2
    except ImportError as error:
        raise MissingExtra("opencv-python-headless", "resizing pictures for machines", "measured") from error
    # Area averaging does not alias when shrinking, but is nearest-neighbour when growing; a picture that
    # shrinks on one axis only is sampled linearly.
    shrinks = rgb.shape[0] > height and rgb.shape[1] > width
    resized: Pixels = cv2.resize(
        rgb, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    return resized
