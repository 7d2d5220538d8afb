"""What was found of a data set, in numbers: the record of `data check`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sursmr_codec.datasets.base import DataSet, HumanLadder
from sursmr_codec.version import __version__

SCHEMA = "sursmr-qp/data-check/1"


@dataclass(frozen=True)
class CodecCheck:
    """The ladders of one codec."""

    id: str
    n_images: int
    """Sources that were judged under it."""
    qp_low: int
    qp_high: int
    n_files: int
    """Compressed pictures that are there."""
    n_files_missing: int
    n_ratings: int | None
    """Answers over all sources; None where the data set gives ratios only."""
    raters_low: int | None
    """Answers for the source that has fewest."""
    raters_high: int | None
    half_qp: float | None
    """Mean over sources of the highest QP at which half of the raters are satisfied; None without one."""


@dataclass(frozen=True)
class Check:
    """A data set in numbers."""

    reader: str
    name: str
    path: str
    n_images: int
    """Source pictures that are there."""
    splits: dict[str, int]
    """Split -> source pictures in it."""
    codecs: tuple[CodecCheck, ...]
    """Empty for a data set without judgements."""
    n_rungs: int
    """Rungs whose source, compressed picture and SUR are all there: rows of the label table."""
    missing: tuple[str, ...]
    problems: tuple[str, ...]


def check(data: DataSet) -> Check:
    """Count what is there and what is not."""
    splits: dict[str, int] = {}
    for split in data.images.values():
        splits[split] = splits.get(split, 0) + 1
    usable = [ladder for ladder in data.ladders if ladder.image in data.images]
    return Check(
        reader=data.reader,
        name=data.name,
        path=str(data.root),
        n_images=len(data.images),
        splits=splits,
        codecs=tuple(_codec(c, [one for one in data.ladders if one.codec == c]) for c in data.codecs),
        n_rungs=sum(len(ladder.files.keys() & ladder.sur.keys()) for ladder in usable),
        missing=data.missing,
        problems=data.problems,
    )


def _codec(codec: str, ladders: list[HumanLadder]) -> CodecCheck:
    qps = [qp for ladder in ladders for qp in ladder.sur]
    n_files = sum(len(ladder.files.keys() & ladder.sur.keys()) for ladder in ladders)
    raters = [ladder.n_raters for ladder in ladders if ladder.n_raters is not None]
    halves = [max(q for q, ratio in one.sur.items() if ratio >= 0.5) for one in ladders if _has_half(one)]
    return CodecCheck(
        id=codec,
        n_images=len(ladders),
        qp_low=min(qps),
        qp_high=max(qps),
        n_files=n_files,
        n_files_missing=len(qps) - n_files,
        n_ratings=sum(raters) if raters else None,
        raters_low=min(raters, default=None),
        raters_high=max(raters, default=None),
        half_qp=round(sum(halves) / len(halves), 2) if halves else None,
    )


def _has_half(ladder: HumanLadder) -> bool:
    return any(ratio >= 0.5 for ratio in ladder.sur.values())


def record(path: Path | str, found: Check | None, error: str | None = None) -> dict[str, Any]:
    """The JSON object of `data check --json`: every key always there, null where nothing was readable."""
    values: dict[str, Any] = dict.fromkeys(Check.__dataclass_fields__)
    return {
        "schema": SCHEMA,
        "version": __version__,
        **(values if found is None else asdict(found)),
        "path": str(path),
        "error": error,
    }
