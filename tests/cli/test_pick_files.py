"""`pick`: what is written where, what is left alone, and what is refused before any work."""

from __future__ import annotations

import io

from PIL import Image

from sursmr_codec import codecs

VIEWERS = ("--smr", "0", "--quiet")


def test_hevc_writes_a_raw_stream(run, photo, tmp_path):
    target = tmp_path / "out.hevc"
    record = run("pick", photo, "--codec", "hevc", *VIEWERS, "-o", target, "--json").record
    assert record["met"]
    assert target.read_bytes()[:4] == b"\0\0\0\1"
    decoded = codecs.get("hevc").decode(target.read_bytes(), 128, 96)
    assert decoded.shape == (96, 128, 3)


def test_input_is_not_overwritten_unless_told(run, photo, tmp_path):
    picture = tmp_path / "in.png"
    picture.write_bytes(photo.read_bytes())
    ran = run("pick", picture, *VIEWERS, "-o", picture)
    assert ran.exit_code == 2
    assert "--in-place" in ran.error_lines[0]
    assert picture.read_bytes() == photo.read_bytes()
    assert run("pick", picture, *VIEWERS, "-o", picture, "--in-place").exit_code == 0
    assert picture.read_bytes()[:2] == b"\xff\xd8"


def test_in_place_alone_replaces_the_input(run, photo, tmp_path):
    picture = tmp_path / "in.jpg"
    with Image.open(photo) as original:
        original.save(picture, quality=98)
    before = picture.stat().st_size
    assert run("pick", picture, *VIEWERS, "--in-place").exit_code == 0
    assert picture.stat().st_size < before


def test_output_folder_absent_is_exit_6_before_any_work(run, photo, tmp_path):
    ran = run("pick", photo, *VIEWERS, "-o", tmp_path / "absent" / "out.jpg", "--json")
    assert ran.exit_code == 6
    assert ran.record["n_encodes"] == 0
    assert not (tmp_path / "absent").exists()


def test_plot_is_a_picture(run, photo, tmp_path):
    target = tmp_path / "probes.png"
    assert run("pick", photo, *VIEWERS, "--plot", target).exit_code == 0
    with Image.open(io.BytesIO(target.read_bytes())) as picture:
        assert picture.size[0] > 500
    assert run("pick", photo, *VIEWERS, "--plot", tmp_path / "probes.xyz").exit_code == 2


def test_a_plot_that_cannot_be_written_costs_no_encode(run, photo, tmp_path):
    ran = run("pick", photo, *VIEWERS, "--plot", tmp_path / "absent" / "probes.png", "--json")
    assert (ran.exit_code, ran.record["n_encodes"]) == (6, 0)
    assert run("pick", photo, *VIEWERS, "--plot", photo).exit_code == 2


def test_a_misleading_extension_is_honoured_and_named(run, photo, tmp_path):
    target = tmp_path / "out.png"
    record = run("pick", photo, *VIEWERS, "-o", target, "--json").record
    assert target.read_bytes()[:2] == b"\xff\xd8"
    assert any("whose files end in .jpg" in line for line in record["warnings"])
