"""The 14 metrics behind the proxy labels of arXiv 2412.17477, under the names that pyiqa gives them.

pyiqa (https://github.com/chaofengc/IQA-PyTorch) is under a non-commercial licence and downloads the weights
of the deep metrics when one is made. So nothing here imports it before the first score, a metric is made only
when it is asked for, and one with weights only after the user has allowed the download.
"""

from __future__ import annotations

import logging
import os
import warnings
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from sursmr_codec.errors import UnavailableError, UsageError
from sursmr_codec.labels.teachers.base import Teacher, pad_to
from sursmr_codec.types import Pixels

PREFIX = "pyiqa:"
"""What precedes pyiqa's name in a teacher's id."""
ALLOW = "SURSMR_ALLOW_DOWNLOADS"
"""Environment variable that allows downloads where it is 1."""


class PyiqaTeacher(Teacher):
    """One of pyiqa's full-reference metrics, on the CPU."""

    library = "pyiqa"
    extra = "iqa"
    metric: ClassVar[str]
    """pyiqa's name."""
    downloads: ClassVar[bool]
    """Whether making it needs weights from the network."""
    smallest: ClassVar[int] = 64

    def score(self, reference: Pixels, distorted: Pixels) -> float:
        self.require()
        import torch

        with torch.inference_mode():
            return float(self._made(_tensor(distorted, self.smallest), _tensor(reference, self.smallest)))

    def version(self) -> str:
        from importlib.metadata import version

        return f"{self.id} pyiqa {version('pyiqa')}"

    @cached_property
    def _made(self) -> Any:
        logging.getLogger("pyiqa").setLevel(logging.WARNING)
        with warnings.catch_warnings():
            # Its many dependencies warn about one another at import; none of that is about a score.
            warnings.simplefilter("ignore")
            import pyiqa

            try:
                return pyiqa.create_metric(self.metric, device="cpu")
            except Exception as error:
                # Whatever its network layer raises, the teacher cannot be had.
                raise UnavailableError(f"pyiqa cannot make {self.metric}: {error}") from error


def _metric(
    name: str, best: float, worst: float, *, downloads: bool, smallest: int = 64
) -> type[PyiqaTeacher]:
    return type(
        f"Pyiqa_{name}",
        (PyiqaTeacher,),
        {
            "__doc__": f"pyiqa's `{name}`.",
            "__module__": __name__,
            "id": PREFIX + name,
            "metric": name,
            "higher_is_better": best > worst,
            "score_range": (worst, best),
            "downloads": downloads,
            "smallest": smallest,
        },
    )


PAPER: dict[str, type[PyiqaTeacher]] = {
    metric.id: metric
    for metric in (
        _metric("ssim", 1.0, -1.0, downloads=False),
        _metric("ms_ssim", 1.0, 0.0, downloads=False, smallest=176),
        _metric("vif", 1.0, 0.0, downloads=False),
        _metric("cw_ssim", 1.0, 0.0, downloads=False),
        _metric("fsim", 1.0, 0.0, downloads=False),
        _metric("lpips", 0.0, 1.0, downloads=True),
        _metric("lpips-vgg", 0.0, 1.0, downloads=True),
        _metric("pieapp", 0.0, 5.0, downloads=True),
        _metric("dists", 0.0, 1.0, downloads=True),
        _metric("ckdn", 1.0, 0.0, downloads=True),
        _metric("stlpips", 0.0, 1.0, downloads=True),
        _metric("stlpips-vgg", 0.0, 1.0, downloads=True),
        _metric("topiq_fr", 1.0, 0.0, downloads=True),
        _metric("topiq_fr-pipal", 1.0, 0.0, downloads=True),
    )
}
"""Teacher id -> class, in the paper's order."""


def get(teacher_id: str, *, downloads: bool | None = None) -> PyiqaTeacher:
    """The teacher `pyiqa:NAME`; `downloads` allows weights to be fetched, None: as the environment says.

    Raises UsageError for a name that is none of the paper's, and for weights that were not allowed.
    """
    if teacher_id not in PAPER:
        raise UsageError(f"unknown teacher {teacher_id}; known of pyiqa: {', '.join(PAPER)}")
    kind = PAPER[teacher_id]
    allowed = os.environ.get(ALLOW) == "1" if downloads is None else downloads
    if kind.downloads and not allowed:
        raise UsageError(f"{teacher_id} downloads its weights when it is made; set {ALLOW}=1 to allow that")
    return kind()


def _tensor(pixels: Pixels, smallest: int) -> Any:
    import torch

    planes = pad_to(pixels, smallest).astype(np.float32) / 255.0
    return torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1)))[None]  # (1, 3, H, W)
