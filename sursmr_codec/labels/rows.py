"""From raw answers to label rows: pure, so that a changed threshold or protocol asks nobody anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sursmr_codec.labels import smr, sur
from sursmr_codec.labels.isotonic import interpolate, non_increasing
from sursmr_codec.labels.machines.output import output_from_dict
from sursmr_codec.labels.machines.zoo import MachineRow
from sursmr_codec.labels.measuring import Answers
from sursmr_codec.labels.protocols import Protocol
from sursmr_codec.labels.proxy import Curves, proxy

NOT_SATISFIED, SATISFIED, DOES_NOT_COUNT = 0, 1, 2
Outputs = Mapping[str, Mapping[str, Any]]
"""Machine name -> `Output.to_dict()`."""
MOST_SCORED = 12
"""Rungs of a ladder that teachers score; further ones are interpolated."""


@dataclass(frozen=True)
class Scale:
    """What turns raw answers into labels."""

    protocol: Protocol
    rows: tuple[MachineRow, ...]
    unseen: frozenset[str]
    qp_ranges: Mapping[str, range]
    """Codec id -> its whole ladder."""
    fingerprints: Mapping[str, str]
    """Codec id -> the encoders behind its rungs."""
    proxy: tuple[str, ...] = ()
    """Metrics behind `sur_proxy`; the protocol's teachers where there are none."""
    falling: frozenset[str] = frozenset()
    """Of these, those whose scores fall as quality rises."""


@dataclass(frozen=True)
class LabelRow:
    """One rung's labels; ratios lie in 0..1, None where they are not defined."""

    image: str
    split: str
    codec: str
    qp: int
    n_bytes: int
    bpp: float
    fingerprint: str
    cvvdp_jod: float | None
    """None where not scored."""
    ssimulacra2: float | None
    """None where not scored."""
    sur: float | None
    """Calibrated, and non-increasing along the ladder."""
    sur_proxy: float | None
    """Min-max over the ladder; None unless both ends of it were scored."""
    smr: float | None
    smr_classification: float | None
    smr_detection: float | None
    smr_strict: float | None
    smr_unseen: float | None
    n_machines: int
    """Machines behind `smr`."""
    votes: Mapping[str, int]
    """Machine name -> 1 satisfied, 0 not, 2 does not count."""
    smr_face: float | None = None
    """None where no face detector counts, or was asked."""
    smr_segmentation: float | None = None
    """None where no segmenter counts, or was asked."""


def scored_qps(qps: Sequence[int]) -> tuple[int, ...]:
    """The QPs of a ladder that teachers are asked about: all, or 12 in even steps from end to end."""
    if len(qps) <= MOST_SCORED:
        return tuple(qps)
    return tuple(qps[round(i * (len(qps) - 1) / (MOST_SCORED - 1))] for i in range(MOST_SCORED))


def label_rows(
    image: str,
    split: str,
    original: Answers,
    ladders: Mapping[str, Mapping[int, Answers | None]],
    scale: Scale,
) -> list[LabelRow]:
    """The rows of one image: codecs in the order of `ladders`, QPs rising.

    `ladders` maps codec id -> every planned QP -> answers, None where there is no such rung: that gives no
    row. Teachers' scores of rungs that are not among `scored_qps` are left aside.
    """
    n_pixels = original.facts["width"] * original.facts["height"]
    rows = []
    for codec, planned in ladders.items():
        asked = set(scored_qps(sorted(planned)))
        rungs = {qp: rung for qp, rung in sorted(planned.items()) if rung is not None}
        voters = tuple(scale.protocol.curves)
        metrics = scale.proxy or voters
        scored = {name: _scored(rungs, name, asked) for name in dict.fromkeys((*voters, *metrics))}
        curves = {name: _curve(scores, list(rungs), asked) for name, scores in scored.items()}
        viewers = _calibrated(rungs, {name: curves[name] for name in voters}, scale.protocol)
        proxies = proxy({name: curves[name] for name in metrics}, scale.qp_ranges[codec], scale.falling)
        for qp, rung in rungs.items():
            ratios, votes = ballot(original.machines, rung.machines, scale.rows, scale.unseen)
            rows.append(
                LabelRow(
                    image=image,
                    split=split,
                    codec=codec,
                    qp=qp,
                    n_bytes=rung.facts["n_bytes"],
                    bpp=8.0 * rung.facts["n_bytes"] / n_pixels,
                    fingerprint=scale.fingerprints[codec],
                    cvvdp_jod=scored.get("cvvdp", {}).get(qp),
                    ssimulacra2=scored.get("ssimulacra2", {}).get(qp),
                    sur=viewers[qp],
                    sur_proxy=proxies[qp],
                    smr=ratios.smr,
                    smr_classification=ratios.smr_classification,
                    smr_detection=ratios.smr_detection,
                    smr_strict=ratios.smr_strict,
                    smr_unseen=ratios.smr_unseen,
                    n_machines=ratios.n_counting,
                    votes=votes,
                    smr_face=ratios.smr_face,
                    smr_segmentation=ratios.smr_segmentation,
                )
            )
    return rows


def _scored(rungs: Mapping[int, Answers], teacher: str, asked: Collection[int]) -> dict[int, float]:
    # A cache may know more than was asked; labels must not depend on what else was ever measured.
    return {
        qp: rung.teachers[teacher] for qp, rung in rungs.items() if qp in asked and teacher in rung.teachers
    }


def _curve(
    scores: Mapping[int, float], qps: Sequence[int], asked: Collection[int]
) -> dict[int, float | None]:
    between = dict(zip(qps, interpolate(qps, list(scores.items())), strict=True))
    # A rung that was asked about and has no score stays without one: it failed.
    return {qp: scores.get(qp) if qp in asked else between[qp] for qp in qps}


def _calibrated(
    rungs: Mapping[int, Answers], teachers: Curves, protocol: Protocol
) -> dict[int, float | None]:
    raw: dict[int, float] = {}
    for qp, rung in rungs.items():
        scores = {name: curve[qp] for name, curve in teachers.items()}
        known = {name: score for name, score in scores.items() if score is not None}
        if rung.facts["identical"]:
            raw[qp] = 1.0
        elif known and len(known) == len(scores):
            # Never fewer teachers than the protocol has: their mean would be another quantity.
            raw[qp] = sur.calibrated(known, protocol)[0]
    monotone = dict(zip(raw, non_increasing(list(raw.values())), strict=True))
    return {qp: None if qp not in monotone else min(1.0, max(0.0, monotone[qp])) for qp in rungs}


def ballot(
    original: Outputs, rung: Outputs, rows: Sequence[MachineRow], unseen: Collection[str]
) -> tuple[smr.Ratios, dict[str, int]]:
    """The ratios of one rung, and each machine's vote: 1 satisfied, 0 not, 2 does not count.

    `original` and `rung` are what machines say of the two pictures; one that is silent does not count.
    """
    votes: dict[str, bool | None] = {}
    strict: dict[str, bool | None] = {}
    for row in rows:
        votes[row.name] = strict[row.name] = None
        if row.name in original and row.name in rung:
            before = output_from_dict(original[row.name])
            after = output_from_dict(rung[row.name])
            votes[row.name] = smr.satisfied(before, after, row)
            strict[row.name] = smr.satisfied(before, after, row, strict=True)
    ratios = smr.smr(votes, {row.name: row.task for row in rows}, strict_votes=strict, unseen=unseen)
    return ratios, {name: DOES_NOT_COUNT if vote is None else int(vote) for name, vote in votes.items()}
