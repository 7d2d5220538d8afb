"""Options of encoders, and those that name programs of the user's own to be used in their place."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sursmr_codec.codecs import Codec


class ChromaFormat(StrEnum):
    """Chroma formats that some encoders can write."""

    halved = "420"
    full = "444"


Chroma = Annotated[
    ChromaFormat | None,
    typer.Option("--chroma", help="Chroma format of jpeg, hevc, bpg, heic and avif: 420 halves it."),
]
BitDepth = Annotated[
    int | None, typer.Option("--bit-depth", metavar="8|10", help="Bits a sample of hevc, bpg and heic.")
]
Preset = Annotated[
    str | None, typer.Option("--preset", metavar="NAME", help="Preset of hevc, bpg, heic and vvc, as `slow`.")
]
Speed = Annotated[
    int | None, typer.Option("--speed", metavar="N", help="Speed of avif, 0..10: higher is faster.")
]
Effort = Annotated[
    int | None,
    typer.Option("--effort", metavar="N", help="Effort of webp, 0..6, and jxl, 1..9: higher is slower."),
]
Progressive = Annotated[
    bool | None,
    typer.Option(
        "--progressive/--no-progressive", show_default=False, help="Write jpeg as a progressive file."
    ),
]
Optimize = Annotated[
    bool | None,
    typer.Option(
        "--optimize/--no-optimize", show_default=False, help="Write jpeg with optimised Huffman tables."
    ),
]
X265 = Annotated[
    str | None, typer.Option("--x265", metavar="PATH", help="Encode hevc or bpg with this x265.")
]
Cjpeg = Annotated[
    str | None,
    typer.Option("--cjpeg", metavar="PATH", help="Encode jpeg with this cjpeg (libjpeg-turbo, mozjpeg)."),
]
VvencApp = Annotated[
    str | None, typer.Option("--vvencapp", metavar="PATH", help="Encode vvc with this vvencapp.")
]
BpgEnc = Annotated[str | None, typer.Option("--bpgenc", metavar="PATH", help="Encode bpg with this bpgenc.")]


def chosen(ids: str, **given: object) -> tuple[Codec, ...]:
    """The codecs of `--codec` with the options that each of them takes; None stands for one not given.

    Raises UsageError for an unknown codec, a bad value, and an option that none of them takes.
    """
    from sursmr_codec import codecs

    return codecs.several(ids, **given)


def one(ids: str, **given: object) -> Codec:
    """The same for a command of one codec; raises UsageError for several."""
    from sursmr_codec.errors import UsageError

    codecs = chosen(ids, **given)
    if len(codecs) > 1:
        raise UsageError(f"this command takes one codec, not {ids}")
    return codecs[0]
