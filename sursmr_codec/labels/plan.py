"""What to label: which images, which rungs of each, in which part; the same for the same arguments."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

from sursmr_codec.errors import ImageError, UsageError

Spread = Literal["random", "even"]

INDEX = "index.csv"
"""Table of a folder's images; its columns `file` and `split` are read."""
PART_RUNGS = 300
"""Rungs after which a part is full; the last image of a part may exceed it."""
SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
"""Files that count as images in a folder without an index."""


@dataclass(frozen=True)
class Rungs:
    """Which QPs of a ladder are labelled: a fixed list, or a number of them."""

    qps: tuple[int, ...] = ()
    """Fixed QPs, the same for every codec; empty where `count` says how many."""
    count: int = 0
    """QPs of each image and codec."""
    spread: Spread = "random"
    """`random`: one drawn from each of `count` equal stretches; `even`: from end to end in equal steps."""

    def __post_init__(self) -> None:
        if bool(self.qps) == bool(self.count):
            raise UsageError("give either a number of rungs or a list of QPs")
        if self.count < 0 or (self.spread == "even" and self.count == 1):
            raise UsageError("an even spread needs at least 2 rungs, a random one at least 1")
        if len(set(self.qps)) != len(self.qps):
            raise UsageError("a QP is named twice")

    def draw(self, qp_range: range, key: str) -> tuple[int, ...]:
        """The QPs within `qp_range`, rising; `key` is what a random draw depends on.

        Raises UsageError where the range has too few QPs or not those that were asked for.
        """
        if self.qps:
            for qp in self.qps:
                if qp not in qp_range:
                    raise UsageError(f"QP {qp} is outside {qp_range[0]}..{qp_range[-1]}")
            return tuple(sorted(self.qps))
        n, size = self.count, len(qp_range)
        if n > size:
            raise UsageError(f"{n} rungs are more than the {size} of QP {qp_range[0]}..{qp_range[-1]}")
        if self.spread == "even":
            return tuple(qp_range[round(i * (size - 1) / (n - 1))] for i in range(n))
        return _one_a_stretch(qp_range, n, key)

    def draw_focused(
        self, qp_range: range, key: str, focus: Collection[int], apart: Collection[int] = ()
    ) -> tuple[int, ...]:
        """As `draw`, with half of the QPs, rounded down, from `focus`; rising and distinct.

        The others are those that `draw` gives for as many. QPs in `apart` are not drawn from the focus.
        Raises UsageError where no random rungs are asked for, or the focus has too few QPs.
        """
        if self.count < 2 or self.spread != "random":
            raise UsageError("a focus needs at least 2 random rungs")
        n = self.count // 2
        anywhere = Rungs(count=self.count - n).draw(qp_range, key)
        pool = [qp for qp in sorted(focus) if qp in qp_range and qp not in (*anywhere, *apart)]
        if n > len(pool):
            raise UsageError(f"{n} rungs in focus are more than the {len(pool)} QPs left there")
        return tuple(sorted((*anywhere, *_one_a_stretch(pool, n, f"{key}\0focus"))))


def _one_a_stretch(qps: Sequence[int], n: int, key: str) -> tuple[int, ...]:
    edges = [i * len(qps) // n for i in range(n + 1)] if n else []
    return tuple(
        qps[first + _draw(f"{key}\0{i}", past - first)] for i, (first, past) in enumerate(pairwise(edges))
    )


def _draw(key: str, n: int) -> int:
    # A hash, since generators of random numbers may change between versions of Python.
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "big") % n


@dataclass(frozen=True)
class Task:
    """One image with all its rungs: what a worker gets."""

    image: str
    """Path below the folder, with forward slashes."""
    split: str
    ladders: Mapping[str, tuple[int, ...]]
    """Codec id -> QPs, rising."""

    @property
    def n_rungs(self) -> int:
        """Rungs over all codecs."""
        return sum(map(len, self.ladders.values()))


@dataclass(frozen=True)
class Plan:
    """All images and rungs of one run, in parts that are written one by one."""

    folder: Path
    parts: tuple[tuple[Task, ...], ...]

    @property
    def n_images(self) -> int:
        """Images over all parts."""
        return sum(map(len, self.parts))

    @property
    def n_rungs(self) -> int:
        """Rungs over all parts."""
        return sum(task.n_rungs for part in self.parts for task in part)

    @property
    def digest(self) -> str:
        """Hex SHA-256 of every image's path, split and rungs, in order; not of where the folder lies."""
        tasks = [
            [task.image, task.split, number, {codec: list(qps) for codec, qps in task.ladders.items()}]
            for number, part in enumerate(self.parts)
            for task in part
        ]
        return hashlib.sha256(json.dumps(tasks, sort_keys=True).encode()).hexdigest()


def make_plan(
    folder: Path | str,
    qp_ranges: Mapping[str, range],
    rungs: Rungs,
    *,
    focus: Mapping[str, Collection[int]] | None = None,
    ends: Collection[str] = (),
    splits: Sequence[str] = (),
    limit: int | None = None,
    seed: int = 0,
    part_rungs: int = PART_RUNGS,
) -> Plan:
    """Plan the labels of a folder's images.

    `qp_ranges` gives each codec's QPs; `splits` keeps the images of some splits only, or of folders that the
    index leaves out, and `limit` the first ones. With `focus`, which gives QPs of every codec, half of each
    image's rungs are drawn from these. Codecs in `ends` get the two end QPs of their range besides. A draw
    depends on seed, image, codec and focus alone, so that adding images or codecs leaves the others as they
    are. Raises ImageError without the folder, UsageError for an index that cannot be read, an unknown split,
    a folder without images, no codec, a codec without a focus, ends of a codec that is not planned, or QPs
    that a codec does not have.
    """
    if not qp_ranges:
        raise UsageError("no encoder is named")
    for codec in ends:
        if codec not in qp_ranges:
            raise UsageError(f"the ends of {codec} are asked for, which is not among {', '.join(qp_ranges)}")
    if focus is not None and (missing := [codec for codec in qp_ranges if codec not in focus]):
        raise UsageError(f"{missing[0]} has no QPs to focus on")
    drawing = _Drawing(rungs, focus, frozenset(ends), seed)
    folder = Path(folder)
    chosen = _of_splits(folder, splits)[:limit]
    if not chosen:
        raise UsageError(f"{folder} holds no images")
    tasks = (
        Task(image, split, {codec: drawing.qps(codec, qps, image) for codec, qps in qp_ranges.items()})
        for image, split in chosen
    )
    return Plan(folder, tuple(_parts(tasks, part_rungs)))


def _of_splits(folder: Path, splits: Sequence[str]) -> list[tuple[str, str]]:
    """The listed images of some splits, or all; a split may be a folder that the index leaves out."""
    images = list_images(folder)
    if not splits:
        return images
    known = {split for _, split in images}
    chosen = [(image, split) for image, split in images if split in splits]
    for split in splits:
        if split in known:
            continue
        if not split or not (folder / split).is_dir():
            named = ", ".join(sorted(one or "(none)" for one in known))
            raise UsageError(f"{folder} has no images of split {split}; known: {named}")
        chosen += [(f"{split}/{image}", split) for image, _ in list_images(folder / split)]
    return chosen


@dataclass(frozen=True)
class _Drawing:
    rungs: Rungs
    focus: Mapping[str, Collection[int]] | None
    ends: frozenset[str]
    seed: int

    def qps(self, codec: str, qp_range: range, image: str) -> tuple[int, ...]:
        key = f"{self.seed}\0{image}\0{codec}"
        ends = (qp_range[0], qp_range[-1]) if codec in self.ends else ()
        try:
            if self.focus is None:
                drawn = self.rungs.draw(qp_range, key)
            else:
                drawn = self.rungs.draw_focused(qp_range, key, self.focus[codec], ends)
        except UsageError as error:
            raise UsageError(f"{codec}: {error}") from error
        return tuple(sorted({*drawn, *ends}))


def _parts(tasks: Iterable[Task], part_rungs: int) -> Iterable[tuple[Task, ...]]:
    part: list[Task] = []
    for task in tasks:
        part.append(task)
        if sum(one.n_rungs for one in part) >= part_rungs:
            yield tuple(part)
            part = []
    if part:
        yield tuple(part)


def list_images(folder: Path) -> list[tuple[str, str]]:
    """(path below `folder`, split) of every image: by its index, else all found, split by first folder."""
    if not folder.is_dir():
        raise ImageError(f"no folder of images at {folder}")
    index = folder / INDEX
    if index.is_file():
        return _indexed(index)
    found = sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file()
    )
    return [(path.as_posix(), path.parts[0] if len(path.parts) > 1 else "") for path in found]


def _indexed(index: Path) -> list[tuple[str, str]]:
    try:
        with index.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{index} cannot be read: {error}") from error
    if rows and "file" not in rows[0]:
        raise UsageError(f"{index} has no column 'file'")
    images = [(row["file"], row.get("split") or "") for row in rows]
    if len({image for image, _ in images}) != len(images):
        raise UsageError(f"{index} names an image twice")
    return images
