"""The codecs, by id; each is one file and is imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from sursmr_codec.codecs.base import Availability, Codec
from sursmr_codec.errors import UsageError

__all__ = ["Availability", "Codec", "for_stream", "get", "ids"]

_HOMES = {"jpeg": "jpeg:Jpeg", "hevc": "hevc:Hevc"}

_STREAMS = {".hevc": "hevc", ".265": "hevc"}


def ids() -> tuple[str, ...]:
    """Every codec's id, in the order they are listed to people."""
    return tuple(_HOMES)


def get(codec_id: str, **options: Any) -> Codec:
    """The codec of that id; raises UsageError for an unknown id or option."""
    if codec_id not in _HOMES:
        raise UsageError(f"unknown codec {codec_id}; known: {', '.join(_HOMES)}")
    module, _, name = _HOMES[codec_id].partition(":")
    try:
        codec: Codec = getattr(import_module(f"sursmr_codec.codecs.{module}"), name)(**options)
    except TypeError as error:
        raise UsageError(f"codec {codec_id}: {error}") from error
    return codec


def for_stream(suffix: str) -> Codec | None:
    """The codec whose bare streams have that file extension; None for picture files."""
    codec_id = _STREAMS.get(suffix.lower())
    return None if codec_id is None else get(codec_id)
