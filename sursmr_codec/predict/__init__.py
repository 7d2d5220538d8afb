"""Predictors: what viewers and machines make of rungs, by a trained model or measured for real."""

from __future__ import annotations

from pathlib import Path

from sursmr_codec.errors import UsageError
from sursmr_codec.predict.base import Embedding, Predictor

__all__ = ["DEFAULT", "Embedding", "Predictor", "ids", "load"]

DEFAULT = "trained"
"""The predictor that is used unless another is asked for."""


def ids() -> tuple[str, ...]:
    """Names that `load` takes."""
    return ("trained", "measured")


def load(
    predictor_id: str = DEFAULT,
    *,
    model: str | Path | None = None,
    zoo: str | Path | None = None,
    protocol: str = "calibrated",
    threads: int | None = None,
    device: str = "cpu",
    accurate: bool = False,
) -> Predictor:
    """The predictor of that name.

    `model` is the trained predictor's: None for the default, an id of the manifest, or a folder; `device` is
    `cpu` or `cuda`, and with `accurate` it looks at large pictures in more places. `zoo` is a folder of
    machines (zoo.csv and their files), which the measured predictor runs for SMR. `protocol` names the
    viewing condition; `threads` bounds the cores used, None for all. Raises UsageError for an unknown name, a
    bad model or zoo, and options that the predictor has no use for; MissingExtra where a library is not
    installed.
    """
    if predictor_id == "trained":
        from sursmr_codec.predict.trained import Trained

        return Trained(model, protocol=protocol, threads=threads, device=device, accurate=accurate)
    if predictor_id == "measured":
        if model is not None or device != "cpu" or accurate:
            raise UsageError("model, device and accurate are for the trained predictor, not for measuring")
        from sursmr_codec.predict.measured import Measured

        return Measured(zoo=zoo, protocol=protocol, threads=threads)
    raise UsageError(f"unknown predictor {predictor_id}; known: {', '.join(ids())}")
