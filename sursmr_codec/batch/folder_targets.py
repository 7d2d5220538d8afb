"""Targets of single folders: a `sursmr-qp.toml` says what holds for its folder and those inside it.

    sur = 0.9
    smr = 0     # machines do not matter here

A folder that is nearer to the picture wins, key by key; the command line wins over all.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields

from sursmr_codec.batch.places import Tree
from sursmr_codec.errors import UsageError
from sursmr_codec.types import Targets

FILE = "sursmr-qp.toml"
_MOST_KEPT = 4096
KEYS = tuple(field.name for field in fields(Targets))


class FolderTargets:
    """The targets of each folder of a tree."""

    def __init__(self, tree: Tree, asked: Mapping[str, float]) -> None:
        """`asked` holds the targets that were given for all, which no file changes."""
        self._tree = tree
        # Whole numbers too, or 0 and 0.0 would count as different settings.
        self._asked = {name: float(value) for name, value in asked.items()}
        self._settled: dict[str, dict[str, float]] = {}

    def of(self, folder: str) -> Targets:
        """Targets of the pictures in a folder; raises UsageError, naming the file, for a bad one."""
        return Targets(**{**self._found(folder), **self._asked})

    def _found(self, folder: str) -> dict[str, float]:
        if folder not in self._settled:
            above = {} if folder == "" else self._found(folder.rpartition("/")[0])
            own = self._read(f"{folder}/{FILE}" if folder else FILE)
            if len(self._settled) >= _MOST_KEPT:
                self._settled.clear()
            self._settled[folder] = {**above, **own} if own else above
        return self._settled[folder]

    def _read(self, name: str) -> dict[str, float]:
        try:
            text = self._tree.read(name).decode()
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as trouble:
            raise UsageError(f"{self._tree.path(name)}: cannot be read: {trouble}") from trouble
        try:
            found = tomllib.loads(text)
            for key, value in found.items():
                if key not in KEYS:
                    raise UsageError(f"unknown key {key!r}; known: {', '.join(KEYS)}")
                if isinstance(value, bool) or not isinstance(value, int | float):
                    raise UsageError(f"{key} must be a number, not {value!r}")
            Targets(**found)
        except (tomllib.TOMLDecodeError, UsageError) as trouble:
            raise UsageError(f"{self._tree.path(name)}: {trouble}") from trouble
        return {key: float(value) for key, value in found.items()}
