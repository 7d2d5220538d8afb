"""The JSON records of `sursmr-qp zoo`: every key always there, null where it does not apply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from sursmr_codec.errors import UsageError
from sursmr_codec.labels import smr
from sursmr_codec.labels.machines.checking import Checked
from sursmr_codec.labels.machines.class_names import ClassNames
from sursmr_codec.labels.machines.output import Boxes, Labels, Output, Segments
from sursmr_codec.labels.machines.zoo import MachineRow, Zoo
from sursmr_codec.records import Record
from sursmr_codec.types import Source
from sursmr_codec.version import __version__

LIST_SCHEMA = "sursmr-qp/zoo-list/1"
CHECK_SCHEMA = "sursmr-qp/zoo-check/1"


@dataclass(frozen=True)
class Prediction:
    """The first thing that a machine says of a picture."""

    label: str | None
    """The class's name; None where it is not known, or nothing was found."""
    index: int | None
    """The class's index; None where nothing was found."""
    score: float | None
    """Confidence of a class or box, 0..1; None for segments."""
    n_boxes: int | None
    """Boxes at the row's T_conf or above; None for classifiers and segmenters."""
    share: float | None
    """Of the pixels that have this label; only for segments."""


def prediction(output: Output, row: MachineRow, names: ClassNames) -> Prediction:
    """The best class, the best box that is sure enough, or the largest area that is not background."""
    match output:
        case Labels():
            return Prediction(
                names.name(row, output.top1), output.top1, round(output.confidence, 4), None, None
            )
        case Boxes():
            sure = output.at_least(row.conf)
            if not len(sure):
                return Prediction(None, None, None, 0, None)
            index = int(sure.classes[0])
            return Prediction(names.name(row, index), index, round(float(sure.scores[0]), 4), len(sure), None)
        case Segments():
            n_pixels = np.bincount(output.labels.reshape(-1), minlength=1)
            index = int(n_pixels[1:].argmax()) + 1 if n_pixels[1:].any() else 0
            share = round(float(n_pixels[index] / output.labels.size), 4)
            return Prediction(names.name(row, index), index, None, None, share)


def zoo_list_record(zoo: Zoo) -> Record:
    """The rows of a zoo, as `zoo list --json` prints them."""
    voters = {row.name for row in zoo.jury}
    return {
        "schema": LIST_SCHEMA,
        "version": __version__,
        "zoo": str(zoo.folder),
        "machines": [
            {
                **_head(row),
                "votes": row.name in voters,
                "ms_busy_core": row.ms_busy_core or None,
                "architecture": row.architecture,
                "trained_on": row.trained_on,
                "source": row.source,
                "weights_group": row.weights_group,
                "licence": row.licence,
            }
            for row in zoo.rows
        ],
    }


def zoo_check_record(
    zoo: Zoo,
    checked: Sequence[Checked],
    names: ClassNames,
    *,
    picture: Source | None,
    compressed: Source | None,
    ratios: smr.Ratios | None,
    wrong: Sequence[UsageError] = (),
) -> Record:
    """What became of every machine, as `zoo check --json` prints it; `picture` is None for the drawing.

    `wrong` says what is wrong with rows of the table that were not tried.
    """
    n_ok = sum(one.ok for one in checked)
    return {
        "schema": CHECK_SCHEMA,
        "version": __version__,
        "zoo": str(zoo.folder),
        "image": _path(picture),
        "compressed": _path(compressed),
        "n_ok": n_ok,
        "n_failed": len(checked) - n_ok,
        "wrong_rows": [" ".join(str(error).split()) for error in wrong],
        "machines": [_checked(one, names) for one in checked],
        "ratios": None if ratios is None else asdict(ratios),
    }


def _checked(one: Checked, names: ClassNames) -> Record:
    said = None if one.output is None else asdict(prediction(one.output, one.row, names))
    return {
        **_head(one.row),
        "ok": one.ok,
        "error": one.error,
        "prediction": said,
        "counts": None if one.output is None else smr.counts(one.output, one.row),
        "satisfied": satisfied(one),
        "ms": None if one.milliseconds is None else round(one.milliseconds, 1),
        "load_seconds": None if one.load_seconds is None else round(one.load_seconds, 2),
        "weights_file": _text(one.weights_file),
    }


def satisfied(one: Checked) -> bool | None:
    """Whether a machine is satisfied with the compressed picture; None where it does not count."""
    if one.output is None or one.compressed is None:
        return None
    return smr.satisfied(one.output, one.compressed, one.row)


def _head(row: MachineRow) -> Record:
    return {
        "name": row.name,
        "task": row.task,
        "file": str(row.weights),
        "input": row.input_size,
        "runtime": row.runtime,
    }


def _path(source: Source | None) -> str | None:
    return None if source is None else source.path


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
