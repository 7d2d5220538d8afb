"""How far a batch is, for people: a live view on terminals, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from sursmr_codec.cli.console import size

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from sursmr_codec.batch.driver import Batch
    from sursmr_codec.batch.dry import Planned
    from sursmr_codec.batch.outcome import Progress

PLAIN_SECONDS = 30.0
"""Between two lines of progress where stderr is no terminal."""
ACTIONS = {"work": "to do", "finished": "finished", "skip": "skipped", "fail": "failed"}
_MOST_CURRENT = 8


@contextmanager
def following(batch: Batch, *, quiet: bool, json: bool = False) -> Iterator[Callable[[], None]]:
    """Show the batch's progress on stderr; what is yielded is to be called after each outcome.

    With `json`, stdout is for records: a live view does not share a terminal with them.
    """
    if quiet:
        yield lambda: None
    elif sys.stderr.isatty() and not (json and sys.stdout.isatty()):
        from rich.console import Console
        from rich.live import Live

        with Live(
            get_renderable=lambda: view(batch.progress, stopping=batch.stopping),
            console=Console(stderr=True),
            refresh_per_second=4,
            transient=True,
            # Or records would go to the view's console.
            redirect_stdout=False,
        ):
            yield lambda: None
    else:
        printed = time.monotonic()
        started = False

        def show() -> None:
            nonlocal printed, started
            if not started or time.monotonic() - printed >= PLAIN_SECONDS:
                started, printed = True, time.monotonic()
                typer.echo(line(batch.progress), err=True)

        yield show


def line(progress: Progress) -> str:
    """Progress in one line."""
    if progress.n_total is None:
        return "looking for pictures"
    counts = ", ".join(f"{number} {status}" for status, number in progress.counts.items())
    earlier = f", {progress.n_up_to_date} finished earlier" if progress.n_up_to_date else ""
    return (
        f"{progress.n_total - progress.n_left} of {progress.n_total}: {counts or 'none yet'}{earlier}; "
        f"{_saved(progress)}; {progress.rate:.2f}/s, {duration(progress.seconds)} so far, "
        f"{duration(progress.eta_seconds)} to go"
    )


def view(progress: Progress, *, stopping: bool = False) -> RenderableType:
    """Progress as a bar, figures and the pictures that are worked on."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    if progress.n_total is None:
        return Text("looking for pictures and loading ...")
    finished = progress.n_total - progress.n_left
    head = Table.grid(padding=(0, 1))
    head.add_row(
        ProgressBar(total=max(1, progress.n_total), completed=finished, width=40),
        f"{finished} of {progress.n_total}",
        Text("stopping: finishing what runs" if stopping else "", style="bold"),
    )
    facts = Table.grid(padding=(0, 2))
    counts = {status: progress.counts.get(status, 0) for status in ("done", "unmet", "failed", "skipped")}
    facts.add_row(
        *(Text(f"{number} {status}", style=_style(status, number)) for status, number in counts.items()),
        f"{progress.n_up_to_date} finished earlier" if progress.n_up_to_date else "",
    )
    times = Table.grid(padding=(0, 2))
    times.add_row(
        _saved(progress),
        f"{progress.rate:.2f} pictures/s",
        f"{duration(progress.seconds)} so far",
        f"{duration(progress.eta_seconds)} to go",
    )
    names = [Text(f"  {name}", style="dim", overflow="ellipsis", no_wrap=True) for name in progress.current]
    return Group(head, facts, times, *names[:_MOST_CURRENT])


def print_summary(batch: Batch, *, to_stderr: bool) -> None:
    """The end of a run as a small table."""
    from sursmr_codec.cli import tables

    if to_stderr:
        for name, value in _summary(batch.progress):
            typer.echo(f"{name:<11}{value}", err=True)
    else:
        tables.print_table(_summary_table(batch.progress))


def planned_line(planned: Planned) -> str:
    """A source of a plan and what would become of it."""
    targets = f" -> {' or '.join(planned.targets)}" if planned.targets else ""
    reason = f": {planned.reason}" if planned.reason else ""
    return f"{ACTIONS[planned.action]:<9} {planned.source}{targets}{reason}"


def duration(seconds: float | None) -> str:
    """A time for people, h:mm:ss; a dash where it is not known."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _summary(progress: Progress) -> list[tuple[str, str]]:
    rows = [("pictures", f"{progress.n_total or 0}")]
    rows += [(status, str(progress.counts[status])) for status in progress.counts]
    if progress.n_up_to_date:
        rows.append(("earlier", f"{progress.n_up_to_date} finished by runs before"))
    if progress.n_left:
        rows.append(("left", f"{progress.n_left}; the same command goes on"))
    if progress.output_bytes:
        before, after = size(progress.source_bytes), size(progress.output_bytes)
        rows.append(("size", f"{before} -> {after}, {_saved(progress)}"))
    pace = f", {progress.rate:.2f} pictures/s" if progress.rate else ""
    rows.append(("time", duration(progress.seconds) + pace))
    return rows


def _summary_table(progress: Progress) -> Table:
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for row in _summary(progress):
        table.add_row(*row)
    return table


def _saved(progress: Progress) -> str:
    if not progress.source_bytes:
        return "nothing saved yet"
    percent = 100 * progress.saved_bytes / progress.source_bytes
    return f"{size(abs(progress.saved_bytes))} ({percent:.1f} %) {'saved' if percent >= 0 else 'added'}"


def _style(status: str, number: int) -> str:
    return {"failed": "red", "unmet": "yellow"}.get(status, "") if number else "dim"
