"""JPEG: quantisation tables against Annex K, embedded profiles and EXIF, refusals."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageFile

from sursmr_codec.codecs.jpeg import Jpeg
from sursmr_codec.errors import DecodeError, EncodeError
from sursmr_codec.images.colour import icc_to_srgb
from sursmr_codec.types import Pixels, Source

LUMA = """16 11 10 16 24 40 51 61  12 12 14 19 26 58 60 55  14 13 16 24 40 57 69 56  14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77  24 35 55 64 81 104 113 92  49 64 78 87 103 121 120 101
72 92 95 98 112 100 103 99"""
"""Table K.1 of ITU-T T.81."""
CHROMA = """17 18 24 47 99 99 99 99  18 21 26 66 99 99 99 99  24 26 56 99 99 99 99 99  47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99"""
"""Table K.2 of ITU-T T.81."""
EXIF = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00"


def ijg_table(annex_k: str, quality: int) -> list[int]:
    """A table of Annex K scaled by the rule of the Independent JPEG Group, in zigzag order."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    scaled = [min(max((int(word) * scale + 50) // 100, 1), 255) for word in annex_k.split()]
    diagonals = sorted(
        ((row, column) for row in range(8) for column in range(8)),
        key=lambda at: (sum(at), at[0] if sum(at) % 2 else at[1]),
    )
    return [scaled[8 * row + column] for row, column in diagonals]


def segments(data: bytes) -> dict[int, list[bytes]]:
    """Marker -> payloads, up to the first scan."""
    found: dict[int, list[bytes]] = {}
    at = 2
    while True:
        marker, size = struct.unpack(">HH", data[at : at + 4])
        found.setdefault(marker, []).append(data[at + 4 : at + 2 + size])
        if marker == 0xFFDA:
            return found
        at += 2 + size


@pytest.mark.parametrize("qp", Jpeg.qp_range)
def test_tables_are_annex_k_scaled(source: Source, qp: int) -> None:
    tables = b"".join(segments(Jpeg().encode(source, qp))[0xFFDB])
    quality = Jpeg().native(qp)["quality"]
    assert quality == 101 - qp
    assert isinstance(quality, int)
    assert list(tables[1:65]) == ijg_table(LUMA, quality)
    assert list(tables[66:130]) == ijg_table(CHROMA, quality)


def test_baseline_with_halved_chroma(source: Source) -> None:
    found = segments(Jpeg().encode(source, 20))
    assert 0xFFC2 not in found
    assert [component[1] for component in np.frombuffer(found[0xFFC0][0][6:], np.uint8).reshape(3, 3)] == [
        0x22,
        0x11,
        0x11,
    ]


@pytest.fixture(scope="module")
def wide(picture: Callable[..., Pixels], p3_profile: bytes) -> Source:
    """A picture in Display P3, as a reader hands it on."""
    native = picture(64, 48)
    return Source(icc_to_srgb(native, p3_profile), native, icc_profile=p3_profile, exif=EXIF)


def test_profile_and_exif_are_embedded(wide: Source) -> None:
    with Image.open(io.BytesIO(Jpeg().encode(wide, 20))) as image:
        assert image.info["icc_profile"] == wide.icc_profile
        assert image.info["exif"] == EXIF


def test_profile_of_many_segments_survives(wide: Source) -> None:
    profile = wide.icc_profile
    assert profile is not None
    long = struct.pack(">I", 200_000) + profile[4:] + bytes(200_000 - len(profile))
    data = Jpeg().encode(Source(wide.rgb, wide.native, icc_profile=long), 20)
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["icc_profile"] == long
    assert Jpeg().decode(data, 64, 48).shape == (48, 64, 3)


def test_nothing_is_embedded_without_need(source: Source) -> None:
    found = segments(Jpeg().encode(source, 20))
    assert 0xFFE1 not in found
    assert 0xFFE2 not in found


def test_exif_header_is_added_once(source: Source) -> None:
    bare = Source(source.rgb, source.native, exif=EXIF[6:])
    whole = Source(source.rgb, source.native, exif=EXIF)
    assert Jpeg().encode(bare, 20) == Jpeg().encode(whole, 20)


@pytest.mark.parametrize(("n_bytes", "kept"), [(65533, True), (65534, False), (300_000, False)])
def test_exif_too_long_for_a_segment_is_left_out(source: Source, n_bytes: int, kept: bool) -> None:
    exif = EXIF + bytes(n_bytes - len(EXIF))
    data = Jpeg().encode(Source(source.rgb, source.native, exif=exif), 20)
    assert segments(data).get(0xFFE1, []) == ([exif] if kept else [])


def test_native_pixels_are_encoded_and_decoded_to_srgb(
    wide: Source, psnr: Callable[[Pixels, Pixels], float]
) -> None:
    data = Jpeg().encode(wide, 1)
    with Image.open(io.BytesIO(data)) as image:
        stored = np.asarray(image)
    assert psnr(wide.native, stored) > psnr(wide.rgb, stored) + 6
    decoded = Jpeg().decode(data, 64, 48)
    assert psnr(wide.rgb, decoded) > 36
    assert psnr(wide.rgb, decoded) > psnr(wide.native, decoded) + 6


def test_broken_profile_is_a_decode_error(source: Source) -> None:
    data = Jpeg().encode(Source(source.rgb, source.native, icc_profile=b"no profile" * 30), 20)
    with pytest.raises(DecodeError, match="broken colour profile"):
        Jpeg().decode(data, 64, 48)


def test_every_truncation_is_a_decode_error(source: Source) -> None:
    data = Jpeg().encode(source, 40)
    for kept in range(len(data)):
        with pytest.raises(DecodeError):
            Jpeg().decode(data[:kept], 64, 48)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_grey_file_decodes_to_rgb(picture: Callable[..., Pixels]) -> None:
    grey = picture(64, 48, grey=True)
    file = io.BytesIO()
    Image.fromarray(grey[:, :, 0]).save(file, "JPEG", quality=95)
    decoded = Jpeg().decode(file.getvalue(), 64, 48)
    assert np.abs(decoded.astype(int) - grey).max() < 16


def test_cmyk_file_is_a_decode_error() -> None:
    file = io.BytesIO()
    Image.new("CMYK", (64, 48)).save(file, "JPEG")
    with pytest.raises(DecodeError, match="CMYK"):
        Jpeg().decode(file.getvalue(), 64, 48)


def test_other_formats_are_decode_errors(source: Source) -> None:
    file = io.BytesIO()
    Image.fromarray(source.rgb).save(file, "PNG")
    with pytest.raises(DecodeError, match="not a JPEG"):
        Jpeg().decode(file.getvalue(), 64, 48)


def test_stated_size_is_checked_before_pixels_are_made(source: Source) -> None:
    data = Jpeg().encode(source, 40)
    at = data.index(b"\xff\xc0") + 5
    huge = data[:at] + struct.pack(">HH", 60_000, 60_000) + data[at + 4 :]
    with pytest.raises(DecodeError, match="60000x60000"):
        Jpeg().decode(huge, 64, 48)


@pytest.mark.parametrize("shape", [(1, 65501), (65501, 1)])
def test_too_long_for_jpeg_is_an_encode_error(shape: tuple[int, int]) -> None:
    with pytest.raises(EncodeError, match="65500 pixels a side"):
        Jpeg().encode(Source.from_array(np.zeros((*shape, 3), dtype=np.uint8)), 50)


def test_longest_side_encodes() -> None:
    line = Source.from_array(np.full((1, 65500, 3), 90, dtype=np.uint8))
    assert Jpeg().decode(Jpeg().encode(line, 50), 65500, 1).shape == (1, 65500, 3)
