"""Which codec's file is taken where several were searched, and the pick that comes of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sursmr_codec.probing import Prober
from sursmr_codec.search import Answer, margins
from sursmr_codec.types import Jury, Pick, Rival, Score, SearchSettings, Seconds, Source, Targets

_LITTLE = 5.0
"""Percent; of a file that was compressed with losses, less than this is hardly worth more of them."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """What the search found under one codec."""

    prober: Prober
    answer: Answer

    @cached_property
    def written(self) -> bytes | None:
        """The file of the rung it chose; None where it chose none."""
        chosen = self.answer.chosen
        return None if chosen is None else self.prober.ladder.written(chosen.qp)

    def shortfall(self, targets: Targets) -> float:
        """By how much the rung it chose, or else its nearest probe, misses a target; 0 for none."""
        chosen = self.answer.chosen
        scores = [chosen.score] if chosen else [probe.score for probe in self.answer.probes]
        return min((_missing(score, targets) for score in scores), default=math.inf)

    def as_rival(self) -> Rival:
        """The same for the record of another codec's pick."""
        chosen, written = self.answer.chosen, self.written
        return Rival(
            self.prober.codec.id,
            self.answer.met,
            None if chosen is None else chosen.qp,
            None if written is None else len(written),
        )


def best(candidates: Sequence[Candidate], targets: Targets) -> Candidate:
    """The smallest file that meets the targets; where none does, the one that misses them by least.

    The first of several that are equal.
    """

    def rank(candidate: Candidate) -> tuple[bool, bool, float, float]:
        written = candidate.written
        missing = 0.0 if candidate.answer.met else candidate.shortfall(targets)
        n_bytes = math.inf if written is None else len(written)
        return not candidate.answer.met, written is None, missing, n_bytes

    return min(candidates, key=rank)


def pick_of(
    candidates: Sequence[Candidate],
    targets: Targets,
    search: SearchSettings,
    *,
    jury: Jury = "all",
    explain: bool = False,
    min_savings: float | None = None,
) -> Pick:
    """The pick of the best candidate, the others its rivals.

    The source's own bytes take its place where it saves less than `min_savings` percent of them; None: never.
    """
    winner = best(candidates, targets)
    prober, answer = winner.prober, winner.answer
    chosen = answer.chosen
    pick = Pick(
        source=prober.source,
        codec=prober.codec.summary(),
        predictor=prober.predictor.summary(),
        jury=jury,
        targets=targets,
        search=search,
        met=answer.met,
        binding=answer.binding,
        probes=answer.probes,
        chosen=chosen,
        native=None if chosen is None else prober.codec.native(chosen.qp),
        encoded=winner.written,
        kept_original=False,
        n_encodes=sum(one.prober.ladder.n_encodes for one in candidates),
        seconds=_seconds(candidates),
        explain=explain,
        warnings=prober.warnings(),
        misses=prober.misses() if targets.risk is None else None,
        rivals=tuple(one.as_rival() for one in candidates if one is not winner),
    )
    saved = pick.saved_percent
    if pick.met and saved is not None and min_savings is not None and saved < min_savings:
        return _kept(pick, min_savings)
    notes = list(prober.codec.left_out(prober.source))
    if chosen is not None and not answer.met:
        notes.append(f"targets not met ({answer.binding} binds): best effort, QP {chosen.qp}")
    if saved is not None and saved < (_LITTLE if prober.source.lossy else 0.0):
        notes.append(_little_saved(prober.source, saved))
    return replace(pick, warnings=(*pick.warnings, *notes))


def _little_saved(source: Source, saved: float) -> str:
    """That the pick is hardly smaller than the file, or not at all, and why that may be."""
    quality = "" if source.jpeg_quality is None else f" of quality {source.jpeg_quality}"
    why = f" ({source.format}{quality}, compressed with losses already)" if source.lossy else ""
    said = "is not smaller than" if saved <= 0 else f"saves only {saved:.1f} % of"
    return f"the picked rung {said} the source file{why}; see --keep-smaller"


def _kept(pick: Pick, min_savings: float) -> Pick:
    """The source's own bytes in place of the pick."""
    notes = [f"the original is kept: no met rung saves {min_savings:g} %"]
    if pick.source.stripped:
        notes.append("the original is kept with its metadata: what is asked to be left out needs a new file")
    return replace(
        pick,
        encoded=pick.source.encoded,
        chosen=None,
        native=None,
        kept_original=True,
        warnings=(*pick.warnings, *notes),
    )


def _missing(score: Score, targets: Targets) -> float:
    return max((max(0.0, -margin) for margin in margins(score, targets).values()), default=0.0)


def _seconds(candidates: Sequence[Candidate]) -> Seconds:
    spent = [one.prober.seconds() for one in candidates]
    return Seconds(
        read=sum(one.read for one in spent),
        encode=sum(one.encode for one in spent),
        decode=sum(one.decode for one in spent),
        predict=sum(one.predict for one in spent),
        total=max(one.total for one in spent),
    )
