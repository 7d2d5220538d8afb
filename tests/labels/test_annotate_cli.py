"""`sursmr-qp annotate`: exit codes, streams, interruption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_panel import FakeSetup, InProcess, make_pictures
from typer.testing import CliRunner

from sursmr_codec.cli.app import app
from sursmr_codec.labels import annotate, panel, store
from sursmr_codec.labels.teachers.cvvdp import Cvvdp


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_pictures(tmp_path / "pictures", 3)
    make_pictures(tmp_path / "pictures", 2, split="val")
    return tmp_path / "pictures"


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch) -> list[FakeSetup]:
    """The panel that the command gets, in a list of one, so that a test can put in another."""
    chosen = [FakeSetup()]
    monkeypatch.setattr(panel, "ZooSetup", lambda *_: chosen[0])
    monkeypatch.setattr(annotate, "Workers", InProcess)
    return chosen


def run(*arguments: object) -> tuple[int, str, list[str]]:
    """Exit code, stdout, and the lines of stderr."""
    result = CliRunner().invoke(app, ["annotate", *map(str, arguments)], prog_name="sursmr-qp")
    return result.exit_code, result.stdout, result.stderr.splitlines()


def test_tables_and_progress(folder: Path, tmp_path: Path, setup: list[FakeSetup]) -> None:
    out = tmp_path / "out"
    code, stdout, lines = run(folder, "--rungs", 4, "--zoo", tmp_path, "--out", out)
    assert (code, stdout) == (0, "")
    assert lines[0].startswith("0 of 20 rungs")
    assert lines[-1].startswith("20 rungs of 5 images in 1 tables, 20 measured now")
    table = store.read_labels(out)
    assert (table.num_rows, set(table["split"].to_pylist())) == (20, {"train", "val"})
    assert (out / "cache" / "raw.sqlite").is_file()
    # The package's own list of unseen machines names none of these.
    record = json.loads((out / "run.json").read_text())
    assert (record["unseen"], record["schema"]) == ([], "sursmr-qp/annotate/1")
    assert record["fingerprints"]["jpeg"].startswith("jpeg ")


def test_quiet_says_nothing(folder: Path, tmp_path: Path, setup: list[FakeSetup]) -> None:
    assert run(folder, "--qps", "10, 90", "--zoo", tmp_path, "--out", tmp_path / "out", "-q") == (0, "", [])
    assert set(store.read_labels(tmp_path / "out")["qp"].to_pylist()) == {10, 90}


def test_options_reach_the_plan(folder: Path, tmp_path: Path, setup: list[FakeSetup]) -> None:
    split = tmp_path / "split.toml"
    split.write_text('[unseen]\nmachines = ["c1", "d1", "d2"]\n')
    arguments = ("--rungs", 3, "--spread", "even", "--splits", "val", "--limit", 1, "--machine-split", split)
    code, _, _ = run(folder, *arguments, "--zoo", tmp_path, "--out", tmp_path / "out")
    assert code == 0
    rows = store.read_labels(tmp_path / "out").to_pylist()
    assert [(row["image"], row["qp"]) for row in rows] == [("val/000.png", qp) for qp in (1, 51, 100)]
    assert all(row["sur_proxy"] is not None for row in rows)
    assert rows[0]["n_machines"] <= 7
    assert rows[0]["smr_unseen"] is not None


def test_faces_are_asked_for_by_name(folder: Path, tmp_path: Path, setup: list[FakeSetup]) -> None:
    setup[0] = FakeSetup(n_faces=1)
    arguments = (folder, "--rungs", 2, "--zoo", tmp_path, "--out", tmp_path / "out")
    assert run(*arguments, "--also", "face")[0] == 0
    table = store.read_labels(tmp_path / "out")
    assert table["smr_face"].null_count == 0
    assert "m_f0" not in table.column_names
    assert json.loads((tmp_path / "out" / "run.json").read_text())["arguments"]["also"] == ["face"]


def test_failures_are_named_and_the_exit_code_is_7(
    folder: Path, tmp_path: Path, setup: list[FakeSetup]
) -> None:
    setup[0] = FakeSetup(failing=("c2",))
    (folder / "train" / "001.png").write_bytes(b"no picture")
    arguments = (folder, "--rungs", 2, "--zoo", tmp_path, "--out", tmp_path / "out")
    code, stdout, lines = run(*arguments)
    assert (code, stdout) == (7, "")
    assert "failed: machine c2 (train/000.png): RuntimeError: c2 is broken, and 3 more like it" in lines
    assert any(line.startswith("failed: train/001.png (train/001.png): ImageError") for line in lines)
    assert lines[-1] == (
        "5 of 5 images lack something. To try these again, remove from "
        f"{tmp_path / 'out'} part-00000.parquet and run the same command"
    )
    # Quiet keeps what a caller must know, and a finished run still has its failures.
    code, _, lines = run(*arguments, "--quiet")
    assert (code, len(lines)) == (7, 2)


def test_what_failed_is_tried_again_where_its_part_is_removed(
    folder: Path, tmp_path: Path, setup: list[FakeSetup]
) -> None:
    arguments = (folder, "--rungs", 2, "--zoo", tmp_path, "--out", tmp_path / "out")
    setup[0] = FakeSetup(failing=("c2",))
    assert run(*arguments)[0] == 7
    setup[0] = FakeSetup()
    assert run(*arguments)[0] == 7
    (tmp_path / "out" / "part-00000.parquet").unlink()
    code, _, lines = run(*arguments)
    assert code == 0
    assert not any("failed" in line for line in lines)
    assert run(folder, "--rungs", 2, "--zoo", tmp_path, "--out", tmp_path / "whole")[0] == 0
    assert store.read_labels(tmp_path / "out").equals(store.read_labels(tmp_path / "whole"))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "either --rungs N or --qps LIST"),
        (("--rungs", 2, "--qps", "3"), "either --rungs N or --qps LIST"),
        (("--qps", "3,x"), "--qps takes numbers"),
        (("--qps", "300"), "jpeg: QP 300 is outside 1..100"),
        (("--rungs", 2, "--codec", "nonsense"), "unknown codec"),
        (("--rungs", 2, "--codec", ","), "no encoder"),
        (("--rungs", 2, "--splits", "dev"), "no images of split dev"),
        (("--rungs", 2, "--protocol", "cinema"), "unknown protocol"),
        (("--rungs", 2, "--also", "cats"), "--also takes face, segmentation, not 'cats'"),
        (("--rungs", 2, "--also", "face"), "has no machine of task face"),
        (("--rungs", 2, "--machine-split", "absent.toml"), "absent.toml cannot be read"),
    ],
)
def test_usage_is_exit_2(
    folder: Path, tmp_path: Path, setup: list[FakeSetup], arguments: tuple[object, ...], complaint: str
) -> None:
    code, stdout, lines = run(folder, *arguments, "--zoo", tmp_path, "--out", tmp_path / "out")
    assert (code, stdout) == (2, "")
    assert complaint in lines[-1]
    assert lines[-1].startswith("error: ")
    assert not (tmp_path / "out").exists()


def test_another_run_in_the_folder_is_exit_2(folder: Path, tmp_path: Path, setup: list[FakeSetup]) -> None:
    arguments = (folder, "--zoo", tmp_path, "--out", tmp_path / "out")
    assert run(*arguments, "--rungs", 2)[0] == 0
    code, _, lines = run(*arguments, "--rungs", 3)
    assert code == 2
    assert len(lines) == 1
    assert "holds labels of another run, which differs in run.arguments.rungs (2, now 3)" in lines[0]


def test_an_absent_folder_is_exit_4_and_an_absent_teacher_5(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("--rungs", 2, "--zoo", tmp_path, "--out", tmp_path / "out")
    assert run(tmp_path / "absent", *arguments)[0] == 4
    monkeypatch.setattr(Cvvdp, "installed", classmethod(lambda _: False))
    code, _, lines = run(folder, *arguments)
    assert code == 5
    assert "pip install 'sursmr-qp[labels]'" in lines[-1]


def test_a_zoo_without_a_table_is_exit_2(folder: Path, tmp_path: Path) -> None:
    code, _, lines = run(folder, "--rungs", 2, "--zoo", tmp_path, "--out", tmp_path / "out")
    assert code == 2
    assert "is no zoo" in lines[-1]


COMMAND = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from fake_panel import FakeSetup
from sursmr_codec.labels import panel
panel.ZooSetup = lambda *_: FakeSetup(Path({log!r}), seconds=0.02)
from sursmr_codec.cli import main
main()
"""


def test_interrupted_it_ends_with_130_and_resumes(
    folder: Path, tmp_path: Path, setup: list[FakeSetup]
) -> None:
    log = tmp_path / "log"
    code = COMMAND.format(here=str(Path(__file__).parent), log=str(log))
    arguments = ["annotate", folder, "--rungs", 4, "--zoo", tmp_path, "--out", tmp_path / "out", "--jobs", 2]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not log.exists() or log.read_text().count("\n") < 20:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in stderr
    assert run(*arguments[1:])[0] == 0
    assert store.read_labels(tmp_path / "out").num_rows == 20
