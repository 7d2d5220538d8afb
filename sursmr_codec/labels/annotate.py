"""The ladder of every image scored by measured labels: plan, raw answers, rows, tables.

A run may be stopped at any moment, by Ctrl-C or SIGKILL; the same command takes up where it stopped and ends
with the same bytes in its tables. Finished parts are never made again, and within a part every answer that
arrived is in the cache.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sursmr_codec import codecs
from sursmr_codec.labels import store
from sursmr_codec.labels.asking import Asking
from sursmr_codec.labels.machines.row import JURY_TASKS
from sursmr_codec.labels.measuring import Failure, Reply
from sursmr_codec.labels.origin import Origin
from sursmr_codec.labels.panel import PanelSetup
from sursmr_codec.labels.plan import Plan, Task
from sursmr_codec.labels.protocols import Protocol
from sursmr_codec.labels.proxy import falling
from sursmr_codec.labels.raw_cache import RawCache
from sursmr_codec.labels.rows import LabelRow, Scale, label_rows
from sursmr_codec.labels.run_folder import SCHEMA, RunFolder
from sursmr_codec.labels.workers import Workers


@dataclass(frozen=True)
class Progress:
    """How far a run is, after each image."""

    n_done: int
    """Rungs whose labels are known, in finished parts or not."""
    n_total: int
    n_measured: int
    """Rungs of `n_done` that this run measured, rather than found in parts or in the cache."""
    seconds: float
    """Wall time of this run so far."""
    measuring_seconds: float
    """That part of it since measuring began, loading included."""

    @property
    def rungs_per_second(self) -> float:
        """Measured rungs a second; 0 before the first."""
        return self.n_measured / self.measuring_seconds if self.measuring_seconds > 0 else 0.0

    @property
    def eta_seconds(self) -> float | None:
        """Wall time until the end at this rate; None before the first measured rung."""
        if not self.rungs_per_second:
            return None
        return (self.n_total - self.n_done) / self.rungs_per_second


@dataclass(frozen=True)
class Finished:
    """The end of a run."""

    parts: tuple[Path, ...]
    n_images: int
    n_rungs: int
    failures: tuple[Failure, ...]
    """Everything without an answer, over all parts, those of earlier runs too."""
    progress: Progress
    seconds: Mapping[str, float]
    """This run's wall time by stage, summed over workers."""
    parts_with_failures: tuple[Path, ...] = ()
    """Those of `parts` that keep a failure; without one of them, the same run asks for its images again."""


@dataclass(frozen=True)
class Run:
    """All that decides the labels of a run."""

    plan: Plan
    setup: PanelSetup
    protocol: Protocol
    unseen: frozenset[str] = frozenset()
    proxy: tuple[str, ...] = ()
    """Metrics behind `sur_proxy`, among the panel's teachers; the protocol's own where there are none."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """What the plan was made from, in JSON's terms, for people who read `run.json`."""

    @property
    def codec_ids(self) -> list[str]:
        """Codecs of the plan."""
        return list(dict.fromkeys(c for part in self.plan.parts for task in part for c in task.ladders))

    def scale(self) -> Scale:
        """What turns raw answers into rows; raises UnavailableError where a codec cannot be used."""
        found = {name: codecs.get(name) for name in self.codec_ids}
        for codec in found.values():
            codec.require()
        return Scale(
            protocol=self.protocol,
            rows=self.setup.rows,
            unseen=self.unseen,
            qp_ranges={name: codec.qp_range for name, codec in found.items()},
            fingerprints={name: codec.fingerprint() for name, codec in found.items()},
            proxy=self.proxy_metrics,
            falling=falling(self.proxy_metrics),
        )

    @property
    def proxy_metrics(self) -> tuple[str, ...]:
        """Teacher ids behind `sur_proxy`."""
        return self.proxy or tuple(self.protocol.curves)

    @property
    def origin(self) -> Origin:
        """What is kept with every table."""
        versions = self.setup.teachers
        return Origin(tuple(sorted(self.unseen)), {name: versions[name] for name in self.proxy_metrics})

    def record(self, scale: Scale) -> dict[str, Any]:
        """What `run.json` holds: a run with another record does not go into the same folder."""
        return {
            "schema": SCHEMA,
            "arguments": dict(self.arguments),
            "plan": self.plan.digest,
            "n_images": self.plan.n_images,
            "n_rungs": self.plan.n_rungs,
            "n_parts": len(self.plan.parts),
            "fingerprints": dict(scale.fingerprints),
            "protocol": asdict(self.protocol),
            "teachers": dict(self.setup.teachers),
            "machines": {row.name: [self.setup.machines[row.name], row.conf] for row in scale.rows},
            "unseen": sorted(self.unseen),
            **({"proxy": list(self.proxy)} if self.proxy else {}),
        }


def annotate_events(
    run: Run, out: Path | str, cache: Path | str | None = None, *, jobs: int = 1
) -> Generator[Progress | Finished, None, None]:
    """Label a plan into the folder `out`; yields progress, and a `Finished` at the end.

    `cache` is a folder of raw answers that several runs may share (by default `cache` in `out`), `jobs` the
    number of worker processes; neither changes a label. Raises UsageError where `out` holds labels of a run
    with other arguments or another process is at work there, UnavailableError where a codec, teacher or
    machine cannot be used, OutputError where something cannot be written. An image, machine or teacher that
    fails on the way ends up in `failures`.
    """
    out = Path(out)
    scale = run.scale()
    with RunFolder(out, run.record(scale)):
        yield from _label(run, scale, out, out / "cache" if cache is None else Path(cache), jobs)


def _label(
    run: Run, scale: Scale, out: Path, cache: Path, jobs: int
) -> Generator[Progress | Finished, None, None]:
    parts = [out / f"part-{number:05d}.parquet" for number in range(len(run.plan.parts))]
    state = _State(run.plan.n_rungs)
    todo = [
        (path, tasks)
        for path, tasks in zip(parts, run.plan.parts, strict=True)
        if not state.finished(path, tasks)
    ]
    yield state.progress()
    with RawCache(cache) as raw, Workers(run.setup, jobs) as workers:
        asking = Asking(run.plan.folder, run.setup, scale.fingerprints, raw, workers)
        part_of = {task.image: number for number, (_, tasks) in enumerate(todo) for task in tasks}
        rows: dict[str, list[LabelRow]] = {}
        failures: dict[str, tuple[Failure, ...]] = {}
        left = [len(tasks) for _, tasks in todo]
        for task, reply, measured in asking.replies([task for _, tasks in todo for task in tasks]):
            rows[task.image] = _rows(task, reply, scale)
            failures[task.image] = reply.failures
            number = part_of[task.image]
            left[number] -= 1
            if not left[number]:
                path, tasks = todo[number]
                failed = [failure for one in tasks for failure in failures.pop(one.image)]
                table = store.to_table(
                    [row for one in tasks for row in rows.pop(one.image)],
                    [row.name for row in scale.rows if row.task in JURY_TASKS],
                    [task for task in store.APART if any(row.task == task for row in scale.rows)],
                )
                store.write_labels(table, path, failed, run.origin)
            state.add(task, reply, measured)
            yield state.progress()
    kept = {path: store.read_failures(path) for path in parts}
    yield Finished(
        parts=tuple(parts),
        n_images=run.plan.n_images,
        n_rungs=run.plan.n_rungs,
        failures=tuple(failure for one in kept.values() for failure in one),
        progress=state.progress(),
        seconds=state.seconds,
        parts_with_failures=tuple(path for path, found in kept.items() if found),
    )


class _State:
    def __init__(self, n_total: int) -> None:
        self._n_total = n_total
        self._n_done = 0
        self._n_measured = 0
        self._began = self._measuring_since = time.monotonic()
        self.seconds: dict[str, float] = {}

    def finished(self, path: Path, tasks: tuple[Task, ...]) -> bool:
        if not path.exists():
            return False
        # Raises for a file that is not what was written here, before hours are spent beside it.
        store.read_failures(path)
        self._n_done += sum(task.n_rungs for task in tasks)
        return True

    def add(self, task: Task, reply: Reply, measured: bool) -> None:
        self._n_done += task.n_rungs
        self._n_measured += task.n_rungs if measured else 0
        if not self._n_measured:
            self._measuring_since = time.monotonic()
        for stage, seconds in reply.seconds.items():
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    def progress(self) -> Progress:
        now = time.monotonic()
        return Progress(
            self._n_done,
            self._n_total,
            self._n_measured,
            seconds=now - self._began,
            measuring_seconds=now - self._measuring_since,
        )


def _rows(task: Task, reply: Reply, scale: Scale) -> list[LabelRow]:
    if reply.original is None:
        return []
    ladders = {codec: {qp: reply.rungs.get((codec, qp)) for qp in qps} for codec, qps in task.ladders.items()}
    return label_rows(task.image, task.split, reply.original, ladders, scale)
