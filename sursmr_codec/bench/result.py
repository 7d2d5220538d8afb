"""What a benchmark found, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sursmr_codec.bench.asks import Judged, Picked
from sursmr_codec.bench.question import Question
from sursmr_codec.types import CodecSummary, PredictorSummary


@dataclass(frozen=True)
class Tried:
    """One setting of a baseline, for all judged images."""

    setting: float
    met_percent: float
    n_bytes: int


@dataclass(frozen=True)
class Compared:
    """One baseline beside the picks, over the images that can be judged."""

    name: str
    setting: float | None
    """The QP or threshold that all images share; None for the oracle, and where no setting reaches."""
    files: tuple[Judged | None, ...]
    """Of each judged image, at that setting; None where the oracle finds no file that meets the targets."""
    n_bytes_compared: float | None
    """Bytes that the picks are held against: of everyday settings those of `files`, of best-fixed and metric
    searches those at exactly the picks' share of met images, of the oracle its own on images whose pick
    meets the targets, and the pick's on the others. None where the baseline cannot reach the share."""
    saved_percent: float | None
    """Bytes that the picks save against these; None likewise."""
    interval: tuple[float, float] | None
    """95 % confidence interval of `saved_percent`; None where there is none."""
    tried: tuple[Tried, ...] = ()
    """What was tried to find `setting`, from the best quality down; empty where nothing is searched."""

    @property
    def met_percent(self) -> float | None:
        """Share of images whose file at the setting meets the targets; None without files."""
        if not self.files:
            return None
        return 100.0 * sum(file is not None and file.met is True for file in self.files) / len(self.files)

    @property
    def n_encodes_mean(self) -> float | None:
        """Files encoded for an image, to find the one that is written; None without files."""
        found = [file.n_encodes for file in self.files if file is not None]
        return sum(found) / len(found) if found else None


@dataclass(frozen=True)
class Comparison:
    """The picks under one codec, and what they are held against."""

    codec: CodecSummary
    picks: tuple[Picked, ...]
    """One an image."""
    baselines: tuple[Compared, ...]

    @property
    def judged(self) -> tuple[int, ...]:
        """Numbers of the images for which every ratio that is asked for is defined."""
        return tuple(number for number, pick in enumerate(self.picks) if pick.file.met is not None)

    @property
    def oracle_percent(self) -> float | None:
        """Share of the oracle's saving against best-fixed that the picks reach; None without both."""
        held = {one.name: one.n_bytes_compared for one in self.baselines}
        fixed, limit = held.get("best-fixed"), held.get("oracle")
        if fixed is None or limit is None or fixed <= limit:
            return None
        written = sum(self.picks[number].file.n_bytes for number in self.judged)
        return 100.0 * (fixed - written) / (fixed - limit)


@dataclass(frozen=True)
class Result:
    """Everything a benchmark found."""

    question: Question
    images: tuple[str, ...]
    """Paths below the folder."""
    predictor: PredictorSummary
    judge: PredictorSummary
    """What said whether targets are met; `predictor` itself where it was believed."""
    by_codec: Mapping[str, Comparison]
