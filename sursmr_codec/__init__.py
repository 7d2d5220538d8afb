"""Picks how hard an image may be compressed: the highest QP that still satisfies viewers and machines.

    from sursmr_codec import Targets, pick
    picked = pick("photo.png", Targets(sur=0.75, smr=0), codec="hevc")
    picked.qp, picked.encoded

Importing the package loads no codec, no model and no heavy library; each is loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sursmr_codec.version import __version__

if TYPE_CHECKING:
    from sursmr_codec import batch, codecs, errors, predict
    from sursmr_codec.curves import curve, score
    from sursmr_codec.picking import PickSettings, pick, save
    from sursmr_codec.types import Curve, FileScore, Pick, SearchSettings, Source, Targets

_HOMES = {
    "Curve": "types",
    "FileScore": "types",
    "Pick": "types",
    "PickSettings": "picking",
    "SearchSettings": "types",
    "Source": "types",
    "Targets": "types",
    "curve": "curves",
    "pick": "picking",
    "save": "picking",
    "score": "curves",
}

__all__ = [
    "Curve",
    "FileScore",
    "Pick",
    "PickSettings",
    "SearchSettings",
    "Source",
    "Targets",
    "__version__",
    "batch",
    "codecs",
    "curve",
    "errors",
    "pick",
    "predict",
    "save",
    "score",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"sursmr_codec.{_HOMES[name]}"), name)
    if name in __all__:
        return import_module(f"sursmr_codec.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
