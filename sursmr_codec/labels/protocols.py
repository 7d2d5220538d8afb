"""Viewing protocols: the one table of psychometric constants, each with its source."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from statistics import NormalDist
from typing import Any

from sursmr_codec.errors import UsageError

_PHI = NormalDist().cdf


@dataclass(frozen=True)
class PsychometricCurve:
    """Share of viewers who see no difference, as a function of one teacher's score."""

    kind: str
    """`normal` in the score, or `lognormal` in the distance from `top`."""
    median: float
    """Score, or distance from `top`, at which half of the viewers are satisfied."""
    spread: float
    """Standard deviation over viewers: of the score, or of the logarithm of the distance."""
    top: float
    """Score of an identical picture; unused by `normal`."""
    source: str
    """The study behind the constants."""

    def sur(self, score: float) -> float:
        """Satisfied user ratio in [0, 1] at a teacher's `score`."""
        if self.kind == "normal":
            return _PHI((score - self.median) / self.spread)
        distance = self.top - score
        if distance <= 0:
            return 1.0
        return _PHI(math.log(self.median / distance) / self.spread)


@dataclass(frozen=True)
class Protocol:
    """One viewing condition: a psychometric curve for each teacher it knows."""

    id: str
    description: str
    curves: Mapping[str, PsychometricCurve]
    """Teacher id -> its curve."""


def load(protocol_id: str) -> Protocol:
    """The protocol of that name; raises UsageError naming the known ones."""
    table = _table()
    if protocol_id not in table:
        raise UsageError(f"unknown protocol {protocol_id}; known: {', '.join(sorted(table))}")
    return _parse(protocol_id, table[protocol_id])


def _table() -> dict[str, Any]:
    return tomllib.loads(resources.files("sursmr_codec.labels").joinpath("protocols.toml").read_text("utf-8"))


def _parse(protocol_id: str, entry: Mapping[str, Any]) -> Protocol:
    curves = {
        teacher: PsychometricCurve(
            kind=row["kind"],
            median=float(row["median"]),
            spread=float(row["spread"]),
            top=float(row.get("top", 0.0)),
            source=row["source"],
        )
        for teacher, row in entry.items()
        if isinstance(row, dict)
    }
    return Protocol(protocol_id, entry["description"], curves)
