"""Human labels in the one label table, and `sursmr-qp data`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from miniatures import picture
from typer.testing import CliRunner

from sursmr_codec import datasets, images
from sursmr_codec.cli.app import app
from sursmr_codec.errors import ImageError
from sursmr_codec.labels import panel, smr, store
from sursmr_codec.labels.machine_split import unseen_in
from sursmr_codec.labels.machines.output import output_from_dict

sys.path.insert(0, str(Path(__file__).parents[1] / "labels"))
from fake_panel import FakePanel, FakeSetup

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


def cut(path: Path) -> None:
    encoded = path.read_bytes()
    path.write_bytes(encoded[: len(encoded) * 3 // 4])


def test_damaged_pictures_are_told_and_left_out(konjnd, mcl_jci):
    cut(konjnd / "jpeg" / "SRC0001_JPEG_007.jpg")
    picture(konjnd / "jpeg" / "SRC0001_JPEG_008.jpg", (8, 8))
    (konjnd / "jpeg" / "SRC0001_JPEG_009.jpg").write_text("not a picture")
    cut(konjnd / "source_image" / "SRC0505.png")
    data = datasets.only_whole(datasets.read(konjnd))
    assert set(data.images) == {"source_image/SRC0001.png"}
    assert data.problems[0].startswith("source_image/SRC0505.png is no readable picture: ")
    assert data.problems[1].startswith("jpeg/SRC0001_JPEG_007.jpg is no readable picture: ")
    assert data.problems[2:] == (
        "jpeg/SRC0001_JPEG_008.jpg has 8x8 pixels, its source 16x8; left out",
        "jpeg/SRC0001_JPEG_009.jpg is no readable picture; left out",
    )
    assert {row.qp for row in datasets.label_rows(data)} == set(range(1, 101)) - {7, 8, 9}
    cut(mcl_jci / "source_images" / "ImageJND_SRC02.bmp")
    data = datasets.only_whole(datasets.read(mcl_jci))
    # Its compressed pictures are 4x4, as nobody looks at them elsewhere in these tests.
    assert (len(data.images), len(data.problems)) == (1, 101)
    done = run("check", konjnd)
    assert done.exit_code == 0
    assert "problem: jpeg/SRC0001_JPEG_008.jpg has 8x8 pixels" in done.stdout
    assert "97 rungs have" in done.stdout


def test_what_stands_behind_a_whole_picture_does_no_harm(konjnd):
    with (konjnd / "jpeg" / "SRC0001_JPEG_007.jpg").open("ab") as file:
        file.write(bytes(10_000))
    data = datasets.read(konjnd)
    assert datasets.only_whole(data) == data


def test_paths_below_a_folder_of_several_data_sets(konjnd, mcl_jci, tmp_path):
    assert run("labels", konjnd, "--below", tmp_path, "--out", tmp_path / "a.parquet").exit_code == 0
    rows = store.read_labels(tmp_path / "a.parquet").to_pylist()
    assert rows[0]["image"] == "KonJND-1k/source_image/SRC0001.png"
    assert rows[0]["fingerprint"] == "file:KonJND-1k/jpeg/SRC0001_JPEG_001.jpg"
    done = run("labels", konjnd, "--below", mcl_jci, "--out", tmp_path / "b.parquet")
    assert done.exit_code == 2
    assert "does not lie in" in done.stderr


def test_machines_are_asked_about_the_pictures_that_people_judged(konjnd, tmp_path, monkeypatch):
    log = tmp_path / "log"
    monkeypatch.setattr(panel, "ZooSetup", lambda *_: FakeSetup(log))
    split = tmp_path / "split.toml"
    split.write_text('[unseen]\nmachines = ["c5", "d2", "d3"]\n')
    arguments = (konjnd, "--below", tmp_path, "--zoo", tmp_path, "--machine-split", split, "-q")
    assert run("labels", *arguments, "--out", tmp_path / "new" / "both.parquet").exit_code == 0
    rows = store.read_labels(tmp_path / "new" / "both.parquet").to_pylist()
    people = [row.sur for row in datasets.label_rows(datasets.read(konjnd))]
    assert [row["sur"] for row in rows] == pytest.approx(people)
    fake, machines = FakePanel(FakeSetup()), FakeSetup().rows
    original = images.read(tmp_path / rows[7]["image"]).rgb
    rung = images.read(tmp_path / rows[7]["fingerprint"].removeprefix("file:")).rgb
    before = {row.name: output_from_dict(fake.machine(row.name, original)) for row in machines}
    after = {row.name: output_from_dict(fake.machine(row.name, rung)) for row in machines}
    votes = {row.name: smr.satisfied(before[row.name], after[row.name], row) for row in machines}
    assert {name: rows[7][f"m_{name}"] for name in votes} == {
        name: 2 if vote is None else int(vote) for name, vote in votes.items()
    }
    wanted = smr.smr(votes, {row.name: row.task for row in machines}, unseen={"c5", "d2", "d3"})
    assert (rows[7]["n_machines"], rows[7]["smr"]) == (wanted.n_counting, pytest.approx(wanted.smr))
    assert unseen_in(tmp_path / "new") == {"c5", "d2", "d3"}
    # All that was said is in the cache: nobody is asked again, even where the table is written anew.
    asked = log.read_text()
    again = ("--cache", tmp_path / "new" / "both.parquet.cache", "--out", tmp_path / "again.parquet")
    assert run("labels", *arguments, *again).exit_code == 0
    assert log.read_text() == asked
    assert (tmp_path / "again.parquet").read_bytes() == (tmp_path / "new" / "both.parquet").read_bytes()


def test_a_place_that_cannot_be_written_is_told_before_machines_are_asked(konjnd, tmp_path, monkeypatch):
    log = tmp_path / "log"
    monkeypatch.setattr(panel, "ZooSetup", lambda *_: FakeSetup(log))
    (tmp_path / "file").write_text("")
    done = run("labels", konjnd, "--zoo", tmp_path, "--out", tmp_path / "file" / "both.parquet")
    assert done.exit_code == 6
    assert not log.exists()


def test_a_machine_that_fails_is_named_and_nothing_is_written(konjnd, tmp_path, monkeypatch):
    monkeypatch.setattr(panel, "ZooSetup", lambda *_: FakeSetup(failing=("c2",)))
    done = run("labels", konjnd, "--zoo", tmp_path, "--out", tmp_path / "both.parquet")
    assert done.exit_code == 5
    assert "machine c2 failed on" in done.stderr
    assert "SRC0001.png: RuntimeError: c2 is broken" in done.stderr
    assert not (tmp_path / "both.parquet").exists()


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


@pytest.mark.parametrize("option", ["--cache", "--machine-split"])
def test_what_goes_with_machines_is_refused_without_them(konjnd, tmp_path, option):
    done = run("labels", konjnd, "--out", tmp_path / "x.parquet", option, tmp_path / "y")
    assert done.exit_code == 2
    assert "add --zoo" in done.stderr
    assert not (tmp_path / "x.parquet").exists()


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
