"""`sursmr-qp data`: data sets of human judgements, checked and turned into label tables."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sursmr_codec.cli import console, options

if TYPE_CHECKING:
    from sursmr_codec.datasets.check import Check, CodecCheck
    from sursmr_codec.labels.rows import LabelRow

app = typer.Typer(
    name="data",
    no_args_is_help=True,
    help="Read published data sets of human judgements, or a study of one's own.",
)

MOST_NAMED = 20
"""Missing files and problems that are named where nobody asked for all."""

PLAIN_SECONDS = 30.0
"""Between two lines of progress."""

_Place = Annotated[
    Path,
    typer.Argument(
        metavar="PATH", show_default=False, help="The data set's folder, or a study's .toml file."
    ),
]
_As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="READER",
        help="Which it is, where that cannot be seen: konjnd-1k, mcl-jci, table, coco, folder.",
    ),
]


@app.command("check")
def check(
    path: _Place,
    reader: _As = None,
    all_: Annotated[bool, typer.Option("--all", help="Name every missing file and problem.")] = False,
    json: options.Json = False,
) -> None:
    """Say what of a data set is there: images, levels, raters, and missing and damaged files by name.

    Exit code 4 where nothing of it can be read.
    """
    from sursmr_codec.datasets.check import record

    with console.failures((lambda line: record(path, None, line)) if json else None):
        from sursmr_codec import datasets
        from sursmr_codec.datasets.check import check as count

        found = count(datasets.only_whole(datasets.read(path, reader)))
        if json:
            console.print_json(record(path, found))
            return
        for name, value in _facts(found):
            typer.echo(f"{name:<9} {value}")
        _name("missing", found.missing, len(found.missing) if all_ else MOST_NAMED)
        _name("problem", found.problems, len(found.problems) if all_ else MOST_NAMED)


@app.command("labels")
def labels(
    path: _Place,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", show_default=False, help="Table to write (Parquet).")
    ],
    reader: _As = None,
    below: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder that holds this data set and others: what train gets as --data; PATH by default.",
        ),
    ] = None,
    zoo: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of machines, to be asked about the same pictures: SMR beside SUR."
        ),
    ] = None,
    machine_split: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --zoo: TOML list of machines that are kept from training."),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="With --zoo: raw answers, for a run that is stopped; FILE.cache by default."
        ),
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Write the human SUR of every rung that is there as a label table, like those of annotate.

    Damaged pictures are left out and named. Exit code 4 where nothing of the data set can be read.
    """
    with console.failures():
        from sursmr_codec import datasets
        from sursmr_codec.errors import ImageError, OutputError, UsageError
        from sursmr_codec.labels import store
        from sursmr_codec.labels.origin import Origin

        if zoo is None and (machine_split is not None or cache is not None):
            raise UsageError("--machine-split and --cache are for machines: add --zoo")
        data = datasets.only_whole(datasets.read(path, reader))
        rows = list(datasets.label_rows(data, below))
        if not rows:
            raise ImageError(f"{path} has no rung with a source, a compressed picture and a SUR")
        try:
            # Before machines are asked for hours.
            out.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{out.parent} cannot be made: {error}") from error
        machines: list[str] = []
        unseen: frozenset[str] = frozenset()
        if zoo is not None:
            rows, machines, unseen = _asked(
                rows, below or data.root, zoo, machine_split, cache or Path(f"{out}.cache"), quiet
            )
        store.write_labels(store.to_table(rows, machines), out, origin=Origin(tuple(sorted(unseen))))
        console.warn([*data.problems], quiet=quiet)
        if not quiet:
            typer.echo(
                f"{len(rows)} rungs of {len(data.images)} images, {len(data.missing)} missing", err=True
            )


def _asked(
    rows: list[LabelRow], folder: Path, zoo: Path, machine_split: Path | None, cache: Path, quiet: bool
) -> tuple[list[LabelRow], list[str], frozenset[str]]:
    """The rows with the votes of a zoo's jury, the names of its machines, and which of them are unseen."""
    from sursmr_codec.datasets.machines import with_machines
    from sursmr_codec.labels.machine_split import unseen_machines
    from sursmr_codec.labels.panel import ZooSetup
    from sursmr_codec.labels.raw_cache import RawCache

    setup = ZooSetup(zoo, ())
    unseen = unseen_machines(setup.rows, machine_split)
    done: list[LabelRow] = []
    told = time.monotonic()
    with RawCache(cache) as raw:
        for row in with_machines(rows, folder, setup, raw, unseen):
            done.append(row)
            if not quiet and time.monotonic() - told >= PLAIN_SECONDS:
                told = time.monotonic()
                typer.echo(f"{len(done)} of {len(rows)} rungs", err=True)
    return done, [row.name for row in setup.rows], unseen


def _facts(found: Check) -> list[tuple[str, str]]:
    splits = ", ".join(f"{n} {split}" for split, n in found.splits.items() if split)
    labels = f"{found.n_rungs} rungs have a source, a compressed picture and a SUR"
    return [
        ("data set", f"{found.name} ({found.reader})"),
        ("images", f"{found.n_images}{f' ({splits})' if splits else ''}"),
        *((codec.id, _codec(codec)) for codec in found.codecs),
        ("labels", labels if found.codecs else "none; `sursmr-qp annotate` makes them"),
        ("missing", f"{len(found.missing)} files"),
        ("problems", str(len(found.problems))),
    ]


def _codec(codec: CodecCheck) -> str:
    parts = [f"{codec.n_images} images", f"QP {codec.qp_low}..{codec.qp_high}", f"{codec.n_files} files"]
    if codec.n_ratings is not None:
        low, high = codec.raters_low, codec.raters_high
        parts.append(f"{codec.n_ratings} ratings, {low if low == high else f'{low} to {high}'} an image")
    if codec.half_qp is not None:
        parts.append(f"SUR 0.5 up to QP {codec.half_qp:.1f} on average")
    return ", ".join(parts)


def _name(kind: str, names: tuple[str, ...], most: int) -> None:
    for name in names[:most]:
        typer.echo(f"{kind}: {name}")
    if len(names) > most:
        typer.echo(f"{kind}: {len(names) - most} more; --all names them")
