"""Measured scores behind the predictor's contract: real metrics for viewers, real models for machines.

Slow ground truth: SUR is what calibrated full-reference metrics say, SMR what every machine of a zoo does.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np

from sursmr_codec.errors import ImageError, MissingExtra, UsageError
from sursmr_codec.labels import protocols, smr, sur, teachers
from sursmr_codec.labels.machines.jury import Jury
from sursmr_codec.labels.machines.output import Output
from sursmr_codec.labels.machines.zoo import read_zoo
from sursmr_codec.labels.teachers import Teacher
from sursmr_codec.predict.base import Embedding, Predictor
from sursmr_codec.types import Evidence, PredictorSummary, Rung, Score, Source, Targets

MAX_PIXELS = 20_000_000
"""Largest picture that is measured: the teachers hold about 500 bytes a pixel."""


class MeasuredEmbedding(Embedding):
    """The source, and what every machine says of it, asked once and not before the first rung."""

    def __init__(self, source: Source, jury: Jury | None) -> None:
        self.source = source
        self._jury = jury

    @cached_property
    def outputs(self) -> Mapping[str, Output]:
        """Machine name -> its output on the source; empty without machines."""
        return {} if self._jury is None else self._jury.run_all(self.source.rgb)


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
        self._zoo = None if zoo is None else read_zoo(zoo)
        self._jury = None if self._zoo is None else Jury(self._zoo, workers=threads or os.cpu_count() or 1)
        self._rows = {row.name: row for row in self._jury.rows} if self._jury else {}

    def check(self, targets: Targets) -> None:
        if targets.smr > 0 and self._jury is None:
            raise UsageError(
                "an SMR target needs machines to measure: give --zoo DIR, or --smr 0 to ask for viewers only"
            )
        if targets.risk is not None:
            raise UsageError("risk is for predictions; the measured predictor has no prediction error")

    def embed(self, source: Source) -> MeasuredEmbedding:
        n_pixels = source.width * source.height
        if n_pixels > MAX_PIXELS:
            raise ImageError(
                f"{source.path or 'image'}: {n_pixels / 1e6:.0f} megapixels are too many to measure (at most "
                f"{MAX_PIXELS // 1_000_000}); scale it down first"
            )
        return MeasuredEmbedding(source, self._jury)

    def score(self, embedding: Embedding, rungs: Sequence[Rung]) -> list[Score]:
        if not isinstance(embedding, MeasuredEmbedding):
            raise TypeError("the embedding comes from another predictor")
        with ThreadPoolExecutor(1) as beside:
            return [self._score(embedding, rung, beside) for rung in rungs]

    def summary(self) -> PredictorSummary:
        versions = [teacher.version() for teacher in self._teachers]
        curves = [repr(self._protocol.curves[teacher.id]) for teacher in self._teachers]
        machines = [self._zoo.digest] if self._zoo else []
        digest = hashlib.sha256("\n".join([*versions, *curves, *machines]).encode()).hexdigest()
        voters = "+".join(teacher.id for teacher in self._teachers)
        return PredictorSummary(self.id, digest, f"{self._protocol.id}/{voters}")

    def warnings(self, embedding: Embedding) -> tuple[str, ...]:
        voters = ", ".join(teacher.id for teacher in self._teachers)
        lines = [
            f"{teacher.id} is not installed, so SUR rests on {voters} alone: "
            f"pip install 'sursmr-qp[{teacher.extra}]'"
            for teacher in self._absent
        ]
        if self._jury is not None and isinstance(embedding, MeasuredEmbedding):
            opinions = embedding.outputs.items()
            n_counting = sum(smr.counts(output, self._rows[name]) for name, output in opinions)
            if n_counting < smr.MIN_COUNTING:
                lines.append(
                    f"only {n_counting} machines have a confident opinion on this image; "
                    f"SMR is not defined below {smr.MIN_COUNTING}"
                )
        return tuple(lines)

    def _score(self, embedding: MeasuredEmbedding, rung: Rung, beside: ThreadPoolExecutor) -> Score:
        # Teachers one after another, beside the machines: each holds much memory.
        metrics = beside.submit(self._metrics, embedding.source, rung)
        votes = self._votes(embedding, rung)
        machines = smr.smr(votes, {name: row.task for name, row in self._rows.items()})
        scores, each, viewers = metrics.result()
        return Score(
            sur=viewers,
            smr=machines.smr,
            smr_classification=machines.smr_classification,
            smr_detection=machines.smr_detection,
            evidence=Evidence(
                teachers={name: (scores[name], each[name]) for name in scores},
                flipped=tuple(name for name, vote in votes.items() if vote is False),
                n_counting=machines.n_counting,
                satisfied=votes,
            ),
        )

    def _metrics(self, source: Source, rung: Rung) -> tuple[dict[str, float], dict[str, float], float]:
        scores = {teacher.id: teacher.score(source.rgb, rung.decoded) for teacher in self._teachers}
        mean, each = sur.calibrated(scores, self._protocol)
        if np.array_equal(source.rgb, rung.decoded):
            mean, each = 1.0, dict.fromkeys(each, 1.0)
        return scores, each, mean

    def _votes(self, embedding: MeasuredEmbedding, rung: Rung) -> dict[str, bool | None]:
        if self._jury is None:
            return {}
        compressed = self._jury.run_all(rung.decoded)
        return {
            name: smr.satisfied(original, compressed[name], self._rows[name])
            for name, original in embedding.outputs.items()
        }
