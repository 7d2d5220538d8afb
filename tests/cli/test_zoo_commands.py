"""`zoo list` and `zoo check`: tables, records, exit codes, and what goes to which stream."""

from __future__ import annotations

import hashlib
import json
import sys

import pytest
from cli.tiny_zoo import HUB
from PIL import Image

HEAD_KEYS = {"name", "task", "file", "input", "runtime"}


def test_list_of_a_zoo(run, zoo):
    folder = zoo("steady", "finder", "areas", "unsure", unsure={"weights_group": "steady"})
    ran = run("zoo", "list", folder)
    assert (ran.exit_code, ran.stderr) == (0, "")
    head, *lines = (line.split() for line in ran.stdout.splitlines())
    assert head == ["name", "task", "input", "runtime", "votes", "licence"]
    assert lines[0] == ["steady", "classification", "32x16", "onnx", "yes", "MIT"]
    assert [(line[0], line[4]) for line in lines[1:]] == [
        ("finder", "yes"),
        ("areas", "no"),
        ("unsure", "no"),
    ]

    record = run("zoo", "list", folder, "--json").record
    assert set(record) == {"schema", "version", "zoo", "machines"}
    assert (record["schema"], record["zoo"]) == ("sursmr-qp/zoo-list/1", str(folder))
    notes = {"votes", "ms_busy_core", "architecture", "trained_on", "source", "weights_group", "licence"}
    assert all(set(machine) == HEAD_KEYS | notes for machine in record["machines"])
    assert record["machines"][0]["ms_busy_core"] == 1.5


def test_list_without_a_folder_is_the_ready_table(run):
    machines = run("zoo", "list", "--json").record["machines"]
    assert machines == run("zoo", "list", "ready", "--json").record["machines"]
    assert {machine["runtime"] for machine in machines} == {"timm", "torchvision"}
    assert {machine["input"] for machine in machines} == {"own"}
    assert "resnet50_a1_in1k" in run("zoo", "list").stdout


def test_check_says_what_each_machine_says(run, zoo, bright):
    (zoo("steady") / "imagenet_labels.txt").write_text("\n".join(f"thing {i}, it" for i in range(1000)))
    ran = run("zoo", "check", zoo("steady", "finder", "areas", "unsure"), "--image", bright)
    assert ran.exit_code == 0
    lines = {line.split()[0]: line for line in ran.stdout.splitlines()}
    assert " ok " in lines["steady"]
    assert lines["steady"].endswith("thing 3 0.90")
    assert lines["finder"].endswith("bird 0.90, best of 2")
    assert lines["areas"].endswith("bicycle on 50% of the pixels")
    assert lines["unsure"].endswith("thing 1 0.20 (too unsure to count)")
    assert "1 of 4  steady: ok" in ran.stderr
    assert "warning" not in ran.stderr


def test_check_as_a_record(run, zoo, bright):
    folder = zoo("steady", "finder", "areas", "loud")
    ran = run("zoo", "check", folder, "--image", bright, "--json", "--quiet")
    assert ran.exit_code == 7
    record = ran.record
    assert set(record) == {
        *("schema", "version", "zoo", "image", "compressed", "n_ok", "n_failed", "wrong_rows"),
        *("machines", "ratios"),
    }
    assert (record["schema"], record["image"]) == ("sursmr-qp/zoo-check/1", str(bright))
    assert (record["n_ok"], record["n_failed"], record["compressed"], record["ratios"]) == (3, 1, None, None)
    outcome = {"ok", "error", "prediction", "counts", "satisfied", "ms", "load_seconds", "weights_file"}
    assert all(set(machine) == HEAD_KEYS | outcome for machine in record["machines"])
    steady, finder, areas, loud = record["machines"]
    assert steady["prediction"] == {"label": None, "index": 3, "score": 0.9, "n_boxes": None, "share": None}
    assert (steady["ok"], steady["counts"], steady["satisfied"], steady["error"]) == (True, True, None, None)
    assert steady["weights_file"] == str(folder / "steady" / "model.onnx")
    assert finder["prediction"] == {"label": "bird", "index": 14, "score": 0.9, "n_boxes": 2, "share": None}
    assert areas["prediction"]["share"] == 0.5
    assert (loud["ok"], loud["prediction"], loud["counts"], loud["ms"]) == (False, None, None, None)
    assert ran.stderr.splitlines() == [f"failed: loud: {loud['error']}"]
    assert "has it logits without `logits`: 1?" in loud["error"]


def test_check_of_a_compressed_picture_gives_verdicts_and_ratios(run, zoo, bright, dark):
    names = ["steady", *(f"s{i}" for i in range(3)), "fickle", "unsure", "finder", "areas"]
    files = {f"s{i}": {"file": "steady/model.onnx", "n_bytes": 6} for i in range(3)}
    folder = zoo(*names, **{name: {**cells, "sha256": digest("steady")} for name, cells in files.items()})
    both = ("--image", bright, "--compressed", dark, "--quiet")
    record = run("zoo", "check", folder, *both, "--json").record
    verdicts = {machine["name"]: machine["satisfied"] for machine in record["machines"]}
    assert verdicts["steady"] is True
    assert verdicts["fickle"] is False
    assert verdicts["unsure"] is None
    # One of two boxes kept: 2 * 1 / (2 + 1); one of two pixels kept: the same.
    assert verdicts["finder"] is True
    assert verdicts["areas"] is True
    ratios = record["ratios"]
    assert ratios["smr"] == pytest.approx(5 / 6)
    assert ratios["smr_classification"] == pytest.approx(4 / 5)
    assert ratios["smr_strict"] == pytest.approx(6 / 7)
    assert (ratios["smr_segmentation"], ratios["smr_face"], ratios["n_counting"]) == (1.0, None, 6)
    table = run("zoo", "check", folder, *both).stdout
    assert "satisfied" in table
    assert "does not count" in table
    assert "SMR segments  1.000" in table


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_check_without_a_picture_draws_one(run, zoo):
    ran = run("zoo", "check", zoo("steady"))
    assert ran.exit_code == 0
    assert "warning: no --image: the machines see a drawing" in ran.stderr
    assert run("zoo", "check", zoo("steady"), "--quiet").stderr == ""


def test_only_some_machines(run, zoo):
    folder = zoo("steady", "loud", "finder")
    record = run("zoo", "check", folder, "--only", "finder, steady", "--json", "--quiet").record
    assert [machine["name"] for machine in record["machines"]] == ["finder", "steady"]
    ran = run("zoo", "check", folder, "--only", "nobody")
    assert ran.exit_code == 2
    assert "no machine 'nobody'" in ran.error_lines[0]


def test_a_bad_picture_is_exit_4(run, zoo, bright, dark, tmp_path):
    folder = zoo("steady")
    assert run("zoo", "check", folder, "--image", tmp_path / "absent.png").exit_code == 4
    (tmp_path / "text.png").write_text("no picture")
    assert run("zoo", "check", folder, "--image", tmp_path / "text.png").exit_code == 4
    Image.new("RGB", (32, 48)).save(dark)
    ran = run("zoo", "check", folder, "--image", bright, "--compressed", dark)
    assert ran.exit_code == 4
    assert "32x48 pixels, the original 64x48" in ran.error_lines[0]


def test_a_copy_needs_its_original(run, zoo, dark):
    ran = run("zoo", "check", zoo("steady"), "--compressed", dark)
    assert ran.exit_code == 2
    assert "--image" in ran.error_lines[0]


def test_a_machine_whose_library_is_missing_fails_alone(run, zoo, monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    ran = run("zoo", "check", zoo("steady", "far", far=HUB), "--json")
    assert ran.exit_code == 7
    steady, far = ran.record["machines"]
    assert (steady["ok"], far["ok"]) == (True, False)
    assert far["error"] == "running timm:test_vit.r160_in1k needs timm: pip install 'sursmr-qp[torch]'"


def test_weights_that_are_not_here_name_the_option(run, zoo, monkeypatch, tmp_path):
    pytest.importorskip("timm")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hf"))
    asked = []
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *names, **_: asked.append(names) or 1 / 0)
    folder = zoo("far", far=HUB)
    ran = run("zoo", "check", folder, "--quiet")
    assert (ran.exit_code, asked) == (7, [])
    assert "no weights in the local cache" in ran.stdout
    assert "--download" in ran.stderr
    ran = run("zoo", "check", folder, "--quiet", "--download", "--json")
    assert ran.exit_code == 7
    assert asked == [("timm/test_vit.r160_in1k", "model.safetensors")]
    assert (
        "cannot be fetched from timm/test_vit.r160_in1k: division by zero"
        in ran.record["machines"][0]["error"]
    )


def test_a_model_of_a_collection_is_checked(run, zoo):
    pytest.importorskip("timm")
    cells = {**HUB, "config": json.dumps({"random_weights": 1})}
    (machine,) = run("zoo", "check", zoo("far", far=cells), "--json", "--quiet").record["machines"]
    assert (machine["ok"], machine["runtime"], machine["weights_file"]) == (True, "timm", None)
    assert machine["counts"] is False


def test_real_machines_of_every_task(run, shared_data, kodim23):
    chosen = "mobilenet_v1_025_128_q,fastestdet,face_yunet_n,seg_deeplab_mnv2_dm05_pascal"
    folder = shared_data / "machines"
    ran = run("zoo", "check", folder, "--image", kodim23, "--only", chosen, "--json", "--quiet")
    assert (ran.exit_code, ran.stderr) == (0, "")
    said = {machine["task"]: machine["prediction"] for machine in ran.record["machines"]}
    assert said["classification"]["label"] == "macaw"
    assert said["detection"]["label"] == "bird"
    assert said["face"]["n_boxes"] == 0
    # 3 is the bird of PASCAL VOC.
    assert said["segmentation"]["index"] == 3
