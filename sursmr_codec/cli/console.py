"""What people see: progress and messages on stderr, failures as one line and an exit code."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import typer

from sursmr_codec.errors import OutputError, SursmrError

INTERNAL_ERROR = 1


@contextmanager
def failures(record: Callable[[str], Any] | None = None) -> Iterator[None]:
    """Turn errors into one line on stderr and their exit code; with `record`, also print its JSON."""
    try:
        yield
    except SursmrError as error:
        _fail(str(error), error.exit_code, record)
    except MemoryError:
        _fail("not enough memory for this picture; scale it down first", SursmrError.exit_code, record)
    except Exception as error:
        if isinstance(error, BrokenPipeError | typer.Exit):
            raise
        traceback.print_exc(file=sys.stderr)
        _fail(f"internal error: {type(error).__name__}: {error}", INTERNAL_ERROR, record)


def _fail(message: str, exit_code: int, record: Callable[[str], Any] | None) -> None:
    line = " ".join(message.split())
    if record is not None:
        # Where stdout is what failed, the line on stderr has to do.
        with suppress(OutputError):
            print_json(record(line))
    typer.echo(f"error: {line}", err=True)
    raise typer.Exit(exit_code)


def print_json(record: Any) -> None:
    """One JSON value on one line of stdout; raises OutputError where that cannot be written."""
    line = json.dumps(record, ensure_ascii=False, allow_nan=False)
    try:
        typer.echo(line)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"stdout cannot be written: {error}") from error


def warn(lines: Iterable[str], *, quiet: bool) -> None:
    """Each warning as a line on stderr."""
    if not quiet:
        for line in lines:
            typer.echo(f"warning: {line}", err=True)


def follow(events: Iterable[Any], *, quiet: bool) -> Any:
    """Show the progress of `events` on stderr and return the last one, the result.

    A live line where stderr is a terminal, one plain line a rung where it is not.
    """
    if quiet:
        *_, outcome = events
        return outcome
    if sys.stderr.isatty():
        return _follow_live(events)
    last = None
    for event in events:
        if hasattr(event, "probe"):
            typer.echo(_progress_line(event), err=True)
        last = event
    return last


def _follow_live(events: Iterable[Any]) -> Any:
    from rich.console import Console
    from rich.status import Status

    last = None
    with Status("reading", console=Console(stderr=True)) as status:
        for event in events:
            if hasattr(event, "probe"):
                status.update(_progress_line(event))
            last = event
    return last


def _progress_line(event: Any) -> str:
    probe = event.probe
    codec = f"{event.codec}: " if event.codec else ""
    return (
        f"{codec}probe {event.n_probed} of at most {event.n_most}: QP {probe.qp}  "
        f"SUR {ratio(probe.score.sur)}  SMR {ratio(probe.score.smr)}  {size(probe.n_bytes)}"
    )


def ratio(value: float | None) -> str:
    """A ratio for people: three digits, or a dash where it is not defined."""
    return "-" if value is None else f"{value:.3f}"


def size(n_bytes: int) -> str:
    """A size for people, in decimal units."""
    if n_bytes < 1000:
        return f"{n_bytes} B"
    value, unit = (n_bytes / 1e3, "kB") if n_bytes < 1_000_000 else (n_bytes / 1e6, "MB")
    return f"{value:.1f} {unit}"
