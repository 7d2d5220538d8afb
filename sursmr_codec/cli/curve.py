"""`sursmr-qp curve`: SUR, SMR and size of one image at every QP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sursmr_codec.cli import console, encoder_options, options

if TYPE_CHECKING:
    from sursmr_codec.types import Curve


def curve(
    image: options.ImagePath,
    codec: options.Codec = "jpeg",
    step: Annotated[int, typer.Option(metavar="N", min=1, help="Score every N-th QP only.")] = 1,
    csv: Annotated[Path | None, typer.Option(metavar="PATH", help="Write a CSV table; - for stdout.")] = None,
    json: options.Json = False,
    plot: options.PlotPath = None,
    min_qp: options.MinQp = None,
    max_qp: options.MaxQp = None,
    predictor: options.Predict = "trained",
    model: options.Model = None,
    device: options.Device = options.Devices.cpu,
    accurate: options.Accurate = False,
    zoo: options.Zoo = None,
    protocol: options.Protocol = "calibrated",
    machines: options.Jury = options.Machines.all,
    threads: options.Threads = None,
    alpha: options.Alpha = "refuse",
    strip: options.Strip = False,
    gain_map: options.GainMap = options.GainMaps.refuse,
    max_pixels: options.MaxPixels = options.MAX_PIXELS,
    chroma: encoder_options.Chroma = None,
    bit_depth: encoder_options.BitDepth = None,
    preset: encoder_options.Preset = None,
    speed: encoder_options.Speed = None,
    effort: encoder_options.Effort = None,
    x265: encoder_options.X265 = None,
    cjpeg: encoder_options.Cjpeg = None,
    vvencapp: encoder_options.VvencApp = None,
    bpgenc: encoder_options.BpgEnc = None,
    quiet: options.Quiet = False,
) -> None:
    """Print SUR, SMR, bytes and bits a pixel of IMAGE at every QP of an encoder."""
    with console.failures():
        from sursmr_codec import curves
        from sursmr_codec.cli import tables
        from sursmr_codec.errors import UsageError
        from sursmr_codec.records import curve_csv, curve_record
        from sursmr_codec.types import SearchSettings

        if json and csv is not None and str(csv) == "-":
            raise UsageError("--csv - and --json both write to stdout: give --csv a file")
        encoder = encoder_options.one(
            codec,
            chroma=None if chroma is None else chroma.value,
            bit_depth=bit_depth,
            preset=preset,
            speed=speed,
            effort=effort,
            x265=x265,
            cjpeg=cjpeg,
            vvencapp=vvencapp,
            bpgenc=bpgenc,
        )
        if plot is not None:
            from sursmr_codec.report import plots

            plots.require(plot, image)
        events = curves.curve_events(
            image,
            codec=encoder,
            predictor=options.predictor(predictor, model, device, accurate, zoo, protocol, threads),
            step=step,
            settings=SearchSettings(min_qp=min_qp, max_qp=max_qp),
            jury=machines.value,
            reading=options.reading(alpha, max_pixels, strip=strip, gain_map=gain_map),
        )
        found: Curve = console.follow(events, quiet=quiet)
        if plot is not None:
            plots.write_curve(found, plot)
        if csv is not None and str(csv) != "-":
            from sursmr_codec import images

            images.write(csv, curve_csv(found).encode(), source_path=image)
        if json:
            console.print_json(curve_record(found))
        elif csv is not None and str(csv) == "-":
            typer.echo(curve_csv(found), nl=False)
        elif csv is None:
            tables.print_table(tables.curve_table(found))
        console.warn(found.warnings, quiet=quiet)
