"""The header parser on streams, on damaged streams, and on anything at all."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sursmr_codec.codecs._bits import BitReader
from sursmr_codec.codecs._bitstream import (
    IntraPicture,
    nal_type,
    read_intra_picture,
    read_picture_set,
    read_sequence_set,
    split_annex_b,
    unescape,
)
from sursmr_codec.codecs.hevc import Hevc
from sursmr_codec.errors import DecodeError
from sursmr_codec.types import Source

STREAM = Hevc("ultrafast").encode(
    Source.from_array(np.random.default_rng(0).integers(0, 256, (22, 18, 3), dtype=np.uint8)), 30
)
HEADERS = STREAM[: STREAM.index(b"\x00\x00\x01\x28")]
"""Start codes and parameter sets, up to the IDR slice."""


def read_or_refuse(data: bytes) -> None:
    """A value or a DecodeError, nothing else."""
    with contextlib.suppress(DecodeError):
        assert isinstance(read_intra_picture(data), IntraPicture)


def test_units_of_a_stream() -> None:
    assert [nal_type(unit) for unit in split_annex_b(STREAM)] == [32, 33, 34, 20]


def test_size_and_crop_are_read() -> None:
    sequence = read_intra_picture(STREAM).sequence
    assert (sequence.width, sequence.height) == (18, 22)
    assert (sequence.coded_width, sequence.coded_height) == (32, 32)
    assert sequence.chroma_format == 1
    assert sequence.bit_depth_luma == sequence.bit_depth_chroma == 8


@given(st.binary(max_size=500))
def test_random_bytes(data: bytes) -> None:
    read_or_refuse(data)


@settings(max_examples=400)
@given(st.lists(st.tuples(st.integers(0, len(HEADERS) + 20), st.integers(0, 255)), min_size=1, max_size=6))
def test_mutated_streams(edits: list[tuple[int, int]]) -> None:
    data = bytearray(STREAM)
    for position, value in edits:
        data[position] = value
    read_or_refuse(bytes(data))


@given(st.integers(0, len(STREAM)), st.integers(0, len(STREAM)), st.binary(max_size=40))
def test_spliced_streams(start: int, stop: int, between: bytes) -> None:
    read_or_refuse(STREAM[:start] + between + STREAM[stop:])


@given(st.binary(max_size=200))
def test_random_parameter_sets(payload: bytes) -> None:
    for read in (read_sequence_set, read_picture_set):
        with contextlib.suppress(DecodeError):
            read(payload)


@settings(deadline=timedelta(seconds=2))
@given(st.sampled_from([b"\x00", b"\x00\x00\x01", b"\x00\x00\x01\x42", b"\x00\x00\x03", b"\xff"]))
def test_long_repetitions_take_bounded_time(piece: bytes) -> None:
    read_or_refuse(piece * 100_000)
    read_or_refuse(HEADERS + piece * 100_000)


@pytest.mark.parametrize("kept", range(len(HEADERS)))
def test_headers_alone_are_refused(kept: int) -> None:
    with pytest.raises(DecodeError):
        read_intra_picture(HEADERS[:kept])


def test_streams_of_several_slices_are_refused() -> None:
    with pytest.raises(DecodeError, match="2 slices"):
        read_intra_picture(STREAM + STREAM)


def test_slice_without_parameter_sets_is_refused() -> None:
    with pytest.raises(DecodeError, match="without its parameter sets"):
        read_intra_picture(STREAM[len(HEADERS) :])


@given(st.binary(max_size=120))
def test_unescaping_undoes_emulation_prevention(payload: bytes) -> None:
    """Escaped by the rule of section 7.4.2.3, byte by byte."""
    escaped, zeros = bytearray(), 0
    for byte in payload:
        if zeros == 2 and byte <= 3:
            escaped.append(3)
            zeros = 0
        escaped.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    assert unescape(bytes(escaped)) == payload


@given(st.lists(st.binary(min_size=1, max_size=30).filter(lambda unit: b"\0" not in unit)))
def test_splitting_undoes_joining(units: list[bytes]) -> None:
    assert split_annex_b(b"".join(b"\x00\x00\x00\x01" + unit for unit in units)) == units


@given(st.lists(st.integers(0, 2**32 - 2), max_size=20), st.lists(st.integers(-(2**31) + 1, 2**31 - 1)))
def test_exp_golomb_numbers(unsigned: list[int], signed: list[int]) -> None:
    """Written as strings of digits, by section 9.2."""
    codes = unsigned + [2 * n - 1 if n > 0 else -2 * n for n in signed]
    digits = "".join("0" * ((code + 1).bit_length() - 1) + f"{code + 1:b}" for code in codes)
    digits += "0" * (-len(digits) % 8)
    bits = BitReader(int(digits or "0", 2).to_bytes(len(digits) // 8, "big"))
    assert [bits.ue() for _ in unsigned] == unsigned
    assert [bits.se() for _ in signed] == signed


@given(st.binary(max_size=8), st.integers(0, 80))
def test_reading_past_the_end_is_refused(data: bytes, n_bits: int) -> None:
    bits = BitReader(data)
    if n_bits > 8 * len(data):
        with pytest.raises(DecodeError, match="ends after"):
            bits.u(n_bits)
    else:
        expected = int.from_bytes(data, "big") >> (8 * len(data) - n_bits)
        assert bits.u(n_bits) == expected
