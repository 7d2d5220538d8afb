"""`sursmr-qp report`: a page and tables of a batch run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from sursmr_codec.cli import console, options


def report(
    out: Annotated[
        str, typer.Argument(metavar="OUT", show_default=False, help="What `batch` wrote to, or its --state.")
    ],
    table: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Write a table of the results instead (.parquet or .csv)."),
    ] = None,
    previews: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Most pictures to copy of those that browsers cannot show."),
    ] = 100,
    open_page: Annotated[bool, typer.Option("--open", help="Show the page in a browser.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Write a page of the run in OUT that any browser shows offline, and print its path.

    With --table, write the results as a table instead and print its path.
    """
    with console.failures():
        from sursmr_codec.batch import addresses
        from sursmr_codec.errors import UsageError
        from sursmr_codec.report import write_report, write_table

        folder = addresses.state_folder(out).parent
        if table is not None:
            if open_page:
                raise UsageError("--open shows the page; leave out --table, or run report twice")
            typer.echo(write_table(folder, table))
            return
        with _progress(quiet) as progress:
            page = write_report(folder, n_previews=previews, progress=progress)
        typer.echo(page)
        if open_page:
            import webbrowser

            webbrowser.open(page.resolve().as_uri())


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A live line of the copies made, where stderr is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.status import Status

    with Status("reading", console=Console(stderr=True)) as status:
        yield lambda n_done, n_all: status.update(f"copies to look at: {n_done} of {n_all}")
