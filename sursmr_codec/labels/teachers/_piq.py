"""What the teachers computed by piq share (https://github.com/photosynthesis-team/piq, Apache-2.0)."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from sursmr_codec.labels.teachers.base import Teacher, pad_to
from sursmr_codec.types import Pixels

LUMA = (0.299, 0.587, 0.114)
"""BT.601 weights of red, green and blue, as in the metrics' papers."""


class PiqTeacher(Teacher):
    """A metric of piq: pictures as float tensors in [0, 1], on the CPU, without gradients."""

    library = "piq"
    extra = "iqa"
    smallest: ClassVar[int] = 16
    """Pixels a side below which pictures are edge-padded."""
    luma_only: ClassVar[bool] = False
    settings: ClassVar[str]
    """What `version` says beside the library."""

    def score(self, reference: Pixels, distorted: Pixels) -> float:
        self.require()
        import torch

        with torch.inference_mode():
            return float(self._metric(self._tensor(reference), self._tensor(distorted)))

    def version(self) -> str:
        from importlib.metadata import version

        return f"{self.id} piq {version('piq')} {self.settings}"

    @abstractmethod
    def _metric(self, reference: Any, distorted: Any) -> Any:
        """piq's score of (1, C, H, W) float32 tensors in [0, 1]: C is 1 where `luma_only`, else 3."""

    def _tensor(self, pixels: Pixels) -> Any:
        import torch

        planes = pad_to(pixels, self.smallest).astype(np.float32) / 255.0
        if self.luma_only:
            planes = (planes @ np.array(LUMA, np.float32))[..., None]
        # (H, W, C) -> (1, C, H, W); float32 sums may lie a rounding above 1, which piq refuses.
        return torch.from_numpy(np.ascontiguousarray(planes.clip(0.0, 1.0).transpose(2, 0, 1)))[None]
