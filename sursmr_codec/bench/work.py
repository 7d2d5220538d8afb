"""What workers do, one image at a time: pick, encode, and judge files at their own QP."""

from __future__ import annotations

import time
from collections import OrderedDict, defaultdict
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path

from sursmr_codec import images, picking
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
from sursmr_codec.bench.question import Question
from sursmr_codec.bench.remembered import KeptPick, Remembered, pick_question
from sursmr_codec.codecs.base import Codec
from sursmr_codec.labels import teachers
from sursmr_codec.labels.teachers import Teacher
from sursmr_codec.ladder import Ladder
from sursmr_codec.predict.base import Embedding, Predictor
from sursmr_codec.search import meets
from sursmr_codec.types import Pick, Score, Source, Targets
from sursmr_codec.version import __version__

_MOST_PIXELS = 100_000_000
"""Of sources that are kept in memory between questions; beyond, they are read again."""
_SUR_WOBBLE = 0.05
"""By more than this measured SUR is taken not to rise again as quality falls: in the steps along 650 labelled
ladders of 10 rungs it rose twice, by 0.010 at most. What machines say has no such bound."""


class Opened:
    """A source that was read, and what the judge keeps of it."""

    def __init__(self, source: Source, seconds: float) -> None:
        self.source, self.seconds = source, seconds
        self._embedding: Embedding | None = None

    def embedding(self, judge: Predictor) -> Embedding:
        """Made for the first file that is judged."""
        if self._embedding is None:
            self._embedding = judge.embed(self.source)
        return self._embedding


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
            case AskMetric():
                return self._metric(ask, ask.qp, self._ladder(ask))

    @cached_property
    def codecs(self) -> dict[str, Codec]:
        """By id."""
        return {codec.id: codec for codec in self._question.load_codecs()}

    @cached_property
    def predictor(self) -> Predictor:
        """What picks; raises UsageError where it cannot judge the targets."""
        predictor = self._question.load_predictor(self._threads)
        predictor.check(self._question.targets)
        predictor.check_jury(self._question.jury)
        return predictor

    @cached_property
    def judge(self) -> Predictor | Remembered:
        """What says whether targets are met; raises UsageError where it cannot."""
        if self._question.load_judge is None:
            return self.predictor
        judge = self._question.load_judge(self._threads)
        judge.check(replace(self._question.targets, risk=None))
        judge.check_jury(self._question.jury)
        return judge

    def _pick(self, ask: AskPick) -> Picked:
        opened = self._open(ask.image)
        found = self._kept(ask) if isinstance(self.judge, Remembered) else self._found(ask)
        return Picked(
            replace(self._judged(ask, found.qp, None), n_encodes=found.n_encodes),
            promised=Score(found.sur, found.smr),
            reachable=found.reachable,
            seconds=found.seconds,
            sha256=opened.source.sha256,
            width=opened.source.width,
            height=opened.source.height,
            source_bytes=opened.source.n_bytes,
        )

    def _kept(self, ask: AskPick) -> KeptPick:
        assert isinstance(self.judge, Remembered)
        source, codec, question = self._open(ask.image).source, self.codecs[ask.codec], self._question
        said = {
            "version": __version__,
            "predictor": asdict(self.predictor.summary()),
            "targets": asdict(question.targets),
            "search": asdict(question.search),
            "machines": question.jury,
        }
        if question.targets.risk is not None:
            margins = self.predictor.margins(ask.codec, question.targets, question.jury)
            said["margins"] = asdict(margins)
        name = pick_question(said)
        found = self.judge.pick(source, codec, name)
        if found is None:
            found = self._found(ask)
            self.judge.keep_pick(source, codec, name, found)
        return found

    def _found(self, ask: AskPick) -> KeptPick:
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
        return KeptPick(
            picked.chosen.qp,
            picked.chosen.score.sur,
            picked.chosen.score.smr,
            picked.met,
            picked.n_encodes,
            picked.seconds.total + opened.seconds,
        )

    def _highest(self, ask: AskHighest) -> Judged | None:
        ladder, qps = self._ladder(ask), ask.qps
        if isinstance(self.judge, Remembered):
            qps = self._not_hopeless(self.judge, ladder, qps)
        files = (self._judged(ask, qp, ladder) for qp in reversed(qps) if self._may_meet(ladder, qp))
        return next((file for file in files if file.met), None)

    def _not_hopeless(self, judge: Remembered, ladder: Ladder, qps: tuple[int, ...]) -> tuple[int, ...]:
        """Without the QPs above one at which SUR is known to be far below its target."""
        least = self._question.targets.sur - _SUR_WOBBLE
        known = judge.known_sur(ladder.source, ladder.codec)
        first = min((qp for qp, sur in known.items() if sur < least), default=ladder.codec.qp_range.stop)
        return tuple(qp for qp in qps if qp < first)

    def _may_meet(self, ladder: Ladder, qp: int) -> bool:
        """False where viewers alone, who are asked before the machines, rule a rung out."""
        least = self._question.targets.sur
        if least == 0 or not isinstance(self.judge, Remembered):
            return True
        return self.judge.viewers(ladder, qp) >= least

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

    def _metric(self, ask: AskSearch | AskMetric, qp: int, ladder: Ladder) -> float:
        if isinstance(self.judge, Remembered):
            return self.judge.metric(ladder, qp, ask.metric)
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
            ladder, judge = ladder or self._ladder(ask), self.judge
            if isinstance(judge, Remembered):
                n_bytes, score = judge.file(ladder, qp, self._question.targets)
            else:
                (score,) = judge.score(self._open(ask.image).embedding(judge), [ladder[qp]])
                n_bytes = len(ladder.written(qp))
            self._keep(ask, qp, n_bytes, score.for_jury(self._question.jury))
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
            self._opened[image] = Opened(source, time.perf_counter() - began)
        self._opened.move_to_end(image)
        while len(self._opened) > 1 and sum(one.source.rgb.size for one in self._opened.values()) > (
            3 * _MOST_PIXELS
        ):
            self._opened.popitem(last=False)
        return self._opened[image]


def whether_met(score: Score, targets: Targets) -> bool | None:
    """Whether targets are met in truth; None where a ratio that is asked for is not defined."""
    asked = {name: getattr(score, name) for name in ("sur", "smr") if getattr(targets, name) > 0}
    return None if None in asked.values() else meets(score, replace(targets, risk=None))
