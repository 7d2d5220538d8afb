"""What a file says beside its pixels, from every container that holds it through every codec and back."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from made_picture import make_picture
from PIL import ExifTags, Image, ImageOps, PngImagePlugin

from sursmr_codec import codecs, images
from sursmr_codec.codecs import _bpg_extensions as bpg_extensions
from sursmr_codec.images.bmff import child
from sursmr_codec.images.colour import icc_to_srgb
from sursmr_codec.types import Pixels, Source

PSNR = Callable[[Pixels, Pixels], float]
WIDTH, HEIGHT = 64, 48
DENSITY = (300.0, 150.0)
SIDEWAYS = 6
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" '
    b'tiff:Make="house"/></rdf:RDF></x:xmpmeta>'
)
KEPT = {
    "jpeg": {"icc", "exif", "xmp", "density"},
    "hevc": set(),
    "vvc": set(),
    "bpg": {"icc", "exif", "xmp"},
    "heic": {"icc", "exif", "xmp"},
    "avif": {"icc", "exif", "xmp"},
    "webp": {"icc", "exif", "xmp"},
    "jxl": {"exif", "xmp"},
    "jpegli": {"icc", "exif", "xmp", "density"},
}
"""What each codec's files hold of a picture that has everything."""
STATED = {
    "jpeg": {"icc", "exif", "xmp", "density"},
    "png": {"icc", "exif", "xmp", "density"},
    "tiff": {"icc", "exif", "xmp", "density"},
    "webp": {"icc", "exif", "xmp"},
    "avif": {"icc", "exif", "xmp"},
    "heif": {"icc", "exif", "xmp"},
}
"""What is read of each container's file that has everything."""


@dataclass(frozen=True)
class Found:
    """What a file turned out to hold; None for what it does not."""

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    density: tuple[float, float] | None = None

    @property
    def parts(self) -> set[str]:
        return {name for name, value in vars(self).items() if value}


def exif_of(orientation: int | None) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "house"
    exif[ExifTags.Base.ImageDescription] = "patches"
    if orientation is not None:
        exif[ExifTags.Base.Orientation] = orientation
    return exif.tobytes()


def file_with_everything(container: str, profile: bytes) -> bytes:
    """A picture that is stored sideways, where the container knows of that, with all that it can hold."""
    pixels = np.rot90(make_picture(WIDTH, HEIGHT))
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    exif, file = exif_of(SIDEWAYS), io.BytesIO()
    if container == "heif":
        held = pillow_heif.from_bytes("RGB", picture.size, picture.tobytes())
        held.save(file, quality=-1, icc_profile=profile, exif=exif, xmp=XMP, chroma="444")
    elif container == "png":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        picture.save(file, "PNG", icc_profile=profile, exif=exif, dpi=DENSITY[::-1], pnginfo=text)
    elif container == "tiff":
        tags = {ExifTags.Base.Make: "house", ExifTags.Base.Orientation: SIDEWAYS, 700: XMP}
        picture.save(file, "TIFF", icc_profile=profile, dpi=DENSITY[::-1], tiffinfo=tags)
    else:
        options = {"quality": 95, "icc_profile": profile, "exif": exif, "xmp": XMP}
        picture.save(file, container.upper(), dpi=DENSITY[::-1], **options)
    return file.getvalue()


def found_in(data: bytes, codec_id: str) -> Found:
    """What readers that this package does not write with find in a codec's file."""
    if codec_id in ("hevc", "vvc"):
        return Found()
    if codec_id == "bpg":
        blocks = bpg_extensions.extensions(data)
        return Found(blocks.get(2), blocks.get(1), blocks.get(3))
    if codec_id == "jxl":
        exif, xmp = (child(data, 0, len(data), kind) for kind in (b"Exif", b"xml "))
        return Found(
            exif=None if exif is None else data[exif[0] + 4 : exif[1]],
            xmp=None if xmp is None else data[slice(*xmp)],
        )
    if codec_id == "heic":
        info = pillow_heif.open_heif(io.BytesIO(data)).info
    else:
        with Image.open(io.BytesIO(data)) as picture:
            info = picture.info
            assert ImageOps.exif_transpose(picture).size == (WIDTH, HEIGHT)
    stated = info.get("dpi") if info.get("jfif_unit") else None
    return Found(info.get("icc_profile"), info.get("exif"), info.get("xmp"), stated)


def tags_of(exif: bytes) -> dict[int, object]:
    held = Image.Exif()
    held.load(exif)
    return dict(held)


@pytest.fixture(scope="module")
def everything(p3_profile: bytes) -> Source:
    """A wide-gamut picture with all that a file may say, as the reader hands it on."""
    native = make_picture(WIDTH, HEIGHT)
    return Source(
        icc_to_srgb(native, p3_profile),
        native,
        icc_profile=p3_profile,
        exif=exif_of(None),
        xmp=XMP.replace(b'"6"', b'"1"'),
        density=DENSITY,
    )


def test_every_codec_is_in_the_table() -> None:
    assert set(KEPT) == set(codecs.ids())
    for codec_id, kept in KEPT.items():
        assert set(codecs.codec_class(codec_id).keeps) - {"alpha"} == kept


@pytest.mark.parametrize("codec_id", KEPT)
def test_what_is_kept_is_kept_whole(codec_id: str, everything: Source, psnr: PSNR) -> None:
    codec = codecs.get(codec_id)
    data = codec.encode(everything, codec.qp_range[3])
    data = codec.finish(everything, codec.qp_range[3], data)
    found = found_in(data, codec_id)
    assert found.parts == KEPT[codec_id]
    assert everything.exif is not None
    if found.icc:
        assert found.icc == everything.icc_profile
    if found.exif:
        assert tags_of(found.exif) == tags_of(everything.exif)
    if found.xmp:
        assert found.xmp == everything.xmp
    if found.density:
        assert found.density == DENSITY
    # Whether the profile is kept or applied, a viewer sees the same colours.
    assert psnr(everything.rgb, codec.decode(data, WIDTH, HEIGHT)) > 33


@pytest.mark.parametrize("codec_id", KEPT)
def test_what_is_left_out_is_said(codec_id: str, everything: Source) -> None:
    said = " ".join(codecs.get(codec_id).left_out(everything))
    for part, words in (("icc", "converted to sRGB"), ("exif", "no metadata: EXIF"), ("xmp", "XMP")):
        assert (words in said) == (part not in KEPT[codec_id])
    # Its EXIF has no tags for density.
    assert ("300x150 dots an inch was left out" in said) == ("density" not in KEPT[codec_id])


@pytest.mark.parametrize("codec_id", KEPT)
def test_density_goes_into_exif_where_there_is_no_other_place(codec_id: str) -> None:
    pixels, codec = make_picture(WIDTH, HEIGHT), codecs.get(codec_id)
    exif = found_in(codec.encode(Source(pixels, pixels, density=DENSITY), 30), codec_id).exif
    if KEPT[codec_id] >= {"exif"} and "density" not in KEPT[codec_id]:
        assert exif is not None
        tags = tags_of(exif)
        assert (tags[ExifTags.Base.XResolution], tags[ExifTags.Base.YResolution]) == DENSITY
        assert tags[ExifTags.Base.ResolutionUnit] == 2
    else:
        assert exif is None
    said = codec.left_out(Source(pixels, pixels, density=DENSITY))
    assert bool(said) == (not KEPT[codec_id])


@pytest.mark.parametrize("codec_id", KEPT)
def test_the_density_that_readers_take_anyway_is_not_put_into_exif(codec_id: str) -> None:
    pixels, codec = make_picture(WIDTH, HEIGHT), codecs.get(codec_id)
    usual = Source(pixels, pixels, density=(72.009, 71.998))
    assert found_in(codec.encode(usual, 30), codec_id).exif is None
    assert codec.left_out(usual) == ()


@pytest.mark.parametrize("codec_id", KEPT)
def test_exif_that_tells_density_is_left_as_it_is(codec_id: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.XResolution] = exif[ExifTags.Base.YResolution] = 300.0
    pixels = make_picture(WIDTH, HEIGHT)
    told = Source(pixels, pixels, exif=exif.tobytes(), density=(300.0, 300.0))
    said = " ".join(codecs.get(codec_id).left_out(told))
    assert ("density" in said) == (not KEPT[codec_id])


@pytest.mark.parametrize("codec_id", KEPT)
def test_a_plain_picture_gets_nothing(codec_id: str, source: Source) -> None:
    codec = codecs.get(codec_id)
    assert found_in(codec.encode(source, 30), codec_id).parts == set()
    assert codec.left_out(source) == ()


@pytest.mark.parametrize("container", STATED)
def test_every_container_is_read_upright(container: str, p3_profile: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"a.{container}"
    path.write_bytes(file_with_everything(container, p3_profile))
    read = images.read(path)
    assert read.format == container
    assert (read.width, read.height) == (WIDTH, HEIGHT)
    found = Found(read.icc_profile, read.exif, read.xmp, read.density)
    assert found.parts == STATED[container]
    assert read.icc_profile == p3_profile
    assert read.exif is not None
    assert tags_of(read.exif)[ExifTags.Base.Make] == "house"
    assert ExifTags.Base.Orientation not in tags_of(read.exif)
    assert read.xmp is not None
    # Pillow turns TIFF pictures by itself, and takes the tag away then.
    assert read.xmp in (XMP.replace(b'"6"', b'"1"'), XMP.replace(b'tiff:Orientation="6"', b""))
    if read.density is not None:
        assert read.density == pytest.approx(DENSITY if container != "tiff" else DENSITY[::-1], rel=0.01)


@pytest.mark.parametrize("container", STATED)
def test_strip_leaves_sRGB_pixels_and_nothing_else(
    container: str, p3_profile: bytes, tmp_path: Path, psnr: PSNR
) -> None:
    path = tmp_path / f"a.{container}"
    path.write_bytes(file_with_everything(container, p3_profile))
    whole, bare = images.read(path), images.read(path, images.Reading(strip=True))
    assert Found(bare.icc_profile, bare.exif, bare.xmp, bare.density).parts == set()
    np.testing.assert_array_equal(bare.rgb, whole.rgb)
    np.testing.assert_array_equal(bare.native, whole.rgb)
    for codec_id in KEPT:
        codec = codecs.get(codec_id)
        data = codec.encode(bare, 30)
        assert found_in(data, codec_id).parts == set()
        assert codec.left_out(bare) == ()


@pytest.mark.parametrize(
    "packet",
    [
        b"<a tiff:Orientation='8'/>",
        b'<a tiff:Orientation = "3"/>',
        b"<tiff:Orientation>7</tiff:Orientation>",
    ],
)
def test_orientation_in_xmp_is_upright_however_it_is_written(packet: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    Image.fromarray(make_picture(WIDTH, HEIGHT)).save(path, xmp=packet)
    xmp = images.read(path).xmp
    assert xmp is not None
    assert len(xmp) == len(packet)
    assert b"1" in xmp
    assert not set(b"378") & set(xmp)


def test_blocks_too_long_for_a_jpeg_are_said_to_be_left_out(source: Source) -> None:
    long = Source(source.rgb, source.native, exif=b"Exif\0\0MM\0*" + bytes(70_000), xmp=b"<x/>" * 20_000)
    for codec_id in ("jpeg", "jpegli"):
        codec = codecs.get(codec_id)
        assert found_in(codec.encode(long, 30), codec_id).parts == set()
        exif, xmp = codec.left_out(long)
        assert "EXIF of 70010 bytes does not fit" in exif
        assert "XMP of 80000 bytes does not fit" in xmp


def test_a_jpeg_without_units_has_no_density(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(make_picture(WIDTH, HEIGHT)).save(path, exif=b"Exif\0\0broken")
    assert images.read(path).density is None
