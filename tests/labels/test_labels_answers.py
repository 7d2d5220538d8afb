"""The questions that `benchmarks/labels.py` asks of labels, on labels whose answers are known."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import labels_answers as answers  # noqa: E402
import labels_curves  # noqa: E402
import labels_repeat  # noqa: E402

NAN = float("nan")


def columns(**changed: list[Any]) -> dict[str, np.ndarray[Any, Any]]:
    """Two images, three JPEG rungs each; the second has no jury."""
    rows: dict[str, list[Any]] = {
        "image": ["a"] * 3 + ["b"] * 3,
        "split": ["val"] * 3 + ["test"] * 3,
        "codec": ["jpeg"] * 6,
        "qp": [1, 3, 13] * 2,
        "n_machines": [10] * 3 + [2] * 3,
        "sur": [1.0, 0.5, 0.0] * 2,
        "cvvdp_jod": [10.0, 9.55, 5.0] * 2,
        "ssimulacra2": [100.0, 64.0, 0.0] * 2,
        **{name: [0.8, 0.9, 0.5] + [NAN] * 3 for name in answers.RATIOS if name.startswith("smr")},
        "m_x": [1, 1, 0] + [2] * 3,
        "m_y": [1, 0, 0] + [2] * 3,
        **changed,
    }
    return {name: np.array(values) for name, values in rows.items()}


def test_contents_and_images_without_a_jury() -> None:
    found = columns()
    assert answers.contents(found) == [
        {"split": "test", "codec": "jpeg", "n_images": 1, "n_rungs": 3},
        {"split": "val", "codec": "jpeg", "n_images": 1, "n_rungs": 3},
    ]
    without = answers.without_jury(found)
    assert (without["val"]["smr"], without["test"]["smr"], without["test"]["sur"]) == (0, 1, 0)


def test_codecs_that_make_the_same_pictures() -> None:
    found = columns(
        image=["a"] * 6, codec=["bpg"] * 3 + ["hevc"] * 3, cvvdp_jod=[10.0, 9.0, 8.0, 10.0, 9.0, 7.0]
    )
    assert answers.alike(found) == [{"codecs": ["bpg", "hevc"], "n_rungs": 3, "n_same": 2}]
    assert answers.alike(columns()) == []


def test_distributions() -> None:
    first, *_, last = answers.along_the_ladder(columns(), "jpeg")
    assert (first["qp"], first["n_rungs"]) == ([1, 2], 2)
    assert first["sur"] == {"mean": 1.0, "sd": 0.0, **{f"p{p}": 1.0 for p in answers.PERCENTILES}}
    assert (last["qp"], last["smr"]["p50"]) == ([13, 13], 0.5)  # type: ignore[index]


def test_the_highest_qp_that_meets_and_the_first_that_fails() -> None:
    ratios = [1.0, 0.8, 0.7, 0.8, 0.0, NAN]
    found = answers.highest(columns(qp=list(range(6)), image=["a"] * 6, smr=ratios), "jpeg")
    assert [(one["target"], one["n_images"], one["n_apart"]) for one in found] == [
        (0.8, 1, 1),
        (0.9, 1, 0),
        (0.95, 1, 0),
    ]
    assert (found[0]["mean_qps"], found[0]["most_qps"], found[1]["most_qps"]) == (2.0, 2, 0)


def test_where_nothing_fails_or_everything_no_gap_is_known() -> None:
    flat = columns(image=["a"] * 3 + ["b"] * 3, smr=[1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    assert [one["n_images"] for one in answers.highest(flat, "jpeg")] == [0, 0, 0]


def test_rising_steps_by_their_width() -> None:
    narrow, wide = answers.rising(columns(), "jpeg")
    assert narrow == {
        "qps": [2, 5],
        "n_steps": 1,
        "share": 1.0,
        "one_machine_share": 1.0,
        "mean_rise": 0.1,
        "largest_rise": 0.1,
    }
    assert (wide["qps"], wide["share"], wide["mean_rise"]) == ([6, 12], 0.0, None)


def test_halves_differ_as_much_as_chance_says() -> None:
    random = np.random.default_rng(1)
    votes = (random.random((4000, 40)) < 0.5).astype(np.uint8)
    found = answers.split_half(votes, random)
    # Means of 20 fair coins each: sd of the difference, and the mean size of a normal variable.
    expected = np.sqrt(2 * 0.25 / 20) * np.sqrt(2 / np.pi)
    assert found["mean"] == pytest.approx(expected, rel=0.05)
    assert found["of_the_whole"] == pytest.approx(expected / 2, rel=0.05)
    assert (found["n_halves"], found["n_rungs_mean"]) == (200, 4000)
    assert answers.split_half(np.full((9, 40), 2, np.uint8), random)["n_halves"] == 0
    assert answers.split_half(np.ones((9, 40), np.uint8), random)["mean"] == 0.0


def test_teachers_agree_at_their_medians() -> None:
    found = answers.teachers(columns(), "jpeg")
    assert found["n_rungs"] == 6
    assert found["mae_between_0.1_and_0.9"] == pytest.approx(0.0, abs=1e-4)
    assert found["spearman"] == 1.0


def test_machines_and_ratios_against_each_other() -> None:
    x, y = answers.machines(columns(), frozenset({"y"}), "m_")
    assert x == {"name": "x", "unseen": False, "counts": 0.5, "satisfied": 0.6667}
    assert (y["unseen"], y["satisfied"]) == (True, 0.3333)
    against = answers.smr_against_sur(columns(), "jpeg")
    assert (against["all"], against["within_bands"]) == (0.5, None)
    assert np.sum(against["cells"]) == 3  # type: ignore[arg-type]
    assert answers.unseen(columns(), "jpeg")["mae"] == 0.0


def test_examples_are_chosen_by_mean_smr_among_full_ladders() -> None:
    n = 9
    table = {
        "image": np.repeat([f"i{k}" for k in range(5)], n),
        "split": np.repeat("val", 5 * n),
        "codec": np.repeat("jpeg", 5 * n),
        "qp": np.tile(np.arange(n)[::-1], 5),
        "smr": np.repeat(np.arange(5) / 10, n),
        **{name: np.full(5 * n, NAN) for name in ("sur", "smr_classification", "smr_detection")},
    }
    found = labels_curves.examples(table)
    assert [one["image"] for one in found] == ["i0", "i2", "i4"]
    assert found[1]["ladders"]["jpeg"]["qp"] == list(range(n))  # type: ignore[index]
    assert found[1]["ladders"]["jpeg"]["sur"] == [None] * n  # type: ignore[index]
    assert labels_curves.examples({name: of[:3] for name, of in table.items()}) == []


def test_labels_made_anew_are_compared_rung_by_rung() -> None:
    rows = [{"image": "a", "codec": "jpeg", "qp": qp, "smr": None, "sur": 0.5, "m": 1} for qp in (1, 2)]
    same = labels_repeat.compare(rows, rows)
    assert (same.columns, same.rungs) == ({}, ())
    changed = [rows[0], rows[1] | {"smr": 0.5, "sur": 0.25}]
    found = labels_repeat.compare(rows, changed)
    assert found.columns == {"smr": {"n_rungs": 1}, "sur": {"n_rungs": 1, "largest": 0.25}}
    assert found.rungs == (("a", "jpeg", 2),)
    with pytest.raises(KeyError):
        labels_repeat.compare(rows[:1], rows)


def test_images_to_repeat_come_from_every_split_with_all_their_rungs() -> None:
    rows = [
        {"image": f"{split}{i}", "split": split, "codec": codec, "qp": qp}
        for split in ("train", "val", "test")
        for i in range(4)
        for codec in ("jpeg", "hevc")
        for qp in (9, 4)
    ]
    tasks = labels_repeat.chosen(rows, 5)
    assert [task.split for task in tasks] == ["test", "train", "val", "test", "train"]
    assert dict(tasks[0].ladders) == {"jpeg": (4, 9), "hevc": (4, 9)}
    assert len({task.image for task in tasks}) == 5
    assert tasks == labels_repeat.chosen(rows[::-1], 5)
    assert len(labels_repeat.chosen(rows, 99)) == 12
