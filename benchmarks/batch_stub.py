"""A batch of many small pictures with a predictor that costs nothing, measured from within its driver.

    python benchmarks/batch_stub.py IN OUT JOBS EVERY

Prints a JSON line after the first picture, every so many, and at the end.

Run by benchmarks/batch.py, which makes the pictures.
"""

from __future__ import annotations

import json
import sys
import time
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from sursmr_codec.batch.driver import Batch
from sursmr_codec.batch.journal import Journal
from sursmr_codec.batch.listing import Selection
from sursmr_codec.batch.outcome import Outcome
from sursmr_codec.batch.request import Request
from sursmr_codec.batch.settings import Settings
from sursmr_codec.predict.base import Embedding, Predictor
from sursmr_codec.types import PredictorSummary, Rung, Score, Source

SIDE = 32


class Mean(Embedding):
    """All that the stub keeps of a source: the mean of its pixels, 0..1."""

    def __init__(self, source: Source) -> None:
        self.value = float(source.rgb.mean()) / 255


class Stub(Predictor):
    """Ratios that fall in a straight line with QP, more slowly the lighter the picture is."""

    id = "stub"

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def embed(self, source: Source) -> Mean:
        return Mean(source)

    def score(self, embedding: Embedding, rungs: Sequence[Rung]) -> list[Score]:
        assert isinstance(embedding, Mean)
        ratios = [max(0.0, 1 - (rung.qp or 0) / (60 + 120 * embedding.value)) for rung in rungs]
        return [Score(sur=ratio, smr=ratio) for ratio in ratios]

    def summary(self) -> PredictorSummary:
        return PredictorSummary("stub", None, "stub/none")


class TimedJournal(Journal):
    """Keeps how long its records took."""

    def record(self, ended: Iterable[tuple[Outcome, str]]) -> None:
        outcomes = list(ended)
        began = time.perf_counter()
        super().record(outcomes)
        seconds = time.perf_counter() - began
        SECONDS.extend([seconds / len(outcomes)] * len(outcomes))


SECONDS = array("d")
"""Of each picture of the run: its share of the transaction that noted it."""


def make_crops(picture: Path, folder: Path, n: int) -> None:
    """`n` crops of a picture as PNG files, 1000 a folder."""
    with Image.open(picture) as whole:
        pixels = np.asarray(whole.convert("RGB"))
    height, width = pixels.shape[:2]
    places = np.random.default_rng(0)
    for number in range(n):
        top, left = places.integers(0, height - SIDE), places.integers(0, width - SIDE)
        path = folder / f"{number // 1000:03d}" / f"{number:06d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[top : top + SIDE, left : left + SIDE]).save(path, compress_level=1)


def resident_bytes() -> int:
    """What this process holds of real memory."""
    for row in Path("/proc/self/status").read_text().splitlines():
        if row.startswith("VmRSS:"):
            return int(row.split()[1]) * 1024
    raise SystemExit("no /proc/self/status here; memory cannot be measured")


def main() -> None:
    folder, out, jobs, every = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    import sursmr_codec.batch.driver as driver

    driver.Journal = TimedJournal  # type: ignore[misc]
    batch = Batch(
        Request((folder,), out, Settings(load_predictor=Stub), selection=Selection(recursive=True), jobs=jobs)
    )
    number = 0
    for number, _ in enumerate(batch, 1):
        if number == 1 or number % every == 0:
            print(json.dumps({"n": number, "time": time.time(), "bytes": resident_bytes()}), flush=True)
    milliseconds = 1000 * np.asarray(SECONDS)
    end = {
        "n": number,
        "time": time.time(),
        "bytes": resident_bytes(),
        "working_seconds": batch.progress.working_seconds,
        "journal_ms_mean": float(np.mean(milliseconds)) if len(SECONDS) else None,
        "journal_ms_p99": float(np.percentile(milliseconds, 99)) if len(SECONDS) else None,
    }
    print(json.dumps(end))


if __name__ == "__main__":
    main()
