"""What `sursmr-qp batch` does once its options are read: prints a plan, or runs it and sums it up."""

from __future__ import annotations

import json as jsonlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import typer

from sursmr_codec.cli import INTERRUPTED, batch_view, console

if TYPE_CHECKING:
    from sursmr_codec.batch.driver import Batch
    from sursmr_codec.batch.outcome import Outcome
    from sursmr_codec.batch.request import Request

SOME_FAILED = 7


def print_plan(request: Request, *, json: bool) -> None:
    """Print what a batch would do."""
    from dataclasses import asdict

    from sursmr_codec.batch.dry import dry_run

    counts: dict[str, int] = {}
    for planned in dry_run(request):
        counts[planned.action] = counts.get(planned.action, 0) + 1
        if json:
            _print_line(asdict(planned))
        else:
            typer.echo(_shown(batch_view.planned_line(planned)))
    if not json:
        total = ", ".join(f"{number} {batch_view.ACTIONS[action]}" for action, number in counts.items())
        typer.echo(f"{total or 'nothing to do'}; nothing was written")


def check_endings(*, report: bool, table: Path | None) -> None:
    """See that what is to be written in the end can be, before hours are spent."""
    if table is not None:
        from sursmr_codec.report import table as tables

        tables.check(table)
    if report:
        from sursmr_codec.report import html

        html.require()


def run(request: Request, *, json: bool, quiet: bool) -> bool:
    """Run the batch and print its records; whether it was interrupted."""
    from sursmr_codec.batch.driver import Batch

    batch = Batch(request)
    following = batch_view.following(batch, quiet=quiet, json=json)
    with _interruptible(batch), following as show, closing(iter(batch)) as outcomes:
        for outcome in outcomes:
            if json:
                _print_line(outcome.record)
            show()
    if not quiet and not batch.stopping and batch.progress.n_total == 0:
        typer.echo("warning: no file was found (--recursive enters folders inside folders)", err=True)
    if not quiet:
        batch_view.print_summary(batch, to_stderr=json)
    return batch.stopping


@contextmanager
def _interruptible(batch: Batch) -> Iterator[None]:
    """Let Ctrl-C end the batch in good order, and a second one at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_: int, __: FrameType | None) -> None:
        if batch.stopping:
            raise KeyboardInterrupt
        batch.stop()
        # Not through Python's files, which may be in the middle of a write.
        os.write(2, b"\nfinishing what runs; Ctrl-C again stops at once\n")

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def finish(
    state: Path, *, interrupted: bool, report: bool, table: Path | None, json: bool, quiet: bool
) -> None:
    """List what failed, write what was asked for, and exit with what it all comes to."""
    with console.failures():
        n_failed = sum(1 for _ in map(_print_failure, _failures(state)))
        if interrupted:
            raise typer.Exit(INTERRUPTED)
        if table is not None:
            from sursmr_codec.report import write_table

            written = write_table(state.parent, table)
            if not quiet:
                typer.echo(f"table      {written}", err=json)
        if report:
            from sursmr_codec.report import write_report

            page = write_report(state.parent)
            if not quiet:
                typer.echo(f"report     {page}", err=json)
    if n_failed:
        raise typer.Exit(SOME_FAILED)


def _failures(state: Path) -> Iterator[Outcome]:
    """Sources of the plan that failed, and unmet ones without a file; those of earlier runs too."""
    from sursmr_codec.batch import journal

    with journal.reading(state) as db:
        yield from journal.outcomes(
            db,
            "number IS NOT NULL AND todo = 0 AND (status = 'failed' OR status = 'unmet' AND output IS NULL)",
        )


def _print_failure(outcome: Outcome) -> None:
    line = f"{outcome.status}: {outcome.source}: {outcome.reason}"
    typer.echo(_shown(f"{line} [{outcome.retry}]" if outcome.retry else line), err=True)


def _print_line(record: Any) -> None:
    typer.echo(_shown(jsonlib.dumps(record, ensure_ascii=False, allow_nan=False)))
    sys.stdout.flush()


def _shown(text: str) -> str:
    """Text that can be printed, whatever bytes file names hold."""
    return text.encode("utf-8", "backslashreplace").decode()
