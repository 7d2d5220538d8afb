"""The real thing: a zoo's machines and both teachers, held against the predictor that measures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sursmr_codec import codecs, images, predict
from sursmr_codec.errors import UsageError
from sursmr_codec.labels import protocols, smr, store
from sursmr_codec.labels.annotate import Run, annotate_events
from sursmr_codec.labels.machine_split import unseen_machines
from sursmr_codec.labels.machines.jury import Jury
from sursmr_codec.labels.machines.zoo import Zoo, read_zoo
from sursmr_codec.labels.panel import ZooSetup, output_digest
from sursmr_codec.labels.plan import Rungs, make_plan
from sursmr_codec.ladder import Ladder

FAMILIES = ("mobilenet_v1", "mobilenet_v2", "yolo11n", "squeezenet", "nanodet", "yolo_fastest")
"""Names that begin alike are one family."""


@pytest.fixture(scope="module")
def zoo(shared_data: Path) -> Zoo:
    return read_zoo(shared_data / "machines", verify=False)


def test_unseen_machines_are_whole_families_and_enough(zoo: Zoo) -> None:
    unseen = unseen_machines(zoo.jury)
    tasks = [zoo[name].task for name in unseen]
    assert (len(zoo.jury), len(unseen)) == (27, 8)
    assert (tasks.count("classification"), tasks.count("detection")) == (3, 5)
    for family in FAMILIES:
        members = {row.name in unseen for row in zoo.jury if row.name.startswith(family)}
        assert len(members) == 1, f"{family} is torn apart"


def test_another_split_is_checked(zoo: Zoo, tmp_path: Path) -> None:
    path = tmp_path / "split.toml"
    path.write_text('[unseen]\nmachines = ["yolox_nano"]\n')
    assert unseen_machines(zoo.jury, path) == {"yolox_nano"}
    for text, complaint in (
        ('[unseen]\nmachines = ["yolox_huge"]', "yolox_huge, which is not a machine"),
        ("[unseen]\nmachines = 3", "must be a list"),
        ("[seen]", "needs a table"),
        ("[unseen", "needs a table"),
    ):
        path.write_text(text)
        with pytest.raises(UsageError, match=complaint):
            unseen_machines(zoo.jury, path)
    # Without machines of those names, everyone is seen.
    assert unseen_machines(()) == frozenset()


def test_a_machine_is_another_when_its_outputs_may_be(zoo: Zoo) -> None:
    digests = [output_digest(row) for row in zoo.jury]
    assert len(set(digests)) == 27
    row = zoo["fastestdet"]
    changes: list[dict[str, Any]] = [
        {"sha256": "1" * 16},
        {"width": 64},
        {"preprocess": "01"},
        {"config": {**row.config, "iou": 0.6}},
    ]
    for change in changes:
        assert output_digest(replace(row, **change)) != output_digest(row)
    # A threshold on outputs leaves these as they are.
    assert output_digest(replace(row, config={**row.config, "conf": 0.9})) == output_digest(row)


def test_labels_are_what_the_measuring_predictor_says(shared_data: Path, tmp_path: Path) -> None:
    machines, folder = shared_data / "machines", shared_data / "images"
    protocol = protocols.load("calibrated")
    plan = make_plan(folder, {"jpeg": range(1, 101)}, Rungs(qps=(75,)), splits=["val"], limit=1)
    setup = ZooSetup(machines, tuple(protocol.curves), ("face", "segmentation"))
    run = Run(plan, setup, protocol)
    *_, finished = annotate_events(run, tmp_path / "out", jobs=1)
    assert finished.failures == ()
    (row,) = store.read_labels(tmp_path / "out").to_pylist()

    assert (len(setup.rows), len(row.keys() & {f"m_{one.name}" for one in setup.rows})) == (31, 27)
    zoo = read_zoo(machines, verify=False)

    measured = predict.load("measured", zoo=machines)
    source = images.read(folder / plan.parts[0][0].image)
    rung = Ladder(source, codecs.get("jpeg"))[75]
    (score,) = measured.score(measured.embed(source), [rung])
    assert score.evidence is not None
    votes = {name: 2 if vote is None else int(vote) for name, vote in score.evidence.satisfied.items()}
    assert {name: row[f"m_{name}"] for name in votes} == votes
    assert set(votes.values()) == {0, 1, 2}
    assert row["n_machines"] == score.evidence.n_counting
    assert row["n_bytes"] == rung.n_bytes
    assert (row["smr"], row["smr_detection"]) == pytest.approx((score.smr, score.smr_detection))
    assert row["sur"] == pytest.approx(score.sur, abs=1e-4)
    assert row["cvvdp_jod"] == pytest.approx(score.evidence.teachers["cvvdp"][0], abs=1e-4)
    with Jury(zoo, rows=zoo.of_task("face", "segmentation")) as apart:
        before, after = apart.run_all(source.rgb), apart.run_all(rung.decoded)
    opinions = {one.name: smr.satisfied(before[one.name], after[one.name], one) for one in apart.rows}
    ratios = smr.smr(opinions, {one.name: one.task for one in apart.rows})
    assert (row["smr_face"], row["smr_segmentation"]) == (ratios.smr_face, ratios.smr_segmentation)
    assert row["ssimulacra2"] == pytest.approx(score.evidence.teachers["ssimulacra2"][0], abs=1e-3)
