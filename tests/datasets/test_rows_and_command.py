"""Human labels in the one label table, and `sursmr-qp data`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sursmr_codec import datasets
from sursmr_codec.cli.app import app
from sursmr_codec.errors import ImageError
from sursmr_codec.labels import store

PAGE = Path(__file__).parents[2] / "docs" / "datasets.md"


def run(*arguments):
    return CliRunner().invoke(app, ["data", *map(str, arguments)], prog_name="sursmr-qp")


def test_rows_are_those_of_the_label_table(konjnd, tmp_path):
    data = datasets.read(konjnd)
    rows = list(datasets.label_rows(data))
    assert len(rows) == 151
    first = rows[0]
    size = (konjnd / "jpeg" / "SRC0001_JPEG_001.jpg").stat().st_size
    assert (first.image, first.codec, first.qp) == ("source_image/SRC0001.png", "jpeg", 1)
    assert (first.n_bytes, first.bpp) == (size, 8 * size / (16 * 8))
    assert first.fingerprint == "file:jpeg/SRC0001_JPEG_001.jpg"
    assert (konjnd / first.fingerprint.removeprefix("file:")).is_file()
    assert first.sur == data.ladders[0].sur[1]
    table = store.to_table(rows, [])
    store.write_labels(table, tmp_path / "human.parquet")
    assert store.read_labels(tmp_path / "human.parquet").equals(table)


def test_only_rungs_with_all_their_files_are_rows(konjnd):
    (konjnd / "jpeg" / "SRC0001_JPEG_017.jpg").unlink()
    (konjnd / "source_image" / "SRC0505.png").unlink()
    rows = list(datasets.label_rows(datasets.read(konjnd)))
    assert {row.codec for row in rows} == {"jpeg"}
    assert 17 not in {row.qp for row in rows}
    assert len(rows) == 99


def test_a_source_that_is_no_picture_is_an_error(konjnd):
    (konjnd / "source_image" / "SRC0001.png").write_text("not a picture")
    with pytest.raises(ImageError, match=r"SRC0001\.png is no readable picture"):
        list(datasets.label_rows(datasets.read(konjnd)))


def test_check_says_what_is_there(konjnd):
    done = run("check", konjnd)
    assert done.exit_code == 0
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert lines["jpeg"].startswith(
        "1 images, QP 1..100, 100 files, 4 ratings, 4 an image, SUR 0.5 up to QP 39"
    )
    assert lines["bpg"].startswith("1 images, QP 1..51, 51 files, 4 ratings")
    assert lines["labels"].startswith("151 rungs")
    assert lines["missing"] == "0 files"


def test_check_names_missing_files_and_problems(konjnd):
    for level in range(1, 31):
        (konjnd / "jpeg" / f"SRC0001_JPEG_{level:03d}.jpg").unlink()
    with (konjnd / "subjective_ratings.csv").open("a") as file:
        file.write("SRC0002.png,JPEG,1,1,0,oops\n")
    done = run("check", konjnd)
    assert done.exit_code == 0
    assert "missing: jpeg/SRC0001_JPEG_001.jpg" in done.stdout
    assert "missing: 10 more; --all names them" in done.stdout
    assert "problem: subjective_ratings.csv line 4: ratings are no list: 'oops'" in done.stdout
    every = run("check", konjnd, "--all").stdout
    assert every.count("missing: ") == 30
    assert "--all" not in every


def test_check_json_has_every_documented_key(konjnd, tmp_path):
    good = json.loads(run("check", konjnd, "--json").stdout)
    assert good["error"] is None
    assert (good["reader"], good["n_images"], good["n_rungs"]) == ("konjnd-1k", 2, 151)
    assert good["codecs"][0]["half_qp"] == 39
    assert sum(good["splits"].values()) == 2
    done = run("check", tmp_path / "absent", "--json")
    bad = json.loads(done.stdout)
    assert done.exit_code == 4
    assert bad["error"].startswith("nothing at")
    assert set(bad) == set(good)
    assert {key for key in bad if bad[key] is not None} == {"schema", "version", "path", "error"}
    page = PAGE.read_text("utf-8")
    for key in (*good, *good["codecs"][0]):
        assert f"`{key}`" in page, key


@pytest.mark.parametrize("command", ["check", "labels"])
def test_nothing_readable_is_exit_code_4(command, tmp_path):
    arguments = ["--out", tmp_path / "x.parquet"] if command == "labels" else []
    done = run(command, tmp_path, *arguments)
    assert done.exit_code == 4
    assert done.stderr.startswith("error: ")
    assert done.stdout == ""


def test_a_wrong_study_is_exit_code_2(write_study):
    assert run("check", write_study([{"source": "a.png", "jnd_level": 13}], codec=None)).exit_code == 2


def test_labels_writes_the_table(konjnd, tmp_path):
    done = run("labels", konjnd, "--out", tmp_path / "human.parquet")
    assert done.exit_code == 0
    assert done.stderr == "151 rungs of 2 images, 0 missing\n"
    table = store.read_labels(tmp_path / "human.parquet")
    assert table.num_rows == 151
    assert table["sur"].null_count == 0
    assert table["smr"].null_count == 151


def test_labels_of_a_data_set_without_pictures_is_exit_code_4(shared_data, tmp_path):
    done = run("labels", shared_data / "human" / "mcl_jci", "--out", tmp_path / "human.parquet")
    assert done.exit_code == 4
    assert "no rung with a source" in done.stderr
    assert not list(tmp_path.iterdir())


def test_every_reader_is_documented():
    page = PAGE.read_text("utf-8")
    for reader in datasets.READERS:
        assert f"`{reader.id}`" in page
