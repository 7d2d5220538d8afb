"""Registry of codecs by id; a codec's module is imported when it is first asked for."""

from __future__ import annotations

import inspect
from importlib import import_module

from sursmr_codec.codecs.base import Availability, Codec
from sursmr_codec.errors import UsageError

__all__ = [
    "Availability",
    "Codec",
    "available_ids",
    "codec_class",
    "for_stream",
    "get",
    "ids",
    "option_names",
    "several",
]

_HOMES = {
    "jpeg": ("sursmr_codec.codecs.jpeg", "Jpeg"),
    "hevc": ("sursmr_codec.codecs.hevc", "Hevc"),
    "vvc": ("sursmr_codec.codecs.vvc", "Vvc"),
    "bpg": ("sursmr_codec.codecs.bpg", "Bpg"),
    "heic": ("sursmr_codec.codecs.heic", "Heic"),
    "avif": ("sursmr_codec.codecs.avif", "Avif"),
    "webp": ("sursmr_codec.codecs.webp", "Webp"),
    "jxl": ("sursmr_codec.codecs.jxl", "Jxl"),
    "jpegli": ("sursmr_codec.codecs.jpegli", "Jpegli"),
}

_STREAMS = {
    ".hevc": "hevc",
    ".265": "hevc",
    ".vvc": "vvc",
    ".266": "vvc",
    ".bpg": "bpg",
    ".jxl": "jxl",
}
"""Extensions of files that only this package's own decoders read."""


def ids() -> tuple[str, ...]:
    """Ids of every codec known, usable here or not."""
    return tuple(_HOMES)


def available_ids() -> tuple[str, ...]:
    """Ids of the codecs that are usable here with their default options."""
    return tuple(codec_id for codec_id in _HOMES if get(codec_id).availability().usable)


def codec_class(codec_id: str) -> type[Codec]:
    """The class of a codec; raises UsageError, naming the known ids, for an unknown one."""
    if codec_id not in _HOMES:
        raise UsageError(f"unknown codec {codec_id!r}; known: {', '.join(_HOMES)}")
    module, name = _HOMES[codec_id]
    found: type[Codec] = getattr(import_module(module), name)
    return found


def get(codec_id: str, **options: object) -> Codec:
    """Make a codec with its own options, for example `get("hevc", preset="slow")`.

    Raises UsageError for an unknown id, and for an option or value that the codec does not take.
    """
    known = codec_class(codec_id)
    try:
        return known(**options)
    except TypeError as trouble:
        raise UsageError(f"codec {codec_id} does not take these options: {trouble}") from trouble


def option_names(codec_id: str) -> frozenset[str]:
    """Names of the options that a codec takes; raises UsageError for an unknown id."""
    parameters = inspect.signature(codec_class(codec_id)).parameters.values()
    return frozenset(one.name for one in parameters if one.kind is not one.VAR_KEYWORD)


def several(ids_text: str, **options: object) -> tuple[Codec, ...]:
    """Make the codecs of a list with commas between, in that order: `several("jpeg,avif", chroma="444")`.

    Each option goes to those of them that take it; one that is None counts as not given. Raises UsageError
    for an unknown id, one that stands twice, a value that a codec does not take, and an option that none of
    them takes.
    """
    wanted = [codec_id.strip() for codec_id in ids_text.split(",")]
    if "" in wanted:
        raise UsageError(f"codec: a name is missing in {ids_text!r}; known: {', '.join(ids())}")
    for codec_id in wanted:
        if wanted.count(codec_id) > 1:
            raise UsageError(f"codec {codec_id} is named twice")
    given = {name: value for name, value in options.items() if value is not None}
    taken = {codec_id: option_names(codec_id) for codec_id in wanted}
    for name in given:
        if not any(name in names for names in taken.values()):
            owners = ", ".join(codec_id for codec_id in _HOMES if name in option_names(codec_id))
            plural = "codec" if len(wanted) == 1 else "none of the codecs"
            verb = "takes no" if len(wanted) == 1 else "takes"
            raise UsageError(
                f"{plural} {', '.join(wanted)} {verb} {name.replace('_', '-')}; it is for {owners or 'none'}"
            )
    return tuple(
        get(codec_id, **{name: value for name, value in given.items() if name in taken[codec_id]})
        for codec_id in wanted
    )


def for_stream(suffix: str) -> Codec | None:
    """The codec whose files have that extension, where no image reader knows them; None for all others."""
    codec_id = _STREAMS.get(suffix.lower())
    return None if codec_id is None else get(codec_id)
