"""`pick`: every row of its behaviour, the JSON record, and that what is written is what was scored."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sursmr_codec import codecs, images
from sursmr_codec.records import PICK_KEYS

FIXED_KEYS = {
    *("schema", "version", "input", "codec", "model", "protocol", "machines", "targets", "search", "met"),
    *("binding", "qp", "native", "sur", "smr", "smr_classification", "smr_detection", "sur_low", "smr_low"),
    *("n_bytes", "bpp", "saved_percent", "kept_original", "output", "probes", "n_encodes", "seconds"),
    *("warnings", "explain"),
}
VIEWERS = ("--smr", "0", "--quiet")
MEASURED = ("--predictor", "measured")


def test_met_targets_write_the_scored_bytes(run, photo, tmp_path):
    target = tmp_path / "out.jpg"
    ran = run("pick", photo, "--sur", "0.75", *VIEWERS, "-o", target, "--json")
    assert ran.exit_code == 0
    record = ran.record
    assert record["met"]
    assert record["sur"] >= 0.75
    written = target.read_bytes()
    assert record["output"] == {"path": str(target), "sha256": hashlib.sha256(written).hexdigest()}
    assert record["n_bytes"] == len(written)
    source = images.read(photo)
    assert written == codecs.get("jpeg").encode(source, record["qp"])


def test_the_answer_stands_on_its_own_probe_and_the_next_one_fails(run, photo):
    record = run("pick", photo, "--sur", "0.75", *VIEWERS, "--json").record
    by_qp = {probe["qp"]: probe for probe in record["probes"]}
    assert by_qp[record["qp"]]["sur"] == record["sur"]
    above = [qp for qp in by_qp if qp > record["qp"]]
    assert by_qp[min(above)]["sur"] < 0.75
    assert record["binding"] == "sur"
    assert record["n_encodes"] == len(record["probes"]) <= 8


def test_exhaustive_scores_every_rung_and_agrees(run, photo):
    question = ("pick", photo, "--sur", "0.6", *VIEWERS, "--json")
    exhaustive = run(*question, "--search", "exhaustive").record
    assert [probe["qp"] for probe in exhaustive["probes"]] == list(range(1, 101))
    met = [probe["qp"] for probe in exhaustive["probes"] if probe["sur"] >= 0.6]
    assert exhaustive["qp"] == max(met)
    assert run(*question).record["qp"] in met


def test_unreachable_targets_write_nothing(run, noise_png, tmp_path):
    target = tmp_path / "out.jpg"
    ran = run("pick", noise_png, "--sur", "1", *VIEWERS, "-o", target, "--json")
    assert ran.exit_code == 3
    assert not target.exists()
    record = ran.record
    assert (record["met"], record["binding"], record["qp"], record["output"]) == (False, "sur", None, None)
    assert record["n_bytes"] is None
    assert len(ran.error_lines) == 1
    assert str(noise_png) in ran.stderr


def test_best_effort_writes_the_smallest_shortfall_and_says_so(run, noise_png, tmp_path):
    target = tmp_path / "out.jpg"
    ran = run("pick", noise_png, "--sur", "1", "--smr", "0", "--best-effort", "-o", target, "--json")
    assert ran.exit_code == 0
    record = ran.record
    assert not record["met"]
    assert record["sur"] == max(probe["sur"] for probe in record["probes"])
    assert target.stat().st_size == record["n_bytes"]
    assert any("not met" in line for line in record["warnings"])
    assert "warning: targets not met" in ran.stderr


def test_bytes_in_the_way_write_nothing(run, photo, tmp_path):
    target = tmp_path / "out.jpg"
    question = ("pick", photo, "--sur", "0.75", *VIEWERS, "-o", target, "--json")
    smallest = run(*question[:-3], "--json").record["n_bytes"]
    ran = run(*question, "--max-bytes", smallest - 1)
    assert ran.exit_code == 3
    assert ran.record["binding"] == "max_bytes"
    assert not target.exists()


def test_best_effort_within_the_bytes_takes_the_lowest_qp(run, photo, tmp_path):
    target = tmp_path / "out.jpg"
    limit = run("pick", photo, "--sur", "0.75", *VIEWERS, "--json").record["n_bytes"] - 100
    record = run(
        *("pick", photo, "--sur", "0.75", *VIEWERS, "--best-effort", "--max-bytes", limit),
        *("-o", target, "--json"),
    ).record
    assert not record["met"]
    assert record["binding"] == "max_bytes"
    assert record["n_bytes"] == target.stat().st_size <= limit
    source, jpeg = images.read(photo), codecs.get("jpeg")
    assert len(jpeg.encode(source, record["qp"] - 1)) > limit


def test_a_small_original_is_kept(run, tmp_path, photo):
    small = tmp_path / "small.jpg"
    with Image.open(photo) as picture:
        picture.save(small, quality=30)
    target = tmp_path / "out.jpg"
    ran = run("pick", small, "--sur", "0.9", *VIEWERS, "--keep-smaller", "-o", target, "--json")
    assert ran.exit_code == 0
    record = ran.record
    assert record["met"]
    assert record["kept_original"]
    assert (record["qp"], record["native"]) == (None, None)
    assert target.read_bytes() == small.read_bytes()
    assert record["input"]["jpeg_quality"] == 30


@pytest.mark.parametrize(
    ("kind", "options", "told"),
    [
        ("JPEG", {"quality": 20}, "(jpeg of quality 20, compressed with losses already)"),
        ("WEBP", {"quality": 20}, "(webp, compressed with losses already)"),
        ("AVIF", {"quality": 20}, "(avif, compressed with losses already)"),
        ("WEBP", {"lossless": True}, None),
        ("PNG", {}, None),
    ],
)
def test_a_source_that_is_compressed_already_is_recognised(run, photo, tmp_path, kind, options, told):
    path = tmp_path / f"small.{kind.lower()}"
    with Image.open(photo) as picture:
        picture.save(path, kind, **options)
    warnings = run("pick", path, "--sur", "0.95", *VIEWERS, "--json").record["warnings"]
    saving = [line for line in warnings if "see --keep-smaller" in line]
    assert len(saving) == (told is not None)
    assert told is None or told in saving[0]


def test_min_savings_decides_whether_the_original_is_kept(run, photo):
    question = ("pick", photo, "--sur", "0.75", *VIEWERS, "--keep-smaller", "--json")
    saved = run(*question).record["saved_percent"]
    assert not run(*question, "--min-savings", saved - 0.1).record["kept_original"]
    assert run(*question, "--min-savings", saved + 0.1).record["kept_original"]


def test_tolerance_never_goes_below_a_target(run, photo):
    record = run("pick", photo, "--sur", "0.7", *VIEWERS, "--tolerance", "0.1", "--json").record
    assert record["met"]
    assert 0.7 <= record["sur"] <= 0.8
    assert record["n_encodes"] <= run("pick", photo, "--sur", "0.7", *VIEWERS, "--json").record["n_encodes"]


def test_without_targets_the_last_rung_is_picked(run, photo):
    record = run("pick", photo, "--sur", "0", *VIEWERS, "--json").record
    assert (record["qp"], record["binding"], record["met"]) == (100, "range", True)


def test_qp_range_is_honoured(run, photo):
    record = run("pick", photo, "--sur", "0", *VIEWERS, "--min-qp", "10", "--max-qp", "20", "--json").record
    assert record["qp"] == 20
    assert (record["search"]["min_qp"], record["search"]["max_qp"]) == (10, 20)


@pytest.mark.parametrize("arguments", [(), ("--sur", "1"), ("--alpha", "nonsense"), ("--max-bytes", "5")])
def test_the_record_has_every_key_whatever_happens(run, photo, noise_png, arguments):
    picture = noise_png if "1" in arguments else photo
    record = run("pick", picture, *VIEWERS, *arguments, "--json").record
    assert set(record) == FIXED_KEYS
    assert list(record) == list(PICK_KEYS)


def test_an_absent_image_is_exit_4_with_a_record(run, tmp_path):
    ran = run("pick", tmp_path / "absent.png", *VIEWERS, "--json")
    assert ran.exit_code == 4
    assert set(ran.record) == FIXED_KEYS
    assert ran.record["met"] is False
    assert ran.record["input"]["path"] == str(tmp_path / "absent.png")
    assert "absent.png" in ran.error_lines[0]


def test_record_values(run, photo):
    record = run("pick", photo, *VIEWERS, *MEASURED, "--json").record
    assert record["schema"] == "sursmr-qp/pick/1"
    assert record["input"] == {
        "path": str(photo),
        "sha256": hashlib.sha256(photo.read_bytes()).hexdigest(),
        "width": 128,
        "height": 96,
        "n_bytes": photo.stat().st_size,
        "format": "png",
        "jpeg_quality": None,
    }
    assert record["codec"]["id"] == "jpeg"
    assert record["native"] == {"quality": 101 - record["qp"]}
    assert record["targets"] == {"sur": 0.75, "smr": 0.0, "risk": None}
    assert record["model"]["id"] == "measured"
    assert record["protocol"] == "calibrated/ssimulacra2"
    assert record["bpp"] == pytest.approx(8 * record["n_bytes"] / (128 * 96))
    assert record["saved_percent"] == pytest.approx(100 * (1 - record["n_bytes"] / photo.stat().st_size))
    assert set(record["seconds"]) == {"read", "encode", "decode", "predict", "total"}
    assert record["explain"] is None
    assert record["smr"] is None
    assert all(set(probe) == set(record["probes"][0]) for probe in record["probes"])


def test_ssimulacra2_alone_says_so(run, photo):
    ran = run("pick", photo, "--smr", "0", *MEASURED, "--json")
    assert any("cvvdp is not installed" in line for line in ran.record["warnings"])
    assert "warning: cvvdp is not installed" in ran.stderr


def test_machine_targets_need_machines(run, photo):
    ran = run("pick", photo, "--sur", "0.75", *MEASURED, "--json")
    assert ran.exit_code == 2
    assert "--zoo" in ran.error_lines[0]


def test_the_trained_model_is_the_default(run, photo, monkeypatch):
    ran = run("pick", photo, "--sur", "0.75", "--smr", "0.9", "--explain", "--json")
    assert ran.exit_code == 0, ran.stderr
    record = ran.record
    assert record["model"]["id"] == "lite"
    assert record["sur"] >= 0.75
    assert record["smr"] >= 0.9
    assert set(record["explain"][0]["teachers"]) == {"cvvdp", "ssimulacra2"}
    avif = run("pick", photo, "--codec", "avif", "--sur", "0.5", "--smr", "0.5", "--json").record
    assert any("avif" in line for line in avif["warnings"])
    monkeypatch.delenv("SURSMR_ZOO", raising=False)
    refused = run("pick", photo, "--zoo", "machines")
    assert refused.exit_code == 2
    assert "add --predictor measured" in refused.error_lines[0]


def test_people_see_the_answer(run, photo, tmp_path):
    ran = run("pick", photo, "--smr", "0", "-o", tmp_path / "out.jpg")
    for words in ("photo.png", "quality", "SUR", "target 0.75", "smaller", "viewers would see", "picked"):
        assert words in ran.stdout
    assert "probe 1 of at most 10" in ran.stderr
    assert "\x1b" not in ran.stdout + ran.stderr


def test_explain_names_the_binding_teacher(run, photo):
    record = run("pick", photo, *VIEWERS, *MEASURED, "--explain", "--json").record
    assert [row["qp"] for row in record["explain"]] == [probe["qp"] for probe in record["probes"]]
    first = record["explain"][0]
    assert first["binding_teacher"] == "ssimulacra2"
    assert first["teachers"]["ssimulacra2"]["sur"] == pytest.approx(record["probes"][0]["sur"])


def test_unknown_codec_is_usage(run, photo):
    ran = run("pick", photo, "--codec", "nonsense", *VIEWERS)
    assert ran.exit_code == 2
    assert "jpeg" in ran.error_lines[0]


def test_machines_are_counted_from_a_zoo(run, photo, shared_data):
    ran = run(
        *("pick", shared_data / "images" / "kodak" / "23.png", "--sur", "0", "--smr", "0.9", "--quiet"),
        *MEASURED,
        *("--zoo", shared_data / "machines", "--json", "--explain"),
    )
    assert ran.exit_code == 0
    record = ran.record
    assert record["smr"] >= 0.9
    above = min((probe for probe in record["probes"] if probe["qp"] > record["qp"]), key=lambda p: p["qp"])
    assert above["smr"] < 0.9
    explained = {row["qp"]: row for row in record["explain"]}
    flipped = explained[above["qp"]]["flipped"]
    assert above["smr"] == pytest.approx(1 - len(flipped) / explained[above["qp"]]["n_counting"])


def test_a_picture_that_machines_do_not_know_meets_no_smr_target(run, tmp_path, shared_data):
    picture = tmp_path / "grey.png"
    Image.new("RGB", (64, 64), (128, 128, 128)).save(picture)
    ran = run("pick", picture, "--sur", "0", *MEASURED, "--zoo", shared_data / "machines", "--json")
    assert ran.exit_code == 3
    assert (ran.record["binding"], ran.record["smr"], ran.record["qp"]) == ("smr", None, None)
    assert "--smr 0" in ran.error_lines[0]
    assert "confident opinion" in ran.stderr


@pytest.fixture
def noise_png(tmp_path: Path, noise: np.ndarray) -> Path:
    path = tmp_path / "noise.png"
    Image.fromarray(noise).save(path)
    return path


def test_json_is_one_line(run, photo):
    ran = run("pick", photo, *VIEWERS, "--json")
    assert ran.stdout.count("\n") == 1
    assert json.loads(ran.stdout)
