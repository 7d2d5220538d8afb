"""One image's raw measurements: encode, decode once, and ask everyone. Runs in a worker process."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from sursmr_codec import codecs, images
from sursmr_codec.errors import ImageError
from sursmr_codec.labels.panel import Panel
from sursmr_codec.ladder import Ladder
from sursmr_codec.types import Pixels, Source

T = TypeVar("T")

MAX_PIXELS = 2_400_000
"""Largest picture that is labelled: a worker takes 2.5 GiB of its own on it (`benchmarks/annotate.py`)."""


@dataclass(frozen=True)
class Failure:
    """Something that was asked for and has no answer."""

    image: str
    codec: str | None
    """None where the original is meant."""
    qp: int | None
    what: str
    """`image`, `codec`, `teacher <id>` or `machine <name>`."""
    error: str
    """One line."""


@dataclass(frozen=True)
class Ask:
    """What is still to be known of one rung."""

    codec: str
    qp: int
    teachers: tuple[str, ...]
    machines: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """What is still to be known of one image."""

    image: str
    path: Path
    machines: tuple[str, ...]
    """Those whose output on the original is missing."""
    asks: tuple[Ask, ...]


@dataclass(frozen=True)
class Answers:
    """What is known of one picture, the original or a rung."""

    facts: Mapping[str, Any]
    """Original: `width`, `height`. Rung: `n_bytes`, and `identical`: decoded pixels equal the original's."""
    teachers: Mapping[str, float] = field(default_factory=dict)
    machines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Machine name -> `Output.to_dict()`."""


@dataclass(frozen=True)
class Reply:
    """Answers to a request; what failed is in none of them."""

    image: str
    original: Answers | None
    """None where the image cannot be read."""
    rungs: Mapping[tuple[str, int], Answers]
    """(codec, QP) -> answers."""
    failures: tuple[Failure, ...]
    seconds: Mapping[str, float]
    """Wall time by stage: read, encode, decode, machines, and each teacher's id."""


def measure(request: Request, panel: Panel) -> Reply:
    """Answer `request`. A failing machine, teacher or codec costs its own answers only."""
    return _Measurement(request, panel).run()


class _Measurement:
    def __init__(self, request: Request, panel: Panel) -> None:
        self._request = request
        self._panel = panel
        self._failures: list[Failure] = []
        self._seconds: dict[str, float] = {}

    def run(self) -> Reply:
        source = self._try(None, "image", "read", self._read)
        if source is None:
            return Reply(self._request.image, None, {}, tuple(self._failures), self._seconds)
        original = self._machines(None, self._request.machines, source.rgb)
        mute = set(self._request.machines) - original.keys()
        rungs: dict[tuple[str, int], Answers] = {}
        for codec in dict.fromkeys(ask.codec for ask in self._request.asks):
            ladder = Ladder(source, codecs.get(codec))
            for ask in self._request.asks:
                if ask.codec == codec:
                    answers = self._rung(ladder, ask, mute)
                    if answers is not None:
                        rungs[codec, ask.qp] = answers
            self._spent("encode", ladder.encode_seconds)
            self._spent("decode", ladder.decode_seconds)
        facts = {"width": source.width, "height": source.height}
        return Reply(
            self._request.image,
            Answers(facts, machines=original),
            rungs,
            tuple(self._failures),
            self._seconds,
        )

    def _read(self) -> Source:
        source = images.read(self._request.path)
        if source.width * source.height > MAX_PIXELS:
            raise ImageError(
                f"{source.width}x{source.height} pixels are too many to label (at most {MAX_PIXELS / 1e6} "
                "million); scale it down first"
            )
        return source

    def _rung(self, ladder: Ladder, ask: Ask, mute: set[str]) -> Answers | None:
        rung = self._try(ask, "codec", None, lambda: ladder[ask.qp])
        if rung is None:
            return None
        reference = ladder.source.rgb
        scores: dict[str, float] = {}
        for name in ask.teachers:
            score = self._try(
                ask, f"teacher {name}", name, partial(self._score, name, reference, rung.decoded)
            )
            if score is not None:
                scores[name] = score
        machines = self._machines(ask, tuple(n for n in ask.machines if n not in mute), rung.decoded)
        identical = bool(np.array_equal(reference, rung.decoded))
        return Answers({"n_bytes": rung.n_bytes, "identical": identical}, scores, machines)

    def _score(self, teacher: str, reference: Pixels, distorted: Pixels) -> float:
        score = self._panel.teacher(teacher, reference, distorted)
        if not math.isfinite(score):
            raise ValueError(f"a score of {score} is none")
        return score

    def _machines(self, ask: Ask | None, names: tuple[str, ...], rgb: Any) -> dict[str, Mapping[str, Any]]:
        outputs: dict[str, Mapping[str, Any]] = {}
        for name in names:
            output = self._try(ask, f"machine {name}", "machines", partial(self._panel.machine, name, rgb))
            if output is not None:
                outputs[name] = output
        return outputs

    def _try(self, ask: Ask | None, what: str, stage: str | None, work: Callable[[], T]) -> T | None:
        began = time.perf_counter()
        try:
            return work()
        except Exception as error:
            # Whatever a library raises, the other answers are still wanted.
            line = " ".join(f"{type(error).__name__}: {error}".split())
            codec, qp = (None, None) if ask is None else (ask.codec, ask.qp)
            self._failures.append(Failure(self._request.image, codec, qp, what, line))
            return None
        finally:
            if stage is not None:
                self._spent(stage, time.perf_counter() - began)

    def _spent(self, stage: str, seconds: float) -> None:
        self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds
