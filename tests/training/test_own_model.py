"""Models of one's own: what a table makes of a configuration, and the commands of docs/own-model.md."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_labels import MACHINES, Labelled
from typer.testing import CliRunner, Result

from sursmr_codec.cli.app import app
from sursmr_codec.errors import UsageError
from sursmr_codec.labels import annotate, panel
from sursmr_codec.labels.machines.zoo import COLUMNS
from sursmr_codec.labels.rows import LabelRow
from sursmr_codec.network.build import load
from sursmr_codec.predict import weights
from sursmr_codec.training.own import left_out, own_config

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "own-model.md").read_text("utf-8")


@pytest.fixture(scope="module")
def tiny_default(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place of models whose default is tiny and knows the machines c0, c1 and d0."""
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(ROOT / "tests" / "predict")
        from tiny_model import make_model
    place = tmp_path_factory.mktemp("models")
    make_model(place / "tiny")
    digest = weights.find(place / "tiny").sha256
    (place / "manifest.toml").write_text(f'default = "tiny"\n[models.tiny]\nsha256 = "{digest}"\n')
    return place


@pytest.fixture(autouse=True)
def _tiny_default(tiny_default: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_PLACES", (tiny_default,))


@pytest.fixture
def table(labelled: Labelled, tmp_path: Path) -> Callable[..., Path]:
    """Write the tiny labels changed: `split` for all rows, `machines` under other names, `sur` and scores."""

    def write(
        *,
        split: str | None = None,
        rename: dict[str, str] | None = None,
        teachers: bool = False,
        sur: bool = True,
    ) -> Path:
        def changed(row: LabelRow) -> LabelRow:
            votes = row.votes if rename is None else {rename[name]: vote for name, vote in row.votes.items()}
            scores = {"cvvdp_jod": 9.0, "ssimulacra2": 60.0} if teachers else {}
            values = {"split": row.split if split is None else split, "sur": row.sur if sur else None}
            return replace(row, votes=votes, **values, **scores)

        rows: Iterable[LabelRow] = map(changed, labelled.rows)
        return _write(list(rows), tmp_path / "own.parquet")

    return write


def _write(rows: list[LabelRow], path: Path) -> Path:
    from sursmr_codec.labels import store

    store.write_labels(store.to_table(rows, list(rows[0].votes)), path)
    return path


def own(labels: Path, **options: object) -> object:
    return own_config("default", [labels], "pictures", name="own", **options)


def test_machines_of_the_table_take_the_place_of_the_models(
    table: Callable[..., Path], tmp_path: Path
) -> None:
    labels = table(rename={"c0": "c1", "c1": "mine", "d0": "other"}, teachers=True)
    network = own(labels).network
    assert (network.classifiers, network.detectors, network.others) == (("c1",), (), ("mine", "other"))
    assert network.ratios == ("sur", "smr", "smr_classification")
    assert network.teachers == ("cvvdp", "ssimulacra2")
    network = own(
        labels, zoo=_zoo(tmp_path / "zoo", {"mine": "classification", "other": "detection"})
    ).network
    assert (network.classifiers, network.detectors, network.others) == (("c1", "mine"), ("other",), ())
    assert network.ratios == ("sur", "smr", "smr_classification", "smr_detection")


def test_viewers_without_teachers_are_predicted_at_once(table: Callable[..., Path]) -> None:
    config = own(table())
    assert config.network.teachers == ()
    assert config.stage[0].teachers_weight == 0.0
    assert own(table(teachers=True)).stage[0].teachers_weight > 0.0


def test_labels_of_one_side_train_the_outputs_alone(table: Callable[..., Path]) -> None:
    both, machines_only = own(table(teachers=True)).stage[0], own(table(sur=False, teachers=True)).stage[0]
    assert (both.outputs_only, both.weights["sur"], both.votes_weight) == (False, 1.0, 0.5)
    assert machines_only.outputs_only
    assert (machines_only.weights["sur"], machines_only.teachers_weight) == (0.0, 0.0)


def test_splits_are_those_of_the_table_or_drawn(table: Callable[..., Path]) -> None:
    data = own(table()).data
    assert (data.train, data.validation, data.test, data.validation_share) == ("train", "val", "test", 0.0)
    for split in ("", "val", "test"):
        data = own(table(split=split)).data
        assert (data.train, data.validation, data.validation_share) == (split, "held out", 0.2)
    assert own(table(split="test")).data.test == "none"


def test_steps_follow_from_the_number_of_rungs(table: Callable[..., Path], labelled: Labelled) -> None:
    few, many = own(table()).stage[0], own(table(split="")).stage[0]
    assert (few.batch_size, few.epochs, few.passes) == (8, 10, 4)
    assert (many.batch_size, many.passes) == (8, 4)


def test_labels_that_teach_nothing_are_refused(labelled: Labelled, tmp_path: Path) -> None:
    silent = [replace(row, sur=None, votes=dict.fromkeys(MACHINES, 2)) for row in labelled.rows]
    with pytest.raises(UsageError, match="teach nothing"):
        own(_write(silent, tmp_path / "silent.parquet"))
    rows = [replace(row, split=f"part {i % 2}") for i, row in enumerate(labelled.rows)]
    with pytest.raises(UsageError, match="none called train"):
        own(_write(rows, tmp_path / "split.parquet"))
    with pytest.raises(UsageError, match="give --labels"):
        own_config("default", [], "pictures", name="own")


def test_a_ratio_that_is_never_defined_is_left_to_the_votes(labelled: Labelled, tmp_path: Path) -> None:
    names = [f"c{i}" for i in range(6)]

    def voting(n_counting: int, sur: float | None) -> list[LabelRow]:
        votes = {name: int(i % 2) if i < n_counting else 2 for i, name in enumerate(names[:-1])}
        return [replace(row, sur=sur, votes=votes | {"d0": 2}) for row in labelled.rows]

    zoo = _zoo(tmp_path / "zoo", dict.fromkeys(names, "classification") | {"d0": "detection"})
    # Two of five classifiers count: too few for a ratio of five, and yet their votes teach.
    rows = voting(2, 0.5)
    rows[0] = replace(rows[0], votes=dict.fromkeys(names[:-1], 2) | {"c2": 1, "c3": 1, "d0": 2})
    rows[1] = replace(rows[1], votes=dict.fromkeys(names[:-1], 2) | {"c4": 1, "d0": 2})
    config = own(_write(rows, tmp_path / "few.parquet"), zoo=zoo)
    assert config.network.classifiers == ("c0", "c1", "c2", "c3", "c4")
    assert config.stage[0].weights == {"sur": 1.0, "smr": 0.0, "smr_classification": 0.0}
    assert config.stage[0].votes_weight > 0.0
    assert left_out(config) == ("d0",)
    silent = [replace(row, sur=None) for row in rows]
    with pytest.raises(UsageError, match="on no picture do enough machines count"):
        own(_write(silent, tmp_path / "silent.parquet"), zoo=zoo)
    enough = own(_write(voting(3, 0.5), tmp_path / "enough.parquet"), zoo=zoo)
    assert enough.stage[0].weights == {"sur": 1.0, "smr": 0.5, "smr_classification": 0.5}
    assert left_out(enough) == ("c3", "c4", "d0")


def _zoo(folder: Path, tasks: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    with (folder / "zoo.csv").open("w", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS)
        rows.writeheader()
        for name, task in tasks.items():
            (folder / name).mkdir(exist_ok=True)
            (folder / name / "model.onnx").write_bytes(name.encode())
            rows.writerow(
                dict.fromkeys(COLUMNS, "x")
                | {"name": name, "task": task, "file": f"{name}/model.onnx", "n_bytes": len(name)}
                | {"sha256": "0" * 16, "input": "32x32", "preprocess": "01", "fit": "squash"}
                | {"config": '{"head": "yolox"}' if task == "detection" else "{}", "ms_busy_core": "1"}
            )
    return folder


def commands(name: str) -> list[list[str]]:
    """The lines of one block of the guide, without the program's name."""
    (block,) = re.findall(rf"<!-- commands: {name} -->\n```bash\n(.*?)```", GUIDE, re.DOTALL)
    lines = [shlex.split(line) for line in block.splitlines()]
    assert all(line[0] == "sursmr-qp" for line in lines)
    return [line[1:] for line in lines]


def invoke(arguments: list[str]) -> Result:
    result = CliRunner().invoke(app, arguments, prog_name="sursmr-qp")
    assert result.exit_code == 0, (arguments, result.stderr)
    return result


@pytest.fixture
def here(labelled: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the guide's reader has it, with pictures, a photo, and machines that are arithmetic."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT / "tests" / "labels")
    from fake_panel import FakeSetup, InProcess

    setup = FakeSetup()
    monkeypatch.setattr(panel, "ZooSetup", lambda *_: setup)
    monkeypatch.setattr(annotate, "Workers", InProcess)
    _zoo(tmp_path / "machines", {row.name: row.task for row in setup.rows})
    shutil.copytree(labelled.images / "train", tmp_path / "pictures")
    shutil.copy(labelled.images / "val" / "0.png", tmp_path / "photo.png")
    return tmp_path


def test_the_guide_makes_a_model_of_ones_own_machines(here: Path) -> None:
    label, fine_tune, pick = commands("machines")
    invoke(label)
    table = invoke(fine_tune).stdout
    assert "held out" in table
    network = load(here / "mine" / "model" / "model.safetensors").config
    assert network.classifiers == ("c1", "c2", "c3", "c4", "c5")
    assert network.detectors == ("d0", "d1", "d2", "d3")
    rows = {line.split()[2]: line.split()[3] for line in table.splitlines()[1:]}
    assert int(rows["sur"]) == int(rows["smr"]) == 4
    for targets in (
        ["--smr", "0", "--sur", "0.01"],
        ["--sur", "0", "--machines", "detection", "--smr", "0.01"],
    ):
        record = json.loads(invoke([*pick[:4], *targets, "--json", "--best-effort"]).stdout)
        assert record["model"]["id"] == "mine"
        assert record["machines"] == ("detection" if "detection" in targets else "all")
    # As the guide says it, whatever so small a model makes of these targets.
    invoke([*pick, "--best-effort"])
    assert (here / "photo.jpg").is_file()


def test_the_guide_makes_a_model_of_ones_own_viewers(here: Path, labelled: Labelled) -> None:
    people = [
        replace(row, image=row.image.removeprefix("train/"), split="", votes={})
        for row in labelled.rows
        if row.split == "train"
    ]
    _write(people, here / "study.parquet")
    fine_tune, pick = commands("viewers")
    invoke(fine_tune)
    before = load(weights.find().weights)
    after = load(here / "mine" / "model" / "model.safetensors")
    assert (after.config.teachers, after.config.machines) == ((), before.config.machines)
    last = [network.head.mlp[-1] for network in (before, after)]
    rows = [
        [o for o in network.head.outputs if o[0] in ("satisfied", "counting")] for network in (before, after)
    ]
    assert rows[0] == rows[1]
    assert torch.equal(last[0].weight[2:], last[1].weight[1:])
    assert not torch.equal(last[0].weight[:2].mean(dim=0) * 1.702, last[1].weight[0])
    same = set(before.state_dict()) & set(after.state_dict()) - {"head.mlp.6.weight", "head.mlp.6.bias"}
    assert all(
        torch.equal(before.state_dict()[name], after.state_dict()[name])
        for name in same
        if "num_batches" not in name
    )
    record = json.loads(invoke([*pick[:4], "--sur", "0.01", "--smr", "0", "--json"]).stdout)
    assert record["protocol"] == "labels, predicted"
    refused = CliRunner().invoke(app, [*pick, "--protocol", "flicker"])
    assert refused.exit_code == 2


def test_a_graph_alone_can_be_made_ones_own(
    tiny_default: Path, table: Callable[..., Path], tmp_path: Path
) -> None:
    shutil.copytree(tiny_default / "tiny", tmp_path / "wheel")
    (tmp_path / "wheel" / "model.safetensors").unlink()
    config = own_config(str(tmp_path / "wheel"), [table()], "pictures", name="own")
    assert config.initial == str(tmp_path / "wheel" / "model.onnx")
    assert config.network.classifiers == ("c0", "c1")


def test_what_is_asked_must_fit_together(tmp_path: Path) -> None:
    config = ROOT / "models" / "configs" / "tiny.toml"
    for arguments, message in (
        ([], "either a CONFIG or --init"),
        ([str(config), "--init", "default"], "either a CONFIG or --init"),
        (["--init", "default"], "give --data DIR"),
        (["--init", "none", "--data", str(tmp_path), "--labels", "x"], "holds no model"),
    ):
        result = CliRunner().invoke(app, ["train", *arguments], prog_name="sursmr-qp")
        assert result.exit_code == 2
        assert message in result.stderr
