"""One source under one codec and one predictor: turns a QP into a scored probe, and keeps the time."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from sursmr_codec import codecs, images
from sursmr_codec.codecs.base import Codec
from sursmr_codec.errors import FileTooLarge
from sursmr_codec.interpolating import Expected
from sursmr_codec.ladder import Ladder
from sursmr_codec.predict.base import Embedding, Predictor
from sursmr_codec.risk import Misses, lowered
from sursmr_codec.types import Jury, Probe, Score, Seconds, Source, Targets

Image = str | Path | Source
"""A path, or a picture that was read already."""


class Prober:
    """Encodes, decodes and scores rungs of one image, each QP once."""

    def __init__(
        self,
        image: Image,
        codec: Codec | str,
        predictor: Predictor,
        *,
        targets: Targets | None = None,
        jury: Jury = "all",
        reading: images.Reading | None = None,
    ) -> None:
        """Read the image and check that codec and predictor can work; raises ImageError, UnavailableError.

        Where `targets` set a risk, probes have the lower ends of their ratios; raises UsageError where the
        predictor knows none.
        """
        self._began = time.perf_counter()
        self._predict_seconds = 0.0
        self.codec = codecs.get(codec) if isinstance(codec, str) else codec
        self.codec.require()
        predictor.check_jury(jury)
        self.targets = targets
        self._margins = None
        if targets is not None and targets.risk is not None:
            self._margins = predictor.margins(self.codec.id, targets, jury)
        self.predictor = predictor
        self.jury = jury
        self.source = image if isinstance(image, Source) else images.read(image, reading)
        self._read_seconds = time.perf_counter() - self._began
        self._first: Prober | None = None
        self._too_large: dict[int, FileTooLarge] = {}

    def under(self, codec: Codec) -> Prober:
        """The same source under another codec; what the predictor keeps of it is made once for both."""
        other = Prober(self.source, codec, self.predictor, targets=self.targets, jury=self.jury)
        other._first = self
        return other

    @cached_property
    def ladder(self) -> Ladder:
        """The rungs; raises ImageError where the codec cannot hold the source."""
        return Ladder(self.source, self.codec)

    @cached_property
    def embedding(self) -> Embedding:
        """What the predictor keeps of the source."""
        if self._first is not None:
            return self._first.embedding
        began = time.perf_counter()
        embedding = self.predictor.embed(self.source)
        self._predict_seconds += time.perf_counter() - began
        return embedding

    def start(self, targets: Targets) -> int | None:
        """The predictor's guess at the answer, from the source alone; with a risk, at what that demands."""
        if self._margins is not None:
            raised = [
                lowered(target, 1.0 / factor) or 0.0
                for target, factor in ((targets.sur, self._margins.sur), (targets.smr, self._margins.smr))
            ]
            targets = replace(targets, sur=raised[0], smr=raised[1])
        return self.predictor.start(self.embedding, self.codec.id, targets)

    def expected(self) -> Expected:
        """Log-odds that the predictor expects of ratios at every QP; with a risk, of their lower ends."""
        curves = self.predictor.expected(self.embedding, self.codec.id)
        if self._margins is None:
            return curves
        lost = {"sur": math.log(self._margins.sur), "smr": math.log(self._margins.smr)}
        return {name: [odds - lost[name] for odds in curve] for name, curve in curves.items()}

    def at(self, qp: int) -> Probe | None:
        """Encode, decode and score the rung at `qp`; None where its file is too large to be read back."""
        try:
            rung = self.ladder[qp]
        except FileTooLarge as trouble:
            self._too_large[qp] = trouble
            return None
        embedding = self.embedding
        began = time.perf_counter()
        (score,) = self.predictor.score(embedding, [rung])
        self._predict_seconds += time.perf_counter() - began
        return Probe(qp, self._cautious(score.for_jury(self.jury)), rung.n_bytes)

    def require_any(self, probes: Sequence[Probe]) -> None:
        """Raise FileTooLarge where no rung that was asked for could be made."""
        if self._too_large and not probes:
            raise self._too_large[max(self._too_large)]

    def misses(self) -> Misses | None:
        """What share of such picks misses in truth where no risk is set; None where that was not measured."""
        if self.targets is None:
            return None
        return self.predictor.misses(self.codec.id, self.targets, self.jury)

    def _cautious(self, score: Score) -> Score:
        if self._margins is None:
            return score
        sur_low, smr_low = lowered(score.sur, self._margins.sur), lowered(score.smr, self._margins.smr)
        return replace(score, sur_low=sur_low, smr_low=smr_low)

    def warnings(self) -> tuple[str, ...]:
        """What was changed on the way in, and what a reader of the scores should know."""
        lines = self.source.warnings + self.predictor.warnings(self.embedding)
        lines += self.predictor.extrapolation(self.codec.id)
        if self._too_large:
            lines += (
                f"{self.codec.id} files of this picture at QP {max(self._too_large)} and below are too large "
                "to be read back, and were left out",
            )
        return lines

    def seconds(self) -> Seconds:
        """Wall time so far, by stage."""
        return Seconds(
            read=self._read_seconds,
            encode=self.ladder.encode_seconds,
            decode=self.ladder.decode_seconds,
            predict=self._predict_seconds,
            total=time.perf_counter() - self._began,
        )
