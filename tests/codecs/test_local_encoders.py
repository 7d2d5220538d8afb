"""Encoder programs in the place of built-in ones: same pixels, same QP, a fingerprint of their own."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from stand_ins import BPGENC_VERSION, VVENCAPP_VERSION, install

from sursmr_codec import codecs
from sursmr_codec.codecs import _bpgenc, _local, _x265, vvc
from sursmr_codec.codecs._bitstream import read_intra_picture
from sursmr_codec.codecs._bpg import unpack
from sursmr_codec.codecs.vvc import Vvc
from sursmr_codec.errors import EncodeError, UnavailableError, UsageError
from sursmr_codec.types import Pixels, Source

PSNR = Callable[[Pixels, Pixels], float]
Picture = Callable[..., Pixels]


def on_path(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not on the PATH")
    return path


@pytest.fixture(autouse=True)
def _fresh_answers() -> Iterator[None]:
    """What programs said is kept for a process; each test has programs of its own."""
    yield
    for remembered in (_local.find, _bpgenc.shift_of, vvc._try_out_app):
        remembered.cache_clear()


class TestX265:
    """The real program, as Debian packages it."""

    @pytest.fixture
    def x265(self) -> str:
        return on_path("x265")

    @pytest.mark.parametrize("codec_id", ["hevc", "bpg"])
    @pytest.mark.parametrize("qp", [0, 1, 22, 37, 51])
    def test_slice_qp_and_pixels_are_as_of_the_built_in_one(
        self, x265: str, codec_id: str, qp: int, source: Source, psnr: PSNR
    ) -> None:
        local, built_in = codecs.get(codec_id, x265=x265), codecs.get(codec_id)
        data = local.encode(source, qp)
        stream = data if codec_id == "hevc" else unpack(data).annex_b()
        assert read_intra_picture(stream).qp == qp
        here = psnr(source.rgb, built_in.decode(data, 64, 48))
        there = psnr(source.rgb, built_in.decode(built_in.encode(source, qp), 64, 48))
        assert abs(here - there) < 0.5

    @pytest.mark.parametrize("codec_id", ["hevc", "bpg"])
    @pytest.mark.parametrize("size", [(1, 1), (8, 8), (17, 33), (33, 70), (64, 16), (200, 5), (130, 66)])
    def test_any_size(self, x265: str, codec_id: str, size: tuple[int, int], picture: Picture) -> None:
        codec = codecs.get(codec_id, x265=x265)
        pixels = picture(*size, grey=True)
        decoded = codec.decode(codec.encode(Source.from_array(pixels), 4), *size)
        assert np.abs(decoded.astype(int) - pixels).mean() < 2

    def test_bytes_are_the_same_every_time(self, x265: str, source: Source) -> None:
        codec = codecs.get("hevc", x265=x265)
        assert codec.encode(source, 30) == codecs.get("hevc", x265=x265).encode(source, 30)

    @pytest.mark.parametrize("codec_id", ["hevc", "bpg"])
    def test_fingerprint_is_its_own(self, x265: str, codec_id: str) -> None:
        local, built_in = codecs.get(codec_id, x265=x265), codecs.get(codec_id)
        (version,) = (value for name, value in local.availability().versions.items() if name != "av")
        assert f"x265-program/{version}" in local.fingerprint()
        assert local.fingerprint() != built_in.fingerprint()
        assert "program" not in built_in.fingerprint()

    def test_a_shifted_qp_is_refused(
        self, x265: str, source: Source, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_x265, "_arguments", shifting(_x265._arguments))
        with pytest.raises(EncodeError, match="slice QP 27, not 30"):
            codecs.get("hevc", x265=x265).encode(source, 30)

    def test_its_own_words_are_passed_on(
        self, x265: str, source: Source, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whether it ends with a code or with none differs from run to run."""
        monkeypatch.setattr(_x265, "_tree_unit", lambda _: 64)
        with pytest.raises(EncodeError, match=r"x265 \[error\]: Picture size must be at least one CTU"):
            codecs.get("hevc", x265=x265).encode(source, 30)


def shifting(arguments: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    """As x265 does without `ipratio`."""
    return lambda parameters: arguments(parameters.replace("ipratio=1", "ipratio=1.4"))


class TestCjpeg:
    """The real program, as Debian packages it."""

    @pytest.fixture
    def cjpeg(self) -> str:
        return on_path("cjpeg")

    @pytest.mark.parametrize("qp", [1, 26, 51, 90, 100])
    def test_pixels_are_those_of_the_built_in_one(self, cjpeg: str, qp: int, source: Source) -> None:
        local, built_in = codecs.get("jpeg", cjpeg=cjpeg), codecs.get("jpeg")
        here = local.decode(local.encode(source, qp), 64, 48)
        there = built_in.decode(built_in.encode(source, qp), 64, 48)
        assert np.abs(here.astype(int) - there).max() <= 1

    @pytest.mark.parametrize("size", [(1, 1), (3, 50), (17, 16), (300, 7)])
    def test_any_size(self, cjpeg: str, size: tuple[int, int], picture: Picture) -> None:
        codec = codecs.get("jpeg", cjpeg=cjpeg)
        assert (
            codec.decode(codec.encode(Source.from_array(picture(*size)), 30), *size).shape[:2] == size[::-1]
        )

    def test_profile_and_exif_are_kept(self, cjpeg: str, source: Source, p3_profile: bytes) -> None:
        exif = Image.Exif()
        exif[0x010E] = "a shore"
        tagged = replace(source, icc_profile=p3_profile, exif=exif.tobytes())
        file = codecs.get("jpeg", cjpeg=cjpeg).encode(tagged, 30)
        with Image.open(io.BytesIO(file)) as image:
            assert image.info["icc_profile"] == p3_profile
            assert image.getexif()[0x010E] == "a shore"
            assert image.size == (64, 48)

    def test_fingerprint_is_its_own(self, cjpeg: str) -> None:
        local = codecs.get("jpeg", cjpeg=cjpeg)
        ((name, version),) = local.availability().versions.items()
        assert local.fingerprint().startswith(f"jpeg {name}/{version} -baseline -sample 2x2")


@pytest.mark.skipif(not Vvc().availability().usable, reason="the stand-in has VVenC from ffmpeg")
class TestVvencapp:
    """A stand-in that takes the published options."""

    def test_bytes_are_those_of_the_built_in_one(self, tmp_path: Path, source: Source) -> None:
        local = codecs.get("vvc", vvencapp=install(tmp_path, "vvencapp"))
        for qp in (10, 37, 63):
            assert local.encode(source, qp) == Vvc().encode(source, qp)

    def test_fingerprint_is_its_own(self, tmp_path: Path) -> None:
        local = codecs.get("vvc", vvencapp=install(tmp_path, "vvencapp"))
        assert f"vvencapp/{VVENCAPP_VERSION} preset=faster" in local.fingerprint()
        assert local.availability().versions["vvencapp"] == VVENCAPP_VERSION

    def test_a_shifted_qp_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        parameters = vvc._PARAMETERS.replace("IntraQPOffset=0", "IntraQPOffset=-3")
        monkeypatch.setattr(vvc, "_PARAMETERS", parameters)
        found = codecs.get("vvc", vvencapp=install(tmp_path, "vvencapp")).availability()
        assert not found.usable
        assert "slice QP 34, not 37" in str(found.reason)
        assert "--vvencapp" in str(found.remedy)


class TestBpgenc:
    """A stand-in that takes the published options, and lowers the QP as one with x265 does."""

    @pytest.mark.parametrize("shift", [0, 3])
    def test_slice_qp_is_the_qp_asked_for(
        self, tmp_path: Path, source: Source, shift: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STAND_IN_SHIFT", str(shift))
        codec = codecs.get("bpg", preset="veryfast", bpgenc=install(tmp_path, "bpgenc"))
        for qp in (0, 30, 48):
            data = codec.encode(source, qp)
            assert data == codecs.get("bpg", preset="veryfast").encode(source, qp)
            assert read_intra_picture(unpack(data).annex_b()).qp == qp

    def test_qps_that_it_cannot_write_say_what_to_do(self, tmp_path: Path, source: Source) -> None:
        with pytest.raises(EncodeError, match="--max-qp 48"):
            codecs.get("bpg", bpgenc=install(tmp_path, "bpgenc")).encode(source, 49)

    def test_fingerprint_is_its_own(self, tmp_path: Path) -> None:
        codec = codecs.get("bpg", preset="fast", bpgenc=install(tmp_path, "bpgenc"))
        assert f"bpgenc/{BPGENC_VERSION} preset=fast 4:2:0 8bit bt601-full -m 5" in codec.fingerprint()
        assert codec.availability().versions["bpgenc"] == BPGENC_VERSION

    def test_not_both_programs(self) -> None:
        with pytest.raises(UsageError, match="not by both"):
            codecs.get("bpg", bpgenc="a", x265="b")


CHOICES = [(kind, codec_id) for kind in _local.KINDS for codec_id in kind.codecs]


@pytest.mark.parametrize(("kind", "codec_id"), CHOICES, ids=lambda value: getattr(value, "name", value))
class TestAny:
    """What holds for each program under each codec."""

    @pytest.mark.parametrize("path", ["/no/such/program", "/", "/bin/true", ""])
    def test_what_cannot_be_used_says_so(
        self, kind: _local.Kind, codec_id: str, path: str, source: Source
    ) -> None:
        codec = codecs.get(codec_id, **{kind.name: path})
        found = codec.availability()
        assert not found.usable
        assert path in str(found.reason)
        assert f"--{kind.name}" in str(found.remedy)
        assert "/none" in codec.fingerprint()
        with pytest.raises(UnavailableError, match=f"--{kind.name}"):
            codec.require()
        with pytest.raises(UnavailableError):
            codec.encode(source, 30)

    def test_default_never_looks_for_it(
        self,
        kind: _local.Kind,
        codec_id: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        source: Source,
    ) -> None:
        before = codecs.get(codec_id).encode(source, 30)
        trap, mark = tmp_path / kind.name, tmp_path / "called"
        trap.write_text(f'#!/bin/sh\ntouch "{mark}"\n')
        trap.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        assert [path for name, path in _local.on_path(codec_id) if name == kind.name] == [str(trap)]
        assert codecs.get(codec_id).encode(source, 30) == before
        assert not mark.exists()
