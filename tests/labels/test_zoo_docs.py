"""docs/zoo.md keeps up with the reader: columns, keys, heads, records, and rows that can be copied."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from PIL import Image

from sursmr_codec.labels.machines import config
from sursmr_codec.labels.machines.checking import Checked
from sursmr_codec.labels.machines.class_names import ClassNames
from sursmr_codec.labels.machines.heads import FACE_HEADS, OBJECT_HEADS
from sursmr_codec.labels.machines.output import Labels
from sursmr_codec.labels.machines.preprocess import NORMALISATIONS
from sursmr_codec.labels.machines.zoo import COLUMNS, READY, read_zoo
from sursmr_codec.labels.smr import Ratios
from sursmr_codec.zoo_records import zoo_check_record, zoo_list_record

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "zoo.md").read_text("utf-8")


def first_cells(heading: str) -> list[str]:
    """Code in the first cells of the table whose first heading this is."""
    found = re.search(rf"^\| {re.escape(heading)} \|.*\n\| ---.*\n((?:\|.*\n)+)", GUIDE, re.MULTILINE)
    assert found is not None
    lines = found[1].splitlines()
    return [name for line in lines for name in re.findall("`([^`]+)`", line.split(" | ")[0])]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


def test_every_column_has_its_line() -> None:
    assert first_cells("column") == list(COLUMNS)


def test_every_task_and_normalisation_has_its_line() -> None:
    assert first_cells("task") == list(config.TASKS)
    assert first_cells("name") == list(NORMALISATIONS)
    for fit in ("center crop 0.875", "squash", "center", "topleft", "own"):
        assert f"`{fit}`" in GUIDE


def test_every_head_has_its_line_with_its_keys() -> None:
    assert set(first_cells("`head`")) == set(OBJECT_HEADS)
    assert set(first_cells("`kind`")) == set(FACE_HEADS)
    for name, head in {**OBJECT_HEADS, **FACE_HEADS}.items():
        (line,) = (line for line in GUIDE.splitlines() if line.startswith(f"| `{name}` |"))
        for key in head.required | head.optional:
            assert f"`{key}`" in line or "as above" in line, (name, key)
        assert ("(required)" in line) == bool(head.required)


def test_every_key_of_config_is_told() -> None:
    told = set(first_cells("key"))
    heads = (*OBJECT_HEADS.values(), *FACE_HEADS.values())
    of_heads = {key for head in heads for key in head.required | head.optional}
    assert told == set(config._VALUES) - of_heads


def test_rows_can_be_copied_into_a_table(tmp_path: Path) -> None:
    lines = [line for block in blocks("csv") for line in block.splitlines()]
    assert len(lines) == 4
    for row in csv.reader(lines):
        assert len(row) == len(COLUMNS)
        if ":" not in row[2]:
            weights = tmp_path / row[2]
            weights.parent.mkdir()
            with weights.open("wb") as file:
                file.truncate(int(row[3]))
    (tmp_path / "zoo.csv").write_text("\n".join([",".join(COLUMNS), *lines]) + "\n")
    zoo = read_zoo(tmp_path, verify=False)
    assert [row.task for row in zoo.rows] == ["classification", "detection", "classification", "detection"]
    assert [row.runtime for row in zoo.rows] == ["onnx", "onnx", "timm", "torchvision"]
    assert zoo.jury == zoo.rows


def test_every_key_of_the_records_is_told() -> None:
    zoo = read_zoo(READY)
    checked = [Checked(zoo.rows[0], None, Labels((1,), (0.5,)))]
    ratios = Ratios(*[None] * 7, 0)
    names = ClassNames(zoo.folder)
    records = [
        zoo_list_record(zoo),
        zoo_check_record(zoo, checked, names, picture=None, compressed=None, ratios=ratios),
    ]
    keys = {key for record in records for part in (record, *record["machines"]) for key in part}
    keys |= records[1]["ratios"].keys() | records[1]["machines"][0]["prediction"].keys()
    chapter = GUIDE.split("## The records")[1]
    assert [key for key in sorted(keys) if f"`{key}`" not in chapter] == []
    for record in records:
        assert f'"{record["schema"]}"' in chapter


def test_the_numbers_of_the_ready_table_are_told() -> None:
    rows = read_zoo(READY).rows
    counts = [sum(row.task == task for row in rows) for task in ("classification", "detection")]
    assert f"{counts[0]} classifiers of timm and the {counts[1]} COCO" in GUIDE
    assert sum("persons alone" in row.trained_on for row in rows) == 2


def test_faces_and_segments_from_python(
    shared_data: Path,
    kodim23: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "machines").symlink_to(shared_data / "machines", target_is_directory=True)
    with Image.open(kodim23) as photo:
        photo.convert("RGB").save("photo.png")
        photo.convert("RGB").save("photo.jpg", quality=90)
    (code,) = blocks("python")
    exec(compile(code, "docs/zoo.md", "exec"), {})
    # No face counts on the parrots; the segmenter sees them on both.
    assert capsys.readouterr().out == "None 1.0\n"
