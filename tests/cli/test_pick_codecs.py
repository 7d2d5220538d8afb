"""`pick` with several encoders, their options, metadata and transparency, as typed."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sursmr_codec import codecs, images
from sursmr_codec.codecs.base import Availability
from sursmr_codec.codecs.webp import Webp

VIEWERS = ("--smr", "0", "--quiet")


@pytest.fixture
def logo(tmp_path: Path, photo: Path) -> Path:
    """A photograph behind a disc of half transparent edge."""
    with Image.open(photo) as whole:
        pixels = np.asarray(whole.convert("RGB"))
    y, x = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]]
    cover = np.clip(40 * (44 - np.hypot(x - 64, y - 48)), 0, 255).astype(np.uint8)
    path = tmp_path / "logo.png"
    Image.fromarray(np.dstack([pixels, cover])).save(path)
    return path


def test_the_smallest_of_several_is_written(run, photo, tmp_path):
    target = tmp_path / "out"
    record = run("pick", photo, "--codec", "jpeg,webp,jpegli", *VIEWERS, "-o", target, "--json").record
    alone = {
        name: run("pick", photo, "--codec", name, *VIEWERS, "--json").record
        for name in ("jpeg", "webp", "jpegli")
    }
    smallest = min(alone, key=lambda name: alone[name]["n_bytes"])
    assert record["codec"]["id"] == smallest
    assert (record["qp"], record["n_bytes"]) == (alone[smallest]["qp"], alone[smallest]["n_bytes"])
    assert record["n_encodes"] == sum(one["n_encodes"] for one in alone.values())
    assert target.stat().st_size == record["n_bytes"]
    for name, one in alone.items():
        if name != smallest:
            told = f"{name}: {one['n_bytes']} bytes at QP {one['qp']}, targets met; {smallest} is no larger"
            assert told in record["warnings"]


def test_people_see_the_others_too(run, photo):
    ran = run("pick", photo, "--codec", "jpeg,webp", "--smr", "0")
    assert "instead of" in ran.stdout
    assert "jpeg: probe 1 of at most" in ran.stderr
    assert "webp: probe 1 of at most" in ran.stderr


def test_one_missing_encoder_among_several_is_exit_5(run, photo, tmp_path, monkeypatch):
    missing = Availability(False, "no libwebp", "pip install pillow")
    monkeypatch.setattr(Webp, "availability", lambda _: missing)
    ran = run("pick", photo, "--codec", "jpeg,webp", *VIEWERS, "-o", tmp_path / "out.jpg", "--json")
    assert ran.exit_code == 5
    assert ran.error_lines == ["error: codec webp is not usable: no libwebp; try: pip install pillow"]
    assert ran.record["n_encodes"] == 0
    assert not (tmp_path / "out.jpg").exists()


@pytest.mark.parametrize(
    ("codec", "options", "expected"),
    [
        ("jpeg", ("--chroma", "444"), {"chroma": "444", "progressive": False, "optimize": False}),
        (
            "hevc",
            ("--bit-depth", "10", "--preset", "fast"),
            {"preset": "fast", "chroma": "420", "bit_depth": 10},
        ),
        ("avif", ("--speed", "9"), {"speed": 9, "chroma": "420"}),
        ("webp", ("--effort", "0"), {"effort": 0}),
        ("vvc", ("--preset", "faster"), {"preset": "faster"}),
    ],
)
def test_options_reach_their_encoder(run, photo, codec, options, expected):
    one_rung = ("--sur", "0", "--min-qp", "30", "--max-qp", "30")
    record = run("pick", photo, "--codec", codec, *options, *one_rung, *VIEWERS, "--json").record
    assert record["codec"]["options"] == expected
    curve = run("curve", photo, "--codec", codec, *options, *one_rung[2:], "--quiet", "--json").record
    assert curve["codec"] == record["codec"]
    assert curve["rungs"][0]["n_bytes"] == record["n_bytes"]


def test_an_option_goes_to_those_that_take_it(run, photo):
    ran = run("pick", photo, "--codec", "jpeg,webp", "--effort", "0", "--optimize", *VIEWERS, "--json")
    assert ran.exit_code == 0
    assert ran.record["codec"]["options"] in (
        {"effort": 0},
        {"chroma": "420", "progressive": False, "optimize": True},
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("--codec", "webp", "--chroma", "444"),
            "webp takes no chroma; it is for jpeg, hevc, bpg, heic, avif",
        ),
        (("--codec", "jpeg,webp", "--preset", "slow"), "none of the codecs jpeg, webp takes preset"),
        (("--codec", "hevc", "--preset", "warp"), "ultrafast, superfast"),
        (("--codec", "hevc", "--bit-depth", "9"), "bit_depth is one of 8, 10"),
        (("--chroma", "422"), "422"),
        (("--codec", "jpeg,jpeg"), "named twice"),
        (("--codec", "jpeg,webp", "--max-qp", "40"), "belong to one codec"),
    ],
)
def test_options_that_make_no_sense_are_usage(run, photo, arguments, words):
    ran = run("pick", photo, *VIEWERS, *arguments)
    assert ran.exit_code == 2
    assert words in ran.stderr


def test_curve_takes_one_codec(run, photo):
    ran = run("curve", photo, "--codec", "jpeg,webp")
    assert ran.exit_code == 2
    assert "takes one codec" in ran.error_lines[0]


def test_a_progressive_file_shows_what_was_scored(run, kodim23, tmp_path):
    target = tmp_path / "out.jpg"
    one_rung = ("--sur", "0", "--min-qp", "40", "--max-qp", "40")
    record = run("pick", kodim23, "--progressive", *one_rung, *VIEWERS, "-o", target, "--json").record
    plain = codecs.get("jpeg").encode(images.read(kodim23), 40)
    with Image.open(target) as written, Image.open(io.BytesIO(plain)) as rung:
        assert written.info["progressive"]
        np.testing.assert_array_equal(np.asarray(written), np.asarray(rung))
    assert record["probes"][0]["n_bytes"] == len(plain) > record["n_bytes"] == target.stat().st_size
    assert record["codec"]["options"]["progressive"] is True
    assert "progressive=1" in record["codec"]["fingerprint"]


def test_strip_leaves_metadata_out(run, photo, tmp_path):
    tagged = tmp_path / "tagged.jpg"
    exif = Image.Exif()
    exif[0x010F] = "house"
    with Image.open(photo) as picture:
        picture.save(tagged, quality=98, exif=exif, xmp=b"<x/>", dpi=(300, 300))
    for options, expected in (((), {"exif", "xmp", "dpi"}), (("--strip",), set())):
        target = tmp_path / "out.jpg"
        assert run("pick", tagged, *options, *VIEWERS, "-o", target).exit_code == 0
        with Image.open(target) as written:
            assert {"exif", "xmp", "dpi"} & set(written.info) == expected


def test_metadata_that_a_stream_cannot_hold_is_said(run, photo, tmp_path):
    tagged = tmp_path / "tagged.webp"
    with Image.open(photo) as picture:
        picture.save(tagged, lossless=True, xmp=b"<x/>")
    ran = run("pick", tagged, "--codec", "hevc", "--smr", "0")
    assert "warning: hevc files hold no metadata: XMP left out" in ran.stderr


@pytest.mark.parametrize("codec", ["webp", "avif", "heic", "jxl"])
def test_transparency_is_kept_where_the_codec_can(run, logo, codec, tmp_path):
    target = tmp_path / f"out.{codec}"
    ran = run("pick", logo, "--codec", codec, "--alpha", "keep", *VIEWERS, "-o", target, "--json")
    assert ran.exit_code == 0
    record = ran.record
    assert record["met"]
    flat = images.read(logo, alpha=images.KEEP)
    decoded = codecs.get(codec).decode(target.read_bytes(), flat.width, flat.height)
    assert decoded[0, 0].min() >= 250  # outside the disc it is the white of the page
    if codec != "jxl":
        again = images.read(target, alpha=images.KEEP)
        assert again.alpha is not None
        assert np.abs(again.alpha.astype(int) - flat.alpha).mean() < 3


def test_transparency_that_a_codec_cannot_keep_is_exit_4(run, logo, tmp_path):
    ran = run("pick", logo, "--codec", "jpeg", "--alpha", "keep", *VIEWERS, "-o", tmp_path / "out.jpg")
    assert ran.exit_code == 4
    assert "which jpeg files cannot keep" in ran.error_lines[0]
    ran = run("pick", logo, "--codec", "jpeg,webp", "--alpha", "keep", *VIEWERS, "--json")
    assert ran.record["codec"]["id"] == "webp"
    assert any("jpeg cannot keep transparency" in line for line in ran.record["warnings"])


def test_curve_of_a_transparent_picture_is_refused_too(run, logo):
    ran = run("curve", logo, "--alpha", "keep", "--step", "40", "--quiet")
    assert ran.exit_code == 4
    assert "cannot keep" in ran.error_lines[0]
