"""SSIM (Wang et al., IEEE Trans. Image Process. 13(4), 2004), by piq."""

from __future__ import annotations

from typing import Any

from sursmr_codec.labels.teachers._piq import PiqTeacher


class Ssim(PiqTeacher):
    """Structural similarity of luma under an 11x11 Gaussian window, at full resolution; 1 is identical."""

    id = "ssim"
    higher_is_better = True
    score_range = (-1.0, 1.0)
    luma_only = True
    settings = "luma, not downsampled"

    def _metric(self, reference: Any, distorted: Any) -> Any:
        import piq

        return piq.ssim(distorted, reference, data_range=1.0, downsample=False)
