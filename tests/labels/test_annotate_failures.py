"""A labelling run in which something fails: what is recorded, and what the others still give."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_panel import FakeSetup, calls, finish, make_run

from sursmr_codec.labels import store
from sursmr_codec.labels.annotate import annotate_events
from sursmr_codec.labels.measuring import Failure

pytestmark = pytest.mark.usefixtures("in_process")


def test_a_failing_machine_is_recorded_and_counts_nowhere(folder: Path, tmp_path: Path, log: Path) -> None:
    finished = finish(make_run(folder, FakeSetup(log, failing=("c2",))), tmp_path / "out")
    assert {failure.what for failure in finished.failures} == {"machine c2"}
    assert finished.failures[0] == Failure(
        "train/000.png", None, None, "machine c2", "RuntimeError: c2 is broken"
    )
    # Once an image: rungs are not tried where the original has no answer.
    assert calls(log)["c2"] == len(finished.failures) == 5
    rows = store.read_labels(tmp_path / "out").to_pylist()
    assert len(rows) == 15
    assert {row["m_c2"] for row in rows} == {2}
    assert {row["m_c3"] for row in rows} <= {0, 1}
    assert json.loads((tmp_path / "out" / "run.json").read_text())["n_rungs"] == 15


def test_failures_of_an_earlier_run_are_still_named(folder: Path, tmp_path: Path) -> None:
    first = finish(make_run(folder, FakeSetup(failing=("c2",))), tmp_path / "out")
    again = finish(make_run(folder, FakeSetup()), tmp_path / "out")
    assert again.failures == first.failures != ()


def test_a_machine_that_fails_on_rungs(folder: Path, tmp_path: Path) -> None:
    finished = finish(make_run(folder, FakeSetup(failing_on_rungs=("d1",)), limit=1), tmp_path / "out")
    assert [(f.codec, f.what) for f in finished.failures] == [("jpeg", "machine d1")] * 3
    assert {row["m_d1"] for row in store.read_labels(tmp_path / "out").to_pylist()} == {2}


def test_a_failing_teacher_leaves_sur_undefined(folder: Path, tmp_path: Path) -> None:
    finished = finish(make_run(folder, FakeSetup(failing=("cvvdp",))), tmp_path / "out")
    assert {failure.what for failure in finished.failures} == {"teacher cvvdp"}
    assert len(finished.failures) == 15
    for row in store.read_labels(tmp_path / "out").to_pylist():
        assert (row["cvvdp_jod"], row["sur"]) == (None, None)
        assert row["ssimulacra2"] is not None
        assert row["n_machines"] > 0


def test_a_score_that_is_no_number_is_a_failure(folder: Path, tmp_path: Path) -> None:
    finished = finish(make_run(folder, FakeSetup(wordless=("ssimulacra2",)), limit=1), tmp_path / "out")
    assert [(f.what, f.error) for f in finished.failures] == [
        ("teacher ssimulacra2", "ValueError: a score of nan is none")
    ] * 3
    rows = store.read_labels(tmp_path / "out").to_pylist()
    assert {(row["ssimulacra2"], row["sur"]) for row in rows} == {(None, None)}
    assert all(row["cvvdp_jod"] is not None for row in rows)


def test_bad_images_are_recorded_and_the_others_labelled(folder: Path, tmp_path: Path) -> None:
    (folder / "train" / "001.png").write_bytes(b"no picture")
    (folder / "index.csv").write_text(
        "file,split\n" + "".join(f"train/{i:03d}.png,train\n" for i in (0, 1, 2, 9))
    )
    finished = finish(make_run(folder, FakeSetup()), tmp_path / "out")
    assert [(f.image, f.what, f.error.split(":")[0]) for f in finished.failures] == [
        ("train/001.png", "image", "ImageError"),
        ("train/009.png", "image", "ImageError"),
    ]
    images = set(store.read_labels(tmp_path / "out")["image"].to_pylist())
    assert images == {"train/000.png", "train/002.png"}


def test_failures_are_tried_again_while_their_part_is_open(folder: Path, tmp_path: Path, log: Path) -> None:
    events = annotate_events(make_run(folder, FakeSetup(failing=("c2",))), tmp_path / "out")
    next(events)
    next(events)
    events.close()
    finished = finish(make_run(folder, FakeSetup(log)), tmp_path / "out")
    assert finished.failures == ()
    assert calls(log)["c2"] == 20
    assert finished.progress.n_done == 15
