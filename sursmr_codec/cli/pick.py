"""`sursmr-qp pick`: the highest QP of one image that meets both targets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sursmr_codec.cli import console, encoder_options, options

if TYPE_CHECKING:
    from sursmr_codec.types import Pick


def pick(
    image: options.ImagePath,
    codec: options.Codecs = "jpeg",
    sur: Annotated[
        float, typer.Option(metavar="RATIO", help="Least share of viewers who see no difference; 0: off.")
    ] = 0.75,
    smr: Annotated[
        float, typer.Option(metavar="RATIO", help="Least share of machines whose output stays; 0: off.")
    ] = 0.9,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write the picked rung here.")
    ] = None,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Let the output replace the input (the input, without -o).")
    ] = False,
    json: options.Json = False,
    plot: options.PlotPath = None,
    explain: options.Explain = False,
    risk: options.Risk = None,
    best_effort: options.BestEffort = False,
    keep_smaller: options.KeepSmaller = False,
    min_savings: options.MinSavings = 5.0,
    max_bytes: options.MaxBytes = None,
    search: options.Search = options.Method.binary,
    tolerance: options.Tolerance = 0.0,
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
    progressive: encoder_options.Progressive = None,
    optimize: encoder_options.Optimize = None,
    x265: encoder_options.X265 = None,
    cjpeg: encoder_options.Cjpeg = None,
    vvencapp: encoder_options.VvencApp = None,
    bpgenc: encoder_options.BpgEnc = None,
    quiet: options.Quiet = False,
) -> None:
    """Find the highest QP of IMAGE that meets both targets, and write that rung."""
    from sursmr_codec.types import SearchSettings, Targets

    def failed(message: str) -> object:
        from sursmr_codec.records import failure_record

        return failure_record(image, message, asked)

    asked: dict[str, object] = {
        "machines": machines.value,
        "targets": {"sur": sur, "smr": smr, "risk": risk},
        "search": {
            "method": search.value,
            "tolerance": tolerance,
            "min_qp": min_qp,
            "max_qp": max_qp,
            "max_bytes": max_bytes,
        },
    }
    with console.failures(failed if json else None):
        from sursmr_codec import images, picking

        encoders = encoder_options.chosen(
            codec,
            chroma=None if chroma is None else chroma.value,
            bit_depth=bit_depth,
            preset=preset,
            speed=speed,
            effort=effort,
            progressive=progressive,
            optimize=optimize,
            x265=x265,
            cjpeg=cjpeg,
            vvencapp=vvencapp,
            bpgenc=bpgenc,
        )
        targets = Targets(sur, smr, risk)
        settings = picking.PickSettings(
            search=SearchSettings(search.value, tolerance, min_qp, max_qp, max_bytes),
            jury=machines.value,
            best_effort=best_effort,
            min_savings=min_savings if keep_smaller else None,
            explain=explain,
        )
        target_path = Path(image) if in_place and output is None else output
        if target_path is not None:
            images.check_target(target_path, source_path=image, in_place=in_place)
        if plot is not None:
            from sursmr_codec.report import plots

            plots.require(plot, image)
        events = picking.pick_events(
            image,
            targets,
            codec=encoders,
            predictor=options.predictor(predictor, model, device, accurate, zoo, protocol, threads),
            settings=settings,
            reading=options.reading(alpha, max_pixels, strip=strip, gain_map=gain_map),
        )
        picked: Pick = console.follow(events, quiet=quiet)
    _finish(picked, target_path, in_place=in_place, plot=plot, json=json, quiet=quiet)


def _finish(
    picked: Pick, target_path: Path | None, *, in_place: bool, plot: Path | None, json: bool, quiet: bool
) -> None:
    from sursmr_codec import picking
    from sursmr_codec.errors import TargetNotReachable
    from sursmr_codec.records import pick_record

    def unwritten(message: str) -> object:
        return pick_record(replace(picked, warnings=(*picked.warnings, message)))

    with console.failures(unwritten if json else None):
        from sursmr_codec.cli import tables

        if target_path is not None and picked.encoded is not None:
            picked = picking.save(picked, target_path, in_place=in_place)
        if plot is not None:
            from sursmr_codec.report import plots

            plots.write_pick(picked, plot)
        if picked.encoded is None:
            if not json:
                tables.print_table(tables.pick_tables(picked))
            console.warn(picked.warnings, quiet=quiet)
            raise TargetNotReachable(picking.not_reachable(picked), picked)
        if json:
            console.print_json(pick_record(picked))
        else:
            tables.print_table(tables.pick_tables(picked))
        console.warn(picked.warnings, quiet=quiet)
