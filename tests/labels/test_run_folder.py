"""Whose folder it is: one run's, and one process's at a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fake_panel import FakeSetup, finish, make_run

from sursmr_codec.errors import OutputError, UnavailableError, UsageError
from sursmr_codec.labels import store
from sursmr_codec.labels.annotate import annotate_events
from sursmr_codec.labels.plan import Rungs
from sursmr_codec.labels.run_folder import RunFolder

HOLDER = """
import sys
from pathlib import Path
from sursmr_codec.labels.run_folder import RunFolder
with RunFolder(Path(sys.argv[1]), {"schema": "sursmr-qp/annotate/1"}):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.usefixtures("in_process")
def test_a_folder_is_one_runs_while_it_lasts(folder: Path, tmp_path: Path) -> None:
    events = annotate_events(make_run(folder, FakeSetup()), tmp_path / "out")
    next(events)
    with pytest.raises(UsageError, match=r"another process is labelling into .*out: wait for it"):
        finish(make_run(folder, FakeSetup()), tmp_path / "out")
    events.close()
    assert finish(make_run(folder, FakeSetup()), tmp_path / "out").failures == ()


def test_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    record = {"schema": "sursmr-qp/annotate/1"}
    with pytest.raises(UsageError, match="another process"), RunFolder(tmp_path, record):
        pass
    holder.kill()
    holder.communicate()
    with RunFolder(tmp_path, record):
        assert json.loads((tmp_path / "run.json").read_text()) == record


@pytest.mark.usefixtures("in_process")
def test_a_run_that_ended_before_its_first_table_leaves_the_folder_to_others(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(UnavailableError):
        finish(make_run(folder, FakeSetup(cannot_load=True)), out)
    assert json.loads((out / "run.json").read_text())["n_rungs"] == 15
    finish(make_run(folder, FakeSetup(), Rungs(count=2)), out)
    assert json.loads((out / "run.json").read_text())["n_rungs"] == 10
    assert store.read_labels(out).num_rows == 10


@pytest.mark.parametrize("text", ['{"schema": "another program"}', "[1]"])
def test_a_record_of_something_else_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(UsageError, match="choose another --out"), RunFolder(tmp_path, {"schema": "mine"}):
        pass
    assert (tmp_path / "run.json").read_text() == text


@pytest.mark.parametrize("content", [b"{", b"\xff"])
def test_a_damaged_record_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"run\.json is not the record of a run"), RunFolder(tmp_path, {}):
        pass


def test_a_lock_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / ".lock").mkdir()
    with pytest.raises(OutputError, match=r"\.lock cannot be written"), RunFolder(tmp_path, {}):
        pass
