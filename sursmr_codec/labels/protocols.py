"""Viewing protocols: the one table of psychometric constants, each with its source, and users' own files."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from statistics import NormalDist
from typing import Any

from sursmr_codec.errors import UsageError

_PHI = NormalDist().cdf

KINDS = ("normal", "lognormal", "normal-falling", "lognormal-falling")
"""Shapes of a curve; the falling ones are for scores that fall as quality rises."""
_TABLE = "protocols.toml"
_TEXTS = ("description", "display", "distance")
_NUMBERS = ("median", "spread", "top")


@dataclass(frozen=True)
class PsychometricCurve:
    """Share of viewers who see no difference, as a function of one teacher's score."""

    kind: str
    """One of `KINDS`: `normal` in the score, or `lognormal` in the distance from `top`."""
    median: float
    """Score, or distance from `top`, at which half of the viewers are satisfied."""
    spread: float
    """Standard deviation over viewers: of the score, or of the logarithm of the distance."""
    top: float
    """Score of an identical picture; unused by the normal kinds."""
    source: str
    """The study behind the constants."""

    def sur(self, score: float) -> float:
        """Satisfied user ratio in [0, 1] at a teacher's `score`."""
        sign = -1.0 if self.kind.endswith("-falling") else 1.0
        if self.kind.startswith("normal"):
            return _PHI(sign * (score - self.median) / self.spread)
        distance = sign * (self.top - score)
        if distance <= 0:
            return 1.0
        return _PHI(math.log(self.median / distance) / self.spread)


@dataclass(frozen=True)
class Protocol:
    """All that turns teachers' scores into SUR under one viewing condition: what results record of it."""

    id: str
    description: str
    curves: Mapping[str, PsychometricCurve]
    """Teacher id -> its curve."""


@dataclass(frozen=True)
class Condition:
    """A protocol with what a reader should know of it; nothing here changes a score."""

    protocol: Protocol
    display: str
    """What the pictures were shown on; empty where nobody said."""
    distance: str
    """How far the viewers were; empty where nobody said."""
    confidence: Mapping[str, str]
    """Teacher id -> how far to trust its constants; empty where nobody said."""


def names() -> list[str]:
    """The named protocols, in the table's order."""
    return list(_builtin())


def load(protocol: str | Path) -> Protocol:
    """The protocol of that name, or of a user's own TOML file.

    Raises UsageError: naming the known ones, or the file and the field that is wrong.
    """
    return condition(protocol).protocol


def condition(protocol: str | Path) -> Condition:
    """As `load`, with display, distance and confidence."""
    table = _builtin()
    if isinstance(protocol, str) and protocol in table:
        return _condition(_TABLE, protocol, table[protocol])
    path = Path(protocol)
    if path.suffix.lower() != ".toml" and len(path.parts) < 2:
        raise UsageError(f"unknown protocol {protocol}; known: {', '.join(sorted(table))}, or a .toml file")
    entries = _read(path)
    if len(entries) != 1:
        found = ", ".join(f"[{name}]" for name in entries) or "none"
        raise UsageError(f"{path}: one table is wanted, the protocol's name; found {found}")
    ((name, entry),) = entries.items()
    if name in table:
        raise UsageError(f"{path}: [{name}] is the name of a protocol that is there already; choose another")
    return _condition(str(path), name, entry)


def _builtin() -> dict[str, Any]:
    return tomllib.loads(resources.files("sursmr_codec.labels").joinpath(_TABLE).read_text("utf-8"))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UsageError(f"no protocol at {path}; known by name: {', '.join(names())}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"protocol {path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is no TOML: {error}") from error


def _condition(file: str, name: str, entry: Any) -> Condition:
    if not isinstance(entry, dict):
        raise UsageError(
            f"{file}: {name} stands outside of a table; begin with a line [name-of-the-protocol]"
        )
    where = f"{file}: [{name}]"
    texts = {key: _text(where, key, entry.get(key, "")) for key in _TEXTS}
    if not texts["description"]:
        raise UsageError(f"{where} description is missing")
    teachers = {key: row for key, row in entry.items() if key not in _TEXTS}
    if not teachers:
        raise UsageError(f"{where} has no teacher, such as [{name}.ssimulacra2]")
    curves, confidence = {}, {}
    for teacher, row in teachers.items():
        if not isinstance(row, dict):
            raise UsageError(
                f"{where} {teacher} is unknown; known: {', '.join(_TEXTS)}, and tables of teachers"
            )
        place = f"{file}: [{name}.{teacher}]"
        confidence[teacher] = _text(place, "confidence", row.get("confidence", ""))
        curves[teacher] = _curve(place, teacher, row)
    return Condition(
        Protocol(name, texts["description"], curves), texts["display"], texts["distance"], confidence
    )


def _curve(where: str, teacher: str, row: Mapping[str, Any]) -> PsychometricCurve:
    from sursmr_codec.labels import teachers

    try:
        higher_is_better = teachers.known(teacher).higher_is_better
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error
    for key in row:
        if key not in ("kind", "source", "confidence", *_NUMBERS):
            raise UsageError(
                f"{where} {key} is unknown; known: kind, {', '.join(_NUMBERS)}, source, confidence"
            )
    kind = _text(where, "kind", row.get("kind", ""))
    if kind not in KINDS:
        raise UsageError(f"{where} kind must be one of {', '.join(KINDS)}, not {kind!r}")
    if kind.endswith("-falling") is higher_is_better:
        direction = "rise" if higher_is_better else "fall"
        raise UsageError(f"{where} kind {kind} does not suit: scores of {teacher} {direction} with quality")
    lognormal = kind.startswith("lognormal")
    numbers = {"top": 0.0}
    for key in _NUMBERS:
        if key in row:
            numbers[key] = _number(where, key, row[key])
        elif key != "top" or lognormal:
            raise UsageError(f"{where} {key} is missing")
    for key in ("spread", "median") if lognormal else ("spread",):
        if numbers[key] <= 0:
            raise UsageError(f"{where} {key} must be above 0, not {numbers[key]:g}")
    return PsychometricCurve(
        kind=kind,
        median=numbers["median"],
        spread=numbers["spread"],
        top=numbers["top"],
        source=_text(where, "source", row.get("source", "")),
    )


def _text(where: str, key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{where} {key} must be a text, not {value!r}")
    return value


def _number(where: str, key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"{where} {key} must be a number, not {value!r}")
    return float(value)
