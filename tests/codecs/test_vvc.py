"""VVC: slice QP and colour as written, and pictures too rich for ffmpeg's buffer."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sursmr_codec import codecs
from sursmr_codec.codecs import vvc
from sursmr_codec.codecs.vvc import PRESETS, Vvc
from sursmr_codec.errors import EncodeError, UnavailableError, UsageError
from sursmr_codec.images.colour import Planes, planes_to_rgb
from sursmr_codec.types import Pixels, Source

PSNR = Callable[[Pixels, Pixels], float]
Trace = Callable[[Path], dict[str, int]]
AVAILABILITY = Vvc().availability()
pytestmark = pytest.mark.skipif(not AVAILABILITY.usable, reason=f"vvc: {AVAILABILITY.reason}")


@pytest.fixture(scope="module")
def noise() -> Source:
    """128x96 of noise, which takes more than a byte a pixel at low QP."""
    return Source.from_array(np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8))


@pytest.mark.parametrize("qp", [0, 1, 15, 22, 37, 50, 63])
def test_slice_qp_is_the_qp_asked_for(source: Source, qp: int, trace_headers: Trace, tmp_path: Path) -> None:
    file = tmp_path / "x.vvc"
    file.write_bytes(Vvc().encode(source, qp))
    elements = trace_headers(file)
    assert 26 + elements["pps_init_qp_minus26"] + elements["sh_qp_delta"] == qp
    assert elements["pps_cu_qp_delta_enabled_flag"] == 0


def test_colour_is_signalled(source: Source, trace_headers: Trace, tmp_path: Path) -> None:
    """Code points of ITU-T H.273: BT.709 primaries, sRGB transfer, BT.601 matrix, full range."""
    file = tmp_path / "x.vvc"
    file.write_bytes(Vvc().encode(source, 30))
    elements = trace_headers(file)
    assert elements["vui_full_range_flag"] == 1
    assert elements["vui_colour_primaries"] == 1
    assert elements["vui_transfer_characteristics"] == 13
    assert elements["vui_matrix_coeffs"] == 6
    assert elements["vui_chroma_sample_loc_type_frame"] == 1


@pytest.mark.parametrize("qp", [2, 30])
def test_planes_are_those_of_another_decoder(noise: Source, qp: int, pip_ffmpeg: str, tmp_path: Path) -> None:
    """At QP 2 the stream hides half of a taller canvas: what is shown is the picture and no more."""
    file = tmp_path / "x.vvc"
    file.write_bytes(Vvc().encode(noise, qp))
    command = [pip_ffmpeg, "-loglevel", "error", "-i", str(file), "-f", "rawvideo", "-"]
    raw = np.frombuffer(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout, "<u2")
    y, cb, cr = np.split(raw, [96 * 128, 96 * 128 * 5 // 4])
    planes = Planes(y.reshape(96, 128), cb.reshape(48, 64), cr.reshape(48, 64), 10)
    np.testing.assert_array_equal(Vvc().decode(file.read_bytes(), 128, 96), planes_to_rgb(planes))


def test_rich_pictures_outgrow_ffmpegs_buffer_and_are_encoded_still(noise: Source, psnr: PSNR) -> None:
    grey = Source.from_array(np.repeat(noise.rgb[:, :, :1], 3, axis=2))
    sizes = []
    for qp in (0, 6, 12, 18, 24):
        data = Vvc().encode(grey, qp)
        sizes.append(len(data))
        assert psnr(grey.rgb, Vvc().decode(data, 128, 96)) > 50 - qp
    assert sizes[0] > 128 * 96
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset(picture: Callable[..., Pixels], preset: str) -> None:
    small = Source.from_array(picture(32, 32))
    assert Vvc(preset).decode(Vvc(preset).encode(small, 30), 32, 32).shape == (32, 32, 3)


@pytest.mark.parametrize("preset", ["", "veryfast", "0"])
def test_unknown_presets_name_the_known_ones(preset: str) -> None:
    with pytest.raises(UsageError, match="faster, fast, medium"):
        Vvc(preset)


def test_the_program_can_be_chosen(source: Source, pip_ffmpeg: str) -> None:
    assert codecs.get("vvc", ffmpeg=pip_ffmpeg).encode(source, 40) == Vvc().encode(source, 40)


def test_a_program_without_vvenc_says_what_to_do(source: Source, tmp_path: Path) -> None:
    codec = Vvc(ffmpeg=str(tmp_path / "ffmpeg"))
    found = codec.availability()
    assert not found.usable
    assert "the path that was given" in str(found.reason)
    assert found.remedy == "pip install --upgrade 'imageio-ffmpeg>=0.8'"
    with pytest.raises(UnavailableError, match="imageio-ffmpeg"):
        codec.encode(source, 30)
    assert "vvenc/none" in codec.fingerprint()


def test_a_build_that_shifts_the_qp_is_refused(pip_ffmpeg: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = vvc._PARAMETERS.replace("IntraQPOffset=0", "IntraQPOffset=-3")
    monkeypatch.setattr(vvc, "_PARAMETERS", parameters)
    with pytest.raises(EncodeError, match="slice QP 34, not 37"):
        vvc._try_out.__wrapped__(pip_ffmpeg)


def test_errors_carry_the_command(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    Vvc().require()
    monkeypatch.setattr(vvc, "_PARAMETERS", "NoSuchKey=1")
    with pytest.raises(EncodeError, match=r"-c:v libvvenc .* ended with code .*NoSuchKey"):
        Vvc().encode(source, 30)
