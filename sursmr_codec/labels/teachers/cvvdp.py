"""ColorVideoVDP (Mantiuk et al., SIGGRAPH 2024, https://github.com/gfxdisp/ColorVideoVDP)."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

from sursmr_codec.labels.teachers.base import Teacher, pad_to
from sursmr_codec.types import Pixels

DISPLAY = "standard_fhd"
"""24 inch, 1920x1080, 200 cd/m2, seen from 0.6 m."""


class Cvvdp(Teacher):
    """Just-objectionable-difference scale: 10 is identical, one unit less is seen by 75 % in a pair."""

    id = "cvvdp"
    higher_is_better = True
    score_range = (-10.0, 10.0)
    library = "pycvvdp"
    extra = "labels"

    def score(self, reference: Pixels, distorted: Pixels) -> float:
        metric = self._metric
        import torch

        # Its constants are parameters of a network: without this, every intermediate would be kept.
        with torch.no_grad():
            jod, _ = metric.predict(pad_to(distorted, 16), pad_to(reference, 16), dim_order="HWC")
        return float(jod)

    def version(self) -> str:
        from importlib.metadata import version

        return f"cvvdp {version('cvvdp')} {DISPLAY}"

    @cached_property
    def _metric(self) -> Any:
        self.require()
        # torch warns about every machine that has CUDA's tools and no GPU; the metric runs on the CPU anyway.
        logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
        import torch
        from pycvvdp import cvvdp

        return cvvdp(display_name=DISPLAY, quiet=True, device=torch.device("cpu"))
