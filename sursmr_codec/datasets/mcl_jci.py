"""MCL-JCI (Jin et al., "Statistical study on perceived JPEG image quality via MCL-JCI dataset construction
and analysis", Electronic Imaging 2016): 50 sources of 1920x1080, 30 subjects each, JPEG, bisection.

    source_images/[BMP/]ImageJND_SRC01.bmp
    distorted_image/ImageJND_SRC01/ImageJND_SRC01_001.jpg     three digits: the JPEG quality, 1..100
    JND_samples/JND_image_01.txt     one line a subject: that subject's JND qualities, highest first

The samples are also read from a workbook (column B of row n: image n's lists, one after another) and from a
table `image, subject, jnd1_qf`. QP is 101 - quality.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from statistics import mode

from sursmr_codec.datasets._tables import csv_rows, whole_number, workbook_column
from sursmr_codec.datasets.base import DataSet, Files, HumanLadder, Reader, share_above
from sursmr_codec.datasets.splits import by_source
from sursmr_codec.errors import ImageError

QUALITIES = range(1, 101)
_TEXT = re.compile(r"JND_image_(\d+)\.txt", re.IGNORECASE)
_SOURCE = re.compile(r"source_images/.*ImageJND_SRC(\d+)\.bmp$", re.IGNORECASE)
_NUMBER = re.compile(r"SRC(\d+)", re.IGNORECASE)


class MclJci(Reader):
    """MCL-JCI, whole or in part; labels alone are read too, with every picture reported as missing."""

    id = "mcl-jci"
    layout = "source_images/, distorted_image/ and JND_samples/"

    def recognises(self, path: Path) -> bool:
        return (
            (path / "JND_samples").is_dir()
            or (path / "distorted_image").is_dir()
            or bool(_tables(path, "jnd_samples*.csv") or _tables(path, "*JCI*.xlsx"))
        )

    def read(self, path: Path) -> DataSet:
        problems: list[str] = []
        first = _first_jnds(path, problems)
        if not first:
            raise ImageError(
                f"{path}: no JND samples can be read: {problems[0] if problems else 'none found'}"
            )
        files = Files(path, "source_images", "distorted_image")
        problems += [f"{name} has no JND samples; left out" for name in _unjudged(files, first)]
        splits = by_source(f"SRC{number:02d}" for number in first)
        ladders: list[HumanLadder] = []
        missing: list[str] = []
        images: dict[str, str] = {}
        for number, qualities in sorted(first.items()):
            name = f"ImageJND_SRC{number:02d}"
            split = splits[f"SRC{number:02d}"]
            image = f"source_images/{name}.bmp"
            found = files.find(image, f"source_images/BMP/{name}.bmp")
            if found is None:
                missing.append(image)
            else:
                images[found] = split
            there = {}
            for quality in QUALITIES:
                wanted = f"distorted_image/{name}/{name}_{quality:03d}.jpg"
                at = files.find(wanted)
                if at is None:
                    missing.append(wanted)
                else:
                    there[101 - quality] = at
            ladders.append(
                HumanLadder(
                    image=found or image,
                    split=split,
                    codec="jpeg",
                    sur=share_above([101 - q for q in reversed(QUALITIES)], [101 - q for q in qualities]),
                    files=dict(sorted(there.items())),
                    n_raters=len(qualities),
                )
            )
        return DataSet(self.id, "MCL-JCI", path, tuple(ladders), images, tuple(missing), tuple(problems))


def _first_jnds(path: Path, problems: list[str]) -> dict[int, list[int]]:
    """Image number -> each subject's first JND quality, from the first of the three forms that is there."""
    texts = sorted((path / "JND_samples").glob("*.txt"))
    if any(_TEXT.fullmatch(text.name) for text in texts):
        return _from_texts(texts, problems)
    for table in _tables(path, "jnd_samples*.csv"):
        return _from_table(table, problems)
    for workbook in _tables(path, "*.xlsx"):
        return _from_workbook(workbook, problems)
    return _from_texts(texts, problems)


def _unjudged(files: Files, first: Collection[int]) -> list[str]:
    sources = ((name, _SOURCE.search(name)) for name in files.all())
    return [name for name, named in sources if named is not None and int(named[1]) not in first]


def _tables(path: Path, pattern: str) -> list[Path]:
    return sorted([*path.glob(pattern), *path.glob(f"JND_samples/{pattern}")])


def _from_texts(texts: Sequence[Path], problems: list[str]) -> dict[int, list[int]]:
    first: dict[int, list[int]] = {}
    for text in texts:
        named = _TEXT.fullmatch(text.name)
        if named is None:
            problems.append(f"{text.name}: not named JND_image_NN.txt; left out")
            continue
        qualities = []
        try:
            lines = text.read_text("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{text.name} cannot be read: {error}")
            continue
        for line, subject in enumerate(lines, 1):
            if not subject.strip():
                continue
            try:
                qualities.append(_first(_qualities(subject)))
            except ValueError as error:
                problems.append(f"{text.name} line {line}: {error}; left out")
        if qualities:
            first[int(named[1])] = qualities
        else:
            problems.append(f"{text.name} holds no subject")
    return first


def _from_table(table: Path, problems: list[str]) -> dict[int, list[int]]:
    first: dict[int, list[int]] = {}
    for line, row in csv_rows(table, ("image", "jnd1_qf")):
        named = _NUMBER.search(row["image"]) or re.fullmatch(r"\s*(\d+)\s*", row["image"])
        try:
            if named is None:
                raise ValueError(f"image {row['image']!r} has no number")
            quality = _first([whole_number("jnd1_qf", row["jnd1_qf"])])
        except ValueError as error:
            problems.append(f"{table.name} line {line}: {error}; left out")
            continue
        first.setdefault(int(named[1]), []).append(quality)
    return first


def _from_workbook(workbook: Path, problems: list[str]) -> dict[int, list[int]]:
    split: dict[int, list[int]] = {}
    for number, cell in workbook_column(workbook, "B").items():
        try:
            split[number] = _subjects(_qualities(cell))
        except ValueError as error:
            problems.append(f"{workbook.name} row {number}: {error}; left out")
    usual = mode(len(firsts) for firsts in split.values()) if split else 0
    for number, firsts in list(split.items()):
        if len(firsts) != usual:
            # Where one subject's last JND lies above the next one's first, the lists run together.
            problems.append(f"{workbook.name} row {number}: {len(firsts)} subjects and not {usual}; left out")
            del split[number]
    return split


def _subjects(qualities: Sequence[int]) -> list[int]:
    """The first of every falling stretch: each subject's list falls, so a rise begins the next one's."""
    if not qualities:
        raise ValueError("no JND")
    return [_first([quality]) for i, quality in enumerate(qualities) if i == 0 or quality >= qualities[i - 1]]


def _qualities(text: str) -> list[int]:
    return [whole_number("quality", one) for one in re.split(r"[\s,;\[\]]+", text) if one]


def _first(qualities: Sequence[int]) -> int:
    if not qualities:
        raise ValueError("a subject without a JND")
    for quality in qualities:
        if quality not in QUALITIES:
            raise ValueError(f"quality {quality} is outside 1..100")
    return max(qualities)
