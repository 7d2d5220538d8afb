"""Registry of codecs by id; a codec's module is imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module

from sursmr_codec.codecs.base import Availability, Codec
from sursmr_codec.errors import UsageError

__all__ = ["Availability", "Codec", "available_ids", "codec_class", "for_stream", "get", "ids"]

_HOMES = {
    "jpeg": ("sursmr_codec.codecs.jpeg", "Jpeg"),
    "hevc": ("sursmr_codec.codecs.hevc", "Hevc"),
    "vvc": ("sursmr_codec.codecs.vvc", "Vvc"),
    "bpg": ("sursmr_codec.codecs.bpg", "Bpg"),
}

_STREAMS = {".hevc": "hevc", ".265": "hevc", ".vvc": "vvc", ".266": "vvc", ".bpg": "bpg"}
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


def for_stream(suffix: str) -> Codec | None:
    """The codec whose files have that extension, where no image reader knows them; None for all others."""
    codec_id = _STREAMS.get(suffix.lower())
    return None if codec_id is None else get(codec_id)
