"""Engines: one file each, found by its name; a file that is put here is an engine."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from sursmr_codec.batch.engines.base import Answer, Engine, Lost, Pause
from sursmr_codec.errors import UsageError

__all__ = ["Answer", "Engine", "Lost", "Pause", "get", "ids"]


def ids() -> tuple[str, ...]:
    """Names of every engine, usable here or not."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in names if name != "base" and not name.startswith("_")))


def get(engine_id: str) -> type[Engine]:
    """The engine's class; raises UsageError for an unknown name, MissingExtra where its library is absent.

    Engines take `jobs` and `threads`, and perhaps options of their own.
    """
    if engine_id not in ids():
        raise UsageError(f"unknown engine {engine_id!r}; known: {', '.join(ids())}")
    module = import_module(f"{__name__}.{engine_id}")
    return next(
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Engine) and getattr(kind, "id", None) == engine_id
    )
