"""`sursmr-qp annotate`: measured labels of a folder's images, for training."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sursmr_codec.cli import console, options

if TYPE_CHECKING:
    from sursmr_codec.labels.annotate import Finished, Progress
    from sursmr_codec.labels.machines.row import Task
    from sursmr_codec.labels.measuring import Failure

SOME_FAILED = 7
PLAIN_SECONDS = 30.0
"""Between two lines of progress where stderr is no terminal."""
_MOST_NAMED = 20


class Spread(StrEnum):
    """Where along a ladder its labelled rungs lie."""

    random = "random"
    even = "even"


def annotate(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", show_default=False, help="Images; index.csv names and splits them."),
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", show_default=False, help="Where the tables go (Parquet).")
    ],
    zoo: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            envvar="SURSMR_ZOO",
            show_default=False,
            help="Folder of machines: zoo.csv and their files.",
        ),
    ],
    codec: Annotated[str, typer.Option(metavar="IDS", help="Encoders, with commas between.")] = "jpeg",
    rungs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="QPs of each image and encoder.")
    ] = None,
    qps: Annotated[
        str | None, typer.Option(metavar="LIST", help="These QPs instead, with commas between.")
    ] = None,
    spread: Annotated[
        Spread, typer.Option(help="random: one QP from each of N stretches; even: from end to end.")
    ] = Spread.random,
    focus: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="TABLE",
            show_default=False,
            help="Labels (a table or a folder; repeatable): half of the random QPs are drawn where the "
            "mean SUR or SMR of these lies in 0.3..0.95.",
        ),
    ] = None,
    ends: Annotated[
        str, typer.Option(metavar="IDS", help="Encoders of which the two end QPs are labelled besides.")
    ] = "",
    splits: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="Only these splits of the index, or folders that it leaves out; all of it by default.",
        ),
    ] = "",
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="Only the first images.")] = None,
    seed: Annotated[int, typer.Option(help="Of the random spread.")] = 0,
    protocol: options.Protocol = "calibrated",
    proxy: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="Metrics behind sur_proxy, with commas between; `piq` is four that run offline, `paper` "
            "all of the paper's; the protocol's teachers by default.",
        ),
    ] = "",
    machine_split: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TOML list of machines that are kept from training."),
    ] = None,
    also: Annotated[
        str,
        typer.Option(
            metavar="TASKS",
            help="face, segmentation or both: machines of these too, with ratios of their own.",
        ),
    ] = "",
    cache: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Raw answers, which several runs may share; in --out by default."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Worker processes; one a core by default.")
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Label FOLDER: encode ladders, ask teachers and machines, write tables of SUR and SMR.

    The same command takes up a run that was stopped, wherever it was.
    """
    with console.failures():
        from sursmr_codec import codecs
        from sursmr_codec.errors import UsageError
        from sursmr_codec.labels import annotate as core
        from sursmr_codec.labels import plan as planning
        from sursmr_codec.labels import protocols, store
        from sursmr_codec.labels import proxy as proxies
        from sursmr_codec.labels.focus import focus_qps
        from sursmr_codec.labels.machine_split import unseen_machines
        from sursmr_codec.labels.panel import ZooSetup

        if (rungs is None) == (qps is None):
            raise UsageError("say which rungs: either --rungs N or --qps LIST")
        names = _listed(codec)
        chosen = planning.Rungs(_numbers(qps), rungs or 0, spread.value)
        special: dict[str, Any] = {}
        if focus:
            labels = store.read_labels(focus)
            special["focus"] = {name: list(focus_qps(labels, name)) for name in names}
        if ends:
            special["ends"] = _listed(ends)
        plan = planning.make_plan(
            folder,
            {name: codecs.get(name).qp_range for name in names},
            chosen,
            **special,
            splits=_listed(splits),
            limit=limit,
            seed=seed,
        )
        known = protocols.load(protocol)
        metrics = proxies.metrics(proxy)
        tasks = _tasks(also)
        if tasks:
            special["also"] = list(tasks)
        setup = ZooSetup(zoo, tuple(dict.fromkeys((*known.curves, *metrics))), tasks)
        for task in tasks:
            if not any(row.task == task for row in setup.rows):
                raise UsageError(f"{zoo} has no machine of task {task}")
        run = core.Run(
            plan,
            setup,
            known,
            unseen_machines(setup.rows, machine_split),
            metrics,
            arguments={
                "codec": names,
                "qps": list(chosen.qps),
                "rungs": chosen.count,
                "spread": chosen.spread,
                "splits": _listed(splits),
                "limit": limit,
                "seed": seed,
                **special,
            },
        )
        events = core.annotate_events(run, out, cache, jobs=jobs or os.cpu_count() or 1)
        outcome = _follow(events, quiet=quiet)
    _report(outcome, quiet=quiet)
    if outcome.failures:
        raise typer.Exit(SOME_FAILED)


def _listed(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _tasks(text: str) -> tuple[Task, ...]:
    from sursmr_codec.errors import UsageError
    from sursmr_codec.labels.store import APART

    named = _listed(text)
    for name in named:
        if name not in APART:
            raise UsageError(f"--also takes {', '.join(APART)}, not {name!r}")
    return tuple(task for task in APART if task in named)


def _numbers(text: str | None) -> tuple[int, ...]:
    from sursmr_codec.errors import UsageError

    try:
        return tuple(int(number) for number in _listed(text or ""))
    except ValueError:
        raise UsageError(f"--qps takes numbers with commas between, not {text!r}") from None


def _follow(events: Iterable[Progress | Finished], *, quiet: bool) -> Finished:
    outcome: Any = None
    with _progress(quiet) as show:
        for event in events:
            outcome = event
            if hasattr(event, "n_done"):
                show(outcome)
    finished: Finished = outcome
    return finished


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """A live line where stderr is a terminal, a plain one every half a minute where it is not."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.status import Status

        with Status("loading", console=Console(stderr=True)) as status:
            yield lambda progress: status.update(_line(progress))
    else:
        printed = float("-inf")

        def show(progress: Progress) -> None:
            nonlocal printed
            if time.monotonic() - printed >= PLAIN_SECONDS:
                printed = time.monotonic()
                typer.echo(_line(progress), err=True)

        yield show


def _line(progress: Progress) -> str:
    eta = "-" if progress.eta_seconds is None else _duration(progress.eta_seconds)
    return (
        f"{progress.n_done} of {progress.n_total} rungs  {progress.rungs_per_second:.2f} rungs/s  "
        f"{_duration(progress.seconds)} so far, {eta} to go"
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _report(outcome: Finished, *, quiet: bool) -> None:
    if not quiet:
        typer.echo(
            f"{outcome.n_rungs} rungs of {outcome.n_images} images in {len(outcome.parts)} tables, "
            f"{outcome.progress.n_measured} measured now in {_duration(outcome.progress.seconds)}",
            err=True,
        )
    groups: dict[str, list[Failure]] = {}
    for failure in outcome.failures:
        groups.setdefault(failure.what if failure.what != "image" else failure.image, []).append(failure)
    for name, failures in list(groups.items())[:_MOST_NAMED]:
        first = failures[0]
        where = first.image if first.codec is None else f"{first.image}, {first.codec} at QP {first.qp}"
        more = f", and {len(failures) - 1} more like it" if len(failures) > 1 else ""
        typer.echo(f"failed: {name} ({where}): {first.error}{more}", err=True)
    if len(groups) > _MOST_NAMED:
        typer.echo(f"failed: {len(groups) - _MOST_NAMED} more", err=True)
    if groups and not quiet:
        images = {failure.image for failure in outcome.failures}
        typer.echo(
            f"{len(images)} of {outcome.n_images} images lack something. To try these again, remove from "
            f"{outcome.parts[0].parent} {_named(outcome.parts_with_failures)} and run the same command",
            err=True,
        )


def _named(parts: Sequence[Path]) -> str:
    names = [part.name for part in parts]
    return ", ".join(names if len(names) <= _MOST_NAMED else [*names[:_MOST_NAMED], "..."])
