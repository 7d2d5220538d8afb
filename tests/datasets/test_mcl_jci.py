"""MCL-JCI in miniature, in its three forms of samples, and the real labels."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from miniatures import SUBJECTS, write_csv, write_workbook

from sursmr_codec import datasets
from sursmr_codec.errors import ImageError

FIRST = [29, 23, 31]


def test_the_whole_data_set(mcl_jci):
    data = datasets.read(mcl_jci)
    assert (data.reader, data.missing, data.problems) == ("mcl-jci", (), ())
    one, two = data.ladders
    assert one.image == "source_images/BMP/ImageJND_SRC01.bmp"
    assert two.image == "source_images/ImageJND_SRC02.bmp"
    assert (one.codec, one.n_raters) == ("jpeg", 3)
    assert one.files[101 - 7] == "distorted_image/ImageJND_SRC01/ImageJND_SRC01_007.jpg"
    assert list(one.sur) == list(range(1, 101))


def test_sur_is_the_share_whose_first_jnd_lies_below_the_quality(mcl_jci):
    one = datasets.read(mcl_jci).ladders[0]
    for quality in range(1, 101):
        assert one.sur[101 - quality] == sum(first < quality for first in FIRST) / 3


@pytest.mark.parametrize("separator", [" ", ", ", "\t", ";"])
def test_samples_may_be_separated_as_one_likes(mcl_jci, separator):
    samples = mcl_jci / "JND_samples" / "JND_image_01.txt"
    samples.write_text("\n".join(separator.join(map(str, subject)) for subject in SUBJECTS) + "\n\n")
    data = datasets.read(mcl_jci)
    assert data.problems == ()
    assert data.ladders[0].sur == data.ladders[1].sur


def test_the_workbook_is_read_where_there_are_no_texts(mcl_jci):
    wanted = datasets.read(mcl_jci).ladders
    shutil.rmtree(mcl_jci / "JND_samples")
    joined = json.dumps([quality for subject in SUBJECTS for quality in subject])
    write_workbook(mcl_jci / "MCL-JCI_samples.xlsx", [joined, joined])
    assert datasets.read(mcl_jci).ladders == wanted


def test_a_row_of_the_workbook_that_runs_together_is_left_out(mcl_jci):
    shutil.rmtree(mcl_jci / "JND_samples")
    # The second subject's first lies below the first one's last: nothing tells them apart.
    write_workbook(
        mcl_jci / "MCL-JCI_samples.xlsx", ["[29, 18, 31, 8]", "[29, 18, 13, 8]", "[9, 8, 31]", "[]"]
    )
    data = datasets.read(mcl_jci)
    assert [ladder.image for ladder in data.ladders] == [
        "source_images/BMP/ImageJND_SRC01.bmp",
        "source_images/ImageJND_SRC03.bmp",
    ]
    assert any("row 2: 1 subjects and not 2; left out" in problem for problem in data.problems)
    assert any("row 4: no JND" in problem for problem in data.problems)


def test_the_table_is_read_where_there_are_no_texts(mcl_jci):
    wanted = datasets.read(mcl_jci).ladders
    shutil.rmtree(mcl_jci / "JND_samples")
    rows = [
        {"image": f"SRC{n:02d}", "subject": s, "jnd1_qf": f} for n in (1, 2) for s, f in enumerate(FIRST, 1)
    ]
    write_csv(mcl_jci / "jnd_samples.csv", [*rows, {"image": "SRC01", "subject": 4, "jnd1_qf": ""}])
    data = datasets.read(mcl_jci)
    assert data.ladders == wanted
    assert "jnd_samples.csv line 8" in data.problems[0]


def test_missing_pictures_are_named(mcl_jci):
    (mcl_jci / "distorted_image" / "ImageJND_SRC02" / "ImageJND_SRC02_100.jpg").unlink()
    shutil.rmtree(mcl_jci / "source_images" / "BMP")
    assert datasets.read(mcl_jci).missing == (
        "source_images/ImageJND_SRC01.bmp",
        "distorted_image/ImageJND_SRC02/ImageJND_SRC02_100.jpg",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("29 18\n23 x\n", r"JND_image_01\.txt line 2: quality 'x' is no number; left out"),
        ("29 18\n101\n", r"JND_image_01\.txt line 2: quality 101 is outside 1..100; left out"),
    ],
)
def test_a_damaged_line_is_left_out(mcl_jci, text, message):
    (mcl_jci / "JND_samples" / "JND_image_01.txt").write_text(text)
    data = datasets.read(mcl_jci)
    assert data.ladders[0].n_raters == 1
    (problem,) = data.problems
    assert re.search(message, problem)


def test_damaged_texts_are_left_out(mcl_jci):
    samples = mcl_jci / "JND_samples"
    (samples / "JND_image_01.txt").write_text("")
    (samples / "readme.txt").write_text("29")
    (samples / "JND_image_03.txt").write_bytes(b"\xff\xfe")
    data = datasets.read(mcl_jci)
    assert [ladder.image for ladder in data.ladders] == ["source_images/ImageJND_SRC02.bmp"]
    assert [problem.split()[0] for problem in data.problems] == [
        *("JND_image_01.txt", "JND_image_03.txt", "readme.txt:"),
        "source_images/BMP/ImageJND_SRC01.bmp",
    ]
    assert data.problems[-1].endswith("has no JND samples; left out")


def test_a_note_beside_the_workbook_does_not_hide_it(mcl_jci):
    wanted = datasets.read(mcl_jci).ladders
    samples = mcl_jci / "JND_samples"
    shutil.rmtree(samples)
    samples.mkdir()
    (samples / "readme.txt").write_text("see the paper")
    joined = json.dumps([quality for subject in SUBJECTS for quality in subject])
    write_workbook(samples / "MCL-JCI_samples.xlsx", [joined, joined])
    assert datasets.read(mcl_jci).ladders == wanted
    (samples / "MCL-JCI_samples.xlsx").unlink()
    with pytest.raises(ImageError, match=r"readme\.txt: not named JND_image_NN\.txt"):
        datasets.read(mcl_jci)


def test_a_picture_that_nobody_judged_is_named(mcl_jci):
    (mcl_jci / "JND_samples" / "JND_image_02.txt").unlink()
    data = datasets.read(mcl_jci)
    assert set(data.images) == {"source_images/BMP/ImageJND_SRC01.bmp"}
    assert data.problems == ("source_images/ImageJND_SRC02.bmp has no JND samples; left out",)


def test_without_samples_nothing_is_readable(mcl_jci):
    shutil.rmtree(mcl_jci / "JND_samples")
    with pytest.raises(ImageError, match="no JND samples can be read: none found"):
        datasets.read(mcl_jci)
    (mcl_jci / "broken.xlsx").write_bytes(b"PK nonsense")
    with pytest.raises(ImageError, match=r"broken\.xlsx is no readable workbook"):
        datasets.read(mcl_jci)


def test_the_real_labels_have_the_known_pooled_ratios(shared_data):
    data = datasets.read(shared_data / "human" / "mcl_jci")
    assert len(data.ladders) == 50
    assert len(data.missing) == 50 * 101
    assert all(ladder.n_raters == 30 for ladder in data.ladders)
    pooled = {
        quality: sum(ladder.sur[101 - quality] for ladder in data.ladders) / 50
        for quality in (20, 30, 40, 50, 70)
    }
    assert pooled == pytest.approx({20: 0.25, 30: 0.66, 40: 0.80, 50: 0.95, 70: 0.99}, abs=0.006)


def test_the_real_workbook_agrees_with_the_real_table(shared_data, tmp_path):
    human = shared_data / "human" / "mcl_jci"
    shutil.copy(human / "MCL-JCI_JND_samples_all_levels.xlsx", tmp_path)
    table = {ladder.image: ladder.sur for ladder in datasets.read(human).ladders}
    data = datasets.read(tmp_path)
    assert {ladder.image: ladder.sur for ladder in data.ladders}.items() <= table.items()
    # In four of the fifty lists two subjects' samples cannot be told apart.
    assert (len(data.ladders), len(data.problems)) == (46, 4)
