"""Where on a ladder people and machines change their minds, after labels that exist already."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sursmr_codec.errors import UsageError
from sursmr_codec.labels.isotonic import interpolate

if TYPE_CHECKING:
    import pyarrow

RATIOS = ("sur", "smr")
LOW, HIGH = 0.3, 0.95
"""Where one of the ratios lies between these, rungs teach more than where everyone or no one is satisfied."""


def focus_qps(labels: pyarrow.Table, codec: str) -> tuple[int, ...]:
    """The QPs of `codec` at which the mean SUR or the mean SMR over `labels` lies in 0.3..0.95, rising.

    Means are over all images labelled at a QP, and interpolated monotonically between labelled QPs; a QP
    outside of these is never in focus. Raises UsageError where `labels` has no rungs of `codec`, or no QP of
    it is in focus.
    """
    columns = labels.select(["codec", "qp", *RATIOS]).to_pydict()
    rungs = [i for i, name in enumerate(columns["codec"]) if name == codec]
    if not rungs:
        known = ", ".join(sorted(set(columns["codec"]))) or "none"
        raise UsageError(f"no labels of {codec} say where to focus; known: {known}")
    qps = range(min(columns["qp"][i] for i in rungs), max(columns["qp"][i] for i in rungs) + 1)
    found: set[int] = set()
    for ratio in RATIOS:
        means = _means((columns["qp"][i], columns[ratio][i]) for i in rungs)
        between = zip(qps, interpolate(qps, means), strict=True)
        found |= {qp for qp, mean in between if mean is not None and LOW <= mean <= HIGH}
    if not found:
        raise UsageError(
            f"{codec}: the labels to focus by have no QP whose mean SUR or SMR lies in {LOW}..{HIGH}"
        )
    return tuple(sorted(found))


def _means(known: Iterable[tuple[int, float | None]]) -> list[tuple[int, float]]:
    values: dict[int, list[float]] = {}
    for qp, value in known:
        if value is not None:
            values.setdefault(qp, []).append(value)
    return [(qp, sum(of_qp) / len(of_qp)) for qp, of_qp in sorted(values.items())]
