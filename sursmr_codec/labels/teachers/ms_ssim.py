"""MS-SSIM (Wang, Simoncelli and Bovik, Asilomar 2003), by piq."""

from __future__ import annotations

from typing import Any

from sursmr_codec.labels.teachers._piq import PiqTeacher


class MsSsim(PiqTeacher):
    """Structural similarity of luma over five scales; 1 is identical.

    Pictures below 161 pixels a side are edge-padded: the coarsest scale must hold one window.
    """

    id = "ms_ssim"
    higher_is_better = True
    score_range = (0.0, 1.0)
    smallest = 161
    luma_only = True
    settings = "luma, 5 scales"

    def _metric(self, reference: Any, distorted: Any) -> Any:
        import piq

        return piq.multi_scale_ssim(distorted, reference, data_range=1.0)
