"""Makes the tables of models/labels, in one command that may be stopped and started anew.

    python benchmarks/labels_make.py IMAGES MACHINES             label what is not labelled yet
    python benchmarks/labels_make.py IMAGES MACHINES --write     also put the tables into models/labels

Follows models/labels/plan.toml, whose runs are calls of `sursmr-qp annotate`. IMAGES is a folder with an
index of its splits, and with Kodak's pictures in `kodak`; answers of machines and metrics are kept in
`.cache/labels` and asked for once. All of it takes two cores several hours.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sursmr_codec import images
from sursmr_codec.labels import store

ROOT = Path(__file__).resolve().parent.parent
LABELS = ROOT / "models" / "labels"
PLAN = LABELS / "plan.toml"
WORK = ROOT / ".cache" / "labels"

Run = Mapping[str, Any]


def options(run: Run, made: Path) -> list[str]:
    """A run's options of `annotate`; labels to focus on are those in `made`."""
    found = []
    for key, value in run.items():
        if key == "table":
            continue
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        found += [f"--{key}", str(made / text) if key == "focus" else text]
    return found


def tables(runs: Sequence[Run]) -> dict[str, list[int]]:
    """Table -> places of the runs that fill it, in the order in which tables are made."""
    found: dict[str, list[int]] = {}
    for place, run in enumerate(runs):
        found.setdefault(run["table"], []).append(place)
    return found


def merge(parts: Sequence[Path], path: Path) -> None:
    """Write the tables in some runs' folders as one, with what failed and what they were made with.

    Raises SystemExit where they were not made alike.
    """
    files = store.files_of(parts)
    origins = [store.read_origin(file) for file in files]
    if any(origin != origins[0] for origin in origins):
        raise SystemExit(f"{path.name}: its runs were made with other machines or metrics")
    failures = [failure for file in files for failure in store.read_failures(file)]
    path.parent.mkdir(parents=True, exist_ok=True)
    store.write_labels(store.read_labels(files), path, failures, origins[0])
    print(f"{path.name}: {len(failures)} without an answer", flush=True)


def annotate(images: Path, machines: Path, run: Run, out: Path, made: Path, jobs: int | None) -> None:
    """Label one run; raises SystemExit where that fails. A machine that failed on a picture is no failure."""
    shared = ["--zoo", str(machines), "--cache", str(WORK / "answers"), "--out", str(out)]
    workers = [] if jobs is None else ["--jobs", str(jobs)]
    command = ["annotate", str(images), *options(run, made), *shared, *workers]
    print(f"sursmr-qp {' '.join(command)}", flush=True)
    if subprocess.run([sys.executable, "-m", "sursmr_codec", *command], check=False).returncode not in (0, 7):
        raise SystemExit(f"{out.name} failed; the same command goes on there")


def main() -> None:
    """Run from the command line; stops at the first run that fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path)
    parser.add_argument("machines", type=Path)
    parser.add_argument("--jobs", type=int, metavar="N", help="worker processes; one a core by default")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    runs: list[Run] = tomllib.loads(PLAN.read_text("utf-8"))["run"]
    made = WORK / "made"
    for table, places in tables(runs).items():
        parts = [WORK / f"run-{place:02}" for place in places]
        for place, part in zip(places, parts, strict=True):
            annotate(asked.images, asked.machines, runs[place], part, made, asked.jobs)
        merge(parts, made / table)
    if asked.write:
        for table in tables(runs):
            (LABELS / table).parent.mkdir(exist_ok=True)
            images.write(LABELS / table, (made / table).read_bytes())


if __name__ == "__main__":
    main()
