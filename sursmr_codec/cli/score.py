"""`sursmr-qp score`: SUR and SMR of compressed files that exist already."""

from __future__ import annotations

from typing import Annotated

import typer

from sursmr_codec.cli import console, options


def score(
    original: Annotated[str, typer.Argument(metavar="ORIGINAL", help="The original picture.")],
    compressed: Annotated[
        list[str],
        typer.Argument(
            metavar="COMPRESSED...", show_default=False, help="Files made from it, by any encoder."
        ),
    ],
    json: options.Json = False,
    predictor: options.Predict = "trained",
    model: options.Model = None,
    device: options.Device = options.Devices.cpu,
    accurate: options.Accurate = False,
    zoo: options.Zoo = None,
    protocol: options.Protocol = "calibrated",
    machines: options.Jury = options.Machines.all,
    threads: options.Threads = None,
    alpha: options.Alpha = "refuse",
    gain_map: options.GainMap = options.GainMaps.refuse,
    max_pixels: options.MaxPixels = options.MAX_PIXELS,
    quiet: options.Quiet = False,
) -> None:
    """Score files that exist already against their ORIGINAL, whatever encoder made them."""
    with console.failures():
        from sursmr_codec import curves, images
        from sursmr_codec.cli import tables
        from sursmr_codec.records import score_record

        judge = options.predictor(predictor, model, device, accurate, zoo, protocol, threads)
        reading = options.reading(alpha, max_pixels, gain_map=gain_map)
        source = images.read(original, reading)
        found = curves.scored(source, compressed, predictor=judge, jury=machines.value, reading=reading)
        if json:
            console.print_json(score_record(found.files))
        else:
            tables.print_table(tables.score_table(found.files))
        console.warn(found.warnings, quiet=quiet)
