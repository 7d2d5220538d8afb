"""`sursmr-qp train`: a model from labelled images, as a TOML file describes it or from one that is there."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sursmr_codec.cli import console, options

if TYPE_CHECKING:
    from rich.table import Table

    from sursmr_codec.training.config import TrainingConfig
    from sursmr_codec.training.run import Event, Finished

PLAIN_SECONDS = 30.0
"""Between two lines of progress where stderr is no terminal."""
_LIBRARIES = ("torch", "timm", "safetensors", "onnx", "onnxscript")


def train(
    config: Annotated[
        Path | None,
        typer.Argument(metavar="CONFIG", show_default=False, help="What to train: a TOML file."),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Make this model your own, in place of CONFIG: default, an id, or a folder.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the labelled images; the file's by default."),
    ] = None,
    labels: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="Label table or folder of them; may be given several times."),
    ] = None,
    zoo: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            envvar="SURSMR_ZOO",
            help="Folder of the labels' machines, which says what they do, with --init.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the run is kept; runs/NAME by default."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Take up a run that was stopped, if there is one.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Threads that encode rungs; one a core by default.")
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Train a model of SUR and SMR on labels that `annotate` made, and say how good it is.

    Every rung is encoded anew and must have the labelled size. The model goes to DIR/model: ONNX files,
    weights, metrics.json; --model takes DIR. The table compares it with a predictor that knows codec and QP
    alone. With --init, machines and viewers of the labels take the place of the model's own.
    """
    with console.failures():
        _require_libraries()
        from sursmr_codec.cli.tables import print_table
        from sursmr_codec.training.run import train as run

        chosen = _chosen(config, init, data, labels or [], zoo, out, quiet=quiet)
        finished = _follow(
            run(chosen, out or Path("runs") / chosen.name, resume=resume, jobs=jobs), quiet=quiet
        )
        print_table(_table(finished))
        typer.echo(f"model: {finished.exported.weights.parent}", err=True)


def _chosen(
    config: Path | None,
    init: str | None,
    data: Path | None,
    labels: list[Path],
    zoo: Path | None,
    out: Path | None,
    *,
    quiet: bool,
) -> TrainingConfig:
    """The run that a file or `--init` asks for."""
    from sursmr_codec.errors import UsageError
    from sursmr_codec.training.config import read_config
    from sursmr_codec.training.own import left_out, own_config

    if (config is None) == (init is None):
        raise UsageError("give either a CONFIG or --init MODEL")
    if config is None or init is not None:
        if data is None:
            raise UsageError("--init needs the folder of the labelled images: give --data DIR")
        own = own_config(str(init), labels, data, name="own" if out is None else out.name, zoo=zoo)
        if (names := left_out(own)) and not quiet:
            typer.echo(
                f"warning: {', '.join(names)} get no output: they count on no picture to learn from, or the "
                "labels keep them from training",
                err=True,
            )
        return own
    chosen = read_config(config)
    paths = replace(
        chosen.data,
        images=chosen.data.images if data is None else str(data),
        labels=tuple(map(str, labels)) or chosen.data.labels,
    )
    return replace(chosen, data=paths)


def _require_libraries() -> None:
    from sursmr_codec.errors import MissingExtra

    # Asked for at the start, since the last of them is needed only when hours have passed.
    for library in _LIBRARIES:
        if (library in sys.modules and sys.modules[library] is None) or find_spec(library) is None:
            raise MissingExtra(library, "training", "torch")


def _follow(events: Iterable[Event], *, quiet: bool) -> Finished:
    from sursmr_codec.training.run import Finished

    with _progress(quiet) as show:
        for event in events:
            if isinstance(event, Finished):
                return event
            show(event)
    raise RuntimeError("a run ended without its result")


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[Event], None]]:
    """A live line where stderr is a terminal, a plain one every half a minute and epoch where it is not."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.status import Status

        with Status("loading", console=Console(stderr=True)) as status:
            yield lambda event: status.update(_line(event))
    else:
        printed = float("-inf")

        def show(event: Event) -> None:
            nonlocal printed
            if hasattr(event, "kept") or time.monotonic() - printed >= PLAIN_SECONDS:
                printed = time.monotonic()
                typer.echo(_line(event), err=True)

        yield show


def _line(event: Event) -> str:
    from sursmr_codec.training.loop import EpochDone, Progress
    from sursmr_codec.training.run import Described
    from sursmr_codec.training.rungs import Prepared

    match event:
        case Prepared():
            return (
                f"pictures: {event.n_done} of {event.n_total} ladders, {event.n_encoded} of them encoded now"
            )
        case Progress():
            step = f"step {event.step} of {event.n_steps}"
            return f"{event.stage}: epoch {event.epoch} of {event.n_epochs}, {step}  loss {event.loss:.4f}"
        case EpochDone():
            errors = "  ".join(f"{ratio} {error:.4f}" for ratio, error in event.validation.items())
            return (
                f"{event.stage}: epoch {event.epoch} of {event.n_epochs} done  loss {event.loss:.4f}  "
                f"validation {errors or '-'}{'  (best)' if event.kept else ''}"
            )
        case Described():
            return f"features: {event.n_done} of {event.n_total} ladders of {event.split}"
    raise TypeError(f"no line for {event!r}")


def _table(finished: Finished) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("split", "ratio"):
        table.add_column(heading)
    for heading in ("rungs", "MAE", "MAE of codec and QP", "SROCC", "PLCC"):
        table.add_column(heading, justify="right")
    for split, fits in finished.fits.items():
        for ratio, fit in fits["model"].ratios.items():
            opponent = fits["codec_and_qp"].ratios[ratio]
            numbers = (fit.mae, opponent.mae, fit.srocc, fit.plcc)
            table.add_row(split, ratio, str(fit.n_rungs), *map(console.ratio, numbers))
    return table
