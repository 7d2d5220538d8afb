"""A study of one's own, or VVC-JND, as a CSV table and a TOML file that says where the pictures are.

    # study.toml, beside the table; paths are below its folder
    name = "VVC-JND"
    codec = "vvc"
    table = "labels.csv"
    sources = "sources"
    distorted = "distorted"
    levels = [13, 51]                             # first and last level of every ladder
    rising = true                                 # quality falls as the level rises; false: JPEG quality, say
    pattern = "{source}/{source}_{level:03d}.png" # only for the second form

The table has either `source, distorted, level, sur` (a rung a row), or `source, subject, jnd_level` (a
subject a row: the level at which that subject first saw a difference). A column `split` is kept. QP is the
level, or, where levels fall as quality falls, counted from the other end: a JPEG quality is 101 - quality.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sursmr_codec import codecs
from sursmr_codec.datasets._tables import columns, csv_rows, number, whole_number
from sursmr_codec.datasets.base import DataSet, Files, HumanLadder, Reader, share_above
from sursmr_codec.datasets.splits import by_source
from sursmr_codec.errors import ImageError, UsageError
from sursmr_codec.labels.isotonic import non_increasing

STUDY = "study.toml"
_RUNG = ("source", "distorted", "level", "sur")
_SUBJECT = ("source", "jnd_level")
Rows = Sequence[tuple[int, Mapping[str, str]]]


@dataclass(frozen=True)
class Study:
    """What the TOML file says."""

    name: str
    codec: str
    table: str
    sources: str
    distorted: str
    levels: range
    rising: bool
    pattern: str

    def qp(self, level: int) -> int:
        """The level as a QP, which rises as quality falls; raises ValueError for one off the ladder."""
        if level not in self.levels:
            raise ValueError(f"level {level} is outside {self.levels[0]}..{self.levels[-1]}")
        return level if self.rising else self.levels[0] + self.levels[-1] - level


class TableStudy(Reader):
    """The generic reader."""

    id = "table"
    layout = f"{STUDY}, which names a CSV table and two folders"

    def recognises(self, path: Path) -> bool:
        return path.suffix.lower() == ".toml" or (path / STUDY).is_file()

    def read(self, path: Path) -> DataSet:
        described = path / STUDY if path.is_dir() else path
        study = read_study(described)
        root = described.parent
        table = root / study.table
        direct = "jnd_level" not in columns(table) or columns(table) >= set(_RUNG)
        rows = csv_rows(table, _RUNG if direct else _SUBJECT)
        problems: list[str] = []
        collect = _rungs if direct else _subjects
        found = collect(rows, study, problems, table.name)
        if not found:
            raise ImageError(f"{table} has no usable row: {problems[0] if problems else 'it is empty'}")
        if study.codec not in codecs.ids():
            problems.append(
                f"{described.name}: codec {study.codec!r} is none of sursmr-qp's own, which are "
                f"{', '.join(codecs.ids())}: its rungs can be learned from, not picked"
            )
        splits = {**by_source(found), **_splits(rows, problems, table.name)}
        return _gather(self.id, study, root, found, splits, problems)


def read_study(path: Path) -> Study:
    """The TOML file; raises UsageError naming it and the field."""
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ImageError(f"{path} is missing: it says where a study has its table and pictures") from None
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} is no TOML: {error}") from error
    texts = {
        "name": path.stem,
        "codec": None,
        "table": None,
        "sources": None,
        "distorted": None,
        "pattern": "",
    }
    unknown = set(given) - {*texts, "levels", "rising"}
    if unknown:
        raise UsageError(
            f"{path}: {sorted(unknown)[0]} is unknown; known: {', '.join(texts)}, levels, rising"
        )
    values: dict[str, Any] = {}
    for key, default in texts.items():
        values[key] = given.get(key, default)
        if not isinstance(values[key], str):
            raise UsageError(f"{path}: {key} {'is missing' if values[key] is None else 'must be a text'}")
    levels = given.get("levels")
    if (
        not isinstance(levels, list)
        or len(levels) != 2
        or not all(isinstance(level, int) and not isinstance(level, bool) for level in levels)
        or not 0 <= levels[0] < levels[1] <= 1000
    ):
        raise UsageError(f"{path}: levels must be the first and the last, such as [13, 51]")
    if not isinstance(given.get("rising", True), bool):
        raise UsageError(f"{path}: rising must be true or false")
    try:
        values["pattern"].format(source="a", level=1)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise UsageError(f"{path}: pattern may hold {{source}} and {{level:03d}} only: {error}") from error
    return Study(**values, levels=range(levels[0], levels[1] + 1), rising=given.get("rising", True))


@dataclass
class _Found:
    """What the table says of one source: ratios by QP, and the compressed pictures' names."""

    sur: dict[int, float]
    names: dict[int, str]
    n_raters: int | None


def _rungs(rows: Rows, study: Study, problems: list[str], table: str) -> dict[str, _Found]:
    found: dict[str, _Found] = {}
    for line, row in rows:
        try:
            source, name = _named(row, "source"), _named(row, "distorted")
            qp, ratio = study.qp(whole_number("level", row["level"])), number("sur", row["sur"])
            if not 0.0 <= ratio <= 1.0:
                raise ValueError(f"sur {ratio:g} is outside 0..1")
            if qp in found.get(source, _Found({}, {}, None)).sur:
                raise ValueError(f"{source} at level {row['level']} is there twice")
        except ValueError as error:
            problems.append(f"{table} line {line}: {error}; left out")
            continue
        one = found.setdefault(source, _Found({}, {}, None))
        one.sur[qp], one.names[qp] = ratio, name
    for one in found.values():
        qps = sorted(one.sur)
        one.sur = dict(zip(qps, non_increasing([one.sur[qp] for qp in qps]), strict=True))
    return found


def _subjects(rows: Rows, study: Study, problems: list[str], table: str) -> dict[str, _Found]:
    if not study.pattern:
        raise UsageError(f"{table} names no compressed pictures, so {STUDY} must give their pattern")
    seen: dict[str, list[int]] = {}
    for line, row in rows:
        try:
            qp = study.qp(whole_number("jnd_level", row["jnd_level"]))
            seen.setdefault(_named(row, "source"), []).append(qp)
        except ValueError as error:
            problems.append(f"{table} line {line}: {error}; left out")
    qps = study.levels
    levels = {study.qp(level): level for level in study.levels}
    return {
        source: _Found(
            sur=share_above(qps, first),
            names={
                qp: study.pattern.format(source=PurePosixPath(source).stem, level=levels[qp]) for qp in qps
            },
            n_raters=len(first),
        )
        for source, first in seen.items()
        if first
    }


def _gather(
    reader: str,
    study: Study,
    root: Path,
    found: Mapping[str, _Found],
    splits: Mapping[str, str],
    problems: list[str],
) -> DataSet:
    files = Files(root, ".")
    ladders: list[HumanLadder] = []
    missing: list[str] = []
    images: dict[str, str] = {}
    for source, one in found.items():
        image = (PurePosixPath(study.sources) / source).as_posix()
        there = files.find(image)
        if there is None:
            missing.append(image)
        else:
            images[there] = splits[source]
        kept = {}
        for qp, name in sorted(one.names.items()):
            wanted = (PurePosixPath(study.distorted) / name).as_posix()
            at = files.find(wanted)
            if at is None:
                missing.append(wanted)
            else:
                kept[qp] = at
        ladders.append(HumanLadder(there or image, splits[source], study.codec, one.sur, kept, one.n_raters))
    return DataSet(reader, study.name, root, tuple(ladders), images, tuple(missing), tuple(problems))


def _splits(rows: Rows, problems: list[str], table: str) -> dict[str, str]:
    splits: dict[str, str] = {}
    for line, row in rows:
        split = row.get("split", "").strip()
        source = row["source"].strip()
        if split and splits.setdefault(source, split) != split:
            problems.append(f"{table} line {line}: {source} is in two splits; the first counts")
    return splits


def _named(row: Mapping[str, str], column: str) -> str:
    name = row[column].strip()
    if not name:
        raise ValueError(f"{column} is empty")
    return name
