"""An earlier result, and by how much picks grew since, on the images that both have."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sursmr_codec.bench.asks import Picked
from sursmr_codec.bench.question import Question
from sursmr_codec.bench.result import Result
from sursmr_codec.errors import UsageError

SCHEMA = "sursmr-qp/bench/1"


@dataclass(frozen=True)
class Growth:
    """One codec's picks now beside those of the earlier result."""

    bytes_percent: float
    """Positive where files grew."""
    missed_points: float
    """Positive where more images miss a target, in points of percent."""
    n_images: int
    """Images that both results judged, by path and content."""


def read(path: Path, question: Question, protocol: str) -> Mapping[str, Any]:
    """The record of an earlier result; `protocol` is the id of the one that judges now.

    Raises UsageError where it cannot be read, is none, or asked something else.
    """
    try:
        record = json.loads(path.read_text("utf-8"))
        schema, asked, truth = record["schema"], record["settings"], record["truth"]
        viewed = asked["judge"]["protocol"].partition("/")[0]
        earlier = (asked["targets"], asked["machines"], truth, viewed)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as trouble:
        why = trouble.strerror if isinstance(trouble, OSError) else "is not a result of bench --out"
        raise UsageError(f"{path}: {why}; give the JSON of an earlier run") from trouble
    if schema != SCHEMA:
        raise UsageError(f"{path}: has schema {schema}, not {SCHEMA}; make it anew")
    now = (asdict(question.targets), question.jury, question.truth, protocol)
    names = ("targets", "machines", "truth", "protocol")
    for name, before, after in zip(names, earlier, now, strict=True):
        if before != after:
            raise UsageError(f"{path}: was made with other {name}: {before}, now {after}; make it anew")
    found: Mapping[str, Any] = record
    return found


def growths(result: Result, earlier: Mapping[str, Any], path: Path) -> dict[str, Growth]:
    """By codec; codecs that are new are left out.

    Raises UsageError where nothing can be compared, and where the earlier record is damaged.
    """
    try:
        return _growths(result, earlier, path)
    except (KeyError, TypeError, AttributeError, ValueError) as trouble:
        raise UsageError(f"{path}: is not a whole result of bench --out; make it anew") from trouble


def _growths(result: Result, earlier: Mapping[str, Any], path: Path) -> dict[str, Growth]:
    before = {image["path"]: image for image in earlier["images"]}
    found = {}
    for codec, comparison in result.by_codec.items():
        pairs = []
        for number in comparison.judged:
            pick, image = comparison.picks[number], before.get(result.images[number])
            if image is not None and image["sha256"] == pick.sha256 and codec in image["codecs"]:
                pairs.append((pick, image["codecs"][codec]["pick"]))
        pairs = [(now, then) for now, then in pairs if then["met"] is not None]
        if pairs:
            found[codec] = _growth(pairs)
    if not found:
        raise UsageError(f"{path}: has no image and codec in common with this run; make it anew")
    return found


def _growth(pairs: list[tuple[Picked, Mapping[str, Any]]]) -> Growth:
    now = sum(pick.file.n_bytes for pick, _ in pairs)
    sizes = [before["n_bytes"] for _, before in pairs]
    if not all(isinstance(size, int | float) and 0 < size < math.inf for size in sizes):
        raise ValueError("a file has no size")
    then = sum(sizes)
    missed = sum((pick.file.met is False) - (before["met"] is False) for pick, before in pairs)
    return Growth(100.0 * (now / then - 1), 100.0 * missed / len(pairs), len(pairs))
