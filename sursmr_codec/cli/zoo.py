"""`sursmr-qp zoo`: what machines a zoo holds, and whether each of them works."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sursmr_codec.cli import console, options

if TYPE_CHECKING:
    from sursmr_codec.labels.machines.zoo import MachineRow, WrongRow, Zoo

SOME_FAILED = 7

app = typer.Typer(
    name="zoo",
    no_args_is_help=True,
    help="Look at the machines that measure SMR, and try them out.",
)

_FOLDER = "Folder of machines (zoo.csv and their files); `ready` is the table that ships with sursmr-qp."


@app.command("list")
def list_machines(
    folder: Annotated[str, typer.Argument(metavar="DIR", show_default=False, help=_FOLDER)] = "ready",
    json: options.Json = False,
) -> None:
    """List the machines of DIR, or of the ready table: task, input, runtime, vote and licence."""
    with console.failures():
        from sursmr_codec.cli import zoo_tables
        from sursmr_codec.cli.tables import print_table
        from sursmr_codec.labels.machines.zoo import read_zoo
        from sursmr_codec.zoo_records import zoo_list_record

        zoo = read_zoo(folder, verify=False)
        if json:
            console.print_json(zoo_list_record(zoo))
        else:
            print_table(zoo_tables.list_table(zoo))


@app.command("check")
def check(
    folder: Annotated[str, typer.Argument(metavar="DIR", show_default=False, help=_FOLDER)],
    image: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Picture to show; without one a drawing that means nothing."),
    ] = None,
    compressed: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Compressed copy of --image: also say who is satisfied with it."),
    ] = None,
    only: Annotated[str, typer.Option(metavar="LIST", help="Only these machines, with commas between.")] = "",
    download: Annotated[
        bool, typer.Option("--download", help="Fetch weights of timm and torchvision that are not here yet.")
    ] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Load every machine of DIR, show it a picture, and say what it answers or why it fails.

    Wrong rows of the table are named by line, machine and field, and the others are tried. Exit code 2 for a
    table that is wrong, 4 for a picture that is, 7 where a machine fails.
    """
    with console.failures():
        from sursmr_codec import images
        from sursmr_codec.cli import zoo_tables
        from sursmr_codec.cli.tables import print_table
        from sursmr_codec.errors import ImageError, UsageError
        from sursmr_codec.labels.machines import checking
        from sursmr_codec.labels.machines.class_names import ClassNames
        from sursmr_codec.labels.machines.zoo import read_right_rows
        from sursmr_codec.zoo_records import zoo_check_record

        zoo, wrong = read_right_rows(folder)
        rows = _chosen(zoo, wrong, only)
        names = ClassNames(zoo.folder)
        if compressed is not None and image is None:
            raise UsageError("--compressed needs the original that it was made from: give --image too")
        original = None if image is None else images.read(image)
        copy = None if compressed is None else images.read(compressed)
        if original is not None and copy is not None and original.rgb.shape != copy.rgb.shape:
            raise ImageError(
                f"{compressed} has {copy.width}x{copy.height} pixels, "
                f"the original {original.width}x{original.height}"
            )
        if original is None:
            console.warn(
                ["no --image: the machines see a drawing, of which their answers mean nothing"], quiet=quiet
            )
        checked = []
        for one in checking.check(
            rows,
            checking.drawn_picture() if original is None else original.rgb,
            None if copy is None else copy.rgb,
            download=download,
        ):
            checked.append(one)
            if not quiet:
                typer.echo(f"{len(checked)} of {len(rows)}  {one.row.name}: {_status(one.ok)}", err=True)
        ratios = None if copy is None or wrong else checking.ratios(zoo, checked)
        if json:
            console.print_json(
                zoo_check_record(
                    zoo,
                    checked,
                    names,
                    picture=original,
                    compressed=copy,
                    ratios=ratios,
                    wrong=[one.error for one in wrong],
                )
            )
        else:
            print_table(zoo_tables.check_table(checked, names, compared=copy is not None, ratios=ratios))
        for one in checked:
            if not one.ok:
                typer.echo(f"failed: {one.row.name}: {one.error}", err=True)
        _name_wrong(wrong)
    if not all(one.ok for one in checked):
        raise typer.Exit(SOME_FAILED)


def _chosen(zoo: Zoo, wrong: Sequence[WrongRow], only: str) -> tuple[MachineRow, ...]:
    names = dict.fromkeys(name.strip() for name in only.split(",") if name.strip())
    if any(one.name in names for one in wrong) or not zoo.rows:
        _name_wrong(wrong)
    return tuple(zoo[name] for name in names) if names else zoo.rows


def _name_wrong(wrong: Sequence[WrongRow]) -> None:
    """Name every row that cannot be read, and end with their exit code; nothing where there is none."""
    for one in wrong:
        typer.echo(f"error: {' '.join(str(one.error).split())}", err=True)
    if wrong:
        raise typer.Exit(wrong[0].error.exit_code)


def _status(ok: bool) -> str:
    return "ok" if ok else "failed"
