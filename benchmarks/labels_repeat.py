"""Are labels exactly repeatable?

    python benchmarks/labels_repeat.py FOLDER ZOO            label some rungs anew and compare
    python benchmarks/labels_repeat.py FOLDER ZOO --write    also write labels_repeat.json and docs/labels.md

Takes images of the committed tables by rule, labels each of their rungs from nothing (encoder, decoder,
teachers, machines; no cache) and compares every column, bit for bit. Exits with 1 where one differs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import runpy
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sursmr_codec.labels import protocols, store
from sursmr_codec.labels.annotate import Finished, Run, annotate_events
from sursmr_codec.labels.machine_split import unseen_machines
from sursmr_codec.labels.panel import ZooSetup
from sursmr_codec.labels.plan import Plan, Task

RESULT = Path(__file__).with_suffix(".json")
PAGE = RESULT.parent.parent / "docs" / "generate_labels.py"
TABLES = RESULT.parent.parent / "models" / "labels"

Row = dict[str, Any]
Key = tuple[str, str, int]


@dataclass(frozen=True)
class Differences:
    """What two tables say of the same rungs."""

    columns: Mapping[str, Mapping[str, float]]
    """Column -> on how many rungs it differs, and by at most how much where it holds numbers."""
    rungs: tuple[Key, ...]
    """Those on which anything differs."""


def chosen(rows: Sequence[Row], n_images: int) -> list[Task]:
    """Images of every split in turn, in the order of their names' digests, each with all its rungs."""
    splits: dict[str, list[str]] = {}
    ladders: dict[str, dict[str, set[int]]] = {}
    for row in rows:
        if row["image"] not in ladders:
            splits.setdefault(row["split"], []).append(row["image"])
        ladders.setdefault(row["image"], {}).setdefault(row["codec"], set()).add(row["qp"])
    queues = [
        [(digest, image, split) for digest, image in sorted((_digest(image), image) for image in images)]
        for split, images in sorted(splits.items())
    ]
    turns = [queue[i] for i in range(max(map(len, queues))) for queue in queues if i < len(queue)]
    return [
        Task(image, split, {codec: tuple(sorted(qps)) for codec, qps in ladders[image].items()})
        for _, image, split in turns[:n_images]
    ]


def compare(committed: Sequence[Row], anew: Sequence[Row]) -> Differences:
    """Column by column over the rungs of `anew`, all of which `committed` must hold."""
    known = {_key(row): row for row in committed}
    counts: dict[str, int] = dict.fromkeys(committed[0], 0)
    largest: dict[str, float] = {}
    rungs = []
    for row in anew:
        before = known[_key(row)]
        unlike = [name for name in counts if row.get(name) != before[name]]
        if unlike:
            rungs.append(_key(row))
        for name in unlike:
            counts[name] += 1
            if isinstance(row.get(name), int | float) and isinstance(before[name], int | float):
                largest[name] = max(largest.get(name, 0.0), abs(row[name] - before[name]))
    return Differences(
        {
            name: {"n_rungs": n} | ({"largest": largest[name]} if name in largest else {})
            for name, n in counts.items()
            if n
        },
        tuple(rungs),
    )


def measure(folder: Path, zoo: Path, tables: Path, n_images: int, jobs: int) -> dict[str, object]:
    """Label anew and compare; the result as one JSON object."""
    rows: list[Row] = store.read_labels(tables).to_pylist()
    tasks = chosen(rows, n_images)
    protocol = protocols.load("calibrated")
    setup = ZooSetup(zoo, tuple(protocol.curves))
    run = Run(Plan(folder, (tuple(tasks),)), setup, protocol, unseen_machines(setup.rows))
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        finished = next(
            event
            for event in annotate_events(run, Path(out) / "labels", jobs=jobs)
            if isinstance(event, Finished)
        )
        anew: list[Row] = store.read_labels(Path(out) / "labels").to_pylist()
    if len(anew) != run.plan.n_rungs or finished.failures:
        raise SystemExit(f"some rungs have no labels: {finished.failures[:3]}")
    found = compare(rows, anew)
    return {
        "schema": "sursmr-qp/labels-repeat/1",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "python": platform.python_version(),
            "system": platform.system(),
            "cpu": platform.machine(),
            "cores": os.cpu_count(),
        },
        "tables": [
            {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            for path in sorted(tables.glob("*.parquet"))
        ],
        "n_images": len(tasks),
        "n_rungs": len(anew),
        "codecs": sorted({codec for task in tasks for codec in task.ladders}),
        "n_columns": len(rows[0]),
        "minutes": round((time.perf_counter() - began) / 60, 1),
        "n_rungs_that_differ": len(found.rungs),
        "columns_that_differ": found.columns,
        "rungs_that_differ": [list(key) for key in found.rungs[:20]],
    }


def _key(row: Row) -> Key:
    return row["image"], row["codec"], row["qp"]


def _digest(image: str) -> str:
    return hashlib.sha256(image.encode()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the images of the tables")
    parser.add_argument("zoo", type=Path, help="folder of the machines that made them")
    parser.add_argument("--tables", type=Path, default=TABLES, help="label tables (%(default)s)")
    parser.add_argument("--images", type=int, default=9)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name} and the page")
    arguments = parser.parse_args()
    result = measure(arguments.folder, arguments.zoo, arguments.tables, arguments.images, arguments.jobs)
    text = json.dumps(result, indent=1) + "\n"
    print(text, end="")
    if arguments.write:
        RESULT.write_text(text)
        runpy.run_path(str(PAGE))["write"]()
    if result["n_rungs_that_differ"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
