"""How fast does `annotate` label, with one process and with two, and where does the time go?

    python benchmarks/annotate.py FOLDER ZOO            measure and print
    python benchmarks/annotate.py FOLDER ZOO --write    also write benchmarks/annotate.json

Each run labels the first images of a folder with JPEG and HEVC rungs, four an image, from an empty cache.
Rungs a second count once every process has had time for an image, as loading the machines is paid once a run.
Then comes one worker's largest memory, and what of it is shared, at three sizes of one picture. About four
minutes on two quiet cores.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import annotate_memory

from sursmr_codec import codecs
from sursmr_codec.labels import protocols
from sursmr_codec.labels.annotate import Finished, Progress, Run, annotate_events
from sursmr_codec.labels.panel import ZooSetup
from sursmr_codec.labels.plan import Rungs, make_plan

RESULT = Path(__file__).with_suffix(".json")
CODECS = ("jpeg", "hevc")
RUNGS_PER_IMAGE = 4
SPEEDUP = 1.8
"""Two processes are at least that many times as fast as one."""
WORKER_BYTES = 2_684_354_560
"""A worker takes at most 2.5 GiB of its own on the largest picture that is labelled; code that is loaded from
libraries' files (`shared_bytes`) is in memory once for all workers."""


def measure(
    folder: Path, zoo: Path, n_images: int, jobs: Sequence[int], megapixels: Sequence[float]
) -> dict[str, object]:
    """Rungs a second and shares of time by stage, for each number of processes, and a worker's memory."""
    protocol = protocols.load("calibrated")
    plan = make_plan(
        folder,
        {name: codecs.get(name).qp_range for name in CODECS},
        Rungs(count=RUNGS_PER_IMAGE // len(CODECS)),
        limit=n_images,
    )
    run = Run(plan, ZooSetup(zoo, tuple(protocol.curves)), protocol)
    return {
        "schema": "sursmr-qp/annotate-speed/2",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "python": platform.python_version(),
            "system": platform.system(),
            "cpu": platform.machine(),
            "cores": os.cpu_count(),
            "load_average": round(os.getloadavg()[0], 2),
        },
        "settings": {
            "codecs": list(CODECS),
            "n_images": plan.n_images,
            "n_rungs": plan.n_rungs,
            "n_machines": len(run.setup.rows),
            "teachers": dict(run.setup.teachers),
        },
        **_speed(run, jobs),
        "bounds": {"speedup": SPEEDUP, "worker_bytes": WORKER_BYTES},
        "workers": annotate_memory.peaks(folder / plan.parts[0][0].image, run.setup, megapixels),
    }


def _speed(run: Run, jobs: Sequence[int]) -> dict[str, object]:
    runs = [_one(run, count) for count in jobs]
    rates = [float(one["rungs_per_second"]) for one in runs]
    return {"runs": runs, "speedup": round(rates[-1] / rates[0], 3)}


def _one(run: Run, jobs: int) -> dict[str, Any]:
    began = time.perf_counter()
    first: tuple[float, int] | None = None
    done = 0
    finished: Finished | None = None
    with tempfile.TemporaryDirectory() as out:
        for event in annotate_events(run, Path(out) / "labels", jobs=jobs):
            if isinstance(event, Progress):
                done = event.n_done
                # At the first answer of two processes the other has nearly one, too.
                if first is None and done >= jobs * RUNGS_PER_IMAGE:
                    first = (time.perf_counter(), done)
                ended = time.perf_counter()
            else:
                finished = event
    if finished is None or first is None or finished.failures:
        raise SystemExit(f"the run failed: {finished.failures[:3] if finished else 'no rungs'}")
    stages = sum(finished.seconds.values())
    return {
        "jobs": jobs,
        "rungs_per_second": round((done - first[1]) / (ended - first[0]), 3),
        "seconds_before_that": round(first[0] - began, 2),
        "stage_seconds_per_rung": {
            name: round(seconds / run.plan.n_rungs, 4) for name, seconds in sorted(finished.seconds.items())
        },
        "stage_share": {
            name: round(seconds / stages, 3) for name, seconds in sorted(finished.seconds.items())
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="images, as `annotate` takes them")
    parser.add_argument("zoo", type=Path, help="folder of machines")
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--megapixels", type=float, nargs="+", default=[0.12, 1.0, 2.4])
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    arguments = parser.parse_args()
    result = measure(arguments.folder, arguments.zoo, arguments.images, arguments.jobs, arguments.megapixels)
    print(json.dumps(result, indent=2))
    if arguments.write:
        RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
