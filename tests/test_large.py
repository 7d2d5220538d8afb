"""Large pictures, and long thin ones: memory, and what codecs do at and beyond their largest size."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from images import icc_maker
from images.input_rows.makers import file_of, heic
from images.pictures import patches
from PIL import Image, ImageFile
from test_picking import FallingPredictor

from sursmr_codec import Source, Targets, codecs, curve, images, pick
from sursmr_codec.codecs import heic as heic_codec
from sursmr_codec.codecs._heic import primary_stream
from sursmr_codec.errors import EncodeError, FileTooLarge, ImageError
from sursmr_codec.images import heif
from sursmr_codec.picking import PickSettings
from sursmr_codec.types import SearchSettings

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
LONG = 20_000
_PEAK = """
import json, sys
sys.path.insert(0, sys.argv[1])
from large_child import Stub, peak_bytes
from sursmr_codec import Targets, codecs, pick

codec = codecs.get("jpeg", **json.loads(sys.argv[2]))
pick(sys.argv[3], Targets(smr=0), codec=codec, predictor=Stub())
before = peak_bytes()
source = pick(sys.argv[4], Targets(smr=0), codec=codec, predictor=Stub()).source
print((peak_bytes() - before) / (source.width * source.height))
"""


@pytest.mark.parametrize(
    ("profile", "options"), [(None, {}), (icc_maker.display_p3(), {}), (None, {"optimize": True})]
)
def test_a_jpeg_pick_stays_below_twelve_bytes_a_pixel(
    profile: bytes | None, options: dict[str, object], tmp_path: Path
):
    small, large = tmp_path / "small.jpg", tmp_path / "large.jpg"
    Image.fromarray(patches()).save(small, icc_profile=profile)
    Image.new("RGB", (4000, 3000), (90, 120, 30)).save(large, icc_profile=profile)
    command = [sys.executable, "-c", _PEAK, BENCHMARKS, json.dumps(options), small, large]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    # A picture in a colour space of its own is held twice; libjpeg holds all numbers of an optimised file.
    assert 6.0 <= float(done.stdout) <= (15.0 if profile or options else 12.0)


@pytest.mark.parametrize("codec_id", codecs.ids())
@pytest.mark.parametrize("size", [(1, LONG), (LONG, 1)], ids=["column", "row"])
def test_long_and_thin(codec_id: str, size: tuple[int, int]):
    codec = codecs.get(codec_id)
    if not codec.availability().usable:
        pytest.skip(f"{codec_id} is not usable here: {codec.availability().reason}")
    slope = (np.arange(LONG) * 255 // LONG).astype(np.uint8)
    pixels = np.repeat(slope, 3).reshape(size[1], size[0], 3)
    if codec.most_side is not None and codec.most_side < LONG:
        with pytest.raises(EncodeError, match=f"{codec_id} holds at most {codec.most_side} pixels a side"):
            codec.encode(Source.from_array(pixels), codec.qp_range[0])
        return
    decoded = codec.decode(codec.encode(Source.from_array(pixels), codec.qp_range[0]), *size)
    assert decoded.shape == pixels.shape
    assert np.abs(decoded.astype(int) - pixels).max() <= 4


def test_a_picture_that_is_too_long_for_a_codec_is_refused():
    source = Source.from_array(np.zeros((1, LONG, 3), np.uint8))
    with pytest.raises(
        ImageError, match="webp holds at most 16383 pixels a side, not 20000x1; choose another"
    ):
        pick(source, Targets(), codec="webp", predictor=FallingPredictor())


def test_several_codecs_leave_out_those_that_cannot_hold_the_picture():
    source = Source.from_array(np.zeros((1, LONG, 3), np.uint8))
    found = pick(source, Targets(), codec="webp,jpeg", predictor=FallingPredictor())
    assert (found.codec.id, found.rivals) == ("jpeg", ())
    assert "webp holds at most 16383 pixels a side, not 20000x1, and was left out" in found.warnings


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIC", "TIFF", "BMP", "GIF", "PPM"])
def test_more_pixels_than_allowed_are_refused_before_they_are_decoded(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pixels = patches()
    path = tmp_path / "a"
    path.write_bytes((heic(pixels) if kind == "HEIC" else file_of(Image.fromarray(pixels), kind))())
    height, width = pixels.shape[:2]
    assert images.read(path, max_pixels=width * height).width == width

    def decode(*_: object) -> None:
        raise RuntimeError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decode)
    monkeypatch.setattr(heif, "_samples", decode)
    with pytest.raises(ImageError, match="decoded"):
        images.read(path, max_pixels=width * height)
    stated = rf"a: has ({width}x{height} = )?{width * height:,} pixels"
    with pytest.raises(ImageError, match=f"{stated}, the limit is 99; raise it with --max-pixels"):
        images.read(path, max_pixels=99)


def test_a_heic_that_libheif_could_not_read_back_is_refused(monkeypatch: pytest.MonkeyPatch):
    source = Source.from_array(patches())
    codec = codecs.get("heic")
    n_bytes = len(codec.encode(source, 10))
    monkeypatch.setattr(heic_codec, "_MOST_CODED_BYTES", 100)
    with pytest.raises(FileTooLarge, match=r"64x48 at QP 10 takes .* reads at most 100 back; take a higher"):
        codec.encode(source, 10)
    monkeypatch.setattr(heic_codec, "_MOST_CODED_BYTES", n_bytes)
    assert len(codec.encode(source, 10)) == n_bytes


def test_a_pick_passes_over_rungs_that_libheif_could_not_read_back(monkeypatch: pytest.MonkeyPatch):
    source, codec = Source.from_array(patches()), codecs.get("heic", preset="ultrafast")
    coded = {qp: len(primary_stream(codec.encode(source, qp))) for qp in (12, 13)}
    assert coded[12] > coded[13]
    monkeypatch.setattr(heic_codec, "_MOST_CODED_BYTES", coded[13])
    found = pick(source, Targets(sur=0.85), codec=codec, predictor=FallingPredictor(guess=12))
    assert found.qp == 15
    assert 12 not in [probe.qp for probe in found.probes]
    said = "heic files of this picture at QP 12 and below are too large to be read back, and were left out"
    assert said in found.warnings
    ladder = curve(
        source, codec=codec, predictor=FallingPredictor(), settings=SearchSettings(min_qp=11, max_qp=14)
    )
    assert [rung.qp for rung in ladder.rungs] == [13, 14]
    assert ladder.natives == ({"qp": 13}, {"qp": 14})
    assert said in ladder.warnings
    only_large = PickSettings(SearchSettings(max_qp=12), best_effort=True)
    with pytest.raises(FileTooLarge, match="at QP 12 takes"):
        pick(source, Targets(), codec=codec, predictor=FallingPredictor(), settings=only_large)
    with pytest.raises(FileTooLarge, match="at QP 12 takes"):
        curve(source, codec=codec, predictor=FallingPredictor(), settings=only_large.search)
