"""FSIM (Zhang et al., IEEE Trans. Image Process. 20(8), 2011), by piq."""

from __future__ import annotations

from typing import Any

from sursmr_codec.labels.teachers._piq import PiqTeacher


class Fsim(PiqTeacher):
    """Similarity of phase congruency, gradient and chroma (FSIMc); 1 is identical."""

    id = "fsim"
    higher_is_better = True
    score_range = (0.0, 1.0)
    smallest = 32
    settings = "with chroma"

    def _metric(self, reference: Any, distorted: Any) -> Any:
        import piq

        return piq.fsim(distorted, reference, data_range=1.0, chromatic=True)
