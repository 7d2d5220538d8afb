"""Rows of zoo.csv that name a collection's model, remarks above the table, and the table that ships."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sursmr_codec.errors import UsageError
from sursmr_codec.labels.machines import hub
from sursmr_codec.labels.machines.class_names import ClassNames
from sursmr_codec.labels.machines.geometry import Fit, place
from sursmr_codec.labels.machines.zoo import COLUMNS, READY, read_zoo
from sursmr_codec.labels.panel import output_digest

WriteZoo = Callable[..., Path]

OWN = {"n_bytes": "", "sha256": "", "input": "own", "preprocess": "own", "fit": "own", "ms_busy_core": ""}
TIMM = {**OWN, "file": "timm:resnet50.a1_in1k"}
DETECTOR = {**OWN, "file": "torchvision:ssd300_vgg16", "task": "detection"}


def test_a_row_may_name_a_model_of_a_collection(write_zoo: WriteZoo) -> None:
    row, boxes, file = read_zoo(
        write_zoo({**TIMM, "name": "eye"}, {**DETECTOR, "config": '{"conf": 0.5}'}, {"name": "plain"})
    ).rows
    assert row.hub == hub.HubModel("timm", "resnet50.a1_in1k")
    assert (row.hub.architecture, row.hub.tag) == ("resnet50", "a1_in1k")
    assert (row.runtime, row.input_size, row.preprocess, row.fit) == ("timm", "own", "own", Fit("own"))
    assert (str(row.weights), row.n_bytes, row.ms_busy_core) == ("timm:resnet50.a1_in1k", 0, 0.0)
    assert boxes.hub is not None
    assert (boxes.hub.architecture, boxes.hub.tag, boxes.conf) == ("ssd300_vgg16", "", 0.5)
    assert (file.hub, file.runtime, file.input_size) == (None, "onnx", "32x16")


def test_imagenets_names_come_with_timm(write_zoo: WriteZoo) -> None:
    pytest.importorskip("timm")
    folder = write_zoo({"name": "of_file"}, {"name": "of_timm", **TIMM})
    of_file, of_timm = (replace(row, trained_on="ImageNet-1k") for row in read_zoo(folder).rows)
    assert [ClassNames(folder).name(row, 88) for row in (of_file, of_timm)] == [None, "macaw"]


def test_what_is_known_of_the_weights_may_be_filled_in(write_zoo: WriteZoo) -> None:
    cells = {**TIMM, "sha256": "a" * 16, "ms_busy_core": "2.5"}
    row = read_zoo(write_zoo(cells)).rows[0]
    assert row.hub is not None
    assert (row.hub.sha256, row.ms_busy_core) == ("a" * 16, 2.5)


@pytest.mark.parametrize(
    ("field", "cells", "text"),
    [
        ("file", {**TIMM, "file": "timm:"}, "must be timm: and a model's name"),
        ("file", {**TIMM, "file": "timm:hf-hub:someone/model"}, "must be timm: and a model's name"),
        ("file", {**TIMM, "file": "timm:../model"}, "must be timm: and a model's name"),
        ("file", {**TIMM, "task": "detection"}, "models of timm are for classification, not for detection"),
        ("file", {**DETECTOR, "task": "classification"}, "are for detection, not for classification"),
        ("file", {"file": "keras:resnet50"}, "be timm:NAME or torchvision:NAME"),
        ("task", {**TIMM, "task": "singing"}, "is not one of"),
        ("name", {**TIMM, "name": "an eye"}, "letters, digits and underscores"),
        ("n_bytes", {**TIMM, "n_bytes": "12"}, "'12' must be empty"),
        ("sha256", {**TIMM, "sha256": "abc"}, "16 hex digits"),
        ("input", {**TIMM, "input": "224x224"}, "'224x224' must be 'own'"),
        ("preprocess", {**TIMM, "preprocess": "imnet"}, "must be 'own'"),
        ("fit", {**TIMM, "fit": "squash"}, "must be 'own'"),
        ("config", {**TIMM, "config": '{"logits": 1}'}, "key 'logits' is not known"),
        ("config", {**TIMM, "config": '{"random_weights": 2}'}, "random_weights must be 0 or 1"),
        ("config", {**DETECTOR, "config": '{"head": "yolox"}'}, "key 'head' is not known"),
        ("config", {"config": '{"random_weights": 1}'}, "key 'random_weights' is not known"),
        ("ms_busy_core", {**TIMM, "ms_busy_core": "fast"}, "'fast' must be a number of at least 0"),
        ("weights_group", {**TIMM, "weights_group": ""}, "must be a name"),
        ("preprocess", {"preprocess": "own"}, "'own' is not one of raw"),
        ("fit", {"fit": "own"}, "'own' is not squash"),
        ("n_bytes", {"n_bytes": ""}, "must be a whole number"),
        ("sha256", {"sha256": ""}, "16 hex digits"),
    ],
)
def test_a_wrong_field_is_named(write_zoo: WriteZoo, field: str, cells: dict[str, str], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_zoo(write_zoo({"name": "eye", **cells}))
    assert f", line 2, {cells.get('name', 'eye')}, {field}: " in str(caught.value)
    assert text in str(caught.value)


def test_digests_tell_models_and_libraries_apart(
    write_zoo: WriteZoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digests(**cells: str) -> tuple[str, str]:
        zoo = read_zoo(write_zoo({**TIMM, **cells}))
        return zoo.digest, output_digest(zoo.rows[0])

    plain = digests()
    assert digests() == plain
    others = [
        digests(file="timm:resnet50.a2_in1k"),
        digests(file="timm:resnet50"),
        digests(sha256="a" * 16),
        digests(config='{"random_weights": 1}'),
    ]
    monkeypatch.setattr(hub, "version", lambda package: "99")
    others.append(digests())
    for i in range(2):
        assert len({digest[i] for digest in [plain, *others]}) == 6


def test_libraries_that_are_absent_do_not_stop_the_reader(
    write_zoo: WriteZoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(package: str) -> str:
        raise hub.PackageNotFoundError(package)

    monkeypatch.setattr(hub, "version", absent)
    assert len(read_zoo(write_zoo(TIMM)).rows[0].sha256) == 16


def test_a_picture_is_not_placed_for_a_model_that_does_it_itself() -> None:
    with pytest.raises(UsageError, match="prepares it itself"):
        place(np.zeros((4, 4, 3), np.uint8), Fit("own"), 2, 2)


def test_remarks_may_stand_above_the_table(write_zoo: WriteZoo) -> None:
    folder = write_zoo({"name": "eye"}, {"name": "odd", "preprocess": "magic"})
    table = folder / "zoo.csv"
    text = table.read_text()
    table.write_text("# a remark, with a comma\n#\n" + text.rsplit("\n", 2)[0] + "\n")
    assert [row.name for row in read_zoo(folder).rows] == ["eye"]
    table.write_text("# a remark\n" + text)
    with pytest.raises(UsageError, match="line 4, odd, preprocess: "):
        read_zoo(folder)
    table.write_text("# a remark\n" + text.replace("name", "label", 1))
    with pytest.raises(UsageError, match="line 2: column 'name' is missing"):
        read_zoo(folder)
    table.write_text("# nothing else")
    with pytest.raises(UsageError, match="column 'name' is missing"):
        read_zoo(folder)


def test_the_ready_table_is_whole() -> None:
    zoo = read_zoo(READY)
    assert Counter(row.task for row in zoo.rows) == {"classification": 72, "detection": 13}
    assert zoo.jury == zoo.rows
    assert len({str(row.hub) for row in zoo.rows}) == len(zoo.rows)
    for row in zoo.rows:
        assert row.hub is not None
        assert row.hub.tag, "without its weights' name a row would change with the library"
        assert not row.config
        assert row.ms_busy_core > 0
        assert all((row.architecture, row.trained_on, row.source, row.licence))
    header = (zoo.folder / "zoo.csv").read_text()
    assert header.startswith("#")
    assert "these are a choice" in header
    assert ",".join(COLUMNS) in header


def test_a_folder_named_ready_comes_first(
    write_zoo: WriteZoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_zoo({"name": "mine"})
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert len(read_zoo("ready").rows) > 1
    (here / "ready").symlink_to(tmp_path, target_is_directory=True)
    assert [row.name for row in read_zoo("ready").rows] == ["mine"]


def test_every_ready_model_is_known_to_its_library() -> None:
    timm = pytest.importorskip("timm")
    models = pytest.importorskip("torchvision.models")
    pretrained = set(timm.list_pretrained())
    licences = {"apache-2.0": "Apache-2.0", "mit": "MIT", "bsd-3-clause": "BSD-3-Clause"}
    for row in read_zoo(READY).rows:
        assert row.hub is not None
        if row.hub.library == "torchvision":
            assert row.hub.tag in models.get_model_weights(row.hub.architecture).__members__
            continue
        assert row.hub.name in pretrained
        settings = timm.get_pretrained_cfg(row.hub.name)
        assert settings.num_classes == 1000
        assert settings.hf_hub_id == f"timm/{row.hub.name}"
        assert settings.hf_hub_filename is None
        assert licences[settings.license] == row.licence
