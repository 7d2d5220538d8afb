"""HEIC, AVIF, WebP, JPEG XL and jpegli: their own numbers, other decoders' pixels, transparency, limits."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sursmr_codec import codecs
from sursmr_codec.codecs import heic
from sursmr_codec.codecs._bitstream import read_intra_picture
from sursmr_codec.codecs._heic import primary_stream
from sursmr_codec.codecs._jxl import stated_size, with_metadata
from sursmr_codec.codecs.hevc import PRESETS, Hevc
from sursmr_codec.errors import DecodeError, EncodeError, UnavailableError, UsageError
from sursmr_codec.images.alpha import as_seen
from sursmr_codec.images.colour import icc_to_srgb
from sursmr_codec.types import Pixels, Source

PSNR = Callable[[Pixels, Pixels], float]
Picture = Callable[..., Pixels]
STILL = ("heic", "avif", "webp", "jxl", "jpegli", "jpeg")
KEEPS_ALPHA = ("heic", "avif", "webp", "jxl")


@pytest.fixture(scope="module")
def photograph(kodim23: Path) -> Source:
    """A 256x192 piece of a photograph."""
    with Image.open(kodim23) as image:
        return Source.from_array(np.asarray(image.convert("RGB").crop((200, 100, 456, 292))))


@pytest.fixture(scope="module")
def transparent(picture: Picture) -> Source:
    """A picture whose opacity rises from left to right."""
    pixels = picture(64, 48)
    alpha = np.broadcast_to(np.linspace(0, 255, 64).round().astype(np.uint8), (48, 64)).copy()
    return Source(as_seen(pixels, alpha), pixels, alpha=alpha)


@pytest.mark.parametrize("codec_id", STILL)
def test_another_decoder_sees_the_same_picture(
    codec_id: str, photograph: Source, pip_ffmpeg: str, psnr: PSNR, tmp_path: Path
) -> None:
    """FFmpeg raises chroma in its own way; a wrong matrix, range or size costs 15 dB."""
    codec = codecs.get(codec_id)
    data = codec.encode(photograph, codec.qp_range[len(codec.qp_range) // 8])
    file = tmp_path / f"x{codec.extension}"
    file.write_bytes(data)
    command = [pip_ffmpeg, "-loglevel", "error", "-i", str(file), "-frames:v", "1", "-sws_flags"]
    command += ["bilinear+accurate_rnd+full_chroma_int", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    raw = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    elsewhere = np.frombuffer(raw, np.uint8).reshape(photograph.rgb.shape)
    assert psnr(codec.decode(data, 256, 192), elsewhere) > 42
    assert psnr(photograph.rgb, elsewhere) > 36


@pytest.mark.parametrize("options", [{}, {"chroma": "444"}, {"bit_depth": 10}])
@pytest.mark.parametrize("qp", [0, 1, 17, 26, 37, 50, 51])
def test_slice_qp_of_heic(
    source: Source,
    qp: int,
    options: dict[str, object],
    trace_headers: Callable[[Path], dict[str, int]],
    tmp_path: Path,
) -> None:
    """Read back by our parser and by FFmpeg's."""
    stream = primary_stream(codecs.get("heic", preset="veryfast", **options).encode(source, qp))
    assert read_intra_picture(stream).qp == qp
    file = tmp_path / "x.hevc"
    file.write_bytes(stream)
    elements = trace_headers(file)
    assert 26 + elements["init_qp_minus26"] + elements["slice_qp_delta"] == qp
    assert elements["chroma_format_idc"] == (3 if "chroma" in options else 1)
    assert elements["bit_depth_luma_minus8"] == (2 if "bit_depth" in options else 0)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_of_heic(picture: Picture, preset: str) -> None:
    for width, height in ((64, 48), (17, 31), (1, 1)):
        codec = codecs.get("heic", preset=preset)
        data = codec.encode(Source.from_array(picture(width, height)), 30)
        assert codec.decode(data, width, height).shape == (height, width, 3)


def test_heic_and_hevc_agree_on_what_a_qp_is(photograph: Source, psnr: PSNR) -> None:
    """The containers and colour paths differ, the quantiser does not."""
    qualities = []
    for codec in (codecs.get("heic"), Hevc()):
        data = codec.encode(photograph, 27)
        qualities.append(psnr(photograph.rgb, codec.decode(data, 256, 192)))
        qualities.append(len(data))
    assert abs(qualities[0] - qualities[2]) < 1
    assert qualities[1] == pytest.approx(qualities[3], rel=0.1)


def test_another_qp_in_a_heic_is_an_encode_error(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Hevc("ultrafast").encode(source, 31)
    monkeypatch.setattr(heic, "primary_stream", lambda _: stream)
    with pytest.raises(EncodeError, match="slice QP 31, not 30"):
        codecs.get("heic").encode(source, 30)


def test_a_broken_heic_has_no_stream(source: Source) -> None:
    data = codecs.get("heic", preset="ultrafast").encode(source, 30)
    for kept in range(len(data) - 1):
        try:
            stream = primary_stream(data[:kept])
        except DecodeError:
            continue
        # Cut inside the picture, which is stored last.
        assert kept > len(data) // 2
        assert len(stream) < len(primary_stream(data))


def test_distances_of_jxl_are_those_of_cjxl() -> None:
    """`JxlEncoderDistanceFromQuality` of libjxl at qualities 99, 90, 70, 30, 29 and 5."""
    expected = {1: 0.19, 10: 1.0, 30: 2.8, 70: 6.4, 71: 6.5077, 95: 19.6917}
    jxl = codecs.get("jxl")
    assert {qp: jxl.native(qp)["distance"] for qp in expected} == expected
    distances = [jxl.native(qp)["distance"] for qp in jxl.qp_range]
    assert distances == sorted(set(distances))


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (256, 256), (257, 8), (640, 480), (1920, 1080), (3000, 9)])
def test_stated_size_of_jxl(size: tuple[int, int]) -> None:
    flat = Source.from_array(np.zeros((size[1], size[0], 3), dtype=np.uint8))
    data = codecs.get("jxl", effort=1).encode(flat, 50)
    assert stated_size(data) == size
    assert stated_size(with_metadata(data, b"Exif\0\0MM\0*", b"<x/>")) == size


def test_numbers_of_the_others() -> None:
    assert codecs.get("avif").native(63) == {"cq_level": 63}
    assert codecs.get("webp").native(20) == {"quality": 80}
    assert codecs.get("jpegli").native(20) == {"quality": 81}
    assert codecs.get("heic").native(20) == {"qp": 20}


@pytest.mark.parametrize("codec_id", KEEPS_ALPHA)
def test_transparency_is_kept(codec_id: str, transparent: Source, psnr: PSNR) -> None:
    codec = codecs.get(codec_id)
    data = codec.encode(transparent, codec.qp_range[2])
    if codec_id == "heic":
        import pillow_heif

        held = pillow_heif.open_heif(io.BytesIO(data))
        stored = np.asarray(held).reshape(48, 64, 4)
    elif codec_id == "jxl":
        import imagecodecs

        stored = imagecodecs.jpegxl_decode(data)
    else:
        with Image.open(io.BytesIO(data)) as picture:
            stored = np.asarray(picture)
    assert transparent.alpha is not None
    difference = np.abs(stored[:, :, 3].astype(int) - transparent.alpha)
    assert difference.max() <= (0 if codec_id in ("webp", "jxl") else 6)
    assert psnr(transparent.rgb, codec.decode(data, 64, 48)) > 38
    # Laid on white, so white where nothing covers it.
    assert codec.decode(data, 64, 48)[:, 0].min() >= 250


@pytest.mark.parametrize("codec_id", KEEPS_ALPHA)
def test_transparency_in_a_wide_gamut(
    codec_id: str, transparent: Source, p3_profile: bytes, psnr: PSNR
) -> None:
    straight = icc_to_srgb(transparent.native, p3_profile)
    wide = replace(transparent, rgb=as_seen(straight, transparent.alpha), icc_profile=p3_profile)
    codec = codecs.get(codec_id)
    decoded = codec.decode(codec.encode(wide, codec.qp_range[1]), 64, 48)
    assert psnr(wide.rgb, decoded) > 36
    assert psnr(wide.rgb, decoded) > psnr(transparent.rgb, decoded) + 3


@pytest.mark.parametrize(("codec_id", "most"), [("webp", 16383), ("jpegli", 65500), ("avif", 65536)])
def test_too_long_is_an_encode_error(codec_id: str, most: int) -> None:
    with pytest.raises(EncodeError, match=f"at most {most} pixels a side"):
        codecs.get(codec_id).encode(Source.from_array(np.zeros((1, most + 1, 3), dtype=np.uint8)), 50)


@pytest.mark.parametrize(
    ("codec_id", "options"),
    [
        ("webp", {"effort": 7}),
        ("webp", {"effort": True}),
        ("jxl", {"effort": 0}),
        ("avif", {"speed": 11}),
        ("avif", {"chroma": "422"}),
        ("heic", {"preset": "placebo"}),
        ("heic", {"bit_depth": 12}),
        ("jpeg", {"progressive": 1}),
        ("jpeg", {"chroma": 420}),
    ],
)
def test_values_that_do_not_exist_are_usage_errors(codec_id: str, options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=f"{codec_id} {next(iter(options))} is one of"):
        codecs.get(codec_id, **options)


@pytest.mark.parametrize("options", [{"chroma": "444"}, {"progressive": True}, {"optimize": True}])
def test_a_cjpeg_of_ones_own_takes_no_other_options(options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="together with cjpeg"):
        codecs.get("jpeg", cjpeg="/usr/bin/cjpeg", **options)


def test_progressive_and_optimised_jpeg_are_what_they_say(photograph: Source) -> None:
    plain = codecs.get("jpeg")
    rung = plain.encode(photograph, 30)
    written = {
        name: codecs.get("jpeg", **{name: True}).finish(photograph, 30, rung)
        for name in ("progressive", "optimize")
    }
    assert b"\xff\xc2" in written["progressive"]
    assert b"\xff\xc2" not in written["optimize"]
    assert max(len(data) for data in written.values()) < len(rung)
    assert plain.finish(photograph, 30, rung) is rung


@pytest.mark.parametrize(
    ("codec_id", "library"),
    [("jpegli", "pyjpegli"), ("jxl", "imagecodecs"), ("heic", "pillow_heif")],
)
def test_without_its_library_it_says_what_to_install(
    codec_id: str, library: str, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    heic._versions.cache_clear()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, library, None)
        codec = codecs.get(codec_id)
        found = codec.availability()
        assert not found.usable
        assert "not installed" in str(found.reason)
        assert str(found.remedy).startswith("pip install")
        with pytest.raises(UnavailableError, match="pip install"):
            codec.encode(source, 30)
        assert codec.fingerprint().startswith(codec_id)
    heic._versions.cache_clear()
    assert codecs.get(codec_id).availability().usable


@pytest.mark.parametrize(("codec_id", "feature"), [("webp", "webp"), ("avif", "avif")])
def test_a_pillow_that_lacks_a_format(
    codec_id: str, feature: str, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import features

    known = features.check
    monkeypatch.setattr(features, "check", lambda name: name != feature and known(name))
    found = codecs.get(codec_id).availability()
    assert not found.usable
    assert "Pillow was built without" in str(found.reason)
    with pytest.raises(UnavailableError, match="pip install"):
        codecs.get(codec_id).encode(source, 30)
