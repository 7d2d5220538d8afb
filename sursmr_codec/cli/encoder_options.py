"""Options that name encoder programs of the user's own, to be used in place of the built-in encoders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

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


def programs(codec_ids: Sequence[str], **paths: str | None) -> Mapping[str, Mapping[str, str]]:
    """Codec id -> the options that hand it its programs, for each of `codec_ids`.

    Raises UsageError for a program that none of them can use.
    """
    from sursmr_codec.codecs._local import KINDS
    from sursmr_codec.errors import UsageError

    chosen: dict[str, dict[str, str]] = {codec_id: {} for codec_id in codec_ids}
    for kind in KINDS:
        path = paths[kind.name]
        if path is None:
            continue
        users = [codec_id for codec_id in codec_ids if codec_id in kind.codecs]
        if not users:
            raise UsageError(
                f"--{kind.name} is for --codec {' and '.join(kind.codecs)}, not for {', '.join(codec_ids)}"
            )
        for codec_id in users:
            chosen[codec_id][kind.name] = path
    return chosen
