"""The generic study, COCO, plain folders, splits, and which reader takes what."""

from __future__ import annotations

import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from miniatures import picture

from sursmr_codec import datasets
from sursmr_codec.datasets.splits import by_source
from sursmr_codec.errors import ImageError, UsageError

RUNGS = [
    {"source": "a.png", "distorted": f"a/a_{level:03d}.png", "level": level, "sur": ratio}
    for level, ratio in ((13, 1.0), (14, 0.5), (15, 0.25))
]
SUBJECTS = [
    {"source": source, "subject": n, "jnd_level": level}
    for source, levels in (("a.png", (14, 15, 15, 15)), ("b.png", (13, 14)))
    for n, level in enumerate(levels)
]


def test_a_rung_a_row(write_study):
    data = datasets.read(write_study(RUNGS))
    assert (data.reader, data.name, data.missing, data.problems) == ("table", "VVC-JND", (), ())
    (ladder,) = data.ladders
    assert (ladder.image, ladder.codec, ladder.n_raters) == ("sources/a.png", "vvc", None)
    assert ladder.sur == {13: 1.0, 14: 0.5, 15: 0.25}
    assert ladder.files[14] == "distorted/a/a_014.png"


def test_a_subject_a_row(write_study):
    data = datasets.read(write_study(SUBJECTS) / "study.toml")
    a, b = data.ladders
    assert a.sur == {13: 1.0, 14: 0.75, 15: 0.0}
    assert b.sur == {13: 0.5, 14: 0.0, 15: 0.0}
    assert (a.n_raters, b.n_raters) == (4, 2)
    assert b.files == {13: "distorted/b/b_013.png", 14: "distorted/b/b_014.png", 15: "distorted/b/b_015.png"}


def test_levels_that_fall_with_quality_are_turned(write_study):
    data = datasets.read(write_study(SUBJECTS, rising=False, codec="jpeg"))
    a, b = data.ladders
    # Qualities 13..15 are QP 15..13; a subject is satisfied at every quality above the first JND.
    assert a.sur == {13: 0.25, 14: 0.0, 15: 0.0}
    assert b.sur == {13: 1.0, 14: 0.5, 15: 0.0}
    assert a.files[13] == "distorted/a/a_015.png"


def test_ratios_that_rise_with_qp_are_pooled(write_study):
    rows = [row | {"sur": ratio} for row, ratio in zip(RUNGS, (0.5, 0.75, 0.25), strict=True)]
    assert datasets.read(write_study(rows)).ladders[0].sur == {13: 0.625, 14: 0.625, 15: 0.25}


def test_splits_of_the_table_are_kept(write_study):
    rows = [row | {"split": "test"} for row in RUNGS]
    assert datasets.read(write_study(rows)).images == {"sources/a.png": "test"}
    rows[1]["split"] = "train"
    data = datasets.read(write_study(rows))
    assert data.images == {"sources/a.png": "test"}
    assert "line 3: a.png is in two splits" in data.problems[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sur": 1.5}, "line 3: sur 1.5 is outside 0..1"),
        ({"sur": "nan"}, "line 3: sur nan is outside 0..1"),
        ({"sur": "high"}, "line 3: sur 'high' is no number"),
        ({"level": 14.5}, "line 3: level '14.5' is no whole number"),
        ({"source": " "}, "line 3: source is empty"),
        ({"distorted": ""}, "line 3: distorted is empty"),
        ({"level": 99}, "line 3: level 99 is outside 13..15"),
        ({"level": 13}, "line 3: a.png at level 13 is there twice"),
        ({"level": ""}, "line 3: level '' is no number"),
    ],
)
def test_a_damaged_row_is_left_out_and_told(write_study, change, message):
    data = datasets.read(write_study([RUNGS[0], RUNGS[1] | change, RUNGS[2]]))
    assert set(data.ladders[0].sur) == {13, 15}
    assert message in data.problems[0]


def test_a_subject_without_a_source_is_left_out(write_study):
    data = datasets.read(write_study([*SUBJECTS, {"source": "", "subject": 9, "jnd_level": 13}]))
    assert (data.problems, data.missing) == (("labels.csv line 8: source is empty; left out",), ())


def test_whole_numbers_may_be_written_as_others_are(write_study):
    data = datasets.read(write_study([row | {"jnd_level": f"{row['jnd_level']}.0"} for row in SUBJECTS]))
    assert data == datasets.read(write_study(SUBJECTS))


def test_a_codec_that_is_not_ours_is_told_and_read(write_study):
    data = datasets.read(write_study(RUNGS, codec="vcc"))
    assert data.ladders[0].codec == "vcc"
    (problem,) = data.problems
    assert problem.startswith("study.toml: codec 'vcc' is none of sursmr-qp's own, which are jpeg, ")


def test_missing_pictures_are_named(write_study):
    root = write_study(RUNGS)
    (root / "distorted" / "a" / "a_014.png").unlink()
    (root / "sources" / "a.png").unlink()
    data = datasets.read(root)
    assert data.missing == ("sources/a.png", "distorted/a/a_014.png")
    assert data.images == {}


def test_names_that_climb_out_of_the_folder_are_missing(write_study):
    root = write_study([RUNGS[0] | {"distorted": "../../secret.png"}])
    picture(root.parent / "secret.png")
    assert datasets.read(root).missing == ("distorted/../../secret.png",)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"codec": None}, r"study\.toml: codec is missing"),
        ({"table": 3}, r"study\.toml: table must be a text"),
        ({"levels": [13]}, r"study\.toml: levels must be"),
        ({"levels": [15, 13]}, r"study\.toml: levels must be"),
        ({"levels": [13, 2000]}, r"study\.toml: levels must be"),
        ({"rising": "yes"}, r"study\.toml: rising must be"),
        ({"colour": "red"}, r"study\.toml: colour is unknown"),
        ({"pattern": "{who}.png"}, r"study\.toml: pattern may hold"),
        ({"pattern": "{level"}, r"study\.toml: pattern may hold"),
        ({"pattern": ""}, r"study\.toml must give their pattern"),
    ],
)
def test_a_wrong_study_file_is_told_by_file_and_field(write_study, fields, message):
    root = write_study(SUBJECTS, **fields)
    with pytest.raises(UsageError, match=message):
        datasets.read(root)


def test_a_study_without_a_usable_table_is_an_error(write_study):
    root = write_study([RUNGS[0] | {"sur": 7}])
    with pytest.raises(ImageError, match=r"no usable row: labels\.csv line 2: sur 7"):
        datasets.read(root)
    (root / "labels.csv").write_text("picture,sur\n")
    with pytest.raises(ImageError, match="no column source"):
        datasets.read(root)
    for head in ("source,distorted,level,sur\n", "source,jnd_level\n"):
        (root / "labels.csv").write_text(head)
        with pytest.raises(ImageError, match="no usable row: it is empty"):
            datasets.read(root)
    (root / "labels.csv").write_text("source,Source ,distorted,level,sur\n")
    with pytest.raises(ImageError, match=r"labels\.csv has two columns source"):
        datasets.read(root)
    (root / "labels.csv").unlink()
    with pytest.raises(ImageError, match=r"labels\.csv is missing"):
        datasets.read(root)
    (root / "study.toml").write_text("name = ")
    with pytest.raises(UsageError, match="is no TOML"):
        datasets.read(root)


@pytest.fixture
def coco(tmp_path):
    for split, name in (
        ("train2017", "000000000009"),
        ("val2017", "000000000139"),
        ("val2017", "000000000285"),
    ):
        picture(tmp_path / split / f"{name}.jpg")
    listed = [{"file_name": f"{name}.jpg"} for name in ("000000000139", "000000000285", "000000000632")]
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "instances_val2017.json").write_text(json.dumps({"images": listed}))
    return tmp_path


def test_coco_is_pictures_and_splits(coco):
    data = datasets.read(coco)
    assert (data.reader, data.ladders, data.problems) == ("coco", (), ())
    assert data.images == {
        "train2017/000000000009.jpg": "train",
        "val2017/000000000139.jpg": "val",
        "val2017/000000000285.jpg": "val",
    }
    assert data.missing == ("val2017/000000000632.jpg",)


def test_coco_below_images_and_with_damaged_files(coco):
    (coco / "images").mkdir()
    shutil.move(coco / "val2017", coco / "images" / "val2017")
    (coco / "images" / "val2017" / "000000000139.jpg").write_bytes(b"")
    (coco / "annotations" / "instances_train2017.json").write_text("{")
    data = datasets.read(coco)
    assert set(data.images) == {"train2017/000000000009.jpg", "images/val2017/000000000285.jpg"}
    assert data.missing == (
        "images/val2017/000000000139.jpg",
        "images/val2017/000000000632.jpg",
    )
    assert "instances_train2017.json cannot be read" in data.problems[0]


def test_empty_coco_folders_are_an_error(tmp_path):
    (tmp_path / "val2017").mkdir()
    with pytest.raises(ImageError, match="val2017 are empty"):
        datasets.read(tmp_path)
    (tmp_path / "val2017").rmdir()
    with pytest.raises(ImageError, match="holds no COCO pictures: it has no train2017/"):
        datasets.read(tmp_path, "coco")


def test_a_plain_folder_is_the_last_resort(tmp_path):
    picture(tmp_path / "photos" / "one.png")
    picture(tmp_path / "more" / "two.png")
    data = datasets.read(tmp_path)
    assert data.reader == "folder"
    assert data.images == {"more/two.png": "more", "photos/one.png": "photos"}
    (tmp_path / "index.csv").write_text("file,split\nmore/two.png,test\nmore/three.png,test\n")
    data = datasets.read(tmp_path)
    assert (data.images, data.missing) == ({"more/two.png": "test"}, ("more/three.png",))


def test_the_folder_around_a_data_set_will_do(konjnd):
    assert datasets.read(konjnd.parent).reader == "konjnd-1k"
    assert datasets.read(konjnd.parent).root == konjnd


def test_a_reader_may_be_named(konjnd, mcl_jci):
    assert datasets.read(konjnd, "konjnd-1k").reader == "konjnd-1k"
    assert datasets.read(konjnd, "folder").reader == "folder"
    with pytest.raises(UsageError, match="unknown reader imagenet; known: table, konjnd-1k"):
        datasets.read(konjnd, "imagenet")
    with pytest.raises(ImageError, match=r"subjective_ratings\.csv is missing"):
        datasets.read(mcl_jci, "konjnd-1k")
    with pytest.raises(ImageError, match=r"study\.toml is missing"):
        datasets.read(mcl_jci, "table")


def test_nothing_and_an_unknown_file_are_errors(tmp_path):
    with pytest.raises(ImageError, match="nothing at"):
        datasets.read(tmp_path / "absent")
    with pytest.raises(ImageError, match="holds no pictures"):
        datasets.read(tmp_path)
    (tmp_path / "file.zip").write_bytes(b"x")
    with pytest.raises(ImageError, match=r"no data set that is known\. table: study\.toml.*mcl-jci:"):
        datasets.read(tmp_path / "file.zip")


@given(st.sets(st.text("abcdef0123456789", min_size=1), min_size=1, max_size=60))
def test_splits_are_seven_one_two_and_keep_to_the_source(sources):
    splits = by_source(sources)
    assert set(splits) == sources
    assert splits == by_source(sorted(sources, reverse=True))
    counts = {name: list(splits.values()).count(name) for name in ("train", "val", "test")}
    n = len(sources)
    assert abs(counts["train"] - 0.7 * n) <= 1
    assert abs(counts["val"] - 0.1 * n) <= 1
    assert abs(counts["test"] - 0.2 * n) <= 1
