"""Options of `batch` for where it runs and what it remembers: engine, cluster, state."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Engine = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="serial: in this process; process: in others, which may crash; ray: on a Ray cluster.",
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        show_default=False,
        help="Ray cluster to work on: HOST:PORT of its head, auto, or local. Takes the engine ray.",
    ),
]
State = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        show_default="OUT, or for s3:// a folder of the cache",
        help="Folder for the journal, lock and report.",
    ),
]


def engine_of(engine: str, ray_address: str | None, device: str) -> tuple[str, dict[str, Any]]:
    """The engine that is asked for, and its own options; raises UsageError where they do not go together."""
    from sursmr_codec.errors import UsageError

    if engine not in ("auto", "ray") and ray_address is not None:
        raise UsageError(f"--ray-address is for the engine ray, not {engine}; leave out one of them")
    if engine == "ray" or ray_address is not None:
        return "ray", {"address": ray_address, "gpu": device == "cuda"}
    return engine, {}
