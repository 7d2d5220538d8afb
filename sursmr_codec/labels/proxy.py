"""Proxy SUR for pre-training (arXiv 2412.17477, equation 3): min-max over a ladder, mean over metrics.

Known flaws, measured: at the level where half of the viewers see a difference it says 0.90, and it depends on
the ladder's ends, as its worst rung is 0 even where nobody sees anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sursmr_codec.ladder import Ladder

DEFAULT_METRICS = ("ssim", "ms_ssim", "fsim", "gmsd")
"""Teachers that run without a network; the paper's own 14 are `teachers.PAPER`."""
PIQ, PAPER = "piq", "paper"
"""Names of two lists: `DEFAULT_METRICS` and the paper's own."""

Curves = Mapping[str, Mapping[int, float | None]]
"""Teacher id -> QP -> score, None where it failed."""


@dataclass(frozen=True)
class ProxyLabels:
    """Proxy SUR along one ladder, and what it is a mean of."""

    sur: Mapping[int, float | None]
    """QP -> ratio in 0..1; None where it is not defined."""
    metrics: Mapping[str, str]
    """Teacher id -> library, version and settings."""
    scores: Curves


def measure(
    ladder: Ladder,
    qps: Sequence[int] | None = None,
    metrics: Iterable[str] = DEFAULT_METRICS,
    *,
    downloads: bool | None = None,
) -> ProxyLabels:
    """Score rungs of a ladder (all by default) by each metric, and combine them.

    The ladder whose extremes count is the codec's whole range, so `qps` must hold both of its ends for a
    defined label. `downloads` allows pyiqa to fetch weights. Raises UsageError for an unknown metric or a
    download that was not allowed, MissingExtra where a metric's library is not installed.
    """
    from sursmr_codec.labels import teachers

    asked = {name: teachers.get(name, downloads=downloads) for name in metrics}
    for teacher in asked.values():
        teacher.require()
    scores: dict[str, dict[int, float | None]] = {name: {} for name in asked}
    for qp in ladder.codec.qp_range if qps is None else qps:
        decoded = ladder[qp].decoded
        for name, teacher in asked.items():
            scores[name][qp] = teacher.score(ladder.source.rgb, decoded)
    return ProxyLabels(
        sur=proxy(scores, ladder.codec.qp_range, falling(asked)),
        metrics={name: teacher.version() for name, teacher in asked.items()},
        scores=scores,
    )


def metrics(text: str) -> tuple[str, ...]:
    """The ids in a list with commas between, in which `piq` and `paper` stand for several; each once.

    Raises UsageError for an unknown one.
    """
    from sursmr_codec.labels import teachers

    lists = {PIQ: DEFAULT_METRICS, PAPER: teachers.PAPER}
    named = [name.strip() for name in text.split(",") if name.strip()]
    chosen = tuple(dict.fromkeys(one for name in named for one in lists.get(name, (name,))))
    for name in chosen:
        teachers.known(name)
    return chosen


def falling(metrics: Iterable[str]) -> frozenset[str]:
    """Those of the teachers whose scores fall as quality rises."""
    from sursmr_codec.labels import teachers

    return frozenset(name for name in metrics if not teachers.known(name).higher_is_better)


def proxy(
    teachers: Curves, qp_range: range, falling: Collection[str] = frozenset()
) -> dict[int, float | None]:
    """QP -> the proxy SUR: min-max over the ladder, mean over teachers.

    `teachers` gives every teacher's scores along the ladder; those named in `falling` are reversed. None for
    every QP unless all teachers have scores at both ends of `qp_range`, and some that differ; None for a QP
    where a teacher has no score.
    """
    qps = list(next(iter(teachers.values()), {}))
    nothing: dict[int, float | None] = dict.fromkeys(qps)
    scaled: list[dict[int, float]] = []
    for name, curve in teachers.items():
        sign = -1.0 if name in falling else 1.0
        known = {qp: sign * score for qp, score in curve.items() if score is not None}
        if qp_range[0] not in known or qp_range[-1] not in known:
            return nothing
        low, high = min(known.values()), max(known.values())
        if low == high:
            return nothing
        scaled.append({qp: (score - low) / (high - low) for qp, score in known.items()})
    return {
        qp: sum(curve[qp] for curve in scaled) / len(scaled) if all(qp in curve for curve in scaled) else None
        for qp in qps
    }
