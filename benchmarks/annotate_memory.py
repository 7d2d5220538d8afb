"""How much memory one worker of `annotate` takes, for `annotate.py`: each size in a process of its own."""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from sursmr_codec.labels import measuring
from sursmr_codec.labels.panel import PanelSetup

STATUS = Path("/proc/self/status")
QPS = {"jpeg": (20, 80), "hevc": (20, 40)}
"""Two rungs of each codec, so that what one leaves behind counts beside the next."""


def peaks(picture: Path, setup: PanelSetup, megapixels: Sequence[float]) -> list[dict[str, object]]:
    """A worker's largest resident memory on `picture`, scaled to each number of megapixels."""
    if not STATUS.is_file():
        raise SystemExit("memory is read from /proc, which this system lacks")
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for size in megapixels:
            scaled = Path(folder) / f"{size}.png"
            _scale(picture, size, scaled)
            found.append({"megapixels": size, **_apart(scaled, setup)})
    return found


def _scale(picture: Path, megapixels: float, path: Path) -> None:
    from PIL import Image

    with Image.open(picture) as image:
        factor = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
        image.convert("RGB").resize((int(image.width * factor), int(image.height * factor))).save(path)


def _apart(path: Path, setup: PanelSetup) -> dict[str, object]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_measure, args=(theirs, path, setup))
    process.start()
    theirs.close()
    try:
        found: dict[str, object] = ours.recv()
    except EOFError:
        process.join()
        raise SystemExit(f"the worker ended with exit code {process.exitcode}") from None
    process.join()
    return found


def _measure(connection: Connection, path: Path, setup: PanelSetup) -> None:
    panel = setup.load()
    loaded = _bytes("VmHWM")
    everyone = tuple(setup.machines)
    asks = tuple(
        measuring.Ask(codec, qp, tuple(setup.teachers), everyone) for codec, qps in QPS.items() for qp in qps
    )
    began = time.perf_counter()
    reply = measuring.measure(measuring.Request(path.name, path, everyone, asks), panel)
    if reply.failures:
        sys.exit(f"{reply.failures[0].what} failed: {reply.failures[0].error}")
    connection.send(
        {
            "loaded_bytes": loaded,
            "peak_bytes": _bytes("VmHWM"),
            "shared_bytes": _bytes("RssFile") + _bytes("RssShmem"),
            "seconds_per_rung": round((time.perf_counter() - began) / len(asks), 2),
        }
    )


def _bytes(field: str) -> int:
    # `getrusage` would count what the parent held when it forked.
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024
