"""`sursmr-qp bench`: bytes saved on a folder against what one would do without picks."""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sursmr_codec.cli import console, encoder_options, options

if TYPE_CHECKING:
    from sursmr_codec.bench.gates import Bounds, Gate
    from sursmr_codec.bench.question import Question
    from sursmr_codec.bench.result import Result


class Truth(StrEnum):
    """Who says whether targets are met."""

    predicted = "predicted"
    measured = "measured"


def bench(
    folder: Annotated[
        str, typer.Argument(metavar="FOLDER", show_default=False, help="Pictures, or one picture.")
    ],
    codec: Annotated[
        str, typer.Option(metavar="IDS", help="Encoders, with commas between; each is compared with itself.")
    ] = "jpeg",
    sur: Annotated[
        float, typer.Option(metavar="RATIO", help="Least share of viewers who see no difference; 0: off.")
    ] = 0.75,
    smr: Annotated[
        float, typer.Option(metavar="RATIO", help="Least share of machines whose output stays; 0: off.")
    ] = 0.9,
    risk: options.Risk = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            show_default="best-fixed",
            help="What picks are held against: best-fixed, ssimulacra2, cvvdp, oracle, or a setting as "
            "quality=75 or qp=32; may be repeated.",
        ),
    ] = None,
    truth: Annotated[
        Truth, typer.Option(help="Who says whether targets are met: what picks, or measured labels (--zoo).")
    ] = Truth.predicted,
    oracle_step: Annotated[
        int, typer.Option(metavar="N", min=1, help="The oracle looks at every N-th QP.")
    ] = 1,
    min_saved: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]PCT",
            help="Exit 8 unless so many percent are saved, against one baseline or all but the oracle.",
        ),
    ] = None,
    max_missed: Annotated[
        float | None,
        typer.Option(metavar="PCT", help="Exit 8 if more percent of the images miss a target."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="OLD.json", help="An earlier result, for --max-regression."),
    ] = None,
    max_regression: Annotated[
        float | None,
        typer.Option(
            metavar="PCT", help="Exit 8 if bytes, or points of images that miss, grew by more since."
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Take N pictures, spread evenly over all.")
    ] = None,
    jobs: Annotated[int, typer.Option(metavar="N", min=1, help="Pictures at a time.")] = 1,
    cache: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Keep measured answers here: the same command takes up where it was stopped, and others "
            "find them, annotate too.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="PATH", help="Write the JSON record here.")] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Write a summary in Markdown here.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the JSON record instead of a table.")] = False,
    search: options.Search = options.Method.binary,
    tolerance: options.Tolerance = 0.0,
    predictor: options.Predict = "trained",
    model: options.Model = None,
    device: options.Device = options.Devices.cpu,
    accurate: options.Accurate = False,
    zoo: options.Zoo = None,
    protocol: options.Protocol = "calibrated",
    machines: options.Jury = options.Machines.all,
    alpha: options.Alpha = "refuse",
    max_pixels: options.MaxPixels = options.MAX_PIXELS,
    chroma: encoder_options.Chroma = None,
    bit_depth: encoder_options.BitDepth = None,
    preset: encoder_options.Preset = None,
    speed: encoder_options.Speed = None,
    effort: encoder_options.Effort = None,
    progressive: encoder_options.Progressive = None,
    optimize: encoder_options.Optimize = None,
    quiet: options.Quiet = False,
) -> None:
    """Compare picks on the pictures of FOLDER with what one would do without them; check bounds.

    Every file that is compared is encoded and judged at its own QP. Baselines but for fixed settings are
    compared at the share of images that the picks meet the targets on, chosen with hindsight.
    """
    with console.failures():
        from sursmr_codec.batch.settings import NamedPredictor
        from sursmr_codec.bench import baselines
        from sursmr_codec.bench.gates import Bounds, parse_min_saved
        from sursmr_codec.bench.question import Question
        from sursmr_codec.bench.remembered import Remembering
        from sursmr_codec.errors import UsageError
        from sursmr_codec.types import SearchSettings, Targets

        compared = baselines.several(baseline or ["best-fixed"])
        bounds = Bounds(
            parse_min_saved(min_saved or [], [one.name for one in compared]), max_missed, max_regression
        )
        if (against is None) != (max_regression is None):
            raise UsageError("--against and --max-regression go together")
        if out is not None and markdown is not None and out.resolve() == markdown.resolve():
            raise UsageError(f"--out and --markdown are both {out}; name two files")
        if truth is not Truth.measured and predictor != "measured":
            options.refuse_zoo(zoo, "--truth measured")
        encoders = {
            "chroma": chroma and chroma.value,
            "bit_depth": bit_depth,
            "preset": preset,
            "speed": speed,
            "effort": effort,
            "progressive": progressive,
            "optimize": optimize,
        }
        options_of_predictor = {
            "model": model,
            "device": device.value,
            "accurate": accurate,
            "zoo": zoo,
            "protocol": protocol,
        }
        judge: NamedPredictor | Remembering | None = None
        if truth is Truth.measured and predictor != "measured":
            judge = NamedPredictor("measured", {"zoo": zoo, "protocol": protocol})
        if cache is not None:
            if judge is None:
                raise UsageError(
                    "--cache keeps measured truth about predicted picks: give --truth measured alone"
                )
            if alpha != "refuse":
                raise UsageError("--cache tells pictures apart by their files; leave --alpha out")
            judge = Remembering(cache, zoo, protocol)
        question = Question(
            folder=folder,
            codec=codec,
            codec_options={name: value for name, value in encoders.items() if value is not None},
            targets=Targets(sur, smr, risk),
            search=SearchSettings(search.value, tolerance),
            jury=machines.value,
            reading=options.reading(alpha, max_pixels),
            load_predictor=NamedPredictor(predictor, options_of_predictor),
            truth=truth.value,
            load_judge=judge,
            baselines=compared,
            oracle_step=oracle_step,
            limit=limit,
            jobs=jobs,
        )
        _answer(question, bounds, against, protocol, out=out, markdown=markdown, json=json, quiet=quiet)


def _answer(
    question: Question,
    bounds: Bounds,
    against: Path | None,
    protocol: str,
    *,
    out: Path | None,
    markdown: Path | None,
    json: bool,
    quiet: bool,
) -> None:
    from sursmr_codec import images
    from sursmr_codec.bench import earlier, gates, summary
    from sursmr_codec.bench.events import events
    from sursmr_codec.bench.record import bench_record
    from sursmr_codec.cli import tables
    from sursmr_codec.labels import protocols

    before = None
    if against is not None:
        before = earlier.read(against, question, protocols.load(protocol).id)
    for path in (out, markdown):
        if path is not None:
            images.check_target(path)
    result = _followed(events(question), quiet=quiet)
    growths = {}
    if before is not None and against is not None:
        growths = earlier.growths(result, before, against)
    found = gates.gates(result, bounds, growths)
    record = bench_record(result, found, growths)
    said = [str(gate) for gate in found]
    if out is not None:
        images.write(out, (jsonlib.dumps(record, indent=1, allow_nan=False) + "\n").encode())
    if markdown is not None:
        images.write(markdown, summary.markdown(record, said).encode())
    if json:
        console.print_json(record)
    else:
        tables.print_table(tables.bench_table(record, said))
    _check(found)


def _check(found: tuple[Gate, ...]) -> None:
    from sursmr_codec.errors import GateNotMet

    if broken := [str(gate) for gate in found if not gate.ok]:
        raise GateNotMet(f"not within bounds: {'; '.join(broken)}")


def _followed(events: Iterable[Any], *, quiet: bool) -> Result:
    """The result; on the way a live line on a terminal's stderr, or one line a stage elsewhere."""
    if quiet or not sys.stderr.isatty():
        last = None
        for event in events:
            if not quiet and getattr(event, "n_done", None) == 1:
                typer.echo(f"{event.stage}: {event.n_all} images", err=True)
            last = event
    else:
        from rich.console import Console
        from rich.status import Status

        with Status("reading", console=Console(stderr=True)) as status:
            for event in events:
                if hasattr(event, "n_done"):
                    status.update(f"{event.stage}: {event.n_done} of {event.n_all} images")
                last = event
    result: Result = last  # type: ignore[assignment]  # the last event always is the result
    return result
