"""Small parts of reading: alpha policies, rounding, EXIF blocks, code points."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from images.input_rows.colours import _nclx
from images.pictures import patches, turned
from PIL import Image

from sursmr_codec.errors import ImageError, UsageError
from sursmr_codec.images.alpha import KEEP, REFUSE, AlphaPolicy, flatten, parse_alpha
from sursmr_codec.images.bmff import MainPicture, main_picture
from sursmr_codec.images.depth import join_bytes, to_8_bits
from sursmr_codec.images.exif import as_stored, take_orientation
from sursmr_codec.images.jpeg import has_end


def test_alpha_policies():
    assert parse_alpha("refuse") is REFUSE
    assert parse_alpha("keep") is KEEP
    assert parse_alpha("flatten=#0A10fF") == AlphaPolicy((10, 16, 255))


@pytest.mark.parametrize(
    "text",
    ["", "kept", "flatten", "flatten=", "flatten=#fff", "flatten=#gg0000", "flatten=ffffff", "refuse "],
)
def test_nonsense_policies_are_usage_errors(text: str):
    with pytest.raises(UsageError, match="alpha must be refuse, keep or flatten=#rrggbb"):
        parse_alpha(text)


def test_flatten_equals_exact_arithmetic_for_every_pair_of_levels():
    level, alpha = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    pixels = np.repeat(level[:, :, None], 3, axis=2).astype(np.uint8)
    matte = (255, 0, 77)
    expected = (
        2 * (pixels.astype(int) * alpha[..., None] + np.array(matte) * (255 - alpha[..., None])) + 255
    ) // 510
    np.testing.assert_array_equal(flatten(pixels, alpha.astype(np.uint8), matte), expected)


@pytest.mark.parametrize("white", [1023, 4095, 65535])
def test_every_deep_level_is_rounded_to_the_nearest(white: int):
    levels = np.arange(white + 1)
    np.testing.assert_array_equal(to_8_bits(levels, white), np.floor(levels * 255 / white + 0.5))


def test_levels_above_white_are_white():
    assert to_8_bits(np.array([4096, 65535], dtype=np.uint16), 4095).tolist() == [255, 255]


def test_joined_bytes_equal_rounded_samples():
    levels = np.arange(65536).reshape(256, 256, 1).repeat(3, axis=2)
    joined = join_bytes((levels >> 8).astype(np.uint8), (levels & 255).astype(np.uint8))
    np.testing.assert_array_equal(joined, to_8_bits(levels, 65535))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_stored_view_undoes_each_orientation(orientation: int):
    stored = patches()
    upright = np.zeros_like(turned(stored, orientation))
    as_stored(upright, orientation)[...] = stored
    np.testing.assert_array_equal(upright, turned(stored, orientation))
    block = Image.Exif()
    block[0x0112] = orientation
    picture = Image.fromarray(stored)
    picture.info["exif"] = block.tobytes()
    from PIL import ImageOps

    np.testing.assert_array_equal(upright, np.asarray(ImageOps.exif_transpose(picture)))


@pytest.mark.parametrize("order", ["<", ">"])
def test_taking_the_tag_leaves_values_behind_offsets_alone(order: str):
    text = b"A maker with a long name\0"
    entries = struct.pack(f"{order}HHII", 0x010F, 2, len(text), 50)
    entries += struct.pack(f"{order}HHIHH", 0x0112, 3, 1, 8, 0)
    entries += struct.pack(f"{order}HHII", 0x0128, 4, 1, 7)
    block = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, 3) + entries
    block += struct.pack(f"{order}I", 0)
    assert len(block) == 50
    orientation, kept = take_orientation(b"Exif\0\0" + block + text)
    assert orientation == 8
    assert kept is not None
    assert kept.endswith(text)
    assert len(kept) == len(block + text) + 6
    found = Image.Exif()
    found.load(kept)
    assert dict(found) == {0x010F: "A maker with a long name", 0x0128: 7}


def test_odd_orientations_mean_upright():
    block = Image.Exif()
    block[0x0112] = 9
    block[0x010F] = "Maker"
    assert take_orientation(block.tobytes())[0] == 1


@pytest.mark.parametrize(
    "block", [b"", b"Exif\0\0", b"nonsense", b"II*\0\x08\0\0\0", b"II*\0\x08\0\0\0\x05\0" + bytes(20)]
)
def test_broken_blocks_are_errors(block: bytes):
    with pytest.raises(ImageError, match="EXIF"):
        take_orientation(block)


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_code_points_of_the_main_picture(kind: str):
    found = main_picture(_nclx(kind, 16)())
    assert (found.primaries, found.transfer, found.bit_depth) == (9, 16, 8)


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


@pytest.mark.parametrize("wide", [0, 1])
@pytest.mark.parametrize("version", [0, 1])
def test_properties_are_those_of_the_primary_item_alone(wide: int, version: int):
    item, entry = (">I" if version else ">H"), (">H" if wide else ">B")
    needed = 0x8000 if wide else 0x80
    properties = [
        _box(b"pixi", bytes(4), bytes((3, 8, 8, 8))),
        _box(b"colr", b"nclx", struct.pack(">HHHB", 1, 13, 6, 0x80)),
        _box(b"pixi", bytes(4), bytes((3, 10, 10, 10))),
        _box(b"colr", b"nclx", struct.pack(">HHHB", 9, 16, 9, 0x80)),
    ]
    items = [(1, (1, 2)), (2, (3, needed | 4))]
    association = b"".join(
        struct.pack(item, number) + bytes((len(indices),)) + b"".join(struct.pack(entry, i) for i in indices)
        for number, indices in items
    )
    ipma = _box(b"ipma", bytes((version, 0, 0, wide)), struct.pack(">I", len(items)), association)
    for primary, expected in ((1, MainPicture(8, 1, 13)), (2, MainPicture(10, 9, 16)), (3, MainPicture())):
        pitm = _box(b"pitm", bytes((version, 0, 0, 0)), struct.pack(item, primary))
        meta = _box(b"meta", bytes(4), pitm, _box(b"iprp", _box(b"ipco", *properties), ipma))
        assert main_picture(_box(b"ftyp", b"heic", bytes(4)) + meta) == expected


def test_boxes_that_make_no_sense_say_nothing():
    for data in (b"", bytes(64), b"\0\0\0\x10meta" + bytes(8), b"\0\0\0\1meta" + b"\xff" * 40):
        assert main_picture(data) == MainPicture()


def test_end_of_a_jpeg_is_looked_for_behind_its_thumbnail():
    file = io.BytesIO()
    Image.fromarray(patches()).save(file, "JPEG", exif=b"Exif\0\0II*\0\xff\xd9\0\0")
    data = file.getvalue()
    assert has_end(data)
    assert not has_end(data[:-2])
