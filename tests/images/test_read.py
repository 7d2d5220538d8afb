"""What a source carries besides pixels, and that reading leaves nothing behind."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from images import icc_maker
from images.input_rows.broken import absurd_tiff, encoded
from images.input_rows.makers import exif, file_of, heic
from images.pictures import patches
from PIL import Image

from sursmr_codec import images
from sursmr_codec.errors import ImageError, UsageError


def _saved(folder: Path, kind: str, **options: object) -> Path:
    path = folder / f"a.{kind.lower()}"
    path.write_bytes(file_of(Image.fromarray(patches()), kind, **options)())
    return path


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF"])
def test_wide_profile_is_kept_beside_the_native_pixels(kind: str, tmp_path: Path):
    profile = icc_maker.display_p3()
    path = _saved(tmp_path, kind, icc_profile=profile)
    source = images.read(path)
    assert source.icc_profile == profile
    with Image.open(path) as picture:
        np.testing.assert_array_equal(source.native, np.asarray(picture.convert("RGB")))
    assert np.abs(source.native.astype(int) - source.rgb).max() > 10


@pytest.mark.parametrize(
    "options", [{}, {"icc_profile": icc_maker.srgb()}, {"icc_profile": b"nonsense" * 40}]
)
def test_native_is_the_same_array_where_the_file_is_srgb(options: dict[str, bytes], tmp_path: Path):
    source = images.read(_saved(tmp_path, "PNG", **options))
    assert source.native is source.rgb
    assert source.icc_profile is None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "HEIC", "TIFF"])
def test_exif_is_kept_without_orientation(kind: str, tmp_path: Path):
    path = tmp_path / "a"
    make = heic(patches(), 6) if kind == "HEIC" else file_of(Image.fromarray(patches()), kind, exif=exif(6))
    path.write_bytes(make())
    kept = Image.Exif()
    kept.load(images.read(path).exif)
    assert dict(kept) == {0x010F: "Maker"}


def test_exif_that_held_orientation_alone_is_gone(tmp_path: Path):
    block = Image.Exif()
    block[0x0112] = 6
    source = images.read(_saved(tmp_path, "PNG", exif=block.tobytes()))
    assert source.exif is None
    assert source.width == 48


def test_tiff_keeps_shooting_data_and_place_but_no_layout(tmp_path: Path):
    block = Image.Exif()
    block[0x0110] = "Model"
    block.get_ifd(0x8769)[0x829A] = 0.5
    block.get_ifd(0x8825)[1] = "N"
    source = images.read(_saved(tmp_path, "TIFF", exif=block.tobytes()))
    kept = Image.Exif()
    kept.load(source.exif)
    assert kept[0x0110] == "Model"
    assert kept.get_ifd(0x8769)[0x829A] == 0.5
    assert kept.get_ifd(0x8825)[1] == "N"
    assert 0x0111 not in kept


@pytest.mark.parametrize(
    ("kind", "name"),
    [("PNG", "png"), ("JPEG", "jpeg"), ("WEBP", "webp"), ("AVIF", "avif"), ("TIFF", "tiff"), ("GIF", "gif")],
)
def test_format_is_the_container_by_its_first_bytes(kind: str, name: str, tmp_path: Path):
    path = tmp_path / "wrong.bmp"
    path.write_bytes(encoded(kind)())
    assert images.read(path).format == name


def test_heif_by_its_first_bytes(tmp_path: Path):
    path = tmp_path / "wrong.jpg"
    path.write_bytes(heic(patches())())
    assert images.read(str(path)).format == "heif"


def test_jpeg_quality_is_read_from_the_luma_table(tmp_path: Path):
    assert images.read(_saved(tmp_path, "JPEG", quality=83)).jpeg_quality == 83
    second = Image.new("RGB", (64, 48))
    source = images.read(_saved(tmp_path, "MPO", quality=83, save_all=True, append_images=[second]))
    assert (source.format, source.jpeg_quality) == ("jpeg", 83)
    assert images.read(_saved(tmp_path, "WEBP", quality=83)).jpeg_quality is None


def test_reading_stands_for_the_keywords(tmp_path: Path):
    path = _saved(tmp_path, "PNG")
    n_pixels = patches().shape[0] * patches().shape[1]
    assert images.read(path, images.Reading(max_pixels=n_pixels)).width == 64
    with pytest.raises(ImageError, match="--max-pixels"):
        images.read(path, images.Reading(max_pixels=n_pixels - 1))
    with pytest.raises(ImageError, match="--max-pixels"):
        images.read(path, max_pixels=n_pixels - 1)
    with pytest.raises(UsageError, match="max pixels must be at least 1"):
        images.Reading(max_pixels=0)


def test_bytes_of_any_regular_file(tmp_path: Path):
    path = tmp_path / "stream.hevc"
    path.write_bytes(b"\0\0\0\1stream")
    assert images.read_bytes(path) == b"\0\0\0\1stream"
    with pytest.raises(ImageError, match=r"absent\.hevc: no such file"):
        images.read_bytes(tmp_path / "absent.hevc")


def test_names_that_no_system_takes():
    for name in ("a\0b.png", "x" * 5000):
        with pytest.raises(ImageError, match="cannot be read") as caught:
            images.read(name)
        assert "\n" not in str(caught.value)


def test_a_huge_file_of_another_kind_is_refused_by_its_head(tmp_path: Path):
    path = tmp_path / "film.jpg"
    with path.open("wb") as file:
        file.truncate(1 << 42)
    with pytest.raises(ImageError, match="is not an image"):
        images.read(path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF", "PPM"])
def test_a_cut_file_is_refused_or_whole(kind: str, tmp_path: Path):
    data = encoded(kind)()
    path = tmp_path / "cut"
    path.write_bytes(data)
    whole = images.read(path).rgb
    n_refused = 0
    for length in (*range(1, len(data), len(data) // 40), *range(len(data) - 12, len(data))):
        path.write_bytes(data[:length])
        try:
            np.testing.assert_array_equal(images.read(path).rgb, whole)
        except ImageError:
            n_refused += 1
    assert n_refused >= 40


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF", "HEIF", "PPM"])
def test_damaged_files_raise_nothing_but_image_errors(kind: str, tmp_path: Path):
    whole = encoded(kind)()
    chance = random.Random(kind)
    path = tmp_path / "damaged"
    messages = []
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 3, 10))):
            data[chance.randrange(min(len(data), 600))] = chance.randrange(256)
        path.write_bytes(data)
        try:
            images.read(path, max_pixels=1_000_000)
        except ImageError as trouble:
            messages.append(str(trouble))
    assert messages
    assert not any("\n" in message for message in messages)


def test_pillow_is_left_as_it_was_by_readers_in_many_threads(tmp_path: Path):
    path = _saved(tmp_path, "PNG")
    n_pixels = patches().shape[0] * patches().shape[1]
    limit, filters = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    refused: list[int] = []
    accepted: list[int] = []

    def work(max_pixels: int) -> None:
        for _ in range(20):
            try:
                images.read(path, max_pixels=max_pixels)
                accepted.append(max_pixels)
            except ImageError:
                refused.append(max_pixels)

    threads = [threading.Thread(target=work, args=(n_pixels - odd % 2,)) for odd in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert accepted == [n_pixels] * 80
    assert refused == [n_pixels - 1] * 80
    assert limit == Image.MAX_IMAGE_PIXELS
    assert filters == list(warnings.filters)


def test_a_limit_of_the_host_program_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = _saved(tmp_path, "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert images.read(path).width == 64
    assert Image.MAX_IMAGE_PIXELS == 10


def test_nothing_but_the_error_is_said_about_a_broken_file(tmp_path: Path):
    path = tmp_path / "absurd.tif"
    path.write_bytes(absurd_tiff())
    script = "import sys; from sursmr_codec import images; images.read(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == ""
    assert done.stderr.startswith("Traceback")
    assert f"ImageError: {path}: is broken" in done.stderr.splitlines()[-1]


def test_broken_files_leave_pillow_as_it_was(tmp_path: Path):
    limit = Image.MAX_IMAGE_PIXELS
    path = tmp_path / "a.png"
    path.write_bytes(encoded("PNG")()[:-2000])
    with pytest.raises(ImageError):
        images.read(path)
    assert limit == Image.MAX_IMAGE_PIXELS


_PEAK = """
import re, sys
from pathlib import Path
from sursmr_codec import images

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

warm = images.read(sys.argv[1])
before = peak()
source = images.read(sys.argv[2])
print((peak() - before) * 1024 / (source.width * source.height))
"""


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("PNG", {"icc_profile": icc_maker.display_p3()}),
        ("JPEG", {"exif": exif(6)}),
        ("AVIF", {"speed": 10}),
    ],
)
def test_memory_stays_below_twelve_bytes_a_pixel(kind: str, options: dict[str, object], tmp_path: Path):
    small = _saved(tmp_path, kind, **options)
    large = tmp_path / "large"
    large.write_bytes(file_of(Image.new("RGB", (5000, 4000), (90, 120, 30)), kind, **options)())
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, str(small), str(large)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert 3.0 <= float(done.stdout) <= 12.0


def test_photographs_of_every_kind_are_read_as_pillow_reads_them(shared_data: Path):
    folder = shared_data / "images" / "test"
    paths = [path for path in sorted(folder.iterdir()) if path.suffix in (".jpg", ".png", ".webp")]
    assert len(paths) > 20
    for path in paths[::4]:
        source = images.read(path)
        with Image.open(io.BytesIO(path.read_bytes())) as picture:
            np.testing.assert_array_equal(source.native, np.asarray(picture.convert("RGB")))
