"""The contract that trained models and measured labels share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from sursmr_codec.errors import UsageError
from sursmr_codec.interpolating import Expected
from sursmr_codec.risk import Margins, Misses
from sursmr_codec.types import Jury, PredictorSummary, Rung, Score, Source, Targets


class Embedding:
    """What a predictor keeps of a source between rungs; opaque to everyone else."""


class Predictor(ABC):
    """Says what viewers and machines make of rungs: embed the source once, then score many rungs."""

    id: str
    trained_codecs: frozenset[str] | None = None
    """Ids of the codecs whose rungs it was trained on; None where its scores do not rest on training."""

    @abstractmethod
    def embed(self, source: Source) -> Embedding:
        """Everything about the source that scoring its rungs needs, computed once."""

    @abstractmethod
    def score(self, embedding: Embedding, rungs: Sequence[Rung]) -> list[Score]:
        """One score a rung, in order. Every rung's pixels have the source's shape."""

    @abstractmethod
    def summary(self) -> PredictorSummary:
        """What results say about the scores: id, digest, protocol."""

    def check(self, targets: Targets) -> None:
        """Raise UsageError where this predictor, as set up, cannot judge a switched-on target."""
        return

    def check_jury(self, jury: Jury) -> None:
        """Raise UsageError where this predictor, as set up, cannot take SMR over those machines alone."""
        return

    def margins(self, codec: str, targets: Targets, jury: Jury) -> Margins:
        """How much worse than predicted a codec's rungs may be at the risk of `targets`, which is set.

        Raises UsageError where this predictor knows no margins for that.
        """
        raise UsageError(f"predictor {self.id} has no margins calibrated on picks; leave out --risk")

    def misses(self, codec: str, targets: Targets, jury: Jury) -> Misses | None:
        """What share of picks misses in truth where no risk is set; None where that was not measured."""
        return None

    def extrapolation(self, codec: str) -> tuple[str, ...]:
        """A warning where this codec's rungs are none of those that it was trained on."""
        if self.trained_codecs is None or codec in self.trained_codecs:
            return ()
        known = ", ".join(sorted(self.trained_codecs))
        return (f"{self.id} was trained on {known}: its ratios for {codec} are extrapolated",)

    def start(self, embedding: Embedding, codec: str, targets: Targets) -> int | None:
        """A guess at the answer from the source alone; None where the predictor has none."""
        return None

    def expected(self, embedding: Embedding, codec: str) -> Expected:
        """Ratio -> its log-odds at every QP of a codec, guessed from the source alone; empty: no guess."""
        return {}

    def warnings(self, embedding: Embedding) -> tuple[str, ...]:
        """What a reader of this source's scores should know, one line each."""
        return ()
