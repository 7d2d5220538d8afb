"""HEVC: slice QP and colour as written, read by another build of FFmpeg than the one that encoded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sursmr_codec import codecs
from sursmr_codec.codecs import hevc
from sursmr_codec.codecs._bitstream import read_intra_picture
from sursmr_codec.codecs.hevc import PRESETS, Hevc, encode_intra
from sursmr_codec.errors import DecodeError, EncodeError, UnavailableError, UsageError
from sursmr_codec.images.colour import Chroma, Planes, planes_to_rgb, rgb_to_planes
from sursmr_codec.types import Pixels, Source

PSNR = Callable[[Pixels, Pixels], float]
Picture = Callable[..., Pixels]
Trace = Callable[[Path], dict[str, int]]


@pytest.fixture(scope="module")
def photograph(kodim23: Path) -> Source:
    """A 256x192 piece of a photograph."""
    with Image.open(kodim23) as image:
        return Source.from_array(np.asarray(image.convert("RGB").crop((200, 100, 456, 292))))


def decode_elsewhere(ffmpeg: str, file: Path, *arguments: str) -> bytes:
    """Raw video that the ffmpeg binary makes of a file."""
    command = [
        ffmpeg,
        "-hide_banner",
        "-loglevel",
        "error",
        "-i",
        str(file),
        *arguments,
        "-f",
        "rawvideo",
        "-",
    ]
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout


@pytest.mark.parametrize("qp", Hevc.qp_range)
def test_slice_qp_is_the_qp_asked_for(source: Source, qp: int) -> None:
    written = read_intra_picture(Hevc(preset="ultrafast").encode(source, qp))
    assert written.qp == qp
    assert not written.picture.varies_qp


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_writes_the_qp_at_any_size(picture: Picture, preset: str) -> None:
    for width, height in ((64, 48), (17, 31), (1, 1)):
        data = Hevc(preset).encode(Source.from_array(picture(width, height)), 30)
        assert read_intra_picture(data).qp == 30
        assert Hevc(preset).decode(data, width, height).shape == (height, width, 3)


@pytest.mark.parametrize("qp", [0, 1, 22, 26, 37, 51])
def test_another_parser_reads_the_same_qp(
    source: Source, qp: int, trace_headers: Trace, tmp_path: Path
) -> None:
    file = tmp_path / "x.hevc"
    file.write_bytes(Hevc().encode(source, qp))
    elements = trace_headers(file)
    assert 26 + elements["init_qp_minus26"] + elements["slice_qp_delta"] == qp
    assert elements["cu_qp_delta_enabled_flag"] == 0
    assert elements["pps_cb_qp_offset"] == elements["pps_cr_qp_offset"] == 0


def test_colour_is_signalled(source: Source, trace_headers: Trace, tmp_path: Path) -> None:
    """Code points of ITU-T H.273: BT.709 primaries, sRGB transfer, BT.601 matrix, full range."""
    file = tmp_path / "x.hevc"
    file.write_bytes(Hevc().encode(source, 30))
    elements = trace_headers(file)
    assert elements["video_full_range_flag"] == 1
    assert elements["colour_primaries"] == 1
    assert elements["transfer_characteristics"] == 13
    assert elements["matrix_coefficients"] == 6
    assert elements["chroma_sample_loc_type_top_field"] == 1


def test_planes_are_those_of_another_decoder(photograph: Source, pip_ffmpeg: str, tmp_path: Path) -> None:
    file = tmp_path / "x.hevc"
    file.write_bytes(Hevc().encode(photograph, 27))
    height, width = photograph.rgb.shape[:2]
    raw = np.frombuffer(decode_elsewhere(pip_ffmpeg, file), np.uint8)
    y, cb, cr = np.split(raw, [height * width, height * width * 5 // 4])
    half = (height // 2, width // 2)
    elsewhere = Planes(y.reshape(height, width), cb.reshape(half), cr.reshape(half))
    np.testing.assert_array_equal(Hevc().decode(file.read_bytes(), width, height), planes_to_rgb(elsewhere))


def test_colours_are_those_of_another_decoder(
    photograph: Source, psnr: PSNR, pip_ffmpeg: str, tmp_path: Path
) -> None:
    """FFmpeg's scaler rounds and raises chroma in its own way; a wrong matrix or range costs 15 dB."""
    file = tmp_path / "x.hevc"
    file.write_bytes(Hevc().encode(photograph, 4))
    height, width = photograph.rgb.shape[:2]
    flags = ("-sws_flags", "bilinear+accurate_rnd+full_chroma_int", "-pix_fmt", "rgb24")
    raw = decode_elsewhere(pip_ffmpeg, file, *flags)
    elsewhere = np.frombuffer(raw, np.uint8).reshape(height, width, 3)
    assert psnr(Hevc().decode(file.read_bytes(), width, height), elsewhere) > 42
    assert psnr(photograph.rgb, elsewhere) > 40


@pytest.mark.parametrize(("chroma", "bit_depth"), [("420", 10), ("444", 8), ("444", 10)])
def test_other_layouts(
    photograph: Source,
    chroma: Chroma,
    bit_depth: int,
    pip_ffmpeg: str,
    trace_headers: Trace,
    tmp_path: Path,
) -> None:
    """The QP and the planes, as read by another build of FFmpeg."""
    codec = Hevc("ultrafast", chroma=chroma, bit_depth=bit_depth)
    height, width = photograph.rgb.shape[:2]
    file = tmp_path / "x.hevc"
    for qp in (0, 27, 51):
        file.write_bytes(codec.encode(photograph, qp))
        elements = trace_headers(file)
        assert 26 + elements["init_qp_minus26"] + elements["slice_qp_delta"] == qp
        assert elements["bit_depth_luma_minus8"] == bit_depth - 8
        raw = np.frombuffer(decode_elsewhere(pip_ffmpeg, file), np.uint8 if bit_depth == 8 else "<u2")
        side = (height, width) if chroma == "444" else (height // 2, width // 2)
        n_chroma = side[0] * side[1]
        y, cb, cr = np.split(raw, [height * width, height * width + n_chroma])
        elsewhere = Planes(y.reshape(height, width), cb.reshape(side), cr.reshape(side), bit_depth)
        decoded = codec.decode(file.read_bytes(), width, height)
        np.testing.assert_array_equal(decoded, planes_to_rgb(elsewhere))


@pytest.mark.parametrize("options", [{"chroma": "444"}, {"bit_depth": 10}])
def test_a_program_of_ones_own_writes_the_default_layout(options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="4:2:0 at 8 bit"):
        codecs.get("hevc", x265="/usr/bin/x265", **options)


def test_streams_of_other_colour_are_refused(source: Source) -> None:
    planes = rgb_to_planes(source.rgb)
    for colour in ("range=limited:colormatrix=smpte170m", "range=full:colormatrix=bt709", "range=full"):
        stream = encode_intra(planes, 30, "ultrafast", colour)
        with pytest.raises(DecodeError, match=r"BT\.601 full range"):
            Hevc().decode(stream, 64, 48)


def test_two_pictures_are_refused(source: Source) -> None:
    data = Hevc().encode(source, 30)
    with pytest.raises(DecodeError, match="several pictures"):
        Hevc().decode(data + data, 64, 48)


def test_pictures_far_larger_than_asked_are_refused() -> None:
    data = Hevc("ultrafast").encode(Source.from_array(np.zeros((2000, 2000, 3), dtype=np.uint8)), 51)
    assert len(data) < 2000
    with pytest.raises(DecodeError):
        Hevc().decode(data, 64, 48)


@pytest.mark.parametrize("size", [(6000, 2), (2, 6000)])
def test_long_thin_pictures(picture: Picture, size: tuple[int, int]) -> None:
    source = Source.from_array(picture(*size))
    assert Hevc().decode(Hevc("ultrafast").encode(source, 30), *size).shape == source.rgb.shape


@pytest.mark.parametrize("preset", ["placebo", "", "Medium", "7"])
def test_unknown_presets_name_the_known_ones(preset: str) -> None:
    with pytest.raises(UsageError, match="ultrafast, superfast"):
        Hevc(preset)


def test_another_qp_in_the_stream_is_an_encode_error(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Hevc().encode(source, 31)
    monkeypatch.setattr(hevc, "_run_x265", lambda *_: stream)
    with pytest.raises(EncodeError, match="slice QP 31, not 30"):
        Hevc().encode(source, 30)


def test_another_size_in_the_stream_is_an_encode_error(
    source: Source, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Hevc().encode(Source.from_array(picture(32, 32)), 30)
    monkeypatch.setattr(hevc, "_run_x265", lambda *_: stream)
    with pytest.raises(EncodeError, match="32x32, not 64x48"):
        Hevc().encode(source, 30)


def test_unreadable_output_is_an_encode_error(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hevc, "_run_x265", lambda *_: b"")
    with pytest.raises(EncodeError, match="cannot be read back"):
        Hevc().encode(source, 30)


@pytest.fixture
def without_av(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Python without PyAV."""
    caches = (hevc.x265_availability, hevc.x265_versions)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "av", None)
        for cache in caches:
            cache.cache_clear()
        yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.usefixtures("without_av")
def test_without_pyav_it_says_what_to_install(source: Source) -> None:
    found = Hevc().availability()
    assert not found.usable
    assert "PyAV" in str(found.reason)
    assert str(found.remedy).startswith("pip install")
    with pytest.raises(UnavailableError, match="pip install"):
        Hevc().encode(source, 30)
    with pytest.raises(UnavailableError, match="pip install"):
        Hevc().decode(b"", 64, 48)
    assert "x265/none" in Hevc().fingerprint()
