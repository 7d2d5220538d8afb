"""Asks what a question needs, codec by codec, and puts the answers together."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sursmr_codec.bench import baselines, compare
from sursmr_codec.bench.asks import (
    Answer,
    Ask,
    AskHighest,
    AskMetric,
    AskPick,
    AskRung,
    AskSearch,
    Judged,
    Picked,
)
from sursmr_codec.bench.baselines import Baseline, BestFixed, Everyday, MetricSearch
from sursmr_codec.bench.compare import Picks
from sursmr_codec.bench.crew import Crew
from sursmr_codec.bench.question import Question, listed
from sursmr_codec.bench.result import Compared, Comparison, Result
from sursmr_codec.bench.sweep import sweep
from sursmr_codec.codecs.base import Codec
from sursmr_codec.errors import ImageError
from sursmr_codec.labels import smr


@dataclass(frozen=True)
class Progress:
    """One more image was worked on."""

    stage: str
    """Codec, and what is being done with it."""
    n_done: int
    n_all: int


Steps = Generator[Progress, None, Compared]


def events(question: Question) -> Iterator[Progress | Result]:
    """Answer a question as a stream: a `Progress` for each image of each stage, then the `Result`.

    Raises UsageError, ImageError for a folder without pictures and for the first that cannot be read or
    judged, UnavailableError for a missing encoder or library.
    """
    codecs = question.load_codecs()
    baselines.check(question.baselines, codecs)
    images = listed(question.folder, question.limit)
    with Crew(question) as crew:
        work = crew.work
        predictor, judge = work.predictor.summary(), work.judge.summary()
        by_codec = {}
        for codec in codecs:
            by_codec[codec.id] = yield from _Codec(question, crew, codec, images).compared()
    yield Result(question, images, predictor, judge, by_codec)


class _Codec:
    """One codec's part of a question."""

    def __init__(self, question: Question, crew: Crew, codec: Codec, images: Sequence[str]) -> None:
        self._question, self._crew, self._codec = question, crew, codec
        self._images = tuple(images)

    def compared(self) -> Generator[Progress, None, Comparison]:
        answers = yield from self._asked("pick", [AskPick(name, self._codec.id) for name in self._images])
        picked = [answer for answer in answers if isinstance(answer, Picked)]
        judged = [number for number, pick in enumerate(picked) if pick.file.met is not None]
        if not judged:
            raise ImageError(
                f"{self._question.folder}: none of the images can be judged: on each, fewer than "
                f"{smr.MIN_COUNTING} machines have an opinion; give more machines, or --smr 0"
            )
        self._images = tuple(self._images[number] for number in judged)
        picks = Picks([picked[number].file for number in judged])
        found = []
        for baseline in self._question.baselines:
            if isinstance(baseline, Everyday) and baseline.qp(self._codec) is None:
                continue
            found.append((yield from self._baseline(baseline, picks)))
        return Comparison(self._codec.summary(), tuple(picked), tuple(found))

    def _baseline(self, baseline: Baseline, picks: Picks) -> Steps:
        match baseline:
            case Everyday():
                qp = baseline.qp(self._codec)
                assert qp is not None  # others are left out
                return compare.everyday(picks, baseline.name, (yield from self._rungs(baseline.name, qp)))
            case BestFixed():
                qps = self._codec.qp_range
                start = int(np.quantile([file.qp for file in picks.files], 1 - picks.share)) - qps[0]
                return (yield from self._sweep(baseline, picks, start))
            case MetricSearch():
                start = yield from self._threshold(baseline, picks)
                return (yield from self._sweep(baseline, picks, start))
            case _:
                return (yield from self._oracle(baseline.name, picks))

    def _threshold(self, baseline: MetricSearch, picks: Picks) -> Generator[Progress, None, int]:
        """Index of the threshold to try first: what half of the picks reach."""
        asks = [
            AskMetric(image, self._codec.id, baseline.name, file.qp)
            for image, file in zip(self._images, picks.files, strict=True)
        ]
        answers = yield from self._asked(f"{baseline.name} of picks", asks)
        settings = np.array(baseline.settings(self._codec))
        median = np.median([answer for answer in answers if isinstance(answer, float)])
        return int(np.argmin(np.abs(settings - median)))

    def _sweep(self, baseline: BestFixed | MetricSearch, picks: Picks, start: int) -> Steps:
        settings = baseline.settings(self._codec)
        tried: dict[int, Sequence[Judged]] = {}
        walk = sweep(len(settings), picks.share, start)
        try:
            index = next(walk)
            while True:
                tried[index] = yield from self._setting(baseline, settings[index])
                index = walk.send(float(np.mean([file.met is True for file in tried[index]])))
        except StopIteration:
            return compare.at_equal_share(picks, baseline.name, settings, tried)

    def _setting(
        self, baseline: BestFixed | MetricSearch, setting: float
    ) -> Generator[Progress, None, list[Judged]]:
        stage = f"{baseline.name} at {setting:g}"
        if isinstance(baseline, BestFixed):
            return (yield from self._rungs(stage, int(setting)))
        asks = [AskSearch(name, self._codec.id, baseline.name, setting) for name in self._images]
        return _all_judged((yield from self._asked(stage, asks)))

    def _rungs(self, stage: str, qp: int) -> Generator[Progress, None, list[Judged]]:
        asks = [AskRung(name, self._codec.id, qp) for name in self._images]
        return _all_judged((yield from self._asked(stage, asks)))

    def _oracle(self, name: str, picks: Picks) -> Steps:
        grid = set(self._codec.qp_range[:: self._question.oracle_step])
        asks = [
            AskHighest(image, self._codec.id, tuple(sorted(grid | {file.qp})))
            for image, file in zip(self._images, picks.files, strict=True)
        ]
        answers = yield from self._asked(name, asks)
        return compare.oracle(picks, name, [one if isinstance(one, Judged) else None for one in answers])

    def _asked(self, stage: str, asks: Sequence[Ask]) -> Generator[Progress, None, list[Answer]]:
        """The answers, in the order of the asks."""
        answers: dict[int, Answer] = {}
        for number, answer in self._crew.ask(asks):
            answers[number] = answer
            yield Progress(f"{self._codec.id} {stage}", len(answers), len(asks))
        return [answers[number] for number in range(len(asks))]


def _all_judged(answers: Sequence[Answer]) -> list[Judged]:
    return [answer for answer in answers if isinstance(answer, Judged)]
