"""Trying out machines: what passes, what is caught, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sursmr_codec.errors import UsageError
from sursmr_codec.labels import smr
from sursmr_codec.labels.machines import checking, coco, runtimes
from sursmr_codec.labels.machines.class_names import ClassNames
from sursmr_codec.labels.machines.zoo import Zoo, read_zoo
from sursmr_codec.zoo_records import prediction

WriteZoo = Callable[..., Path]
Network = Callable[[np.ndarray], list[np.ndarray]]

PICTURE = np.full((60, 80, 3), 255, np.uint8)
CHANGED = np.zeros((60, 80, 3), np.uint8)
BOXES = {
    "task": "detection",
    "fit": "squash",
    "config": '{"head": "e2e", "norm": 0}',
    "trained_on": "COCO 2017 (80)",
}
FACES = {**BOXES, "task": "face", "fit": "center", "config": '{"kind": "yunet"}', "trained_on": "WIDER FACE"}
AREAS = {"task": "segmentation", "fit": "", "trained_on": "PASCAL VOC (21)"}


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Network]:
    """Networks by the text of their weight file, which is the machine's name."""
    known: dict[str, Network] = {}
    monkeypatch.setitem(runtimes.RUNTIMES, ".onnx", lambda weights, threads: known[weights.read_text()])
    return known


def answering(*outputs: Any) -> Network:
    return lambda pixels: [np.array(output) for output in outputs]


def classes(**by_class: float) -> np.ndarray:
    values = np.zeros((1, 10), np.float32)
    for name, value in by_class.items():
        values[0, int(name[1:])] = value
    return values


def box(score: float, index: int) -> np.ndarray:
    return np.array([[[0, 0, 8, 4, score, index]]], np.float32)


def check_one(write_zoo: WriteZoo, networks: dict[str, Network], network: Network, **cells: str) -> Any:
    networks["it"] = network
    zoo = read_zoo(write_zoo({"name": "it", **cells}))
    (checked,) = checking.check(zoo.rows, PICTURE)
    return checked


def test_a_machine_that_works(write_zoo: WriteZoo, networks: dict[str, Network]) -> None:
    checked = check_one(write_zoo, networks, answering(classes(c3=0.9)))
    assert (checked.ok, checked.error, checked.output.top1) == (True, None, 3)
    assert checked.milliseconds >= 0
    assert checked.load_seconds >= 0
    assert checked.weights_file == checked.row.weights
    assert checked.compressed is None


@pytest.mark.parametrize(
    ("network", "cells", "text"),
    [
        (answering(classes(c3=12.5)), {}, "config: scores 0..12.5 are no probabilities 0..1; has it logits"),
        (answering(np.full((1, 10), np.nan)), {}, "scores that are not finite are no probabilities"),
        (answering(box(np.nan, 1)), BOXES, "scores that are not finite are no probabilities"),
        (answering(box(3.0, 1)), BOXES, "config: scores 3..3 are no probabilities 0..1"),
        (answering(box(0.9, 80)), BOXES, "config: class 80 is none of COCO's 80"),
        (answering(box(0.9, -1)), BOXES, "config: class -1 is none of COCO's 80"),
        (answering(np.zeros((1, 2, 3, 4))), AREAS, "file: label map of shape (2, 3, 4) is not (H, W)"),
        (answering(), {}, "failed on a 80x60 picture: IndexError"),
    ],
)
def test_what_no_opinion_can_be_is_caught(
    write_zoo: WriteZoo, networks: dict[str, Network], network: Network, cells: dict[str, str], text: str
) -> None:
    checked = check_one(write_zoo, networks, network, **cells)
    assert not checked.ok
    assert checked.output is None
    assert text in checked.error


def test_classes_of_other_sets_may_be_more_than_80(write_zoo: WriteZoo, networks: dict[str, Network]) -> None:
    assert check_one(write_zoo, networks, answering(box(0.9, 80)), **{**BOXES, "trained_on": "Objects365"}).ok


def test_a_machine_that_contradicts_itself_is_caught(
    write_zoo: WriteZoo, networks: dict[str, Network]
) -> None:
    turn = count()
    checked = check_one(write_zoo, networks, lambda _: [classes(**{f"c{next(turn) % 2}": 0.9})])
    assert checked.error == "it says two things of one picture, so that no change means anything"


def test_a_network_of_another_size_names_the_field(write_zoo: WriteZoo, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    shape = [1, 3, 24, 40]
    graph = helper.make_graph(
        [helper.make_node("GlobalAveragePool", ["in"], ["out"])],
        "tiny",
        [helper.make_tensor_value_info("in", kind, shape)],
        [helper.make_tensor_value_info("out", kind, [1, 3, 1, 1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    folder = write_zoo({"name": "small"}, {"name": "fits", "input": "40x24"})
    for i in range(2):
        onnx.save(model, folder / f"m{i}" / "model.onnx")
    n_bytes = (folder / "m0" / "model.onnx").stat().st_size
    table = (folder / "zoo.csv").read_text().splitlines()
    for i, name in ((1, "small"), (2, "fits")):
        table[i] = table[i].replace(f",{len(name)},", f",{n_bytes},", 1)
    (folder / "zoo.csv").write_text("\n".join(table) + "\n")
    small, fits = checking.check(read_zoo(folder, verify=False).rows, PICTURE)
    assert small.error == "input: the network takes 40x24, not 32x16"
    assert fits.ok


def test_one_failure_leaves_the_others_alone(write_zoo: WriteZoo, networks: dict[str, Network]) -> None:
    networks["well"] = answering(classes(c1=0.5))
    folder = write_zoo({"name": "sick"}, {"name": "well"})
    sick, well = checking.check(read_zoo(folder).rows, PICTURE)
    assert "machine sick cannot be loaded from" in (sick.error or "")
    assert well.ok


@pytest.fixture
def zoo(write_zoo: WriteZoo, networks: dict[str, Network]) -> Zoo:
    """Classifiers of which two share weights, a detector, a segmenter; some change their mind in the dark."""
    machines = [{"name": f"c{i}", "weights_group": f"g{i % 5}"} for i in range(6)]
    for i in range(6):
        networks[f"c{i}"] = lambda pixels, i=i: (
            [classes(c1=0.9 if i < 4 else 0.2)] if pixels.any() or i % 2 else [classes(c2=0.9)]
        )
    networks["boxes"] = lambda pixels: [box(0.9, 1 if pixels.any() else 2)]
    networks["areas"] = answering(np.eye(4)[None])
    return read_zoo(write_zoo(*machines, {**BOXES, "name": "boxes"}, {**AREAS, "name": "areas"}))


def test_a_compressed_picture_gives_verdicts_and_ratios(zoo: Zoo) -> None:
    checked = list(checking.check(zoo.rows, PICTURE, CHANGED))
    ratios = checking.ratios(zoo, checked)
    assert ratios is not None
    # c0, c2 and the detector change; c1 and c3 stay; c4 is unsure; c5 shares the weights of c0.
    assert ratios.smr == pytest.approx(2 / 5)
    assert ratios.smr_classification == pytest.approx(2 / 4)
    assert ratios.smr_strict == pytest.approx(2 / 6)
    assert (ratios.smr_detection, ratios.smr_face, ratios.smr_segmentation) == (None, None, 1.0)


def test_no_ratio_where_a_voter_failed(zoo: Zoo, networks: dict[str, Network]) -> None:
    networks["c5"] = answering()
    assert checking.ratios(zoo, list(checking.check(zoo.rows, PICTURE, CHANGED))) is not None
    networks["c0"] = answering()
    assert checking.ratios(zoo, list(checking.check(zoo.rows, PICTURE, CHANGED))) is None


def test_the_drawing_is_always_the_same_and_not_plain() -> None:
    drawing = checking.drawn_picture()
    assert (drawing.shape, drawing.dtype) == ((360, 480, 3), np.uint8)
    assert np.array_equal(drawing, checking.drawn_picture())
    assert len(np.unique(drawing.reshape(-1, 3), axis=0)) > 100


@pytest.mark.parametrize("background", [0, 1])
def test_imagenets_names_stand_beside_the_table(
    write_zoo: WriteZoo, networks: dict[str, Network], tmp_path: Path, background: int
) -> None:
    lines = ["background"] * background + [f"name {i}, synonym" for i in range(1000)]
    (tmp_path / "imagenet_labels_1001.txt").write_text("\n".join(lines) + "\n")
    checked = check_one(write_zoo, networks, answering(classes(c3=0.9)))
    said = prediction(checked.output, checked.row, ClassNames(tmp_path))
    assert (said.label, said.index, said.score) == ("name 3, synonym", 3, 0.9)


def test_names_that_are_not_known_are_indices(
    write_zoo: WriteZoo, networks: dict[str, Network], tmp_path: Path
) -> None:
    checked = check_one(write_zoo, networks, answering(classes(c3=0.9)))
    assert prediction(checked.output, checked.row, ClassNames(tmp_path)).label is None
    (tmp_path / "imagenet_labels.txt").write_text("one\ntwo\n")
    with pytest.raises(UsageError, match=r"imagenet_labels\.txt has 2 lines, not 1000 or 1001"):
        ClassNames(tmp_path)
    (tmp_path / "imagenet_labels.txt").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="cannot be read"):
        ClassNames(tmp_path)


def test_first_predictions(write_zoo: WriteZoo, networks: dict[str, Network], tmp_path: Path) -> None:
    names = ClassNames(tmp_path)
    two = np.array([[[0, 0, 8, 4, 0.5, 2], [9, 4, 16, 8, 0.9, 14], [9, 9, 16, 16, 0.2, 3]]], np.float32)
    checked = check_one(write_zoo, networks, answering(two), **BOXES)
    said = prediction(checked.output, checked.row, names)
    assert (said.label, said.index, said.score, said.n_boxes) == ("bird", 14, 0.9, 2)
    assert names.name(checked.row, 80) is None

    checked = check_one(write_zoo, networks, answering(box(0.2, 2)), **BOXES)
    said = prediction(checked.output, checked.row, names)
    assert (said.label, said.index, said.score, said.n_boxes) == (None, None, None, 0)
    assert smr.counts(checked.output, checked.row) is False

    checked = check_one(write_zoo, networks, answering(np.array([[[0, 5, 5], [0, 0, 7]]])), **AREAS)
    said = prediction(checked.output, checked.row, names)
    assert (said.label, said.index, said.score, said.share) == ("bottle", 5, None, 0.3333)
    checked = check_one(write_zoo, networks, answering(np.zeros((1, 2, 2))), **AREAS)
    assert prediction(checked.output, checked.row, names).index == 0
    of_another = replace(checked.row, trained_on="ADE20K")
    assert [names.name(row, 20) for row in (checked.row, of_another)] == ["tv monitor", None]
    assert names.name(checked.row, 21) is None
    assert coco.NAMES[0] == "person"


def test_all_that_a_face_detector_finds_is_faces(write_zoo: WriteZoo, tmp_path: Path) -> None:
    row = read_zoo(write_zoo({**FACES, "name": "it"})).rows[0]
    assert ClassNames(tmp_path).name(row, 0) == "face"
