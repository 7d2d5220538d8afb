"""Predictors: what viewers and machines make of rungs, by a trained model or measured for real."""

from __future__ import annotations

from pathlib import Path

from sursmr_codec.errors import UsageError
from sursmr_codec.predict.base import Embedding, Predictor

__all__ = ["DEFAULT", "Embedding", "Predictor", "ids", "load"]

DEFAULT = "measured"
"""The predictor that is used unless another is asked for."""


def ids() -> tuple[str, ...]:
    """Names that `load` takes."""
    return ("measured",)


def load(
    predictor_id: str = DEFAULT,
    *,
    zoo: str | Path | None = None,
    protocol: str = "calibrated",
    threads: int | None = None,
) -> Predictor:
    """The predictor of that name.

    `zoo` is a folder of machines (zoo.csv and their files), which the measured predictor runs for SMR;
    `protocol` names the viewing condition; `threads` bounds the cores used, None for all. Raises UsageError
    for an unknown name or a bad zoo, MissingExtra where a library is not installed.
    """
    if predictor_id not in ids():
        raise UsageError(f"unknown predictor {predictor_id}; known: {', '.join(ids())}")
    from sursmr_codec.predict.measured import Measured

    return Measured(zoo=zoo, protocol=protocol, threads=threads)
