"""Rungs drawn where labels say that ratios are in doubt, and the ends of a ladder."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from fake_panel import FakeSetup, InProcess, make_pictures
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from sursmr_codec.cli.app import app
from sursmr_codec.errors import UsageError
from sursmr_codec.labels import annotate, panel, store
from sursmr_codec.labels.focus import focus_qps
from sursmr_codec.labels.plan import Rungs, make_plan

JPEG, HEVC = range(1, 101), range(52)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    make_pictures(folder, 3)
    return folder


def ratios(*rows: tuple[str, int, float | None, float | None]) -> pa.Table:
    codec, qp, sur, smr = zip(*rows, strict=True)
    return pa.table({"codec": codec, "qp": qp, "sur": pa.array(sur), "smr": pa.array(smr)})


def test_in_focus_is_where_the_mean_of_either_ratio_is_in_doubt() -> None:
    table = ratios(
        ("hevc", 0, 1.0, 1.0),
        ("hevc", 10, 1.0, 1.0),
        # Means of 0.95 and 0.3 belong to it.
        ("hevc", 11, 1.0, 1.0),
        ("hevc", 11, 0.9, 1.0),
        ("hevc", 13, 0.3, 1.0),
        ("hevc", 14, 0.0, 1.0),
        ("hevc", 20, 0.0, None),
        ("hevc", 20, 0.0, 0.9),
        ("hevc", 21, 0.0, 0.2),
        ("jpeg", 50, 0.5, 0.5),
    )
    # 12 lies between labelled QPs, and so do 15 to 19, where the mean SMR falls from 1 to 0.9.
    found = focus_qps(table, "hevc")
    assert found[:3] == (11, 12, 13)
    assert found[-2:] == (19, 20)
    assert 14 not in found
    assert focus_qps(table, "jpeg") == (50,)


def test_labels_that_cannot_say_where_to_focus_are_refused() -> None:
    table = ratios(("jpeg", 5, 1.0, None), ("jpeg", 9, 0.1, 0.2))
    with pytest.raises(UsageError, match="no labels of hevc say where to focus; known: jpeg"):
        focus_qps(table, "hevc")
    with pytest.raises(UsageError, match=r"jpeg: .* lies in 0\.3\.\.0\.95"):
        focus_qps(table.filter(pa.array([True, False])), "jpeg")


@given(st.integers(2, 40), st.text(max_size=5), st.integers(10, 50))
def test_half_of_the_rungs_are_in_focus(n: int, key: str, first: int) -> None:
    focus = range(first, first + 50)
    qps = Rungs(count=n).draw_focused(JPEG, key, focus, apart=(1, 100))
    anywhere = Rungs(count=n - n // 2).draw(JPEG, key)
    assert len(set(qps)) == n
    assert list(qps) == sorted(qps)
    assert set(anywhere) <= set(qps)
    assert set(qps) - set(anywhere) <= set(focus)
    assert qps == Rungs(count=n).draw_focused(JPEG, key, [*focus][::-1], apart=(1, 100))


def test_focused_rungs_are_spread_over_the_focus() -> None:
    focused = {
        tuple(sorted(set(qps) - set(Rungs(count=2).draw(JPEG, key))))
        for key in map(str, range(40))
        if (qps := Rungs(count=4).draw_focused(JPEG, key, range(20, 40)))
    }
    assert len(focused) > 20
    assert all(low < 31 <= high + 2 for low, high in focused)


def test_a_plan_with_focus_and_ends(folder: Path) -> None:
    focus = {"jpeg": range(30, 60), "hevc": range(20, 35)}
    ranges = {"jpeg": JPEG, "hevc": HEVC}

    def planned(**options: object) -> list[dict[str, tuple[int, ...]]]:
        plan = make_plan(folder, ranges, Rungs(count=4), **options)  # type: ignore[arg-type]
        return [dict(task.ladders) for part in plan.parts for task in part]

    whole = [dict(t.ladders) for t in make_plan(folder, ranges, Rungs(count=2)).parts[0]]
    ladders = planned(focus=focus, ends=["jpeg"])
    assert ladders == planned(focus=focus, ends=["jpeg"]) != planned(focus=focus, ends=["jpeg"], seed=1)
    for ladder, before in zip(ladders, whole, strict=True):
        # What fewer rungs without a focus gave is part of it, so that its answers are not lost.
        assert set(before["jpeg"]) | {1, 100} <= set(ladder["jpeg"])
        assert set(before["hevc"]) <= set(ladder["hevc"])
        assert set(ladder["jpeg"]) - {1, 100, *before["jpeg"]} <= set(focus["jpeg"])
        assert set(ladder["hevc"]) - set(before["hevc"]) <= set(focus["hevc"])
        assert len(ladder["hevc"]) == 4
        assert len(ladder["jpeg"]) == 6
    assert len({ladder["hevc"] for ladder in ladders}) == len(ladders)


def test_ends_join_any_rungs_once(folder: Path) -> None:
    for rungs in (Rungs(qps=(1, 40)), Rungs(count=3, spread="even"), Rungs(count=100)):
        plan = make_plan(folder, {"jpeg": JPEG}, rungs, ends=["jpeg"])
        qps = plan.parts[0][0].ladders["jpeg"]
        assert (qps[0], qps[-1], len(set(qps))) == (1, 100, len(qps))
    assert plan.digest == make_plan(folder, {"jpeg": JPEG}, Rungs(count=100)).digest


def test_bad_arguments_are_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="the ends of jpeg are asked for, which is not among hevc"):
        make_plan(folder, {"hevc": HEVC}, Rungs(count=2), ends=["jpeg"])
    with pytest.raises(UsageError, match="hevc has no QPs to focus on"):
        make_plan(folder, {"hevc": HEVC}, Rungs(count=2), focus={"jpeg": JPEG})
    for rungs in (Rungs(qps=(3, 4)), Rungs(count=4, spread="even"), Rungs(count=1)):
        with pytest.raises(UsageError, match="hevc: a focus needs at least 2 random rungs"):
            make_plan(folder, {"hevc": HEVC}, rungs, focus={"hevc": HEVC})
    with pytest.raises(UsageError, match=r"hevc: 4 rungs in focus are more than the [0-3] QPs left"):
        make_plan(folder, {"hevc": HEVC}, Rungs(count=8), focus={"hevc": (20, 21, 22)})


def test_command(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel, "ZooSetup", lambda *_: FakeSetup())
    monkeypatch.setattr(annotate, "Workers", InProcess)

    def run(out: str, *arguments: object) -> tuple[int, str]:
        command = ["annotate", folder, "--zoo", tmp_path, "--out", tmp_path / out, *arguments]
        result = CliRunner().invoke(app, list(map(str, command)), prog_name="sursmr-qp")
        return result.exit_code, result.stderr.splitlines()[-1]

    assert run("even", "--rungs", 9, "--spread", "even")[0] == 0
    focused = ("--rungs", 4, "--focus", tmp_path / "even", "--ends", "jpeg")
    assert run("out", *focused)[0] == 0
    record = json.loads((tmp_path / "out" / "run.json").read_text())["arguments"]
    assert record["ends"] == ["jpeg"]
    assert set(record["focus"]["jpeg"]) == set(focus_qps(store.read_labels(tmp_path / "even"), "jpeg"))
    # A run that has neither keeps the record that it always had.
    assert (
        not {"focus", "ends"} & json.loads((tmp_path / "even" / "run.json").read_text())["arguments"].keys()
    )
    table = store.read_labels(tmp_path / "out")
    assert (table.num_rows, table["sur_proxy"].null_count) == (3 * 6, 0)
    code, line = run("other", *focused, "--codec", "hevc", "--ends", "hevc")
    assert (code, "no labels of hevc say where to focus; known: jpeg" in line) == (2, True)
    code, line = run("other", "--rungs", 4, "--focus", tmp_path / "absent.parquet")
    assert (code, "absent.parquet" in line) == (2, True)
