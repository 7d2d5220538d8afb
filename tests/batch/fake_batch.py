"""A predictor whose answers are arithmetic, pictures with fates of their own, and a driver to be killed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from sursmr_codec.batch.driver import Batch
from sursmr_codec.batch.listing import Selection
from sursmr_codec.batch.request import Request
from sursmr_codec.batch.settings import Settings
from sursmr_codec.predict.base import Embedding, Predictor
from sursmr_codec.types import PredictorSummary, Rung, Score, Source


class FakeEmbedding(Embedding):
    """How tolerant viewers are of a picture: the mean of its pixels, 0..1."""

    def __init__(self, source: Source) -> None:
        self.tolerance = float(source.rgb.mean()) / 255


class FakePredictor(Predictor):
    """SUR and SMR fall in a straight line with QP, more slowly the lighter the picture is."""

    id = "fake"

    def __init__(self, load: FakeLoad, threads: int) -> None:
        self._load = load
        load.write(f"load {os.getpid()} {threads} {os.environ.get('OMP_NUM_THREADS')}")

    def embed(self, source: Source) -> FakeEmbedding:
        name = Path(source.path or "").name
        self._load.write(f"embed {os.getpid()} {name}")
        time.sleep(self._load.seconds)
        _meet_fate(name, self._load)
        return FakeEmbedding(source)

    def score(self, embedding: Embedding, rungs: Sequence[Rung]) -> list[Score]:
        assert isinstance(embedding, FakeEmbedding)
        ratios = [max(0.0, 1 - (rung.qp or 0) / (60 + 120 * embedding.tolerance)) for rung in rungs]
        return [Score(sur=ratio, smr=ratio) for ratio in ratios]

    def summary(self) -> PredictorSummary:
        return PredictorSummary("fake", self._load.version, "fake/none")


@dataclass(frozen=True)
class FakeLoad:
    """Makes the predictor, wherever it is sent."""

    seconds: float = 0.0
    """What a picture takes."""
    log: Path | None = None
    """A line for each load and each picture."""
    version: str = "1"

    def __call__(self, threads: int) -> FakePredictor:
        return FakePredictor(self, threads)

    def write(self, line: str) -> None:
        if self.log is not None:
            with self.log.open("a") as file:
                file.write(line + "\n")

    def count(self, start: str) -> int:
        """How many lines begin so."""
        return sum(line.startswith(start) for line in self.lines())

    def lines(self) -> list[str]:
        """The log."""
        return [] if self.log is None or not self.log.exists() else self.log.read_text().splitlines()


def _meet_fate(name: str, load: FakeLoad) -> None:
    if name.startswith("kills-once"):
        if sum(line.endswith(name) for line in load.lines()) < 2:
            os.kill(os.getpid(), signal.SIGKILL)
    elif name.startswith("kills"):
        os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith("crashes"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if name.startswith("raises"):
        raise ZeroDivisionError("on purpose")
    if name.startswith("swallows"):
        raise MemoryError
    if name.startswith("waits"):
        time.sleep(600)


def make_pictures(folder: Path, n: int, *, size: int = 24, start: int = 0) -> None:
    """Small pictures of different lightness, PNG, some of them in subfolders."""
    for number in range(start, start + n):
        path = folder / ("", "a", "a/b")[number % 3] / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        paint(path, number, size)


def paint(path: Path, seed: int, size: int = 24) -> None:
    """One picture of noise, whose lightness the seed decides."""
    noise = np.random.default_rng(seed)
    lightest = 40 + 211 * seed % 215
    Image.fromarray(noise.integers(0, lightest, (size, size, 3), dtype=np.uint8)).save(path)


def request(inputs: Path | str, out: Path | str, load: FakeLoad | None = None, **others: object) -> Request:
    """A batch of a folder and those inside it, with the fake predictor."""
    settings = others.pop("settings", None) or Settings(load_predictor=load or FakeLoad())
    others.setdefault("engine", "serial")
    return Request((str(inputs),), str(out), settings, selection=Selection(recursive=True), **others)  # type: ignore[arg-type]


def main() -> None:
    """IN OUT ENGINE JOBS SECONDS: a batch with a line for each outcome, to be killed."""
    folder, out, engine, jobs, seconds = sys.argv[1:]
    load = FakeLoad(float(seconds))
    for outcome in Batch(request(folder, out, load, engine=engine, jobs=int(jobs))):
        print(outcome.status, outcome.source, flush=True)


if __name__ == "__main__":
    main()
