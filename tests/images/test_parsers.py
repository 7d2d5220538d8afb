"""Our own parsers of headers on whole files, on damaged ones, and on anything at all."""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Callable

import numpy as np
import pillow_heif
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from sursmr_codec.codecs._jpeg_segments import with_segments_of
from sursmr_codec.errors import ImageError
from sursmr_codec.images.bmff import MainPicture, main_picture, meta_box
from sursmr_codec.images.colour import icc_colour_space
from sursmr_codec.images.exif import take_orientation
from sursmr_codec.images.formats import container
from sursmr_codec.images.gain_map import has_gain_map
from sursmr_codec.images.jpeg import has_end
from sursmr_codec.images.png import PngHeader, read_header
from sursmr_codec.images.xmp import upright_xmp

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 11, 3), dtype=np.uint8))


def saved(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    if kind == "HEIF":
        pillow_heif.from_pillow(PICTURE).save(file, **options)
    else:
        PICTURE.save(file, kind, **options)
    return file.getvalue()


def exif_block() -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    return exif.tobytes()


XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
WHOLE = {
    "jpeg": saved("JPEG", exif=exif_block()),
    "png": saved("PNG"),
    "heif": saved("HEIF"),
    "avif": saved("AVIF", speed=10),
    "exif": exif_block(),
    "xmp": XMP,
}


def parse_all(data: bytes) -> None:
    """Every parser gives a value of its kind or an ImageError; none raises anything else."""
    assert isinstance(main_picture(data), MainPicture)
    start, end = meta_box(data)
    assert 0 <= start <= end <= len(data)
    assert read_header(data) is None or isinstance(read_header(data), PngHeader)
    assert has_end(data) in (True, False)
    assert {has_gain_map(data, kind) for kind in ("jpeg", "heif", "png")} <= {True, False}
    assert upright_xmp(data) is None or len(upright_xmp(data) or b"") == len(data)
    with contextlib.suppress(ImageError):
        orientation, rest = take_orientation(data)
        assert 1 <= orientation <= 8
        assert rest is None or take_orientation(rest) == (1, rest)
    with contextlib.suppress(ImageError):
        assert container(data).islower()
    with contextlib.suppress(ImageError):
        assert len(icc_colour_space(data)) <= 4
    assert with_segments_of(WHOLE["jpeg"], data) is not None


@given(st.binary(max_size=300))
@example(b"")
@example(struct.pack(">I4sQ", 1, b"meta", 2**64 - 1) + bytes(40))
@example(struct.pack(">I4s", 0, b"meta") + struct.pack(">I4sI", 0, b"iprp", 0))
@example(b"II*\0" + struct.pack("<IH", 8, 65535))
@example(b"MM\0*" + struct.pack(">I", 2**32 - 1))
def test_anything(data: bytes) -> None:
    parse_all(data)


@settings(max_examples=300)
@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(0, 2000),
)
def test_damaged_files(name: str, edits: list[tuple[int, int]], kept: int) -> None:
    data = bytearray(WHOLE[name])
    for position, value in edits:
        data[position % len(data)] = value
    parse_all(bytes(data))
    parse_all(bytes(data[:kept]))


@given(st.integers(1, 8), st.booleans(), st.lists(st.integers(0, 65535), max_size=8), st.data())
def test_orientation_goes_and_the_rest_stays(
    orientation: int, big: bool, tags: list[int], draw: st.DataObject
) -> None:
    """A directory of any tags among which one is the orientation, written by TIFF 6.0, section 2."""
    order = ">" if big else "<"
    others = [tag for tag in tags if tag != 0x0112]
    at = draw.draw(st.integers(0, len(others)))
    entries = [(tag, number) for number, tag in enumerate(others)]
    entries.insert(at, (0x0112, orientation))
    block = (b"MM\0*" if big else b"II*\0") + struct.pack(order + "IH", 8, len(entries))
    block += b"".join(struct.pack(order + "HHIHH", tag, 3, 1, value, 0) for tag, value in entries)
    found, rest = take_orientation(block + bytes(4))
    assert found == orientation
    if not others:
        assert rest is None
        return
    assert rest is not None
    assert len(rest) == len(block) + 4 + 6
    (n_entries,) = struct.unpack_from(order + "H", rest, 14)
    left = [struct.unpack_from(order + "HHIH", rest, 16 + 12 * n) for n in range(n_entries)]
    assert [entry[0] for entry in left] == others


def many_markers(n_markers: int) -> bytes:
    """A JPEG whose scan comes late, and that has no end."""
    return b"\xff\xd8" + b"\xff\xd0" * n_markers + b"\xff\xda" + bytes(20)


def many_chunks(n_chunks: int) -> bytes:
    """A PNG whose colour comes late."""
    chunks = [struct.pack(">I4s", 0, b"tEXt") + bytes(4)] * n_chunks
    colour = struct.pack(">I4s4B", 4, b"cICP", 9, 16, 0, 1) + bytes(4)
    return WHOLE["png"][:33] + b"".join(chunks) + colour + bytes(20)


def many_boxes(n_boxes: int) -> bytes:
    """A HEIF file whose properties come late."""
    data = WHOLE["heif"]
    at = data.index(b"meta") - 4
    return data[:at] + struct.pack(">I4s", 8, b"free") * n_boxes + data[at:]


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (many_markers, lambda data: not has_end(data)),
        (many_chunks, lambda data: read_header(data).transfer == 16),
        (many_boxes, lambda data: main_picture(data) != MainPicture()),
    ],
    ids=["jpeg", "png", "bmff"],
)
def test_long_rows_of_nothing_are_given_up(
    make: Callable[[int], bytes], found: Callable[[bytes], bool]
) -> None:
    """After 65536 of them, so that a hostile file of any length costs a bounded number of steps."""
    assert found(make(1000))
    assert not found(make(70_000))
