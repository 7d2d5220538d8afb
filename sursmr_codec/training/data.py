"""Label tables as arrays, split by split."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.errors import UsageError
from sursmr_codec.labels import store

DOES_NOT_COUNT = 2
HALVES = ("choosing", "risk")
"""Of the pictures of a split: `val/choosing` chooses among epochs, `val/risk` calibrates margins of picks."""


@dataclass(frozen=True, eq=False)
class LabelledRungs:
    """N labelled rungs, column by column."""

    images: tuple[str, ...]
    """Path of each rung's source below the folder of images."""
    codecs: tuple[str, ...]
    qps: NDArray[np.int64]
    n_bytes: NDArray[np.int64]
    """What each rung's encoder wrote when it was labelled."""
    fingerprints: tuple[str, ...]
    """The encoders behind the rungs."""
    labels: Mapping[str, NDArray[np.float32]]
    """Column of ratios (0..1) or of a teacher's scores -> (N,), NaN where it is not defined."""
    machines: tuple[str, ...]
    votes: NDArray[np.uint8]
    """(N, M): 1 satisfied, 0 not, 2 does not count."""

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> LabelledRungs:
        """Only the rungs at those positions, in that order."""
        rows = np.asarray(rows, dtype=np.int64)
        return LabelledRungs(
            images=tuple(self.images[i] for i in rows),
            codecs=tuple(self.codecs[i] for i in rows),
            qps=self.qps[rows],
            n_bytes=self.n_bytes[rows],
            fingerprints=tuple(self.fingerprints[i] for i in rows),
            labels={name: values[rows] for name, values in self.labels.items()},
            machines=self.machines,
            votes=self.votes[rows],
        )

    def where(self, chosen: NDArray[np.bool_]) -> LabelledRungs:
        """Only the rungs for which `chosen`, (N,), holds."""
        return self.take(np.flatnonzero(chosen))

    def ladders(self) -> dict[tuple[str, str], NDArray[np.int64]]:
        """(image, codec) -> positions of its rungs, QP rising; in order of image, then codec."""
        found: dict[tuple[str, str], list[int]] = {}
        for i, key in enumerate(zip(self.images, self.codecs, strict=True)):
            found.setdefault(key, []).append(i)
        return {
            key: np.array(sorted(rows, key=lambda i: int(self.qps[i]))) for key, rows in sorted(found.items())
        }


def read_rungs(
    labels: Sequence[Path | str],
    *,
    splits: Sequence[str],
    codecs: Sequence[str] = (),
    machines: Sequence[str] = (),
) -> dict[str, LabelledRungs]:
    """Split -> its labelled rungs, in the tables' order; a split that the tables lack is empty.

    `NAME/choosing` and `NAME/risk` are the halves of split `NAME`, whole pictures at a time (see `half_of`).
    `codecs` keeps the rungs of some codecs only; `machines` names the votes that are read. Raises UsageError
    where there are no tables, where one is not a table of labels, and for codecs or machines that none has.
    """
    if not labels:
        raise UsageError("no label tables are given: name them in the file's [data] or with --labels")
    table = store.read_labels(labels)
    everything = _columns(table, machines)
    for codec in codecs:
        if codec not in everything.codecs:
            raise UsageError(f"the labels hold no rungs of {codec}")
    wanted = np.array([not codecs or codec in codecs for codec in everything.codecs], dtype=bool)
    of = table["split"].to_pylist()
    halves = [half_of(image) for image in everything.images]

    def members(split: str) -> NDArray[np.bool_]:
        name, _, half = split.rpartition("/")
        if half not in HALVES:
            return np.array([one == split for one in of], dtype=bool)
        return np.array([(one, its) == (name, half) for one, its in zip(of, halves, strict=True)], dtype=bool)

    return {split: everything.where(wanted & members(split)) for split in splits}


def half_of(image: str) -> str:
    """Which half of its split a picture belongs to, by its name alone: about as many in either."""
    return HALVES[hashlib.sha256(image.encode()).digest()[0] % 2]


def _columns(table: Any, machines: Sequence[str]) -> LabelledRungs:
    for machine in machines:
        if store.VOTE_PREFIX + machine not in table.column_names:
            raise UsageError(f"the labels hold no votes of machine {machine}")
    votes = [np.asarray(table[store.VOTE_PREFIX + machine].to_numpy()) for machine in machines]
    n_rows = table.num_rows
    return LabelledRungs(
        images=tuple(table["image"].to_pylist()),
        codecs=tuple(table["codec"].to_pylist()),
        qps=np.asarray(table["qp"].to_numpy(), dtype=np.int64),
        n_bytes=np.asarray(table["n_bytes"].to_numpy(), dtype=np.int64),
        fingerprints=tuple(table["fingerprint"].to_pylist()),
        labels={
            name: np.asarray(table[name].to_numpy(zero_copy_only=False), dtype=np.float32)
            for name in (*store.RATIOS, *store.SCORES.values())
        },
        machines=tuple(machines),
        votes=np.stack(votes, axis=1) if votes else np.zeros((n_rows, 0), np.uint8),
    )


def teacher_scores(rungs: LabelledRungs, teachers: Sequence[str]) -> NDArray[np.float32]:
    """(N, T) scores of `teachers`, NaN where a rung was not scored."""
    columns = [rungs.labels[store.SCORES[teacher]] for teacher in teachers]
    return np.stack(columns, axis=1) if columns else np.zeros((len(rungs), 0), np.float32)


def stage_targets(
    rungs: LabelledRungs, ratios: Sequence[str], columns: Mapping[str, str], *, required: bool
) -> NDArray[np.float32]:
    """(N, R) labels of `ratios`, NaN where not defined, from the columns that a stage names.

    With `required`, raises UsageError for a column without a single value.
    """
    named = {ratio: columns.get(ratio, ratio) for ratio in ratios}
    for ratio, column in named.items():
        if required and np.isnan(rungs.labels[column]).all():
            raise UsageError(f"column {column}, which {ratio} is to be learned from, has no values")
    return np.stack([rungs.labels[column] for column in named.values()], axis=1)
