"""Bounds that a benchmark must keep, and whether it does: pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sursmr_codec.bench.earlier import Growth
from sursmr_codec.bench.result import Comparison, Result
from sursmr_codec.errors import UsageError


@dataclass(frozen=True)
class Bounds:
    """What is asked of a result; None asks nothing."""

    min_saved: Mapping[str, float] = field(default_factory=dict)
    """Baseline -> least bytes that must be saved against it, in percent."""
    max_missed: float | None = None
    """Largest share of images whose file may miss a target, in percent."""
    max_regression: float | None = None
    """Largest growth against an earlier result: of bytes in percent, of missed images in points."""

    def __post_init__(self) -> None:
        for bound in (*self.min_saved.values(), self.max_missed, self.max_regression):
            if bound is not None and not math.isfinite(bound):
                raise UsageError(f"a bound must be a number of percent, not {bound}")
        if self.max_missed is not None and not 0 <= self.max_missed <= 100:
            raise UsageError(f"max missed is a share of images, 0 to 100 percent, not {self.max_missed:g}")


@dataclass(frozen=True)
class Gate:
    """One bound, and what was found."""

    name: str
    """What is bounded, with its codec and baseline: `min-saved jpeg best-fixed`."""
    value: float | None
    """What was found; None where that has no number, and then the gate is not met."""
    bound: float
    ok: bool

    def __str__(self) -> str:
        value = "not defined" if self.value is None else f"{self.value:.2f} %"
        relation = "at least" if self.name.startswith("min") else "at most"
        return f"{self.name}: {value}, must be {relation} {self.bound:g} %"


def parse_min_saved(texts: Sequence[str], baselines: Sequence[str]) -> dict[str, float]:
    """Bounds from `BASELINE=PCT`, or `PCT` for every baseline but the oracle; later ones count.

    Raises UsageError for what is no number and a baseline that is not compared with.
    """
    bounds: dict[str, float] = {}
    for text in texts:
        if text in baselines:
            raise UsageError(f"min saved: {text} is a baseline without a bound; write {text}=PCT")
        named, _, number = text.rpartition("=")
        try:
            bound = float(number)
        except ValueError:
            raise UsageError(f"min saved is PCT or BASELINE=PCT, not {text!r}") from None
        if named and named not in baselines:
            raise UsageError(f"min saved: {named} is not compared with; add --baseline {named}")
        held = [named] if named else [one for one in baselines if one != "oracle"]
        if not held:
            raise UsageError(f"min saved: {text} holds for all but the oracle; add another --baseline")
        bounds.update(dict.fromkeys(held, bound))
    return bounds


def gates(result: Result, bounds: Bounds, growths: Mapping[str, Growth]) -> tuple[Gate, ...]:
    """Each bound held against the result; `growths` by codec, against an earlier one."""
    found: list[Gate] = []
    for codec, comparison in result.by_codec.items():
        for baseline in comparison.baselines:
            if baseline.name in bounds.min_saved:
                name = f"min-saved {codec} {baseline.name}"
                found.append(_at_least(name, baseline.saved_percent, bounds.min_saved[baseline.name]))
        if bounds.max_missed is not None:
            found.append(_at_most(f"max-missed {codec}", missed_percent(comparison), bounds.max_missed))
        if bounds.max_regression is not None and codec in growths:
            growth = growths[codec]
            found += [
                _at_most(f"max-regression {codec} bytes", growth.bytes_percent, bounds.max_regression),
                _at_most(f"max-regression {codec} missed", growth.missed_points, bounds.max_regression),
            ]
    return tuple(found)


def missed_percent(comparison: Comparison) -> float:
    """Share of the judged images whose picked file misses a target in truth, best efforts included."""
    judged = [comparison.picks[number].file for number in comparison.judged]
    return 100.0 * sum(file.met is False for file in judged) / len(judged)


def _at_least(name: str, value: float | None, bound: float) -> Gate:
    return Gate(name, value, bound, value is not None and value >= bound)


def _at_most(name: str, value: float | None, bound: float) -> Gate:
    return Gate(name, value, bound, value is not None and value <= bound)
