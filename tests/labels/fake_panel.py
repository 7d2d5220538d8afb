"""A panel that costs nothing: teachers and machines that are arithmetic on pixels, for real processes too.

`python fake_panel.py FOLDER OUT CACHE JOBS SECONDS LOG` labels a folder with it, in a process to be killed.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sursmr_codec.errors import UnavailableError
from sursmr_codec.labels import protocols
from sursmr_codec.labels.annotate import Finished, Progress, Run, annotate_events
from sursmr_codec.labels.machines.geometry import Fit
from sursmr_codec.labels.machines.zoo import MachineRow
from sursmr_codec.labels.measuring import Reply, Request, measure
from sursmr_codec.labels.panel import Panel, PanelSetup
from sursmr_codec.labels.plan import Rungs, make_plan
from sursmr_codec.types import Pixels

N_CLASSIFIERS, N_DETECTORS = 6, 4


def machine_row(name: str, task: Any, **config: Any) -> MachineRow:
    """A row of no zoo; its weights do not exist."""
    return MachineRow(
        name=name,
        task=task,
        weights=Path(f"{name}.none"),
        n_bytes=1,
        sha256="0" * 16,
        width=32,
        height=32,
        preprocess="01",
        fit=Fit.parse("squash"),
        config=config,
        ms_busy_core=1.0,
        architecture="",
        trained_on="",
        source="",
        weights_group=name,
        licence="",
    )


@dataclass(frozen=True)
class FakeSetup(PanelSetup):
    """Six classifiers `c0`.. and four detectors `d0`..; every call is one line in the file `log`."""

    log: Path | None = None
    failing: tuple[str, ...] = ()
    """Machines and teachers that always fail."""
    failing_on_rungs: tuple[str, ...] = ()
    """Machines that fail on every picture but the first they see."""
    further_teachers: tuple[str, ...] = ()
    """Beside `cvvdp` and `ssimulacra2`; all of them rise with quality, but for `gmsd`."""
    wordless: tuple[str, ...] = ()
    """Teachers whose score is no number."""
    deadly: str | None = None
    """A machine that ends its process, on pictures whose first pixel is black."""
    seconds: float = 0.0
    """What a call costs."""
    conf: float = 0.3
    cannot_load: bool = False
    n_faces: int = 0
    """Face detectors `f0`.. beside the jury."""

    @property
    def teachers(self) -> Mapping[str, str]:
        return dict.fromkeys(("cvvdp", "ssimulacra2", *self.further_teachers), "fake 1")

    @property
    def rows(self) -> tuple[MachineRow, ...]:
        return tuple(
            [machine_row(f"c{i}", "classification", conf=self.conf) for i in range(N_CLASSIFIERS)]
            + [machine_row(f"d{i}", "detection", conf=self.conf) for i in range(N_DETECTORS)]
            + [machine_row(f"f{i}", "face") for i in range(self.n_faces)]
        )

    def load(self) -> Panel:
        if self.cannot_load:
            raise UnavailableError("machine c0 cannot be loaded")
        return FakePanel(self)

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class FakePanel(Panel):
    """What `FakeSetup` describes."""

    def __init__(self, setup: FakeSetup) -> None:
        self._setup = setup
        self._seen: set[str] = set()
        self._note(f"load {os.getpid()}")

    def teacher(self, name: str, reference: Pixels, distorted: Pixels) -> float:
        self._called(name)
        if name in self._setup.wordless:
            return float("nan")
        error = float(np.mean(np.abs(reference.astype(float) - distorted.astype(float))))
        if name == "gmsd":
            return error**2
        return 10.0 - error / 10.0 if name == "cvvdp" else 100.0 - 4.0 * error

    def machine(self, name: str, rgb: Pixels) -> dict[str, Any]:
        self._called(name)
        if name in self._setup.failing_on_rungs and name in self._seen:
            raise ValueError(f"{name} has no opinion on rungs")
        self._seen.add(name)
        if name == self._setup.deadly and int(rgb[0, 0].sum()) < 60:
            os._exit(11)
        number = int(name[1:])
        opinion = int(rgb[::7, ::5].astype(int).sum()) // (200 * (number + 1)) % 5
        if name.startswith("c"):
            return {"kind": "labels", "indices": [opinion], "scores": [0.25 + 0.1 * number]}
        return {"kind": "boxes", "xyxy": [[0.0, 0.0, 9.0, 9.0]], "scores": [0.9], "classes": [opinion]}

    def _called(self, name: str) -> None:
        self._note(name)
        time.sleep(self._setup.seconds)
        if name in self._setup.failing:
            raise RuntimeError(f"{name} is broken")

    def _note(self, line: str) -> None:
        if self._setup.log is not None:
            with self._setup.log.open("a") as log:
                log.write(line + "\n")


class InProcess:
    """The face of `Workers` without processes; answers the last request first, as fast workers might."""

    def __init__(self, setup: PanelSetup, jobs: int) -> None:
        self._setup = setup
        self._panel: Any = None
        self._queue: deque[Request] = deque()

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *_: object) -> None: ...

    @property
    def busy(self) -> bool:
        return bool(self._queue)

    @property
    def full(self) -> bool:
        return len(self._queue) >= 4

    def submit(self, request: Request) -> None:
        self._panel = self._panel or self._setup.load()
        self._queue.append(request)

    def collect(self) -> list[Reply]:
        return [measure(self._queue.pop(), self._panel)]


def make_pictures(folder: Path, n: int, *, split: str = "train") -> None:
    """`n` small noisy PNGs, every one different, in `folder/split`."""
    (folder / split).mkdir(parents=True, exist_ok=True)
    for i in range(n):
        noise = np.random.default_rng(i).integers(0, 255, (24, 32, 3))
        ramp = np.arange(32)[None, :, None] * 4 + i
        pixels = np.clip(0.3 * noise + ramp + 60, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / split / f"{i:03d}.png")


def make_run(folder: Path, setup: PanelSetup, rungs: Rungs | None = None, **options: Any) -> Run:
    """A run over a folder's images with JPEG rungs, in parts of six of these."""
    plan = make_plan(folder, {"jpeg": range(1, 101)}, rungs or Rungs(count=3), part_rungs=6, **options)
    return Run(plan, setup, protocols.load("calibrated"), frozenset({"c5", "d2", "d3"}))


def finish(run: Run, out: Path, **options: Any) -> Finished:
    """A run to its end."""
    *_, finished = annotate_events(run, out, **options)
    assert isinstance(finished, Finished)
    return finished


def calls(log: Path) -> Counter[str]:
    """How often each teacher and machine was asked since the last look."""
    if not log.exists():
        return Counter()
    lines = log.read_text().splitlines()
    log.unlink()
    return Counter(line for line in lines if not line.startswith("load"))


def main() -> None:
    folder, out, cache, jobs, seconds, log = sys.argv[1:]
    setup = FakeSetup(log=Path(log), seconds=float(seconds))
    for event in annotate_events(make_run(Path(folder), setup), out, cache, jobs=int(jobs)):
        if isinstance(event, Progress):
            print(event.n_done, flush=True)


if __name__ == "__main__":
    main()
