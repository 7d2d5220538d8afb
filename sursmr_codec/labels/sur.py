"""The satisfied user ratio from teachers' scores: pure."""

from __future__ import annotations

from collections.abc import Mapping

from sursmr_codec.labels.protocols import Protocol


def calibrated(scores: Mapping[str, float], protocol: Protocol) -> tuple[float, dict[str, float]]:
    """SUR in [0, 1] as the mean of the teachers' psychometric curves, and each curve's own value.

    `scores` maps teacher id -> score; every one must have a curve in `protocol`.
    """
    each = {teacher: protocol.curves[teacher].sur(score) for teacher, score in scores.items()}
    return sum(each.values()) / len(each), each
