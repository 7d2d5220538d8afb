"""Trying out a zoo: does every machine load, run, and say something that an opinion can be?"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sursmr_codec.errors import SursmrError, UnavailableError
from sursmr_codec.labels import smr
from sursmr_codec.labels.machines import coco
from sursmr_codec.labels.machines.machine import Machine, load
from sursmr_codec.labels.machines.output import Boxes, Labels, Output, Segments
from sursmr_codec.labels.machines.zoo import MachineRow, Zoo
from sursmr_codec.types import Pixels

SCORE_SLACK = 0.01
"""How far above 1 a quantised network's probability may come out."""


@dataclass(frozen=True)
class Checked:
    """One machine after its trial."""

    row: MachineRow
    error: str | None
    """Why it failed, one line; None where all is well."""
    output: Output | None = None
    """What it says of the picture."""
    compressed: Output | None = None
    """What it says of the compressed picture, where there is one."""
    weights_file: Path | None = None
    """The file that was loaded; None for a failure or random weights."""
    load_seconds: float | None = None
    milliseconds: float | None = None
    """Of one look at the picture, on one thread, after a first one."""

    @property
    def ok(self) -> bool:
        """Whether the machine can be asked."""
        return self.error is None


def check(
    rows: Sequence[MachineRow], picture: Pixels, compressed: Pixels | None = None, *, download: bool = False
) -> Iterator[Checked]:
    """Load each machine, show it the picture and say how that went; one machine is in memory at a time.

    Nothing that goes wrong with a machine is raised. `download` is that of `machine.load`.
    """
    for row in rows:
        try:
            yield _checked(row, picture, compressed, download)
        except SursmrError as error:
            yield Checked(row, " ".join(str(error).split()))
        except Exception as error:
            # Whatever a runtime raises, the other machines are still wanted.
            height, width = picture.shape[:2]
            reason = f"failed on a {width}x{height} picture: {type(error).__name__}: {error}"
            yield Checked(row, " ".join(reason.split()))


def ratios(zoo: Zoo, checked: Sequence[Checked]) -> smr.Ratios | None:
    """The satisfied shares of a check with a compressed picture; None where any machine that votes failed."""
    voters = {row.name for row in (*zoo.jury, *zoo.of_task("face", "segmentation"))}
    votes: dict[str, bool | None] = {}
    strict: dict[str, bool | None] = {}
    for one in checked:
        if one.row.name not in voters:
            continue
        if one.output is None or one.compressed is None:
            return None
        votes[one.row.name] = smr.satisfied(one.output, one.compressed, one.row)
        strict[one.row.name] = smr.satisfied(one.output, one.compressed, one.row, strict=True)
    tasks = {one.row.name: one.row.task for one in checked}
    return smr.smr(votes, tasks, strict_votes=strict)


def drawn_picture() -> Pixels:
    """(360, 480, 3) uint8: sky, ground, a disc and a fence; always the same.

    Enough to see that a machine runs. What it says of a drawing means nothing.
    """
    y, x = np.mgrid[:360, :480].astype(np.float32)
    picture = np.stack([90 + y / 4, 140 + y / 5, 235 - y / 6], axis=-1)
    ground = y > 230
    texture = 25 * np.sin(x / 3) * np.sin(y / 2)
    picture[ground] = np.stack([70 + texture, 110 + texture, 50 + texture / 2], axis=-1)[ground]
    picture[(x - 360) ** 2 + (y - 90) ** 2 < 45**2] = (250, 220, 90)
    picture[(x % 60 < 18) & (y > 170) & (y < 300)] = (150, 75, 45)
    return picture.clip(0, 255).astype(np.uint8)


def _checked(row: MachineRow, picture: Pixels, compressed: Pixels | None, download: bool) -> Checked:
    began = time.perf_counter()
    machine = load(row, download=download)
    load_seconds = time.perf_counter() - began
    output = _run(machine, picture)
    began = time.perf_counter()
    again = _run(machine, picture)
    milliseconds = 1000 * (time.perf_counter() - began)
    if output.to_dict() != again.to_dict():
        raise UnavailableError("it says two things of one picture, so that no change means anything")
    return Checked(
        row,
        None,
        output,
        None if compressed is None else _run(machine, compressed),
        machine.weights_file,
        load_seconds,
        milliseconds,
    )


def _run(machine: Machine, picture: Pixels) -> Output:
    output = machine.run(picture)
    if isinstance(output, Labels | Boxes):
        scores = np.asarray(output.scores, np.float64)
        if not np.all((scores >= 0) & (scores <= 1 + SCORE_SLACK)):
            hint = "; has it logits without `logits`: 1?" if isinstance(output, Labels) else ""
            raise UnavailableError(f"config: scores {_extent(scores)} are no probabilities 0..1{hint}")
    if isinstance(output, Boxes) and "coco" in machine.row.trained_on.lower():
        strange = output.classes[(output.classes < 0) | (output.classes >= len(coco.NAMES))]
        if len(strange):
            raise UnavailableError(f"config: class {strange[0]} is none of COCO's {len(coco.NAMES)}")
    if isinstance(output, Segments) and output.labels.ndim != 2:
        raise UnavailableError(f"file: label map of shape {output.labels.shape} is not (H, W)")
    return output


def _extent(scores: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    return f"{scores.min():.3g}..{scores.max():.3g}"
