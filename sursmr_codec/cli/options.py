"""Option groups that several commands share."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sursmr_codec.images import Reading
    from sursmr_codec.predict import Predictor


class Machines(StrEnum):
    """Which machines SMR is taken over."""

    all = "all"
    classification = "classification"
    detection = "detection"


class GainMaps(StrEnum):
    """What to do with a second picture that raises the first to high dynamic range."""

    refuse = "refuse"
    drop = "drop"


class Devices(StrEnum):
    """What a trained model runs on."""

    cpu = "cpu"
    cuda = "cuda"


class Method(StrEnum):
    """How the highest QP is looked for."""

    binary = "binary"
    exhaustive = "exhaustive"


ImagePath = Annotated[str, typer.Argument(metavar="IMAGE", show_default=False, help="The original picture.")]
Codec = Annotated[str, typer.Option(metavar="ID", help="Encoder; see `sursmr-qp codecs`.")]
Codecs = Annotated[
    str,
    typer.Option(
        "--codec",
        metavar="IDS",
        help="Encoder (see `sursmr-qp codecs`), or several with commas between: the smallest file is taken.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON record instead of a table.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no warnings on stderr.")]
PlotPath = Annotated[
    Path | None,
    typer.Option("--plot", metavar="PATH", help="Draw SUR, SMR and bytes over QP (.png, .svg, .pdf)."),
]

Predict = Annotated[
    str,
    typer.Option(
        "--predictor",
        metavar="NAME",
        help="What scores the rungs: trained is fast, measured runs real metrics and machines.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(metavar="ID|DIR", help="Trained model: one by its id, or a folder of your own."),
]
Device = Annotated[Devices, typer.Option(help="What the trained model runs on.")]
Accurate = Annotated[
    bool, typer.Option("--accurate", help="Let the trained model look at large pictures in more places.")
]
Zoo = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        envvar="SURSMR_ZOO",
        help="Folder of machines (zoo.csv and their files) that measure SMR, with --predictor measured.",
    ),
]
Protocol = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Viewing condition that SUR refers to: calibrated, flicker, side-by-side, bisection, jpeg-aic, "
        "or a .toml file of your own.",
    ),
]
Jury = Annotated[Machines, typer.Option("--machines", help="Machines that SMR is taken over.")]
Threads = Annotated[int | None, typer.Option(metavar="N", min=1, help="Cores to use; all by default.")]

Risk = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        show_default="the prediction itself decides",
        help="Largest share of picks that may miss a target in truth, 0.05 to 0.2.",
    ),
]
BestEffort = Annotated[
    bool, typer.Option("--best-effort", help="Take the nearest rung where the targets cannot be met.")
]
KeepSmaller = Annotated[
    bool, typer.Option("--keep-smaller", help="Keep the original's bytes where too little is saved.")
]
MinSavings = Annotated[
    float, typer.Option(metavar="PERCENT", help="What --keep-smaller asks a pick to save.")
]
MaxBytes = Annotated[int | None, typer.Option(metavar="N", help="Largest file that may be picked.")]
Search = Annotated[Method, typer.Option(help="binary is fast; exhaustive scores every rung.")]
Tolerance = Annotated[
    float, typer.Option(metavar="T", help="Stop early when the binding ratio overshoots by no more.")
]
Explain = Annotated[bool, typer.Option("--explain", help="Say which machines flip and which teacher binds.")]

Alpha = Annotated[
    str,
    typer.Option(
        metavar="POLICY",
        help="What to do with transparency: refuse, keep, or flatten=#rrggbb onto a colour.",
    ),
]
Strip = Annotated[
    bool, typer.Option("--strip", help="Leave metadata out: EXIF, XMP, density, and profiles (made sRGB).")
]
GainMap = Annotated[
    GainMaps, typer.Option("--gain-map", help="What to do with gain maps of high dynamic range.")
]
MaxPixels = Annotated[
    int,
    typer.Option(metavar="N", min=1, help="Refuse larger pictures before decoding them."),
]

MinQp = Annotated[int | None, typer.Option("--min-qp", metavar="QP", help="Lowest QP to consider.")]
MaxQp = Annotated[
    int | None,
    typer.Option("--max-qp", metavar="QP", help="Highest QP to consider."),
]

MAX_PIXELS = 200_000_000


def refuse_zoo(zoo: Path | None, option: str) -> None:
    """Raise UsageError for machines where nothing is measured; `option` is what would measure."""
    from sursmr_codec.errors import UsageError

    # Who sets the variable once for all runs does not ask this one to measure.
    if zoo is not None and "SURSMR_ZOO" not in os.environ:
        raise UsageError(f"--zoo is for measuring: add {option}")


def predictor(
    name: str,
    model: str | None,
    device: Devices,
    accurate: bool,
    zoo: Path | None,
    protocol: str,
    threads: int | None,
) -> Predictor:
    """The predictor that the scoring options ask for; raises UsageError where one would go unused."""
    from sursmr_codec import predict

    if name == "trained":
        refuse_zoo(zoo, "--predictor measured")
    return predict.load(
        name,
        model=model,
        device=device.value,
        accurate=accurate,
        zoo=zoo,
        protocol=protocol,
        threads=threads,
    )


def reading(
    alpha: str, max_pixels: int, *, strip: bool = False, gain_map: GainMaps = GainMaps.refuse
) -> Reading:
    """How to read pictures, as the reading options ask for."""
    from sursmr_codec.images import Reading, parse_alpha

    return Reading(parse_alpha(alpha), max_pixels, strip=strip, gain_map=gain_map.value)
