"""`sursmr-qp batch`: pick and write for every image of a folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sursmr_codec.cli import batch_places, batch_run, console, encoder_options, options


def batch(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="IN",
            show_default=False,
            help="Folders, files, s3:// addresses, or patterns in quotes; - reads paths from stdin.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="OUT", show_default=False, help="Folder or s3:// address of results."
        ),
    ],
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Enter folders inside folders.")
    ] = False,
    include: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Only files that match; may be repeated.")
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="No files and folders that match; may be repeated."),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Folder that names in OUT are relative to, if not the obvious one."),
    ] = None,
    codec: options.Codecs = "jpeg",
    sur: Annotated[
        float | None,
        typer.Option(
            metavar="RATIO",
            show_default="0.75, or as sursmr-qp.toml says",
            help="Least share of viewers who see no difference; 0: off.",
        ),
    ] = None,
    smr: Annotated[
        float | None,
        typer.Option(
            metavar="RATIO",
            show_default="0.9, or as sursmr-qp.toml says",
            help="Least share of machines whose output stays; 0: off.",
        ),
    ] = None,
    risk: options.Risk = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Pictures at a time; one a core by default.")
    ] = None,
    engine: batch_places.Engine = "auto",
    ray_address: batch_places.RayAddress = None,
    state: batch_places.State = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Work on N pictures at most, then stop.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try again what failed before and has not changed.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files in OUT that are not of this batch.")
    ] = False,
    report: Annotated[bool, typer.Option("--report", help="Write a page about it at the end.")] = False,
    table: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Write a table at the end (.parquet, .csv)."),
    ] = None,
    best_effort: options.BestEffort = False,
    keep_smaller: options.KeepSmaller = False,
    min_savings: options.MinSavings = 5.0,
    max_bytes: options.MaxBytes = None,
    search: options.Search = options.Method.binary,
    tolerance: options.Tolerance = 0.0,
    min_qp: options.MinQp = None,
    max_qp: options.MaxQp = None,
    explain: options.Explain = False,
    predictor: options.Predict = "trained",
    model: options.Model = None,
    device: options.Device = options.Devices.cpu,
    accurate: options.Accurate = False,
    zoo: options.Zoo = None,
    protocol: options.Protocol = "calibrated",
    machines: options.Jury = options.Machines.all,
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
    json: Annotated[bool, typer.Option("--json", help="Print one JSON record a picture.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Pick and write for every image of IN, with the tree mirrored in OUT.

    The same command takes up a run that was stopped, and does what is missing or has changed. Ctrl-C
    finishes what runs, a second one stops at once. Exit code 7 where pictures failed or are unmet.
    """
    encoders = {
        "chroma": chroma and chroma.value,
        "bit_depth": bit_depth,
        "preset": preset,
        "speed": speed,
        "effort": effort,
        "progressive": progressive,
        "optimize": optimize,
        "x265": x265,
        "cjpeg": cjpeg,
        "vvencapp": vvencapp,
        "bpgenc": bpgenc,
    }
    with console.failures():
        from sursmr_codec.batch.listing import Selection
        from sursmr_codec.batch.request import Request
        from sursmr_codec.batch.settings import NamedPredictor, Settings
        from sursmr_codec.picking import PickSettings
        from sursmr_codec.types import SearchSettings, Targets

        engine, engine_options = batch_places.engine_of(engine, ray_address, device.value)
        given = {"sur": sur, "smr": smr, "risk": risk}
        asked = {name: value for name, value in given.items() if value is not None}
        Targets(**asked)
        request = Request(
            inputs=_given(inputs),
            out=output,
            settings=Settings(
                codec=codec,
                codec_options={name: value for name, value in encoders.items() if value is not None},
                load_predictor=NamedPredictor(
                    predictor,
                    {
                        "model": model,
                        "device": device.value,
                        "accurate": accurate,
                        "zoo": zoo,
                        "protocol": protocol,
                    },
                ),
                pick=PickSettings(
                    search=SearchSettings(search.value, tolerance, min_qp, max_qp, max_bytes),
                    jury=machines.value,
                    best_effort=best_effort,
                    min_savings=min_savings if keep_smaller else None,
                    explain=explain,
                ),
                reading=options.reading(alpha, max_pixels, strip=strip, gain_map=gain_map),
            ),
            targets=asked,
            selection=Selection(recursive, tuple(include or ()), tuple(exclude or ())),
            base=base,
            engine=engine,
            engine_options=engine_options,
            jobs=jobs,
            limit=limit,
            overwrite=overwrite,
            retry_failed=retry_failed,
            state=None if state is None else str(state),
        )
        if dry_run:
            batch_run.print_plan(request, json=json)
            return
        batch_run.check_endings(report=report, table=table)
        interrupted = batch_run.run(request, json=json, quiet=quiet)
    batch_run.finish(
        request.state_folder, interrupted=interrupted, report=report, table=table, json=json, quiet=quiet
    )


def _given(inputs: list[str]) -> tuple[str, ...]:
    """The inputs, with `-` replaced by the paths on stdin: one a line, or with NUL bytes between."""
    if "-" not in inputs:
        return tuple(inputs)
    text = sys.stdin.buffer.read().decode(errors="surrogateescape")
    listed = text.split("\0") if "\0" in text else text.splitlines()
    return tuple([path for path in listed if path] + [path for path in inputs if path != "-"])
