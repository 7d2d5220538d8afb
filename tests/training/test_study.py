"""The study on the tiny labels: every variant trains, what is done is not done again, the page is made."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_labels import QPS, Labelled

from sursmr_codec.training.data import read_rungs

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS, DOCS = ROOT / "benchmarks", ROOT / "docs"
NAMES = ("study", "study_features", "study_pretraining", "study_train", "study_variants")


@pytest.fixture(scope="module")
def study() -> Iterator[Any]:
    """The script's names."""
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(BENCHMARKS)
        import study

        yield study
    for name in NAMES:
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def tiny(study: Any) -> Any:
    return study.Protocol(
        backbone="test_efficientnet",
        initial="",
        size=32,
        grid=1,
        width=16,
        n_train=3,
        n_validation=2,
        n_test=2,
        most_rungs=4,
        steps=2,
        steps_of_numbers=4,
        batch_size=6,
        seeds=(0, 1),
    )


@pytest.fixture(scope="module")
def finished(study: Any, tiny: Any, labelled: Labelled, tmp_path_factory: pytest.TempPathFactory) -> Any:
    done = study.Study(tiny, labelled.images, [labelled.labels], tmp_path_factory.mktemp("work"))
    lines = list(done.run())
    assert sum(", seed " in line for line in lines) == 2 * len(study.variants(tiny))
    return done


def test_every_variant_is_tested_once_a_seed(study: Any, finished: Any) -> None:
    result = finished.result()
    assert set(result["variants"]) == {one.name for one in study.variants(finished.protocol)}
    assert result["n_rungs"] == {"train": 12, "val": 8, "test": 12}
    for name, one in result["variants"].items():
        assert one["seeds"] == [0, 1]
        assert ("sur_mae" in one["test"]) == (name != "smr_only")
        assert ("smr_mae" in one["test"]) == (name != "sur_only")
        assert all(0.0 <= value["mean"] <= 1.0 for key, value in one["test"].items() if key.endswith("mae"))
    assert result["codec_and_qp"]["sur_mae"] > 0.0
    paper, other = (result["variants"][name] for name in ("paper", "without_dfrl"))
    assert paper["n_learned"] > other["n_learned"]
    assert paper["test"] != other["test"]


def test_what_is_done_is_not_done_again(study: Any, finished: Any) -> None:
    variant = study.variants(finished.protocol)[1]
    lost = finished.unit_path(variant, 1)
    before = json.loads(lost.read_text())
    lost.unlink()
    assert [line for line in finished.run(only=["paper"]) if ", seed " in line] == []
    lines = list(finished.run())
    assert [line.split(":")[0] for line in lines if ", seed " in line] == [f"{variant.name}, seed 1"]
    again = json.loads(lost.read_text())
    assert {**again, "seconds": 0} == {**before, "seconds": 0}
    assert lost.with_suffix(".log").read_text().count("epoch") == 2


def test_what_was_trained_elsewhere_keeps_what_the_result_says(
    study: Any, finished: Any, labelled: Labelled, tmp_path: Path
) -> None:
    known = finished.result()
    elsewhere = study.Study(finished.protocol, labelled.images, [labelled.labels], tmp_path)
    assert elsewhere.result()["variants"] == {}
    assert elsewhere.result(known)["variants"] == known["variants"]
    assert elsewhere.result({**known, "key": "another"})["variants"] == {}
    assert list(elsewhere.run(only=["stage_one"]))
    merged = elsewhere.result(known)["variants"]
    assert list(merged) == list(known["variants"])
    assert merged["stage_one"]["test"] == known["variants"]["stage_one"]["test"]


def test_stage_one_learns_the_proxy_that_it_is_given(study: Any, finished: Any, labelled: Labelled) -> None:
    from study_pretraining import Proxies, body_of

    errors = {}
    for run in (finished.work / "stage_one").glob("*/*"):
        assert body_of(run)
        epochs = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
        errors[run.name] = [one["validation"] for one in epochs if one["event"] == "epoch"]
    assert set(errors) == {"ssim+ms_ssim+fsim+gmsd", "ssim", "fsim"}
    assert {len(each) for each in errors.values()} == {finished.stage_one.epochs}
    assert len({each[0]["sur"] for each in errors.values()}) == 3
    rungs = read_rungs([labelled.labels], splits=("val",))["val"]
    proxies = Proxies(labelled.images, finished.work / "proxies")
    one, other, mean = (
        proxies.learned(rungs, metrics).labels["sur_proxy"]
        for metrics in (("ssim",), ("fsim",), ("ssim", "fsim"))
    )
    np.testing.assert_allclose(mean, (one + other) / 2, atol=1e-6)
    for rows in rungs.ladders().values():
        # QP 99 of the labels lies just above the ladder's end, which is at 0.
        assert one[rows][0] > 0.9
        assert one[rows][-1] < 0.2
        assert (np.diff(one[rows]) < 0).all()


def test_another_protocol_or_other_labels_are_other_units(
    study: Any, finished: Any, labelled: Labelled, tmp_path: Path
) -> None:
    def key(protocol: Any, labels: Path) -> str:
        return str(study.Study(protocol, labelled.images, [labels], tmp_path).key)

    assert key(finished.protocol, labelled.labels) == finished.key
    assert key(replace(finished.protocol, steps=5), labelled.labels) != finished.key
    rows = [replace(row, sur=0.5) for row in labelled.rows]
    changed = labelled.rewritten(tmp_path / "changed.parquet", rows)
    assert key(finished.protocol, changed) != finished.key


def test_few_rungs_are_taken_evenly(study: Any, labelled: Labelled) -> None:
    train = read_rungs([labelled.labels], splits=("train",))["train"]
    few = study.chosen(train, 2, 3)
    assert len(set(few.images)) == 2
    for rows in few.ladders().values():
        assert [QPS.index(qp) // 2 for qp in few.qps[rows].tolist()] == [0, 1, 2]
    ends = study.chosen(train, 99, 1).qps
    assert len(ends) == 6
    assert ends.min() < 50 < ends.max()
    assert len(study.chosen(train, 99, None)) == len(train)


def test_few_rungs_are_as_many_of_every_codec(study: Any, labelled: Labelled) -> None:
    one = read_rungs([labelled.labels], splits=("train",))["train"]
    rows = np.concatenate([np.arange(len(one))] * 2)
    both = replace(one.take(rows), codecs=("hevc",) * len(one) + ("jpeg",) * len(one))
    few = study.chosen(both, 3, 4)
    assert {len(rows) for rows in few.ladders().values()} == {2}
    assert len(few.ladders()) == 6


def test_a_variant_sees_the_statistics_that_it_names(study: Any) -> None:
    import study_features

    by_name = {one.name: one for one in study.variants(study.Protocol())}
    channels = (2, 1)
    seen = {name: study_features.columns(by_name[name], channels).tolist() for name in by_name if "_" in name}
    assert seen["difference_224"] == [2, 3, 4, 5, 7, 8]
    assert seen["difference_native"] == [2, 3, 4, 5, 7, 8, 11, 12, 13, 14, 16, 17]
    assert seen["source_224"] == list(range(9))
    assert seen["source_native"] == list(range(18))
    assert seen["semantic_224"] == [*range(9), *range(18, 36)]
    assert seen["semantic_native"] == list(range(36))


def test_the_network_behind_the_features_sees_what_the_package_does(study: Any, tiny: Any) -> None:
    import study_features
    import torch

    generator = torch.Generator().manual_seed(0)
    views = torch.randint(0, 256, (3, 2, 3, 32, 32), generator=generator, dtype=torch.uint8)
    eyes = study_features.Eyes(tiny)
    ladder = eyes.ladder(views)
    network = eyes._network
    with torch.inference_mode():
        expected = network.describe(network.embed(views[:1]), network.embed(views[1:]))
    np.testing.assert_allclose(ladder.statistics, expected.numpy(), atol=1e-4)
    assert [one.shape for one in ladder.maps] == [(3, n, 1, 1) for n in eyes.channels]


def test_the_page_shows_every_variant(study: Any, finished: Any) -> None:
    page = runpy.run_path(str(DOCS / "study.py"))["render"](finished.result())
    for variant in study.variants(finished.protocol):
        assert f"| {variant.what} |" in page
    assert page.count("| codec and QP alone |") == 2
    assert "| without DFRL |" in page
    assert "0.0627 | 0.0343 |" in page
    assert "- without DFRL, SUR:" in page


def test_the_committed_page_is_what_the_result_says() -> None:
    made = runpy.run_path(str(DOCS / "study.py"))
    if not made["RESULT"].exists():
        assert not made["PAGE"].exists()
        return
    assert made["PAGE"].read_text("utf-8") == made["render"](json.loads(made["RESULT"].read_text("utf-8")))
