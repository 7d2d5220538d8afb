"""The application: its commands, and how failures become exit codes."""

from __future__ import annotations

from typing import Annotated

import typer

from sursmr_codec.cli.annotate import annotate
from sursmr_codec.cli.batch import batch
from sursmr_codec.cli.bench import bench
from sursmr_codec.cli.codecs import codecs
from sursmr_codec.cli.curve import curve
from sursmr_codec.cli.data import app as data
from sursmr_codec.cli.pick import pick
from sursmr_codec.cli.report import report
from sursmr_codec.cli.score import score
from sursmr_codec.cli.status import status
from sursmr_codec.cli.termination import unwinding
from sursmr_codec.cli.train import train
from sursmr_codec.cli.zoo import app as zoo
from sursmr_codec.version import __version__

app = typer.Typer(
    name="sursmr-qp",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command()(pick)
app.command()(curve)
app.command()(score)
app.command()(batch)
app.command()(status)
app.command()(report)
app.command()(codecs)
app.command()(bench)
app.command()(annotate)
app.command()(train)
app.add_typer(zoo)
app.add_typer(data)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"sursmr-qp {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Pick how hard an image may be compressed.

    The highest QP at which viewers still see no difference (SUR, satisfied user ratio) and vision models
    still answer the same (SMR, satisfied machine ratio).

    Exit codes: 0 done, 1 internal error, 2 usage, 3 target not reachable, 4 bad input image, 5 encoder or
    optional library missing, 6 output could not be written, 7 done with some failures, 8 benchmark gate not
    met, 130 interrupted.
    """


def run() -> None:
    """Run the application on the process's own arguments and exit."""
    with unwinding():
        app(prog_name="sursmr-qp")
