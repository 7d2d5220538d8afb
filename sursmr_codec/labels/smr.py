"""Which machines are satisfied with a rung, and what share of them: the one definition of SMR.

Zhang et al., "Perceptual Video Coding for Machines via Satisfied Machine Ratio Modeling", TPAMI 2024,
https://arxiv.org/abs/2211.06797, and "Predicting Satisfied User and Machine Ratio for Compressed Images: A
Unified Approach", https://arxiv.org/abs/2412.17477, equations 1 and 2. All functions are pure.

A machine counts for an image where it has a confident opinion on the original. It is satisfied with a rung
where that opinion survives. All thresholds include equality.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sursmr_codec.errors import UsageError
from sursmr_codec.labels.machines.nms import iou_matrix
from sursmr_codec.labels.machines.output import Boxes, Labels, Output, Segments

if TYPE_CHECKING:
    from sursmr_codec.labels.machines.zoo import MachineRow

T_SATISFIED = 0.5
"""Least match score of a satisfied detector or segmenter."""
T_IOU = 0.5
"""Least overlap of two boxes that match."""
MIN_COUNTING = 5
"""`smr` is not defined where fewer machines count."""
MIN_COUNTING_TASK = 3
"""A task's own ratio, and that of unseen machines, is not defined where fewer machines count."""
MIN_COUNTING_APART = 1
"""Faces and segmentation have few machines and no vote in `smr`; one that counts is enough."""
MIN_FOREGROUND = 0.01
"""Least share of pixels that are not background where a segmenter counts."""

Votes = Mapping[str, bool | None]
"""Machine name -> satisfied, or None where the machine does not count for the image."""


@dataclass(frozen=True)
class Ratios:
    """Shares of satisfied machines among those that count, 0..1; None where too few count."""

    smr: float | None
    """Over all seen classifiers and detectors."""
    smr_classification: float | None
    smr_detection: float | None
    smr_strict: float | None
    """As `smr`, with classifiers counting whether or not they are sure of the original."""
    smr_unseen: float | None
    """Over machines that are kept from training, and that vote in none of the others."""
    smr_face: float | None
    """Over face detectors, which vote in none of the others."""
    smr_segmentation: float | None
    """Over segmenters, which vote in none of the others."""
    n_counting: int
    """Machines behind `smr`."""


def match_score(boxes0: Boxes, boxes1: Boxes, t_conf: float, iou: float = T_IOU) -> float:
    """How well the boxes on an original and on a rung agree, 0..1: 2 m / (n0 + n1).

    n0 and n1 boxes have a score of at least `t_conf` and an area; m of them match one to one, the same class
    with an overlap of at least `iou`, taken greedily from the best overlap down (equal ones in order of
    score). No boxes on either side is full agreement, 1; on one side only, 0.
    """
    sure0, sure1 = _sure(boxes0, t_conf), _sure(boxes1, t_conf)
    if len(sure0) + len(sure1) == 0:
        return 1.0
    overlap = iou_matrix(sure0.xyxy, sure1.xyxy)
    overlap[sure0.classes[:, None] != sure1.classes[None, :]] = -1.0
    n_matches = 0
    taken0: set[int] = set()
    taken1: set[int] = set()
    for flat in np.argsort(-overlap, axis=None, kind="stable").tolist():
        i, j = divmod(flat, len(sure1))
        if overlap[i, j] < iou:
            break
        if i not in taken0 and j not in taken1:
            taken0.add(i)
            taken1.add(j)
            n_matches += 1
    return 2.0 * n_matches / (len(sure0) + len(sure1))


def _sure(boxes: Boxes, t_conf: float) -> Boxes:
    # Clipped to the picture, a box that lay beside it has no area left and overlaps nothing, not even itself.
    sure = boxes.at_least(t_conf)
    keep = np.all(sure.xyxy[:, 2:] > sure.xyxy[:, :2], axis=1)
    return Boxes(sure.xyxy[keep], sure.scores[keep], sure.classes[keep])


def segment_score(original: Segments, compressed: Segments) -> float:
    """How well two label maps of one shape agree on what is not background, 0..1.

    The match score with pixels for boxes: 2 m / (n0 + n1), where n0 and n1 pixels are not background and m
    have the same label on both. Nothing on either side is 1.
    """
    if original.labels.shape != compressed.labels.shape:
        raise UsageError(
            f"label maps of {original.labels.shape} and {compressed.labels.shape} cannot be compared"
        )
    n0 = int(np.count_nonzero(original.labels))
    n1 = int(np.count_nonzero(compressed.labels))
    if n0 + n1 == 0:
        return 1.0
    agree = (original.labels == compressed.labels) & (original.labels != 0)
    return 2.0 * int(np.count_nonzero(agree)) / (n0 + n1)


def counts(original: Output, row: MachineRow) -> bool:
    """Whether a machine has a confident opinion on the original, at its row's T_conf."""
    match original:
        case Labels():
            return bool(np.float32(original.confidence) >= np.float32(row.conf))
        case Boxes():
            return len(_sure(original, row.conf)) > 0
        case Segments():
            return float(np.mean(original.labels != 0)) >= MIN_FOREGROUND


def satisfied(original: Output, compressed: Output, row: MachineRow, *, strict: bool = False) -> bool | None:
    """Whether a machine's opinion on the original survives; None where it does not count.

    A classifier must keep its best class; a detector or segmenter must reach a match score of 0.5. `strict`
    lets classifiers count however unsure they are. Raises UsageError for outputs of two kinds.
    """
    if not (strict and isinstance(original, Labels)) and not counts(original, row):
        return None
    match original, compressed:
        case Labels(), Labels():
            return original.top1 == compressed.top1
        case Boxes(), Boxes():
            return match_score(original, compressed, row.conf) >= T_SATISFIED
        case Segments(), Segments():
            return segment_score(original, compressed) >= T_SATISFIED
    raise UsageError(
        f"machine {row.name}: {type(original).__name__} and {type(compressed).__name__} cannot be compared"
    )


def fewest(n_machines: int, least: int) -> int:
    """How many of `n_machines` must count, where a zoo needs `least`: half of a few machines is enough."""
    return min(least, math.ceil(n_machines / 2))


def ratio(votes: Collection[bool | None], minimum: int) -> float | None:
    """Share of True among True and False, 0..1; None where these are fewer than `minimum` or none."""
    counting = [vote for vote in votes if vote is not None]
    if len(counting) < max(minimum, 1):
        return None
    return sum(counting) / len(counting)


def smr(
    votes: Votes,
    tasks: Mapping[str, str],
    *,
    strict_votes: Votes | None = None,
    unseen: Collection[str] = (),
) -> Ratios:
    """Aggregate the votes on one rung.

    `tasks` gives every voter's task; only classifiers and detectors vote in `smr`.
    `strict_votes` are votes made with `satisfied(..., strict=True)`; without them `smr_strict` is None.
    `unseen` names the machines that are kept apart. Raises UsageError for a voter without a task.
    """
    for name in [*votes, *(strict_votes or ())]:
        if name not in tasks:
            raise UsageError(f"machine {name} has a vote but no task")

    def votes_of(task: str, ballot: Votes, *, seen: bool = True) -> list[bool | None]:
        return [v for name, v in ballot.items() if tasks[name] == task and (name not in unseen) == seen]

    classification = votes_of("classification", votes)
    detection = votes_of("detection", votes)
    jury = classification + detection
    strict = votes_of("classification", strict_votes or {}) + votes_of("detection", strict_votes or {})
    apart = votes_of("classification", votes, seen=False) + votes_of("detection", votes, seen=False)
    return Ratios(
        smr=ratio(jury, MIN_COUNTING),
        smr_classification=ratio(classification, MIN_COUNTING_TASK),
        smr_detection=ratio(detection, MIN_COUNTING_TASK),
        smr_strict=ratio(strict, MIN_COUNTING),
        smr_unseen=ratio(apart, MIN_COUNTING_TASK),
        smr_face=ratio(votes_of("face", votes), MIN_COUNTING_APART),
        smr_segmentation=ratio(votes_of("segmentation", votes), MIN_COUNTING_APART),
        n_counting=sum(vote is not None for vote in jury),
    )
