"""Streams and files that are made to cost more than a picture does."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sursmr_codec import codecs
from sursmr_codec.codecs._bitstream import split_annex_b
from sursmr_codec.codecs._bpg import ue7
from sursmr_codec.codecs._bpg_extensions import extensions, with_extensions
from sursmr_codec.errors import DecodeError
from sursmr_codec.types import Source

PICTURE = Source.from_array(np.random.default_rng(0).integers(0, 256, (22, 18, 3), dtype=np.uint8))
BPG = codecs.get("bpg", preset="ultrafast").encode(PICTURE, 30)


@pytest.mark.parametrize("codec_id", ["hevc", "vvc"])
def test_streams_of_many_pictures_are_refused(codec_id: str) -> None:
    codec = codecs.get(codec_id)
    if not codec.availability().usable:
        pytest.skip(f"{codec_id}: {codec.availability().reason}")
    stream = codec.encode(PICTURE, 40)
    with pytest.raises(DecodeError, match="several pictures"):
        codec.decode(stream * 50, 18, 22)


def test_streams_of_countless_units_are_refused() -> None:
    unit = b"\0\0\1\x42"
    assert len(split_annex_b(unit * (1 << 16))) == 1 << 16
    with pytest.raises(DecodeError, match="65536 units"):
        split_annex_b(unit * ((1 << 16) + 1))


def test_countless_extension_blocks_are_refused() -> None:
    block = ue7(9) + ue7(0)
    file = with_extensions(BPG, {9: b"x"})
    (at,) = (place for place in range(len(file)) if file[place:].startswith(ue7(3) + ue7(9) + ue7(1) + b"x"))

    def holding(n_blocks: int) -> bytes:
        data = block * n_blocks
        return file[:at] + ue7(len(data)) + data + file[at + 4 :]

    assert extensions(holding(1000)) == {9: b""}
    with pytest.raises(DecodeError, match="65536 blocks"):
        extensions(holding(70_000))


@given(st.dictionaries(st.integers(0, 2**32 - 1), st.binary(min_size=1, max_size=50), max_size=5))
def test_extensions_are_read_as_written(blocks: dict[int, bytes]) -> None:
    assert extensions(with_extensions(BPG, dict(blocks))) == blocks


@given(st.binary(max_size=300), st.integers(0, 40))
def test_extensions_of_anything(data: bytes, kept: int) -> None:
    for file in (data, BPG[:kept] + data, BPG[:5] + b"\x08" + BPG[6:kept] + data):
        with contextlib.suppress(DecodeError):
            assert all(isinstance(block, bytes) for block in extensions(file).values())
