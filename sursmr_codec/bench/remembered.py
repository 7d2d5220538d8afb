"""Measured truth that is kept: every answer of a teacher or machine is asked for once, over all runs.

The answers go into the cache that `annotate` fills and reads too, so either one finds what the other asked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from sursmr_codec.codecs.base import Codec
from sursmr_codec.errors import ImageError, MissingExtra, UsageError
from sursmr_codec.labels import protocols, smr, sur, teachers
from sursmr_codec.labels.machines.output import output_from_dict
from sursmr_codec.labels.machines.zoo import MachineRow
from sursmr_codec.labels.panel import Panel, PanelSetup, ZooSetup
from sursmr_codec.labels.raw_cache import PictureKey, RawCache, Stored
from sursmr_codec.ladder import Ladder
from sursmr_codec.predict.measured import MAX_PIXELS
from sursmr_codec.types import Jury, Pixels, PredictorSummary, Score, Source, Targets

METRICS = ("cvvdp", "ssimulacra2")
"""Teachers that baselines may search by."""
Found = TypeVar("Found")
_FILE = "file written"
"""Question whose answer is the size of the file for a rung, which may differ from the rung's."""


@dataclass(frozen=True)
class Remembering:
    """Makes a `Remembered`; sent to workers by pickle."""

    cache: str
    """Folder of the answers; several processes may share it."""
    zoo: str | Path | None
    """Folder of machines; None measures viewers only."""
    protocol: str = "calibrated"

    def __call__(self, threads: int) -> Remembered:
        """Open the cache; teachers and machines are loaded where an answer is missing, one thread each."""
        return Remembered(self)


@dataclass(frozen=True)
class KeptPick:
    """What a predictor chose."""

    qp: int
    sur: float | None
    """Promised, as is the next."""
    smr: float | None
    reachable: bool
    n_encodes: int
    seconds: float


@dataclass
class _Rung:
    """What is known of a rung, and the file it is of; `fresh` is yet to be kept."""

    key: PictureKey
    ladder: Ladder
    stored: Stored
    fresh: dict[str, Any] = field(default_factory=dict)


class Remembered:
    """Scores of files in truth, from the cache where they are known; others are measured and kept.

    The truth is that of the measured predictor: all teachers of a protocol that are installed, all jury
    machines of a zoo. Only ratios that are asked for are measured; the others are None.
    """

    def __init__(self, made_by: Remembering) -> None:
        self._protocol = protocols.load(made_by.protocol)
        installed = tuple(name for name in self._protocol.curves if teachers.known(name).installed())
        if not installed:
            raise MissingExtra("ssimulacra2", "measuring SUR", "measured")
        # Metrics that baselines search by, whether or not they vote.
        others = tuple(n for n in METRICS if n not in installed and teachers.known(n).installed())
        self._setup: PanelSetup = TeachersOnly((*installed, *others))
        if made_by.zoo is not None:
            self._setup = ZooSetup(Path(made_by.zoo), (*installed, *others))
        self._metrics = {name: f"teacher {name} {line}" for name, line in self._setup.teachers.items()}
        self._cache = RawCache(made_by.cache)
        self._teachers = {name: self._metrics[name] for name in installed}
        self._machines = {name: f"machine {name} {line}" for name, line in self._setup.machines.items()}
        self._rows = {row.name: row for row in self._setup.rows}
        self._fingerprints: dict[str, str] = {}
        self._found: dict[tuple[PictureKey, str], Any] = {}

    @cached_property
    def _panel(self) -> Panel:
        return self._setup.load()

    def check(self, targets: Targets) -> None:
        """Raise UsageError where the targets cannot be judged."""
        if targets.smr > 0 and not self._machines:
            raise UsageError(
                "an SMR target needs machines to measure: give --zoo DIR, or --smr 0 to ask for viewers only"
            )

    def check_jury(self, jury: Jury) -> None:
        """Raise UsageError where the zoo has too few machines of a task for an SMR of them alone."""
        n_machines = sum(row.task == jury for row in self._rows.values())
        if self._rows and jury != "all" and n_machines < smr.MIN_COUNTING_TASK:
            raise UsageError(
                f"SMR over machines of {jury} alone needs at least {smr.MIN_COUNTING_TASK} of them, and the "
                f"zoo has {n_machines}; take --machines all"
            )

    def summary(self) -> PredictorSummary:
        """Who measures, for the record."""
        curves = [repr(self._protocol.curves[name]) for name in self._teachers]
        rows = [f"{row.name} {row.conf}" for row in self._rows.values()]
        said = "\n".join([*self._teachers.values(), *curves, *self._machines.values(), *rows])
        voters = "+".join(self._teachers)
        digest = hashlib.sha256(said.encode()).hexdigest()
        return PredictorSummary("measured", digest, f"{self._protocol.id}/{voters}")

    def pick(self, source: Source, codec: Codec, question: str) -> KeptPick | None:
        """What was kept under that question; None where nothing was."""
        stored = self._cache.get(self._key(source, codec), [question])
        if stored is None or question not in stored.answers:
            return None
        return KeptPick(**stored.answers[question])

    def keep_pick(self, source: Source, codec: Codec, question: str, pick: KeptPick) -> None:
        """Keep a pick under a question that names everything that it depends on."""
        self._cache.put({self._key(source, codec): Stored({}, {question: asdict(pick)})})

    def metric(self, ladder: Ladder, qp: int, teacher: str) -> float:
        """A teacher's score of a rung."""
        question = self._metrics[teacher]
        return self._once(
            question,
            [question],
            ladder,
            qp,
            lambda rung: float(self._answer(rung, question, partial(self._teacher, teacher, rung))),
        )

    def viewers(self, ladder: Ladder, qp: int) -> float:
        """SUR of a rung."""
        return self._once("sur", self._teachers.values(), ladder, qp, self._sur)

    def file(self, ladder: Ladder, qp: int, targets: Targets) -> tuple[int, Score]:
        """Size of the file at a QP, and the truth about the ratios that are asked for."""
        viewers = self.viewers(ladder, qp) if targets.sur > 0 else None
        ratios = None
        if targets.smr > 0:
            ratios = self._once("smr", self._machines.values(), ladder, qp, self._ratios)
        n_bytes = self._once(_FILE, [_FILE], ladder, qp, self._written)
        if ratios is None:
            return n_bytes, Score(viewers, None)
        return n_bytes, Score(viewers, ratios.smr, ratios.smr_classification, ratios.smr_detection)

    def known_sur(self, source: Source, codec: Codec) -> dict[int, float]:
        """QP -> SUR of the rungs of a ladder that every teacher has scored already."""
        keys = ((qp, self._key(source, codec, qp)) for qp in codec.qp_range)
        stored = {qp: self._cache.get(key, self._teachers.values()) for qp, key in keys}
        return {
            qp: self._viewers(one.facts, self._scores(one.answers))
            for qp, one in stored.items()
            if one is not None and all(question in one.answers for question in self._teachers.values())
        }

    def _key(self, source: Source, codec: Codec, qp: int = -1) -> PictureKey:
        if source.sha256 is None:
            raise ImageError("only pictures from files can be remembered")
        if codec.id not in self._fingerprints:
            self._fingerprints[codec.id] = codec.fingerprint()
        return PictureKey(source.sha256, self._fingerprints[codec.id], qp)

    def _once(
        self, what: str, questions: Iterable[str], ladder: Ladder, qp: int, ask: Callable[[_Rung], Found]
    ) -> Found:
        """From memory where this object was asked before; else what `ask` finds, whose answers are kept.

        `questions` are those that `ask` may put to a rung.
        """
        key = self._key(ladder.source, ladder.codec, qp)
        if (key, what) not in self._found:
            rung = self._rung(ladder, key, questions)
            self._found[key, what] = ask(rung)
            self._put(rung)
        found: Found = self._found[key, what]
        return found

    def _rung(self, ladder: Ladder, key: PictureKey, questions: Iterable[str]) -> _Rung:
        source = ladder.source
        if source.width * source.height > MAX_PIXELS:
            raise ImageError(f"{source.path}: too many pixels to measure; scale it down first")
        return _Rung(key, ladder, self._cache.get(key, questions) or Stored({}, {}))

    def _answer(self, rung: _Rung, question: str, ask: Callable[[], Any]) -> Any:
        if question in rung.stored.answers:
            return rung.stored.answers[question]
        if question not in rung.fresh:
            rung.fresh[question] = ask()
        return rung.fresh[question]

    def _put(self, rung: _Rung) -> None:
        if rung.fresh:
            facts = dict(rung.stored.facts) or self._facts(rung)
            self._cache.put({rung.key: Stored(facts, rung.fresh)})

    def _facts(self, rung: _Rung) -> dict[str, Any]:
        reference, decoded = self._pixels(rung)
        n_bytes = len(rung.ladder.encoded(rung.key.qp))
        return {"n_bytes": n_bytes, "identical": bool(np.array_equal(reference, decoded))}

    def _teacher(self, name: str, rung: _Rung) -> float:
        return self._panel.teacher(name, *self._pixels(rung))

    def _machine(self, name: str, rung: _Rung) -> dict[str, Any]:
        return self._panel.machine(name, self._pixels(rung)[1])

    def _written(self, rung: _Rung) -> int:
        return int(self._answer(rung, _FILE, lambda: len(rung.ladder.written(rung.key.qp))))

    def _pixels(self, rung: _Rung) -> tuple[Pixels, Pixels]:
        return rung.ladder.source.rgb, rung.ladder[rung.key.qp].decoded

    def _sur(self, rung: _Rung) -> float:
        for name, question in self._teachers.items():
            self._answer(rung, question, partial(self._teacher, name, rung))
        facts = rung.stored.facts or self._facts(rung)
        return self._viewers(facts, self._scores({**rung.stored.answers, **rung.fresh}))

    def _scores(self, answers: Mapping[str, Any]) -> dict[str, float]:
        return {name: float(answers[question]) for name, question in self._teachers.items()}

    def _viewers(self, facts: Mapping[str, Any], scores: Mapping[str, float]) -> float:
        return 1.0 if facts["identical"] else sur.calibrated(scores, self._protocol)[0]

    def _ratios(self, rung: _Rung) -> smr.Ratios:
        before = self._original(rung.ladder.source)
        # Who has no opinion on the original is not asked about its copies.
        counting = [name for name, row in self._rows.items() if smr.counts(before[name], row)]
        votes: dict[str, bool | None] = dict.fromkeys(self._rows)
        for name in counting:
            told = self._answer(rung, self._machines[name], partial(self._machine, name, rung))
            votes[name] = smr.satisfied(before[name], output_from_dict(told), self._rows[name])
        return smr.smr(votes, {name: row.task for name, row in self._rows.items()})

    def _original(self, source: Source) -> dict[str, Any]:
        key = PictureKey(str(source.sha256))
        stored = self._cache.get(key, self._machines.values()) or Stored({}, {})
        missing = {name: q for name, q in self._machines.items() if q not in stored.answers}
        fresh = {question: self._panel.machine(name, source.rgb) for name, question in missing.items()}
        if fresh:
            facts = {"width": source.width, "height": source.height}
            self._cache.put({key: Stored(facts, fresh)})
        told = {**stored.answers, **fresh}
        return {name: output_from_dict(told[question]) for name, question in self._machines.items()}


class TeachersOnly(PanelSetup):
    """A panel without machines."""

    def __init__(self, teacher_ids: tuple[str, ...]) -> None:
        self._teacher_ids = teacher_ids

    @property
    def teachers(self) -> Mapping[str, str]:
        return {name: teachers.get(name).version() for name in self._teacher_ids}

    @property
    def rows(self) -> tuple[MachineRow, ...]:
        return ()

    def load(self) -> Panel:
        return _TeacherPanel(self._teacher_ids)


class _TeacherPanel(Panel):
    def __init__(self, teacher_ids: tuple[str, ...]) -> None:
        self._teachers = {name: teachers.get(name) for name in teacher_ids}

    def teacher(self, name: str, reference: Pixels, distorted: Pixels) -> float:
        return self._teachers[name].score(reference, distorted)

    def machine(self, name: str, rgb: Pixels) -> dict[str, Any]:
        raise UsageError(f"there is no machine {name}")


def pick_question(said: Mapping[str, Any]) -> str:
    """The question under which a pick is kept, from everything it depends on beside source and codec."""
    return f"pick {json.dumps(dict(said), sort_keys=True)}"
