"""Reading zoo.csv: what a row becomes, and what is said of a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sursmr_codec.errors import UsageError
from sursmr_codec.labels.machines.geometry import Fit
from sursmr_codec.labels.machines.heads import FACE_HEADS, OBJECT_HEADS
from sursmr_codec.labels.machines.zoo import read_zoo

WriteZoo = Callable[..., Path]

DETECTION = {"task": "detection", "fit": "squash"}


def test_a_row_becomes_a_machine(write_zoo: WriteZoo) -> None:
    folder = write_zoo({"name": "eye"}, {"config": '{"bg": 1}'})
    row = read_zoo(folder)["eye"]
    assert (row.name, row.task, row.weights) == ("eye", "classification", folder / "m0" / "model.onnx")
    assert (row.width, row.height, row.preprocess, row.fit) == (32, 16, "01", Fit("crop", 0.875))
    assert (row.conf, row.ms_busy_core, row.licence) == (0.3, 1.5, "MIT")
    assert dict(read_zoo(folder)["machine_1"].config) == {"bg": 1}
    with pytest.raises(UsageError, match="no machine 'ear'"):
        read_zoo(folder)["ear"]


@pytest.mark.parametrize(
    ("cells", "conf", "pad"),
    [
        ({**DETECTION, "config": '{"head": "yolox"}'}, 0.3, 114),
        ({**DETECTION, "config": '{"head": "yolox", "conf": 0.4, "padv": 0}'}, 0.4, 0),
        ({"task": "face", "fit": "center", "config": '{"kind": "yunet"}'}, 0.5, 0),
    ],
)
def test_thresholds_and_bars_follow_the_task(
    write_zoo: WriteZoo, cells: dict[str, str], conf: float, pad: int
) -> None:
    row = read_zoo(write_zoo(cells)).rows[0]
    assert (row.conf, row.pad) == (conf, pad)


def test_the_jury_is_classifiers_and_detectors_with_one_vote_a_group(write_zoo: WriteZoo) -> None:
    zoo = read_zoo(
        write_zoo(
            {"name": "first", "weights_group": "twins"},
            {"name": "second", "weights_group": "twins"},
            {"name": "boxes", **DETECTION, "config": '{"head": "v8"}'},
            {"name": "faces", "task": "face", "fit": "center", "config": '{"kind": "blaze"}'},
            {"name": "areas", "task": "segmentation", "fit": ""},
        )
    )
    assert [row.name for row in zoo.jury] == ["first", "boxes"]
    assert [row.name for row in zoo.of_task("face", "segmentation")] == ["faces", "areas"]


def test_the_digest_follows_what_decides_an_answer(write_zoo: WriteZoo) -> None:
    first = read_zoo(write_zoo({})).digest
    assert read_zoo(write_zoo({})).digest == first
    assert read_zoo(write_zoo({"licence": "BSD", "ms_busy_core": "9"})).digest == first
    assert read_zoo(write_zoo({"preprocess": "raw"})).digest != first
    assert read_zoo(write_zoo({"fit": "squash"})).digest != first
    assert read_zoo(write_zoo({"input": "16x32"})).digest != first
    assert read_zoo(write_zoo({"config": '{"bg": 1}'})).digest != first
    assert read_zoo(write_zoo({"name": "other"})).digest != first


@pytest.mark.parametrize(
    ("field", "cells", "text"),
    [
        ("task", {"task": "poetry"}, "'poetry' is not one of classification, detection, face, segmentation"),
        ("name", {"name": "two words"}, "letters, digits and underscores"),
        ("name", {"name": ""}, "letters, digits and underscores"),
        ("file", {"file": "m0/model.pb"}, "must end in .onnx or .tflite"),
        ("file", {"file": "m0/absent.onnx"}, "absent.onnx is missing"),
        ("n_bytes", {"n_bytes": "many"}, "'many' must be a whole number"),
        ("n_bytes", {"n_bytes": "7"}, "has 9 bytes, not 7"),
        ("sha256", {"sha256": "abc"}, "'abc' must be 16 hex digits"),
        ("sha256", {"sha256": "0" * 16}, "not 0000000000000000; fetch it anew"),
        ("input", {"input": "32"}, "width x height"),
        ("input", {"input": "32x0"}, "'0' must be a whole number of at least 1"),
        ("preprocess", {"preprocess": "magic"}, "'magic' is not one of raw, 01, pm1"),
        ("fit", {"fit": "stretch"}, "'stretch' is not squash, center, topleft"),
        ("fit", {"fit": "center crop most"}, "must be a number above 0 and up to 1, not most"),
        ("ms_busy_core", {"ms_busy_core": "fast"}, "'fast' must be a number of at least 0"),
        ("ms_busy_core", {"ms_busy_core": "nan"}, "'nan' must be a number of at least 0"),
        ("ms_busy_core", {"ms_busy_core": "-1"}, "'-1' must be a number of at least 0"),
        ("weights_group", {"weights_group": ""}, "must be a name"),
        ("config", {"config": "{bg: 1}"}, "is not JSON"),
        ("config", {"config": "[1]"}, "must be a JSON object"),
        ("config", {"config": '{"bg": 2}'}, "bg must be 0 or 1, not 2"),
        ("config", {"config": '{"conf": 0.5}'}, "key 'conf' is not known"),
        ("config", {"config": '{"remap": "order.npy"}'}, "order.npy is missing"),
        ("config", {**DETECTION, "config": "{}"}, "head None is not one of e2e, fastest"),
        ("config", {**DETECTION, "config": '{"head": "yolo99"}'}, "head 'yolo99' is not one of"),
        ("config", {**DETECTION, "config": '{"head": ["yolox"]}'}, "is not one of"),
        ("config", {**DETECTION, "config": '{"head": "yolo3"}'}, "key 'anchors' is missing"),
        ("config", {**DETECTION, "config": '{"head": "yolo3", "anchors": [[[1]]]}'}, "anchors must be"),
        (
            "config",
            {**DETECTION, "config": '{"head": "yolox", "anchors": [[[1, 2]]]}'},
            "'anchors' is not known",
        ),
        ("config", {**DETECTION, "config": '{"head": "nanodet", "strides": []}'}, "strides must be"),
        ("config", {**DETECTION, "config": '{"head": "nanodet", "strides": [8], "ci": [-1]}'}, "ci must be"),
        ("config", {**DETECTION, "config": '{"head": "nanodet", "strides": [8], "off": 2}'}, "off must be"),
        (
            "config",
            {**DETECTION, "config": '{"head": "yolox", "conf": 0.01}'},
            "conf must be a number 0.05..1",
        ),
        ("config", {**DETECTION, "config": '{"head": "yolox", "conf": true}'}, "conf must be"),
        ("config", {**DETECTION, "config": '{"head": "yolox", "iou": 0}'}, "iou must be"),
        ("config", {**DETECTION, "config": '{"head": "yolox", "padv": 256}'}, "padv must be"),
        ("config", {**DETECTION, "config": '{"head": "ssd_st", "mode": "edge"}'}, "mode must be"),
        ("config", {**DETECTION, "config": '{"head": "ssd_st", "var": [1]}'}, "var must be"),
        ("config", {"task": "face", "config": '{"kind": "yolox"}'}, "kind 'yolox' is not one of blaze"),
        ("config", {"task": "face", "config": '{"kind": "retina", "anc": [[8], []]}'}, "anc must be"),
    ],
)
def test_a_wrong_field_is_named(write_zoo: WriteZoo, field: str, cells: dict[str, str], text: str) -> None:
    folder = write_zoo({"name": "well_made"}, cells)
    # The text of weights is the machine's name, here nine letters.
    with pytest.raises(UsageError) as caught:
        read_zoo(folder)
    message = str(caught.value)
    name = cells.get("name", "machine_1") or "machine without a name"
    assert message.startswith(f"{folder / 'zoo.csv'}, line 3, {name}, {field}: ")
    assert text in message
    assert "\n" not in message


def test_digests_are_compared_only_when_asked(write_zoo: WriteZoo) -> None:
    folder = write_zoo({"sha256": "0" * 16})
    assert len(read_zoo(folder, verify=False).rows) == 1
    with pytest.raises(UsageError, match="sha256"):
        read_zoo(folder)


@pytest.mark.parametrize("column", ["name", "config", "weights_group"])
def test_a_missing_column_is_named(write_zoo: WriteZoo, column: str) -> None:
    with pytest.raises(UsageError, match=f"line 1: column '{column}' is missing"):
        read_zoo(write_zoo({}, drop=(column,)))


def test_a_name_is_taken_once(write_zoo: WriteZoo) -> None:
    with pytest.raises(UsageError, match="line 3, twin: name is taken already"):
        read_zoo(write_zoo({"name": "twin"}, {"name": "twin"}))


@pytest.mark.parametrize("change", [",one,two", "-cut"])
def test_a_row_of_another_length_is_named(write_zoo: WriteZoo, change: str) -> None:
    folder = write_zoo({})
    head, row = (folder / "zoo.csv").read_text().splitlines()
    row = row.rsplit(",", 3)[0] if change == "-cut" else row + change
    (folder / "zoo.csv").write_text(f"{head}\n{row}\n")
    with pytest.raises(UsageError, match="line 2, machine_0: the row has not as many cells"):
        read_zoo(folder)


def test_what_is_no_zoo_is_said(write_zoo: WriteZoo, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no folder of machines at .*nowhere: name one that holds zoo\.csv"):
        read_zoo(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"is no zoo: it has no zoo\.csv"):
        read_zoo(tmp_path)
    with pytest.raises(UsageError, match="lists no machines"):
        read_zoo(write_zoo())
    (tmp_path / "zoo.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        read_zoo(tmp_path)
    (tmp_path / "zoo.csv").unlink()
    (tmp_path / "zoo.csv").mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        read_zoo(tmp_path)


def test_heads_of_objects_and_faces_are_apart() -> None:
    assert not OBJECT_HEADS.keys() & FACE_HEADS.keys()
