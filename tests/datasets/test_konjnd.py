"""KonJND-1k in miniature, whole and damaged."""

from __future__ import annotations

import re

import pytest
from miniatures import BPG_RATINGS, JPEG_RATINGS, rating_row, write_csv

from sursmr_codec import datasets
from sursmr_codec.errors import ImageError

UNJUDGED = "source_image/SRC0505.png is not judged in subjective_ratings.csv; left out"


def test_the_whole_data_set(konjnd):
    data = datasets.read(konjnd)
    assert (data.reader, data.name, data.root) == ("konjnd-1k", "KonJND-1k", konjnd)
    assert (data.missing, data.problems) == ((), ())
    assert set(data.images) == {"source_image/SRC0001.png", "source_image/SRC0505.png"}
    jpeg, bpg = data.ladders
    assert (jpeg.image, jpeg.codec, jpeg.n_raters) == ("source_image/SRC0001.png", "jpeg", 4)
    assert (bpg.image, bpg.codec, bpg.n_raters) == ("source_image/SRC0505.png", "bpg", 4)
    assert jpeg.files[7] == "jpeg/SRC0001_JPEG_007.jpg"
    assert bpg.files[51] == "bpg/SRC0505_BPG_051.png"
    assert list(jpeg.sur) == list(range(1, 101))
    assert list(bpg.sur) == list(range(1, 52))


def test_sur_is_the_share_of_ratings_above_the_level(konjnd):
    jpeg, bpg = datasets.read(konjnd).ladders
    assert [jpeg.sur[level] for level in (1, 9, 10, 39, 40, 69, 70, 100)] == [
        1,
        1,
        0.75,
        0.75,
        0.25,
        0.25,
        0,
        0,
    ]
    for level, ratio in jpeg.sur.items():
        assert ratio == sum(rating > level for rating in JPEG_RATINGS) / 4
    # Half steps of 1, 50, 51, 61 are levels 1, 25, 26, 31: a half is rounded up, as there is no level 0.
    assert BPG_RATINGS == [1, 50, 51, 61]
    assert [bpg.sur[level] for level in (1, 24, 25, 26, 30, 31)] == [0.75, 0.75, 0.5, 0.25, 0.25, 0]


def test_names_without_suffix_a_byte_order_mark_and_other_cases_are_read(konjnd):
    rows = [rating_row("SRC0001", "jpeg", JPEG_RATINGS)]
    write_csv(konjnd / "subjective_ratings.csv", rows, encoding="utf-8-sig")
    (konjnd / "source_image" / "SRC0001.png").rename(konjnd / "source_image" / "src0001.PNG")
    (konjnd / "jpeg" / "SRC0001_JPEG_003.jpg").rename(konjnd / "jpeg" / "SRC0001_JPEG_003.JPG")
    data = datasets.read(konjnd)
    (jpeg,) = data.ladders
    assert jpeg.image == "source_image/src0001.PNG"
    assert jpeg.files[3] == "jpeg/SRC0001_JPEG_003.JPG"
    assert data.missing == ()
    assert data.problems == (UNJUDGED,)


def test_missing_and_empty_files_are_named(konjnd):
    (konjnd / "jpeg" / "SRC0001_JPEG_017.jpg").unlink()
    (konjnd / "bpg" / "SRC0505_BPG_002.png").write_bytes(b"")
    (konjnd / "source_image" / "SRC0505.png").unlink()
    data = datasets.read(konjnd)
    assert data.missing == (
        "jpeg/SRC0001_JPEG_017.jpg",
        "source_image/SRC0505.png",
        "bpg/SRC0505_BPG_002.png",
    )
    jpeg, bpg = data.ladders
    assert 17 not in jpeg.files
    assert jpeg.sur[17] == 0.75
    assert bpg.image == "source_image/SRC0505.png"
    assert set(data.images) == {"source_image/SRC0001.png"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ratings": "[10, 40"}, r"line 3: ratings are no list: '\[10, 40'"),
        ({"ratings": "[]"}, r"line 3: ratings are no list of numbers, or an empty one"),
        ({"ratings": "[10, 103]"}, r"line 3: rating 103 is no whole number in 1\.\.102"),
        ({"ratings": "[0]"}, r"line 3: rating 0 is no"),
        ({"ratings": "[1.5]"}, r"line 3: rating 1.5 is no"),
        ({"ratings": "[true]"}, r"line 3: rating True is no"),
        ({"Compression type": "WebP"}, r"line 3: compression type 'WEBP' is none of JPEG, BPG"),
        (
            {"image_id": "SRC0001.png", "Compression type": "JPEG"},
            r"line 3: SRC0001 under jpeg is there twice",
        ),
        ({"image_id": ""}, r"line 3: image_id is empty"),
    ],
)
def test_a_damaged_row_is_left_out_and_told(konjnd, change, message):
    rows = [
        rating_row("SRC0001.png", "JPEG", JPEG_RATINGS),
        rating_row("SRC0505.png", "BPG", BPG_RATINGS) | change,
    ]
    write_csv(konjnd / "subjective_ratings.csv", rows)
    data = datasets.read(konjnd)
    assert [ladder.codec for ladder in data.ladders] == ["jpeg"]
    problem, *others = data.problems
    assert re.search(message, problem)
    # A row that names another picture, or none, leaves its own without a judgement.
    assert others == ([UNJUDGED] if "image_id" in change else [])
    assert data.missing == ()


def test_a_wrong_count_is_told_and_the_list_used(konjnd):
    rows = [rating_row("SRC0001.png", "JPEG", JPEG_RATINGS) | {"No. of ratings": 42}]
    write_csv(konjnd / "subjective_ratings.csv", rows)
    data = datasets.read(konjnd)
    assert data.ladders[0].n_raters == 4
    assert "42 ratings are stated and 4 listed" in data.problems[0]


def test_without_ratings_nothing_is_readable(konjnd):
    (konjnd / "subjective_ratings.csv").unlink()
    with pytest.raises(ImageError, match=r"subjective_ratings\.csv is missing"):
        datasets.read(konjnd)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"image_id,ratings\nSRC0001.png,[1]\n", "no column compression type"),
        (b"", "no column image_id, compression type, ratings"),
        (b"\xff\xfe\x00\x01", "cannot be read"),
        (b"image_id,Compression type,ratings\n", "no usable row: it is empty"),
        (b"image_id,Compression type,ratings\nSRC0001.png,JPEG,x\n", "no usable row: subjective.*line 2"),
    ],
)
def test_a_damaged_table_is_an_error(konjnd, content, message):
    (konjnd / "subjective_ratings.csv").write_bytes(content)
    with pytest.raises(ImageError, match=message):
        datasets.read(konjnd)
