"""Measured scores behind the predictor's contract: real metrics for viewers, real models for machines.

Slow ground truth: SUR is what calibrated full-reference metrics say, SMR what every machine of a zoo does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sursmr_codec.errors import ImageError, MissingExtra, UsageError
from sursmr_codec.labels import protocols, sur, teachers
from sursmr_codec.labels.teachers import Teacher
from sursmr_codec.predict.base import Embedding, Predictor
from sursmr_codec.types import Evidence, Jury, PredictorSummary, Rung, Score, Source, Targets

if TYPE_CHECKING:
    from sursmr_codec.predict.voting import Outputs, Voting

MAX_PIXELS = 20_000_000
"""Largest picture that is measured: the teachers hold about 500 bytes a pixel."""


class MeasuredEmbedding(Embedding):
    """The source, and what every machine says of it, asked once and not before the first rung."""

    def __init__(self, source: Source, voting: Voting | None) -> None:
        self.source = source
        self._voting = voting

    @cached_property
    def outputs(self) -> Outputs:
        """Machine name -> its output on the source; empty without machines."""
        return {} if self._voting is None else self._voting.look(self.source.rgb)


class Measured(Predictor):
    """SUR through every installed teacher of a protocol, SMR through every jury machine of a zoo."""

    id = "measured"

    def __init__(
        self,
        *,
        zoo: str | Path | None = None,
        protocol: str = "calibrated",
        threads: int | None = None,
    ) -> None:
        self._protocol = protocols.load(protocol)
        known = [teachers.get(teacher) for teacher in self._protocol.curves]
        self._teachers: list[Teacher] = [teacher for teacher in known if teacher.installed()]
        if not self._teachers:
            raise MissingExtra("ssimulacra2", "measuring SUR", "measured")
        self._absent = [teacher for teacher in known if not teacher.installed()]
        self._voting = None if zoo is None else _load_voting(zoo, threads)

    def check(self, targets: Targets) -> None:
        if targets.smr > 0 and self._voting is None:
            raise UsageError(
                "an SMR target needs machines to measure: give --zoo DIR, or --smr 0 to ask for viewers only"
            )
        if targets.risk is not None:
            raise UsageError("risk is for predictions; the measured predictor has no prediction error")

    def check_jury(self, jury: Jury) -> None:
        if self._voting is not None and jury != "all":
            self._voting.check_task(jury)

    def embed(self, source: Source) -> MeasuredEmbedding:
        n_pixels = source.width * source.height
        if n_pixels > MAX_PIXELS:
            raise ImageError(
                f"{source.path or 'image'}: {n_pixels / 1e6:.0f} megapixels are too many to measure (at most "
                f"{MAX_PIXELS // 1_000_000}); scale it down first"
            )
        return MeasuredEmbedding(source, self._voting)

    def score(self, embedding: Embedding, rungs: Sequence[Rung]) -> list[Score]:
        if not isinstance(embedding, MeasuredEmbedding):
            raise TypeError("the embedding comes from another predictor")
        with ThreadPoolExecutor(1) as beside:
            return [self._score(embedding, rung, beside) for rung in rungs]

    def summary(self) -> PredictorSummary:
        versions = [teacher.version() for teacher in self._teachers]
        curves = [repr(self._protocol.curves[teacher.id]) for teacher in self._teachers]
        machines = [self._voting.digest] if self._voting else []
        digest = hashlib.sha256("\n".join([*versions, *curves, *machines]).encode()).hexdigest()
        voters = "+".join(teacher.id for teacher in self._teachers)
        return PredictorSummary(self.id, digest, f"{self._protocol.id}/{voters}")

    def warnings(self, embedding: Embedding) -> tuple[str, ...]:
        voters = ", ".join(teacher.id for teacher in self._teachers)
        lines = tuple(
            f"{teacher.id} is not installed, so SUR rests on {voters} alone: "
            f"pip install 'sursmr-qp[{teacher.extra}]'"
            for teacher in self._absent
        )
        if self._voting is None or not isinstance(embedding, MeasuredEmbedding):
            return lines
        return lines + self._voting.warnings(embedding.outputs)

    def _score(self, embedding: MeasuredEmbedding, rung: Rung, beside: ThreadPoolExecutor) -> Score:
        # Teachers one after another, beside the machines: each holds much memory.
        metrics = beside.submit(self._metrics, embedding.source, rung)
        score = self._machines(embedding, rung)
        teachers, viewers = metrics.result()
        evidence = score.evidence or Evidence({}, (), 0)
        return replace(score, sur=viewers, evidence=replace(evidence, teachers=teachers))

    def _machines(self, embedding: MeasuredEmbedding, rung: Rung) -> Score:
        if self._voting is None:
            return Score(sur=None, smr=None)
        votes = self._voting.votes(embedding.outputs, self._voting.look(rung.decoded))
        ratios = self._voting.ratios(votes)
        flipped = tuple(name for name, vote in votes.items() if vote is False)
        return Score(
            sur=None,
            smr=ratios.smr,
            smr_classification=ratios.smr_classification,
            smr_detection=ratios.smr_detection,
            evidence=Evidence({}, flipped, ratios.n_counting, votes),
        )

    def _metrics(self, source: Source, rung: Rung) -> tuple[dict[str, tuple[float, float]], float]:
        """Each teacher's score with its SUR, and the SUR of all."""
        scores = {teacher.id: teacher.score(source.rgb, rung.decoded) for teacher in self._teachers}
        viewers, each = sur.calibrated(scores, self._protocol)
        if np.array_equal(source.rgb, rung.decoded):
            viewers, each = 1.0, dict.fromkeys(each, 1.0)
        return {teacher: (scores[teacher], each[teacher]) for teacher in scores}, viewers


def _load_voting(zoo: str | Path, threads: int | None) -> Voting:
    # Only who measures machines pays for loading their library.
    from sursmr_codec.predict.voting import Voting

    return Voting(zoo, threads)
