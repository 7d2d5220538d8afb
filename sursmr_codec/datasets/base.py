"""What every reader of a data set gives: ladders with the SUR that people gave them, and what is missing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class HumanLadder:
    """One source under one codec, as people judged it."""

    image: str
    """The source's path below the data set, with forward slashes."""
    split: str
    """`train`, `val` or `test`."""
    codec: str
    sur: Mapping[int, float]
    """QP -> satisfied user ratio in 0..1, never rising with QP; every level of the ladder."""
    files: Mapping[int, str]
    """QP -> path of the compressed picture below the data set, only where the file is there."""
    n_raters: int | None
    """Answers behind `sur`; None where the data set gives ratios only."""


@dataclass(frozen=True)
class DataSet:
    """Everything a reader found."""

    reader: str
    """Id of the reader."""
    name: str
    root: Path
    ladders: tuple[HumanLadder, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    """Path below the data set -> split, of every source picture that is there."""
    missing: tuple[str, ...] = ()
    """Files that the labels name and the folder lacks, by path below it."""
    problems: tuple[str, ...] = ()
    """What could not be used and was left out, one line each with its file."""

    @property
    def codecs(self) -> tuple[str, ...]:
        """Codecs of the ladders, in the order found."""
        return tuple(dict.fromkeys(ladder.codec for ladder in self.ladders))


class Reader(ABC):
    """Reads one published layout."""

    id: ClassVar[str]
    layout: ClassVar[str]
    """What a folder must hold to be this data set, in a few words."""

    @abstractmethod
    def recognises(self, path: Path) -> bool:
        """Whether `path` looks like this data set, whole or damaged."""

    @abstractmethod
    def read(self, path: Path) -> DataSet:
        """The data set at `path`; raises ImageError where nothing of it can be read."""


class Files:
    """The files of a folder, found whatever the case of their names."""

    def __init__(self, root: Path, *folders: str) -> None:
        self._root = root
        self._found: dict[str, str] = {}
        for folder in folders:
            for path in sorted(root.rglob("*") if folder == "." else self._below(folder)):
                if path.is_file():
                    name = path.relative_to(root).as_posix()
                    self._found.setdefault(name.lower(), name)

    def _below(self, folder: str) -> Sequence[Path]:
        return [
            path
            for one in sorted(self._root.iterdir())
            if one.name.lower() == folder.lower()
            for path in one.rglob("*")
        ]

    def find(self, *names: str) -> str | None:
        """The first of some paths that is there, as it is really spelt; empty files count as absent."""
        for name in names:
            found = self._found.get(name.lower())
            if found is not None and (self._root / found).stat().st_size > 0:
                return found
        return None

    def all(self) -> list[str]:
        """Every path, sorted."""
        return sorted(self._found.values())


def share_above(levels: Sequence[int], first_seen: Sequence[int]) -> dict[int, float]:
    """Level -> share of raters who first saw a difference above it: SUR, for levels that rise as QP does."""
    return {level: sum(seen > level for seen in first_seen) / len(first_seen) for level in levels}
