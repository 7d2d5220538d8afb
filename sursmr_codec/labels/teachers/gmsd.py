"""GMSD (Xue et al., IEEE Trans. Image Process. 23(2), 2014), by piq."""

from __future__ import annotations

from typing import Any

from sursmr_codec.labels.teachers._piq import PiqTeacher


class Gmsd(PiqTeacher):
    """Deviation of gradient magnitude similarity over the picture; 0 is identical, more is worse."""

    id = "gmsd"
    higher_is_better = False
    score_range = (0.5, 0.0)
    settings = "luma, halved once"

    def _metric(self, reference: Any, distorted: Any) -> Any:
        import piq

        return piq.gmsd(distorted, reference, data_range=1.0)
