"""KonJND-1k (Lin et al., "Large-scale crowdsourced subjective assessment of picturewise just noticeable
difference", IEEE TCSVT 32(9), 2022): 1008 sources of 640x480, flicker test, about 42 ratings each.

    source_image/SRC0001.png
    jpeg/SRC0001_JPEG_001.jpg     level 1..100, JPEG quality 101 - level
    bpg/SRC0505_BPG_001.png       level 1..51, the decoded picture
    subjective_ratings.csv        image_id, Compression type, No. of ratings, mean, std, ratings

`ratings` is a JSON list: the level at which each rater first saw a difference. BPG's slider had half steps,
so a rating there is twice a level.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sursmr_codec.datasets._tables import csv_rows
from sursmr_codec.datasets.base import DataSet, Files, HumanLadder, Reader, share_above
from sursmr_codec.datasets.splits import by_source
from sursmr_codec.errors import ImageError

RATINGS = "subjective_ratings.csv"
_COLUMNS = ("image_id", "compression type", "ratings")


@dataclass(frozen=True)
class _Compression:
    codec: str
    levels: range
    file: str
    halves: bool


_COMPRESSIONS = {
    "JPEG": _Compression("jpeg", range(1, 101), "jpeg/{0}_JPEG_{1:03d}.jpg", halves=False),
    "BPG": _Compression("bpg", range(1, 52), "bpg/{0}_BPG_{1:03d}.png", halves=True),
}


class KonJnd(Reader):
    """KonJND-1k, whole or in part."""

    id = "konjnd-1k"
    layout = f"source_image/, jpeg/, bpg/ and {RATINGS}"

    def recognises(self, path: Path) -> bool:
        return (path / RATINGS).is_file() or (path / "source_image").is_dir()

    def read(self, path: Path) -> DataSet:
        rows = csv_rows(path / RATINGS, _COLUMNS)
        files = Files(path, "source_image", "jpeg", "bpg")
        ladders: list[HumanLadder] = []
        missing: list[str] = []
        problems: list[str] = []
        images: dict[str, str] = {}
        sources = {_source(row) for _, row in rows} - {""}
        splits = by_source(sources)
        seen: set[tuple[str, str]] = set()
        for line, row in rows:
            source = _source(row)
            try:
                compression, ratings = _parsed(row)
                if (source, compression.codec) in seen:
                    raise ValueError(f"{source} under {compression.codec} is there twice")
            except ValueError as error:
                problems.append(f"{RATINGS} line {line}: {error}")
                continue
            seen.add((source, compression.codec))
            problems += [f"{RATINGS} line {line}: {text}" for text in _contradictions(row, ratings)]
            image = f"source_image/{source}.png"
            found = files.find(image)
            if found is None:
                missing.append(image)
            else:
                images[found] = splits[source]
            there = {}
            for level in compression.levels:
                name = compression.file.format(source, level)
                at = files.find(name)
                if at is None:
                    missing.append(name)
                else:
                    there[level] = at
            thresholds = [(rating + 1) // 2 for rating in ratings] if compression.halves else ratings
            ladders.append(
                HumanLadder(
                    image=found or image,
                    split=splits[source],
                    codec=compression.codec,
                    sur=share_above(compression.levels, thresholds),
                    files=there,
                    n_raters=len(ratings),
                )
            )
        if not ladders:
            raise ImageError(
                f"{path / RATINGS} has no usable row: {problems[0] if problems else 'it is empty'}"
            )
        problems += [f"{name} is not judged in {RATINGS}; left out" for name in _unjudged(files, sources)]
        return DataSet(self.id, "KonJND-1k", path, tuple(ladders), images, tuple(missing), tuple(problems))


def _source(row: Mapping[str, str]) -> str:
    # The published table has "SRC0001.png" in some copies and "SRC0001" in others.
    name = row["image_id"].strip()
    return name.rsplit(".", 1)[0] if name.lower().endswith((".png", ".jpg", ".bmp")) else name


def _unjudged(files: Files, sources: Collection[str]) -> list[str]:
    judged = {source.lower() for source in sources}
    return [
        name
        for name in files.all()
        if re.match(r"source_image/.*\.png$", name, re.IGNORECASE)
        and PurePosixPath(name).stem.lower() not in judged
    ]


def _parsed(row: Mapping[str, str]) -> tuple[_Compression, list[int]]:
    if not _source(row):
        raise ValueError("image_id is empty; left out")
    kind = row["compression type"].strip().upper()
    if kind not in _COMPRESSIONS:
        raise ValueError(f"compression type {kind!r} is none of {', '.join(_COMPRESSIONS)}")
    compression = _COMPRESSIONS[kind]
    try:
        ratings = json.loads(row["ratings"])
    except json.JSONDecodeError:
        raise ValueError(f"ratings are no list: {row['ratings'][:40]!r}") from None
    if not isinstance(ratings, list) or not ratings:
        raise ValueError("ratings are no list of numbers, or an empty one")
    highest = compression.levels[-1] * (2 if compression.halves else 1)
    for rating in ratings:
        if isinstance(rating, bool) or not isinstance(rating, int) or not 1 <= rating <= highest:
            raise ValueError(f"rating {rating!r} is no whole number in 1..{highest}")
    return compression, ratings


def _contradictions(row: Mapping[str, str], ratings: list[int]) -> list[str]:
    stated = row.get("no. of ratings", "").strip()
    if stated and stated != str(len(ratings)):
        return [f"{stated} ratings are stated and {len(ratings)} listed; the list is used"]
    return []
