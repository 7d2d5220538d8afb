"""`curve`, `score` and `codecs`: numbers that agree with `pick`, and records with every key."""

from __future__ import annotations

import csv
import io

import pillow_heif
import pytest
from PIL import Image

from sursmr_codec import codecs

VIEWERS = ("--smr", "0", "--quiet")


def test_curve_and_pick_give_the_same_numbers(run, photo):
    curve = run("curve", photo, "--step", "9", "--json", "--quiet").record
    assert curve["schema"] == "sursmr-qp/curve/1"
    assert [rung["qp"] for rung in curve["rungs"]] == list(range(1, 101, 9))
    qp = 37
    picked = run("pick", photo, "--sur", "0", *VIEWERS, "--min-qp", qp, "--max-qp", qp, "--json").record
    on_curve = next(rung for rung in curve["rungs"] if rung["qp"] == qp)
    assert {**picked["probes"][0], "bpp": picked["bpp"]} == on_curve
    for key in ("input", "codec", "model", "protocol", "machines", "version"):
        assert curve[key] == picked[key]


def test_curve_scores_every_qp_by_default(run, photo):
    rungs = run("curve", photo, "--codec", "hevc", "--json", "--quiet").record["rungs"]
    assert [rung["qp"] for rung in rungs] == list(range(52))
    assert rungs[0]["sur"] > 0.9 > rungs[-1]["sur"]


def test_curve_as_csv_table_and_plot(run, photo, tmp_path):
    target, plot = tmp_path / "curve.csv", tmp_path / "curve.svg"
    ran = run("curve", photo, "--step", "33", "--csv", target, "--plot", plot, "--quiet")
    assert ran.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(target.read_text())))
    assert [row["qp"] for row in rows] == ["1", "34", "67", "100"]
    assert set(rows[0]) == {"qp", "sur", "smr", "smr_classification", "smr_detection", "n_bytes", "bpp"}
    assert [0.0 <= float(row[ratio]) <= 1.0 for row in rows for ratio in ("sur", "smr")] == [True] * 8
    assert plot.read_text().startswith("<?xml")
    printed = run("curve", photo, "--step", "33", "--csv", "-", "--quiet")
    assert printed.stdout == target.read_text()
    table = run("curve", photo, "--step", "33", "--quiet").stdout
    assert "quality" in table
    assert len(table.splitlines()) == 5


def test_curve_of_a_bad_image_is_exit_4(run, tmp_path):
    assert run("curve", tmp_path / "absent.png").exit_code == 4


@pytest.fixture
def compressed(photo, tmp_path):
    """The photograph as JPEG at two qualities, WebP, AVIF, HEIC and lossless PNG."""
    with Image.open(photo) as original:
        original.load()
    files = {}
    for name, options in {
        "good.jpg": {"quality": 95},
        "bad.jpg": {"quality": 10},
        "some.webp": {"quality": 60},
        "some.avif": {"quality": 60},
        "same.png": {},
    }.items():
        files[name] = tmp_path / name
        original.save(files[name], **options)
    files["some.heic"] = tmp_path / "some.heic"
    pillow_heif.from_pillow(original).save(files["some.heic"], quality=60)
    return files


def test_score_of_files_from_any_encoder(run, photo, compressed):
    ran = run("score", photo, *compressed.values(), "--json", "--quiet")
    assert ran.exit_code == 0
    by_path = {row["path"]: row for row in ran.record}
    sur = {name: by_path[str(path)]["sur"] for name, path in compressed.items()}
    assert sur["same.png"] == 1.0
    assert sur["good.jpg"] > sur["some.webp"] > sur["bad.jpg"]
    for path in compressed.values():
        row = by_path[str(path)]
        assert row["n_bytes"] == path.stat().st_size
        assert set(row) == {"path", "sur", "smr", "smr_classification", "smr_detection", "n_bytes"}


def test_score_agrees_with_pick_on_what_it_wrote(run, photo, tmp_path):
    for codec in codecs.ids():
        target = tmp_path / f"out{codecs.get(codec).extension}"
        picked = run("pick", photo, "--codec", codec, *VIEWERS, "-o", target, "--json").record
        (scored,) = run("score", photo, target, "--json", "--quiet").record
        assert scored["sur"] == picked["sur"]
        assert scored["n_bytes"] == picked["n_bytes"]


def test_score_says_what_pick_says_of_scores(run, photo, tmp_path):
    files = []
    for suffix in ("webp", "jpg"):
        files.append(tmp_path / f"some.{suffix}")
        with Image.open(photo) as image:
            image.convert("RGB").save(files[-1], quality=50)
    ran = run("score", photo, *files, *files)
    assert ran.exit_code == 0
    (line,) = [line for line in ran.stderr.splitlines() if "extrapolated" in line]
    assert "its ratios for webp are extrapolated" in line


def test_score_names_the_stream_that_it_cannot_read(run, photo, tmp_path):
    stream = tmp_path / "other.hevc"
    stream.write_bytes(photo.read_bytes())
    ran = run("score", photo, stream)
    assert ran.exit_code == 4
    assert ran.stderr.startswith(f"error: {stream}: ")


def test_two_kinds_of_data_do_not_share_stdout(run, photo):
    ran = run("curve", photo, "--csv", "-", "--json")
    assert ran.exit_code == 2
    assert "both write to stdout" in ran.stderr
    assert ran.stdout == ""


def test_score_refuses_another_size(run, photo, kodim23):
    ran = run("score", photo, kodim23)
    assert ran.exit_code == 4
    assert "768x512" in ran.error_lines[0]


def test_score_table(run, photo, compressed):
    ran = run("score", photo, compressed["good.jpg"], "--quiet")
    assert "good.jpg" in ran.stdout
    assert "SUR" in ran.stdout


def test_codecs_lists_every_registered_one(run):
    rows = run("codecs", "--json").record
    assert [row["id"] for row in rows] == list(codecs.ids())
    for row in rows:
        assert set(row) == {
            "id",
            "available",
            "reason",
            "remedy",
            "versions",
            "qp_range",
            "extension",
            "local",
        }
        codec = codecs.get(row["id"])
        assert row["qp_range"] == [codec.qp_range[0], codec.qp_range[-1]]
        assert row["available"] == (row["reason"] is None)
    table = run("codecs").stdout
    assert all(row["id"] in table for row in rows)
