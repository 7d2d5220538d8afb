"""What a machine says of a picture: small, immutable, and free of every threshold.

Outputs are kept raw (boxes far below the usual confidence, five classes with their scores), so that a cache
of them answers any question about thresholds without running a machine again.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.errors import UnavailableError, UsageError

SCORE_FLOOR = 0.05
"""Detectors drop boxes below this score; confidence thresholds must not go below it."""


@dataclass(frozen=True)
class Labels:
    """A classifier's five best classes, best first; equal scores in order of class index."""

    indices: tuple[int, ...]
    """Class indices, for ImageNet 0..999."""
    scores: tuple[float, ...]
    """Probabilities, 0..1, falling."""

    @property
    def top1(self) -> int:
        """Index of the best class."""
        return self.indices[0]

    @property
    def confidence(self) -> float:
        """Probability of the best class, 0..1."""
        return self.scores[0]

    def to_dict(self) -> dict[str, Any]:
        """A JSON object that `output_from_dict` turns back without loss."""
        return {"kind": "labels", "indices": list(self.indices), "scores": list(self.scores)}


@dataclass(frozen=True, eq=False)
class Boxes:
    """A detector's boxes, best first, after suppression of overlapping ones."""

    xyxy: NDArray[np.float32]
    """(N, 4) left, top, right, bottom in pixels of the picture, clipped to it."""
    scores: NDArray[np.float32]
    """(N,) confidences, `SCORE_FLOOR`..1, falling."""
    classes: NDArray[np.int64]
    """(N,) class indices, for COCO 0..79; 0 for faces."""

    def __post_init__(self) -> None:
        n = len(self.scores)
        if self.xyxy.shape != (n, 4) or self.scores.shape != (n,) or self.classes.shape != (n,):
            raise UsageError(
                f"boxes need (N, 4) corners, (N,) scores and (N,) classes, not {self.xyxy.shape}, "
                f"{self.scores.shape} and {self.classes.shape}"
            )

    def __len__(self) -> int:
        return len(self.scores)

    def at_least(self, confidence: float) -> Boxes:
        """The boxes whose score is `confidence` or more.

        The comparison is made in float32, the precision of the scores, so that a score of exactly the
        threshold stays in whatever decimal the threshold is.
        """
        keep = self.scores >= np.float32(confidence)
        return Boxes(self.xyxy[keep], self.scores[keep], self.classes[keep])

    def to_dict(self) -> dict[str, Any]:
        """A JSON object that `output_from_dict` turns back without loss."""
        return {
            "kind": "boxes",
            "xyxy": self.xyxy.tolist(),
            "scores": self.scores.tolist(),
            "classes": self.classes.tolist(),
        }


@dataclass(frozen=True, eq=False)
class Segments:
    """A segmenter's label of every pixel, at the resolution of the machine."""

    labels: NDArray[np.uint8]
    """(H, W) class indices; 0 is background."""

    def to_dict(self) -> dict[str, Any]:
        """A JSON object that `output_from_dict` turns back without loss; the map is deflated."""
        deflated = zlib.compress(np.ascontiguousarray(self.labels).tobytes(), 6)
        return {
            "kind": "segments",
            "shape": list(self.labels.shape),
            "labels": base64.b64encode(deflated).decode("ascii"),
        }


Output = Labels | Boxes | Segments


def require_finite(scores: NDArray[np.float32]) -> None:
    """Raise UnavailableError for scores that are no numbers: a machine that says these has no opinion."""
    if not np.all(np.isfinite(scores)):
        raise UnavailableError("scores that are not finite are no probabilities 0..1")


def output_from_dict(stored: Mapping[str, Any]) -> Output:
    """Turn what `to_dict` made back into an output; raises UsageError for anything else."""
    try:
        match stored["kind"]:
            case "labels":
                return Labels(tuple(map(int, stored["indices"])), tuple(map(float, stored["scores"])))
            case "boxes":
                return Boxes(
                    np.array(stored["xyxy"], np.float32).reshape(-1, 4),
                    np.array(stored["scores"], np.float32),
                    np.array(stored["classes"], np.int64),
                )
            case "segments":
                flat = np.frombuffer(zlib.decompress(base64.b64decode(stored["labels"])), np.uint8)
                return Segments(flat.reshape(stored["shape"]))
            case kind:
                raise UsageError(f"a stored machine output cannot be of kind {kind!r}")
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise UsageError(f"a stored machine output is damaged: {error!r}") from error
