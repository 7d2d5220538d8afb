"""The driver of a labelling run: parts, resuming and the cache; workers are plain calls here."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_panel import FakeSetup, calls, finish, make_run
from PIL import Image

from sursmr_codec.errors import OutputError, UsageError
from sursmr_codec.labels import store
from sursmr_codec.labels.annotate import Progress, annotate_events
from sursmr_codec.labels.plan import Rungs
from sursmr_codec.labels.protocols import PsychometricCurve

pytestmark = pytest.mark.usefixtures("in_process")


def files_of(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.glob("*.*")) if path.is_file()}


def test_every_rung_of_the_plan_is_labelled_in_its_order(folder: Path, tmp_path: Path) -> None:
    run = make_run(folder, FakeSetup())
    finished = finish(run, tmp_path / "out")
    assert [path.name for path in finished.parts] == [f"part-{i:05d}.parquet" for i in range(3)]
    assert finished.failures == ()
    rows = store.read_labels(tmp_path / "out").to_pylist()
    planned = [(task.image, qp) for part in run.plan.parts for task in part for qp in task.ladders["jpeg"]]
    assert [(row["image"], row["qp"]) for row in rows] == planned
    assert (finished.n_images, finished.n_rungs) == (5, len(rows)) == (5, 15)
    assert {row["split"] for row in rows} == {"train"}
    assert all(0 < row["n_machines"] <= 7 for row in rows)
    assert min(row["sur"] for row in rows) < 0.1
    sizes = {row["image"]: [] for row in rows}
    for row in rows:
        sizes[row["image"]].append(row["bpp"])
        assert row["bpp"] == pytest.approx(8 * row["n_bytes"] / (32 * 24))
    assert all(bpps == sorted(bpps, reverse=True) for bpps in sizes.values())


def test_faces_have_a_ratio_of_their_own_and_no_vote(folder: Path, tmp_path: Path, log: Path) -> None:
    finish(make_run(folder, FakeSetup()), tmp_path / "out")
    finish(make_run(folder, FakeSetup(log, n_faces=2)), tmp_path / "faces", cache=tmp_path / "out" / "cache")
    # The jury's answers are in the cache.
    assert calls(log) == Counter(f0=20, f1=20)
    jury, both = (store.read_labels(tmp_path / name) for name in ("out", "faces"))
    ratios = both["smr_face"].to_pylist()
    assert {0.0, 1.0} <= set(ratios) <= {0.0, 0.5, 1.0}
    assert both.drop_columns(["smr_face"]).equals(jury)


def test_progress_counts_rungs(folder: Path, tmp_path: Path) -> None:
    *progress, _ = annotate_events(make_run(folder, FakeSetup()), tmp_path / "out")
    assert [event.n_done for event in progress if isinstance(event, Progress)] == [0, 3, 6, 9, 12, 15]
    first, last = progress[0], progress[-1]
    assert isinstance(first, Progress)
    assert isinstance(last, Progress)
    assert (first.n_total, first.eta_seconds) == (15, None)
    assert (last.n_measured, last.eta_seconds) == (15, 0.0)


def test_the_rate_leaves_out_what_was_known(folder: Path, tmp_path: Path) -> None:
    assert Progress(90, 100, 5, seconds=1000.0, measuring_seconds=10.0).eta_seconds == 20.0
    events = annotate_events(make_run(folder, FakeSetup()), tmp_path / "out")
    for _ in range(3):
        next(events)
    events.close()
    again = annotate_events(make_run(folder, FakeSetup(seconds=0.01)), tmp_path / "out")
    measured = [event for event in again if isinstance(event, Progress) and event.n_measured]
    assert all(0 < event.measuring_seconds <= event.seconds for event in measured)


def test_each_answer_is_asked_for_once(folder: Path, tmp_path: Path, log: Path) -> None:
    finish(make_run(folder, FakeSetup(log)), tmp_path / "out")
    asked = calls(log)
    # Teachers look at 15 rungs, machines at these and at 5 originals.
    assert asked == Counter({**{f"c{i}": 20 for i in range(6)}, **{f"d{i}": 20 for i in range(4)}}) + Counter(
        cvvdp=15, ssimulacra2=15
    )


def test_finished_parts_are_left_alone(folder: Path, tmp_path: Path, log: Path) -> None:
    out = tmp_path / "out"
    finish(make_run(folder, FakeSetup(log)), out)
    before = {path: path.stat().st_mtime_ns for path in out.glob("part-*")}
    calls(log)
    finished = finish(make_run(folder, FakeSetup(log)), out, cache=tmp_path / "another")
    assert calls(log) == Counter()
    assert finished.progress.n_measured == 0
    assert finished.progress.n_done == 15
    assert {path: path.stat().st_mtime_ns for path in out.glob("part-*")} == before


@pytest.mark.parametrize("n_images", range(5))
def test_a_run_that_stops_is_taken_up_where_it_was(
    folder: Path, tmp_path: Path, log: Path, n_images: int
) -> None:
    finish(make_run(folder, FakeSetup()), tmp_path / "whole")
    events = annotate_events(make_run(folder, FakeSetup(log)), tmp_path / "out")
    for _ in range(n_images + 1):
        next(events)
    events.close()
    asked = calls(log)["c0"]
    finish(make_run(folder, FakeSetup(log)), tmp_path / "out")
    assert asked + calls(log)["c0"] == 20
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


def test_thresholds_and_protocols_ask_nobody_anew(folder: Path, tmp_path: Path, log: Path) -> None:
    cache = tmp_path / "cache"
    run = make_run(folder, FakeSetup(log))
    finish(run, tmp_path / "first", cache=cache)
    calls(log)

    stricter = FakeSetup(log, conf=0.6)
    curves = {
        "cvvdp": PsychometricCurve("lognormal", 2.0, 0.6, 10.0, ""),
        "ssimulacra2": PsychometricCurve("normal", 20.0, 12.0, 0.0, ""),
    }
    changed = replace(
        run, setup=stricter, protocol=replace(run.protocol, curves=curves), unseen=frozenset({"c1"})
    )
    finished = finish(changed, tmp_path / "second", cache=cache)
    assert calls(log) == Counter()
    assert finished.progress.n_measured == 0
    first = store.read_labels(tmp_path / "first").to_pylist()
    second = store.read_labels(tmp_path / "second").to_pylist()
    assert [row["cvvdp_jod"] for row in first] == [row["cvvdp_jod"] for row in second]
    assert sum(row["sur"] for row in second) > sum(row["sur"] for row in first)
    # With T_conf at 0.6, c0 to c3 no longer count.
    assert [row["m_c3"] for row in second] == [2] * 15
    assert {row["m_c3"] for row in first} == {0, 1}


def test_more_rungs_ask_for_these_alone(folder: Path, tmp_path: Path, log: Path) -> None:
    cache = tmp_path / "cache"
    finish(make_run(folder, FakeSetup(log), Rungs(qps=(10, 50))), tmp_path / "two", cache=cache)
    calls(log)
    finish(make_run(folder, FakeSetup(log), Rungs(qps=(10, 50, 90))), tmp_path / "three", cache=cache)
    asked = calls(log)
    assert (asked["c0"], asked["cvvdp"]) == (5, 5)


def test_a_changed_picture_is_measured_anew(folder: Path, tmp_path: Path, log: Path) -> None:
    cache = tmp_path / "cache"
    finish(make_run(folder, FakeSetup(log)), tmp_path / "first", cache=cache)
    calls(log)
    with Image.open(folder / "train" / "000.png") as picture:
        picture.transpose(Image.Transpose.ROTATE_180).save(folder / "train" / "000.png")
    finish(make_run(folder, FakeSetup(log)), tmp_path / "second", cache=cache)
    asked = calls(log)
    assert (asked["cvvdp"], asked["c0"]) == (3, 4)


@pytest.mark.parametrize(
    "other",
    [
        {"rungs": Rungs(count=2)},
        {"seed": 1},
        {"limit": 4},
        {"setup": FakeSetup(conf=0.5)},
        {"unseen": frozenset({"c1"})},
    ],
)
def test_other_arguments_in_the_same_folder_are_refused(
    folder: Path, tmp_path: Path, other: dict[str, Any]
) -> None:
    finish(make_run(folder, FakeSetup()), tmp_path / "out")
    before = files_of(tmp_path / "out")
    unseen = other.pop("unseen", None)
    run = make_run(folder, **{"setup": FakeSetup(), **other})
    if unseen is not None:
        run = replace(run, unseen=unseen)
    with pytest.raises(UsageError, match="holds labels of another run, which differs in run"):
        finish(run, tmp_path / "out")
    assert files_of(tmp_path / "out") == before


def test_the_difference_is_named(folder: Path, tmp_path: Path) -> None:
    finish(make_run(folder, FakeSetup()), tmp_path / "out")
    with pytest.raises(UsageError, match=r"run\.machines\.c0 .*0\.3.*now .*0\.5.*choose another --out"):
        finish(make_run(folder, FakeSetup(conf=0.5)), tmp_path / "out")


def test_a_folder_that_holds_something_else_is_refused(folder: Path, tmp_path: Path) -> None:
    run = make_run(folder, FakeSetup())
    out = tmp_path / "out"
    out.mkdir()
    (out / "part-00000.parquet").write_bytes(b"")
    with pytest.raises(UsageError, match=r"labels but no run\.json"):
        finish(run, out)
    (out / "run.json").write_text("{")
    with pytest.raises(UsageError, match="not the record of a run"):
        finish(run, out)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"run\.json cannot be written"):
        finish(run, tmp_path / "file" / "out")


def test_a_spoilt_part_is_found_before_the_work(folder: Path, tmp_path: Path, log: Path) -> None:
    out = tmp_path / "out"
    finish(make_run(folder, FakeSetup()), out)
    (out / "part-00000.parquet").unlink()
    (out / "part-00001.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError, match=r"part-00001\.parquet is no table"):
        finish(make_run(folder, FakeSetup(log)), out)
    assert calls(log) == Counter()
