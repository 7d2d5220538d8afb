"""What workers do, one image at a time: pick, encode, and judge files at their own QP."""

from __future__ import annotations

import time
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from sursmr_codec import images, picking
from sursmr_codec.bench.asks import Answer, Ask, AskHighest, AskPick, AskRung, AskSearch, Judged, Picked
from sursmr_codec.bench.question import Question
from sursmr_codec.codecs.base import Codec
from sursmr_codec.labels import teachers
from sursmr_codec.labels.teachers import Teacher
from sursmr_codec.ladder import Ladder
from sursmr_codec.predict.base import Embedding, Predictor
from sursmr_codec.search import meets
from sursmr_codec.types import Pick, Score, Source, Targets

_MOST_PIXELS = 100_000_000
"""Of sources that are kept in memory between questions; beyond, they are read again."""


class Opened:
    """A source that was read, and what the judge keeps of it."""

    def __init__(self, source: Source, seconds: float, judge: Predictor) -> None:
        self.source, self.seconds, self._judge = source, seconds, judge

    @cached_property
    def embedding(self) -> Embedding:
        """Made for the first file that is judged."""
        return self._judge.embed(self.source)


@dataclass
class Known:
    """Numbers of one image under one codec, by QP; each file is made and judged once."""

    judged: dict[int, Judged] = field(default_factory=dict)
    metrics: dict[tuple[str, int], float] = field(default_factory=dict)


class Work:
    """Answers asks about the images of one question; loads predictors on the first."""

    def __init__(self, question: Question, threads: int) -> None:
        self._question = question
        self._threads = threads
        self._opened: OrderedDict[str, Opened] = OrderedDict()
        self._known: defaultdict[tuple[str, str], Known] = defaultdict(Known)
        self._teachers: dict[str, Teacher] = {}

    def __call__(self, ask: Ask) -> Answer:
        """Raises ImageError, EncodeError and what loading the predictors raises."""
        match ask:
            case AskPick():
                return self._pick(ask)
            case AskRung():
                return self._judged(ask, ask.qp, None)
            case AskHighest():
                return self._highest(ask)
            case AskSearch():
                return self._search(ask)

    @cached_property
    def codecs(self) -> dict[str, Codec]:
        """By id."""
        return {codec.id: codec for codec in self._question.load_codecs()}

    @cached_property
    def predictor(self) -> Predictor:
        """What picks; raises UsageError where it cannot judge the targets."""
        predictor = self._question.load_predictor(self._threads)
        predictor.check(self._question.targets)
        return predictor

    @cached_property
    def judge(self) -> Predictor:
        """What says whether targets are met; raises UsageError where it cannot."""
        if self._question.load_judge is None:
            return self.predictor
        judge = self._question.load_judge(self._threads)
        judge.check(self._question.targets)
        return judge

    def _pick(self, ask: AskPick) -> Picked:
        opened, question = self._open(ask.image), self._question
        settings = picking.PickSettings(search=question.search, jury=question.jury, best_effort=True)
        *_, picked = picking.pick_events(
            opened.source,
            question.targets,
            codec=self.codecs[ask.codec],
            predictor=self.predictor,
            settings=settings,
        )
        assert isinstance(picked, Pick)  # the last event always is the pick
        assert picked.chosen is not None  # a best effort without a byte limit always chooses
        if self.judge is self.predictor:
            written = len(picked.encoded or b"")
            self._keep(ask, picked.chosen.qp, written, picked.chosen.score)
        file = self._judged(ask, picked.chosen.qp, None)
        return Picked(
            replace(file, n_encodes=picked.n_encodes),
            promised=replace(picked.chosen.score, evidence=None),
            reachable=picked.met,
            seconds=picked.seconds.total + opened.seconds,
            sha256=opened.source.sha256,
            width=opened.source.width,
            height=opened.source.height,
            source_bytes=opened.source.n_bytes,
        )

    def _highest(self, ask: AskHighest) -> Judged | None:
        ladder = self._ladder(ask)
        files = (self._judged(ask, qp, ladder) for qp in reversed(ask.qps))
        return next((file for file in files if file.met), None)

    def _search(self, ask: AskSearch) -> Judged:
        """By bisection, as people do; the lowest QP where even that is worse than the threshold."""
        ladder, qps = self._ladder(ask), self.codecs[ask.codec].qp_range
        good, bad, n_encodes = qps[0] - 1, qps[-1] + 1, 0
        while bad - good > 1:
            qp = (good + bad) // 2
            n_encodes += 1
            if self._metric(ask, qp, ladder) >= ask.threshold:
                good = qp
            else:
                bad = qp
        return replace(self._judged(ask, max(good, qps[0]), ladder), n_encodes=n_encodes)

    def _metric(self, ask: AskSearch, qp: int, ladder: Ladder) -> float:
        metrics = self._known[ask.image, ask.codec].metrics
        if (ask.metric, qp) not in metrics:
            if ask.metric not in self._teachers:
                self._teachers[ask.metric] = teachers.get(ask.metric)
            score = self._teachers[ask.metric].score(ladder.source.rgb, ladder[qp].decoded)
            metrics[ask.metric, qp] = score
        return metrics[ask.metric, qp]

    def _judged(self, ask: Ask, qp: int, ladder: Ladder | None) -> Judged:
        """The file at a QP, as it would be written; made and scored at that very QP."""
        judged = self._known[ask.image, ask.codec].judged
        if qp not in judged:
            ladder = ladder or self._ladder(ask)
            rung = ladder[qp]
            (score,) = self.judge.score(self._open(ask.image).embedding, [rung])
            self._keep(ask, qp, len(ladder.written(qp)), score.for_jury(self._question.jury))
        return judged[qp]

    def _keep(self, ask: Ask, qp: int, n_bytes: int, truth: Score) -> None:
        truth = replace(truth, evidence=None)
        met = whether_met(truth, self._question.targets)
        self._known[ask.image, ask.codec].judged[qp] = Judged(qp, n_bytes, truth, met)

    def _ladder(self, ask: Ask) -> Ladder:
        # One for each ask: kept longer, the bytes of whole ladders of whole folders would fill the memory.
        return Ladder(self._open(ask.image).source, self.codecs[ask.codec])

    def _open(self, image: str) -> Opened:
        if image not in self._opened:
            began = time.perf_counter()
            source = images.read(Path(self._question.folder) / image, self._question.reading)
            self._opened[image] = Opened(source, time.perf_counter() - began, self.judge)
        self._opened.move_to_end(image)
        while len(self._opened) > 1 and sum(one.source.rgb.size for one in self._opened.values()) > (
            3 * _MOST_PIXELS
        ):
            self._opened.popitem(last=False)
        return self._opened[image]


def whether_met(score: Score, targets: Targets) -> bool | None:
    """Whether targets are met in truth; None where a ratio that is asked for is not defined."""
    asked = {name: getattr(score, name) for name in ("sur", "smr") if getattr(targets, name) > 0}
    return None if None in asked.values() else meets(score, targets)
