"""Machines and their jury, on networks that are plain functions."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sursmr_codec.errors import MissingExtra, UnavailableError, UsageError
from sursmr_codec.labels.machines import runtimes
from sursmr_codec.labels.machines.jury import Jury
from sursmr_codec.labels.machines.machine import load
from sursmr_codec.labels.machines.output import Boxes, Labels, Segments
from sursmr_codec.labels.machines.zoo import read_zoo

WriteZoo = Callable[..., Path]
Network = Callable[[np.ndarray], list[np.ndarray]]

PICTURE = np.full((60, 80, 3), 255, np.uint8)
BOXES = {"name": "boxes", "task": "detection", "fit": "squash", "config": '{"head": "e2e", "norm": 0}'}
FACES = {"name": "faces", "task": "face", "fit": "center", "config": '{"kind": "yunet"}'}
AREAS = {"name": "areas", "task": "segmentation", "fit": ""}


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Network]:
    """Networks by the text of their weight file, which is the machine's name."""
    known: dict[str, Network] = {}
    monkeypatch.setitem(runtimes.RUNTIMES, ".onnx", lambda weights, threads: known[weights.read_text()])
    return known


def answering(*outputs: Any) -> Network:
    return lambda pixels: [np.array(output) for output in outputs]


def scores(dtype: type = np.float32, **by_class: float) -> np.ndarray:
    values = np.zeros((1, 10), dtype)
    for name, value in by_class.items():
        values[0, int(name[1:])] = value
    return values


def run(write_zoo: WriteZoo, networks: dict[str, Network], network: Network, **cells: str) -> Any:
    networks["it"] = network
    return load(read_zoo(write_zoo({"name": "it", **cells})).rows[0]).run(PICTURE)


def test_classifier_gives_five_best(write_zoo: WriteZoo, networks: dict[str, Network]) -> None:
    network = answering(scores(c3=0.5, c9=0.25, c1=0.125, c0=0.125))
    assert run(write_zoo, networks, network) == Labels((3, 9, 0, 1, 2), (0.5, 0.25, 0.125, 0.125, 0.0))


def test_background_is_dropped(write_zoo: WriteZoo, networks: dict[str, Network]) -> None:
    labels = run(write_zoo, networks, answering(scores(c0=0.9, c3=0.1)), config='{"bg": 1}')
    assert (labels.top1, labels.confidence) == (2, pytest.approx(0.1))


def test_logits_become_probabilities(write_zoo: WriteZoo, networks: dict[str, Network]) -> None:
    labels = run(write_zoo, networks, answering(scores(c4=np.log(9))), config='{"logits": 1}')
    assert (labels.top1, labels.confidence) == (4, pytest.approx(0.5))


def test_raw_bytes_are_divided_by_255(write_zoo: WriteZoo, networks: dict[str, Network]) -> None:
    labels = run(write_zoo, networks, answering(scores(np.uint8, c4=51, c5=204)))
    assert labels.indices[:2] == (5, 4)
    assert labels.scores[:2] == pytest.approx((0.8, 0.2))


def test_classes_are_put_in_order(write_zoo: WriteZoo, networks: dict[str, Network], tmp_path: Path) -> None:
    (tmp_path / "m0").mkdir()
    np.save(tmp_path / "m0" / "order.npy", np.roll(np.arange(10), 1))
    labels = run(write_zoo, networks, answering(scores(c4=0.9)), config='{"remap": "order.npy"}')
    # Output 4 stands for class order[4], which is 3.
    assert labels.top1 == 3


def test_detector_keeps_weak_boxes_down_to_the_floor(
    write_zoo: WriteZoo, networks: dict[str, Network]
) -> None:
    rows = [[0, 0, 8, 4, 0.04, 1], [8, 4, 16, 8, 0.05, 2], [16, 8, 40, 16, 0.9, 3]]
    boxes = run(write_zoo, networks, answering(np.array([rows], np.float32)), **{**BOXES, "name": "it"})
    assert isinstance(boxes, Boxes)
    # The input is 32 x 16, the picture 80 x 60.
    assert boxes.xyxy.tolist() == [[40, 30, 80, 60], [20, 15, 40, 30]]
    assert boxes.scores.tolist() == pytest.approx([0.9, 0.05])
    assert boxes.classes.tolist() == [3, 2]


def test_a_head_that_suppresses_is_left_alone(write_zoo: WriteZoo, networks: dict[str, Network]) -> None:
    rows = np.array([[[0, 0, 8, 8, 0.6, 1], [0, 0, 8, 8, 0.7, 1]]], np.float32)
    boxes = run(write_zoo, networks, answering(rows), **{**BOXES, "name": "it"})
    assert boxes.scores.tolist() == pytest.approx([0.7, 0.6])


@pytest.mark.parametrize(("nms", "n_boxes"), [("true", 1), ("false", 2)])
def test_suppression_can_be_switched_off(
    write_zoo: WriteZoo, networks: dict[str, Network], nms: str, n_boxes: int
) -> None:
    values = np.zeros((1, 84, 2), np.float32)
    values[0, :4] = [[16, 16], [8, 8], [8, 8], [4, 4]]
    values[0, 4] = [0.5, 0.6]
    config = f'{{"head": "v8", "norm": 0, "nms": {nms}}}'
    boxes = run(write_zoo, networks, answering(values), task="detection", fit="squash", config=config)
    assert len(boxes) == n_boxes
    assert boxes.scores[0] == np.float32(0.6)


def test_segmenter_gives_a_label_a_pixel(write_zoo: WriteZoo, networks: dict[str, Network]) -> None:
    labels = np.arange(6).reshape(1, 2, 3)
    segments = run(write_zoo, networks, answering(labels), **{**AREAS, "name": "it"})
    assert isinstance(segments, Segments)
    assert segments.labels.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert segments.labels.dtype == np.uint8


def test_pixels_reach_the_network_fitted_and_normalised(
    write_zoo: WriteZoo, networks: dict[str, Network]
) -> None:
    seen: list[np.ndarray] = []

    def network(pixels: np.ndarray) -> list[np.ndarray]:
        seen.append(pixels)
        return [scores(c0=1.0)]

    run(write_zoo, networks, network, preprocess="pm1")
    assert seen[0].shape == (16, 32, 3)
    assert np.all(seen[0] == 1.0)


def test_a_machine_knows_whether_it_is_satisfied(write_zoo: WriteZoo, networks: dict[str, Network]) -> None:
    networks["it"] = answering(scores())
    machine = load(read_zoo(write_zoo({"name": "it"})).rows[0])
    sure, other, unsure = Labels((1,), (0.3,)), Labels((2,), (0.9,)), Labels((1,), (0.2,))
    assert machine.satisfied(sure, unsure) is True
    assert machine.satisfied(sure, other) is False
    assert machine.satisfied(unsure, sure) is None


@pytest.fixture
def zoo_folder(write_zoo: WriteZoo, networks: dict[str, Network]) -> Path:
    for i in range(6):
        networks[f"c{i}"] = answering(scores(**{f"c{i}": 1.0}))
    networks["boxes"] = answering(np.zeros((1, 0, 6), np.float32))
    networks["areas"] = answering(np.zeros((1, 2, 2)))
    classifiers = [{"name": f"c{i}", "ms_busy_core": str(i)} for i in range(6)]
    return write_zoo(*classifiers, BOXES, AREAS)


@pytest.mark.parametrize("workers", [1, 3])
def test_the_jury_answers_in_its_own_order(zoo_folder: Path, workers: int) -> None:
    with Jury(read_zoo(zoo_folder), workers=workers) as jury:
        answers = jury.run_all(PICTURE)
        assert list(answers) == ["c0", "c1", "c2", "c3", "c4", "c5", "boxes"]
        assert [answers[f"c{i}"].top1 for i in range(6)] == list(range(6))  # type: ignore[union-attr]
        assert list(jury.run_all(PICTURE, "detection")) == ["boxes"]
        assert list(jury.run_all(PICTURE, "classification")) == [f"c{i}" for i in range(6)]


def test_a_jury_of_other_machines(zoo_folder: Path) -> None:
    zoo = read_zoo(zoo_folder)
    jury = Jury(zoo, rows=zoo.of_task("segmentation"))
    assert list(jury.run_all(PICTURE)) == ["areas"]
    assert jury.machine("areas").name == "areas"
    with pytest.raises(UsageError, match="no machine 'c0'"):
        jury.machine("c0")


@pytest.mark.parametrize("counts", [{"workers": 0}, {"threads": 0}])
def test_a_jury_needs_workers(zoo_folder: Path, counts: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        Jury(read_zoo(zoo_folder), **counts)  # type: ignore[arg-type]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_machine_that_fails_is_named(zoo_folder: Path, networks: dict[str, Network], workers: int) -> None:
    def broken(pixels: np.ndarray) -> list[np.ndarray]:
        raise RuntimeError("tensor of wrong size")

    networks["c3"] = broken
    with (
        Jury(read_zoo(zoo_folder), workers=workers) as jury,
        pytest.raises(UnavailableError, match="machine c3 failed on a 80x60 picture: tensor of wrong size"),
    ):
        jury.run_all(PICTURE)


def test_a_machine_sees_one_picture_at_a_time(write_zoo: WriteZoo, networks: dict[str, Network]) -> None:
    inside, most = 0, 0
    guard = threading.Lock()

    def network(pixels: np.ndarray) -> list[np.ndarray]:
        nonlocal inside, most
        with guard:
            inside += 1
            most = max(most, inside)
        time.sleep(0.01)
        with guard:
            inside -= 1
        return [scores(c0=1.0)]

    networks["it"] = network
    jury = Jury(read_zoo(write_zoo({"name": "it"})))
    threads = [threading.Thread(target=jury.run_all, args=(PICTURE,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


@pytest.mark.parametrize(
    ("suffix", "module", "library"),
    [
        (".onnx", "onnxruntime", "onnxruntime"),
        (".tflite", "ai_edge_litert.interpreter", "ai-edge-litert"),
    ],
)
def test_a_missing_runtime_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, suffix: str, module: str, library: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra) as caught:
        runtimes.RUNTIMES[suffix](Path("zoo/eye") / f"model{suffix}", 1)
    assert (
        str(caught.value)
        == f"running zoo/eye/model{suffix} needs {library}: pip install 'sursmr-qp[measured]'"
    )
    assert caught.value.extra == "measured"


def test_weights_that_are_none_are_named(write_zoo: WriteZoo) -> None:
    row = read_zoo(write_zoo({"name": "eye"})).rows[0]
    with pytest.raises(UnavailableError, match="machine eye cannot be loaded from"):
        load(row)


def test_importing_loads_no_runtime() -> None:
    script = (
        "import json, sys, sursmr_codec.labels.machines.jury, sursmr_codec.labels.smr\n"
        "heavy = {'onnxruntime', 'cv2', 'ai_edge_litert', 'torch'}\n"
        "print(json.dumps(sorted(heavy & sys.modules.keys())))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert json.loads(done.stdout) == []
