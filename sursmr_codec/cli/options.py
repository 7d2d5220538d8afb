"""Option groups that several commands share."""

from __future__ import annotations

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


class Method(StrEnum):
    """How the highest QP is looked for."""

    binary = "binary"
    exhaustive = "exhaustive"


ImagePath = Annotated[str, typer.Argument(metavar="IMAGE", show_default=False, help="The original picture.")]
Codec = Annotated[str, typer.Option(metavar="ID", help="Encoder; see `sursmr-qp codecs`.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON record instead of a table.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no warnings on stderr.")]
PlotPath = Annotated[
    Path | None,
    typer.Option("--plot", metavar="PATH", help="Draw SUR, SMR and bytes over QP (.png, .svg, .pdf)."),
]

Predict = Annotated[
    str,
    typer.Option("--predictor", metavar="NAME", help="What scores the rungs: measured."),
]
Zoo = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        envvar="SURSMR_ZOO",
        help="Folder of machines (zoo.csv and their files) that measure SMR.",
    ),
]
Protocol = Annotated[
    str,
    typer.Option(metavar="NAME", help="Viewing condition that SUR refers to, or a .toml file of one."),
]
Jury = Annotated[Machines, typer.Option("--machines", help="Machines that SMR is taken over.")]
Threads = Annotated[int | None, typer.Option(metavar="N", min=1, help="Cores to use; all by default.")]

Alpha = Annotated[
    str,
    typer.Option(
        metavar="POLICY",
        help="What to do with transparency: refuse, or flatten=#rrggbb onto a colour.",
    ),
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


def predictor(name: str, zoo: Path | None, protocol: str, threads: int | None) -> Predictor:
    """The predictor that the scoring options ask for."""
    from sursmr_codec import predict

    return predict.load(name, zoo=zoo, protocol=protocol, threads=threads)


def reading(alpha: str, max_pixels: int) -> Reading:
    """How to read pictures, as the reading options ask for."""
    from sursmr_codec.images import Reading, parse_alpha

    return Reading(alpha=parse_alpha(alpha), max_pixels=max_pixels)
