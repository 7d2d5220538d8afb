"""What a plan holds, and that the same arguments always give the same one."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from fake_panel import make_pictures
from hypothesis import given
from hypothesis import strategies as st

from sursmr_codec.errors import ImageError, UsageError
from sursmr_codec.labels.plan import Rungs, make_plan

JPEG, HEVC = range(1, 101), range(52)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    make_pictures(folder, 5, split="train")
    make_pictures(folder, 2, split="val")
    (folder / "train" / "notes.txt").write_text("no picture")
    return folder


def test_same_arguments_give_the_same_plan(folder: Path) -> None:
    plans = [make_plan(folder, {"jpeg": JPEG, "hevc": HEVC}, Rungs(count=4), seed=3) for _ in range(2)]
    assert plans[0] == plans[1]
    assert plans[0].digest == plans[1].digest


def test_the_draw_is_what_it_was_in_earlier_versions(folder: Path) -> None:
    # Labels that were begun with one version are finished with the next.
    plan = make_plan(folder, {"jpeg": JPEG}, Rungs(count=4), seed=0, limit=1)
    assert plan.parts[0][0].ladders["jpeg"] == (25, 41, 67, 79)


def test_a_draw_depends_on_seed_image_and_codec_alone(folder: Path) -> None:
    def drawn(**options: object) -> list[tuple[int, ...]]:
        ranges = options.pop("ranges", {"jpeg": JPEG})
        plan = make_plan(folder, ranges, Rungs(count=4), **options)  # type: ignore[arg-type]
        return [task.ladders["jpeg"] for part in plan.parts for task in part]

    every = drawn()
    assert len(set(every)) == len(every)
    assert drawn(limit=2) == every[:2]
    assert drawn(splits=["val"]) == every[5:]
    assert drawn(ranges={"hevc": HEVC, "jpeg": JPEG}) == every
    assert drawn(seed=1) != every


def test_a_split_may_be_a_folder_that_the_index_leaves_out(folder: Path, tmp_path: Path) -> None:
    for split in ("train", "val", "extra"):
        make_pictures(tmp_path, 2, split=split)
    listed = sorted(path.relative_to(tmp_path).as_posix() for path in (tmp_path / "train").iterdir())
    rows = [f"{image},val" for image in listed]  # the index decides, not the folder
    (tmp_path / "index.csv").write_text("\n".join(["file,split", *rows]))

    def images(*splits: str) -> list[tuple[str, str]]:
        plan = make_plan(tmp_path, {"jpeg": JPEG}, Rungs(count=4), splits=splits)
        return [(task.image, task.split) for part in plan.parts for task in part]

    extra = [(f"extra/{path.name}", "extra") for path in sorted((tmp_path / "extra").iterdir())]
    assert images() == images("val") == [(image, "val") for image in listed]
    assert images("extra") == extra
    assert images("extra", "val") == images() + extra
    for unknown in ("", "dev", "val/nothing"):
        with pytest.raises(UsageError, match="has no images of split"):
            images(unknown)


@given(st.integers(1, 52), st.text(max_size=5))
def test_random_rungs_take_one_from_each_stretch(n: int, key: str) -> None:
    qps = Rungs(count=n).draw(HEVC, key)
    assert len(qps) == n
    for i, qp in enumerate(qps):
        assert i * 52 // n <= qp < (i + 1) * 52 // n


@given(st.integers(2, 100))
def test_even_rungs_reach_both_ends_in_equal_steps(n: int) -> None:
    qps = Rungs(count=n, spread="even").draw(JPEG, "")
    steps = {after - before for before, after in pairwise(qps)}
    assert (qps[0], qps[-1], len(set(qps))) == (1, 100, n)
    assert max(steps) - min(steps) <= 1


def test_fixed_rungs(folder: Path) -> None:
    plan = make_plan(folder, {"jpeg": JPEG, "hevc": HEVC}, Rungs(qps=(40, 10)))
    assert {qps for part in plan.parts for task in part for qps in task.ladders.values()} == {(10, 40)}


def test_parts_close_when_full_and_never_split_an_image(folder: Path) -> None:
    plan = make_plan(folder, {"jpeg": JPEG}, Rungs(count=4), part_rungs=6)
    assert [[task.image for task in part] for part in plan.parts] == [
        ["train/000.png", "train/001.png"],
        ["train/002.png", "train/003.png"],
        ["train/004.png", "val/000.png"],
        ["val/001.png"],
    ]
    assert (plan.n_images, plan.n_rungs) == (7, 28)


def test_the_index_names_images_and_splits(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text("split,file\ntest,b/2.png\n,1.png\n")
    plan = make_plan(tmp_path, {"jpeg": JPEG}, Rungs(count=1))
    assert [(task.image, task.split) for task in plan.parts[0]] == [("b/2.png", "test"), ("1.png", "")]


@pytest.mark.parametrize(
    ("index", "complaint"),
    [
        ("name\na.png\n", "no column 'file'"),
        ("file\na.png\na.png\n", "twice"),
        ("file\n", "holds no images"),
        ('file\n"a', "cannot be read"),
    ],
)
def test_a_bad_index_is_refused(tmp_path: Path, index: str, complaint: str) -> None:
    (tmp_path / "index.csv").write_text(index)
    with pytest.raises(UsageError, match=complaint):
        make_plan(tmp_path, {"jpeg": JPEG}, Rungs(count=1))


def test_bad_arguments_are_refused(folder: Path) -> None:
    for arguments in (
        {},
        {"qps": (1,), "count": 2},
        {"count": -1},
        {"count": 1, "spread": "even"},
        {"qps": (3, 3)},
    ):
        with pytest.raises(UsageError):
            Rungs(**arguments)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="split dev; known: train, val"):
        make_plan(folder, {"jpeg": JPEG}, Rungs(count=1), splits=["dev"])
    with pytest.raises(UsageError, match=r"hevc: QP 60 is outside 0\.\.51"):
        make_plan(folder, {"jpeg": JPEG, "hevc": HEVC}, Rungs(qps=(60,)))
    with pytest.raises(UsageError, match="53 rungs are more than the 52"):
        make_plan(folder, {"hevc": HEVC}, Rungs(count=53))
    with pytest.raises(UsageError, match="no encoder"):
        make_plan(folder, {}, Rungs(count=1))
    with pytest.raises(ImageError, match="no folder"):
        make_plan(folder / "absent", {"jpeg": JPEG}, Rungs(count=1))
